"""Change of the shape in x of slow pions: a factor (x / 0.1)^s on the pions of nucleons at x below 0.1.

It is of the form A x^a of :mod:`hadronic.interaction.yield_laws`, with A and a of slow secondaries alone. The
energy that the pions gain or lose is taken from or given to fast nucleons by a change of their x; their number stays.
Together with changes of other kinds this one comes first: the others are those of the tables changed by it. So energy
and baryon number are conserved for any values.
"""

import numpy as np

from hadronic.arrays import Array
from hadronic.interaction.kernels import YieldTables
from hadronic.interaction.yield_laws import (
    _PIONS,
    FAST,
    SLOW,
    X_SLOW,
    _energies,
    _of,
    _quadrature,
    _safe,
    _shift_fast,
    _sums,
    changed_tables,
    laws,
)
from hadronic.species import N, P

_LN_SLOW = float(np.log(X_SLOW))


def slow_slopes(tables: YieldTables) -> Array:
    """Derivatives of ln(factor) of every secondary by the exponent s, at the unchanged model.

    Parameters
    ----------
    tables : YieldTables

    Returns
    -------
    float[slots, nodes, 2, 2]
        As one kind of :func:`hadronic.interaction.yield_laws.law_slopes`.
    """
    out = np.zeros((len(tables.slot_species), len(tables.ln_T), 2, 2))
    for projectile in (P, N):
        sums = _sums(tables, projectile)
        law = out[sums.first : sums.first + len(sums.species)]
        pions, nucleons = np.isin(sums.species, _PIONS), np.isin(sums.species, (P, N))
        law[pions, :, SLOW] = np.array([-_LN_SLOW, 1.0])
        taken = (law[..., 0] * sums.energy + law[..., 1] * sums.energy_ln).sum(axis=(0, 2))
        number, number_ln, energy, energy_ln = (
            _of(sums, each, P, N)[:, FAST] for each in (sums.number, sums.number_ln, sums.energy, sums.energy_ln)
        )
        middle = _safe(number_ln, number)
        a = -_safe(taken, energy_ln - middle * energy)
        law[nucleons, :, FAST, 1] += a
        law[nucleons, :, FAST, 0] -= a * middle
    return out


def slow_law(tables: YieldTables, exponent: Array) -> Array:
    """Law of all slots for any exponent; energy and baryon number are conserved.

    Parameters
    ----------
    tables : YieldTables
    exponent : float[nodes]
        s at the nodes of the tables.

    Returns
    -------
    float[slots, nodes, 2, 2]
        As :func:`hadronic.interaction.yield_laws.laws`.

    Raises
    ------
    HadronicInputError
        If slow pions would take more energy than nucleons have.
    """
    out = np.zeros((len(tables.slot_species), len(tables.ln_T), 2, 2))
    if not exponent.any():
        return out
    for projectile in (P, N):
        sums = _sums(tables, projectile)
        law = out[sums.first : sums.first + len(sums.species)]
        more = np.zeros(len(tables.ln_T))
        for place in np.flatnonzero(np.isin(sums.species, _PIONS)).tolist():
            law[place, :, SLOW] = exponent[:, None] * np.array([-_LN_SLOW, 1.0])
            ln_x, du = _quadrature(tables, sums.first + place)
            change = np.expm1(exponent[:, None] * np.minimum(ln_x - _LN_SLOW, 0.0))
            energy = _energies(tables, int(sums.species[place]), ln_x)
            more += tables.slot_mean[sums.first + place] * (du * change * energy).sum(axis=1)
        nucleons = np.flatnonzero(np.isin(sums.species, (P, N))).tolist()
        _shift_fast(tables, sums, law, nucleons, _of(sums, sums.energy, P, N)[:, FAST] - more)
    return out


def laws_with_slow(tables: YieldTables, changes: Array, exponent: Array) -> Array:
    """Law of all slots for changes of every kind: that of slow pions, then those of the tables changed by it.

    Parameters
    ----------
    tables : YieldTables
    changes : float[kinds, nodes]
        As for :func:`hadronic.interaction.yield_laws.laws`.
    exponent : float[nodes]

    Returns
    -------
    float[slots, nodes, 2, 2]
        The product of two factors A x^a is one; so their laws add.
    """
    if not exponent.any():
        return laws(tables, changes)
    first = slow_law(tables, exponent)
    return first + laws(changed_tables(tables, first, np.ones(len(tables.interaction_length))), changes)
