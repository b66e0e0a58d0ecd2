"""Cutoffs: Stoermer's in a dipole, definitions, sky maps, the east-west sign, and the intensity map."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geomag.cutoffs.cutoff import Cutoff, CutoffTracer, cutoff, reduce_scan, sky_map
from geomag.cutoffs.intensity import hemisphere, intensity_map
from geomag.cutoffs.scanning import scan
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.geodesy import arrival_direction
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.early_verdicts import CURVATURE
from geomag.trajectories.tracing import backtrack, trace_params

B0_NT = 29790.0


def stoermer_GV(lat_deg: float, cos_gamma: float, radius: float = 1.0) -> float:
    """Stoermer's lower bound, cos_gamma of the momentum to magnetic west (+1: particle from the east).

    With the Stoermer length, R = (C/r^2) cos^4 / (1 + sqrt(1 + cos_gamma cos^3))^2, C = 4 * 14.225 GV
    (C. Stoermer, The Polar Aurora, 1955).
    """
    constant = CURVATURE * B0_NT * EARTH_RADIUS_KM / radius**2
    c = math.cos(math.radians(lat_deg))
    return constant * c**4 / (1.0 + math.sqrt(1.0 - cos_gamma * c**3)) ** 2


@pytest.fixture(scope="module")
def dipole() -> FieldModel:
    return FieldModel.dipole(B0_NT)


@pytest.fixture(scope="module")
def field() -> FieldModel:
    return FieldModel("2020-01-01", 10)


@pytest.mark.parametrize(("zenith", "azimuth"), [(0, 0), (30, 90), (60, 90), (30, 270), (60, 270)])
def test_stoermer_on_the_magnetic_equator(dipole: FieldModel, zenith: float, azimuth: float) -> None:
    radius = 1.2
    params = trace_params(dipole, 0.0, False, 1e-7)
    xyz = np.array([radius * EARTH_RADIUS_KM, 0.0, 0.0])
    u = arrival_direction(0.0, 0.0, zenith, azimuth)
    # momentum to the west is where a particle from the east goes
    expected = stoermer_GV(0.0, -u[1], radius)
    if azimuth != 0:
        assert (expected > stoermer_GV(0.0, 0.0, radius)) == (azimuth == 90)
    below, above = (backtrack(*xyz, *u, expected * f, dipole.gauss, params) for f in (0.995, 1.005))
    assert below != 1  # from the west it may stay trapped above the floor: undecided
    assert above == 1


def test_stoermer_constant() -> None:
    assert stoermer_GV(0.0, 0.0) == pytest.approx(14.225, abs=5e-3)


@pytest.mark.parametrize("lat", [10.0, 20.0, 30.0])
def test_nothing_is_allowed_below_stoermer(dipole: FieldModel, lat: float) -> None:
    xyz = EARTH_RADIUS_KM * np.array([math.cos(math.radians(lat)), 0.0, math.sin(math.radians(lat))])
    params = trace_params(dipole, 0.0, False, 1e-6)
    u = arrival_direction(lat, 0.0, 0.0, 0.0)
    first, (verdicts,) = scan(xyz, u[None], BatchTracer(dipole, params), 0.02, 0.3 * stoermer_GV(lat, 0.0))
    found = reduce_scan(first, verdicts, 0.02)
    bound = stoermer_GV(lat, 0.0)
    assert found.lower_GV > 0.995 * bound
    # the true upper cutoff in a dipole over the Earth is higher: 3, 13 and 26 per cent
    excess = {10.0: 1.03, 20.0: 1.13, 30.0: 1.26}[lat]
    assert found.upper_GV / bound == pytest.approx(excess, abs=0.02)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([0, 0, 0, 1, 1], (0.4, 0.4, 0.4)),
        ([0, 1, 0, 1, 0, 1, 1], (0.6, 0.2, 0.4)),
        ([0, 1, 2, 1, 1], (0.4, 0.2, 0.3)),
        ([1, 1, 1], (0.1, 0.1, 0.1)),
        ([1, 0, 1], (0.3, 0.1, 0.2)),
    ],
)
def test_definitions(verdicts: list[int], expected: tuple[float, float, float]) -> None:
    found = reduce_scan(1, np.array(verdicts), 0.1)
    assert (found.upper_GV, found.lower_GV, found.effective_GV) == pytest.approx(expected)
    assert found.undecided == verdicts.count(2)


def test_scan_begins_above_which_everything_is_allowed(field: FieldModel) -> None:
    tracer = CutoffTracer(36.4257, 137.3103, field=field, step_GV=0.5)
    for zenith, azimuth in ((0, 0), (60, 90), (85, 90), (90, 270)):
        found = tracer.cutoff(zenith, azimuth)
        assert found.upper_GV < found.scanned_GV[1]
        assert found.lower_GV <= found.effective_GV <= found.upper_GV


def test_cutoff_from_the_east_is_higher_than_from_the_west(field: FieldModel) -> None:
    east = cutoff(36.4257, 137.3103, 60.0, 90.0, field=field, step_GV=0.1)
    west = cutoff(36.4257, 137.3103, 60.0, 270.0, field=field, step_GV=0.1)
    assert east.effective_GV > 2.0 * west.effective_GV


def test_vertical_cutoff_of_kamioka(field: FieldModel) -> None:
    found = cutoff(36.4257, 137.3103, field=field)
    assert isinstance(found, Cutoff)
    # frozen from this code (tolerance 1e-5); the penumbra's chaos leaves a few steps of freedom
    assert found.upper_GV == pytest.approx(11.53, abs=0.03)
    assert found.lower_GV == pytest.approx(9.26, abs=0.05)
    assert found.effective_GV == pytest.approx(10.70, abs=0.05)


def test_cutoffs_at_the_pole_are_the_lowest_rigidity(field: FieldModel) -> None:
    found = cutoff(-90.0, 0.0, field=field, step_GV=0.1)
    assert found.upper_GV == found.lower_GV == found.effective_GV == pytest.approx(0.1)


def test_sky_map_is_the_single_cutoffs(field: FieldModel) -> None:
    tracer = CutoffTracer(46.475, -81.2011, field=field, step_GV=0.2)
    ticks: list[int] = []
    sky = sky_map(tracer, np.array([20.0, 70.0]), np.array([0.0, 90.0, 270.0]), ticks.append)
    assert sky.upper_GV.shape == (2, 3)
    assert sum(ticks) == 6
    assert sky.effective_GV[1, 2] == tracer.cutoff(70.0, 270.0).effective_GV


@pytest.mark.parametrize(
    ("keywords", "word"),
    [
        ({"lat": 95.0}, "lat = 95"),
        ({"lon": 361.0}, "lon = 361"),
        ({"lat": float("nan")}, "lat = nan"),
        ({"step_GV": 0.0}, "step = 0"),
        ({"altitude_km": -1.0}, "altitude"),
        ({"altitude_km": 10.0}, "floor = 20"),
        ({"zenith_deg": 91.0}, "zenith = 91"),
        ({"azimuth_from_north_deg": 400.0}, "azimuth-from-north = 400"),
        ({"lowest_GV": -1.0}, "lowest = -1"),
    ],
)
def test_bad_input_names_the_field(field: FieldModel, keywords: dict, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word) as caught:
        cutoff(**({"lat": 36.0, "lon": 137.0, "field": field} | keywords))
    assert "\n" not in str(caught.value)


def test_hemisphere_has_the_right_mean_cosine() -> None:
    for weighting, mean in (("solid-angle", 0.5), ("cosine", 2.0 / 3.0)):
        sources = hemisphere(2000, weighting)
        np.testing.assert_allclose(np.linalg.norm(sources, axis=1), 1.0)
        assert sources[:, 2].mean() == pytest.approx(mean, abs=1e-3)
        assert np.abs(sources[:, :2].mean(axis=0)).max() < 1e-2


def test_intensity_map_has_closed_equator_and_open_poles(field: FieldModel) -> None:
    found = intensity_map(4.0, field, cell_deg=30.0, directions=20)
    assert found.fraction.shape == (6, 12)
    assert found.fraction[2:4].max() == 0.0
    assert found.fraction[[0, -1]].min() > 0.6
    hard = intensity_map(500.0, field, cell_deg=45.0, directions=20)
    assert hard.fraction.min() == 1.0


@pytest.mark.parametrize(
    ("keywords", "word"),
    [
        ({"cell_deg": 7.0}, "divide 180"),
        ({"weighting": "flat"}, "cosine"),
        ({"directions": 0}, "directions = 0"),
    ],
)
def test_bad_input_of_the_intensity_map(field: FieldModel, keywords: dict, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word):
        intensity_map(4.0, field, **keywords)
