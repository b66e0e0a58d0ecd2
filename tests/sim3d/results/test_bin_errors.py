"""Errors of bins with few hits and limits of empty bins: coverage on fluxes that are known, and in small real runs."""

import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs

import sim3d
from sim3d.config.load import make_config
from sim3d.conventions.binning import BINNINGS
from sim3d.files.flux_table import EXPECTED, LIMIT, NO_LIMIT, SAMPLE
from sim3d.results.bin_errors import POISSON_LIMIT_90, bin_errors, hit_values, neutrino_grid
from sim3d.scoring.hit_weights import reference_flux

ENERGIES = BINNINGS["honda"].energies_GeV[:61]
COS_EDGES = BINNINGS["honda"].cos_edges
COS = 0.5 * (COS_EDGES[1:] + COS_EDGES[:-1])
UNIT = reference_flux.py_func(ENERGIES)


def truth(azimuths):
    """A peak at the horizon and an east-west asymmetry on the reference spectrum, (4, energy, cos, azimuth)."""
    angle = 2 * np.pi * (np.arange(azimuths) + 0.5) / azimuths
    factor = 1 - 0.3 * np.sin(angle) if azimuths > 1 else np.ones(1)
    zenith = 1 + 0.6 * np.exp(-(COS**2) / 0.02)
    one = (0.2 * UNIT)[:, None, None] * zenith[:, None] * factor
    return np.stack([scale * one for scale in (1.0, 0.95, 0.5, 0.4)])


def draw(azimuths, showers, seed, tail=0.8):
    """Flux and sample error: ``showers`` per bin at 1 GeV, fewer above; each hits a bin 1 to 6 times, with a weight."""
    rng = np.random.default_rng(seed)
    mean = truth(azimuths)
    expected = (showers * np.minimum(1.0, ENERGIES**-1.0))[:, None, None] * np.ones_like(mean)
    value = mean / expected
    number = rng.poisson(expected)
    flux, square = np.zeros(mean.shape), np.zeros(mean.shape)
    for i in range(number.max()):
        # mean 1: a cluster of 1 to 6 hits, and a weight with a tail
        hit = (number > i) * rng.integers(1, 7, mean.shape) / 3.5 * rng.lognormal(-0.5 * tail**2, tail, mean.shape)
        flux += hit * value
        square += (hit * value) ** 2
    return flux, np.sqrt(square)


def grid(azimuths):
    return neutrino_grid(ENERGIES, COS_EDGES, np.linspace(0.0, 360.0, azimuths + 1))


@pytest.mark.parametrize(("azimuths", "showers"), [(1, 20.0), (1, 4.0), (12, 2.0)])
def test_coverage(azimuths, showers):
    """Limits cover 88% of the empty bins, with a median below 5 times the flux; errors have no tails."""
    empty, covered, over, hits, beyond, of_sample = 0, 0, [], np.zeros(2), np.zeros(2), np.zeros(2)
    for seed in range(4):
        flux, error = draw(azimuths, showers, seed)
        mean = truth(azimuths)
        errors = bin_errors(flux, error, grid(azimuths), 80)
        hit = flux > 0.0
        assert np.all(errors.error > 0.0)
        assert np.array_equal(errors.kind == LIMIT, ~hit)
        assert np.array_equal(errors.error[~hit], errors.limit[~hit])
        empty += np.sum(~hit)
        covered += np.sum(errors.limit[~hit] >= mean[~hit])
        over.append((errors.limit / mean)[~hit])
        for decade, inside in enumerate((ENERGIES < 1.0, ENERGIES >= 1.0)):
            chosen = hit & inside[:, None, None]
            hits[decade] += chosen.sum()
            beyond[decade] += np.sum(np.abs(flux - mean)[chosen] > 3.0 * errors.error[chosen])
            of_sample[decade] += np.sum(np.abs(flux - mean)[chosen] > 3.0 * error[chosen])
    assert empty > 500
    assert covered >= 0.88 * empty
    assert np.median(np.concatenate(over)) < 5.0
    assert np.all(beyond <= 0.015 * hits)
    # what was wrong: the sample errors
    assert np.all(of_sample[1] > 0.04 * hits[1])


def test_ten_to_forty_effective_hits():
    """The sample error has tails there, on the low side alone; the expected one has not. It has width 1."""
    pulls, of_sample = [], []
    for seed in range(3):
        flux, error = draw(1, 80.0, seed, tail=1.2)
        errors = bin_errors(flux, error, grid(1), 80)
        number = errors.expected / errors.hit_value
        chosen = (number > 10.0) & (number < 40.0) & (flux > 0.0)
        off = (flux - truth(1))[chosen]
        pulls.append(off / errors.error[chosen])
        of_sample.append(off / error[chosen])
    pull, sample = np.concatenate(pulls), np.concatenate(of_sample)
    assert pull.size > 3000
    assert np.mean(np.abs(pull) > 3.0) < 0.01
    assert np.std(pull) == pytest.approx(1.0, abs=0.1)
    assert np.mean(sample < -3.0) > 0.025
    assert not np.any(sample > 3.0)


def test_average_with_inverse_variances():
    """Sample errors make it low by more than half; expected errors, of hit values and means nearby, by 5 to 7%."""
    flux, error = draw(1, 6.0, 5)
    mean, low = truth(1), (ENERGIES < 1.0)[:, None, None] & (flux > 0.0)
    errors = bin_errors(flux, error, grid(1), 80)
    few = np.isin(errors.kind, (EXPECTED,)) & low
    assert few[low].mean() > 0.9

    def average(sigma):
        weight = np.where(few, (mean / sigma) ** 2, 0.0)
        return np.sum(weight * np.where(few, flux / mean, 0.0)) / weight.sum()

    with np.errstate(divide="ignore", invalid="ignore"):
        assert average(np.where(error > 0.0, error, np.inf)) < 0.5
    assert average(errors.error) == pytest.approx(1.0, abs=0.08)


def test_hit_value_of_equal_hits():
    """Hits of one value v: variance over mean is v, the limit of a bin far from all hits 2.303 v; units cancel."""
    value = 1e-3 * UNIT[:, None, None]
    flux = np.zeros((1, 61, 20, 1))
    flux[:, :10] = 5 * value[:10]
    error = np.sqrt(flux * value)
    phi = hit_values(flux, error**2, grid(1))
    np.testing.assert_allclose(phi[0, :, :, 0], np.broadcast_to(value[..., 0], (61, 20)), rtol=1e-9)
    errors = bin_errors(flux, error, grid(1), 80)
    np.testing.assert_allclose(errors.limit[0, 50:], np.broadcast_to(POISSON_LIMIT_90 * value[50:], (11, 20, 1)))
    scaled = bin_errors(1e6 * flux, 1e6 * error, grid(1), 80)
    np.testing.assert_allclose(scaled.error, 1e6 * errors.error)
    # many hits: the sample error; five: the expected one, from the bins around
    many = bin_errors(60 * flux, np.sqrt(60) * error, grid(1), 80)
    assert np.all(many.kind[0, :8] == SAMPLE)
    assert np.all(errors.kind[0, :8] == EXPECTED)
    np.testing.assert_allclose(errors.error[0, 2], error[0, 2], rtol=0.02)


def test_without_hits_and_without_variance():
    """A row without hits has no limit; with one batch there is no error: both are the number for that, not 0."""
    flux, error = draw(1, 5.0, 1)
    flux[2], error[2] = 0.0, 0.0
    errors = bin_errors(flux, error, grid(1), 80)
    assert np.all(np.isinf(errors.limit[2]))
    assert np.all(errors.error[2] == NO_LIMIT)
    one = bin_errors(flux, np.zeros_like(error), grid(1), 1)
    assert np.all(one.error == NO_LIMIT)


@pytest.fixture(scope="module")
def runs():
    """Four small runs, and a long one of another seed, in the default mode."""

    def run(seed, primaries, batch_size):
        tables = {"seed": seed, "primaries": primaries, "batch_size": batch_size}
        return sim3d.run(make_config(with_earlier_inputs({"run": tables, "sites": [{"name": "kamioka"}]})))

    return [run(seed, 4000, 100) for seed in (11, 12, 13, 14)], run(15, 60_000, 1000)


@pytest.mark.parametrize("binning", ["fluka_aa", "honda_aa", "honda"])
def test_coverage_of_runs(runs, binning):
    """Small runs against a long one, below 10 GeV; where that has few hits, against its mean of the bins around."""
    small, long = runs
    reference = long.errors("kamioka", binning)
    flux = long.binned("kamioka", binning)[0]
    mean = np.where(reference.expected < 10.0 * reference.hit_value, reference.expected, flux)
    inside = long.binning_energies(binning) < 10.0
    mean = mean[:, inside]
    empty = covered = hits = beyond = 0
    over = []
    for result in small:
        values = result.binned("kamioka", binning)[0][:, inside]
        errors = result.errors("kamioka", binning)
        error, kind = errors.error[:, inside], errors.kind[:, inside]
        free = kind == LIMIT
        empty += free.sum()
        covered += np.sum(error[free] >= mean[free])
        over.append((error / mean)[free])
        hits += np.sum(~free)
        beyond += np.sum(np.abs(values - mean)[~free] > 3.0 * error[~free])
    assert empty > 1000
    assert covered >= 0.88 * empty
    assert np.median(np.concatenate(over)) < 5.0
    assert beyond <= 0.015 * hits


def test_hit_values_that_vary_within_the_weights():
    """One pass is too large by exp(s^2 / 2) for phi that changes by e^s over a width; the second mends it."""
    flux = 1e4 * truth(1)
    slope = 2.0  # phi over flux falls as the square of energy: by e^0.92 over 0.2 decades
    phi = 1e-4 * UNIT[:, None, None] * ENERGIES[:, None, None] ** -slope * np.ones_like(flux)
    middle = (ENERGIES > 0.4) & (ENERGIES < 20.0)
    ratio = [np.mean((phi / hit_values(flux, phi * flux, grid(1), passes=n))[:, middle]) for n in (1, 2, 3)]
    width = slope * 0.2 * np.log(10.0)
    assert ratio[0] == pytest.approx(np.exp(-0.5 * width**2), rel=0.1)
    assert abs(ratio[1] - 1.0) < 0.25 * abs(ratio[0] - 1.0)
    assert abs(ratio[2] - 1.0) <= abs(ratio[1] - 1.0) + 0.01
