"""Simulate a single primary of a run again, and list the particles, vertices, neutrinos and scores of its shower.

The random streams are functions of (seed, index), so the primary is simulated exactly as in its run. Its scores come
from the batch kernel itself, with all other primaries of the batch left out.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit

from geomag.trajectories.early_verdicts import ALLOWED, FORBIDDEN
from geomag.trajectories.tracing import backtrack
from sim3d.config.schema import Config
from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.particles import NAMES
from sim3d.errors import InputError
from sim3d.jit_cache import CACHE
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_LABELS, GROUP_MASS_NUMBER
from sim3d.primaries.spectrum import rigidity
from sim3d.sampling.batch import empty_scores
from sim3d.sampling.counters import COUNTERS
from sim3d.sampling.source import draw_entry, draw_primary
from sim3d.sampling.targeted import draw_breakup, draw_vertex
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS, NU_ENERGY, NU_FLAVOUR, NU_WEIGHT, NU_X
from sim3d.shower.random_streams import BRANCH_SHOWER, child_key, primary_key
from sim3d.shower.stack import new_stack
from sim3d.shower.track import T_DECAY, T_END, T_INTERACTION, T_START, TRACK_COLUMNS
from sim3d.simulation.processes import Processes
from sim3d.simulation.setup import Setup, make_setup
from sim3d.simulation.survey import agreed_allocation

_FIRST_ROWS = 200_000


@dataclass
class ParticlePath:
    """Trajectory of one particle of a shower.

    Attributes
    ----------
    species : str
    kinetic_GeV, weight : float
        Kinetic energy and weight at its start.
    end : str
        How it ended: ``interacts``, ``decays``, ``reaches the ground``, ``leaves the air``, or ``stops`` (its energy is
        too low for any neutrino above the threshold); ``fails`` if an error ended it.
    end_kinetic_GeV : float
    points : float64 array (n, 3)
        Positions (km, geocentric), from start to end.
    parent : int
        Index of its parent in the list of paths; -1 for the primary.
    """

    species: str
    kinetic_GeV: float
    weight: float
    end: str
    end_kinetic_GeV: float
    points: np.ndarray
    parent: int


@dataclass
class Replay:
    """Shower of one primary: trajectories, neutrinos and contributions to the bins.

    Attributes
    ----------
    primary : dict
        Index, batch, nucleus, energy (GeV per nucleon), rigidity (GV), starting point.
    backtrack : str
        Verdict of the back-tracking through the geomagnetic field; empty in sampling modes that rotate the shower
        before it (see ``counters`` then).
    paths : list of ParticlePath
    neutrinos : list of dict
        Flavour, energy (GeV), weight, production height (km).
    scores : list of dict
        Bins with hits, and the contribution to the flux (m^-2 s^-1, integrated over the bin) before the mean over
        batches.
    counters : dict of int
        Counters of the batch kernel for this primary.
    failure : str
        Empty, or the error of its simulation; the paths are then those up to the failure.
    """

    primary: dict[str, Any]
    backtrack: str = ""
    paths: list[ParticlePath] = field(default_factory=list)
    neutrinos: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    failure: str = ""

    @property
    def species(self) -> dict[str, int]:
        """Number of particles by species."""
        return dict(Counter(path.species for path in self.paths))


@njit(nogil=True, cache=CACHE)
def _enter(source, seed, index, place, batch_size, top_km, start):
    """Draw energy, mass group and weight of a primary as :func:`sim3d.sampling.source.next_shower` does."""
    rng = np.empty(1, dtype=np.uint64)
    rng[0] = primary_key(seed, index)
    energy, group, weight = draw_primary(source, place, batch_size, top_km, rng)
    weight *= draw_entry(top_km, start, rng)
    return energy, group, weight, rng[0]


@njit(nogil=True, cache=CACHE)
def _begin(world, source, seed, index, place, batch_size, pose):
    """Draw energy, mass group, charge and key of a shower as :mod:`sim3d.sampling.targeted` does."""
    rng = np.empty(1, dtype=np.uint64)
    rng[0] = primary_key(seed, index)
    own_key = primary_key(seed, index)
    kinetic, group, _, _ = draw_vertex(world, source, place, batch_size, rng, pose)
    _, charge = draw_breakup(world, group, kinetic, own_key, rng)
    return kinetic, group, charge, child_key(own_key, BRANCH_SHOWER)


@njit(nogil=True, cache=CACHE)
def _verdict(start, rigidity_GV, gauss, trace):
    return backtrack(start[0], start[1], start[2], start[3], start[4], start[5], rigidity_GV, gauss, trace)


@njit(nogil=True, cache=CACHE)
def _follow(world, start, kinetic, z_over_a, key, interacts, track, nucleus):
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS))
    n, neutrinos, _ = shower(
        world, start, kinetic, z_over_a, key, new_stack(32768), neutrinos, interacts, track, None, None, nucleus
    )  # fmt: skip
    return neutrinos[:n].copy()


def replay(config: Config, index: int, setup: Setup | None = None) -> Replay:
    """Simulate primary number ``index`` of a run again.

    Parameters
    ----------
    config : Config
    index : int
        From 0 to the number of primaries less one.
    setup : Setup, optional
        Of this configuration and with its allocation, if it exists already.

    Returns
    -------
    Replay

    Raises
    ------
    InputError
        If the run has no such primary.
    """
    size = config.run.batch_size
    if not 0 <= index < config.n_batches * size:
        raise InputError("INDEX", index, f"0 to {config.n_batches * size - 1}, the primaries of this run")
    if setup is None:
        setup = make_setup(config)
        setup = setup.with_allocation(agreed_allocation(setup, Processes(), 1, None))
    world = setup.world
    start = np.empty(9)
    seed, place = np.uint64(config.run.seed), index % size
    pilot = config.sampling.mode == "targeted"
    if pilot:
        # the pilot shower, before its rotation to the sites, without a magnetic field
        world = world._replace(bending=False)
        energy, group, charge, key = _begin(setup.world, setup.source, seed, index, place, size, start)
    else:
        energy, group, _, key = _enter(setup.source, seed, index, place, size, world.top_km, start)
        charge = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
    gv = float(rigidity(energy, group))
    out = Replay(
        {
            "index": index,
            "batch": index // size,
            "seed": config.run.seed,
            "mode": config.sampling.mode,
            "group": GROUP_LABELS[group],
            "energy_GeV": float(energy),
            "rigidity_GV": gv,
            "starts": "its first interaction, not yet turned to a site" if pilot else "the top of the atmosphere",
            **_where(start[:3]),
            "zenith_deg": _zenith(start),
        }
    )
    if config.sampling.mode == "analog" and config.field.cutoff:
        verdict = _verdict(start, gv, world.gauss, setup.trace)
        out.backtrack = {ALLOWED: "allowed", FORBIDDEN: "forbidden"}.get(verdict, "undecided (counts as forbidden)")
    _follow_shower(out, world, start, float(energy), float(charge), key, pilot, world.nuclei[group])
    if not out.failure:
        _score(out, setup, index)
    return out


def _follow_shower(
    out: Replay, world: Any, start: np.ndarray, energy: float, z_over_a: float, key: Any, pilot: bool,
    nucleus: np.ndarray,
) -> None:  # fmt: skip
    rows = _FIRST_ROWS
    while True:
        track = np.zeros((rows, TRACK_COLUMNS))
        try:
            # numba returns a key as a Python integer, which it would type as signed
            neutrinos = _follow(world, start, energy, z_over_a, np.uint64(key), pilot, track, nucleus)
        except Exception as exc:  # the same error as in the run
            out.failure = f"{type(exc).__name__}: {exc}"
            neutrinos = np.empty((0, NEUTRINO_COLUMNS))
        wanted = int(track[0, 0])
        if wanted < rows:
            break
        rows = wanted + 1
    out.paths = _paths(track[1 : wanted + 1], world.top_km)
    for row in neutrinos:
        out.neutrinos.append(
            {
                "flavour": FLAVOURS[int(row[NU_FLAVOUR])],
                "energy_GeV": float(row[NU_ENERGY]),
                "weight": float(row[NU_WEIGHT]),
                **_where(row[NU_X : NU_X + 3]),
            }
        )


def _paths(track: np.ndarray, top_km: float) -> list[ParticlePath]:
    """Split a track into the paths of its particles; a parent ended where its secondary starts."""
    starts = np.flatnonzero(track[:, 0] == T_START)
    paths: list[ParticlePath] = []
    ended: dict[tuple[float, ...], int] = {}
    for first, last in zip(starts, [*starts, len(track)][1:], strict=True):
        rows = track[first:last]
        where = tuple(rows[0, 2:5])
        path = ParticlePath(
            species=NAMES[int(rows[0, 1])],
            kinetic_GeV=float(rows[0, 5]),
            weight=float(rows[0, 6]),
            end=_end(rows[-1], top_km),
            end_kinetic_GeV=float(rows[-1, 5]),
            points=rows[:, 2:5].copy(),
            parent=ended.get(where, -1),
        )
        if path.end in ("interacts", "decays"):
            ended[tuple(rows[-1, 2:5])] = len(paths)
        paths.append(path)
    return paths


def _end(row: np.ndarray, top_km: float) -> str:
    if row[0] == T_INTERACTION:
        return "interacts"
    if row[0] == T_DECAY:
        return "decays"
    if row[0] != T_END:
        return "fails"
    height = math.dist(row[2:5], (0.0, 0.0, 0.0)) - EARTH_RADIUS_KM
    if height < 1e-3:
        return "reaches the ground"
    return "leaves the air" if height > top_km else "stops"


def _score(out: Replay, setup: Setup, index: int) -> None:
    """Run the batch kernel with this primary alone, and list its contributions."""
    scores = empty_scores(len(setup.detectors), setup.n_azimuth)
    batch = index // setup.config.run.batch_size
    try:
        setup.batch_function()(batch, scores, only=index)
    except Exception as exc:  # an error of the kernel after the shower itself
        out.failure = f"{type(exc).__name__}: {exc}"
        return
    out.counters = {name: int(scores.counters[k]) for k, name in enumerate(COUNTERS)}
    azimuth = np.linspace(0.0, 360.0, setup.n_azimuth + 1)
    for k, f, e, c, a in zip(*np.nonzero(scores.hits), strict=True):
        out.scores.append(
            {
                "site": setup.detectors[k].name,
                "flavour": FLAVOURS[f],
                "energy_GeV": [float(ENERGY_EDGES_GEV[e]), float(ENERGY_EDGES_GEV[e + 1])],
                "cos_zenith": [float(COS_EDGES[c]), float(COS_EDGES[c + 1])],
                "azimuth_deg": [float(azimuth[a]), float(azimuth[a + 1])],
                "hits": int(scores.hits[k, f, e, c, a]),
                "flux": float(scores.flux[k, f, e, c, a]),
            }
        )


def _where(position: np.ndarray) -> dict[str, float]:
    """Compute the height (km) above the sphere, geocentric latitude and longitude (degrees)."""
    x, y, z = (float(v) for v in position)
    r = math.sqrt(x * x + y * y + z * z)
    return {
        "height_km": r - EARTH_RADIUS_KM,
        "lat_deg": math.degrees(math.asin(z / r)),
        "lon_deg": math.degrees(math.atan2(y, x)),
    }


def _zenith(start: np.ndarray) -> float:
    """Compute the zenith angle (degrees) of a particle's arrival direction at its start."""
    cosine = -float(np.dot(start[:3], start[3:6])) / float(np.linalg.norm(start[:3]))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def local_frame(paths: list[ParticlePath]) -> np.ndarray:
    """Compute the unit vectors to the east, to the north and up where the first particle ends.

    Parameters
    ----------
    paths : list of ParticlePath

    Returns
    -------
    float64 array (3, 3)
        Rows: east, north, up (geocentric).
    """
    up = paths[0].points[-1] / np.linalg.norm(paths[0].points[-1])
    pole = np.array([0.0, 0.0, 1.0]) if abs(up[2]) < 0.999999 else np.array([1.0, 0.0, 0.0])
    east = np.cross(pole, up)
    east /= np.linalg.norm(east)
    return np.array([east, np.cross(up, east), up])
