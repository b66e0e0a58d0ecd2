"""The compiled evaluation of a spline against scipy's B-splines, for every kind of axis and place."""

import numpy as np
import pytest

from sim3d.files.flux_table import FluxTable
from sim3d.flux.spline import FluxSpline
from sim3d.flux.spline_kernel import BLOCK


def table(n_energy, n_cos, n_azimuth, hole=False):
    """A made-up table that is smooth in no direction."""
    rng = np.random.default_rng(n_energy + 10 * n_cos + 100 * n_azimuth)
    edges = np.geomspace(1.0, 100.0, n_energy + 1) * np.concatenate([[1], rng.uniform(0.9, 1.1, n_energy - 1), [1]])
    cos = np.sort(np.concatenate([[-1, 1], rng.uniform(-0.9, 0.9, n_cos - 1)]))
    energies = np.sqrt(edges[1:] * edges[:-1])
    flux = rng.uniform(0.5, 2.0, (4, n_energy, n_cos, n_azimuth)) * energies[:, None, None] ** -3
    if hole:
        flux[1, n_energy // 2] = 0.0
    azimuth = np.linspace(0.0, 360.0, n_azimuth + 1)
    return FluxTable(flux, 0.1 * flux, energies, edges, "bins", cos, azimuth, "made", "made")


def by_scipy(spline, flavour, coordinates):
    """The same sum with scipy's B-splines."""
    spline.fit(range(4))
    (ie, we), (ic, wc), (ia, wa) = (axis.local(c) for axis, c in zip(spline.axes, coordinates, strict=True))
    index = (flavour[:, None, None, None], ie[:, :, None, None], ic[:, None, :, None], ia[:, None, None, :])
    logs = np.einsum("nijk,ni,nj,nk->n", spline.coefficients[index], we, wc, wa, optimize=True)
    cells = tuple(axis.cell(c) for axis, c in zip(spline.axes, coordinates, strict=True))
    return np.exp(logs) * spline.factor[(flavour, *cells)]


@pytest.mark.parametrize("shape", [(12, 9, 8), (12, 9, 1), (3, 2, 8), (5, 1, 3), (2, 4, 2), (1, 1, 1)])
def test_against_scipy(shape):
    """Inside, beyond the outer sites, on knots and edges, and at azimuths of any turn."""
    spline = FluxSpline(table(*shape, hole=shape[0] > 3))
    rng = np.random.default_rng(3)
    axes = spline.axes
    knots = [np.concatenate([axis.sites, axis.edges[:-1]]) for axis in axes]
    energy = np.concatenate([rng.uniform(axes[0].low, axes[0].high, 800), rng.choice(knots[0], 200)])
    cos = np.concatenate([rng.uniform(-1, 1, 800), rng.choice(knots[1], 200)])
    azimuth = np.concatenate([rng.uniform(-700, 1100, 800), rng.choice(knots[2], 200)])
    flavour = rng.integers(0, 4, 1000)
    got = spline.flux(flavour, (energy, cos, azimuth))
    assert got == pytest.approx(by_scipy(spline, flavour, (energy, cos, azimuth)), rel=1e-12, abs=0)
    assert (got == 0.0).any() == (shape[0] > 3)


def test_no_points():
    """Nothing in, nothing out."""
    nothing = np.zeros(0)
    assert FluxSpline(table(4, 4, 4)).flux(nothing.astype(int), (nothing, nothing, nothing)).shape == (0,)


def test_points_do_not_know_of_each_other():
    """More points than a block, flavours in any order or missing: each has the value that it has alone, bit by bit."""
    spline = FluxSpline(table(12, 9, 8, hole=True))
    rng = np.random.default_rng(5)
    n = 2 * BLOCK + 77
    point = tuple(rng.uniform(low, high, n) for low, high in ((0.1, 4.5), (-1, 1), (0, 360)))
    flavour = rng.choice([0, 1, 3], n)
    got = spline.flux(flavour, point)
    for chosen in (np.arange(0, n, 997), flavour == 3, slice(BLOCK - 1, BLOCK + 1), slice(n - 1, n)):
        alone = spline.flux(flavour[chosen], tuple(np.ascontiguousarray(x[chosen]) for x in point))
        assert np.array_equal(alone, got[chosen])


def test_very_many_turns():
    """A finite azimuth is never a place outside the table; as long as degrees are resolved the turns are exact."""
    spline = FluxSpline(table(5, 4, 6))

    def at(azimuth):
        n = len(azimuth)
        return spline.flux(np.zeros(n, dtype=int), (np.ones(n), np.zeros(n), np.asarray(azimuth, dtype=float)))

    azimuth = np.array([-1e-17, 360.0, 36e6 + 40.0, -36e6 - 77.0])
    assert at(azimuth) == pytest.approx(at(np.mod(azimuth, 360.0)), rel=1e-9)
    every = at(np.linspace(0.0, 360.0, 3601))
    huge = at([1e17, -1e17, 1e300, -1e300])
    assert np.all((huge > 0.999 * every.min()) & (huge < 1.001 * every.max()))
