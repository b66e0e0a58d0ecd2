"""Derivatives carried along showers: against finite differences of showers with other parameters, and identities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs
from numba import njit

from atmosphere.layers import linsley
from geomag.field.igrf import FieldModel
from hadronic.interaction.variation import hat_functions
from hadronic.models import load_model
from sim3d.config.load import make_config
from sim3d.config.parameters import KNOTS_GEV
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.jit_cache import CACHE
from sim3d.results.jackknife import jackknife
from sim3d.shower.gradients import add_angle, carried_columns, end_flight
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS, NU_ENERGY, NU_FLAVOUR, NU_UX, NU_UZ, NU_WEIGHT
from sim3d.shower.random_streams import primary_key, uniform
from sim3d.shower.stack import new_stack
from sim3d.shower.world import build_world
from sim3d.simulation.gradients import make_gradients
from sim3d.simulation.variation import pion_sharpness, varied_hadronic

N_GROUPS = 24
BANDS_GEV = (0.3, 1.0, 4.0, 1.0e9)


@njit(nogil=True, cache=CACHE)
def _sums(world, gradients, n, low, high, seed, bands, by_angle, sums):
    """Weights of the neutrinos of ``n`` showers, by group, flavour and energy band, for every carried column.

    With ``by_angle`` angles to the primary below 2, 5 and 15 degrees and above are in the place of flavours.
    """
    carried = carried_columns(gradients)
    n_inner = gradients.score_column.shape[0]
    stack = new_stack(32768, carried)
    neutrinos = np.empty((1024, NEUTRINO_COLUMNS + carried))
    start = np.array([0.0, 0.0, EARTH_RADIUS_KM + 100.0, 0.6, 0.0, -0.8, 0.8, 0.0, 0.6])
    rng = np.empty(1, dtype=np.uint64)
    # the argument types of a run, so that no version of the shower is compiled for this test alone
    interacts, alone = np.bool_(False), np.ones(2)
    for i in range(n):
        rng[0] = primary_key(seed, i)
        # flat in ln E, each shower for an E^-1.7 spectrum of it
        energy = low * (high / low) ** ((i % 1000 + uniform(rng)) / 1000.0)
        weight = (energy / low) ** -0.7
        count, neutrinos, stack = shower(
            world, start, energy, 1.0, rng[0], stack, neutrinos, interacts, None, None, gradients, alone
        )
        for j in range(count):
            band = 0
            while neutrinos[j, NU_ENERGY] > bands[band + 1]:
                band += 1
            value = weight * neutrinos[j, NU_WEIGHT]
            kind = int(neutrinos[j, NU_FLAVOUR])
            if by_angle:
                cosine = 0.6 * neutrinos[j, NU_UX] - 0.8 * neutrinos[j, NU_UZ]
                angle = math.degrees(math.acos(min(1.0, cosine)))
                kind = int(angle > 2.0) + int(angle > 5.0) + int(angle > 15.0)
            row = sums[i // 1000 % sums.shape[0], kind, band]
            row[0] += value
            for k in range(n_inner):
                row[gradients.score_column[k]] += value * neutrinos[j, NEUTRINO_COLUMNS + k]
            for v in range(carried - n_inner):
                row[row.shape[0] - carried + n_inner + v] += value * neutrinos[j, NEUTRINO_COLUMNS + n_inner + v]


INNER = ("yields", "cross-sections", "angles")


class Showers:
    """Showers of a parameter point, with what they carry: ``sums`` (group, flavour, band, column)."""

    def __init__(self, n, values=None, points=(), wanted=INNER, seed=5, transverse=True, by_angle=False):
        scoring = {
            "gradients": list(wanted),
            "variations": [{"name": f"v{i}", "parameters": point} for i, point in enumerate(points)],
        }
        config = make_config(
            with_earlier_inputs({"sites": [{"name": "kamioka"}], "scoring": scoring, "vary": values or {}})
        )
        model = varied_hadronic(load_model("fluka-z", "printed"), config.vary)
        air = linsley()
        world = build_world(
            air.layers,
            air.top_km,
            FieldModel("2020-01-01", 4).gauss,
            model.tables,
            energy_min_GeV=BANDS_GEV[0],
            bending=False,
            transverse=transverse,
            pion_sharpness=pion_sharpness(config.vary),
        )
        self.columns, self.n_points = config.scoring.columns, len(points)
        self.sums = np.zeros((N_GROUPS, 4, len(BANDS_GEV) - 1, len(self.columns)))
        gradients = make_gradients(config, model.tables)
        _sums(world, gradients, n, 3.0, 3000.0, np.uint64(seed), np.array(BANDS_GEV), by_angle, self.sums)

    def column(self, name):
        return self.sums[..., self.columns.index(name)]

    def point(self, number=0):
        return self.sums[..., len(self.columns) - self.n_points + number]


def differences(a, b, flux):
    """Means of ``a`` and ``b`` relative to the flux and their difference in standard errors, by kind and band."""
    stacked = np.stack([a, b, a - b, flux], axis=1)
    value, error = jackknife(lambda m: m[:3] / m[3], stacked, np.ones(N_GROUPS), signed=True)
    return value[0], value[1], value[2] / error[2]


def agree(z, largest=4.5, independent=1.0):
    """Differences in standard errors are those of chance: 1.1 is the mean of a square with 24 groups.

    ``independent`` is the share of the numbers that are; angle bins share what moves from one to the next.
    """
    z = z[np.isfinite(z)]
    assert np.all(np.abs(z) < largest), z
    assert np.mean(z**2) < 1.1 + 4.0 * math.sqrt(2.0 / (independent * len(z))), z


# parameter, step, smallest share of the flux in one of the classes that it must move for the test to mean anything
STEPS = {
    "pi+@31": (0.2, 0.08),
    "pi-@158": (0.2, 0.08),
    "K+@158": (0.2, 0.02),
    "K-@31": (0.2, 0.005),
    "p@31": (0.2, 0.03),
    "tilt@31": (0.1, 0.1),
    "elasticity@158": (0.1, 0.1),
    "K0/K": (0.2, 0.002),
    "pion:pi": (0.15, 0.02),
    "n@158": (0.2, 0.03),
    "sigma:nucleon": (0.08, 0.2),
    "sigma:pion": (0.2, 0.05),
    "sigma:kaon": (0.2, 0.003),
    "angle:pion": (0.15, 0.1),
}


@pytest.fixture(scope="module")
def base():
    """Showers with derivatives, and exact weights one step up and down in every parameter that is looked at."""
    made = {}

    def make(n, names, by_angle=False):
        if (n, names, by_angle) not in made:
            points = [{name: sign * STEPS[name][0]} for name in names for sign in (1.0, -1.0)]
            made[n, names, by_angle] = Showers(n, by_angle=by_angle, points=points)
        return made[n, names, by_angle]

    return make


def check_parameter(base, name, n, names):
    """A derivative against the central difference of showers with other parameters and the same random streams.

    The difference over a finite step is compared with that of exact weights over the same step; the derivative with
    the latter, in the same showers, where all that is left is the square of the step.
    """
    step, least = STEPS[name]
    by_angle = name == "angle:pion"
    names = ("angle:pion",) if by_angle else tuple(names)
    showers, place = base(n, names, by_angle), 2 * names.index(name)
    flux, gradient = (showers.column(column) for column in ("flux", name))
    exact = (showers.point(place) - showers.point(place + 1)) / (2.0 * step)
    up, down = (Showers(n, {name: s * step}, wanted=("angles",), by_angle=by_angle).column("flux") for s in (1, -1))
    found, expected, z = differences(exact, (up - down) / (2.0 * step), flux)
    assert np.nanmax(np.abs(expected)) > least
    # few showers make the rarest neutrinos, whose difference is not Gaussian: nuebar above 4 GeV
    agree(z if by_angle else np.concatenate([z[:, :2].ravel(), z[:3, 2]]), independent=0.5 if by_angle else 1.0)
    derivative, _, _ = differences(gradient, exact, flux)
    assert np.all(np.abs(derivative - found)[:, :2] < 0.03 + 0.1 * np.abs(found[:, :2]))


FEW = ("pi+@31", "p@31", "sigma:pion", "angle:pion")


@pytest.mark.parametrize("name", FEW)
def test_derivatives_are_finite_differences(base, name):
    check_parameter(base, name, 12_000, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_derivatives_are_finite_differences_of_many_showers(base, name):
    check_parameter(base, name, 96_000, STEPS)


def test_points_near_the_model_are_its_gradients():
    """In the same showers (ratio(+e) - ratio(-e)) / 2e is the derivative, up to e^2: each rule against its own log."""
    names, step = list(STEPS), 1.0e-3
    points = [{name: sign * step} for name in names for sign in (1.0, -1.0)]
    showers = Showers(600, points=points)
    flux = showers.column("flux")
    for i, name in enumerate(names):
        central = (showers.point(2 * i) - showers.point(2 * i + 1)) / (2.0 * step)
        # the next term of the series is of order (score)^3 e^2 / 6
        np.testing.assert_allclose(central, showers.column(name), rtol=1e-3, atol=2e-4 * flux.max())


TWICE = {"pi+@31": 0.5, "pi-@31": -0.3, "tilt@31": 0.4, "tilt@158": 0.4, "sigma:nucleon": 2.0}


def test_exact_ratios_where_the_linear_prediction_fails():
    """A tilt stands in the exponent of x, and so do interaction lengths in that of a path."""
    n = 12_000
    showers, varied = Showers(n, points=[TWICE]), Showers(n, TWICE, wanted=("angles",), seed=6)
    flux = showers.column("flux")
    linear = flux + sum(value * showers.column(name) for name, value in TWICE.items())
    _, _, exact = differences(showers.point(), varied.column("flux"), flux)
    _, _, wrong = differences(linear, varied.column("flux"), flux)
    agree(exact[:, :2])
    assert np.abs(wrong[:, :2]).max() > 4.5


def test_what_is_carried_changes_no_shower():
    """The same draws with and without: the flux column is that of any other choice of columns, bit for bit."""
    few = Showers(1_000, wanted=("angles",)).column("flux")
    many = Showers(1_000, points=[TWICE]).column("flux")
    np.testing.assert_array_equal(few, many)


def _gradients(points=()):
    scoring = {"gradients": True, "variations": [{"name": f"v{i}", "parameters": p} for i, p in enumerate(points)]}
    config = make_config(with_earlier_inputs({"sites": [{"name": "kamioka"}], "scoring": scoring}))
    return make_gradients(config, load_model("fluka-z", "printed").tables)


def test_scores_of_a_flight_have_mean_zero_and_ratios_mean_one():
    """Over a path of optical depth 2: interaction at tau with the density exp(-tau), or survival with exp(-2)."""
    gradients = _gradients([{"sigma:pion": 0.4}])
    n_inner = len(gradients.score_column)
    nodes, weights = np.polynomial.legendre.leggauss(30)
    taus, weights = nodes + 1.0, weights * np.exp(-(nodes + 1.0))
    mean = np.zeros(2)
    for tau, weight, hit in [*((t, w, True) for t, w in zip(taus, weights, strict=True)), (2.0, math.exp(-2.0), False)]:
        own = np.zeros(n_inner + 1)
        own[n_inner] = 1.0
        end_flight(own, gradients, 2, tau, hit)
        mean += weight * own[[gradients.sigma_column[2], n_inner]]
        assert np.count_nonzero(own[:n_inner]) == 1
    np.testing.assert_allclose(mean, [0.0, 1.0], atol=1e-12)


@pytest.mark.parametrize(("momentum", "sharper"), [(0.02, 1.0), (0.5, 1.0), (0.5, 1.7), (30.0, 1.0)])
def test_scores_of_an_angle_have_mean_zero_and_ratios_mean_one(momentum, sharper):
    gradients = _gradients([{"angle:pion": 0.2}])
    n_inner = len(gradients.score_column)
    k = (4.2 * momentum + 7.5 * momentum**2) * sharper
    nodes, weights = np.polynomial.laguerre.laggauss(40)
    if k < 30.0:
        nodes, weights = np.polynomial.legendre.leggauss(80)
        nodes = k * (nodes + 1.0)
        weights = weights * k * np.exp(-nodes) / -math.expm1(-2.0 * k)
    mean = np.zeros(3)
    for kw, weight in zip(nodes, weights, strict=True):
        if kw > 2.0 * k:
            continue
        own = np.zeros(n_inner + 1)
        own[n_inner] = 1.0
        add_angle(own, gradients, 3, momentum, 1.0 - kw / k, sharper)
        score = own[gradients.angle_column]
        mean += weight * np.array([score, own[n_inner], score * kw])
    # d<kw>/dp = -2 k d<kw>/dk at fixed scale, and of the von Mises-Fisher law <w> = 1/k - 2/(exp(2k) - 1)
    tail = 0.0 if k > 300.0 else 1.0 / math.expm1(2.0 * k)
    slope = -2.0 * k * (-1.0 / k + 4.0 * k * tail * (1.0 + tail))
    np.testing.assert_allclose(mean, [0.0, 1.0, slope], atol=1e-7)
    own = np.zeros(n_inner + 1)
    add_angle(own, gradients, 4, momentum, 0.5, sharper)  # a kaon
    assert not own.any()


def test_hat_functions():
    at = np.log([1.0, 31.0, math.sqrt(31.0 * 158.0), 158.0, 2.0e6, 1.0e8])
    expected = [[1, 0, 0, 0], [1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]]
    np.testing.assert_allclose(hat_functions(at, KNOTS_GEV["K+"]), expected, atol=1e-12)
