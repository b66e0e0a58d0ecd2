"""Gradients of runs: against runs with other parameters, exact weights, files, and what a user calls."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.config import make_config
from sim3d.engine import run_to_file, simulate
from sim3d.errors import InputError
from sim3d.exact_sums import N_GROUPS
from sim3d.gradient_scoring import BINS
from sim3d.jackknife import jackknife
from sim3d.merge import merge_to_file
from sim3d.parameters import PARAMETERS
from sim3d.results import Result, load

# one direction in each class of parameters
POINTS = {
    "yields": {"pi+@31": 0.3, "pi-@31": -0.2, "pi-@158": 0.2, "K+@31": 0.3, "p@31": 0.15, "n@31": -0.1},
    "cross-sections": {"sigma:nucleon": 0.15, "sigma:pion": 0.2, "sigma:kaon": 0.1},
    "primaries": {"primary:p:norm": 0.2, "primary:p:slope": 0.1, "primary:He:norm": -0.2, "primary:He:slope": -0.1},
    "solar": {"solar:MV": 300.0},
    "angles": {"angle:pion": 0.2},
}


def table(mode="targeted", primaries=24_000, **more):
    """A configuration of 48 batches; analog with the whole Earth as its patch, so that every neutrino hits."""
    config = {
        "run": {"primaries": primaries, "batch_size": primaries // 48, "seed": 11},
        "sites": [{"name": "kamioka"}],
        "sampling": {"mode": mode},
        "scoring": {"energy_min_GeV": 0.3},
    }
    if mode == "rotated":
        config["transport"] = {"bending": False}
    if mode == "analog":
        config["sites"][0]["patch"] = {"radius_deg": 180.0}
        config["field"] = {"cutoff": False}
    for name, keys in more.items():
        config[name] = {**config.get(name, {}), **keys}
    return config


def run(mode="targeted", primaries=24_000, **more):
    record = simulate(make_config(table(mode, primaries, **more)), threads=1)
    assert record is not None
    assert not record.failure
    return record


def scoring(points=POINTS, gradients=True):
    return {"gradients": gradients, "variations": [{"name": k, "parameters": v} for k, v in points.items()]}


@pytest.fixture(scope="module")
def targeted():
    return Result(run(scoring=scoring()))


def bands(result):
    """Fluxes integrated over directions, (group, flavour, 3 energy bands, column)."""
    sums = result.record.tallies[0].extras["gradients"].group_sums()
    edges = np.searchsorted(BINS.energies_GeV, [0.3, 1.0, 4.0, 1e9])
    return np.stack([sums[:, :, a:b].sum(axis=(2, 3)) for a, b in zip(edges[:-1], edges[1:], strict=True)], axis=2)


def check_class(result, kind, mode, primaries, seed=11):
    """The exact weights of a point, and the linear prediction, against a run with these parameters."""
    values = POINTS[kind]
    other = Result(run(mode, primaries, vary=values, scoring=scoring({}, ["angle:pion"]), run={"seed": seed}))
    base, varied = bands(result), bands(other)[..., 0]
    flux, exact = base[..., 0], base[..., list(result.gradients().variations).index(kind) - len(POINTS)]
    linear = flux + sum(base[..., result.gradients().column(name)] * value for name, value in values.items())
    stacked = np.stack([varied - exact, varied - flux, linear - exact, exact - flux, flux], axis=1)
    value, error = jackknife(lambda m: m[:4] / m[4], stacked, np.ones(N_GROUPS), signed=True)
    # hits above 4 GeV are few in a small run
    z = (value[0] / error[0])[:, :2]
    assert np.all(np.abs(z) < 4.5), (kind, mode, z)
    assert np.mean(z**2) < 1.1 + 4.0 * np.sqrt(2.0 / z.size), (kind, mode, z)
    # the step moves the flux, and most of it is linear
    assert np.abs(value[3]).max() > 0.015
    assert np.all(np.abs(value[2, :, 0]) < 0.5 * np.abs(value[3, :, 0]) + 0.03)
    return value, error


@pytest.mark.parametrize("kind", POINTS)
def test_a_run_with_other_parameters(targeted, kind):
    check_class(targeted, kind, "targeted", 24_000)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["targeted", "analog", "rotated"])
def test_runs_with_other_parameters(mode):
    primaries = {"targeted": 240_000, "analog": 96_000, "rotated": 48_000}[mode]
    result = Result(run(mode, primaries, scoring=scoring()))
    for kind in POINTS:
        check_class(result, kind, mode, primaries)


def test_derivatives_are_those_of_the_exact_weights():
    """In one run the central difference of two exact points is the derivative, to the square of the step."""
    step = 1e-3
    names = ("pi+@31", "sigma:nucleon", "primary:He:norm", "primary:p:slope", "solar:MV", "angle:pion")
    size = {name: 1.0 if name == "solar:MV" else step for name in names}
    points = {f"{name[:3]}{i}{s:+d}": {name: s * size[name]} for i, name in enumerate(names) for s in (1, -1)}
    result = Result(run(primaries=4_800, scoring=scoring(points)))
    mean = bands(result).sum(axis=0)
    for i, name in enumerate(names):
        first = mean.shape[-1] - len(points) + 2 * i
        central = (mean[..., first] - mean[..., first + 1]) / (2.0 * size[name])
        scale = np.abs(mean[..., 0]).max() * (1e-3 if name == "solar:MV" else 1.0)
        np.testing.assert_allclose(central, mean[..., result.gradients().column(name)], rtol=2e-3, atol=2e-4 * scale)


def test_norms_of_all_groups_are_the_flux(targeted):
    of = targeted.gradients()
    total = sum(of.gradient(name)[0] for name in PARAMETERS if name.endswith(":norm"))
    flux, error = of.flux()
    np.testing.assert_allclose(total, flux, rtol=1e-6, atol=1e-9 * flux.max())
    assert np.all(error[flux > 0] > 0.0)


def test_the_flux_is_the_runs_own(targeted):
    flux, _ = targeted.gradients().flux()
    fine, _, _ = targeted.binned("kamioka", "fine_aa")
    width = np.diff(targeted.energy_edges_GeV)
    in_bins = (fine * width[:, None])[:, :200].reshape(4, 50, 4, 20, 2).sum(axis=2).mean(axis=-1)
    in_bins /= np.diff(BINS.energy_edges_GeV)[:, None]
    np.testing.assert_allclose(flux, in_bins, rtol=1e-5, atol=1e-9 * flux.max())


@pytest.mark.parametrize("mode", ["targeted", pytest.param("analog", marks=pytest.mark.slow)])
def test_the_flux_does_not_depend_on_gradients(mode):
    plain = run(mode, 2_400).tallies[0].arrays()
    more = run(mode, 2_400, scoring=scoring()).tallies[0].arrays()
    for name, array in plain.items():
        np.testing.assert_array_equal(array, more[name], err_msg=name)
    assert more["gradients/total"].any()
    np.testing.assert_array_equal(more["gradients/groups"].sum(axis=0), more["gradients/total"])


@pytest.mark.slow
def test_the_flux_does_not_depend_on_gradients_when_rotated():
    test_the_flux_does_not_depend_on_gradients("rotated")


def test_files_keep_them(tmp_path):
    """Threads, parts, merges and breaks leave the same file; event records do not disturb."""
    config = make_config(table(primaries=2_400, scoring={**scoring(), "events": True}))
    whole, first, second, joined = (tmp_path / f"{name}.h5" for name in ("whole", "first", "second", "joined"))
    run_to_file(config, whole, threads=2)
    run_to_file(config, first, threads=1, batches=(0, 20))
    run_to_file(config, second, threads=1, batches=(20, 48))
    merge_to_file([second, first], joined)
    run_to_file(config, first, threads=1, resume=True)
    reference = load(whole).record.tallies[0].arrays()
    assert reference["gradients/total"].any()
    for path in (joined, first):
        again = load(path).record.tallies[0].arrays()
        assert again.keys() == reference.keys()
        for name, array in reference.items():
            np.testing.assert_array_equal(again[name], array, err_msg=f"{path.name} {name}")
    assert load(whole).attributes["gradient_columns"].startswith("flux, pi+@31, ")


def test_what_a_user_calls(targeted):
    assert list(targeted.parameters) == list(PARAMETERS)
    value = targeted.gradient("pi+@31", "numu", [0.5, 1.0], 0.55)
    error = targeted.gradient_error("pi+@31", 14, [0.5, 1.0], 0.55)
    relative = targeted.gradient("pi+@31", "numu", 0.5, 0.55, relative=True)
    flux, _ = targeted.gradients().flux()
    own = targeted.gradients().at(flux, "numu", 0.5, 0.55)
    assert value.shape == error.shape == (2,)
    assert relative == pytest.approx(value[0] / own)
    assert 0.0 < targeted.gradient_error("pi+@31", "numu", 0.5, 0.55, relative=True) < 0.5
    varied = targeted.vary({"pi+@31": 0.1, "solar:MV": 50.0})
    known = flux > 0
    expected = (
        flux + 0.1 * targeted.gradients().gradient("pi+@31")[0] + 50.0 * targeted.gradients().gradient("solar:MV")[0]
    )
    np.testing.assert_allclose(varied.flux, expected)
    np.testing.assert_allclose(varied.ratio[known], expected[known] / flux[known])
    # the same showers are in both: the ratio is known far better than the flux
    good = (targeted.binned("kamioka", "honda_aa")[2][:, :100:2] > 20) & (varied.flux > 0)
    assert good.sum() > 50
    assert np.median(varied.ratio_error[good] / (varied.error[good] / varied.flux[good])) < 0.5
    assert np.isfinite(varied.smooth().flux("numu", 1.0, 0.5))


def test_a_varied_table_of_the_run(targeted):
    from sim3d.flux_table import table_of_result

    own = table_of_result(targeted, "kamioka", "honda", azimuth=True)
    nothing = targeted.vary({"pi+@31": 0.0}).applied_to(own)
    np.testing.assert_allclose(nothing.flux, own.flux)
    hydrogen = {name: 0.1 for name in PARAMETERS if name.endswith(":norm")}
    more = targeted.vary(hydrogen).applied_to(own)
    np.testing.assert_allclose(more.flux, 1.1 * own.flux, rtol=1e-4)
    np.testing.assert_allclose(more.error, 1.1 * own.error, rtol=1e-3)


def test_propagated_errors(targeted):
    of = targeted.gradients()
    sigma = {"pi+@31": 0.02, "pi-@31": 0.05}
    errors = targeted.covariance(sigma)
    parts = [of.gradient(name)[0] * value for name, value in sigma.items()]
    np.testing.assert_allclose(errors.error, np.hypot(*parts))
    together = targeted.covariance((list(sigma), np.outer(list(sigma.values()), list(sigma.values()))))
    np.testing.assert_allclose(together.error, np.abs(sum(parts)), rtol=1e-6, atol=1e-9 * errors.error.max())
    # an error common to the flux of every nucleus cancels in ratios
    norms = [name for name in PARAMETERS if name.endswith(":norm")]
    common = targeted.covariance((norms, np.full((5, 5), 0.1**2)))
    value, error = common.ratio(["numu", "numubar"], ["nue", "nuebar"])
    known = np.isfinite(value)
    assert np.quantile(error[known] / np.maximum(value[known], 0.01), 0.9) < 1e-3
    np.testing.assert_allclose(common.relative[np.isfinite(common.relative)], 0.1, rtol=1e-4)
    block = errors.bins("numu", 0.55)
    i = np.searchsorted(BINS.cos_edges, 0.55) - 1
    np.testing.assert_allclose(np.sqrt(np.diag(block)), errors.error[0, :, i])


def test_a_part_of_the_parameters(tmp_path):
    result = Result(run(primaries=2_400, scoring=scoring({}, ["solar", "pi+@31"])))
    assert list(result.parameters) == ["pi+@31", "solar:MV"]
    with pytest.raises(InputError, match=r"parameter: .*pi-@31.*pi\+@31, solar:MV"):
        result.gradient("pi-@31", "numu", 1.0, 0.5)
    with pytest.raises(InputError, match="is not a parameter"):
        result.gradient("pi0@31", "numu", 1.0, 0.5)
    with pytest.raises(InputError, match="must be between -1 and 10"):
        result.vary({"pi+@31": -2.0})
    with pytest.raises(InputError, match="energy_GeV: must be between"):
        result.gradient("pi+@31", "numu", 1e5, 0.5)
    with pytest.raises(InputError, match="no points"):
        result.variation("more")
    for bad in (([["pi+@31"]], [[1.0]]), (["pi+@31"], [[np.nan]]), (["pi+@31"], [[-1.0]])):
        with pytest.raises(InputError):
            result.covariance(bad)


def test_a_run_without_gradients():
    result = Result(run(primaries=2_400))
    assert result.parameters == {}
    with pytest.raises(InputError, match=r"gradients: this run made none; .*\[scoring\] gradients = true"):
        result.vary({"pi+@31": 0.1})


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"vary": {"pi+@30": 0.1}}, "vary: 'pi\\+@30' is not a parameter"),
        ({"vary": {"pi+@31": -2}}, r"vary: pi\+@31 = -2 must be between -1 and 10"),
        ({"scoring": {"gradients": ["yield"]}}, "classes yields, cross-sections"),
        ({"scoring": {"gradients": 3}}, "must be true, false, or a list"),
        ({"scoring": {"variations": [{"name": "a b", "parameters": {}}]}}, "name: 'a b'"),
        ({"scoring": {"variations": 2 * [{"name": "a", "parameters": {}}]}}, "have the name 'a' twice"),
    ],
)
def test_wrong_configurations(extra, words):
    with pytest.raises(InputError, match=words):
        make_config({"sites": [{"name": "kamioka"}], **extra})


def test_a_potential_below_zero():
    from sim3d.setup_run import make_setup

    config = make_config(table(vary={"solar:MV": -700.0}))
    with pytest.raises(InputError, match=r"solar:MV: -700"):
        make_setup(config)
