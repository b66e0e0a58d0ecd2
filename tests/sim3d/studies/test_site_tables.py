"""Making the flux of a site from runs: configurations, few directions for derivatives, the Sun, comparison with a run.

The results follow a formula (no showers); scripts/campaigns/site_tables.py is run with real ones in tests/scripts.
"""

from __future__ import annotations

import numpy as np
import pytest

import sim3d
from sim3d.files.site_flux_file import read_site_flux, write_site_flux
from sim3d.flux.site_flux import potential_weights, site_tables
from sim3d.results.gradients import SiteGradients
from sim3d.results.model_parameters import ParameterErrors
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.gradients import BINS
from sim3d.studies import site_tables as making
from sim3d.studies.site_tables import (
    BASE_MV,
    POTENTIALS_MV,
    SitePlan,
    agreement,
    compressed,
    make_site_flux,
    site_configuration,
    solar_series,
)

NAMES = ("pi+@31", "primary:p:norm")
MODELS = {"hadronic": "urqmd-sibyll", "primaries": "ghls2001-average", "atmosphere": "us-standard"}
PLAN = SitePlan(20_000, ("2005-01-01", "2025-01-01"), NAMES, MODELS, {}, 7)
PLACE = {"name": "kamioka", "lat": 36.4, "lon": 137.3, "altitude_m": 1370.0}


def sun(potential, energy):
    return -(potential - BASE_MV) * 1e-3 / (energy + 1.0)


def gradients(site):
    """d ln(flux) = 0.4 by pions, 1 by the norm; ln(flux) falls with the potential."""
    points = [p for p in POTENTIALS_MV if p != BASE_MV]
    columns = np.ones((4, len(BINS.energies_GeV), 20, 3 + len(points)))
    columns[..., 1] = 0.4
    for i, potential in enumerate(points):
        columns[..., 3 + i] = np.exp(sun(potential, BINS.energies_GeV))[:, None]
    names = ("flux", *NAMES, *(f"variation:sun{p:.0f}" for p in points))
    points_of = {f"sun{p:.0f}": {"solar:MV": p - BASE_MV} for p in points}
    space = 2.0 * np.pi * np.multiply.outer(np.diff(BINS.energy_edges_GeV), np.diff(BINS.cos_edges))
    groups = np.repeat((columns * space[:, :, None])[None], N_GROUPS, axis=0)
    return SiteGradients(site, groups, np.ones(N_GROUPS, dtype=int), names, points_of)


@pytest.fixture
def runs(fake_result, monkeypatch):
    # tests/sim3d/studies/test_sun_by_azimuth.py is about these
    nothing = np.full((len(POTENTIALS_MV), len(BINS.energies_GeV), 20), np.nan)
    monkeypatch.setattr(making, "azimuth_factors", lambda *given: nothing)
    monkeypatch.setattr(making, "solar_series", lambda model: (np.array([201501, 201502]), np.array([700.0, 650.0])))

    def made(date, **options):
        result = fake_result(sites=("kamioka",), batches=24, noise=0.1, field={"date": date}, **options)
        monkeypatch.setattr(result, "gradients", gradients)
        return result

    return made


def test_configurations():
    first, second = (site_configuration(PLAN, PLACE, i) for i in range(2))
    assert (first.field.date, second.field.date) == PLAN.field_dates
    assert first.run.seed != second.run.seed
    assert first.primaries.solar_potential_MV == BASE_MV
    assert first.scoring.heights
    assert first.scoring.parameters == NAMES
    points = {one.name: one.parameters["solar:MV"] for one in first.scoring.variations}
    assert points == {f"sun{p:.0f}": p - BASE_MV for p in POTENTIALS_MV if p != BASE_MV}
    check = site_configuration(PLAN, PLACE, 1, check=True)
    assert check.run.primaries == 2000
    assert check.run.seed not in (first.run.seed, second.run.seed)
    assert not check.scoring.columns


def test_the_flux_of_a_site(runs, tmp_path, fake_result):
    errors = ParameterErrors.of_matrix(NAMES, np.diag([0.01, 0.0004]))
    results = [runs(date) for date in PLAN.field_dates]
    site = read_site_flux(write_site_flux(tmp_path / "kamioka.h5", make_site_flux(results, errors)))
    assert site.field_dates == PLAN.field_dates
    average, by_azimuth, derivatives = site_tables(site)
    truth = fake_result.truth(average.energies_GeV, 0.5 * (average.cos_edges[1:] + average.cos_edges[:-1]), np.zeros(1))
    inside = slice(5, 95)
    pull = (average.flux - truth)[:, inside] / average.error[:, inside]
    # smooth bins are correlated; the formula's means over bins differ from its centres by less than 0.5%
    assert np.abs(np.median(average.flux[:, inside] / truth[:, inside]) - 1.0) < 0.005
    assert np.sqrt(np.mean(pull**2)) < 3.0
    np.testing.assert_allclose(by_azimuth.flux.mean(axis=3), average.flux[..., 0], rtol=1e-3)
    np.testing.assert_allclose(average.model_relative, np.hypot(0.4 * 0.1, 0.02), rtol=1e-3)
    assert derivatives.errors.names == NAMES
    expected = np.broadcast_to(sun(1350.0, BINS.energies_GeV)[:, None], site.log_sun[-1, 0].shape)
    np.testing.assert_allclose(site.log_sun[-1, 0], expected, atol=1e-4)
    moved, _, _ = site_tables(site, "2015-01-20")
    later = np.log(moved.flux / average.flux)[0, inside, 0, 0]
    assert np.all(np.abs(later - sun(700.0, average.energies_GeV[inside])) < 0.02 + average.error[0, inside, 0, 0])


def test_agreement_with_a_run_and_without(runs):
    errors = ParameterErrors.of_matrix(NAMES, np.diag([0.01, 0.0004]))
    site = make_site_flux([runs("2005-01-01")], errors)
    same = agreement(site, runs("2005-01-02", scoring={"azimuth_bins": 12}))
    for row in same.values():
        assert row["bins"] > 500
        assert abs(row["sky_pull"]) < 4.0
        assert abs(row["east_west_pull"]) < 4.0
    other = runs("2005-01-03")
    shifted = make_site_flux([runs("2005-01-01")], errors)
    shifted.log_flux[...] += 0.2
    assert min(row["chi2_per_bin"] for row in agreement(shifted, other).values()) > 2.0
    assert min(abs(row["sky_pull"]) for row in agreement(shifted, other).values()) > 10.0


def test_dates_must_rise(runs):
    with pytest.raises(ValueError, match="rising dates"):
        make_site_flux([runs("2025-01-01"), runs("2005-01-01")], None)


def test_few_directions_keep_the_error_of_every_bin():
    rng = np.random.default_rng(3)
    n = 20
    root = rng.normal(size=(n, n))
    covariance = root @ root.T + 0.1 * np.eye(n)
    names = tuple(f"x{i}" for i in range(n))
    errors = ParameterErrors(
        names, np.ones(n), covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    )
    x = np.linspace(0.0, 1.0, 40)
    shapes = np.stack([np.cos(k * np.pi * x) for k in range(6)], axis=1)
    slopes = (shapes @ rng.normal(size=(6, n)))[None, :, None, :] * np.ones((4, 1, 5, 1))
    modes, mix = compressed(slopes, errors)
    assert mix.shape[0] <= 6
    np.testing.assert_allclose(errors.sigma_of(modes @ mix), errors.sigma_of(slopes), rtol=0.0101)
    exact_modes, exact_mix = compressed(slopes, errors, 1e-12)
    np.testing.assert_allclose(exact_modes @ exact_mix, slopes, atol=1e-7)


def test_the_series_of_the_sun():
    months, potentials = solar_series("ghls2001-average")
    assert potentials[list(months).index(200907)] == pytest.approx(430.0)
    assert np.all(np.diff(months) > 0)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["southpole", "kamioka"])
def test_the_sun_between_the_potentials(place):
    """Interpolated against the same showers under the potential itself: within 0.5% (issue "Tables without a run").

    Likelihood ratios of one run, so that the statistics of both are the same.
    """
    between = (330.0, 370.0, 520.0, 700.0, 900.0, 1200.0)
    plan = SitePlan(60_000, ("2025-01-01",), (), {**MODELS, "primaries": "gsf:2026.1"}, {}, 3)
    config = site_configuration(plan, {"name": place}, 0).model_dump(mode="json")
    points = [{"name": f"at{at:.0f}", "parameters": {"solar:MV": at - BASE_MV}} for at in between]
    config["scoring"]["variations"] += points
    config["scoring"]["gradients"] = False
    found = sim3d.run(config).gradients(place)
    mean = found.mean()
    columns = ["flux", *found.parameters, *(f"variation:{name}" for name in found.variations)]
    known = mean[..., 0] > 0.0
    assert known.mean() > 0.9
    log = {name: np.log(mean[..., i][known] / mean[..., 0][known]) for i, name in enumerate(columns)}
    nodes = [np.zeros_like(log["flux"]) if p == BASE_MV else log[f"variation:sun{p:.0f}"] for p in POTENTIALS_MV]
    for at in between:
        weights = potential_weights(np.array(POTENTIALS_MV), at)
        difference = np.tensordot(weights, nodes, axes=1) - log[f"variation:at{at:.0f}"]
        assert np.abs(difference).max() < 0.005, at
