"""Yield tables under other yields of nucleons and other cross sections, by factors.

A factor belongs to a species that a PROTON makes, at the kinetic energies of the tables' nodes. What a neutron makes is
the isospin mirror, as in :mod:`hadronic.nucleon_projectiles`: pi+ <-> pi-, p <-> n, kaons as they are. Yields of other
projectiles (Lambda, pions, kaons), neutral kaons, pi0 and Lambda are not varied.
"""

import numpy as np

from hadronic.arrays import Array, IntArray
from hadronic.kernels import BERNOULLI, POISSON, YieldTables
from hadronic.species import KM, KP, PIM, PIP, N, P

VARIED_SPECIES = (PIP, PIM, KP, KM, P, N)
"""Codes of the species whose yields have factors, in the order of the factors."""
_MIRROR = {PIP: PIM, PIM: PIP, P: N, N: P}


def slot_factor_rows(tables: YieldTables) -> IntArray:
    """Which factor each slot has: a place in :data:`VARIED_SPECIES`, or -1; int[slots]."""
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
    """Weights of knots at energies, float[len(ln_T), knots]: linear in ln T between knots, constant outside; sum 1."""
    knots = np.log(knots_GeV)
    return np.stack([np.interp(ln_T, knots, unit) for unit in np.eye(len(knots))], axis=1)


def scaled_tables(tables: YieldTables, factors: Array, sigma: Array) -> YieldTables:
    """Tables with other yields and cross sections.

    Parameters
    ----------
    factors : float[len(VARIED_SPECIES), nodes]
        What the mean numbers are multiplied by.
    sigma : float[N_SPECIES]
        What the cross sections are multiplied by.

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
