"""Restore baryon number and energy in yields that measurements have changed, at one energy.

A generator conserves both. What measured nucleons change in its number of baryons is given to slow ones that nobody has
measured: neutrons of protons, protons and neutrons of pions. The energy is one more condition on the ratios of
measurements to the generator: given their covariance, each species moves at each x by its covariance with the sum of
energies (least squares with one condition), so that what is not measured moves most.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hadronic.arrays import Array, IntArray
from hadronic.builders.base_yields import BARYONS, mass_of
from hadronic.species import MASS_GEV
from hadronic.tables.yield_rows import LEADING_SUFFIX, ROWS

# Neutrons below the first x of NA49's (0.124) take the remainder of baryon number: wholly below the first value.
SLOW_NEUTRON_X: Final = (0.06, 0.124)
# Rounds of baryon number and energy; each changes the other by a few percent.
STEPS: Final = 8
# Kinetic energies [GeV] below those of the protons that NA61 measured of pions (from 2.2 GeV/c).
SLOW_NUCLEON_GEV: Final = (0.5, 1.5)


def places_of(secondary: str) -> list[int]:
    """Rows of a species, the leading ones included.

    Parameters
    ----------
    secondary : str
        Species.

    Returns
    -------
    list of int
        Places in `ROWS`.
    """
    return [i for i, name in enumerate(ROWS) if name in (secondary, secondary + LEADING_SUFFIX)]


def energies(x: Array, T_GeV: float) -> Array:
    """Energy over T that a secondary of each row takes: total for mesons, kinetic for nucleons.

    Parameters
    ----------
    x : float[bins]
        T_sec/T.
    T_GeV : float
        Kinetic energy of the projectile.

    Returns
    -------
    float[ROWS, bins]
        A Lambda also takes its mass above that of a proton.
    """
    rest = np.array([mass_of(row) for row in ROWS])
    for i, row in enumerate(ROWS):
        name = row.removesuffix(LEADING_SUFFIX)
        if name in BARYONS:
            rest[i] -= float(MASS_GEV[0]) if name == "Lambda" else rest[i]
    both: Array = x + rest[:, None] / T_GeV
    return both


@dataclass(frozen=True)
class Freedom:
    """Covariance of the yields, by which the missing energy is divided among them.

    Attributes
    ----------
    names : tuple of str
        Species whose ratio to the generator has a covariance.
    groups : int[bins]
        Group of x that each bin belongs to; the same for all species.
    covariance : float[names * groups, names * groups]
        Of the logarithm of the ratios.
    tied : dict of dict of float[bins]
        Species that follow others: by species, the share of each other one's change.
    own : dict of float
        Relative error of species beyond those that they follow.
    """

    names: tuple[str, ...]
    groups: IntArray
    covariance: Array
    tied: dict[str, dict[str, Array]]
    own: dict[str, float]


@dataclass(frozen=True)
class Closed:
    """Yields that conserve baryon number and energy, and the changes that were needed.

    Attributes
    ----------
    yields : float[ROWS, bins]
        Mean numbers.
    energy_missing : float
        Energy over T that was given to the secondaries.
    slow_factor : float
        Factor on slow nucleons.
    shifts : dict of float
        Relative change of the energy of each species.
    """

    yields: Array
    energy_missing: float
    slow_factor: float
    shifts: dict[str, float]


def close(yields: Array, generator: Array, x: Array, T_GeV: float, freedom: Freedom, nucleon: bool) -> Closed:
    """Change yields so that they conserve baryon number and energy.

    Parameters
    ----------
    yields : float[ROWS, bins]
        Mean numbers, changed by measurements.
    generator : float[ROWS, bins]
        Those of a generator, which has the right sums.
    x : float[bins]
        T_sec/T of the bins.
    T_GeV : float
        Kinetic energy of the projectile.
    freedom : Freedom
        What may move.
    nucleon : bool
        Whether the projectile is a nucleon.

    Returns
    -------
    Closed
        Both sums are those of the generator.

    Raises
    ------
    ValueError
        If slow nucleons cannot take the remainder.
    """
    out = yields.copy()
    each = energies(x, T_GeV)
    baryons = [i for name in BARYONS for i in places_of(name)]
    if nucleon:
        slow, takers = np.interp(np.log(x), np.log(SLOW_NEUTRON_X), (1.0, 0.0)), places_of("n")
    else:
        slow, takers = np.interp(x * T_GeV, SLOW_NUCLEON_GEV, (1.0, 0.0)), places_of("p") + places_of("n")
    first = float((each * (generator - out)).sum())
    before = {name: _energy(out, each, name) for name in (*freedom.names, *freedom.tied)}
    total_factor = 1.0
    for _ in range(STEPS):
        missing = generator[baryons].sum() - out[baryons].sum()
        factor = 1.0 + missing / (out[takers] * slow).sum()
        total_factor *= factor
        if not 0.2 < total_factor < 5.0:
            raise ValueError(
                f"baryon number at {T_GeV:g} GeV: slow nucleons would change by a factor {total_factor:.3g}"
            )
        out[takers] *= 1.0 + (factor - 1.0) * slow
        _give_energy(out, each, float((each * (generator - out)).sum()), freedom)
    after = {name: _energy(out, each, name) for name in before}
    shifts = {name: after[name] / before[name] - 1.0 for name in before if before[name] > 0.0}
    return Closed(out, first, total_factor, shifts)


def _energy(yields: Array, each: Array, name: str) -> float:
    rows = places_of(name)
    return float((yields[rows] * each[rows]).sum())


def _give_energy(out: Array, each: Array, energy: float, freedom: Freedom) -> None:
    """Change the yields by the most likely amounts that add `energy`, in place."""
    bins = {name: (each[places_of(name)] * out[places_of(name)]).sum(axis=0) for name in freedom.names}
    for name, shares in freedom.tied.items():
        own = (each[places_of(name)] * out[places_of(name)]).sum(axis=0)
        for other, share in shares.items():
            bins[other] = bins[other] + own * share
    size = int(freedom.groups.max()) + 1
    weights = np.concatenate([np.bincount(freedom.groups, bins[name], size) for name in freedom.names])
    own_weights = {name: _energy(out, each, name) for name in freedom.own}
    reach = freedom.covariance @ weights
    variance = float(weights @ reach) + sum((freedom.own[name] * own_weights[name]) ** 2 for name in freedom.own)
    if variance <= 0.0:
        return
    moves = {}
    for i, name in enumerate(freedom.names):
        moves[name] = (energy / variance * reach[i * size : (i + 1) * size])[freedom.groups]
    tied = {
        name: sum((moves[other] * share for other, share in shares.items()), np.zeros(out.shape[1]))
        for name, shares in freedom.tied.items()
    }
    for name, error in freedom.own.items():
        tied[name] = tied.get(name, np.zeros(out.shape[1])) + energy / variance * error**2 * own_weights[name]
    for name, move in {**moves, **tied}.items():
        out[places_of(name)] *= np.exp(np.clip(move, -1.0, 1.0))
