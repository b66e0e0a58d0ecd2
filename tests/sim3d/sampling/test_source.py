"""Drawing primaries: entries are an isotropic flux, energies are stratified, weights carry the normalisation."""

import math

import numpy as np
import pytest
from numba import njit
from scipy import stats
from scipy.integrate import quad

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.jit_cache import CACHE
from sim3d.primaries.build import primary_model
from sim3d.sampling.energy_law import SAMPLING_SHIFT_GEV, mixture_law
from sim3d.sampling.source import GRAZING_SHARE, Source, _entry_cosine, draw_primary
from sim3d.shower.random_streams import primary_key

TOP_KM = 112.8
MISS = 1 - (EARTH_RADIUS_KM / (EARTH_RADIUS_KM + TOP_KM)) ** 2


@njit(nogil=True, cache=CACHE)
def _entry_cosines(top_km, n, seed):
    rng = np.empty(1, dtype=np.uint64)
    rng[0] = seed
    out = np.empty((n, 2))
    for i in range(n):
        out[i] = _entry_cosine(top_km, rng)
    return out[:, 0].copy(), out[:, 1].copy()


@njit(nogil=True, cache=CACHE)
def _batch(source, size, top_km, seed):
    rng = np.empty(1, dtype=np.uint64)
    out = np.empty((size, 3))
    for i in range(size):
        rng[0] = primary_key(seed, i)
        energy, group, weight = draw_primary(source, i, size, top_km, rng)
        out[i, 0], out[i, 1], out[i, 2] = energy, group, weight
    return out


def weighted_chi2(values, weights, edges, truth):
    """Pulls of weighted counts in bins against the expected sums."""
    sums = np.histogram(values, edges, weights=weights)[0]
    squares = np.histogram(values, edges, weights=weights**2)[0]
    return (sums - truth) / np.sqrt(squares)


def test_entry_cosines_are_an_isotropic_flux():
    """Weights have mean 1 and are bounded; weighted cos^2 is uniform; grazing lines are as many as wanted."""
    n = 400_000
    cosines, weights = _entry_cosines(TOP_KM, n, np.uint64(1))
    assert weights.mean() == pytest.approx(1.0, abs=4 * weights.std() / math.sqrt(n))
    assert 0 <= weights.min()
    assert weights.max() < 1.6
    assert np.all((cosines >= 0) & (cosines <= 1))
    pull = weighted_chi2(cosines**2, weights, np.linspace(0, 1, 51), n / 50)
    assert stats.chi2.sf((pull**2).sum(), 50) > 1e-3
    assert (cosines**2 < MISS).mean() == pytest.approx(GRAZING_SHARE, abs=4 * math.sqrt(0.12 * 0.88 / n))
    # inside the grazing part, and just above it, where the two densities meet
    pull = weighted_chi2(cosines**2, weights, np.linspace(0, 2 * MISS, 11), n * MISS / 5)
    assert np.abs(pull).max() < 4


def test_entries_are_isotropic_on_the_globe(entries):
    """Positions uniform on the top sphere, directions inward, weighted directions isotropic in space."""
    n = 200_000
    starts, weights = entries(n, TOP_KM)
    r = starts[:, :3] / (EARTH_RADIUS_KM + TOP_KM)
    u, e = starts[:, 3:6], starts[:, 6:9]
    np.testing.assert_allclose(np.linalg.norm(r, axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(u, axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(e, axis=1), 1, atol=1e-12)
    assert np.abs((u * e).sum(axis=1)).max() < 1e-12
    assert ((r * u).sum(axis=1) <= 0).all()
    for k in range(3):
        assert stats.kstest(r[:, k], "uniform", args=(-1, 2)).pvalue > 1e-3
        pull = weighted_chi2(u[:, k], weights, np.linspace(-1, 1, 21), n / 20)
        assert stats.chi2.sf((pull**2).sum(), 20) > 1e-3
    # the azimuth about the vertical: products of horizontal components vanish
    east = np.stack([-r[:, 1], r[:, 0], np.zeros(n)], axis=1) / np.hypot(r[:, 0], r[:, 1])[:, None]
    north = np.cross(r, east)
    for axis in (east, north):
        component = weights * (u * axis).sum(axis=1)
        assert abs(component.mean()) < 4 * component.std() / math.sqrt(n)
    # carried frame at a random angle: no preferred side of the plane of incidence
    side = (np.cross(r, u) * e).sum(axis=1)
    assert abs(side.mean()) < 4 * side.std() / math.sqrt(n)


def source(**changes):
    model = primary_model("ghls2001-average", "fit")
    options = {"low": 1.0, "high": 1e4, "index": 2.0, **changes}
    law = {"law": mixture_law(options["low"], options["high"])} if options["index"] is None else {}
    return Source(model.spectrum, options["low"], options["high"], options["index"] or 0.0, **law), model


@pytest.mark.parametrize("index", [None, 1.0, 2.0, 2.7])
def test_weights_carry_the_flux(index):
    """Sum of a batch's weights is pi 4 pi R^2 times the integral of the nucleon flux, for any sampling index."""
    chosen, model = source(index=index)
    size = 20_000
    rows = _batch(chosen, size, TOP_KM, np.uint64(1))
    integral = quad(lambda t: float(model.nucleon_flux(math.exp(t))) * math.exp(t), 0, math.log(1e4), epsrel=1e-8)[0]
    surface = 4 * math.pi**2 * ((EARTH_RADIUS_KM + TOP_KM) * 1e3) ** 2
    # stratified energies: the error is far below that of independent draws
    assert rows[:, 2].sum() == pytest.approx(surface * integral, rel=2e-3)
    assert rows[:, 2].min() > 0


def test_energies_are_stratified():
    """Primary i of B lies in the i-th quantile of the sampling density."""
    rows = _batch(source()[0], 500, TOP_KM, np.uint64(2))
    bottom, top = 1.0 + SAMPLING_SHIFT_GEV, 1e4 + SAMPLING_SHIFT_GEV
    quantile = (1 / bottom - 1 / (rows[:, 0] + SAMPLING_SHIFT_GEV)) / (1 / bottom - 1 / top)
    assert np.array_equal(np.floor(quantile * 500 * (1 + 1e-12)), np.arange(500))


def test_nuclei_follow_their_shares():
    """Weighted numbers of nucleons in each mass group are the integrals of A times the groups' fluxes."""
    chosen, model = source()
    rows = _batch(chosen, 50_000, TOP_KM, np.uint64(3))
    surface = 4 * math.pi**2 * ((EARTH_RADIUS_KM + TOP_KM) * 1e3) ** 2
    for k, (group, mass) in enumerate(zip(("p", "He", "CNO", "MgSi", "Fe"), (1, 4, 14, 26, 50), strict=True)):
        w = rows[rows[:, 1] == k, 2]

        def integrand(t, group=group):
            return float(model.flux(group, math.exp(t))) * math.exp(t)

        expected = surface * mass * quad(integrand, 0, math.log(1e4), epsrel=1e-6)[0]
        assert w.sum() == pytest.approx(expected, abs=4.5 * math.sqrt((w**2).sum()))
