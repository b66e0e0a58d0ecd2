"""Parameters of a flux: derivatives at points, covariance, shifted fluxes and the penalty, against closed forms."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sim3d.conventions.model_modes import ModelModes
from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.flux.interpolated import Flux
from sim3d.results.gradients import SiteGradients
from sim3d.results.model_parameters import LogDerivatives, ParameterErrors
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.gradients import BINS

NAMES = ("pi+@31", "sigma:nucleon", "primary:p:slope")
MATRIX = np.array([[0.01, 0.003, 0.0], [0.003, 0.0025, 0.0], [0.0, 0.0, 0.0004]])
E, COS = BINS.energies_GeV, 0.5 * (BINS.cos_edges[1:] + BINS.cos_edges[:-1])


def slopes(f, energy, cos):
    """d ln(flux) / d(parameter) in own units: linear in ln E and cos, so interpolation is exact."""
    x = np.log(energy)
    return np.stack([0.5 + 0.02 * x + 0.1 * cos + 0.01 * f, -0.3 + 0.05 * cos + 0 * x, -x + 0 * cos], axis=-1)


def gradients(hole=False):
    f, e, c = np.meshgrid(range(4), E, COS, indexing="ij")
    flux = e**-3.0 * (1.0 + f)
    columns = np.concatenate([flux[..., None], flux[..., None] * slopes(f, e, c)], axis=-1)
    if hole:
        columns[2, 20, 3] = 0.0
    space = 2.0 * np.pi * np.multiply.outer(np.diff(BINS.energy_edges_GeV), np.diff(BINS.cos_edges))
    groups = np.repeat((columns * space[None, :, :, None])[None], N_GROUPS, axis=0)
    return SiteGradients("x", groups, np.ones(N_GROUPS, dtype=int), ("flux", *NAMES), {})


def flux_with(errors):
    f, e, _ = np.meshgrid(range(4), E, COS, indexing="ij")
    values = (e**-3.0 * (1.0 + f))[..., None]
    whole = np.array([0.0, 360.0])
    table = FluxTable(
        values, 0.03 * values, E, BINS.energy_edges_GeV, "bins", BINS.cos_edges, whole, "x", "made for a test"
    )
    return Flux(table, derivatives=LogDerivatives(gradients(), errors))


@pytest.fixture(scope="module")
def flux():
    return flux_with(ParameterErrors.of_matrix(NAMES, MATRIX))


def test_derivatives_are_those_of_the_bins_in_units_of_sigma(flux):
    assert flux.parameters == list(NAMES)
    sigma = np.sqrt(np.diag(MATRIX))
    np.testing.assert_allclose(flux.parameter_covariance, MATRIX / np.outer(sigma, sigma))
    energy, cos = np.array([0.31, 2.0, 77.0]), np.array([-0.9, 0.03, 0.4])
    ours = flux.derivatives("nue", energy, cos)
    np.testing.assert_allclose(ours, slopes(2, energy, cos) * sigma, rtol=1e-9)
    # every argument broadcasts, azimuths change nothing, tau neutrinos do not depend on anything
    assert flux.derivatives(["numu", "nutau"], 1.0, 0.2).shape == (2, 3)
    assert not flux.derivatives("nutau", 1.0, 0.2).any()


def test_covariance_and_errors(flux):
    energy = np.array([0.5, 5.0, 50.0])
    d = slopes(0, energy, 0.1)
    np.testing.assert_allclose(flux.covariance("numu", energy, 0.1), d @ MATRIX @ d.T, rtol=1e-9)
    model = flux.error("numu", energy, 0.1, kind="model") / flux.flux("numu", energy, 0.1)
    np.testing.assert_allclose(model, np.sqrt(np.diag(d @ MATRIX @ d.T)), rtol=1e-9)
    statistical, total = (flux.error("numu", energy, 0.1, kind=kind) for kind in ("statistical", "total"))
    np.testing.assert_allclose(total**2, statistical**2 + flux.error("numu", energy, 0.1, kind="model") ** 2)
    assert np.ndim(flux.error("numu", 1.0, 0.1, kind="total")) == 0
    np.testing.assert_array_equal(statistical, flux.error("numu", energy, 0.1))


def test_a_shifted_flux_is_the_flux_times_the_exponential(flux):
    moved = flux.shifted({"primary:p:slope": 2.0, "pi+@31": -1.0})
    energy = E[[5, 20, 35]]
    ratio = moved.flux("numubar", energy, COS[4]) / flux.flux("numubar", energy, COS[4])
    # a slope is exact: (E)^-0.04 beside the yield
    expected = energy ** (-2.0 * 0.02) * np.exp(-0.1 * slopes(1, energy, COS[4])[:, 0])
    np.testing.assert_allclose(ratio, expected, rtol=2e-3)
    assert moved.parameters == flux.parameters
    back = moved.shifted({"primary:p:slope": -2.0, "pi+@31": 1.0})
    np.testing.assert_allclose(back.flux("nue", 3.0, 0.3), flux.flux("nue", 3.0, 0.3), rtol=1e-9)


def test_the_penalty_is_the_inverse_of_the_covariance(flux):
    v = np.array([0.1, -0.05, 0.02]) / np.sqrt(np.diag(MATRIX))
    expected = np.array([0.1, -0.05, 0.02]) @ np.linalg.solve(MATRIX, [0.1, -0.05, 0.02])
    assert flux.penalty(dict(zip(NAMES, v, strict=True))) == pytest.approx(expected)
    assert flux.penalty({}) == 0.0
    with pytest.raises(InputError, match=r"parameter: 'K.@31'.*pi.@31"):
        flux.penalty({"K+@31": 1.0})
    with pytest.raises(InputError, match="finite"):
        flux.shifted({"pi+@31": np.inf})


def test_a_flux_without_parameters_says_so(flux):
    plain = Flux(flux.table)
    assert plain.parameters == []
    assert plain.parameter_covariance.shape == (0, 0)
    assert plain.derivatives("numu", [1.0, 2.0], 0.1).shape == (2, 0)
    assert plain.covariance("numu", [1.0, 2.0], 0.1).tolist() == [[0, 0], [0, 0]]
    assert plain.shifted({}) is plain
    assert plain.penalty({}) == 0.0
    with pytest.raises(InputError, match="has no parameters"):
        plain.error("numu", 1.0, 0.1, kind="model")
    with pytest.raises(InputError, match="statistical, model or total"):
        plain.error("numu", 1.0, 0.1, kind="both")


def test_bins_without_hits_take_the_next_energy():
    errors = ParameterErrors.of_matrix(NAMES, MATRIX)
    with_hole = LogDerivatives(gradients(hole=True), errors)
    at = with_hole.at(np.array([2]), np.log(E[[20]]), COS[[3]])
    beside = slopes(2, E[19], COS[3]) * errors.sigma
    np.testing.assert_allclose(at[0], beside, rtol=1e-9)


def test_parameters_without_an_error_are_left_out_and_wrong_ones_refused():
    errors = ParameterErrors.of_matrix(("pi+@31", "pi-@31"), np.diag([0.04, 0.0]))
    assert errors.names == ("pi+@31",)
    for names, matrix, words in (
        (("pi+@31",), [[1.0, 0.0]], "symmetric"),
        (("pi+@30",), [[1.0]], "not a parameter"),
        (("pi+@31", "pi-@31"), [[1.0, 2.0], [2.0, 1.0]], "negative eigenvalue"),
    ):
        with pytest.raises(InputError, match=words):
            ParameterErrors.of_matrix(names, matrix)


def test_many_points_are_fast(flux):
    """A tenth of the million points; CPU time of this process in units of the points is what counts."""
    rng = np.random.default_rng(1)
    n = 100_000
    energy, cos = 10 ** rng.uniform(-0.9, 3.9, n), rng.uniform(-1, 1, n)
    begin = time.process_time()
    flux.flux("numu", energy, cos)
    flux.derivatives("numu", energy, cos)
    assert time.process_time() - begin < 1.0


def test_the_share_of_priors():
    """One measurement of the sum of two parameters: the sum is known, the difference stays at its prior."""
    prior = np.diag([0.04, 0.04])
    information = np.ones((2, 2)) / 0.01
    fitted = np.linalg.inv(np.linalg.inv(prior) + information)
    errors = ParameterErrors.of_matrix(NAMES[:2], 4.0 * fitted, np.array([0.2, 0.2]), prior, scale=2.0)
    d = np.array([[1.0, 1.0], [1.0, -1.0], [1.0, 0.0]])
    both, one = 0.08 / (1 + 0.08 / 0.01), 0.5 * 0.08
    share = errors.prior_share(d)
    # of the sum s^2 / (s^2 + m^2) with the measurement's s = 0.1 and the prior's m^2 = 0.08
    np.testing.assert_allclose(share[:2], [0.01 / 0.09, 1.0], rtol=1e-9)
    expected = d[2] @ fitted @ np.linalg.inv(prior) @ fitted @ d[2] / (d[2] @ fitted @ d[2])
    assert share[2] == pytest.approx(expected)
    assert both < one
    # data and priors make up the whole
    np.testing.assert_allclose(fitted @ (np.linalg.inv(prior) + information) @ fitted, fitted)
    assert ParameterErrors.of_matrix(NAMES[:2], fitted).prior_share(d).tolist() == [1.0, 1.0, 1.0]


def test_the_share_of_priors_of_a_flux(flux):
    assert flux.prior_share("numu", [1.0, 2.0], 0.1).tolist() == [1.0, 1.0]
    assert np.isnan(Flux(flux.table).prior_share("numu", 1.0, 0.1))


def test_pseudo_parameters_are_parameters_of_width_one():
    """Errors that no parameter describes: in the derivatives, the covariance, errors, shifts and the penalty."""
    changes = np.stack([np.full((4, 2, 2), 0.03), np.full((4, 2, 2), -0.01)])
    changes[1, 2:] = 0.02
    modes = ModelModes(("model:a", "model:b"), np.array([0.1, 1e5]), np.array([0.1, 1.0]), changes)
    plain = ParameterErrors.of_matrix(NAMES, MATRIX)
    errors = plain.with_modes(modes)
    assert errors.names == (*NAMES, "model:a", "model:b")
    assert errors.physical == NAMES
    own = flux_with(errors)
    assert own.parameters == list(errors.names)
    known = flux_with(plain)
    point = ("numu", 3.0, 0.3)
    np.testing.assert_allclose(own.derivatives(*point)[-2:], [0.03, -0.01])
    np.testing.assert_allclose(own.derivatives("nue", 3.0, -0.3)[-2:], [0.03, 0.02])
    assert own.covariance(*point) == pytest.approx(known.covariance(*point) + 0.03**2 + 0.01**2)
    moved = own.shifted({"model:b": 2.0}).flux("nue", 3.0, 0.3) / own.flux("nue", 3.0, 0.3)
    assert moved == pytest.approx(np.exp(0.04))
    assert own.penalty({"model:a": 3.0, "model:b": 1.0}) == pytest.approx(10.0)
    # what is common to numu and nue cancels in their ratio
    same = flux_with(plain.with_modes(ModelModes(("model:a",), modes.energies_GeV, modes.cos_zenith, changes[:1])))
    ratios = [each.ratio("numu", "nue", 3.0, 0.3, kind="model")[1] for each in (known, same)]
    assert ratios[1] == pytest.approx(ratios[0])
    # all of it is prior
    share = own.prior_share(*point)
    assert share == pytest.approx(1.0)
