"""Runs with charm: the prompt flux of the cascade equations is in every flux of the result, and costs seconds."""

from __future__ import annotations

import time

import numpy as np
import pytest

from atmosphere import linsley
from sim3d.cascade.flux import cascade_fluxes
from sim3d.cascade.prompt import of_charm, prompt_of_run
from sim3d.config.load import make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.errors import InputError
from sim3d.files.flux_table import EXPECTED, LIMIT
from sim3d.files.result_file import read_result, verify_result, write_result
from sim3d.flux import smoothing
from sim3d.flux.interpolated import Flux
from sim3d.flux.smoothing import smooth_result
from sim3d.primaries.build import primary_model
from sim3d.results.metadata import site_metadata
from sim3d.results.result import Result, load
from sim3d.results.tables import table_of_result, write_csv_tables
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.merge import merge_files
from sim3d.simulation.setup import make_setup

ALTITUDE_M = 2000.0
ENERGIES_GEV = (0.5, 1e7)


def config(charm="measured", **tables):
    data = {
        "run": {"primaries": 400, "batch_size": 100, "seed": 3},
        "primaries": {"model": "gsf:2026.1", "solar_potential_MV": 500.0, "energy_GeV": ENERGIES_GEV},
        "hadronic": {"model": "accelerator", "charm": charm},
        "calibration": {"name": "none"},
        "field": {"cutoff": False, "date": "2015-01-01"},
        "transport": {"bending": False},
        "sampling": {"mode": "rotated"},
        "sites": [{"name": "here", "lat": 40.0, "lon": 10.0, "altitude_m": ALTITUDE_M}],
    }
    return make_config({**data, **tables})


def of_configuration(config):
    """Prompt flux at the only site of a configuration."""
    setup = make_setup(config)
    return prompt_of_run(config, setup.detectors, setup.atmosphere, setup.hadronic, setup.primaries)["here"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("charm")
    paths = {charm: folder / f"{charm}.h5" for charm in ("none", "measured")}
    for charm, path in paths.items():
        run_to_file(config(charm), path, threads=1)
    return paths


@pytest.fixture(scope="module")
def both(files):
    return load(files["none"]), load(files["measured"])


def test_the_difference_is_the_prompt_flux_of_the_cascade(both):
    """Within 1% from 10 GeV to 10 TeV in all directions, as the cascade gives it with its own, finer settings."""
    without, with_charm = both
    added = with_charm.binned("here", "honda_aa")[0] - without.binned("here", "honda_aa")[0]
    edges, cosines = with_charm.binning_energy_edges("honda_aa"), with_charm.binning_cos_edges("honda_aa")
    at = [0, 5, 9, 10, 14, 19]
    middles = 0.5 * (cosines[1:] + cosines[:-1])
    primaries = primary_model("gsf:2026.1", 500.0, "2015-01-01")
    expected = cascade_fluxes(
        middles[at], hadronic="accelerator", primaries=primaries, air=linsley(), altitude_km=1e-3 * ALTITUDE_M,
        energy_GeV=ENERGIES_GEV, charm=True,
    )  # fmt: skip
    high = edges[:-1] >= 10.0
    for place, one in zip(at, expected, strict=True):
        for f, flavour in enumerate(FLAVOURS):
            mean = of_charm(one).mean_flux(flavour, edges[:-1][high], edges[1:][high])
            np.testing.assert_allclose(added[f, high, place], mean, rtol=0.01)


def test_all_flavours_get_the_same(both):
    """D and anti-D are made in pairs and decay to e and mu alike; azimuths, halves of the sky and groups agree."""
    without, with_charm = both
    prompt = with_charm.prompt("here", "fine")
    np.testing.assert_allclose(prompt[1:], np.broadcast_to(prompt[0], prompt[1:].shape), rtol=1e-12)
    for binning in ("fine", "honda", "fluka", "fluka_aa"):
        before, error, hits = without.binned("here", binning)
        flux, same_error, same_hits = with_charm.binned("here", binning)
        np.testing.assert_allclose(flux - before, with_charm.prompt("here", binning), rtol=1e-6, atol=1e-9 * flux.max())
        np.testing.assert_array_equal(error, same_error)
        np.testing.assert_array_equal(hits, same_hits)
    for name, per_band in (("groups_east_west", 1), ("groups_azimuth", 10)):
        added = getattr(with_charm, name)("here") - getattr(without, name)("here")
        mean = prompt[..., :1].reshape(4, prompt.shape[1], -1, per_band).mean(axis=-1)
        filled = with_charm.group_weights > 0
        high = np.s_[:, :, -40:]
        expected = np.broadcast_to(mean[None, ..., None], added.shape)
        np.testing.assert_allclose(added[filled][high], expected[filled][high], rtol=1e-6)
        assert not added[~filled].any()


def test_size(both):
    """Charm is nothing at a GeV and half of the vertical nue at some TeV (docs/methods/cascade.md)."""
    flux = both[1].prompt("here", "honda_aa")[2]
    energies = both[1].binning_energies("honda_aa")
    spectrum = energies**3 * flux.mean(axis=1)
    assert 0.3 < np.interp(1e3, energies, spectrum) < 0.7
    assert np.interp(1.0, energies, spectrum) < 1e-3


def test_errors_stay_those_of_the_simulation(both):
    """A bin without hits has a flux now, so no limit but the error that the bins around give."""
    without, with_charm = (one.errors("here", "honda_aa") for one in both)
    empty = without.kind == LIMIT
    np.testing.assert_array_equal(without.error[~empty], with_charm.error[~empty])
    filled = empty & (both[1].binned("here", "honda_aa")[0] > 0.0)
    assert filled.sum() > 10
    assert np.isin(with_charm.kind[filled], (EXPECTED, LIMIT)).all()
    assert (with_charm.kind[filled] == EXPECTED).any()
    assert (with_charm.error[filled] > 0.0).all()


def test_tables_and_flux_have_it_and_say_so(both, tmp_path):
    result = both[1]
    table = table_of_result(result, "here", "honda", azimuth=False)
    np.testing.assert_array_equal(table.flux[..., 0], result.binned("here", "honda_aa")[0])
    by_azimuth = table_of_result(result, "here", "honda", azimuth=True, azimuth_bins=12)
    np.testing.assert_allclose(by_azimuth.flux.mean(axis=-1), table.flux[..., 0], rtol=1e-9)
    interpolated = Flux.of_result(result).flux("nue", 5e3, 0.9) - Flux.of_result(both[0]).flux("nue", 5e3, 0.9)
    assert interpolated > 0.0
    path = write_csv_tables(result, tmp_path)[0]
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert any("charm" in line and "tau neutrinos zero" in line for line in head)
    assert "tau neutrinos zero" in site_metadata(result, "here")["models"]["charm"]
    assert "with charm" in repr(result)
    assert "charm" not in repr(both[0])
    assert result.flux("nutau", 1e3, 0.5) == 0.0


def test_smooth_tables_have_it(both, monkeypatch):
    """The fits are those of the run without charm: of the same arrays, and so made once."""
    made, fit = {}, smoothing.fit

    def fit_once(flux, phi, bases, *rest, **more):
        given = [flux, phi, *bases, *rest, *more.values()]
        key = tuple(array.tobytes() for array in given if isinstance(array, np.ndarray))
        if key not in made:
            made[key] = fit(flux, phi, bases, *rest, **more)
        return made[key]

    monkeypatch.setattr(smoothing, "fit", fit_once)
    without = smooth_result(both[0], "here", "fluka", 12)
    fits = len(made)
    with_charm = smooth_result(both[1], "here", "fluka", 12)
    assert len(made) == fits == 6
    for (plain, _), (other, _) in zip(without, with_charm, strict=True):
        prompt = both[1].prompt("here", "fluka_aa")[..., None]
        np.testing.assert_allclose(other.table.flux, plain.table.flux + prompt, rtol=1e-9)
        assert "charm" in other.table.note


def test_parts_and_resumed_runs_are_the_run(files, tmp_path):
    """Merged parts, and a run that was interrupted, have the bytes of data that the whole run has."""
    parts = []
    for k, batches in enumerate(((0, 2), (2, 4))):
        parts.append(tmp_path / f"part{k}.h5")
        run_to_file(config(), parts[-1], threads=1, batches=batches)
    write_result(merge_files(parts), tmp_path / "merged.h5")
    run_to_file(config(), parts[0], threads=1, resume=True)
    wanted = verify_result(files["measured"])["data_sha256"]
    assert verify_result(tmp_path / "merged.h5")["data_sha256"] == wanted
    assert verify_result(parts[0])["data_sha256"] == wanted
    with pytest.raises(InputError, match=r"hadronic\.charm"):
        merge_files([parts[1], files["none"]])


def test_another_primary_model_has_its_own_prompt_flux(files):
    """Twice as many protons (their spectrum from 1 GeV on) make up to twice as many prompt neutrinos."""
    plain = of_configuration(config())
    np.testing.assert_array_equal(plain, read_result(files["measured"]).prompt["here"])
    more = of_configuration(config(vary={"primary:p:norm": 1.0}))
    filled = plain > 0.0
    assert 1.3 < (more[filled] / plain[filled]).min() < (more[filled] / plain[filled]).max() < 2.0


def test_it_costs_seconds():
    """A few seconds of CPU time; the bound leaves room for a busy machine."""
    started = time.process_time()
    of_configuration(config())
    assert time.process_time() - started < 15.0


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"hadronic": {"charm": True}}, r"hadronic\.charm: True must be one of 'none' or 'measured'"),
        ({"hadronic": {"charm": "sibyll"}}, r"hadronic\.charm: 'sibyll' must be one of 'none' or 'measured'"),
        ({"scoring": {"gradients": ["pi+@31"]}}, r"hadronic\.charm: prompt neutrinos have no derivatives"),
        ({"scoring": {"muons": True, "neutrinos": False}}, r"hadronic\.charm: adds neutrinos"),
        ({"scoring": {"charm": True}}, r"it belongs into \[hadronic\]"),
    ],
)
def test_what_is_refused(tables, message):
    with pytest.raises(InputError, match=message):
        config(**tables)


def test_a_record_without_its_prompt_flux_is_refused(files):
    """As sim3d.simulation.reweight.reweight leaves it; the command adds the flux of the new primaries."""
    record = read_result(files["measured"])
    record.prompt = {}
    with pytest.raises(InputError, match="prompt_of_run"):
        Result(record)


def test_without_charm_nothing_is_added(both):
    result: Result = both[0]
    assert result.record.prompt == {}
    assert not result.prompt("here").any()
    assert "charm" not in result.attributes
