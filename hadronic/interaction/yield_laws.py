"""Changes of the yields of nucleons and pions, as functions of x, that conserve energy and baryon number.

Every change multiplies the number of a secondary at x = T_secondary / T_projectile by A x^a, with one pair (ln A, a)
for fast (x >= `X_SLOW`) and one for slow secondaries: the *law* of a slot at a node of the tables. Kinds of change
(`KINDS`), each as a relative number at every node, 0 in the unchanged model:

* `pi+`, `pi-`, `K+`, `K-`: number of these mesons that a proton makes; pi0 follow pi+ and pi- (isospin);
* `K0`: K+ of neutrons and, with it, neutral kaons of protons, Y(p to K0) = Y(n to K+). Neutral kaons follow K+ and K-
  of the mirrored projectile, anti-K0 and K- being taken as equal;
* `tilt`: the exponent t of a factor (x / 0.2)^t on all pions;
* `p`, `n`: number of fast protons and neutrons; the number of slow nucleons, fragments of the target, changes so that
  baryon number is conserved;
* `elasticity`: energy of the fast nucleons, by a shift of their x; a common factor on all mesons conserves energy;
* `pions`: charged pions of charged pions; the number of pi0 changes so that energy is conserved.

A neutron makes the isospin mirror. Energy that mesons, p and n gain or lose is taken from or given to fast nucleons by
a factor x^a that keeps their number. The energy of a meson is its total one, that of a nucleon its kinetic one, as in
:meth:`hadronic.models.HadronicModel.energy_balance`.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hadronic.arrays import Array, IntArray
from hadronic.errors import HadronicInputError
from hadronic.interaction.kernels import BERNOULLI, POISSON, YieldTables
from hadronic.species import KL, KM, KP, KS, MASS_GEV, PI0, PIM, PIP, N, P

KINDS: Final = ("pi+", "pi-", "K+", "K-", "p", "n", "K0", "tilt", "elasticity", "pions")
X_SLOW: Final = 0.1
"""Nucleons below this x are mostly fragments of the target (docs/reports/accelerator.md, step 4)."""
TILT_PIVOT: Final = 0.2
FAST, SLOW = 0, 1
_MIRROR: Final = {PIP: PIM, PIM: PIP, P: N, N: P}
_MESONS: Final = (PIP, PIM, PI0, KP, KM, KL, KS)
_PIONS: Final = (PIP, PIM, PI0)
_LN_PIVOT: Final = float(np.log(TILT_PIVOT))
_STEEPEST: Final = 30.0
_LEAST_PI0: Final = 0.2
"""Energy of pi0 over that of charged pions below which (near the threshold) pions of pions are not changed."""


class _Sums(NamedTuple):
    """Moments of the slots of one projectile at all nodes: arrays [slots, nodes, region]."""

    species: IntArray
    first: int
    number: Array
    number_ln: Array
    energy: Array
    energy_ln: Array


def _quadrature(tables: YieldTables, slot: int) -> tuple[Array, Array]:
    """ln(x) [nodes, points] and the probability of each point [points], Gauss-Legendre in every bin of v."""
    z, weight = np.polynomial.legendre.leggauss(4)
    share = 0.5 * (z + 1.0)
    ln_x = tables.ln_x[tables.slot_table[slot]]
    n = ln_x.shape[1] - 1
    v = (np.arange(n)[:, None] + share) / n
    du = 4.0 * (1.0 - v) ** 3 * (0.5 * weight / n)
    at = ln_x[:, :-1, None] + share * np.diff(ln_x, axis=1)[:, :, None]
    return at.reshape(len(ln_x), -1), du.ravel()


def _energies(tables: YieldTables, species: int, ln_x: Array) -> Array:
    """Energy of a secondary at x, GeV: total for mesons, kinetic for nucleons."""
    rest = float(MASS_GEV[species]) if species in _MESONS else 0.0
    return np.exp(tables.ln_T)[:, None] * np.exp(ln_x) + rest


def _sums(tables: YieldTables, projectile: int) -> _Sums:
    first, last = int(tables.slot_offset[projectile]), int(tables.slot_offset[projectile + 1])
    out = np.zeros((4, last - first, len(tables.ln_T), 2))
    for slot in range(first, last):
        ln_x, du = _quadrature(tables, slot)
        energy = _energies(tables, int(tables.slot_species[slot]), ln_x)
        for region, inside in ((FAST, ln_x >= np.log(X_SLOW)), (SLOW, ln_x < np.log(X_SLOW))):
            weight = np.where(inside, du, 0.0) * tables.slot_mean[slot][:, None]
            for k, term in enumerate((1.0, ln_x, energy, energy * ln_x)):
                out[k, slot - first, :, region] = (weight * term).sum(axis=1)
    return _Sums(np.asarray(tables.slot_species[first:last]), first, *out)


def _of(sums: _Sums, values: Array, *species: int) -> Array:
    """Sum over the slots of some species, [nodes, region]."""
    return np.asarray(values[np.isin(sums.species, species)].sum(axis=0))


def _safe(a: Array, b: Array) -> Array:
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=np.abs(b) > 0.0)


def _share(sums: _Sums, one: int, other: int) -> Array:
    """Share of a species in the number of two, [nodes]; a half where there is neither."""
    a, b = (_of(sums, sums.number, code).sum(axis=-1) for code in (one, other))
    return np.where(a + b > 0.0, a / np.maximum(a + b, 1e-300), 0.5)


def _kinds_of(projectile: int, kind: str) -> int:
    """Species code of a kind for a nucleon projectile (the mirror for neutrons)."""
    code = {"pi+": PIP, "pi-": PIM, "K+": KP, "K-": KM, "p": P, "n": N}[kind]
    return _MIRROR.get(code, code) if projectile == N else code


def law_slopes(tables: YieldTables) -> Array:
    """Derivatives of ln(factor) of every secondary by every kind of change, at the unchanged model.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.

    Returns
    -------
    float[len(KINDS), slots, nodes, 2, 2]
        The last two axes: fast and slow; d ln A and d a.
    """
    out = np.zeros((len(KINDS), len(tables.slot_species), len(tables.ln_T), 2, 2))
    both = {code: _sums(tables, code) for code in (P, N)}
    for projectile, sums in both.items():
        here = slice(sums.first, sums.first + len(sums.species))
        mirror = both[N if projectile == P else P]
        neutral = _share(mirror, KP, KM)
        nucleons = np.isin(sums.species, (P, N))
        fast_n, fast_nl, fast_e, fast_el = (
            _of(sums, each, P, N)[:, FAST] for each in (sums.number, sums.number_ln, sums.energy, sums.energy_ln)
        )
        middle = _safe(fast_nl, fast_n)
        spread = fast_el - middle * fast_e
        for k, kind in enumerate(KINDS[:-1]):
            law = out[k, here]
            if kind in ("p", "n"):
                chosen = sums.species == _kinds_of(projectile, kind)
                law[chosen, :, FAST, 0] = 1.0
                moved = sums.number[chosen].sum(axis=0)[:, FAST]
                law[nucleons, :, SLOW, 0] = -_safe(moved, _of(sums, sums.number, P, N)[:, SLOW])
            elif kind == "tilt":
                law[np.isin(sums.species, _PIONS)] = np.array([-_LN_PIVOT, 1.0])
            elif kind == "K0":
                if projectile == N:
                    law[sums.species == KP, ..., 0] = 1.0
                else:
                    law[np.isin(sums.species, (KL, KS)), ..., 0] = neutral[:, None]
            elif kind != "elasticity":
                code = _kinds_of(projectile, kind)
                law[sums.species == code, ..., 0] = 1.0
                if code in (PIP, PIM):
                    law[sums.species == PI0, ..., 0] = _share(sums, code, _MIRROR[code])[:, None]
                else:
                    own = neutral if code == KP else 1.0 - neutral
                    law[np.isin(sums.species, (KL, KS)), ..., 0] = own[:, None]
            taken = (law[..., 0] * sums.energy + law[..., 1] * sums.energy_ln).sum(axis=(0, 2))
            if kind == "elasticity":
                taken = -fast_e
                mesons = np.isin(sums.species, _MESONS)
                law[mesons, ..., 0] -= _safe(fast_e, sums.energy[mesons].sum(axis=(0, 2)))[:, None]
            a = -_safe(taken, spread)
            law[nucleons, :, FAST, 1] += a
            law[nucleons, :, FAST, 0] -= a * middle
    for projectile in (PIP, PIM):
        sums = _sums(tables, projectile)
        here = slice(sums.first, sums.first + len(sums.species))
        charged, neutral_e = (_of(sums, sums.energy, *codes).sum(axis=-1) for codes in ((PIP, PIM), (PI0,)))
        known = neutral_e > _LEAST_PI0 * charged
        law = out[-1, here]
        law[np.isin(sums.species, (PIP, PIM)), ..., 0] = known[:, None]
        law[sums.species == PI0, ..., 0] = -np.where(known, _safe(charged, neutral_e), 0.0)[:, None]
    return out


def laws(tables: YieldTables, changes: Array) -> Array:
    """Laws of all slots for changes of any size; energy and baryon number are conserved.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    changes : float[len(KINDS), nodes]
        Changes of each kind at each node.

    Returns
    -------
    float[slots, nodes, 2, 2]
        ln A and a, of fast and slow secondaries.

    Raises
    ------
    HadronicInputError
        If energy or baryon number cannot be conserved, because the nucleons or the pi0 have too little.
    """
    by = dict(zip(KINDS, changes, strict=True))
    out = np.zeros((len(tables.slot_species), len(tables.ln_T), 2, 2))
    both = {code: _sums(tables, code) for code in (P, N)}
    with np.errstate(divide="ignore"):
        for projectile, sums in both.items():
            _nucleon_law(tables, projectile, sums, both[N if projectile == P else P], by, out)
        for projectile in (PIP, PIM):
            _pion_law(tables, _sums(tables, projectile), by["pions"], out)
    return out


def _nucleon_law(
    tables: YieldTables, projectile: int, sums: _Sums, mirror: _Sums, by: dict[str, Array], out: Array
) -> None:
    law = out[sums.first : sums.first + len(sums.species)]
    changes: dict[str, Array] = {kind: 1.0 + by[kind] for kind in ("pi+", "pi-", "K+", "K-", "p", "n", "K0")}
    factor: dict[int, Array] = {
        _kinds_of(projectile, kind): changes[kind] for kind in ("pi+", "pi-", "K+", "K-", "p", "n")
    }
    plus = _share(sums, PIP, PIM)
    factor[PI0] = plus * factor[PIP] + (1.0 - plus) * factor[PIM]
    kaons = _share(mirror, KP, KM)
    if projectile == N:
        factor[KP] = factor[KP] * changes["K0"]
        factor[KL] = factor[KS] = kaons * changes["K+"] + (1.0 - kaons) * changes["K-"]
    else:
        factor[KL] = factor[KS] = kaons * changes["K+"] * changes["K0"] + (1.0 - kaons) * changes["K-"]
    tilt = by["tilt"]
    mesons, nucleons = np.isin(sums.species, _MESONS), np.isin(sums.species, (P, N))
    taken = np.zeros(len(tables.ln_T))
    for place, code in enumerate(sums.species.tolist()):
        if code not in factor:
            continue
        if code in (P, N):
            law[place, :, FAST, 0] = np.log(factor[code])
            continue
        law[place, :, :, 0] = np.log(factor[code])[:, None]
        if code in _PIONS and tilt.any():
            law[place, :, :, 0] -= (tilt * _LN_PIVOT)[:, None]
            law[place, :, :, 1] = tilt[:, None]
            ln_x, du = _quadrature(tables, sums.first + place)
            each = du * np.exp(tilt[:, None] * (ln_x - _LN_PIVOT)) * _energies(tables, code, ln_x)
            taken += factor[code] * tables.slot_mean[sums.first + place] * each.sum(axis=1)
        else:
            taken += factor[code] * sums.energy[place].sum(axis=-1)
    before = sums.energy[mesons].sum(axis=(0, 2))
    fast_e = _of(sums, sums.energy, P, N)[:, FAST]
    # elasticity: a common factor on mesons
    pay = 1.0 - _safe(by["elasticity"] * fast_e, taken)
    _refuse(pay <= 0.0, tables, "elasticity leaves no energy for mesons")
    law[mesons, :, :, 0] += np.log(pay)[:, None]
    # baryon number: a factor on slow nucleons
    moved = np.zeros(len(tables.ln_T))
    for code in (P, N):
        moved += (factor[code] - 1.0) * _of(sums, sums.number, code)[:, FAST]
    slow = 1.0 - _safe(moved, _of(sums, sums.number, P, N)[:, SLOW])
    _refuse(slow <= 0.0, tables, "p and n leave no slow nucleons")
    law[nucleons, :, SLOW, 0] += np.log(slow)
    # energy: a shift of the x of fast nucleons
    wanted = (
        _of(sums, sums.energy, P, N).sum(axis=-1) + before - pay * taken - slow * _of(sums, sums.energy, P, N)[:, SLOW]
    )
    if not np.allclose(wanted, fast_e, rtol=1e-13, atol=0.0) or np.any(moved != 0.0):
        _shift_fast(tables, sums, law, np.flatnonzero(nucleons).tolist(), wanted)


def _shift_fast(tables: YieldTables, sums: _Sums, law: Array, places: list[int], wanted: Array) -> None:
    """Multiply fast nucleons by B x^a so that their energy is ``wanted`` and their number stays."""
    logs, weights, energies = [], [], []
    for place in places:
        ln_x, du = _quadrature(tables, sums.first + place)
        own = np.exp(law[place, :, FAST, 0]) * tables.slot_mean[sums.first + place]
        logs.append(ln_x)
        weights.append(np.where(ln_x >= np.log(X_SLOW), du, 0.0) * own[:, None])
        energies.append(_energies(tables, P, ln_x))
    ln_x, weight, energy = (np.concatenate(each, axis=1) for each in (logs, weights, energies))
    number = weight.sum(axis=1)
    active = (number > 1e-9) & (wanted > 0.0)
    _refuse((number > 1e-9) & (wanted <= 0.0), tables, "mesons leave no energy for nucleons")
    low, high = np.full(len(number), -_STEEPEST), np.full(len(number), _STEEPEST)
    a = np.zeros(len(number))
    scale = np.where(active, number, 1.0)
    for _ in range(60):
        tilted = weight * np.exp(a[:, None] * ln_x)
        total = np.where(active, tilted.sum(axis=1), 1.0)
        mean, mean_ln = ((tilted * each).sum(axis=1) / total for each in (energy, ln_x))
        excess = mean - wanted / scale
        low, high = np.where(excess < 0.0, a, low), np.where(excess < 0.0, high, a)
        slope = (tilted * energy * ln_x).sum(axis=1) / total - mean * mean_ln
        step = a - _safe(excess, slope)
        new = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        done = np.abs(excess) <= 1e-13 * np.maximum(wanted / scale, 1e-300)
        new = np.where(done | ~active, a, new)
        if np.array_equal(new, a):
            break
        a = new
    _refuse(active & (np.abs(a) > 0.99 * _STEEPEST), tables, "mesons leave the nucleons too little energy, or too much")
    total = (weight * np.exp(a[:, None] * ln_x)).sum(axis=1)
    norm = np.where(active, np.log(np.where(active, number, 1.0)) - np.log(np.where(active, total, 1.0)), 0.0)
    for place in places:
        law[place, :, FAST, 0] += norm
        law[place, :, FAST, 1] += a


def _pion_law(tables: YieldTables, sums: _Sums, change: Array, out: Array) -> None:
    law = out[sums.first : sums.first + len(sums.species)]
    charged, neutral = (_of(sums, sums.energy, *codes).sum(axis=-1) for codes in ((PIP, PIM), (PI0,)))
    used = np.where(neutral > _LEAST_PI0 * charged, change, 0.0)
    pay = 1.0 - _safe(used * charged, neutral)
    _refuse(pay <= 0.0, tables, "pions of pions leave no energy for pi0")
    law[np.isin(sums.species, (PIP, PIM)), :, :, 0] = np.log(1.0 + used)[:, None]
    law[sums.species == PI0, :, :, 0] = np.log(pay)[:, None]


def _refuse(bad: NDArray[np.bool_], tables: YieldTables, words: str) -> None:
    if np.any(bad):
        T = float(np.exp(tables.ln_T[np.flatnonzero(bad)[0]]))
        raise HadronicInputError(f"yields: {words} at {T:.3g} GeV; energy and baryon number hold, ask for less")


def changed_tables(tables: YieldTables, law: Array, sigma: Array) -> YieldTables:
    """Make tables with the yields of a law, and other cross sections.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    law : float[slots, nodes, 2, 2]
        From `laws`.
    sigma : float[N_SPECIES]
        Factors on the cross sections.

    Returns
    -------
    YieldTables
        The changed tables. Slots whose spectrum changes get rows of their own.

    Notes
    -----
    A slot that is made at most once (`BERNOULLI`) becomes a Poisson number where its mean would exceed 1: fluxes are
    means, which is all that the factors are about.
    """
    mean, table = tables.slot_mean.copy(), tables.slot_table.copy()
    rows, angles = [tables.ln_x], [tables.angle_scale]
    n_rows = len(tables.ln_x)
    for slot in np.flatnonzero(np.any(law != 0.0, axis=(1, 2, 3))).tolist():
        flat = not law[slot, :, :, 1].any() and np.array_equal(law[slot, :, FAST], law[slot, :, SLOW])
        if flat:
            mean[slot] *= np.exp(law[slot, :, FAST, 0])
            continue
        row, factor = _reweighted(tables.ln_x[tables.slot_table[slot]], law[slot])
        mean[slot] *= factor
        rows.append(row[None])
        if tables.angle_scale.size:
            angles.append(tables.angle_scale[tables.slot_table[slot]][None])
        table[slot] = n_rows
        n_rows += 1
    kind = np.where(mean.max(axis=1) > 1.0, POISSON, tables.slot_kind)
    kind = np.where(tables.slot_kind == BERNOULLI, kind, tables.slot_kind)
    return tables._replace(
        slot_mean=np.ascontiguousarray(mean),
        slot_kind=kind.astype(np.int64),
        slot_table=table,
        ln_x=np.ascontiguousarray(np.concatenate(rows)),
        interaction_length=np.ascontiguousarray(tables.interaction_length / sigma[:, None]),
        angle_scale=np.ascontiguousarray(np.concatenate(angles)) if tables.angle_scale.size else tables.angle_scale,
    )


def _reweighted(ln_x: Array, law: Array) -> tuple[Array, Array]:
    """Quantiles [nodes, points] of a spectrum times a law, and the factor on its mean [nodes]."""
    parts = 16
    nodes, n = ln_x.shape[0], ln_x.shape[1] - 1
    v = np.arange(n * parts + 1) / (n * parts)
    fine = np.empty((nodes, n * parts + 1))
    for i in range(nodes):
        fine[i] = np.interp(v, np.arange(n + 1) / n, ln_x[i])
    middle = 0.5 * (fine[:, 1:] + fine[:, :-1])
    region = np.where(middle >= np.log(X_SLOW), FAST, SLOW)
    rows = np.arange(nodes)[:, None]
    weight = np.exp(law[rows, region, 0] + law[rows, region, 1] * middle) * -np.diff((1.0 - v) ** 4)
    above = np.concatenate([np.cumsum(weight[:, ::-1], axis=1)[:, ::-1], np.zeros((nodes, 1))], axis=1)
    total = above[:, 0]
    out = np.empty_like(ln_x)
    for i in range(nodes):
        if total[i] <= 0.0:
            out[i] = ln_x[i]
            continue
        at = 1.0 - np.sqrt(np.sqrt(above[i] / total[i]))
        out[i] = np.interp(np.arange(n + 1) / n, at, fine[i])
    return out, total
