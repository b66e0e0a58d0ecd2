"""Measure what charged secondaries that leave the atmosphere and come back (albedo) add to the flux of neutrinos.

    python scripts/studies/albedo_effect.py --primaries 480000
    python scripts/studies/albedo_effect.py --protons --primaries 48000

Primaries enter all over the Earth, with cutoffs, as in the sampling mode `analog`. Each shower is simulated once, with
`transport.albedo = "follow"`. Every neutrino knows the path that its ancestors made above the atmosphere: those with
none are what a run without albedo scores, and the others are what comes in addition. Printed is the ratio of the two
in percent, by energy, geomagnetic latitude of the crossing (of the centred dipole) and half of the sky, with the error
from the scatter of groups of primaries. Below the table are parts of it by the length of that path. With `--protons`
the flux of protons that come back is printed instead, at the top of the atmosphere.
"""

from __future__ import annotations

import argparse
import itertools
import math
from typing import Any

import numpy as np
from numba import njit

from geomag.field.dipole import dipole_axes
from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.particles import PROTON
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER
from sim3d.primaries.spectrum import rigidity
from sim3d.results.jackknife import jackknife
from sim3d.sampling.counters import N_COUNTERS
from sim3d.sampling.source import comes_through, draw_entry, draw_primary
from sim3d.scoring.bins import inverse_cosine
from sim3d.scoring.detectors import sphere_crossings
from sim3d.shower.above import RE_ENTRY_KM
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import (
    NEUTRINO_COLUMNS,
    NU_ABOVE,
    NU_ENERGY,
    NU_FLAVOUR,
    NU_UX,
    NU_UY,
    NU_UZ,
    NU_WEIGHT,
    NU_X,
    NU_Y,
    NU_Z,
)
from sim3d.shower.random_streams import primary_key
from sim3d.shower.stack import new_stack
from sim3d.shower.track import T_START, TRACK_COLUMNS
from sim3d.simulation.setup import make_setup

ENERGIES_GEV = np.array([0.1, 0.3, 1.0, 3.0])
LATITUDES_DEG = np.array([0.0, 20.0, 40.0, 60.0, 90.0])
"""Edges of the bands in |geomagnetic latitude|."""
PATHS_KM = np.array([0.0, 1000.0, EARTH_RADIUS_KM, 10.0 * EARTH_RADIUS_KM])
"""Lower ends of the paths above the atmosphere by which neutrinos are told apart."""
GROUPS = 24


@njit(nogil=True)
def shoot(world, source, trace, seed, first, size, axis, sines, sums, counters):
    """Simulate a group of primaries and add up its neutrinos at sea level.

    Parameters
    ----------
    world, source, trace, seed
        As in :class:`sim3d.sampling.batch.BatchTask`.
    first, size : int
        First primary, number of them; energies are stratified within the group.
    axis : float64 array (3,)
        Direction of the dipole.
    sines : float64 array (bands + 1,)
        Sines of the edges of the bands.
    sums : float64 array (origin, flavours, energies, bands, halves)
        Added to: sums of weight / |cos|; origin 0 without a path above the atmosphere, k + 1 with one above
        PATHS_KM[k]; half 0 down-going.
    counters : int64 array (N_COUNTERS,)
    """
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    stack = new_stack(32768)
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS))
    for place in range(size):
        rng[0] = primary_key(seed, first + place)
        energy, group, weight = draw_primary(source, place, size, world.top_km, rng)
        weight *= draw_entry(world.top_km, start, rng)
        if not comes_through(world, trace, start[:3], start[3:6], rigidity(energy, group), counters):
            continue
        n, neutrinos, stack = shower(
            world, start, energy, GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group], rng[0], stack, neutrinos,
            np.bool_(False), None, None, None, world.nuclei[group],
        )  # fmt: skip
        for i in range(n):
            k_energy = np.searchsorted(ENERGIES_GEV, neutrinos[i, NU_ENERGY], side="right") - 1
            if k_energy < 0 or k_energy >= ENERGIES_GEV.shape[0] - 1:
                continue
            origin = np.searchsorted(PATHS_KM, neutrinos[i, NU_ABOVE])
            x, y, z = neutrinos[i, NU_X], neutrinos[i, NU_Y], neutrinos[i, NU_Z]
            ux, uy, uz = neutrinos[i, NU_UX], neutrinos[i, NU_UY], neutrinos[i, NU_UZ]
            crossings = sphere_crossings(x, y, z, ux, uy, uz, EARTH_RADIUS_KM)
            for half in range(2):
                path = crossings[half]
                if path <= 0.0:
                    continue
                nx = (x + path * ux) / EARTH_RADIUS_KM
                ny = (y + path * uy) / EARTH_RADIUS_KM
                nz = (z + path * uz) / EARTH_RADIUS_KM
                sine = abs(nx * axis[0] + ny * axis[1] + nz * axis[2])
                band = min(np.searchsorted(sines, sine, side="right") - 1, sines.shape[0] - 2)
                value = weight * neutrinos[i, NU_WEIGHT] * inverse_cosine(-(nx * ux + ny * uy + nz * uz))
                sums[origin, int(neutrinos[i, NU_FLAVOUR]), k_energy, band, half] += value


@njit(nogil=True)
def returning_protons(world, source, trace, seed, first, size, axis, sines, energies, sums, counters):
    """Simulate a group of primaries and add up the protons that come back to the top of the atmosphere.

    Parameters
    ----------
    world, source, trace, seed, first, size, axis, sines, counters
        As for :func:`shoot`.
    energies : float64 array (edges,)
        Edges in kinetic energy (GeV).
    sums : float64 array (edges - 1, bands)
        Added to: protons per second.
    """
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    stack = new_stack(32768)
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS))
    track = np.empty((2000000, TRACK_COLUMNS))
    top = EARTH_RADIUS_KM + world.top_km
    for place in range(size):
        rng[0] = primary_key(seed, first + place)
        energy, group, weight = draw_primary(source, place, size, world.top_km, rng)
        weight *= draw_entry(world.top_km, start, rng)
        if not comes_through(world, trace, start[:3], start[3:6], rigidity(energy, group), counters):
            continue
        track[0, 0] = 0.0
        _n, neutrinos, stack = shower(
            world, start, energy, GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group], rng[0], stack, neutrinos,
            np.bool_(False), track, None, None, world.nuclei[group],
        )  # fmt: skip
        for row in range(2, min(int(track[0, 0]) + 1, track.shape[0])):  # row 1 is the start of the primary
            if track[row, 0] != T_START or track[row, 1] != PROTON:
                continue
            x, y, z = track[row, 2], track[row, 3], track[row, 4]
            r = math.sqrt(x * x + y * y + z * z)
            if r < top - RE_ENTRY_KM or r > top:
                continue
            k = np.searchsorted(energies, track[row, 5], side="right") - 1
            band = np.searchsorted(sines, abs(x * axis[0] + y * axis[1] + z * axis[2]) / r, side="right") - 1
            if 0 <= k < sums.shape[0] and band < sums.shape[1]:
                sums[k, band] += weight * track[row, 6]


def print_protons(primaries: int, seed: int, low_GeV: float) -> None:
    """Simulate and print the flux of protons that come back, by energy and geomagnetic latitude.

    Parameters
    ----------
    primaries, seed, low_GeV
        As for :func:`measure`.
    """
    setup = make_setup(configuration(primaries, seed, low_GeV))
    axis = np.ascontiguousarray(dipole_axes(setup.field)[2])
    sines = np.sin(np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]))
    energies = np.array([0.28, 0.5, 1.0, 2.0, 5.0, 20.0])
    size = primaries // GROUPS
    sums = np.zeros((GROUPS, len(energies) - 1, len(sines) - 1))
    counters = np.zeros(N_COUNTERS, dtype=np.int64)
    for k in range(GROUPS):
        returning_protons(
            setup.world, setup.source, setup.trace, np.uint64(seed), k * size, size, axis, sines, energies, sums[k],
            counters,
        )  # fmt: skip
    # an isotropic flux F comes in at pi F per area; both hemispheres
    top_m = 1e3 * (EARTH_RADIUS_KM + setup.world.top_km)
    sums /= np.pi * 4.0 * np.pi * top_m**2 * np.diff(sines)
    print(f"{size * GROUPS} primaries; protons that come back, m^-2 s^-1 sr^-1, columns: |geomagnetic latitude| of")
    print("0-0.2, 0.2-0.4, 0.4-0.6, 0.6-0.8, 0.8-1.0 rad")
    for name, part in [
        *((f"{a:g}-{b:g} GeV", sums[:, k]) for k, (a, b) in enumerate(itertools.pairwise(energies))),
        ("all", sums.sum(axis=1)),
    ]:
        mean, error = part.mean(axis=0), part.std(axis=0, ddof=1) / np.sqrt(GROUPS)
        print(f"{name}: " + ", ".join(f"{a:.2f} +- {b:.2f}" for a, b in zip(mean, error, strict=True)))


def configuration(primaries: int, seed: int, low_GeV: float) -> Config:
    """Make the configuration of the runs.

    Parameters
    ----------
    primaries, seed, low_GeV
        As for :func:`measure`.

    Returns
    -------
    Config
    """
    return make_config(
        {
            "run": {"seed": seed, "primaries": primaries},
            "primaries": {"energy_GeV": [low_GeV, 1.0e4], "energy_index": 2.0},
            "sampling": {"mode": "analog"},
            "transport": {"albedo": "follow"},
            "sites": [{"name": "kamioka"}],
            "calibration": {"name": "none"},  # as in the figures of docs
        }
    )


def measure(primaries: int, seed: int, low_GeV: float) -> tuple[np.ndarray, dict[str, Any]]:
    """Simulate all groups.

    Parameters
    ----------
    primaries, seed : int
    low_GeV : float
        Lowest energy of primaries (per nucleon).

    Returns
    -------
    sums : float64 array (groups, origin, flavours, energies, bands, halves)
    facts : dict
        Counts.
    """
    setup = make_setup(configuration(primaries, seed, low_GeV))
    size = primaries // GROUPS
    sines = np.sin(np.radians(LATITUDES_DEG))
    sums = np.zeros((GROUPS, len(PATHS_KM) + 1, len(FLAVOURS), len(ENERGIES_GEV) - 1, len(LATITUDES_DEG) - 1, 2))
    counters = np.zeros(N_COUNTERS, dtype=np.int64)
    axis = np.ascontiguousarray(dipole_axes(setup.field)[2])
    for k in range(GROUPS):
        shoot(
            setup.world, setup.source, setup.trace, np.uint64(seed), k * size, size, axis, sines, sums[k], counters
        )  # fmt: skip
        print(f"group {k + 1} of {GROUPS}", flush=True)
    return sums, {"primaries": size * GROUPS}


def table(sums: np.ndarray) -> list[str]:
    """Format the ratios as rows of a Markdown table.

    Parameters
    ----------
    sums : float64 array (groups, origin, flavours, energies, bands, halves)

    Returns
    -------
    list of str
    """
    weights = np.ones(len(sums))
    bands = " | ".join(f"{a:g}-{b:g} deg" for a, b in itertools.pairwise(LATITUDES_DEG))
    lines = [f"| GeV | flavour | sky | {bands} |"]
    lines.append("|---|---|---|" + "---|" * (len(LATITUDES_DEG) - 1))
    flavours = [("all", slice(None)), *((name, slice(k, k + 1)) for k, name in enumerate(FLAVOURS))]
    halves = [("whole", slice(None)), ("down", slice(0, 1)), ("up", slice(1, 2))]
    for e, low in enumerate(ENERGIES_GEV[:-1]):
        for name, flavour in flavours:
            for sky, half in halves:
                if name != "all" and sky != "whole":
                    continue
                cells = sums[:, :, flavour, e, :, half].sum(axis=(2, 4))
                added, error = jackknife(lambda mean: 100.0 * mean[1:].sum(axis=0) / mean[0], cells, weights)
                shown = " | ".join(f"{a:.2f} +- {b:.2f}" for a, b in zip(added, error, strict=True))
                lines.append(f"| {low:g}-{ENERGIES_GEV[e + 1]:g} | {name} | {sky} | {shown} |")
    cells = sums[:, :, :, 0].sum(axis=(2, 4))
    lines.append("")
    lines.append(
        f"Parts of {ENERGIES_GEV[0]:g}-{ENERGIES_GEV[1]:g} GeV, all flavours, whole sky, by path above the air:"
    )
    for k, low in enumerate(PATHS_KM):
        part, error = jackknife(lambda mean, k=k: 100.0 * mean[k + 1] / mean[0], cells, weights)  # type: ignore[misc]
        shown = ", ".join(f"{a:.2f} +- {b:.2f}" for a, b in zip(part, error, strict=True))
        lines.append(f"- from {low:.0f} km: {shown}")
    return lines


def main() -> None:
    """Simulate and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--primaries", type=int, default=480_000)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--lowest", type=float, default=0.5, metavar="GeV", help="energy of primaries per nucleon")
    parser.add_argument("--protons", action="store_true", help="the flux of protons that come back")
    arguments = parser.parse_args()
    if arguments.protons:
        print_protons(arguments.primaries, arguments.seed, arguments.lowest)
        return
    sums, facts = measure(arguments.primaries, arguments.seed, arguments.lowest)
    print(f"{facts['primaries']} primaries; neutrinos of albedo over all others, percent")
    for line in table(sums):
        print(line)


if __name__ == "__main__":
    main()
