"""Back-tracking beside its peers, gtracr and OTSO, each installed from the package registry in its own environment.

Speeds are in CPU time of one core, in one run; beside each stands the share of its decisions that equal those of this
package's integrator at 1e-9, in the peer's own geometry (gtracr: a sphere, OTSO: the WGS84 ellipsoid).  The sample is
Kamioka, 20 km, isotropic directions above the horizon, rigidities on R^-2.7 from 1 to 60 GV; nearly all of it is far
below the cutoffs, so a second one, uniform in rigidity from 6 to 16 GV (the penumbra), shows what agreement is worth.

`rows` returns the rows; ``python benchmarks/peers.py`` prints them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

import sim3d  # noqa: F401  (sets the kernel cache before numba is imported)
from geomag.cutoffs.cutoff import CutoffTracer, sky_map
from geomag.cutoffs.scanning import certain_rigidity_GV
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.tracing import DEFAULT_TOLERANCE, backtrack, trace_params

FOLDER = Path("output/peers")
LAT, LON, ALTITUDE_KM = 36.4257, 137.3103, 20.0
GTRACR_CORE = 12180.0
"""Trajectories per second of gtracr's table at its default tolerance on the core that the targets are stated for."""

REQUIREMENTS = {"gtracr": "gtracr==2.0.0", "otso": "OTSO==1.3.11"}
GTRACR_RATE = "back-tracking, gtracr, table, default tolerance"
OWN_RATE = "back-tracking, one at a time, error per step 0.0001"
OWN_BATCH_RATE = "back-tracking, sixteen at a time, error per step 0.0001"
OWN_MAP = "sky map 10 x 36, every 0.01 GV"
PENUMBRA_GV = 5.0
OWN_PENUMBRA_MAP = f"sky map 10 x 36, every 0.01 GV from {PENUMBRA_GV:g} GV (all allowed ones are above)"
TARGET_RATE, TARGET_AGREEMENT, TARGET_MAP_S = 20_000.0, 0.999, 6.0

Row = dict[str, Any]


class PeerError(RuntimeError):
    """A peer that cannot be installed or run; the text says why."""


@njit(nogil=True)
def _one_by_one(place, directions, rigidities, gauss, params, verdicts):
    """Fill verdicts[i] of arrivals at one place, with the kernel that the simulation uses."""
    x, y, z = place[0], place[1], place[2]
    for i in range(rigidities.shape[0]):
        ux, uy, uz = directions[i, 0], directions[i, 1], directions[i, 2]
        verdicts[i] = backtrack(x, y, z, ux, uy, uz, rigidities[i], gauss, params)


def verdicts_one_by_one(
    place: np.ndarray, directions: np.ndarray, rigidities: np.ndarray, field: FieldModel, params: np.ndarray
) -> np.ndarray:
    """Verdicts of the scalar kernel."""
    found = np.empty(len(rigidities), dtype=np.int8)
    _one_by_one(place, directions, rigidities, field.gauss, params, found)
    return found


class Sample:
    """Arrivals at Kamioka: directions above the horizon and rigidities (GV).

    Parameters
    ----------
    rigidities : array
        GV.
    seed : int
        Of the directions.
    """

    def __init__(self, rigidities: np.ndarray, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.rigidities = rigidities
        self.zenith = np.degrees(np.arccos(rng.random(len(rigidities))))
        self.azimuth = 360.0 * rng.random(len(rigidities))
        self.directions = arrival_direction(LAT, LON, self.zenith, self.azimuth)

    def reference(self, degree: int = 10, sphere: bool = False) -> np.ndarray:
        """Whether each is allowed, at an error per step of 1e-9, every degree kept and nothing decided early."""
        field = FieldModel("2020-01-01", degree)
        params = trace_params(field, ALTITUDE_KM, not sphere, 1e-9, shortcuts=False, truncation=0.0)
        return verdicts_one_by_one(start(sphere), self.directions, self.rigidities, field, params) == 1


def spectrum(count: int) -> Sample:
    """R^-2.7 from 1 to 60 GV."""
    share = np.random.default_rng(2).random(count)
    return Sample((1.0 + share * (60.0**-1.7 - 1.0)) ** (-1.0 / 1.7), 3)


def penumbra(count: int) -> Sample:
    """Uniform from 6 to 16 GV."""
    return Sample(np.random.default_rng(4).uniform(6.0, 16.0, count), 5)


def start(sphere: bool) -> np.ndarray:
    """Where they arrive, km: the latitude taken as geocentric and heights above 6371.2 km, or geodetic."""
    if not sphere:
        return geodetic_to_cartesian(LAT, LON, ALTITUDE_KM)
    lat, lon = np.radians(LAT), np.radians(LON)
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    return (EARTH_RADIUS_KM + ALTITUDE_KM) * up


def seconds(work: Callable[[], object], best_of: int = 3) -> float:
    """CPU seconds of the fastest of several runs; the first run, which compiles, is not counted."""
    work()
    found = []
    for _ in range(best_of):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def row(name: str, value: float, unit: str, peer: str = "", ratio: float | None = None) -> Row:
    """A row without a target."""
    return {
        "name": name,
        "value": float(value),
        "unit": unit,
        "peer": peer,
        "ratio": ratio,
        "target": None,
        "met": None,
    }


def with_target(line: Row, target: float, at_most: bool = False) -> Row:
    """The row with a target and whether it is met."""
    met = line["value"] <= target if at_most else line["value"] >= target
    return line | {"target": target, "met": bool(met)}


def environment(name: str) -> str:
    """Python of a peer's own environment, made and filled if need be.

    Parameters
    ----------
    name : str
        "gtracr" or "otso".

    Returns
    -------
    str
        Path of its Python.
    """
    python = FOLDER / name / "bin" / "python"
    marker = FOLDER / name / ".installed"
    if not marker.exists():
        commands = (
            [sys.executable, "-m", "venv", "--clear", str(FOLDER / name)],
            [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", REQUIREMENTS[name]],
        )
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
                raise PeerError(f"{REQUIREMENTS[name]} cannot be installed: {last}")
        marker.touch()
    return str(python.absolute())


def run_peer(name: str, given: dict[str, Any]) -> dict[str, np.ndarray]:
    """What a peer's script makes of the arrays given to it."""
    python = environment(name)
    told, answer = FOLDER / f"{name}-in.npz", FOLDER / f"{name}-out.npz"
    np.savez(told, **given)
    script = Path(__file__).with_name(f"peer_{name}.py")
    try:
        done = subprocess.run([python, script, told, answer], capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        raise PeerError(f"{REQUIREMENTS[name]} was stopped after ten minutes") from None
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        hint = " (Debian and Ubuntu: the package libgfortran5)" if "libgfortran" in last else ""
        raise PeerError(f"{REQUIREMENTS[name]} does not run: {last}{hint}")
    with np.load(answer) as found:
        return dict(found)


def ask(sample: Sample, **more: Any) -> dict[str, Any]:
    """What the peers' scripts read of a sample."""
    return {
        "lat": LAT,
        "lon": LON,
        "altitude_km": ALTITUDE_KM,
        "zenith_deg": sample.zenith,
        "azimuth_from_north_deg": sample.azimuth,
        "rigidity_GV": sample.rigidities,
    } | more


def scan_sample(count: int) -> tuple[Sample, int]:
    """Some trajectories of the sky map's scan, drawn evenly, and the number of all of them."""
    tracer = CutoffTracer(LAT, LON)
    zenith = np.repeat(np.degrees(np.arccos(np.arange(0.95, 0.0, -0.1))), 36)
    azimuth = np.tile(np.arange(5.0, 360.0, 10.0), 10)
    directions = arrival_direction(LAT, LON, zenith, azimuth)
    last = [int(np.ceil(certain_rigidity_GV(tracer.xyz_km, u, tracer.scanner.tracer) / 0.01)) for u in directions]
    total = sum(last)
    which = np.repeat(np.arange(len(last)), last)
    multiple = np.concatenate([np.arange(1, n + 1) for n in last])
    chosen = np.random.default_rng(6).choice(total, count, replace=False)
    some = object.__new__(Sample)
    some.rigidities = multiple[chosen] * 0.01
    some.zenith, some.azimuth = zenith[which[chosen]], azimuth[which[chosen]]
    some.directions = directions[which[chosen]]
    return some, total


def own_rows(count: int, hard_count: int) -> list[Row]:
    """This package's rows: rate and agreement, one at a time and sixteen at a time."""
    soft, hard = spectrum(count), penumbra(hard_count)
    truth_soft, truth_hard = soft.reference(), hard.reference()
    field, place, found = FieldModel("2020-01-01", 10), start(False), []
    order = np.argsort(soft.rigidities)
    for tolerance in (1e-3, DEFAULT_TOLERANCE, 1e-5, 1e-6, 1e-7):
        params = trace_params(field, ALTITUDE_KM, True, tolerance)
        batch = BatchTracer(field, params)

        def scalar(sample: Sample = soft, params: np.ndarray = params) -> np.ndarray:
            return verdicts_one_by_one(place, sample.directions, sample.rigidities, field, params)

        def lanes(sample: Sample = soft, batch: BatchTracer = batch) -> np.ndarray:
            return batch.verdicts(place, sample.directions, sample.rigidities)

        def sorted_lanes(batch: BatchTracer = batch) -> np.ndarray:
            return batch.verdicts(place, soft.directions[order], soft.rigidities[order])

        for title, work, timed in (("one at a time", scalar, scalar), ("sixteen at a time", lanes, sorted_lanes)):
            name = f"back-tracking, {title}, error per step {tolerance:g}"
            rate = row(name, count / seconds(timed), "trajectories/s")
            share = row(f"{name}: decisions as at 1e-9", ((work() == 1) == truth_soft).mean(), "share")
            worth = row(f"{name}: the same, 6-16 GV", ((work(hard) == 1) == truth_hard).mean(), "share")
            if tolerance == DEFAULT_TOLERANCE:
                share = with_target(share, TARGET_AGREEMENT)
            found += [rate, share, worth]
    return found


def map_seconds(lowest_GV: float | None = None) -> float:
    """CPU seconds of the 10 x 36 sky map with every rigidity in steps of 0.01 GV, tables and bounds included.

    Parameters
    ----------
    lowest_GV : float, optional
        Where the scan starts; it must be below every allowed rigidity.  The lowest step if not given.

    Returns
    -------
    float
        Seconds.
    """
    made = []
    spent = seconds(lambda: made.append(sky_map(CutoffTracer(LAT, LON, lowest_GV=lowest_GV, precise=False))), best_of=2)
    if lowest_GV is not None and made[-1].lower_GV.min() < lowest_GV + 0.5:
        raise RuntimeError(f"the penumbra reaches down to {lowest_GV:g} GV: the scan must start lower")
    return spent


def gtracr_rows(own_rate: float, own_map_s: float) -> list[Row]:
    """gtracr's rows; the ratio is ours over theirs, of a time theirs over ours."""
    settings = ["table, default tolerance", "table, tight tolerance", "direct IGRF, default tolerance"]
    soft, hard = spectrum(2000), penumbra(2000)
    scan, total = scan_sample(4000)
    for_soft = run_peer("gtracr", ask(soft, settings=settings))
    for_hard = run_peer("gtracr", ask(hard, settings=settings))
    for_scan = run_peer("gtracr", ask(scan, settings=settings[:1]))
    lines = peer_lines("gtracr", for_soft, for_hard, soft.reference(13, True), hard.reference(13, True), own_rate)
    spent = float(for_scan[f"seconds {settings[0]}"]) * total / len(scan.rigidities)
    name = f"sky map 10 x 36, gtracr, {settings[0]}, the same {total} trajectories (scaled from 4000)"
    return [*lines, row(name, spent, "s", "sim3d", spent / own_map_s)]


def otso_rows(own_rate: float, own_map_s: float) -> list[Row]:
    """OTSO's rows; the ratio is ours over theirs, of a time theirs over ours."""
    soft, hard = spectrum(500), penumbra(500)
    zenith, azimuth = np.degrees(np.arccos([0.95, 0.75, 0.55, 0.35, 0.15])), np.array([85.0, 175.0, 265.0, 355.0, 85.0])
    directions = {"map_zenith_deg": zenith, "map_azimuth_deg": azimuth}
    none = {key: value[:0] for key, value in directions.items()}
    for_soft = run_peer("otso", ask(soft, **directions))
    for_hard = run_peer("otso", ask(hard, **none))
    lines = peer_lines("OTSO", for_soft, for_hard, soft.reference(13), hard.reference(13), own_rate)
    for key, value in for_soft.items():
        if key.startswith("map seconds "):
            spent = float(value) * 360.0 / len(zenith)
            setting = key.removeprefix("map seconds ")
            name = f"sky map 10 x 36, OTSO, {setting}, its scan of the penumbra alone (scaled from 5 directions)"
            lines.append(row(name, spent, "s", "sim3d", spent / own_map_s))
    return lines


def peer_lines(
    peer: str,
    for_soft: dict[str, np.ndarray],
    for_hard: dict[str, np.ndarray],
    soft_truth: np.ndarray,
    hard_truth: np.ndarray,
    own_rate: float,
) -> list[Row]:
    """Rate and agreement of each setting of a peer."""
    lines = []
    for key in (k for k in for_soft if k.startswith("verdicts ")):
        setting = key.removeprefix("verdicts ")
        theirs = len(soft_truth) / float(for_soft[f"seconds {setting}"])
        name = f"back-tracking, {peer}, {setting}"
        lines += [
            row(name, theirs, "trajectories/s", "sim3d, one at a time, 0.0001", own_rate / theirs),
            row(f"{name}: decisions as at 1e-9", ((for_soft[key] == 1) == soft_truth).mean(), "share"),
            row(f"{name}: the same, 6-16 GV", ((for_hard[key] == 1) == hard_truth).mean(), "share"),
        ]
    return lines


def rows(report: Callable[[str], object] = print) -> list[Row]:
    """All rows of back-tracking and of the sky map, peers included where they run.

    Parameters
    ----------
    report : callable
        Given one line of text when a peer is skipped.

    Returns
    -------
    list of dict
        name, value, unit, peer, ratio, target, met.
    """
    found = own_rows(20_000, 5_000)
    own_rate = found[[r["name"] for r in found].index(OWN_RATE)]["value"]
    own_map_s = map_seconds()
    scale: float | None = None
    for peer, make in (("gtracr", gtracr_rows), ("OTSO", otso_rows)):
        try:
            lines = make(own_rate, own_map_s)
        except PeerError as reason:
            report(f"{peer} is left out: {reason}")
            continue
        if peer == "gtracr":
            scale = lines[0]["value"] / GTRACR_CORE
        found += lines
    # the targets are stated for a core of known speed: a row for that core stands beside each that has one
    found += [row(OWN_MAP, own_map_s, "s"), row(OWN_PENUMBRA_MAP, map_seconds(PENUMBRA_GV), "s")]
    targets: tuple[tuple[str, float | None], ...] = (
        (OWN_RATE, None),
        (OWN_BATCH_RATE, TARGET_RATE),
        (OWN_MAP, None),
        (OWN_PENUMBRA_MAP, TARGET_MAP_S),
    )
    for name, target in targets:
        line = next(r for r in found if r["name"] == name)
        at_most = name in (OWN_MAP, OWN_PENUMBRA_MAP)
        if scale is not None:
            value = line["value"] * scale if at_most else line["value"] / scale
            line = row(f"{name}: on a core where gtracr's table does {GTRACR_CORE:g}/s", value, line["unit"])
            found.append(line | {"peer": "gtracr's table", "ratio": scale})
            line = found[-1]
        if target is not None:
            line.update(with_target(line, target, at_most))
    return found


def core_speed(found: list[Row]) -> float | None:
    """Speed of this core relative to the one that targets are stated for; None where gtracr was not measured."""
    for line in found:
        if line["name"] == GTRACR_RATE:
            return float(line["value"]) / GTRACR_CORE
    return None


def print_rows(found: list[Row]) -> None:
    """Print rows, each with its ratio to a peer and whether its target is met."""
    for line in found:
        ratio = "" if line["ratio"] is None else f"  ratio {line['ratio']:.3g} to {line['peer']}"
        met = {None: "", True: "  (met)", False: "  (NOT met)"}[line["met"]]
        print(f"{line['name']}: {line['value']:.5g} {line['unit']}{ratio}{met}", flush=True)


def main() -> int:
    """Measure and print the rows."""
    print_rows(rows())
    return 0


if __name__ == "__main__":
    sys.exit(main())
