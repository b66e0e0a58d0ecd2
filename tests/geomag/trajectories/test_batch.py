"""Sixteen trajectories at a time: the verdicts of one at a time, the bounds, and the certain decisions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from geomag.cutoffs.cutoff import CutoffTracer, reduce_scan, sky_map
from geomag.cutoffs.scanning import scan
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.early_verdicts import horizontal_bound
from geomag.trajectories.lockstep import ADIABATIC_SHARE
from geomag.trajectories.reference import reference_trace
from geomag.trajectories.sharper_verdicts import STEEPEST, decide, escape_is_certain_at, lowest_cutoff_GV
from geomag.trajectories.tracing import backtrack, trace_params

KAMIOKA = geodetic_to_cartesian(36.4257, 137.3103, 20.0)


@njit(nogil=True)
def _fill(places, directions, rigidities, gauss, params, verdicts):
    for i in range(rigidities.shape[0]):
        x, y, z = places[i, 0], places[i, 1], places[i, 2]
        ux, uy, uz = directions[i, 0], directions[i, 1], directions[i, 2]
        verdicts[i] = backtrack(x, y, z, ux, uy, uz, rigidities[i], gauss, params)


def one_by_one(places, directions, rigidities, field: FieldModel, params: np.ndarray) -> np.ndarray:
    verdicts = np.empty(len(rigidities), dtype=np.int8)
    shape = (len(rigidities), 3)
    _fill(*(np.broadcast_to(a, shape).copy() for a in (places, directions)), rigidities, field.gauss, params, verdicts)
    return verdicts


def sample(count: int, seed: int, low: float, high: float, index: float) -> tuple[np.ndarray, np.ndarray]:
    """Isotropic above the horizon of Kamioka, rigidities on a power law."""
    rng = np.random.default_rng(seed)
    power = 1.0 - index
    rigidity = (low**power + rng.uniform(size=count) * (high**power - low**power)) ** (1.0 / power)
    zenith = np.degrees(np.arccos(rng.uniform(size=count)))
    return arrival_direction(36.4257, 137.3103, zenith, rng.uniform(0.0, 360.0, count)), rigidity


@pytest.fixture(scope="module")
def field() -> FieldModel:
    return FieldModel("2020-01-01", 10)


@pytest.fixture(scope="module")
def tracer(field: FieldModel) -> BatchTracer:
    return BatchTracer(field, trace_params(field, 20.0, True, 1e-5))


def test_verdicts_are_those_of_a_tight_integration(field: FieldModel, tracer: BatchTracer) -> None:
    tight = trace_params(field, 20.0, True, 1e-9, shortcuts=False, truncation=0.0)
    # far from the penumbra nearly all agree; in the middle of it, where trajectories are chaotic, most
    for index, low, high, limit in ((2.7, 1.0, 60.0, 0.001), (0.0, 6.0, 16.0, 0.006)):
        directions, rigidities = sample(2000, 31, low, high, index)
        truth = one_by_one(KAMIOKA, directions, rigidities, field, tight)
        found = tracer.verdicts(KAMIOKA, directions, rigidities)
        assert ((found == 1) != (truth == 1)).mean() <= limit


def test_a_verdict_does_not_depend_on_its_neighbours(tracer: BatchTracer) -> None:
    directions, rigidities = sample(2000, 32, 6.0, 16.0, 0.0)
    found = tracer.verdicts(KAMIOKA, directions, rigidities)
    order = np.random.default_rng(1).permutation(len(rigidities))
    np.testing.assert_array_equal(tracer.verdicts(KAMIOKA, directions[order], rigidities[order]), found[order])
    for i in (0, 7, 500):
        assert tracer.verdicts(KAMIOKA, directions[i], rigidities[i : i + 1])[0] == found[i]


@pytest.mark.parametrize("geodetic", [False, True])
def test_certain_decisions_are_right(field: FieldModel, geodetic: bool) -> None:
    params = trace_params(field, 20.0, geodetic, 1e-8)
    plain = trace_params(field, 20.0, geodetic, 1e-8, max_path_radii=300.0, shortcuts=False, truncation=0.0)
    bounds = BatchTracer(field, params).bounds
    rng = np.random.default_rng(33)
    count = 20000
    up = rng.normal(size=(count, 3))
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    places = up * (EARTH_RADIUS_KM * np.exp(rng.uniform(0.004, 0.8, count)))[:, None]
    backwards = rng.normal(size=(count, 3))
    backwards /= np.linalg.norm(backwards, axis=1, keepdims=True)
    rigidities = np.exp(rng.uniform(0.0, 4.5, count))
    stretched = places * np.array([1.0, 1.0, params[1]])
    found = np.empty(count, dtype=np.int8)
    for i in range(count):
        q, dq = 0.5 * places[i] @ stretched[i], backwards[i] @ stretched[i]
        r = math.sqrt(places[i] @ places[i])
        mu = places[i] @ backwards[i] / r
        found[i] = decide(q, dq, r, mu, 0.0, rigidities[i], field.degree, params, bounds)
    early = np.flatnonzero(found >= 0)
    assert min((found == 0).sum(), (found == 1).sum()) > 300
    truth = one_by_one(places[early], -backwards[early], rigidities[early], field, plain)
    np.testing.assert_array_equal(found[early], truth)


def test_certain_escape_reaches_ten_radii_within_its_share_of_path() -> None:
    """By its own bound on the sine: the path left is below half of the longest, which `trace_params` allows."""
    worst = 0.0
    for radius in (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0):
        edges = np.linspace(radius, 10.0, 4001)
        share = radius / (0.5 * (edges[1:] + edges[:-1]))
        for sine in np.linspace(0.0, STEEPEST - 1e-6, 40):
            for kappa in np.linspace(0.02, 3.99, 120):
                if escape_is_certain_at(kappa, math.sqrt(1.0 - sine * sine)):
                    across = np.minimum(share * (sine + kappa * (1.0 - share)), 1.0 - 1e-9)
                    if kappa >= 0.95:
                        assert across.max() < STEEPEST + 1e-6
                        worst = max(worst, (np.diff(edges) / np.sqrt(1.0 - across**2)).sum())
    assert worst < 50.0


def test_bound_on_the_whole_horizontal_field(field: FieldModel, tracer: BatchTracer) -> None:
    rng = np.random.default_rng(34)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 20000))), rng.uniform(-180, 180, 20000)
    for radius in (6400.0, 7000.0, 9000.0, 15000.0, 60000.0):
        enu = field.field_enu(lat, lon, radius)
        largest = np.hypot(enu[:, 0], enu[:, 1]).max()
        bound = tracer.horizontal_bound_nT(radius)
        assert largest < bound < 1.25 * largest
        assert bound <= horizontal_bound(radius, tracer.params, field.degree)


@pytest.mark.parametrize(("lat", "lon"), [(36.4, 137.3), (46.5, -81.2), (-30.0, -50.0), (5.0, 80.0), (62.0, 20.0)])
def test_nothing_far_below_stoermers_cutoff_is_allowed(field: FieldModel, lat: float, lon: float) -> None:
    """Where steps are looser, a tight integration and this one find the same: nothing comes in."""
    params = trace_params(field, 20.0, True, 1e-6)
    tracer = BatchTracer(field, params)
    place = geodetic_to_cartesian(lat, lon, 20.0)
    top = ADIABATIC_SHARE * lowest_cutoff_GV(*place, tracer.bounds)
    rng = np.random.default_rng(35)
    rigidities = np.sort(top * rng.uniform(0.2, 1.0, 150))
    directions = arrival_direction(lat, lon, np.degrees(np.arccos(rng.random(150))), 360.0 * rng.random(150))
    assert (one_by_one(place, directions, rigidities, field, params) != 1).all()
    assert (tracer.verdicts(place, directions, rigidities) != 1).all()


def test_inputs_are_checked(tracer: BatchTracer) -> None:
    down = -KAMIOKA / np.linalg.norm(KAMIOKA)
    assert tracer.verdicts(KAMIOKA, down, np.empty(0)).shape == (0,)
    assert list(tracer.verdicts(KAMIOKA, down, np.array([1.0, 100.0]))) == [0, 1]
    with pytest.raises(GeomagInputError, match="positive"):
        tracer.verdicts(KAMIOKA, down, np.array([1.0, 0.0]))
    with pytest.raises(GeomagInputError, match="shape"):
        tracer.verdicts(KAMIOKA[:2], down, np.array([1.0]))


def _against_reference(field: FieldModel, zenith: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Upper and effective cutoffs less those of every 0.01 GV traced one by one at 1e-9, GV."""
    tracer = CutoffTracer(36.4257, 137.3103, field=field)
    tight = trace_params(field, 20.0, True, 1e-9, shortcuts=False, truncation=0.0)
    directions = arrival_direction(tracer.lat, tracer.lon, zenith, azimuth)
    first, scans = scan(tracer.xyz_km, directions, tracer.scanner.tracer)
    found = []
    for direction, verdicts in zip(directions, scans, strict=True):
        rigidities = np.arange(first, first + len(verdicts)) * 0.01
        truth = one_by_one(tracer.xyz_km, direction, rigidities, field, tight)
        ours, theirs = reduce_scan(first, verdicts, 0.01), reduce_scan(first, truth, 0.01)
        found.append([ours.upper_GV - theirs.upper_GV, ours.effective_GV - theirs.effective_GV])
    return np.array(found)


def test_cutoffs_against_a_slow_reference(field: FieldModel) -> None:
    away = _against_reference(field, np.array([41.4]), np.array([65.0]))
    assert np.abs(away[:, 1]).max() < 0.065


@pytest.mark.slow
def test_sky_map_against_a_slow_reference(field: FieldModel) -> None:
    """The effective cutoff, over 40 directions of the 10 x 36 map: 0.014 GV rms, no bias."""
    zenith = np.repeat(np.degrees(np.arccos(np.arange(0.95, 0.0, -0.1))), 4)
    azimuth = np.tile([5.0, 95.0, 185.0, 275.0], 10) + np.repeat(np.arange(10) * 10.0, 4)
    away = _against_reference(field, zenith, azimuth)
    upper, effective = away.T
    assert np.sqrt((effective**2).mean()) < 0.02
    assert abs(effective.mean()) < 0.008
    assert np.abs(effective).max() < 0.1
    # an upper cutoff can hang on one rigidity of the penumbra
    assert (np.abs(upper) > 0.011).mean() < 0.25


@pytest.mark.slow
def test_back_tracking_agrees_in_999_of_1000(field: FieldModel) -> None:
    """Kamioka, 20 km, R^-2.7 from 1 to 60 GV, at the simulation's tolerance; scipy's DOP853 for some of them."""
    directions, rigidities = sample(20_000, 36, 1.0, 60.0, 2.7)
    tight = trace_params(field, 20.0, True, 1e-9, shortcuts=False, truncation=0.0)
    truth = one_by_one(KAMIOKA, directions, rigidities, field, tight) == 1
    quick = trace_params(field, 20.0, True, 1e-4)
    for found in (
        one_by_one(KAMIOKA, directions, rigidities, field, quick),
        BatchTracer(field, quick).verdicts(KAMIOKA, directions, rigidities),
    ):
        assert ((found == 1) == truth).mean() >= 0.999
    floor = (6378.137 + 20.0, 6356.752314 + 20.0)
    independent = [reference_trace(KAMIOKA, directions[i], rigidities[i], field, *floor).verdict for i in range(150)]
    np.testing.assert_array_equal(np.array(independent) == 1, truth[:150])


def test_sky_map_in_rows_is_the_single_directions(field: FieldModel) -> None:
    tracer = CutoffTracer(46.475, -81.2011, field=field, step_GV=0.1)
    azimuth = np.array([10.0, 130.0, 250.0])
    sky = sky_map(tracer, np.array([30.0]), azimuth)
    for j, az in enumerate(azimuth):
        assert tracer.cutoff(30.0, float(az)).effective_GV == sky.effective_GV[0, j]
