"""Nuclei that interact after their own length: the depths of first interactions and the neutrinos of superposition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from hadronic.interaction.kernels import interaction_length
from sim3d.config.load import make_config
from sim3d.conventions.particles import PROTON
from sim3d.errors import InputError
from sim3d.jit_cache import CACHE
from sim3d.primaries.build import primary_model
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, GROUPS
from sim3d.primaries.nuclei import (
    _AIR_A,
    _AIR_RADIUS_FM,
    _SIGMA_NN_FM2,
    cross_section_mb,
    length_ratios,
    nuclei_table,
)
from sim3d.primaries.spectrum import group_flux
from sim3d.sampling.first_interaction import trace_to_top
from sim3d.sampling.source import Source
from sim3d.sampling.targeted import draw_breakup, draw_vertex, first_interaction_rate
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS, NU_ENERGY, NU_WEIGHT
from sim3d.shower.random_streams import primary_key
from sim3d.shower.stack import new_stack

HE = GROUPS.index("He")


def test_lengths_and_losses():
    """Helium goes 45 +- 4 g/cm2 where a nucleon goes 88; iron loses 11.5 times a proton's energy per nucleon."""
    ratios = length_ratios()
    assert ratios[0] == 1.0
    assert np.all(np.diff(ratios) < 0.0)
    assert 88.0 * ratios[HE] == pytest.approx(45.0, abs=4.0)
    own = nuclei_table("own_length")
    np.testing.assert_allclose(own[:, 0], GROUP_CHARGE**2 / GROUP_MASS_NUMBER)
    np.testing.assert_allclose(nuclei_table()[:, 1], 1.0)


def test_karols_formula_is_the_integral_over_the_impact_parameter():
    """1 - exp(-sigma_NN T(b)) with the overlap T of two Gaussian densities, whose <r^2> is 3/2 a^2."""
    for mass_number, radius in ((1.0, 0.88), (4.0, 1.68), (50.0, 3.7)):
        a2 = 2.0 / 3.0 * (radius**2 + _AIR_RADIUS_FM**2)
        b2 = (np.arange(200_000) + 0.5) * 1e-4 * a2
        overlap = mass_number * _AIR_A / (math.pi * a2) * np.exp(-b2 / a2)
        sigma = 10.0 * math.pi * (-np.expm1(-_SIGMA_NN_FM2 * overlap)).sum() * 1e-4 * a2
        assert cross_section_mb(mass_number, radius) == pytest.approx(sigma, rel=1e-4)


def test_numbers_of_wounded_nucleons():
    """The nucleus interacts more often; per interaction A lambda_A / lambda_N of its nucleons do."""
    wounded = GROUP_MASS_NUMBER * length_ratios()
    assert 1.5 < wounded[HE] < 2.5
    assert 3.0 < wounded[2] < 5.0


@pytest.mark.parametrize("ratio", [0.5, 0.15])
def test_the_mean_rate_is_that_of_superposition(ratio):
    """Over breakups: lambda_A / lambda_N of them in the nucleus, else alone over an exponential depth."""
    length = 88.0
    for depth in (10.0, 90.0, 300.0):
        flown = (np.arange(4000) + 0.5) * depth / 4000
        alone = np.array([first_interaction_rate.py_func(depth, d, length, length, ratio) for d in flown])
        density = np.exp(-flown / length) / length
        mean = ratio * first_interaction_rate.py_func(depth, 0.0, length, length, ratio)
        mean += (1.0 - ratio) * (alone * density).sum() * depth / alone.size
        assert mean == pytest.approx(math.exp(-depth / length) / length, rel=2e-3)


@njit(cache=CACHE)
def _rates(world, source, n, out):
    """Rates of first interactions by group, without bending, by the recipe of targeted_batch: sums and squares."""
    rng = np.array([primary_key(8, 1)], dtype=np.uint64)
    pose, entry = np.empty(9), np.empty(6)
    for i in range(n):
        key = primary_key(8, i + 2)
        rng[0] = key
        kinetic, group, constant, _ = draw_vertex(world, source, i, n, rng, pose)
        at_vertex = interaction_length(world.yields, PROTON, math.log(kinetic))
        flown, charge = draw_breakup(world, group, kinetic, key, rng)
        z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
        depth, top, slowing = trace_to_top(
            world, pose, kinetic, z_over_a, world.nuclei[group, 0], flown, charge, at_vertex, entry
        )
        if depth == math.inf or not source.energy_low <= top <= source.energy_high:
            continue
        length = interaction_length(world.yields, PROTON, math.log(top))
        w = constant * group_flux(top, group, source.spectrum) * slowing
        w *= first_interaction_rate(depth, flown, length, at_vertex, world.nuclei[group, 1])
        out[group, 0] += w
        out[group, 1] += (n * w) ** 2


def test_vertices_have_the_rate_of_superposition(make_world):
    """By group, primaries from 20 GeV: breakup and free flight leave the rate, but for small losses of energy."""
    source = Source(primary_model("ghls2001-average").spectrum, 20.0, 1000.0, 2.0)
    n, found = 300_000, []
    for nuclei in ("superposition", "own_length"):
        out = np.zeros((len(GROUPS), 2))
        _rates(make_world(bending=False, nuclei=nuclei), source, n, out)
        found.append((out[:, 0], np.sqrt(out[:, 1]) / n))
    (a, da), (b, db) = found
    assert a[0] == pytest.approx(b[0], rel=5e-3)
    assert np.all(np.abs(a - b) < 4.0 * np.hypot(da, db) + 3e-3 * a)
    assert db[HE] < 0.02 * b[HE]
    assert np.all(db < 0.1 * b)


@njit(cache=CACHE)
def _neutrinos(world, start, kinetic, group, n, out):
    """Sums of neutrino energies of showers of a group's nucleons from the top."""
    stack = new_stack(32768)
    rows = np.empty((1024, NEUTRINO_COLUMNS))
    z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
    interacts = np.bool_(False)  # a literal would be another type than that of runs
    for i in range(n):
        found, rows, stack = shower(
            world, start, kinetic, z_over_a, primary_key(5, i), stack, rows, interacts, None, None, None,
            world.nuclei[group],
        )  # fmt: skip
        for j in range(found):
            out[i] += rows[j, NU_WEIGHT] * rows[j, NU_ENERGY]


@pytest.mark.parametrize("group", [HE, 4])
def test_showers_of_own_length_have_the_neutrinos_of_superposition(make_world, group):
    """Total energy of neutrinos per nucleon of 100 GeV."""
    start = np.array([0.0, 0.0, 6371.2 + 110.0, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0])
    n, found = 6000, []
    for nuclei in ("superposition", "own_length"):
        world = make_world(bending=False, transverse=False, nuclei=nuclei, energy_min_GeV=0.5)
        start[2] = 6371.2 + world.top_km
        out = np.zeros(n)
        _neutrinos(world, start, 100.0, group, n, out)
        found.append(out)
    a, b = found
    assert abs(a.mean() - b.mean()) < 4.0 * math.hypot(a.std(), b.std()) / math.sqrt(n)
    assert a.std() / math.sqrt(n) < 0.02 * a.mean()


def test_no_gradients_with_own_length():
    with pytest.raises(InputError, match="no derivatives"):
        make_config(
            {
                "transport": {"nuclei": "own_length"},
                "scoring": {"gradients": ["primaries"]},
                "sites": [{"name": "kamioka"}],
            }
        )
