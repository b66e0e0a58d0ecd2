"""Scale the mean numbers of secondaries of nucleons, and cross sections, in tables of yields.

A factor belongs to a species that a PROTON makes, at the kinetic energies of the tables' nodes. What a neutron makes
is the isospin mirror, as in :mod:`hadronic.fluka.nucleon_projectiles`: pi+ <-> pi-, p <-> n, kaons as they are.
Yields of other projectiles (Lambda, pions, kaons), neutral kaons, pi0 and Lambda are not varied.
"""

import numpy as np

from hadronic.arrays import Array, IntArray
from hadronic.interaction.kernels import BERNOULLI, POISSON, YieldTables
from hadronic.species import KM, KP, PIM, PIP, N, P

VARIED_SPECIES = (PIP, PIM, KP, KM, P, N)
"""Codes of the species whose yields have factors, in the order of the factors."""
_MIRROR = {PIP: PIM, PIM: PIP, P: N, N: P}


def slot_factor_rows(tables: YieldTables) -> IntArray:
    """Find which factor the mean number of each slot has.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.

    Returns
    -------
    int[slots]
        Place in :data:`VARIED_SPECIES`, or -1.
    """
    rows = np.full(len(tables.slot_species), -1, dtype=np.int64)
    for projectile in (P, N):
        for slot in range(tables.slot_offset[projectile], tables.slot_offset[projectile + 1]):
            species = int(tables.slot_species[slot])
            if projectile == N:
                species = _MIRROR.get(species, species)
            if species in VARIED_SPECIES:
                rows[slot] = VARIED_SPECIES.index(species)
    return rows


def hat_functions(ln_T: Array, knots_GeV: tuple[float, ...]) -> Array:
    """Weights of knots at some energies: linear in ln T between knots, constant outside.

    Parameters
    ----------
    ln_T : float[energies]
        Logarithms of kinetic energies in GeV.
    knots_GeV : tuple of float
        Kinetic energies of the knots, GeV, ascending.

    Returns
    -------
    float[energies, knots]
        Weights; they add up to 1 at every energy.
    """
    knots = np.log(knots_GeV)
    return np.stack([np.interp(ln_T, knots, unit) for unit in np.eye(len(knots))], axis=1)


def scaled_tables(tables: YieldTables, factors: Array, sigma: Array) -> YieldTables:
    """Make tables with other mean numbers and cross sections.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    factors : float[len(VARIED_SPECIES), nodes]
        Factors on the mean numbers.
    sigma : float[N_SPECIES]
        Factors on the cross sections.

    Returns
    -------
    YieldTables
        The changed tables.

    Notes
    -----
    A slot that is made at most once (`BERNOULLI`) becomes a Poisson number where its mean would exceed 1: fluxes are
    means, which is all that the factors are about.
    """
    rows = slot_factor_rows(tables)
    mean = tables.slot_mean * np.where(rows[:, None] >= 0, factors[rows], 1.0)
    kind = np.where(mean.max(axis=1) > 1.0, POISSON, tables.slot_kind)
    kind = np.where(tables.slot_kind == BERNOULLI, kind, tables.slot_kind)
    lengths = tables.interaction_length / sigma[:, None]
    return tables._replace(
        slot_mean=np.ascontiguousarray(mean),
        slot_kind=kind.astype(np.int64),
        interaction_length=np.ascontiguousarray(lengths),
    )
