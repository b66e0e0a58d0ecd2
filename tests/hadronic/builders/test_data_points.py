"""Measurements as ratios to a generator: a measurement made of the generator gives back what it was multiplied by."""

from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from hadronic.builders.base_yields import BaseYields
from hadronic.builders.data_points import angle_ratios, spectrum_ratios, summed_kaons
from hadronic.measurements import angle_data, carbon_to_air, pion_spectra, proton_spectra
from hadronic.models import load_model
from hadronic.observables.production import numbers_in_bins
from hadronic.species import P, species_code
from hadronic.tables.yield_file import read_yield_file


@pytest.fixture(scope="module")
def content():
    with resources.as_file(resources.files("hadronic").joinpath("tables", "urqmd-sibyll.h5")) as path:
        return read_yield_file(path)


def base(content, projectile):
    return BaseYields(projectile, content.projectiles[projectile], content.x_edges, (30.0, 150.0), np.inf)


def test_a_spectrum_of_the_generator_times_a_factor(content):
    one, generator = proton_spectra()[1], base(content, "p")
    half = np.minimum(0.12, 0.3 * (1.0 - one.x))
    low, high = one.x * np.exp(-half), one.x * np.exp(half)
    number, _ = generator.number_between(one.secondary, one.T_GeV, low, high)
    made = replace(one, density=1.2 * number / (high - low) / carbon_to_air(one.x)[0])
    ratios = spectrum_ratios(generator, made, one.secondary)
    np.testing.assert_allclose(np.exp(ratios.value), 1.2)
    assert np.all(np.diag(ratios.covariance) >= np.diag(one.covariance))


def test_the_mirror_of_summed_kaons(content):
    """K0 of pi+ are K+ and K- of pi-; half of each gives the same ratio as one of them twice."""
    kaons = {one.secondary: one for one in pion_spectra() if one.T_GeV < 200.0 and one.secondary in ("K+", "K-")}
    generator = base(content, "pi+")
    both = summed_kaons(generator, kaons["K+"], kaons["K-"], "K0")
    plus = kaons["K+"]
    twice = summed_kaons(generator, plus, plus, "K0")
    minus = np.exp(np.interp(np.log(plus.x), np.log(kaons["K-"].x), np.log(kaons["K-"].density)))
    np.testing.assert_allclose(np.exp(both.value - twice.value), 0.5 * (1.0 + minus / plus.density))  # fmt: skip


@pytest.mark.parametrize(("factor", "scale"), [(1.3, 1.0), (0.8, 0.85)])
def test_angles_that_were_not_measured_follow_the_measured_ones(factor, scale):
    """A generator's own numbers times a factor, with angles `scale` times as large."""
    model = load_model("urqmd-sibyll")
    one = next(data for data in angle_data() if data.experiment == "HARP p+C" and data.secondary == "pi+")

    def numbers(name, T, p, theta):
        return numbers_in_bins(model, P, species_code(name), T, p, theta)

    made = factor * numbers("pi+", one.T_GeV, one.p_GeV, one.theta_rad / scale)
    made /= carbon_to_air(np.hypot(one.p_GeV.mean(axis=1), 0.13957) / 12.04)[0]
    ratios, scales = angle_ratios(
        numbers, replace(one, number=made, error=0.02 * made), "pi+", np.array([2.0, 3.0, 5.0])
    )
    np.testing.assert_allclose(np.exp(ratios.value), factor, rtol=0.05)
    np.testing.assert_allclose(scales[:, 0], scale, atol=0.06)
