"""The list of hits and its walk: everything that is scored comes from the same hits, added in their order."""

import numpy as np
import pytest

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.sampling.batch import empty_scores
from sim3d.scoring.detectors import Detector
from sim3d.scoring.event_records import NO_RECORDS, RECORD_DTYPE, describe_primary
from sim3d.scoring.heights import BINS, N_HEIGHTS, NO_HEIGHTS
from sim3d.scoring.hit_weights import _REFERENCE, decades_of_bins, note_primary
from sim3d.scoring.hits import HIT_DTYPE, hits_of_shower, patch_hits
from sim3d.scoring.shower_scores import score_shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS, NU_ENERGY, NU_FLAVOUR, NU_TAG, NU_WEIGHT

SITES = np.array(
    [
        Detector("wide", 10.0, 20.0, 0.0, 10.0, 0.0, radius_deg=120.0).row(),
        Detector("cap", -30.0, 80.0, 0.0, -30.0, 5.0, radius_deg=60.0).row(),
    ]
)
WEIGHT = 3.0


@pytest.fixture
def neutrinos():
    """Neutrinos from 20 km height, isotropic, of all flavours and 0.2 to 100 GeV."""
    rng = np.random.default_rng(4)
    out = np.zeros((300, NEUTRINO_COLUMNS))
    for vector in (slice(3, 6), slice(6, 9)):
        v = rng.normal(size=(len(out), 3))
        out[:, vector] = v / np.linalg.norm(v, axis=1, keepdims=True)
    out[:, 3:6] *= EARTH_RADIUS_KM + 20.0
    out[:, NU_FLAVOUR] = np.arange(len(out)) % 4
    out[:, NU_ENERGY] = np.geomspace(0.2, 100.0, len(out))
    out[:, NU_WEIGHT] = rng.uniform(0.5, 2.0, len(out))
    out[:, NU_TAG] = -1.0
    return out


def listed(neutrinos, energy_min=0.0, first_site=0, sites=SITES, capacity=1):
    hits, n = hits_of_shower(
        neutrinos, len(neutrinos), energy_min, sites, np.zeros(0), first_site, 12, np.empty(capacity, HIT_DTYPE)
    )
    return hits[:n]


def test_the_list_grows_and_is_that_of_its_neutrinos(neutrinos):
    hits = listed(neutrinos)
    assert len(hits) > 100
    assert np.array_equal(hits, listed(neutrinos, capacity=5000))
    single = np.empty(4, HIT_DTYPE)
    n = 0
    for i, neutrino in enumerate(neutrinos):
        for hit in single[: patch_hits(neutrino, i, SITES, np.zeros(0), 0, 12, single, 0)]:
            assert hits[n] == hit
            assert hit["neutrino"] == i
            n += 1
    assert n == len(hits)


def test_threshold_and_number_of_the_site(neutrinos):
    hits = listed(neutrinos)
    above = listed(neutrinos, energy_min=2.0)
    assert np.array_equal(above, hits[neutrinos[hits["neutrino"], NU_ENERGY] >= 2.0])
    second = listed(neutrinos, first_site=1, sites=SITES[1:])
    assert np.array_equal(second, hits[hits["site"] == 1])


def scored(neutrinos, hits, heights=NO_HEIGHTS, rows=None):
    scores = empty_scores(2, 12)
    primary = np.zeros(1, RECORD_DTYPE)
    place = np.array([0.0, EARTH_RADIUS_KM, 0.0])
    describe_primary(primary[0], 12345678901, 50.0, 2, place, np.array([0.0, -1.0, 0.0]))
    recorded = rows is not None
    rows = rows if recorded else NO_RECORDS.rows
    out = score_shower(
        scores, hits, len(hits), neutrinos, WEIGHT, 100, None, np.empty(0), heights, recorded, rows, 0, primary
    )
    return scores, *out


def test_scores_are_the_sum_of_the_hits(neutrinos):
    hits = listed(neutrinos)
    heights = np.zeros((2, 4, BINS.n_energy, BINS.n_cos, N_HEIGHTS))
    scores, _, n = scored(neutrinos, hits, heights)
    assert n == 0
    flux, counts = np.zeros_like(scores.flux), np.zeros_like(scores.hits)
    bins = tuple(hits[name] for name in ("site", "flavour", "energy_bin", "cos_bin", "azimuth_bin"))
    np.add.at(flux, bins, WEIGHT * hits["value"])
    np.add.at(counts, bins, 1)
    assert np.array_equal(scores.flux, flux)
    assert np.array_equal(scores.hits, counts)
    assert not scores.weights.any(), "the primary is not finished"
    of_primary = np.zeros_like(scores.of_primary)
    relative = 100 * WEIGHT * hits["value"] / _REFERENCE[hits["energy_bin"]]
    np.add.at(of_primary, (hits["site"], hits["flavour"], decades_of_bins()[hits["energy_bin"]]), relative)
    np.testing.assert_allclose(scores.of_primary, of_primary, rtol=1e-12)
    note_primary(scores.weights, scores.of_primary)
    assert scores.weights.sum() == np.count_nonzero(of_primary)
    inside = hits["energy_bin"] // BINS.energy_group < BINS.n_energy
    assert heights.sum() == pytest.approx(WEIGHT * hits["value"][inside].sum(), rel=1e-9, abs=0.0)
    assert heights[..., 19:21].sum() == pytest.approx(heights.sum(), rel=1e-9, abs=0.0)
    scores.clear()
    assert not any(array.any() for array in scores[:5])
    assert scores.followed[0] == -1


def test_records_of_the_hits(neutrinos):
    """In the order of the hits, in a larger array where they do not fit."""
    hits = listed(neutrinos)
    scores, rows, n = scored(neutrinos, hits, rows=np.empty(3, RECORD_DTYPE))
    assert n == len(hits)
    assert len(rows) >= n
    rows = rows[:n]
    assert np.array_equal(scores.flux, scored(neutrinos, hits)[0].flux)
    for mine, theirs in (("cos_zenith_bin", "cos_bin"), *((x, x) for x in ("site", "flavour", "energy_bin"))):
        assert np.array_equal(rows[mine], hits[theirs])
    assert np.array_equal(rows["score"], WEIGHT * hits["value"])
    row = neutrinos[hits["neutrino"]]
    assert np.array_equal(rows["weight"], (WEIGHT * row[:, NU_WEIGHT]).astype(np.float32))
    np.testing.assert_allclose(rows["production_height_km"], 20.0, rtol=1e-5)
    np.testing.assert_allclose(rows["azimuth_deg"], np.degrees(hits["azimuth"]), rtol=1e-6)
    assert set(rows["primary"]) == {12345678901}
    assert set(rows["primary_mass_number"]) == {14}
    assert set(rows["primary_charge"]) == {7}
    np.testing.assert_allclose(rows["entry_lon_deg"], 90.0)
    np.testing.assert_allclose(rows["entry_cos_zenith"], 1.0)


def test_an_azimuth_that_rounds_up_to_a_full_turn(neutrinos):
    """360 degrees in single precision is stored as 0."""
    hits = listed(neutrinos)[:1].copy()
    hits["azimuth"] = 2.0 * np.pi * (1.0 - 1e-12)
    _, rows, _ = scored(neutrinos, hits, rows=np.empty(3, RECORD_DTYPE))
    assert rows["azimuth_deg"][0] == 0.0
