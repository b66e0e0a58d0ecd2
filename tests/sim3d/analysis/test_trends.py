"""Smooth curves: exact where they must be, right errors on average, no wiggles from noise; known ranges."""

import numpy as np
import pytest

from sim3d.analysis import trends


def test_a_power_law_is_exact():
    """A straight line in the logarithm has no third differences, whatever the penalty."""
    x = np.log(np.geomspace(0.1, 100.0, 31))
    y = 7.0 * np.exp(-2.7 * x)
    at = np.linspace(x[0], x[-1], 100)
    curve, error = trends.smooth_curve(x, y, 0.1 * y, at)
    np.testing.assert_allclose(curve, 7.0 * np.exp(-2.7 * at), rtol=1e-5)
    assert np.all(error > 0.0)
    assert np.all(error < 0.1 * curve)


def test_nothing_is_extrapolated():
    x = np.arange(10.0)
    y = np.where(x < 7.0, 1.0, 0.0)
    curve, _ = trends.smooth_curve(x, y, 0.1 * np.ones(10), np.array([-0.5, 0.0, 6.0, 6.5, 9.0]))
    assert np.isfinite(curve).tolist() == [False, True, True, False, False]


def test_few_points_give_no_curve():
    x = np.arange(4.0)
    curves, errors = trends.smooth_curves(x, np.ones((2, 4)), 0.1 * np.ones((2, 4)), x)
    assert np.isnan(curves).all()
    assert np.isnan(errors).all()


@pytest.mark.parametrize("log", [True, False])
def test_errors_are_those_of_the_curve(log):
    """Over 200 sets of noise the curve scatters around the truth by about its error: rms of pulls 0.8 to 1.25."""
    rng = np.random.default_rng(5)
    x = np.linspace(-1.0, 1.0, 20)
    truth = 5.0 + np.cos(2.0 * x)
    pulls = []
    for _ in range(200):
        y = truth * (1.0 + 0.05 * rng.normal(size=x.size))
        curve, error = trends.smooth_curve(x, y, 0.05 * truth, x[2:-2], log=log)
        pulls.append((curve - truth[2:-2]) / error)
    assert 0.8 < np.sqrt(np.mean(np.square(pulls))) < 1.25


def test_noise_makes_no_wiggles_and_a_peak_stays():
    """The errors of smooth curves are several times smaller than those of points; a peak at the horizon is kept."""
    rng = np.random.default_rng(2)
    cosines = np.linspace(-0.95, 0.95, 20)
    peak = 1.0 + 1.0 * np.exp(-0.5 * (cosines / 0.12) ** 2)
    y = np.array([peak * (1 + 0.04 * rng.normal(size=20)) for _ in range(4)])
    at = trends.zenith_coordinate(cosines)
    curves, errors = trends.smooth_curves(at, y, 0.04 * peak * np.ones((4, 1)), at)
    assert np.abs(curves / peak - 1.0).max() < 0.12
    assert np.median(errors / curves) < 0.03
    flat = np.array([1.0 + 0.04 * rng.normal(size=20) for _ in range(4)])
    curves, _ = trends.smooth_curves(at, flat, 0.04 * np.ones((4, 20)), at)
    assert np.abs(curves - 1.0).max() < 0.06


def test_harmonics_of_bins():
    """Bin averages of 1 + a cos + b sin 2 give the function back, not its average over bins."""
    edges = np.radians(np.arange(0.0, 361.0, 30.0))
    means = (
        1.0 + 0.3 * np.diff(np.sin(edges)) / np.diff(edges) - 0.2 * np.diff(np.cos(2 * edges)) / (2 * np.diff(edges))
    )
    at = np.linspace(0.0, 360.0, 41)
    curve, error = trends.harmonics(np.arange(15.0, 360.0, 30.0), means, 0.01 * np.ones(12), at)
    truth = 1.0 + 0.3 * np.cos(np.radians(at)) + 0.2 * np.sin(2 * np.radians(at))
    np.testing.assert_allclose(curve, truth, atol=1e-12)
    # 5 coefficients of 12 points: mean variance 5/12 of a point's, up to the factors of bin width (at most 1.1)
    assert np.mean(error[:-1] ** 2) == pytest.approx(5 / 12 * 1e-4, rel=0.15)


def test_known_range_ends_where_errors_are_large():
    energies = np.geomspace(0.1, 1000.0, 9)
    values = np.ones((4, 9))
    errors = np.full((4, 9), 0.1)
    errors[:, 6:] = 0.8
    errors[:, 8] = 0.2  # by chance, beyond two unknown ones
    assert trends.known_range(energies, values, errors) == pytest.approx((0.1, energies[5]))
    errors[:, 6] = 0.2
    assert trends.known_range(energies, values, errors) == pytest.approx((0.1, energies[8]))
    assert trends.known_range(energies, 0.0 * values, errors) is None
