"""Primary protons in bands of geomagnetic latitude: the share that arrives, its errors, and the command."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from scipy import stats

from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.geodesy import cartesian_to_geodetic, local_axes
from sim3d.cli import main
from sim3d.errors import InputError
from sim3d.primaries.build import primary_model
from sim3d.studies.latitude_bands import (
    BAND_COLUMNS,
    BAND_EDGES_RAD,
    DEFAULT_DATE,
    dipole_axis,
    draw_arrivals,
    latitude_bands,
    passes_half,
    share_error,
    stoermer_vertical_GV,
)

SAMPLES = 100
ALTITUDE_KM = 380.0
PROTON_GEV = 0.938272


def _energy(gv):
    return np.sqrt(np.asarray(gv) ** 2 + PROTON_GEV**2) - PROTON_GEV


def _extreme_GV(field, latitude, cone_deg, sign):
    """Stoermer's cutoff at the edge of the cone, lowest in the west (+1) and highest in the east (-1)."""
    x = sign * math.sin(math.radians(cone_deg)) * math.cos(latitude) ** 3
    vertical = float(stoermer_vertical_GV(field, latitude, EARTH_RADIUS_KM + ALTITUDE_KM))
    return 4.0 * vertical / (1.0 + math.sqrt(1.0 + x)) ** 2


@pytest.fixture(scope="module")
def dipole():
    """The centred dipole of the default field."""
    igrf = FieldModel(DEFAULT_DATE)
    return FieldModel.from_coefficients(igrf.g[:2, :2], igrf.h[:2, :2])


@pytest.fixture(scope="module")
def found():
    """All bands in the IGRF, few trajectories."""
    return latitude_bands(primary_model("ghls2001-average"), samples=SAMPLES)


def test_places_and_directions(dipole):
    """Within band and cone, at the altitude, even in area and solid angle, both hemispheres."""
    n, band = 4000, (0.4, 0.6)
    places, momenta = draw_arrivals(dipole, band, ALTITUDE_KM, 32.0, n, np.random.default_rng(5))
    lat, lon, height = cartesian_to_geodetic(places)
    np.testing.assert_allclose(height, ALTITUDE_KM, atol=0.005)
    sine = places @ dipole_axis(dipole) / np.linalg.norm(places, axis=1)
    low, high = np.sin(band)
    assert stats.kstest((np.abs(sine) - low) / (high - low), "uniform").pvalue > 1e-3
    assert stats.binomtest(int((sine > 0).sum()), n).pvalue > 1e-3
    np.testing.assert_allclose(np.linalg.norm(momenta, axis=1), 1.0, rtol=1e-12)
    axes = local_axes(lat, lon)
    east, north, up = -np.einsum("ijk,ik->ji", axes, momenta)
    assert stats.kstest((1.0 - up) / (1.0 - math.cos(math.radians(32.0))), "uniform").pvalue > 1e-3
    assert stats.kstest(np.arctan2(east, north) / (2.0 * math.pi) + 0.5, "uniform").pvalue > 1e-3


def test_axis_and_stoermer():
    """The geomagnetic pole of 2020 is at 80.7 N, 72.7 W; Stoermer's constant is near 14.9 GV in 1955, 14.4 in 1998."""
    x, y, z = dipole_axis(FieldModel("2020-01-01"))
    assert math.degrees(math.asin(z)) == pytest.approx(80.65, abs=0.1)
    assert math.degrees(math.atan2(y, x)) == pytest.approx(-72.68, abs=0.1)
    assert float(stoermer_vertical_GV(FieldModel("1955-01-01"), 0.0, EARTH_RADIUS_KM)) == pytest.approx(14.9, abs=0.1)
    assert float(stoermer_vertical_GV(FieldModel("1998-07-01"), 0.0, EARTH_RADIUS_KM)) == pytest.approx(14.4, abs=0.1)


def test_dipole_keeps_to_stoermer(dipole):
    """At a dipole's equator: nothing below Stoermer's lowest cutoff of the cone, half at about his vertical one.

    Below his cutoff a trajectory is bound whatever the phase (exact in a dipole); above the highest one of the cone
    all is allowed but for the Earth's shadow, which rays within 32 degrees of the zenith are out of.
    """
    radius = EARTH_RADIUS_KM + ALTITUDE_KM
    # the ellipsoid's places are at most 7 km farther from the centre than the radius of the formula
    lowest = _extreme_GV(dipole, 0.2, 32.0, 1.0) * 0.995
    highest = _extreme_GV(dipole, 0.0, 32.0, -1.0) * 1.005
    assert lowest < float(stoermer_vertical_GV(dipole, 0.1, radius)) < highest
    gv = np.concatenate([lowest * np.array([0.5, 0.8, 1.0]), np.linspace(11.0, 14.5, 8), highest * np.array([1, 1.5])])
    result = latitude_bands(
        primary_model("ghls2001-average"),
        dipole,
        samples=400,
        edges_rad=(0.0, 0.2),
        energy_GeV=_energy(gv),
        altitude_km=ALTITUDE_KM,
    )
    (band,) = result.bands
    np.testing.assert_allclose(result.rigidity_GV, gv, rtol=1e-3)
    assert np.all(band.share[:3] == 0.0)
    assert np.all(band.share[-2:] == 1.0)
    # three errors, and 2% for the penumbra and the spread of the band
    assert abs(band.cutoff_GV - band.stoermer_GV) < 3.0 * band.cutoff_error_GV + 0.02 * band.stoermer_GV


def test_equator_of_the_igrf(found):
    """The field at the equator differs from the dipole's by up to a third: bounds from Stoermer, that much wider."""
    field, band = FieldModel(DEFAULT_DATE), found.bands[0]
    low, high = _extreme_GV(field, 0.2, 32.0, 1.0) / 1.35, _extreme_GV(field, 0.0, 32.0, -1.0) * 1.35
    assert 6.0 < low < 8.0
    assert 20.0 < high < 26.0
    assert np.all(band.share[found.rigidity_GV < low] == 0.0)
    assert np.all(band.share[found.rigidity_GV > high] == 1.0)


def test_poles_let_everything_in(found):
    """Stoermer's vertical cutoff at 1.4 rad is 0.01 GV: all is allowed above 1 GV and the flux is the model's."""
    band = found.bands[-1]
    open_to_all = found.rigidity_GV > 1.0
    assert np.all(band.share[open_to_all] == 1.0)
    np.testing.assert_array_equal(band.flux[open_to_all], found.outside[open_to_all])
    assert math.isnan(band.cutoff_GV)


def test_share_rises_with_rigidity_and_latitude(found):
    """No fall by more than four errors from one energy to the next, and cutoffs fall towards the poles."""
    for band in found.bands:
        error = np.hypot(band.share_error[1:], band.share_error[:-1])
        assert np.all(np.diff(band.share) > -4.0 * error)
    cutoffs = [band.cutoff_GV for band in found.bands[:6]]
    assert np.all(np.diff(cutoffs) < 0.0)
    for band in found.bands[:5]:
        # the field differs from its dipole's by up to a third, and in a band the half is not the middle's
        assert 0.75 < band.cutoff_GV / band.stoermer_GV < 1.33


def test_errors(found):
    """Binomial in the middle, about 1/n at the ends, and such that other seeds scatter by them."""
    assert float(share_error(250, 500)) == pytest.approx(math.sqrt(0.25 / 500), rel=0.01)
    assert 0.5 / 500 < float(share_error(0, 500)) == float(share_error(500, 500)) < 2.0 / 500
    band = found.bands[3]
    np.testing.assert_allclose(band.flux_error, band.share_error * found.outside, rtol=1e-12)
    few = {"samples": 100, "edges_rad": (0.6, 0.8), "energy_GeV": [3.0, 4.0, 5.0, 6.0]}
    runs = [latitude_bands(primary_model("ghls2001-average"), seed=seed, **few).bands[0] for seed in range(12)]
    shares = np.array([run.share for run in runs])
    chi2 = (((shares - shares.mean(axis=0)) / np.mean([run.share_error for run in runs], axis=0)) ** 2).sum()
    assert 1e-4 < stats.chi2.sf(chi2, 4 * 11) < 1.0 - 1e-4


def test_same_seed_same_numbers():
    """Bitwise with one seed, not with another."""
    few = {"samples": 50, "edges_rad": (0.6, 0.8), "energy_GeV": [3.0, 4.0, 5.0]}
    one, two, other = (
        latitude_bands(primary_model("ghls2001-average"), seed=seed, **few).bands[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.flux, two.flux)
    assert not np.array_equal(one.flux, other.flux)


def test_half():
    """In the middle of a symmetric step; none without a crossing."""
    gv, error = np.array([1.0, 2.0, 4.0, 8.0]), np.full(4, 0.02)
    value, sigma = passes_half(gv, np.array([0.0, 0.2, 0.8, 1.0]), error)
    assert value == pytest.approx(math.sqrt(8.0))
    # the middle of two errors of 0.02 is known to 0.0141; the slope is 0.6 in ln 2
    assert sigma == pytest.approx(value * 0.02 / math.sqrt(2.0) * math.log(2.0) / 0.6)
    assert math.isnan(passes_half(gv, np.ones(4), error)[0])
    assert math.isnan(passes_half(gv, np.zeros(4), error)[0])


def test_command(tmp_path, capsys):
    """Text that says what is left out; JSON, CSV and figure with the same numbers."""
    arguments = ["primaries", "--latitudes", "--samples", "20"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "no secondary (albedo) protons" in text
    assert "altitude 380 km" in text
    assert main([*arguments, "--json", "-o", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["altitude_km"], document["cone_deg"], document["date"]) == (380.0, 32.0, DEFAULT_DATE)
    assert "albedo" in document["note"]
    assert len(document["bands"]) == len(BAND_EDGES_RAD) - 1
    assert document["bands"][-1]["cutoff_GV"] is None
    lines = (tmp_path / "primaries-latitudes.csv").read_text().splitlines()
    assert any("albedo" in line for line in lines if line.startswith("#"))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert tuple(rows[0]) == BAND_COLUMNS
    assert len(rows) == len(document["bands"]) * len(document["energy_GeV"])
    assert float(rows[-1]["flux"]) == pytest.approx(document["bands"][-1]["flux"][-1], rel=1e-6)
    assert (tmp_path / "primaries-latitudes.png").stat().st_size > 10000


@pytest.mark.parametrize(
    "arguments",
    [
        ["--altitude", "400"],
        ["--latitudes", "--altitude", "-1"],
        ["--latitudes", "--altitude", "nan"],
        ["--latitudes", "--cone", "91"],
        ["--latitudes", "--samples", "0"],
        ["--latitudes", "--seed", "-1"],
        ["--latitudes", "--date", "1850-01-01"],
        ["--latitudes", "--list"],
        ["--latitudes", "--model", "ghls2001-low", "--model", "ghls2001-high"],
    ],
)
def test_bad_input(arguments, capsys):
    """Status 2 and one line."""
    assert main(["primaries", *arguments]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_bad_input_names_the_option():
    """Name, value and what is allowed."""
    with pytest.raises(InputError, match=r"--cone: 95.0, allowed: 0.1 to 90"):
        latitude_bands(primary_model("ghls2001-average"), cone_deg=95.0)
