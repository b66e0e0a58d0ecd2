"""Values at points: power laws, edges of bins, errors of means, empty and partly filled bins, ratios and signs."""

import numpy as np
import pytest

from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV
from sim3d.files.honda_writing import write_pair
from sim3d.results.at_points import around, between, flux_at, value_at

EDGES = (ENERGY_EDGES_GEV, COS_EDGES)
HONDA = 10 ** (np.arange(1, 100) / 20 - 1)
PRINTED = np.array([float(f"{energy:.4E}") for energy in HONDA])


def power_law(index):
    """Exact means of E^-index over the fine energy bins, the same in 40 bins of cos_zenith and 12 of azimuth."""
    e = ENERGY_EDGES_GEV
    mean = (e[1:] ** (1 - index) - e[:-1] ** (1 - index)) / ((1 - index) * np.diff(e))
    return np.broadcast_to(mean[None, :, None, None], (1, len(mean), 40, 12)).copy()


@pytest.mark.parametrize("index", [2.0, 2.7, 3.0, 4.0])
def test_a_power_law_at_the_energies_of_a_honda_table(index):
    """All are edges of fine bins: exact, as printed, half a bin away (means of bins are taken as values: 0.15%)."""
    values = power_law(index)[..., 0]
    for energy in (HONDA, PRINTED, HONDA * 10 ** (1 / 80)):
        for cos in (0.0, 0.5, -0.5, 0.52):
            got = flux_at(values, 0, EDGES, energy, np.array(cos))
            assert got / energy**-index == pytest.approx(np.ones(len(energy)), abs=2e-3)
            assert np.ptp(got / energy**-index) < 1e-4


def test_rounding_does_not_decide_a_side():
    """Noisy bins: the numbers on both sides of an edge are the same, in energy, cos_zenith and azimuth."""
    values = power_law(3.0) * np.random.default_rng(1).lognormal(0.0, 0.5, (1, 202, 40, 12))
    for energy in (0.1, 1.0, 1000.0):
        for cos in (-0.5, 0.0, 0.5):
            for azimuth in (0.0, 90.0, 180.0):
                near = [
                    flux_at(values, 0, EDGES, *(np.array(x) for x in (energy * (1 + d), cos + d, azimuth + d)))
                    for d in (-1e-12, 0.0, 1e-12)
                ]
                assert near == pytest.approx([near[1]] * 3, rel=1e-8)


def test_an_edge_has_the_mean_of_its_two_bins_and_its_error():
    """At an energy edge, in the middle of a zenith bin; the error against independent noise, counted."""
    values, sigma = power_law(3.0)[..., 0], 0.3
    c = np.array(0.525)
    i = 41  # 1 GeV is the upper edge of bin 40
    scaled = values[0, [i - 1, i], 30] * np.sqrt(ENERGY_EDGES_GEV[i - 1 : i + 1] * ENERGY_EDGES_GEV[i : i + 2]) ** 3
    assert flux_at(values, 0, EDGES, np.array(1.0), c) == pytest.approx(scaled.mean(), rel=1e-12)
    error = flux_at(sigma * values, 0, EDGES, np.array(1.0), c, errors=True)
    assert error == pytest.approx(0.5 * sigma * np.hypot(*scaled), rel=1e-12)
    rng = np.random.default_rng(2)
    points = [np.array([1.0, 1.02, 3.16]), np.array([0.0, 0.51, 0.5]), np.array([90.0, 100.0, 0.0])]
    values, pulls = power_law(2.7), []
    truth = flux_at(values, 0, EDGES, *points)
    error = flux_at(sigma * values, 0, EDGES, *points, errors=True)
    for _ in range(200):
        noisy = values * (1.0 + sigma * rng.normal(size=values.shape))
        pulls.append((flux_at(noisy, 0, EDGES, *points) - truth) / error)
    pulls = np.array(pulls)
    # 200 independent numbers: the mean within 4/sqrt(200), the width within 4/sqrt(400)
    assert np.abs(pulls.mean(axis=0)).max() < 0.28
    assert pulls.std(axis=0) == pytest.approx(np.ones(3), abs=0.2)


def test_empty_and_partly_filled_bins():
    """A bin without hits counts as 0; a bin below the lowest energy scored is not mixed with the bins above it."""
    values = power_law(3.0)[..., 0]
    full = flux_at(values, 0, EDGES, np.array(1.0), np.array(0.525))
    values[:, 40] = 0.0
    assert flux_at(values, 0, EDGES, np.array(1.0), np.array(0.525)) == pytest.approx(0.5 * full, rel=1e-3)
    values[:, :41] *= 0.5
    for energy in (1.0, 1.0 - 1e-12, 1.0 + 1e-12, 0.99995):
        got = flux_at(values, 0, EDGES, np.array(energy), np.array(0.525), lowest_GeV=1.0)
        assert got == pytest.approx(energy**-3, rel=1e-3)
    assert flux_at(values, 0, EDGES, np.array(0.97), np.array(0.5), lowest_GeV=1.0) == 0.0
    assert flux_at(values, 0, EDGES, np.array(0.93), np.array(0.5), lowest_GeV=1.0) == values[0, 39, 30]


def test_neighbours_and_weights():
    lower, upper, weight = between(np.array([0.0, 1.0, 3.0]), np.array([-5.0, 0.0, 0.25, 1.0, 2.0, 3.0, 9.0]))
    assert (lower + weight).tolist() == [0.0, 0.0, 0.25, 1.0, 1.5, 2.0, 2.0]
    assert np.all(upper == lower + 1)
    assert [x.tolist() for x in between(np.array([2.0]), np.array([1.0, 3.0]))] == [[0, 0], [0, 0], [0.0, 0.0]]
    lower, upper, weight = around(4, np.array([45.0, 0.0, 360.0, -45.0, 100.0]))
    assert (lower.tolist(), upper.tolist()) == ([0, 3, 3, 3, 0], [1, 0, 0, 0, 1])
    assert weight == pytest.approx([0.0, 0.5, 0.5, 0.0, 55 / 90])


def test_values_of_any_slope_and_sign():
    """Ratios stay ratios, power laws power laws, slopes may be negative, bins that are not finite take no part."""
    edges = (10.0 ** np.arange(-1, 3), np.array([-1.0, 0.0, 1.0]))
    centres = 10.0 ** np.array([-0.5, 0.5, 1.5])
    energy, cos = np.array([0.5, 1.0, 7.0]), np.array([0.0, 0.3, 0.5])
    for sign in (1.0, -1.0):
        law = sign * np.broadcast_to((centres**-3.5)[:, None], (1, 3, 2))
        assert value_at(law, 0, edges, energy, cos) == pytest.approx(sign * energy**-3.5)
    assert value_at(np.full((1, 3, 2), 0.7), 0, edges, energy, cos) == pytest.approx(0.7)
    mixed = np.array([[[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]]])
    assert value_at(mixed, 0, edges, np.array([1.0, 10.0]), np.array(0.5)) == pytest.approx([0.0, -0.5])
    holes = np.array([[[np.nan, np.nan], [2.0, np.nan], [np.nan, np.nan]]])
    assert value_at(holes, 0, edges, np.array([1.0, 10.0]), np.array(0.2)).tolist() == [2.0, 2.0]
    assert np.isnan(value_at(holes, 0, edges, np.array(1.0), np.array(0.9)))


def test_a_result_gives_the_numbers_of_its_honda_table(fake_result, tmp_path):
    """At a table's energies, also those printed with four digits, and the middle of its zenith bins."""
    result = fake_result(noise=0.0, batches=2)
    table, _, _ = result.binned("kamioka", "honda_aa")
    write_pair(tmp_path / "x", table[..., None], None, result.binning_energies("honda"), COS_EDGES[::2])
    printed = np.loadtxt((tmp_path / "x.d").read_text().splitlines()[2:103])
    middle = 0.5 * (COS_EDGES[:-2:2] + COS_EDGES[2::2])
    for energies in (result.binning_energies("honda"), printed[:, 0]):
        got = result.flux("numu", energies[1:-1, None], middle)
        assert got / table[0, 1:-1] == pytest.approx(np.ones(got.shape), abs=1e-3)
