"""Gradients of runs: against runs with other parameters, exact weights, files, and what a user calls."""

from __future__ import annotations

import json

import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs

from sim3d import cli
from sim3d.analysis.parameter_errors import daemonflux_covariance, read_errors
from sim3d.config.load import make_config
from sim3d.config.parameters import PARAMETERS
from sim3d.errors import InputError
from sim3d.flux.interpolated import Flux
from sim3d.results.gradients import describe_parameters
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result, load
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.gradients import BINS
from sim3d.simulation.engine import run_to_file, simulate
from sim3d.simulation.merge import merge_to_file

# one direction in each class of parameters
POINTS = {
    "yields": {"pi+@31": 0.3, "pi-@31": -0.2, "pi-@158": 0.2, "K+@31": 0.3, "p@31": 0.15, "n@31": -0.1},
    "cross-sections": {"sigma:nucleon": 0.15, "sigma:pion": 0.2, "sigma:kaon": 0.1},
    "primaries": {"primary:p:norm": 0.2, "primary:p:slope": 0.1, "primary:He:norm": -0.2, "primary:He:slope": -0.1},
    "solar": {"solar:MV": 300.0},
    "angles": {"angle:pion": 0.2},
}


def table(mode="targeted", primaries=14_400, **more):
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
    return with_earlier_inputs(config)


def run(mode="targeted", primaries=14_400, **more):
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


# the others run in test_runs_with_other_parameters, with 17 times the primaries (`make validate`)
@pytest.mark.parametrize("kind", ["yields"])
def test_a_run_with_other_parameters(targeted, kind):
    check_class(targeted, kind, "targeted", 14_400)


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
    gradients = targeted.gradients()
    total = sum(gradients.gradient(name)[0] for name in PARAMETERS if name.endswith(":norm"))
    flux, error = gradients.flux()
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
    config = make_config(table(primaries=2_400, run={"batch_size": 200}, scoring={**scoring(), "events": True}))
    whole, first, second, joined = (tmp_path / f"{name}.h5" for name in ("whole", "first", "second", "joined"))
    run_to_file(config, whole, threads=2)
    run_to_file(config, first, threads=1, batches=(0, 5))
    run_to_file(config, second, threads=1, batches=(5, 12))
    merge_to_file([second, first], joined)
    run_to_file(config, first, threads=1, resume=True)
    reference = load(whole).record.tallies[0].arrays()
    assert reference["gradients/total"].any()
    for path in (joined, first):
        again = load(path).record.tallies[0].arrays()
        assert again.keys() == reference.keys()
        for name, array in reference.items():
            np.testing.assert_array_equal(again[name], array, err_msg=f"{path.name} {name}")
    assert load(whole).attributes["gradient_columns"].startswith("flux, pi+@2, ")


def test_what_a_user_calls(targeted):
    gradients = targeted.gradients()
    assert list(gradients.parameters) == list(PARAMETERS)
    assert list(describe_parameters(gradients.parameters)) == list(PARAMETERS)
    slope, slope_error = gradients.gradient("pi+@31")
    # at centres of bins: between bins of different sign, which noise can give, a ratio of means is no mean of ratios
    edges = gradients.energy_edges_GeV
    low, high = np.sqrt(edges[1:] * edges[:-1])[np.searchsorted(edges, [0.5, 1.0]) - 1]
    value = gradients.at(slope, "numu", [low, high], 0.55)
    error = gradients.at(slope_error, 14, [low, high], 0.55)
    relative, relative_error = gradients.gradient("pi+@31", relative=True)
    flux, _ = gradients.flux()
    own = gradients.at(flux, "numu", low, 0.55)
    assert value.shape == error.shape == (2,)
    assert gradients.at(relative, "numu", low, 0.55) == pytest.approx(value[0] / own)
    assert 0.0 < gradients.at(relative_error, "numu", low, 0.55) < 0.5
    varied = gradients.vary({"pi+@31": 0.1, "solar:MV": 50.0})
    known = flux > 0
    expected = flux + 0.1 * slope + 50.0 * gradients.gradient("solar:MV")[0]
    np.testing.assert_allclose(varied.flux, expected)
    np.testing.assert_allclose(varied.ratio[known], expected[known] / flux[known])
    # the same showers are in both: the ratio is known far better than the flux
    good = (targeted.binned("kamioka", "honda_aa")[2][:, :100:2] > 20) & (varied.flux > 0)
    assert good.sum() > 50
    # hits of one jackknife group alone (few primaries, many hits each) give no error of a ratio
    assert np.isfinite(varied.ratio_error[good]).mean() > 0.95
    assert np.nanmedian(varied.ratio_error[good] / (varied.error[good] / varied.flux[good])) < 0.5
    assert np.isfinite(Flux(varied.table()).flux("numu", 1.0, 0.5))


def test_a_varied_table_of_the_run(targeted):
    from sim3d.results.tables import table_of_result

    own = table_of_result(targeted, "kamioka", "honda", azimuth=True)
    nothing = targeted.gradients().vary({"pi+@31": 0.0}).applied_to(own)
    np.testing.assert_allclose(nothing.flux, own.flux)
    hydrogen = {name: 0.1 for name in PARAMETERS if name.endswith(":norm")}
    more = targeted.gradients().vary(hydrogen).applied_to(own)
    np.testing.assert_allclose(more.flux, 1.1 * own.flux, rtol=1e-4)
    np.testing.assert_allclose(more.error, 1.1 * own.error, rtol=1e-3)


def test_propagated_errors(targeted):
    gradients = targeted.gradients()
    sigma = {"pi+@31": 0.02, "pi-@31": 0.05}
    errors = gradients.propagate(sigma)
    parts = [gradients.gradient(name)[0] * value for name, value in sigma.items()]
    np.testing.assert_allclose(errors.error, np.hypot(*parts))
    together = gradients.propagate((list(sigma), np.outer(list(sigma.values()), list(sigma.values()))))
    np.testing.assert_allclose(together.error, np.abs(sum(parts)), rtol=1e-6, atol=1e-9 * errors.error.max())
    # an error common to the flux of every nucleus cancels in ratios
    norms = [name for name in PARAMETERS if name.endswith(":norm")]
    common = gradients.propagate((norms, np.full((5, 5), 0.1**2)))
    value, error = common.ratio(["numu", "numubar"], ["nue", "nuebar"])
    known = np.isfinite(value)
    assert np.quantile(error[known] / np.maximum(value[known], 0.01), 0.9) < 1e-3
    np.testing.assert_allclose(common.relative[np.isfinite(common.relative)], 0.1, rtol=1e-4)
    block = errors.bins("numu", 0.55)
    i = np.searchsorted(BINS.cos_edges, 0.55) - 1
    np.testing.assert_allclose(np.sqrt(np.diag(block)), errors.error[0, :, i])


def test_a_part_of_the_parameters(tmp_path):
    gradients = Result(run(primaries=2_400, scoring=scoring({}, ["solar", "pi+@31"]))).gradients()
    assert list(gradients.parameters) == ["pi+@31", "solar:MV"]
    with pytest.raises(InputError, match=r"parameter: .*pi-@31.*pi\+@31, solar:MV"):
        gradients.gradient("pi-@31")
    with pytest.raises(InputError, match="is not a parameter"):
        gradients.gradient("pi0@31")
    with pytest.raises(InputError, match="must be between -1 and 10"):
        gradients.vary({"pi+@31": -2.0})
    with pytest.raises(InputError, match="energy_GeV: must be between"):
        gradients.at(gradients.flux()[0], "numu", 1e5, 0.5)
    with pytest.raises(InputError, match="no points"):
        gradients.variation("more")
    for bad in (([["pi+@31"]], [[1.0]]), (["pi+@31"], [[np.nan]]), (["pi+@31"], [[-1.0]])):
        with pytest.raises(InputError):
            gradients.propagate(bad)


def test_a_run_without_gradients():
    result = Result(run(primaries=2_400))
    with pytest.raises(InputError, match=r"gradients: this run made none; .*\[scoring\] gradients = true"):
        result.gradients()


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
    from sim3d.simulation.setup import make_setup

    config = make_config(table(vary={"solar:MV": -700.0}))
    with pytest.raises(InputError, match=r"solar:MV: -700"):
        make_setup(config)


def test_reweighting_is_the_exact_point(tmp_path):
    """Norms, slopes and potential after the run, from its event records, are those of exact weights in the run."""
    from sim3d.simulation.reweight import reweight

    values = {**POINTS["primaries"], **POINTS["solar"]}
    config = make_config(table(primaries=2_400, scoring={**scoring({"there": values}, "solar"), "events": True}))
    path = tmp_path / "run.h5"
    run_to_file(config, path, threads=1)
    exact = load(path).gradients().variation("there").flux
    record = reweight(path, values=values)
    assert dict(record.config.vary) == values
    assert "gradient_columns" not in record.models
    fine, _, _ = Result(record).binned("kamioka", "fine_aa")
    width = np.diff(BINS.energy_edges_GeV)
    weighted = fine * np.diff(Result(record).energy_edges_GeV)[:, None]
    there = weighted[:, :200].reshape(4, 50, 4, 20, 2).sum(axis=2).mean(axis=-1) / width[:, None]
    np.testing.assert_allclose(there, exact, rtol=1e-4, atol=1e-7 * exact.max())
    with pytest.raises(InputError, match=r"--set: 'pi\+@31', allowed: primary"):
        reweight(path, values={"pi+@31": 0.1})


@pytest.fixture(scope="module")
def stored(targeted, tmp_path_factory):
    from sim3d.files.result_file import write_result

    path = tmp_path_factory.mktemp("gradients") / "run.h5"
    write_result(targeted.record, path)
    return path


def test_the_command(stored, tmp_path, capsys):
    assert cli.main(["vary", str(stored)]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in PARAMETERS)
    assert "solar:MV x 100" in text
    out = tmp_path / "out"
    arguments = ["--set", "pi+@31=0.1", "--set", "solar:MV=50", "--errors", "daemonflux", "-o", str(out), "--json"]
    assert cli.main(["vary", str(stored), *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    site = document["sites"]["kamioka"]
    assert set(site["gradients"]) == set(PARAMETERS)
    assert np.shape(site["varied"]["ratio"]) == (4, 50)
    assert len(site["errors"]["flavour_ratio"]) == 50
    names = {path.name for path in out.iterdir()}
    assert {f"kamioka-{stem}.png" for stem in ("gradients-hadronic", "gradients-primary", "varied", "errors")} <= names
    assert {"kamioka-varied-aa.csv", "kamioka-varied-honda-aa.d"} <= names
    assert len(document["files"]) == len(names)
    assert cli.main(["vary", str(stored), "--variation", "solar"]) == 0
    assert "variation solar: solar:MV = 300" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "pi+@31"], "--set: 'pi+@31', allowed: NAME=VALUE"),
        (["--set", "pi+@31=x"], "allowed: NAME=VALUE"),
        (["--set", "pi+@32=0.1"], "'pi+@32' is not a parameter"),
        (["--set", "pi+@31=0.1", "--variation", "solar"], "give one of them"),
        (["--variation", "none"], "one of yields, cross-sections"),
        (["--errors", "none.csv"], "none.csv: cannot be read"),
        (["--energy", "2", "2.001"], "holds the centre of a bin"),
        (["--site", "sno"], "'sno' is not in this result"),
    ],
)
def test_wrong_options(stored, arguments, words, capsys):
    assert cli.main(["vary", str(stored), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert len(captured.err.splitlines()) == 1


def test_errors_of_daemonflux():
    """The table's numbers on the diagonal; parameters between two of its knots move with both."""
    names, matrix = daemonflux_covariance()
    error = dict(zip(names, np.sqrt(np.diag(matrix)), strict=True))
    assert error["pi+@31"] == pytest.approx(0.025)
    assert error["K-@2000000"] == pytest.approx(2.278)
    # protons have a knot at 158 GeV and are constant below
    i, j = names.index("p@31"), names.index("p@158")
    assert error["p@31"] == pytest.approx(0.038)
    assert matrix[i, j] == pytest.approx(0.038**2)
    # kaons have none at 20 TeV, which lies half way (in ln E) from 158 GeV to 2 PeV
    share = np.log(2e4 / 158) / np.log(2e6 / 158)
    assert error["K+@20000"] == pytest.approx(np.hypot((1 - share) * 0.05, share * 0.26))
    assert np.linalg.eigvalsh(matrix)[0] > -1e-12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n", "the first row must be parameter,error"),
        ("parameter,error\npi+@32,0.1\n", "is not a parameter"),
        ("parameter,error\npi+@31\n", r"pi\+@31"),
        ("parameter,error\npi+@31,-0.1\n", "one finite error from 0"),
        ("parameter,error\npi+@31,0.1\npi+@31,0.1\n", "one finite error from 0"),
    ],
)
def test_wrong_files_of_errors(tmp_path, text, words):
    path = tmp_path / "errors.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_errors(path)
    path.write_text("# mine\nparameter,error\nsolar:MV,40\npi+@31,0.1\n")
    names, matrix = read_errors(path)
    assert names == ("pi+@31", "solar:MV")
    np.testing.assert_allclose(matrix, np.diag([0.01, 1600.0]))
