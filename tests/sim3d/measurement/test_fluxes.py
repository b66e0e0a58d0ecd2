"""Fluxes on events: ratios of fluxes in closed form, units, azimuths, nuisances of a flux."""

import numpy as np
import pytest
import simweights

from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.flux.interpolated import Flux
from sim3d.measurement.binning import Binning, cos_axis, log_axis
from sim3d.measurement.fluxes import atmospheric, cascade_flux, flux_at_events, power_law, reweighted_power_law
from sim3d.measurement.model import Model
from sim3d.measurement.samples import Sample, sample_of_weighter
from sim3d.results.gradients import SiteGradients
from sim3d.results.model_parameters import LogDerivatives, ParameterErrors
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.gradients import BINS

NAMES = ("pi+@31", "sigma:nucleon", "primary:p:slope")
MATRIX = np.array([[0.01, 0.003, 0.0], [0.003, 0.0025, 0.0], [0.0, 0.0, 0.0004]])
YEAR_S = 3.15576e7


def table(azimuth_bins):
    """E^-3 times 1 + flavour, and 1 + 0.5 sin(azimuth) where there are azimuths."""
    energy, cos = BINS.energies_GeV, BINS.cos_edges
    azimuth = np.linspace(0.0, 360.0, azimuth_bins + 1)
    turn = 1.0 + (0.5 * np.sin(np.radians(0.5 * (azimuth[1:] + azimuth[:-1]))) if azimuth_bins > 1 else np.zeros(1))
    values = np.arange(1.0, 5.0)[:, None, None, None] * energy[:, None, None] ** -3.0 * turn
    values = values * np.ones((len(cos) - 1, 1))
    return FluxTable(values, None, energy, BINS.energy_edges_GeV, "bins", cos, azimuth, "x", "made")


@pytest.fixture(scope="module")
def flux():
    """The tables with derivatives by three parameters."""
    energy, cos = BINS.energies_GeV, 0.5 * (BINS.cos_edges[1:] + BINS.cos_edges[:-1])
    f, e, c = np.meshgrid(range(4), energy, cos, indexing="ij")
    phi = e**-3.0 * (1.0 + f)
    x = np.log(e)
    slopes = np.stack([0.5 + 0.02 * x + 0.1 * c, -0.3 + 0.05 * c, -x], axis=-1)
    columns = np.concatenate([phi[..., None], phi[..., None] * slopes], axis=-1)
    space = 2.0 * np.pi * np.multiply.outer(np.diff(BINS.energy_edges_GeV), np.diff(BINS.cos_edges))
    groups = np.repeat((columns * space[None, :, :, None])[None], N_GROUPS, axis=0)
    gradients = SiteGradients("x", groups, np.ones(N_GROUPS, dtype=int), ("flux", *NAMES), {})
    errors = ParameterErrors.of_matrix(NAMES, MATRIX)
    return Flux(table(1), table(12), derivatives=LogDerivatives(gradients, errors))


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(1)
    n = 3000
    return Sample(
        {
            "energy_GeV": 10 ** rng.uniform(0, 3, n), "cos_zenith": rng.uniform(-1, 1, n),
            "azimuth_deg": rng.uniform(0, 360, n),
            "pdg": rng.choice([12, -12, 14, -14], n), "generated": rng.uniform(1, 2, n), "weight": rng.uniform(0, 1, n),
        }
    )  # fmt: skip


def test_the_seeds_ratio_for_power_laws():
    """Generated as A E^-2, modelled as a power law: w = weight x Phi / Phi_generated, event by event, per cm^2."""
    energy = np.geomspace(1e4, 1e7, 300)
    generated = 3e4 * energy**-2.0
    sample = Sample({"energy_GeV": energy, "generated": generated, "weight": np.full(300, 0.7)})
    part = power_law("astro", sample, 10.0, flux_at_pivot=2.06e-18, index=2.46)
    expected = 10.0 * 0.7 * 2.06e-18 * (energy / 1e5) ** -2.46 / generated
    np.testing.assert_allclose(part.weights, expected, rtol=1e-12)
    model = Model(Binning(log_axis("energy_GeV", 1e3, 1e8, 1)), [part])
    found = model.expectation({"N_astro": 2.0, "gamma": 3.0}).values
    np.testing.assert_allclose(found, 2.0 * np.sum(expected * (energy / 1e5) ** -0.54), rtol=1e-12)
    # from given weights: N (E/100 TeV)^-gamma / (E/100 TeV)^-2.5 w
    seeds = reweighted_power_law("astro", sample, expected, index=2.5)
    again = Model(model.binning, [seeds]).expectation({"gamma": 2.9}).values
    np.testing.assert_allclose(again, np.sum(expected * (energy / 1e5) ** -2.9 / (energy / 1e5) ** -2.5), rtol=1e-12)


def test_a_rate_is_the_integral():
    """Events of simweights through a disc: the sum of the weights is flux x area x solid angle, integrated."""
    rng = np.random.default_rng(4)
    n = 40_000
    law, disc = simweights.PowerLaw(-2, 1e4, 1e7, "energy"), simweights.CircleInjector(100.0, -1.0, 1.0, "cos_zen")
    events = simweights.Weighter([], n * simweights.generation_surface(14, law, disc))
    events.add_weight_column("pdgid", np.full(n, 14))
    events.add_weight_column("energy", law.ppf(rng.random(n)))
    events.add_weight_column("cos_zen", rng.uniform(-1.0, 1.0, n))
    weights = power_law("p", sample_of_weighter(events), 1.0, flux_at_pivot=1e-18, index=2.46).weights
    area_cm2 = np.pi * 1e8
    exact = 4 * np.pi * area_cm2 * 1e-18 * 1e5 / 1.46 * (0.1**-1.46 - 100.0**-1.46)
    assert abs(weights.sum() - exact) < 3.5 * n**0.5 * weights.std()


def test_atmospheric_weights(flux, sample):
    """Per m^2 here, per cm^2 in the sample; the flux at every event with and without azimuth."""
    point = (sample.role("pdg"), sample.role("energy_GeV"), sample.role("cos_zenith"))
    own = sample.columns["weight"] / (1e4 * sample.columns["generated"]) * YEAR_S
    with_azimuth = atmospheric("air", sample, flux, YEAR_S)
    np.testing.assert_allclose(with_azimuth.weights, own * flux.flux(*point, sample.role("azimuth_deg")), rtol=1e-12)
    without = atmospheric("air", sample, flux, YEAR_S, azimuth=False)
    np.testing.assert_allclose(without.weights, own * flux.flux(*point), rtol=1e-12)
    by_user = atmospheric("air", sample, lambda events: events.role("energy_GeV") ** -3.0, YEAR_S)
    np.testing.assert_allclose(by_user.weights, own * point[1] ** -3.0, rtol=1e-12)
    assert by_user.priors == ()


def test_nuisances_of_a_flux(flux, sample):
    """The expectation follows Flux.shifted, and the prior is the covariance of the parameters."""
    binning = Binning(log_axis("energy_GeV", 1.0, 1e3, 9), cos_axis("cos_zenith", 4))
    part = atmospheric("air", sample, flux, YEAR_S, azimuth=False, tilts={"tilt": 30.0})
    model = Model(binning, [part])
    values = {"pi+@31": 1.0, "sigma:nucleon": -0.5, "primary:p:slope": 0.8}
    found = model.expectation(values).values
    moved = Model(binning, [atmospheric("air", sample, flux.shifted(values), YEAR_S, azimuth=False)])
    np.testing.assert_allclose(found, moved.expectation().values, rtol=2e-3)
    np.testing.assert_allclose(model.parameters.priors[0].covariance, flux.parameter_covariance)
    assert model.parameters.penalty(model.parameters.array(values))[0] == pytest.approx(flux.penalty(values))
    tilted = model.expectation({"tilt": 0.1}).values.sum()
    assert tilted == pytest.approx(np.sum(part.weights * (sample.role("energy_GeV") / 30.0) ** -0.1), rel=1e-9)
    assert Model(binning, [atmospheric("air", sample, flux, YEAR_S, nuisances=False)]).parameters.names == ("N_air",)


def test_honda_file(tmp_path, fake_result, sample):
    """A Honda table gives the events the flux that its own reader gives."""
    from sim3d.results.tables import write_honda_tables

    write_honda_tables(fake_result(sites=("kamioka",), noise=0.0, batches=2), tmp_path)
    honda = Flux.load(tmp_path / "kamioka-honda-ally-20-12.d")
    point = (sample.role("pdg"), sample.role("energy_GeV"), sample.role("cos_zenith"), sample.role("azimuth_deg"))
    assert np.array_equal(flux_at_events(honda, sample), honda.flux(*point))


def test_cascade(monkeypatch):
    """Energies, zeniths and flavours keep their places; up and down are one solution, with a kink at the horizon."""
    from types import SimpleNamespace

    from sim3d.conventions.flavours import FLAVOURS
    from sim3d.measurement import fluxes

    solved = []

    def solve(cosines, **models):
        solved.extend(cosines)
        grid = SimpleNamespace(edges_GeV=np.array([1.0, 1e8]))

        def at(c):
            return lambda flavour, e: (1 + FLAVOURS.index(flavour)) * (1.5 - c) * e**-3.5

        return [SimpleNamespace(grid=grid, flux=at(c)) for c in cosines]

    monkeypatch.setattr(fluxes, "cascade_fluxes", solve)
    flux = cascade_flux(None, (1e3, 1e7), 41)
    assert len(solved) == 20
    assert min(solved) > 0.0
    energy = np.array([2e3, 5e5])
    for f, name in enumerate(FLAVOURS):
        for cos in (-0.75, 0.28):
            exact = (1 + f) * (1.5 - abs(cos)) * energy**-3.5
            np.testing.assert_allclose(flux.flux(name, energy, cos), exact, rtol=2e-3)
    with pytest.raises(InputError, match="at most 1e\\+07, a tenth of the highest primary energy"):
        cascade_flux(np.linspace(-1, 1, 5), (1e3, 2e7))


def test_what_is_refused(flux, sample):
    with pytest.raises(InputError, match=r"livetime_s: 0\.0, allowed: above 0"):
        atmospheric("air", sample, flux, 0.0)
    with pytest.raises(InputError, match="flux: has \\(2,\\) values for 3000 events"):
        flux_at_events(lambda events: np.ones(2), sample)
    bad = np.ones(3000)
    bad[4] = np.nan
    with pytest.raises(InputError, match="flux of row 5 of sample: nan"):
        flux_at_events(lambda events: bad, sample)
    with pytest.raises(InputError, match="averaged over azimuth"):
        flux_at_events(Flux(table(1)), sample, azimuth=True)
    far = Sample({"energy_GeV": [1e9], "cos_zenith": [0.0], "pdg": [14], "generated": [1.0]})
    with pytest.raises(InputError, match=r"energy_GeV of row 1: 1000000000\.0, allowed: .*1 of 1 events"):
        flux_at_events(flux, far)
    with pytest.raises(InputError, match="gives no numbers"):
        flux_at_events(lambda events: "x", sample)
    with pytest.raises(InputError, match="flux: 'int', allowed: a flux, or a function"):
        flux_at_events(3, sample)
    with pytest.raises(InputError, match=r"pivot of tilt: 0\.0, allowed: above 0"):
        atmospheric("air", sample, flux, 1.0, tilts={"tilt": 0.0})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flux_at_pivot": -1.0}, "flux_at_pivot: -1.0, allowed: 0 or more"),
        ({"flux_at_pivot": np.nan}, "flux_at_pivot: nan, allowed: 0 or more"),
        ({"index": np.nan}, "index: nan, allowed: a finite number"),
        ({"pivot_GeV": 0.0}, "pivot_GeV: 0.0, allowed: above 0"),
        ({"share": -0.5}, "share: -0.5, allowed: 0 or more"),
    ],
)
def test_power_laws_that_are_refused(sample, change, message):
    with pytest.raises(InputError) as caught:
        power_law("astro", sample, 1.0, **({"flux_at_pivot": 1.0, "index": 2.0} | change))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "change",
    [
        {"cos_zenith": [0.5, 0.2]},
        {"cos_zenith": [0.5]},
        {"cos_zenith": [0.0, 1.5]},
        {"points": 3},
        {"energy_GeV": (-1.0, 1e3)},
        {"energy_GeV": (1e4, 1e3)},
    ],
)
def test_cascades_that_are_refused(change):
    """Before anything is solved."""
    with pytest.raises(InputError, match=r"cos_zenith: needs|energy_GeV: \("):
        cascade_flux(**change)


def test_no_events(flux):
    """A sample without events has fluxes, weights and an expectation: none."""
    nobody = Sample({name: np.zeros(0) for name in ("energy_GeV", "cos_zenith", "azimuth_deg", "pdg", "generated")})
    part = atmospheric("air", nobody, flux, 1.0)
    model = Model(Binning(log_axis("energy_GeV", 1.0, 1e3, 3)), [part])
    assert len(part.weights) == 0
    assert model.expectation({"N_air": 2.0}).values.tolist() == [0.0, 0.0, 0.0]
    assert model.events.tolist() == [0, 0, 0]


def test_charm_of_the_cascade_goes_through():
    """The option of the cascade equations adds to the flux, and the flux says so."""
    options = {"cos_zenith": [0.5, 1.0], "energy_GeV": (1e4, 1e6), "points": 5, "bins_per_decade": 8}
    without, with_charm = cascade_flux(**options), cascade_flux(**options, charm=True)
    ratio = with_charm.flux(12, 1e5, 0.75) / without.flux(12, 1e5, 0.75)
    assert 3.0 < float(ratio) < 30.0
