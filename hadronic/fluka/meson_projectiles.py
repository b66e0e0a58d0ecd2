"""Yields of pion and kaon projectiles on air (docs/reports/hadronic-inputs.md section 5; node tables in `meson_nodes`).

Isospin and charge mirrors used:

- pi-: pi+ with pi+ <-> pi-, p <-> n, K+ <-> K0, K- <-> anti-K0 (K0 and anti-K0 being half of their sum).
- K-: K+ with pi+ <-> pi-, p <-> n, K+ <-> K- (K0 stays: it is a sum). Approximate: a K- also makes hyperons
  (f_Lambda = 0.055 at 10 GeV), which are not in the table.
- K0 (partner of K+): pi+ <-> pi-, p <-> n, K+ <-> K0; anti-K0 the same from K-. KL and KS as projectiles are
  half of each.
"""

import numpy as np

from hadronic.arrays import Array
from hadronic.fluka import meson_nodes
from hadronic.fluka.forms import MesonShape, SolvedMeson, beta_moment, beta_spectrum, solve_beta_B, solve_meson
from hadronic.fluka.nucleon_projectiles import meson_shape, recoil_moment, recoil_table
from hadronic.interaction.table_builder import YieldTableBuilder
from hadronic.interaction.thresholds import production_threshold
from hadronic.species import KL, KM, KP, KS, MASS_GEV, PI0, PIM, PIP, N, P


def _interpolate(T: Array, values: Array) -> Array:
    """Linear in ln T between the nodes of meson projectiles, constant outside."""
    return np.interp(np.log(T), np.log(meson_nodes.MESON_NODE_T_GEV), values)


def _log_interpolate(T: Array, values: Array) -> Array:
    """Interpolate ln values linearly in ln T between the nodes, constant outside."""
    return np.exp(_interpolate(T, np.log(values)))


def _opening(T: Array, projectile_mass: float, threshold_GeV: float) -> Array:
    """Factor on energy fractions below the first node: the energy f T falls linearly to the threshold."""
    first = float(meson_nodes.MESON_NODE_T_GEV[0])
    threshold = max(production_threshold(projectile_mass), threshold_GeV)
    return np.where(first > T, np.maximum(T - threshold, 0.0) * first / ((first - threshold) * T), 1.0)


def _sea_meson(name: str, T: Array, f: Array, ratio: Array, projectile_mass: float) -> SolvedMeson:
    """Solve the meson form for energy fractions `f` (E/T) at the nodes and Z/f `ratio` (T/T over E/T)."""
    pion = name in ("pi+", "pi-", "pi0")
    shape: MesonShape = meson_shape(name, T)
    # Strange mesons come with another strange particle: nothing below T = D + 2 m_K.
    threshold = 0.0 if pion else shape.threshold + 2.0 * float(MASS_GEV[KP])
    return solve_meson(
        T,
        shape,
        _log_interpolate(T, f) * _opening(T, projectile_mass, threshold),
        _log_interpolate(T, ratio),
        solve_from_GeV=3.0 if pion else 10.0,
        f_kind="E/T",
        z_kind="T/T",
        projectile_mass=projectile_mass,
    )


def _add_target_nucleons(builder: YieldTableBuilder, T: Array, f_p: Array, f_n: Array) -> list[tuple[int, int, Array]]:
    """Recoil nucleons as in p-air and fast ones that carry the rest of f_p, f_n: (species, row, mean)."""
    recoil_mean, quantiles = recoil_table(T)
    row_recoil = builder.add_table(quantiles)
    A = np.full(T.shape, meson_nodes.FAST_NUCLEON_A)
    B = np.full(T.shape, meson_nodes.FAST_NUCLEON_B)
    row_fast = builder.add_table(beta_spectrum(T, A, B))
    recoil_f = recoil_moment(T, 1.0)
    slots = [(P, row_recoil, recoil_mean), (N, row_recoil, recoil_mean)]
    for species, f in ((P, f_p), (N, f_n)):
        rest = np.maximum(_log_interpolate(T, f) - recoil_f, 0.0)
        slots.append((species, row_fast, rest / beta_moment(A, B, 1.0)))
    return slots


_MIRROR = {P: N, N: P, PIP: PIM, PIM: PIP}


def add_pion_projectiles(builder: YieldTableBuilder, T: Array) -> None:
    """Add the slots of pi+ (leading Beta distribution and sea mesons) and of pi- by isospin mirror.

    Parameters
    ----------
    builder : YieldTableBuilder
        Takes the tables and slots.
    T : float[nodes]
        Kinetic energies of the projectile, GeV.
    """
    mass = float(MASS_GEV[PIP])
    f, z = meson_nodes.PION_F, meson_nodes.PION_Z
    ratio = {name: z[name] / f[name] for name in z}
    ratio["pi0"] = meson_nodes.PI0_HARDNESS * ratio["pi-"]
    ratio["K0"] = 0.5 * (ratio["K+"] + ratio["K-"])
    sea = {name: _sea_meson(name, T, f[name], ratio[name], mass) for name in ("pi-", "pi0", "K+", "K-", "K0")}
    row = {name: builder.add_table(solved.spectrum) for name, solved in sea.items()}
    A = _interpolate(T, meson_nodes.PION_LEADING_A)
    B = _interpolate(T, meson_nodes.PION_LEADING_B)
    leading = beta_spectrum(T, A, B)
    row_leading = builder.add_table(leading)
    n_leading = _interpolate(T, meson_nodes.PION_LEADING_N) * leading.integral()
    nucleons = _add_target_nucleons(builder, T, f["p"], f["n"])

    half_k0 = 0.5 * sea["K0"].mean
    builder.add_slot(PIP, PIP, row_leading, n_leading, bernoulli=True)
    builder.add_slot(PIM, PIM, row_leading, n_leading, bernoulli=True)
    for projectile in (PIP, PIM):
        builder.add_slot(projectile, PIP, row["pi-"], sea["pi-"].mean)
        builder.add_slot(projectile, PIM, row["pi-"], sea["pi-"].mean)
        for species, table, number in nucleons:
            target = species if projectile == PIP else _MIRROR[species]
            builder.add_slot(projectile, target, table, number)
        builder.add_slot(projectile, PI0, row["pi0"], sea["pi0"].mean)
    builder.add_slot(PIP, KP, row["K+"], sea["K+"].mean)
    builder.add_slot(PIP, KM, row["K-"], sea["K-"].mean)
    builder.add_slot(PIP, KL, row["K0"], half_k0)
    builder.add_slot(PIP, KS, row["K0"], half_k0)
    # Mirror: K+ <-> K0 and K- <-> anti-K0, with K0 and anti-K0 half of their sum each.
    builder.add_slot(PIM, KP, row["K0"], half_k0)
    builder.add_slot(PIM, KM, row["K0"], half_k0)
    for species in (KL, KS):
        builder.add_slot(PIM, species, row["K+"], 0.5 * sea["K+"].mean)
        builder.add_slot(PIM, species, row["K-"], 0.5 * sea["K-"].mean)


def add_kaon_projectiles(builder: YieldTableBuilder, T: Array) -> None:
    """Add the slots of K+ (leading K+ and K0, sea mesons) and of K-, KL, KS by the mirrors of the module's header.

    Parameters
    ----------
    builder : YieldTableBuilder
        Takes the tables and slots.
    T : float[nodes]
        Kinetic energies of the projectile, GeV.
    """
    mass = float(MASS_GEV[KP])
    f, z = meson_nodes.KAON_F, meson_nodes.KAON_Z
    ratio = {name: z[name] / f[name] for name in z}
    ratio["pi0"] = meson_nodes.PI0_HARDNESS * ratio["pi-"]
    sea = {name: _sea_meson(name, T, f[name], ratio[name], mass) for name in ("pi+", "pi-", "pi0", "K-")}
    row = {name: builder.add_table(solved.spectrum) for name, solved in sea.items()}
    A = _interpolate(T, meson_nodes.KAON_LEADING_A)
    B = _interpolate(T, meson_nodes.KAON_LEADING_B)
    N_charged = _interpolate(T, meson_nodes.KAON_LEADING_N)
    leading = beta_spectrum(T, A, B)
    row_leading = builder.add_table(leading)
    n_charged = N_charged * leading.integral()
    # Strangeness is conserved: what is not a leading K+ is a leading K0. Its mean x follows from f of K0 less
    # its rest energy and the sea (K0 and anti-K0 like K- each); A is that of K+.
    above = np.maximum(T, float(meson_nodes.MESON_NODE_T_GEV[0]))
    N_neutral = 1.0 - N_charged
    f_neutral = _log_interpolate(above, f["K0"]) - 2.0 * _log_interpolate(above, f["K-"])
    mean_x = f_neutral / N_neutral - float(MASS_GEV[KL]) / above
    exchanged = beta_spectrum(T, A, solve_beta_B(mean_x, A))
    row_exchanged = builder.add_table(exchanged)
    n_neutral = N_neutral * exchanged.integral()
    nucleons = _add_target_nucleons(builder, T, f["p"], f["n"])

    for projectile, same, plus, minus in ((KP, KP, "pi+", "pi-"), (KM, KM, "pi-", "pi+")):
        builder.add_slot(projectile, same, row_leading, n_charged, bernoulli=True)
        builder.add_slot(projectile, KL, row_exchanged, 0.5 * n_neutral, bernoulli=True)
        builder.add_slot(projectile, KS, row_exchanged, 0.5 * n_neutral, bernoulli=True)
        builder.add_slot(projectile, PIP, row[plus], sea[plus].mean)
        builder.add_slot(projectile, PIM, row[minus], sea[minus].mean)
        for species, table, number in nucleons:
            builder.add_slot(projectile, species if projectile == KP else _MIRROR[species], table, number)
    for projectile in (KL, KS):
        builder.add_slot(projectile, KL, row_leading, 0.5 * n_charged, bernoulli=True)
        builder.add_slot(projectile, KS, row_leading, 0.5 * n_charged, bernoulli=True)
        builder.add_slot(projectile, KP, row_exchanged, 0.5 * n_neutral, bernoulli=True)
        builder.add_slot(projectile, KM, row_exchanged, 0.5 * n_neutral, bernoulli=True)
        for species in (PIP, PIM):
            builder.add_slot(projectile, species, row["pi+"], 0.5 * sea["pi+"].mean)
            builder.add_slot(projectile, species, row["pi-"], 0.5 * sea["pi-"].mean)
        for species, table, number in nucleons:
            builder.add_slot(projectile, species, table, 0.5 * number)
            builder.add_slot(projectile, _MIRROR[species], table, 0.5 * number)
    for projectile in (KP, KM, KL, KS):
        for species in (KP, KM, KL, KS):
            builder.add_slot(projectile, species, row["K-"], sea["K-"].mean)
        builder.add_slot(projectile, PI0, row["pi0"], sea["pi0"].mean)
