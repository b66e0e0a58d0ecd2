"""Join histograms of event generators (`yield_histograms.NodeHistogram`) to the content of a file of yields."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from hadronic.arrays import Array
from hadronic.builders.yield_histograms import S_EDGES, X_EDGES, NodeHistogram
from hadronic.errors import HadronicInputError
from hadronic.tables.yield_file import ProjectileYields, YieldFile
from hadronic.tables.yield_rows import LEADING_SUFFIX, MOMENTS, OTHER, PROJECTILES, ROWS, SPECIES

# Production cross section of air over that of nitrogen-14: (14.54/14)^0.6 (docs/reports/hadronic-inputs.md section 6).
AIR_OVER_NITROGEN: Final = 1.023
# UrQMD up to here, Sibyll from there [GeV].
JOIN_GEV: Final = (60.0, 80.0)
# Strange secondaries of UrQMD's pions, and all of UrQMD's kaons, are used from here [GeV]
# (docs/reports/hadronic-models.md).
URQMD_STRANGE_GEV: Final = 10.0
PYTHIA_KAONS_GEV: Final = (1.0, 2.0, 3.0, 5.0)
# The factor that joins Pythia's cross sections to Sibyll's grows from 1 to its full size between these energies [GeV].
# Protons on air below are 242 mb at 3 GeV by absorption data on carbon; at 12 GeV/c a production cross section of
# 229 mb on carbon times (14.54/12)^0.6 is 257 mb. Pythia has 243 and 253, with the whole factor 254 and 264.
# Both were cited from memory. 229 mb is confirmed: NA61 has 226 to 231 mb of production at 31 to 120 GeV/c, and the
# evaluation of Barashenkov (in Geant4, G4ComponentBarNucleonNucleusXsc) 250 mb at 10 to 20 GeV, which contain some
# 21 mb of quasi-elastic events. 242 mb on air, that is 216 on carbon, is not: the evaluation has 256 mb at 3 GeV, and
# 225 without a quasi-elastic share of 12 % (assumed in docs/reports/hadronic-inputs.md section 2), 252 on air. So the
# factor at 3 GeV is known to 4 % only; scripts/studies/inputs_effect.py prints what this does to fluxes. From carbon to
# aluminium the evaluation goes as A^0.71, by which air would have 2 % more.
CROSS_SECTION_JOIN_GEV: Final = (3.0, 80.0)
STRANGE: Final = ("K+", "K-", "K0", "Lambda")


@dataclass
class Run:
    """One energy of one generator, seeds added up.

    Attributes
    ----------
    generator, version : str
    histogram : NodeHistogram
    sigma_mb : float
        Production cross section on nitrogen, nan where the generator has none.
    seeds : list of int
    """

    generator: str
    version: str
    histogram: NodeHistogram
    sigma_mb: float
    seeds: list[int] = field(default_factory=list)


Runs = dict[tuple[str, str], dict[float, Run]]
"""Runs by (generator, projectile) and kinetic energy."""


def collect(runs: Iterable[Run]) -> Runs:
    """Sort runs by energy, and add those of the same generator, projectile and energy.

    Parameters
    ----------
    runs : iterable of Run
        Runs in any order.

    Returns
    -------
    Runs
        The runs.

    Raises
    ------
    HadronicInputError
        If a seed is there twice.
    """
    out: Runs = {}
    for run in sorted(runs, key=lambda one: one.histogram.T_GeV):
        nodes = out.setdefault((run.generator, run.histogram.projectile), {})
        known = nodes.get(run.histogram.T_GeV)
        if known is None:
            nodes[run.histogram.T_GeV] = run
            continue
        if set(known.seeds) & set(run.seeds):
            where = f"{run.generator} {run.histogram.projectile} {run.histogram.T_GeV:g} GeV"
            raise HadronicInputError(f"{where}: seed {run.seeds[0]} is there twice")
        known.histogram.merge(run.histogram)
        known.seeds += run.seeds
    return out


@dataclass
class _Node:
    """One energy of a table: a run, rows of which may come from elsewhere (row -> (run, factor on its yields))."""

    T_GeV: float
    run: Run
    replaced: dict[str, tuple[Run, float]] = field(default_factory=dict)


def _table(nodes: Sequence[_Node], sigma_T: Array, sigma_mb: Array) -> ProjectileYields:
    nodes = sorted(nodes, key=lambda one: one.T_GeV)
    events = np.empty((len(nodes), len(ROWS)))
    counts = np.empty((len(nodes), len(ROWS), X_EDGES.size - 1))
    angles = np.empty((len(nodes), len(ROWS), *nodes[0].run.histogram.angle_counts.shape[1:]))
    moments = np.empty((2, len(nodes), len(SPECIES), len(MOMENTS)))
    other = np.empty((len(nodes), len(OTHER)))
    for i, node in enumerate(nodes):
        for j, row in enumerate(ROWS):
            run, factor = node.replaced.get(row.removesuffix(LEADING_SUFFIX), (node.run, 1.0))
            events[i, j] = run.histogram.events / factor
            counts[i, j], angles[i, j] = run.histogram.counts[j], run.histogram.angle_counts[j]
        for j, species in enumerate(SPECIES):
            run, factor = node.replaced.get(species, (node.run, 1.0))
            for k, values in enumerate(run.histogram.moments()):
                moments[k, i, j] = factor * values[j]
        other[i] = node.run.histogram.other_sums / node.run.histogram.events
    return ProjectileYields(
        T_GeV=np.array([node.T_GeV for node in nodes]),
        events=events,
        counts=counts,
        sigma_T_GeV=sigma_T,
        sigma_mb=sigma_mb,
        angle_counts=angles,
        moments=moments[0],
        moment_errors=moments[1],
        other=other,
        sources=tuple(node.run.version for node in nodes),
    )


def _of(runs: Runs, generator: str, projectile: str) -> dict[float, Run]:
    try:
        return runs[generator, projectile]
    except KeyError:
        raise HadronicInputError(f"no runs of {generator} with {projectile}") from None


def _sigma(nodes: dict[float, Run]) -> tuple[Array, Array]:
    """Kinetic energies and production cross sections on air."""
    values = np.array([run.sigma_mb for run in nodes.values()])
    if not np.all(values > 0.0):
        name = next(iter(nodes.values())).generator
        raise HadronicInputError(f"{name} has no cross section: a table of it alone cannot be made")
    return np.array(list(nodes)), AIR_OVER_NITROGEN * values


def plain(runs: Runs, generator: str) -> dict[str, ProjectileYields]:
    """Take all projectiles from one generator.

    Parameters
    ----------
    runs : Runs
        Runs of the generators.
    generator : str
        Name of the generator.

    Returns
    -------
    dict of ProjectileYields
        By projectile.
    """
    out = {}
    for projectile in PROJECTILES:
        nodes = _of(runs, generator, projectile)
        out[projectile] = _table([_Node(T, run) for T, run in nodes.items()], *_sigma(nodes))
    return out


def urqmd_sibyll(runs: Runs) -> dict[str, ProjectileYields]:
    """Join UrQMD up to 60 GeV and Sibyll from 80 GeV; Pythia for what UrQMD does not make.

    Strange secondaries of pions below 10 GeV have Pythia's spectra and its energy dependence, scaled to meet UrQMD at
    10 GeV; kaons below 10 GeV are Pythia's. Cross sections are Sibyll's and, below, Pythia's joined to them.

    Parameters
    ----------
    runs : Runs
        Runs of the generators.

    Returns
    -------
    dict of ProjectileYields
        By projectile.
    """
    low, high = JOIN_GEV
    out = {}
    for projectile in PROJECTILES:
        urqmd, sibyll = _of(runs, "UrQMD34", projectile), _of(runs, "Sibyll23d", projectile)
        pythia = _of(runs, "Pythia8Cascade", projectile)
        first = URQMD_STRANGE_GEV if projectile in ("K+", "K-") else 0.0
        nodes = [_Node(T, run) for T, run in urqmd.items() if first <= T <= low]
        nodes += [_Node(T, run) for T, run in sibyll.items() if high <= T]
        if projectile == "pi+":
            for node in nodes:
                if node.T_GeV < URQMD_STRANGE_GEV:
                    node.replaced = _scaled_strange(urqmd, pythia, node.T_GeV)
        elif first:
            nodes += [_Node(T, pythia[T]) for T in PYTHIA_KAONS_GEV]
        above = _sigma({T: run for T, run in sibyll.items() if high <= T})
        out[projectile] = _table(nodes, *both_cross_sections(*_sigma(pythia), *above))
    return out


def both_cross_sections(T_low: Array, sigma_low: Array, T_high: Array, sigma_high: Array) -> tuple[Array, Array]:
    """Join cross sections of one generator to those of another, which are kept (:func:`joined_cross_section`).

    Parameters
    ----------
    T_low, sigma_low : float[energies]
        Kinetic energies (GeV) and cross sections (mb) of the generator below, given beyond the join.
    T_high, sigma_high : float[energies]
        Of the generator above, from the join.

    Returns
    -------
    T_GeV, sigma_mb : float[energies]
        Those below the first of `T_high`, joined, and those of `T_high`.
    """
    below = T_low < T_high[0]
    at_join = float(np.interp(np.log(T_high[0]), np.log(T_low), sigma_low))
    joined = joined_cross_section(T_low[below], sigma_low[below], float(sigma_high[0]) / at_join)
    return np.concatenate((T_low[below], T_high)), np.concatenate((joined, sigma_high))


def joined_cross_section(T_GeV: Array, sigma_mb: Array, factor: float) -> Array:
    """Join cross sections to those above :data:`CROSS_SECTION_JOIN_GEV`, linearly in ln T, and leave those below.

    Parameters
    ----------
    T_GeV, sigma_mb : float[energies]
        Kinetic energies and cross sections.
    factor : float
        Factor at the upper end.

    Returns
    -------
    float[energies]
        mb.
    """
    low, high = CROSS_SECTION_JOIN_GEV
    share = np.clip(np.log(np.asarray(T_GeV) / low) / np.log(high / low), 0.0, 1.0)
    joined: Array = sigma_mb * (1.0 + share * (factor - 1.0))
    return joined


def _scaled_strange(urqmd: dict[float, Run], pythia: dict[float, Run], T_GeV: float) -> dict[str, tuple[Run, float]]:
    """Pythia's run at an energy, and for every strange row the factor that joins it to UrQMD where that is used."""
    out = {}
    for species in STRANGE:
        row = SPECIES.index(species)
        ours, theirs = (nodes[URQMD_STRANGE_GEV].histogram for nodes in (urqmd, pythia))
        made = theirs.counts[row].sum() / theirs.events
        factor = ours.counts[row].sum() / ours.events / made if made > 0.0 else 1.0
        out[species] = (pythia[T_GeV], max(float(factor), 1e-9))
    return out


RECIPES: Final[dict[str, tuple[Callable[[Runs], dict[str, ProjectileYields]], tuple[str, ...], str]]] = {
    "urqmd-sibyll": (
        urqmd_sibyll,
        ("UrQMD34", "Sibyll23d", "Pythia8Cascade"),
        "UrQMD 3.4 up to 60 GeV, Sibyll 2.3d from 80 GeV, linear in ln T between; production events on nitrogen",
    ),
    "pythia8": (
        lambda runs: plain(runs, "Pythia8Cascade"),
        ("Pythia8Cascade",),
        "Pythia 8.317 (PythiaCascade) at all energies; production events on nitrogen",
    ),
    "sibyll": (
        lambda runs: plain(runs, "Sibyll23d"),
        ("Sibyll23d",),
        "Sibyll 2.3d, from 80 GeV; production events on nitrogen",
    ),
}
"""Recipe -> (function of the runs, generators that it takes, description)."""


def join(runs: Iterable[Run], recipe: str, name: str, provenance: dict[str, Any]) -> YieldFile:
    """Make the content of a file of yields from runs.

    Parameters
    ----------
    runs : iterable of Run
        Runs; those of other generators are left out.
    recipe : str
        One of `RECIPES`.
    name : str
        Name of the model.
    provenance : dict
        Added to what is recorded of the runs.

    Returns
    -------
    YieldFile
        Ready to be written.

    Raises
    ------
    HadronicInputError
        For an unknown recipe, or where a run is missing.
    """
    if recipe not in RECIPES:
        raise HadronicInputError(f"recipe {recipe!r} is not one of {', '.join(RECIPES)}")
    build, generators, description = RECIPES[recipe]
    collected = collect(run for run in runs if run.generator in generators)
    projectiles = build(collected)
    generated = {
        f"{run.version} {projectile} {T:g} GeV": {"interactions": run.histogram.events, "seeds": run.seeds}
        for (_, projectile), nodes in collected.items()
        for T, run in nodes.items()
    }
    return YieldFile(
        name=name,
        description=description,
        x_edges=X_EDGES,
        s_edges=S_EDGES,
        projectiles=projectiles,
        provenance={
            "created": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "target": "N14; cross sections times 1.023 for air",
            "recipe": recipe,
            "generators": {run.generator: run.version for nodes in collected.values() for run in nodes.values()},
            "runs": generated,
            **provenance,
        },
    )
