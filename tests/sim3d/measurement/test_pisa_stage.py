"""The flux service in a pipeline of the tests' own, with the interface of PISA's Stage restated.

The interface (pisa/core/stage.py of PISA 4): a Stage takes expected_params and expected_container_keys, refuses
parameters that are missing or in excess, calls setup_function once, and compute_function when a value has changed.
Containers give arrays by key, have a name, a size, and mark_changed.
"""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.flux.exports import nusquids_state
from sim3d.flux.interpolated import Flux
from sim3d.measurement import pisa_stage
from sim3d.measurement.pisa_stage import configuration, make_stage, mode_names, modes, nuisances_of
from sim3d.results.gradients import SiteGradients
from sim3d.results.model_parameters import LogDerivatives, ParameterErrors
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.gradients import BINS

NAMES = ("pi+@31", "sigma:nucleon", "primary:p:slope")
MATRIX = np.array([[0.01, 0.003, 0.0], [0.003, 0.0025, 0.0], [0.0, 0.0, 0.0004]])


class Quantity:
    """A number with a unit, as pint has it."""

    def __init__(self, value):
        self.value = value

    def m_as(self, unit):
        assert unit == "dimensionless"
        return self.value


class Params:
    def __init__(self, **values):
        self.names = list(values)
        for name, value in values.items():
            setattr(self, name, SimpleNamespace(value=Quantity(value)))

    @property
    def values_hash(self):
        return hash(tuple(getattr(self, name).value.value for name in self.names))


class Container(dict):
    def __init__(self, name, **values):
        super().__init__(values)
        self.name, self.changed = name, []

    @property
    def size(self):
        return len(self["true_energy"])

    def mark_changed(self, key):
        self.changed.append(key)


class Containers(list):
    representation = None


class Stage:
    """PISA's Stage, restated."""

    def __init__(
        self,
        data=None,
        params=None,
        expected_params=None,
        expected_container_keys=None,
        calc_mode=None,
        apply_mode=None,
    ):
        if set(expected_params) != set(params.names):
            raise ValueError(f"Expected parameters: {sorted(expected_params)}")
        self.data, self.params, self.calc_mode, self.apply_mode = data, params, calc_mode, apply_mode
        self.expected_container_keys, self.param_hash = expected_container_keys, None

    def setup(self):
        for container in self.data:
            assert set(self.expected_container_keys) <= set(container)
        self.setup_function()
        self.param_hash = -1

    def run(self):
        if self.params.values_hash != self.param_hash:
            self.compute_function()
            self.param_hash = self.params.values_hash


@pytest.fixture(scope="module")
def flux():
    energy, cos = BINS.energies_GeV, 0.5 * (BINS.cos_edges[1:] + BINS.cos_edges[:-1])
    f, e, c = np.meshgrid(range(4), energy, cos, indexing="ij")
    phi, x = e**-3.0 * (1.0 + f), np.log(e)
    slopes = np.stack([0.5 + 0.02 * x + 0.1 * c + 0.01 * f, -0.3 + 0.05 * c, -x], axis=-1)
    columns = np.concatenate([phi[..., None], phi[..., None] * slopes], axis=-1)
    space = 2.0 * np.pi * np.multiply.outer(np.diff(BINS.energy_edges_GeV), np.diff(BINS.cos_edges))
    groups = np.repeat((columns * space[None, :, :, None])[None], N_GROUPS, axis=0)
    gradients = SiteGradients("x", groups, np.ones(N_GROUPS, dtype=int), ("flux", *NAMES), {})

    def table(bins):
        azimuth = np.linspace(0.0, 360.0, bins + 1)
        turn = 1.0 + 0.3 * np.sin(np.radians(0.5 * (azimuth[1:] + azimuth[:-1]))) * (bins > 1)
        values = phi[..., None] * turn
        return FluxTable(values, None, energy, BINS.energy_edges_GeV, "bins", BINS.cos_edges, azimuth, "x", "made")

    errors = ParameterErrors.of_matrix(NAMES, MATRIX)
    return Flux(table(1), table(12), derivatives=LogDerivatives(gradients, errors))


def containers(n=300):
    rng = np.random.default_rng(3)
    return Containers(
        Container(
            name, true_energy=10 ** rng.uniform(0, 2, n), true_coszen=rng.uniform(-1, 1, n), nubar=nubar,
            true_azimuth=rng.uniform(0, 360, n),
        )
        for name, nubar in (("numu_cc", 1), ("numubar_cc", -1))
    )  # fmt: skip


def pipeline(flux, data, **values):
    params = Params(**{name: values.get(name, 0.0) for name in mode_names(flux)})
    stage = make_stage(Stage)(flux, "true_azimuth", data=data, params=params, calc_mode="events", apply_mode="events")
    stage.setup()
    stage.run()
    return stage


def test_modes_have_the_covariance(flux):
    root = modes(flux)
    np.testing.assert_allclose(root @ root.T, flux.parameter_covariance, atol=1e-12)
    assert np.all(np.diff(np.square(root).sum(axis=0)) <= 1e-12)


def test_nominal_fluxes(flux):
    """Columns nue and numu, m^-2, with azimuth, antineutrinos where nubar is -1."""
    data = containers()
    stage = pipeline(flux, data)
    assert type(stage).__name__ == "sim3d_flux"
    for container, names in zip(data, (("nue", "numu"), ("nuebar", "numubar")), strict=True):
        for column, name in enumerate(names):
            point = (container["true_energy"], container["true_coszen"], container["true_azimuth"])
            np.testing.assert_allclose(container["nu_flux"][:, column], flux.flux(name, *point), rtol=1e-12)
        assert container.changed == ["nu_flux"]


def test_parameters_move_the_flux_as_the_calibration_does(flux):
    """The modes are nuisances of the flux, with the penalty of its covariance."""
    data = containers()
    values = {"sim3d_mode_00": 0.8, "sim3d_mode_02": -1.1}
    stage = pipeline(flux, data, **values)
    shifts = nuisances_of(values, flux)
    assert flux.penalty(shifts) == pytest.approx(0.8**2 + 1.1**2)
    for container in data:
        names = ("nue", "numu") if container["nubar"] == 1 else ("nuebar", "numubar")
        point = (container["true_energy"], container["true_coszen"])
        for column, name in enumerate(names):
            slopes = flux.derivatives(name, *point) @ [shifts[each] for each in flux.parameters]
            expected = flux.flux(name, *point, container["true_azimuth"]) * np.exp(slopes)
            np.testing.assert_allclose(container["nu_flux"][:, column], expected, rtol=1e-12)
    gradient = stage.gradient("numu_cc")
    assert gradient.shape == (300, 2, 3)
    before = data[0]["nu_flux"].copy()
    h = 1e-5
    stage.params.sim3d_mode_01.value.value += h
    stage.run()
    up = data[0]["nu_flux"].copy()
    stage.params.sim3d_mode_01.value.value -= 2 * h
    stage.run()
    np.testing.assert_allclose(
        gradient[..., 1], (up - data[0]["nu_flux"]) / (2 * h), rtol=1e-6, atol=1e-12 * before.max()
    )


def test_nothing_is_computed_when_nothing_changed(flux):
    data = containers()
    stage = pipeline(flux, data)
    stage.run()
    assert data[0].changed == ["nu_flux"]
    stage.params.sim3d_mode_00.value.value = 1.0
    stage.run()
    assert data[0].changed == ["nu_flux", "nu_flux"]


def test_a_step_costs_a_matrix_product(flux):
    """Far less than the fluxes themselves."""
    data = containers(50_000)
    started = time.process_time()
    stage = pipeline(flux, data)
    first = time.process_time() - started
    stage.params.sim3d_mode_00.value.value = 1.0
    started = time.process_time()
    stage.run()
    assert time.process_time() - started < 0.5 * first


def test_configuration(flux):
    text = configuration(flux, "kamioka.h5", "true_azimuth")
    assert text.startswith("[flux.sim3d_flux]\ncalc_mode = events\n")
    assert text.count("+/- 1.0 * units.dimensionless") == 3
    assert "azimuth_key = true_azimuth" in text
    assert "# mostly primary:p:slope" in text


def test_what_is_refused(flux):
    with pytest.raises(InputError, match="flux_file: give a result file"):
        make_stage(Stage)(params=Params())
    with pytest.raises(ValueError, match="Expected parameters"):
        make_stage(Stage)(flux, params=Params(other=1.0))
    data = containers(3)
    data[0]["nubar"] = 0
    with pytest.raises(InputError, match="nubar: 0, allowed: 1 for neutrinos"):
        pipeline(flux, data)
    data = containers(3)
    data[0]["nubar"] = np.array([1, -1, 1])
    with pytest.raises(InputError, match="container numu_cc: holds neutrinos and antineutrinos"):
        pipeline(flux, data)
    assert pipeline(flux, containers(0)).gradient("numu_cc").shape == (0, 2, 3)
    with pytest.raises(InputError, match="mode: 'x', allowed: sim3d_mode_00"):
        nuisances_of({"x": 1.0}, flux)
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        pisa_stage.other  # noqa: B018


def test_with_pisa_itself(flux):
    """Where PISA is installed: its own Stage, Params and containers."""
    core = pytest.importorskip("pisa.core", reason="PISA is not installed (no wheel)")
    from pisa.core.container import Container as RealContainer
    from pisa.core.container import ContainerSet
    from pisa.core.param import Param, ParamSet

    assert core is not None
    made = containers(100)
    data = []
    for one in made:
        real = RealContainer(one.name, "events")
        for key, value in one.items():
            if key != "nubar":
                real[key] = np.asarray(value, dtype=float)
        real.set_aux_data("nubar", one["nubar"])
        data.append(real)
    params = ParamSet([Param(name=name, value=0.5, is_fixed=False) for name in mode_names(flux)])
    stage = pisa_stage.sim3d_flux(
        flux_file=flux, azimuth_key="true_azimuth", data=ContainerSet("events", data), params=params,
        calc_mode="events", apply_mode="events",
    )  # fmt: skip
    stage.setup()
    stage.run()
    expected = pipeline(flux, made, **dict.fromkeys(mode_names(flux), 0.5)).data[0]["nu_flux"]
    np.testing.assert_allclose(np.asarray(stage.data["numu_cc"]["nu_flux"]), expected, rtol=1e-9)


def test_state_for_nusquids_of_a_moved_parameter(flux):
    """What docs/manual/oscillations.md says of nuSQuIDS: the shifted flux has its own state, and the model's errors."""
    cos, energy = np.linspace(-0.9, 0.9, 7), np.geomspace(2.0, 50.0, 9)
    state = nusquids_state(flux, cos, energy)
    moved = nusquids_state(flux.shifted({"pi+@31": 1.0}), cos, energy)
    c, e = (x.ravel() for x in np.meshgrid(cos, energy, indexing="ij"))
    for (kind, lepton), name in {(0, 0): "nue", (0, 1): "numu", (1, 0): "nuebar", (1, 1): "numubar"}.items():
        slope = flux.derivatives(name, e, c)[:, list(flux.parameters).index("pi+@31")].reshape(7, 9)
        ratio = moved.flux[:, :, kind, lepton] / state.flux[:, :, kind, lepton]
        np.testing.assert_allclose(ratio, np.exp(slope), rtol=2e-3)
        error = flux.error(name, energy, cos[:, None], kind="model")
        np.testing.assert_allclose(state.errors["model"][:, :, kind, lepton], error, rtol=1e-12)
