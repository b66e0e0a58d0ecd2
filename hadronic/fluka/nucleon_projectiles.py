"""Yields of p, n and Lambda on air (docs/reports/hadronic-inputs.md section 2; node tables in `nucleon_nodes`)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.interpolate import PchipInterpolator

from hadronic.arrays import Array
from hadronic.definitions import MESON_X, Z_EXPONENT
from hadronic.fluka import nucleon_nodes as nodes
from hadronic.fluka.forms import (
    T_MIN_GEV,
    MesonShape,
    NucleonSolution,
    SolvedMeson,
    beta_moment,
    beta_spectrum,
    logit_grid,
    solve_leading_nucleons,
    solve_meson,
)
from hadronic.interaction.kernels import BERNOULLI, N_QUANTILES
from hadronic.interaction.spectrum import Spectrum, quantile_table
from hadronic.interaction.table_builder import YieldTableBuilder
from hadronic.interaction.thresholds import PION_THRESHOLD_GEV
from hadronic.species import KL, KM, KP, KS, LAMBDA, MASS_GEV, PI0, PIM, PIP, N, P

# FLUKA's first energy [GeV]: the node values below are ratios to it.
ANCHOR_GEV: Final = 5.0

_MESONS: Final = (("pi+", PIP), ("pi-", PIM), ("pi0", PI0), ("K+", KP), ("K-", KM), ("K0", KL))
_PIONS: Final = ("pi+", "pi-", "pi0")

# Energy that a leading Lambda leaves to its own mass and the kaon's.
LAMBDA_COST_GEV: Final = float(MASS_GEV[LAMBDA] - MASS_GEV[P] + MASS_GEV[KP])


def meson_shape(name: str, T: Array) -> MesonShape:
    """Parameters of the form of a meson's spectrum at some energies.

    Parameters
    ----------
    name : str
        Name of the meson.
    T : float[nodes]
        Kinetic energies of the projectile, GeV.

    Returns
    -------
    MesonShape
        Exponents a, c, k, threshold D and mass.
    """
    lg_T = np.log10(T)
    pion = name in _PIONS
    code = dict(_MESONS)[name]
    return MesonShape(
        mass=float(MASS_GEV[code]),
        threshold=nodes.MESON_D_GEV[name],
        a=np.interp(lg_T, nodes.SHAPE_LG_T, nodes.PION_A if pion else nodes.KAON_A),
        c=np.interp(lg_T, nodes.SHAPE_LG_T, nodes.PION_C if pion else nodes.KAON_C),
        k=np.interp(lg_T, nodes.PION_K_LG_T, nodes.PION_K) if pion else np.full(T.shape, nodes.KAON_K),
    )


def _log_interpolate(T: Array, values: Array) -> Array:
    """Interpolate ln values by monotone cubics in ln T (no kinks at FLUKA's energies), constant outside."""
    curve = PchipInterpolator(np.log(nodes.NODE_T_GEV), np.log(values))
    at: Array = np.exp(curve(np.log(np.clip(T, nodes.NODE_T_GEV[0], nodes.NODE_T_GEV[-1]))))
    return at


def energy_fraction(name: str, T: Array) -> Array:
    """Interpolate the energy fraction f of p-air in the node table.

    Below 1 GeV the energy in pions f T falls as ((T - T0)/(1 - T0))^p to zero at the threshold T0 = 0.28 GeV; p
    continues the slope of the table at 1 GeV. Kaons and Lambda end at 1 GeV, nucleons keep their fraction.

    Parameters
    ----------
    name : str
        Name of the secondary.
    T : float[nodes]
        Kinetic energies of the projectile, GeV.

    Returns
    -------
    float[nodes]
        Energy fraction; below 5 GeV by the definition "kinetic".
    """
    f = _log_interpolate(T, nodes.F[name])
    below = nodes.NODE_T_GEV[0] > T
    if name in _PIONS:
        values = nodes.F[name]
        slope = float(PchipInterpolator(np.log(nodes.NODE_T_GEV), np.log(values)).derivative()(0.0))
        power = (1.0 + slope) * (1.0 - PION_THRESHOLD_GEV)
        opening = np.maximum(T - PION_THRESHOLD_GEV, 0.0) / (1.0 - PION_THRESHOLD_GEV)
        # The first node, at 0.282 GeV, is the threshold within the width of a node: nothing is made there.
        f = np.where(below, values[0] * opening**power / T, f)
        f[0] = 0.0 if below[0] else f[0]
    elif name not in ("p", "n"):
        f = np.where(below, 0.0, f)
    return f


def z_over_f(name: str, T: Array) -> Array:
    """Interpolate Z/f of mesons in the node table; pi0 and K0 take the mean of their charged partners.

    Parameters
    ----------
    name : str
        Name of the meson.
    T : float[nodes]
        Kinetic energies of the projectile, GeV.

    Returns
    -------
    float[nodes]
        Z over f.
    """
    if name == "pi0":
        return 0.5 * (z_over_f("pi+", T) + z_over_f("pi-", T))
    if name == "K0":
        return 0.5 * (z_over_f("K+", T) + z_over_f("K-", T))
    return _log_interpolate(T, nodes.Z[name]) / _log_interpolate(T, nodes.F[name])


def solve_proton_mesons(T: Array, definition: str) -> dict[str, SolvedMeson]:
    """Solve for the spectra of mesons of p-air.

    Parameters
    ----------
    T : float[nodes]
        Kinetic energies of the projectile, GeV.
    definition : str
        Definition of x, see `hadronic.definitions`.

    Returns
    -------
    dict of SolvedMeson
        Spectra by name ("K0" is K0 + anti-K0).
    """
    mass = float(MASS_GEV[P])
    f_kind, z_kind = MESON_X[definition]
    solved = {}
    for name, _ in _MESONS:
        shape = meson_shape(name, T)
        start = nodes.NODE_T_GEV[0] if name in _PIONS else ANCHOR_GEV
        f, ratio = energy_fraction(name, T), z_over_f(name, T)
        result = solve_meson(T, shape, f, ratio, solve_from_GeV=start, f_kind="E/T", z_kind="T/T", projectile_mass=mass)
        if (f_kind, z_kind) != MESON_X["kinetic"]:
            z = _joined_at_anchor(T, f * ratio, result.moment(Z_EXPONENT, z_kind, mass))
            f = _joined_at_anchor(T, f, result.moment(1.0, f_kind, mass))
            with np.errstate(invalid="ignore"):
                ratio = np.where(f > 0.0, z / f, 1.0)
            result = solve_meson(
                T, shape, f, ratio, solve_from_GeV=start, f_kind=f_kind, z_kind=z_kind, projectile_mass=mass
            )
        solved[name] = result
    return solved


def _joined_at_anchor(T: Array, table: Array, kinetic: Array) -> Array:
    """F or Z in a definition of x: the table's numbers from 5 GeV up; below, `kinetic` scaled to meet them there.

    Node values below 5 GeV are ratios of generators to themselves at 5 GeV, so those ratios have to be taken
    with the same x as the anchor: `kinetic` holds the moments, with that x, of the "kinetic" solution.
    """
    at_anchor = np.log(ANCHOR_GEV)
    scale = np.interp(at_anchor, np.log(T), table) / np.interp(at_anchor, np.log(T), kinetic)
    return np.where(T < ANCHOR_GEV, kinetic * scale, table)


def diffractive_weight(T: Array) -> Array:
    """Interpolate the number of quasi-elastic and diffractive protons per interaction, linear in lg T.

    Parameters
    ----------
    T : float[nodes]
        Kinetic energies of the projectile, GeV.

    Returns
    -------
    float[nodes]
        Weight D.
    """
    weight: Array = np.interp(np.log(T), np.log(nodes.DIFFRACTIVE_T_GEV), nodes.DIFFRACTIVE_WEIGHT)
    return weight


def recoil_parameters(T: Array) -> tuple[Array, Array]:
    """Return the number and slope of the spectrum of recoil nucleons, of p and of n each.

    Parameters
    ----------
    T : float[nodes]
        Kinetic energies of the projectile, GeV.

    Returns
    -------
    number : float[nodes]
        Number r per interaction.
    slope : float[nodes]
        Slope tau of the exponential, GeV.
    """
    r = nodes.RECOIL_NUMBER * np.minimum(1.0, np.sqrt(T / 5.0))
    return r, np.minimum(nodes.RECOIL_TAU_GEV, 0.12 * T)


def recoil_table(T: Array) -> tuple[Array, Array]:
    """Mean number and quantiles of ln x of recoil nucleons (exponential above 0.1 GeV, ended at x = 1).

    Parameters
    ----------
    T : float[nodes]
        Kinetic energies of the projectile, GeV.

    Returns
    -------
    number : float[nodes]
        Mean number per interaction, of p and of n each.
    quantiles : float[nodes, N_QUANTILES]
        Of ln x.
    """
    r, tau = recoil_parameters(T)
    # The cap keeps the last quantile finite where x = 1 is thousands of slopes away.
    closed = np.minimum(-np.expm1(-(T - nodes.RECOIL_MIN_GEV) / tau), 1.0 - 1.0e-12)
    v = np.linspace(0.0, 1.0, N_QUANTILES)
    u = 1.0 - (1.0 - v) ** 4
    energy = nodes.RECOIL_MIN_GEV - tau[:, None] * np.log1p(-u * closed[:, None])
    return r * closed, np.log(np.minimum(energy / T[:, None], 1.0))


def recoil_moment(T: Array, exponent: float) -> Array:
    """Moment of x = T_sec/T of recoil p (or n), by Gauss-Laguerre quadrature.

    Parameters
    ----------
    T : float[nodes]
        Kinetic energies of the projectile, GeV.
    exponent : float
        Power of x.

    Returns
    -------
    float[nodes]
        The moment; the end of the spectrum at x = 1 is neglected.
    """
    r, tau = recoil_parameters(T)
    z, weight = np.polynomial.laguerre.laggauss(24)
    x = (nodes.RECOIL_MIN_GEV + tau[:, None] * z) / T[:, None]
    moment: Array = r * (weight * x**exponent).sum(axis=1)
    return moment


def _diffractive_density(T: Array, rest: Array, jacobian: Array) -> Array:
    """dn/dt of the diffractive proton, 1 - x log-uniform, on the logit grid (not normalised)."""
    low = np.maximum(nodes.DIFFRACTIVE_LOSS_GEV / T, nodes.DIFFRACTIVE_LOSS_MIN)[:, None]
    return np.where((rest >= low) & (rest <= nodes.DIFFRACTIVE_LOSS_MAX), jacobian / rest, 0.0)


def solve_proton_nucleons(T: Array) -> tuple[NucleonSolution, Spectrum, Spectrum]:
    """Solve for the spectra of leading protons and neutrons of p-air.

    Parameters
    ----------
    T : float[nodes]
        Kinetic energies of the projectile, GeV.

    Returns
    -------
    solution : NucleonSolution
        Parameters of the leading nucleons.
    proton, neutron : Spectrum
        Leading and diffractive protons; leading neutrons.
    """
    D = diffractive_weight(T)
    y, rest, jacobian, step = logit_grid(T_MIN_GEV / T)
    ln_x = np.log(y)
    shape = Spectrum(ln_x, _diffractive_density(T, rest, jacobian), step)
    density_d = shape.density * (D / shape.integral())[:, None]
    diffractive = Spectrum(ln_x, density_d, step)
    recoil_f, recoil_z = recoil_moment(T, 1.0), recoil_moment(T, Z_EXPONENT)
    solution = solve_leading_nucleons(
        number=1.0 - nodes.HYPERON_NUMBER_PER_F * energy_fraction("Lambda", T) - D,
        f_p=energy_fraction("p", T) - recoil_f - diffractive.integral(y),
        f_n=energy_fraction("n", T) - recoil_f,
        z_sum=_log_interpolate(T, nodes.Z["p+n"]) - 2.0 * recoil_z - diffractive.integral(y**Z_EXPONENT),
        shift=nodes.NEUTRON_B_SHIFT,
    )
    leading_p = beta_spectrum(T, solution.A, solution.B)
    leading_n = beta_spectrum(T, solution.A, solution.B + nodes.NEUTRON_B_SHIFT)
    proton = Spectrum(ln_x, solution.N_p[:, None] * leading_p.density + density_d, step)
    neutron = Spectrum(ln_x, solution.N_n[:, None] * leading_n.density, step)
    return solution, proton, neutron


@dataclass(frozen=True)
class NucleonTuning:
    """Changes to the yields of nucleon projectiles (those of a proton; the others by mirror), at the nodes.

    Attributes
    ----------
    factors : dict of float[nodes]
        On the number of a meson, by name; 1 for what is not in it.
    exchange : float[nodes]
        Share of the leading protons that become leading neutrons, with the neutrons' spectrum.
    hardness : float[nodes]
        Power to which x of leading nucleons is raised.
    """

    factors: dict[str, Array]
    exchange: Array
    hardness: Array


def add_nucleon_projectiles(
    builder: YieldTableBuilder, T: Array, definition: str, tuning: NucleonTuning | None = None
) -> None:
    """Add the slots of p, of n by isospin mirror (pi+ <-> pi-, p <-> n) and of Lambda (mean of p and n).

    The mirror leaves kaons as they are (a strict one exchanges K+ and K0, K- and anti-K0, of which only the sum of the
    neutral ones is known). The Lambda is an isoscalar nucleon here: its leading baryon is always a nucleon, its
    strangeness is dropped.

    Parameters
    ----------
    builder : YieldTableBuilder
        Takes the tables and slots.
    T : float[nodes]
        Kinetic energies of the projectile, GeV.
    definition : str
        Definition of x, see `hadronic.definitions`.
    tuning : NucleonTuning, optional
        Changes to the yields of nucleons.
    """
    mesons = solve_proton_mesons(T, definition)
    solution, proton, neutron = solve_proton_nucleons(T)
    row = {name: builder.add_table(mesons[name].spectrum) for name, _ in _MESONS}
    mean = {name: mesons[name].mean for name, _ in _MESONS}
    number_p, number_n = proton.integral(), neutron.integral()
    quantiles_p, quantiles_n = quantile_table(proton), quantile_table(neutron)
    if tuning is not None:
        mean = {name: number * tuning.factors.get(name, 1.0) for name, number in mean.items()}
        number_p, number_n = number_p * (1.0 - tuning.exchange), number_n + number_p * tuning.exchange
        quantiles_p, quantiles_n = (tuning.hardness[:, None] * one for one in (quantiles_p, quantiles_n))
    row_p, row_n = builder.add_table(quantiles_p), builder.add_table(quantiles_n)
    recoil_mean, recoil_quantiles = recoil_table(T)
    row_recoil = builder.add_table(recoil_quantiles)

    # Lambda: shape of the leading neutron (one unit of charge or strangeness exchanged), within phase space.
    open_scale = np.maximum(1.0 - LAMBDA_COST_GEV / T, 0.05)
    B_n = solution.B + nodes.NEUTRON_B_SHIFT
    row_lambda = builder.add_table(beta_spectrum(T, solution.A, B_n, open_scale))
    mean_lambda = energy_fraction("Lambda", T) / (open_scale * beta_moment(solution.A, B_n, 1.0))
    mean_lambda = np.where(T <= LAMBDA_COST_GEV / 0.95, 0.0, mean_lambda)

    for projectile, leading, other, plus, minus in ((P, P, N, "pi+", "pi-"), (N, N, P, "pi-", "pi+")):
        builder.add_slot(projectile, leading, row_p, number_p, bernoulli=True)
        builder.add_slot(projectile, other, row_n, number_n, bernoulli=True)
        builder.add_slot(projectile, PIP, row[plus], mean[plus])
        builder.add_slot(projectile, PIM, row[minus], mean[minus])
        builder.add_slot(projectile, KP, row["K+"], mean["K+"])
        builder.add_slot(projectile, KM, row["K-"], mean["K-"])
        builder.add_slot(projectile, KL, row["K0"], 0.5 * mean["K0"])
        builder.add_slot(projectile, KS, row["K0"], 0.5 * mean["K0"])
        builder.add_slot(projectile, LAMBDA, row_lambda, mean_lambda, bernoulli=True)
        builder.add_slot(projectile, P, row_recoil, recoil_mean)
        builder.add_slot(projectile, N, row_recoil, recoil_mean)
        builder.add_slot(projectile, PI0, row["pi0"], mean["pi0"])
    for projectile in (P, N):
        for species, kind, table, number in builder.slots_of(projectile):
            if species != LAMBDA:
                builder.add_slot(LAMBDA, species, table, 0.5 * number, bernoulli=kind == BERNOULLI)
