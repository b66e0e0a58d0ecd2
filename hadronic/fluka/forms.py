"""Functional forms of the inclusive spectra, solved for given energy fractions and Z factors.

All functions work on many projectile energies at once: arrays have the shape (nodes,) or (nodes, grid). A
spectrum is a `Spectrum`: its density on a grid uniform in the logit of the scaled kinetic energy, where both
ends (x -> 0 over many decades, x -> 1 with any power) are smooth and the trapezoidal rule is accurate.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betaln, gammaln

from hadronic.arrays import Array, BoolArray
from hadronic.definitions import Z_EXPONENT
from hadronic.interaction.spectrum import Spectrum

# Tables start at this kinetic energy [GeV]; beta^k leaves less than 1e-3 of the mesons below it.
T_MIN_GEV: Final = 1.0e-3

GRID_POINTS: Final = 600
# The grid ends at 1 - y = 1e-9: (1-y)^0.5, the hardest end point here, has 3e-5 of its integral beyond.
LOGIT_END: Final = float(-np.log(1.0e-9))

# Below this power b of (1-w) the exponent c is solved instead (hard spectra of meson projectiles).
B_FLOOR: Final = 0.3


def logit_grid(y_low: Array) -> tuple[Array, Array, Array, Array]:
    """Make a grid uniform in t = ln(y/(1-y)) from `y_low` to 1 - 1e-9.

    Parameters
    ----------
    y_low : float[nodes]
        Lower end of the grid in y, between 0 and 1.

    Returns
    -------
    y, rest, jacobian : float[nodes, grid]
        y, 1 - y and dy/dt.
    step : float[nodes]
        Step in t.
    """
    t_low = np.log(y_low / (1.0 - y_low))
    fraction = np.linspace(0.0, 1.0, GRID_POINTS)
    t = t_low[:, None] + (LOGIT_END - t_low)[:, None] * fraction
    y = 1.0 / (1.0 + np.exp(-t))
    rest = 1.0 / (1.0 + np.exp(t))
    return y, rest, y * rest, (LOGIT_END - t_low) / (GRID_POINTS - 1)


@dataclass(frozen=True)
class MesonShape:
    """Parameters of the meson form at each node (docs/reports/hadronic-inputs.md section 2).

    dn/dE = (C/E) w^a exp(-c sqrt(w)) (1-w)^b beta^k with w = E/(T - D), beta = p/E.
    `mass`, `threshold` (D) in GeV; `a`, `c`, `k` shape (nodes,).
    """

    mass: float
    threshold: float
    a: Array
    c: Array
    k: Array


@dataclass(frozen=True)
class SolvedMeson:
    """Meson spectra with normalisation: parameters b, c and C (per interaction) and the spectrum itself."""

    b: Array
    c: Array
    C: Array
    spectrum: Spectrum
    energy: Array
    mass: float
    T: Array

    @property
    def mean(self) -> Array:
        """Mean number per interaction, shape (nodes,)."""
        return self.C * self.spectrum.integral()

    def moment(self, exponent: float, kind: str, projectile_mass: float) -> Array:
        """Moment of x per interaction: the sum of x^exponent over the secondaries.

        Parameters
        ----------
        exponent : float
            Power of x.
        kind : str
            "T/T", "E/T" or "E/E".
        projectile_mass : float
            Rest mass of the projectile, GeV.

        Returns
        -------
        float[nodes]
            The moment.
        """
        x = energy_ratio(self.energy, self.mass, self.T, projectile_mass, kind)
        return self.C * self.spectrum.integral(x**exponent)


def energy_ratio(energy: Array, mass: float, T: Array, projectile_mass: float, kind: str) -> Array:
    """Compute x of secondaries from their total energy.

    Parameters
    ----------
    energy : float[nodes, grid]
        Total energies of the secondary, GeV.
    mass : float
        Rest mass of the secondary, GeV.
    T : float[nodes]
        Kinetic energies of the projectile, GeV.
    projectile_mass : float
        Rest mass of the projectile, GeV.
    kind : str
        "T/T", "E/T" or "E/E".

    Returns
    -------
    float[nodes, grid]
        x by this definition.

    Raises
    ------
    ValueError
        For an unknown `kind`.
    """
    if kind == "T/T":
        return (energy - mass) / T[:, None]
    if kind == "E/T":
        return energy / T[:, None]
    if kind == "E/E":
        return energy / (T + projectile_mass)[:, None]
    raise ValueError(f"no definition of x called {kind!r}")


def solve_meson(
    T: Array,
    shape: MesonShape,
    f: Array,
    z_over_f: Array,
    *,
    solve_from_GeV: float,
    f_kind: str,
    z_kind: str,
    projectile_mass: float,
) -> SolvedMeson:
    """Solve b (or c) from Z/f and C from f at each node.

    Parameters
    ----------
    T : float[nodes]
        Kinetic energy of the projectile [GeV].
    f, z_over_f : float[nodes]
        Energy fraction, and Z factor over energy fraction.
    solve_from_GeV : float
        Below this projectile energy b and c keep their values there (only f is matched).
    f_kind, z_kind : str
        What x is in f and Z: "T/T", "E/T" or "E/E".
    projectile_mass : float
        [GeV], for "E/E".
    """
    # A closed phase space leaves an arbitrary narrow spectrum; its C is zero.
    T_max = np.maximum(T - shape.threshold - shape.mass, 0.01)
    y, rest, jacobian, step = logit_grid(T_MIN_GEV / T_max)
    kinetic = T_max[:, None] * y
    energy = kinetic + shape.mass
    scale = (T_max + shape.mass)[:, None]
    root_w = np.sqrt(energy / scale)
    ln_rest = np.log(T_max[:, None] * rest / scale)
    ln_beta = 0.5 * np.log(kinetic * (kinetic + 2.0 * shape.mass)) - np.log(energy)
    ln_base = (
        np.log(T_max[:, None] * jacobian / energy)
        + 2.0 * shape.a[:, None] * np.log(root_w)
        + shape.k[:, None] * ln_beta
    )
    x_f = energy_ratio(energy, shape.mass, T, projectile_mass, f_kind)
    x_z = energy_ratio(energy, shape.mass, T, projectile_mass, z_kind) ** Z_EXPONENT
    used = solve_from_GeV * (1.0 - 1.0e-9) <= T
    first = int(np.argmax(used))

    b = np.full(T.size, 3.0)
    c = shape.c.copy()
    ln_target = np.log(z_over_f)
    _newton(ln_base - c[:, None] * root_w, ln_rest, b, x_f, x_z, ln_target, used, lowest=-0.9)
    low = used & (b < B_FLOOR)
    if low.any():
        b[low] = B_FLOOR
        c_found = c.copy()
        _newton(ln_base + b[:, None] * ln_rest, -root_w, c_found, x_f, x_z, ln_target, low, lowest=-20.0)
        c[low] = c_found[low]
    b[:first] = b[first]
    c[:first] = np.where(low[first], c[first], shape.c[:first])

    ln_density = ln_base + b[:, None] * ln_rest - c[:, None] * root_w
    spectrum = Spectrum(np.log(kinetic / T[:, None]), np.exp(ln_density), step)
    closed = T - shape.threshold - shape.mass < 0.01
    C = np.where(closed, 0.0, f / spectrum.integral(x_f))
    return SolvedMeson(b, c, C, spectrum, energy, shape.mass, T)


def _newton(
    ln_fixed: Array,
    ln_factor: Array,
    power: Array,
    x_f: Array,
    x_z: Array,
    ln_target: Array,
    used: BoolArray,
    lowest: float,
) -> None:
    """Solve, in place, `power` so that <x_z>/<x_f> of exp(ln_fixed + power * ln_factor) is the target.

    The log of the ratio falls monotonically with `power` (it weighs down the hard end); its derivative is
    the difference of the mean ln_factor under the two weights. Limited steps are enough for convergence.
    """
    rows = np.flatnonzero(used)
    fixed, factor, xf, xz = ln_fixed[rows], ln_factor[rows], x_f[rows], x_z[rows]
    value = power[rows]
    for _ in range(40):
        density = np.exp(fixed + value[:, None] * factor)
        weight_z, weight_f = density * xz, density * xf
        sum_z, sum_f = weight_z.sum(axis=1), weight_f.sum(axis=1)
        excess = np.log(sum_z / sum_f) - ln_target[rows]
        slope = (weight_z * factor).sum(axis=1) / sum_z - (weight_f * factor).sum(axis=1) / sum_f
        move = np.clip(-excess / slope, -2.0, 2.0)
        value = np.maximum(value + move, lowest)
        if np.max(np.abs(move)) < 1.0e-9:
            break
    power[rows] = value


def beta_moment(A: Array, B: Array, exponent: float) -> Array:
    """Mean of x^exponent under the distribution Beta(x; A, B).

    Parameters
    ----------
    A : float[nodes]
        First parameter of the Beta distribution.
    B : float[nodes]
        Second parameter of the Beta distribution.
    exponent : float
        Power of x.

    Returns
    -------
    float[nodes]
        The mean.
    """
    mean: Array = np.exp(gammaln(A + exponent) + gammaln(A + B) - gammaln(A) - gammaln(A + B + exponent))
    return mean


def beta_spectrum(T: Array, A: Array, B: Array, scale: Array | float = 1.0) -> Spectrum:
    """Spectrum Beta(x/scale; A, B) for T_sec above `T_MIN_GEV`.

    Parameters
    ----------
    T : float[nodes]
        Kinetic energies of the projectile, GeV.
    A : float[nodes]
        First parameter of the Beta distribution.
    B : float[nodes]
        Second parameter of the Beta distribution.
    scale : float or float[nodes]
        Upper end of x.

    Returns
    -------
    Spectrum
        Normalised over the whole of 0 < x < scale.
    """
    scale = np.broadcast_to(np.asarray(scale, dtype=float), T.shape)
    y, rest, jacobian, step = logit_grid(np.minimum(T_MIN_GEV / (T * scale), 0.5))
    ln_density = (A - 1.0)[:, None] * np.log(y) + (B - 1.0)[:, None] * np.log(rest) - betaln(A, B)[:, None]
    return Spectrum(np.log(scale[:, None] * y), np.exp(ln_density) * jacobian, step)


def solve_beta_B(mean: Array, A: Array) -> Array:
    """Second parameter of the Beta distribution with a given mean.

    Parameters
    ----------
    mean : float[nodes]
        Mean of x.
    A : float[nodes]
        First parameter of the Beta distribution.

    Returns
    -------
    float[nodes]
        B.
    """
    return A * (1.0 - mean) / mean


@dataclass(frozen=True)
class NucleonSolution:
    """Leading nucleons at each node: Beta(A, B) of p, Beta(A, B + shift) of n, and their weights."""

    A: Array
    B: Array
    N_p: Array
    N_n: Array


def solve_leading_nucleons(number: Array, f_p: Array, f_n: Array, z_sum: Array, shift: float) -> NucleonSolution:
    """Solve for the shapes and weights of leading protons and neutrons.

    The conditions are N_p <x>_p = `f_p`, N_n <x>_n = `f_n`, N_p + N_n = `number` and N_p <x^1.7>_p + N_n <x^1.7>_n =
    `z_sum`, with Beta(A, B) for p and Beta(A, B + shift) for n. The number condition is linear in B given A; what is
    left is one monotone root in A (a larger A is a narrower distribution: smaller Z), found by bisection in ln A.

    Parameters
    ----------
    number : float[nodes]
        Number of leading nucleons per interaction.
    f_p : float[nodes]
        Energy fraction (T/T) of leading protons.
    f_n : float[nodes]
        Energy fraction (T/T) of leading neutrons.
    z_sum : float[nodes]
        Z factor (T/T) of both together.
    shift : float
        What B of neutrons is larger by.

    Returns
    -------
    NucleonSolution
        A, B, N_p and N_n.
    """

    def rest(A: Array) -> tuple[Array, Array, Array]:
        B = (A * (number - f_p - f_n) - f_n * shift) / (f_p + f_n)
        return B, f_p * (A + B) / A, f_n * (A + B + shift) / A

    low = np.log(1.0001 * f_n * shift / (number - f_p - f_n))
    high = np.full_like(low, np.log(200.0))
    for _ in range(60):
        middle = 0.5 * (low + high)
        A = np.exp(middle)
        B, N_p, N_n = rest(A)
        z = N_p * beta_moment(A, B, Z_EXPONENT) + N_n * beta_moment(A, B + shift, Z_EXPONENT)
        low = np.where(z > z_sum, middle, low)
        high = np.where(z > z_sum, high, middle)
    A = np.exp(0.5 * (low + high))
    return NucleonSolution(A, *rest(A))
