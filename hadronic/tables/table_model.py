"""Build a model from a file of yields: mean numbers and quantiles of x and of the angle at the simulation's energies.

Between the nodes of a file the mean numbers are interpolated in their logarithm (linearly where one is zero), the
quantiles of ln x and the angles linearly, all linear in ln T. Where the generator changes from one node to the next
this is the join: nothing jumps. Above the last node everything is constant (Feynman scaling).

Below the first node the number of mesons and hyperons falls as (T - T0)/(T1 - T0) to the threshold of pion
production, T0, and their x as the kinetic energy that is left, (T - T0)/T; nucleons and leading particles keep
number and x.
"""

from typing import Final

import numpy as np

from hadronic.arrays import Array
from hadronic.interaction.cross_sections import LAMBDA_RATIO, LAMBDA_TIMES_SIGMA, LOG10_T_AXIS
from hadronic.interaction.kernels import BERNOULLI, N_ANGLE_QUANTILES, N_QUANTILES, YieldTables
from hadronic.interaction.table_builder import YieldTableBuilder
from hadronic.interaction.thresholds import PION_THRESHOLD_GEV, production_threshold
from hadronic.species import KL, KM, KP, KS, LAMBDA, MASS_GEV, N_SPECIES, PI0, PIM, PIP, N, P, species_code
from hadronic.tables.yield_file import ProjectileYields, YieldFile
from hadronic.tables.yield_rows import LEADING_SUFFIX, ROWS, SPECIES

# Fewer counts than this give no shape: that of the nearest node with more is taken.
SHAPE_COUNTS: Final = 200
# Angles of so few counts are taken together with those of the neighbouring bins.
ANGLE_COUNTS: Final = 500
# A quantile of the angle needs this many counts beyond it; the scale is constant from there on.
TAIL_COUNTS: Final = 20

# Row of the K+ that neutrons make; made of others, not in files.
NEUTRON_K_PLUS: Final = "K+ of neutrons"

_SWAP: Final = {P: N, N: P, PIP: PIM, PIM: PIP}
# A row of a projectile on the model's axis: mean and row number in the builder.
_Rows = dict[str, tuple[Array, int]]


def build_table_model(content: YieldFile, lg_T: Array) -> YieldTables:
    """Build the tables of all projectiles from a file of yields.

    Parameters
    ----------
    content : YieldFile
        Content of a file of yields.
    lg_T : float[nodes]
        Decimal logarithms of the kinetic energies in GeV, uniform.

    Returns
    -------
    YieldTables
        The tables.
    """
    T = 10.0**lg_T
    builder = YieldTableBuilder(np.log(T), interaction_lengths(content))
    angles = all(one.angle_counts is not None for one in content.projectiles.values())
    rows = {name: _projectile_rows(builder, content, name, T, angles) for name in content.projectiles}
    _add_nucleons(builder, rows["p"])
    _add_pions(builder, rows["pi+"])
    _add_kaons(builder, rows["K+"], rows["K-"])
    return builder.build()


def interaction_lengths(content: YieldFile) -> tuple[Array, Array]:
    """Interaction lengths that belong to a file of yields; mirrors as in `cross_sections`.

    Parameters
    ----------
    content : YieldFile
        Content of a file of yields.

    Returns
    -------
    ln_T : float[axis]
        Logarithm of the kinetic energy in GeV, uniform.
    lengths : float[N_SPECIES, axis]
        Interaction lengths, g/cm2.
    """
    ln_T = LOG10_T_AXIS * np.log(10.0)
    sigma = {name: np.interp(ln_T, np.log(one.sigma_T_GeV), one.sigma_mb) for name, one in content.projectiles.items()}
    table = np.empty((N_SPECIES, ln_T.size))
    table[[P, N]] = LAMBDA_TIMES_SIGMA / sigma["p"]
    table[[PIP, PIM, PI0]] = LAMBDA_TIMES_SIGMA / sigma["pi+"]
    table[KP], table[KM] = LAMBDA_TIMES_SIGMA / sigma["K+"], LAMBDA_TIMES_SIGMA / sigma["K-"]
    table[[KL, KS]] = LAMBDA_TIMES_SIGMA / (0.5 * (sigma["K+"] + sigma["K-"]))
    table[LAMBDA] = LAMBDA_TIMES_SIGMA / (LAMBDA_RATIO * sigma["p"])
    return ln_T, table


def quantiles_of(counts: Array, x_edges: Array) -> Array:
    """Compute the quantiles of ln x of a histogram that is not empty.

    ln x is linear in (1 - u)^(1/4) inside a bin, and reaches from the first edge with counts to the last.

    Parameters
    ----------
    counts : float[bins]
        Numbers of secondaries.
    x_edges : float[bins + 1]
        Edges of the bins in x.

    Returns
    -------
    float[N_QUANTILES]
        ln x at points uniform in v = 1 - (1 - u)^(1/4), u being the cumulative probability.
    """
    above = np.append(np.cumsum(counts[::-1])[::-1], 0.0)
    used = np.flatnonzero(counts > 0.0)
    edges = slice(int(used[0]), int(used[-1]) + 2)
    left = (above[edges] / above[used[0]]) ** 0.25
    ln_x = np.log(np.minimum(x_edges[edges], 1.0))
    # Empty bins inside: equal abscissae, of which the interpolation would take any; keep both ends apart.
    left = left - np.arange(left.size) * 1.0e-13
    return np.interp(np.linspace(1.0, 0.0, N_QUANTILES), left[::-1], ln_x[::-1])


def angle_scales(counts: Array, s_edges: Array) -> Array:
    """Compute the factors on -ln(1 - u) of `YieldTables.angle_scale` from histograms of the angle.

    Parameters
    ----------
    counts : float[bins, s bins]
        Numbers of secondaries by kinetic energy and by the angle's variable s.
    s_edges : float[s bins + 1]
        Edges of the bins in s.

    Returns
    -------
    float[bins, N_ANGLE_QUANTILES]
        The factors; 1 where there are too few counts.
    """
    bins = counts.shape[0]
    out = np.ones((bins, N_ANGLE_QUANTILES))
    v = np.arange(1, N_ANGLE_QUANTILES - 1) / (N_ANGLE_QUANTILES - 1)
    beyond = (1.0 - v) ** 4
    unscaled = -np.log(beyond)
    totals = np.concatenate([[0.0], np.cumsum(counts.sum(axis=1))])
    for i in range(bins):
        width = 0
        while width < bins and totals[min(i + width + 1, bins)] - totals[max(0, i - width)] < ANGLE_COUNTS:
            width += 1
        low, high = max(0, i - width), min(i + width + 1, bins)
        used = counts[low:high].sum(axis=0)
        total = used.sum()
        n_known = int(np.count_nonzero(beyond * total >= TAIL_COUNTS))  # the first ones, since `beyond` falls
        if n_known == 0:
            continue
        below = np.concatenate([[0.0], np.cumsum(used)]) / total
        filled = int(np.flatnonzero(used > 0.0)[-1]) + 2
        s = np.interp(1.0 - beyond[:n_known], below[:filled], s_edges[:filled])
        scale = s / unscaled[:n_known]
        out[i, 1 : 1 + n_known] = scale
        out[i, 0], out[i, 1 + n_known :] = scale[0], scale[-1]
    return out


def _kaons_of_neutrons(one: ProjectileYields) -> Array:
    """K+ of neutrons, float[nodes, bins], in interactions of the row K0: K0 of protons, the mirror of these K+.

    It is the row K0 (K0 and anti-K0) less the anti-K0, which are as many as K-: both are made with a strange quark and
    an antiquark of the sea.
    """
    neutral, minus = ROWS.index("K0"), ROWS.index("K-")
    scale = one.events[:, neutral] / one.events[:, minus]
    counts = np.maximum(one.counts[:, neutral] - scale[:, None] * one.counts[:, minus], 0.0)
    wanted = np.maximum(one.counts[:, neutral].sum(axis=1) - scale * one.counts[:, minus].sum(axis=1), 0.0)
    total = counts.sum(axis=1)
    scaled: Array = counts * np.where(total > 0.0, wanted / np.maximum(total, 1e-300), 0.0)[:, None]
    return scaled


def _projectile_rows(builder: YieldTableBuilder, content: YieldFile, name: str, T: Array, angles: bool) -> _Rows:
    """Every row of one projectile that is not empty, on the axis `T`; of protons also the K+ that neutrons make."""
    one = content.projectiles[name]
    out: _Rows = {}
    rows = [(row, number, one.counts[:, number]) for number, row in enumerate(ROWS)]
    if name == "p":
        rows.append((NEUTRON_K_PLUS, ROWS.index("K0"), _kaons_of_neutrons(one)))
    for row, number, counts in rows:
        total = counts.sum(axis=1)
        if total.max() <= 0.0:
            continue
        mean = total / one.events[:, number]
        # The node whose shape each node takes: its own, or the nearest with enough counts, the higher one if equal.
        enough = np.flatnonzero(total >= min(SHAPE_COUNTS, total.max()))
        nearest = [int(enough[np.argmin(np.abs(enough - i - 0.1))]) for i in range(total.size)]
        shapes = {i: quantiles_of(counts[i], content.x_edges) for i in set(nearest)}
        ln_x = _blend(one.T_GeV, np.array([shapes[i] for i in nearest]), T)
        numbers = _blend_means(one.T_GeV, mean, T)
        if _is_leading(row):
            numbers = np.minimum(numbers, 1.0)  # one in every interaction is 1 but for rounding
        if (row in SPECIES or row == NEUTRON_K_PLUS) and row not in ("p", "n"):
            numbers, ln_x = _open(name, one, numbers, ln_x, T)
        scales = None
        if angles and one.angle_counts is not None:
            by_node = {i: angle_scales(one.angle_counts[i, number], content.s_edges) for i in set(nearest)}
            scales = _blend(one.T_GeV, np.array([by_node[i] for i in nearest]), T)
        out[row] = (numbers, builder.add_table(ln_x, scales))
    return out


def _blend(nodes: Array, values: Array, T: Array) -> Array:
    """`values` (first axis nodes) at `T`, linear in ln T, constant outside."""
    position = np.interp(np.log(T), np.log(nodes), np.arange(nodes.size))
    low = np.minimum(position.astype(np.int64), nodes.size - 2)
    share: Array = (position - low).reshape(-1, *([1] * (values.ndim - 1)))
    blended: Array = (1.0 - share) * values[low] + share * values[low + 1]
    return blended


def _blend_means(nodes: Array, mean: Array, T: Array) -> Array:
    """Means at `T`: their logarithm linear in ln T, the mean itself where one of two neighbours is zero."""
    linear = _blend(nodes, mean, T)
    logarithmic = np.exp(_blend(nodes, np.log(np.maximum(mean, 1e-300)), T))
    low = np.clip(np.searchsorted(nodes, T, side="right") - 1, 0, nodes.size - 2)
    return np.where(np.minimum(mean[low], mean[low + 1]) > 0.0, logarithmic, linear)


def _open(name: str, one: ProjectileYields, mean: Array, ln_x: Array, T: Array) -> tuple[Array, Array]:
    """Means and quantiles with the fall to threshold below the first node."""
    mass = float(MASS_GEV[species_code(name)])
    threshold = PION_THRESHOLD_GEV if name == "p" else production_threshold(mass)
    first = float(one.T_GeV[0])
    if first <= threshold:
        return mean, ln_x
    below = first > T
    opening = np.where(below, np.maximum(T - threshold, 0.0) / (first - threshold), 1.0)
    if name == "p" and below[0]:
        opening[0] = 0.0  # 0.2818 GeV: the threshold within the width of a node
    left = np.where(below, np.maximum(opening, 1e-3) * first / T, 1.0)
    return mean * opening, np.minimum(ln_x + np.log(np.minimum(left, 1.0))[:, None], 0.0)


def _species_of(row: str) -> tuple[tuple[int, float], ...]:
    """Species codes of a row and the share of its number that each takes."""
    name = row.removesuffix(LEADING_SUFFIX)
    return ((KL, 0.5), (KS, 0.5)) if name == "K0" else ((species_code(name), 1.0),)


def _is_leading(row: str) -> bool:
    return row.endswith(LEADING_SUFFIX)


def _add_nucleons(builder: YieldTableBuilder, rows: _Rows) -> None:
    """p; n by isospin mirror; Lambda the mean of both.

    Neutrons make as many K+ as protons K0, and as many K0 and anti-K0 as protons K+ and K-. Their K- are those of
    protons: anti-K0 and K- are taken as equal (`_kaons_of_neutrons`). Without a row of K0 kaons stay as they are.
    """
    mirror_kaons = NEUTRON_K_PLUS in rows
    for row, (mean, table) in rows.items():
        if row != NEUTRON_K_PLUS:
            for species, share in _species_of(row):
                builder.add_slot(P, species, table, share * mean, bernoulli=_is_leading(row))
    for row, (mean, table) in rows.items():
        made: tuple[tuple[int, float], ...]
        if row == NEUTRON_K_PLUS:
            made = ((KP, 1.0),)
        elif mirror_kaons and row in ("K+", "K-", "K0"):
            made = {"K+": ((KL, 0.5), (KS, 0.5)), "K-": ((KM, 1.0), (KL, 0.5), (KS, 0.5)), "K0": ()}[row]
        else:
            made = tuple((_SWAP.get(species, species), share) for species, share in _species_of(row))
        for species, share in made:
            builder.add_slot(N, species, table, share * mean, bernoulli=_is_leading(row))
    for projectile in (P, N):
        for species, kind, table, mean in builder.slots_of(projectile):
            if species != LAMBDA:
                builder.add_slot(LAMBDA, species, table, 0.5 * mean, bernoulli=kind == BERNOULLI)


def _add_pions(builder: YieldTableBuilder, rows: _Rows) -> None:
    """pi+; pi- with pi+ <-> pi-, p <-> n, and charged kaons <-> neutral ones."""
    for row, (mean, table) in rows.items():
        for species, share in _species_of(row):
            builder.add_slot(PIP, species, table, share * mean, bernoulli=_is_leading(row))
        if row == "K0":
            mirrored: tuple[tuple[int, float], ...] = ((KP, 0.5), (KM, 0.5))
        elif row in ("K+", "K-"):
            mirrored = ((KL, 0.5), (KS, 0.5))
        else:
            mirrored = tuple((_SWAP.get(species, species), share) for species, share in _species_of(row))
        for species, share in mirrored:
            builder.add_slot(PIM, species, table, share * mean, bernoulli=_is_leading(row))


def _add_kaons(builder: YieldTableBuilder, plus: _Rows, minus: _Rows) -> None:
    """K+ and K-; KL and KS as half K0 and half anti-K0, mirrors of K+ and K- (charged kaons <-> neutral ones)."""
    for projectile, rows in ((KP, plus), (KM, minus)):
        for row, (mean, table) in rows.items():
            for species, share in _species_of(row):
                builder.add_slot(projectile, species, table, share * mean, bernoulli=_is_leading(row))
    for projectile in (KL, KS):
        for rows in (plus, minus):
            for row, (mean, table) in rows.items():
                kaon = row.removesuffix(LEADING_SUFFIX)
                if kaon == "K0":
                    made: tuple[tuple[int, float], ...] = ((KP, 0.5), (KM, 0.5))
                elif kaon in ("K+", "K-"):
                    made = ((KL, 0.5), (KS, 0.5))
                else:
                    made = tuple((_SWAP.get(species, species), share) for species, share in _species_of(row))
                for species, share in made:
                    builder.add_slot(projectile, species, table, 0.5 * share * mean, bernoulli=_is_leading(row))


def provenance_words(content: YieldFile) -> dict[str, str]:
    """Return what a result file records of a file of yields.

    Parameters
    ----------
    content : YieldFile
        Content of a file of yields.

    Returns
    -------
    dict of str
        Its SHA-256 and how it was made.
    """
    made = [f"{key}: {content.provenance[key]}" for key in ("created", "target", "chromo") if key in content.provenance]
    generators = content.provenance.get("generators", {})
    if isinstance(generators, dict):
        made += [f"{name}: {version}" for name, version in generators.items()]
    return {"hadronic_table_sha256": content.sha256, "hadronic_table_provenance": "; ".join(made) or "not stated"}
