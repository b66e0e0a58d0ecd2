"""Results: statistics against numpy, look-ups, upper limits, and files that are whole, broken or foreign."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

import sim3d
from geomag.field.igrf import FieldModel
from sim3d.config.load import make_config
from sim3d.conventions.binning import BINNINGS, COS_EDGES, ENERGY_EDGES_GEV, N_COS, N_ENERGY
from sim3d.errors import InputError
from sim3d.files.checksums import SEAL_BYTES
from sim3d.files.record import RunRecord
from sim3d.files.result_file import read_result, save_result, write_result
from sim3d.results.quality import site_quality
from sim3d.results.result import POISSON_LIMIT_90, Result
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.hit_weights import empty_weights
from sim3d.scoring.tally import SiteTally
from sim3d.simulation.setup import make_detector

N_BATCHES, N_AZIMUTH = 30, 12
EMPTY_FROM = 150  # energy bins from here on have no hit
SHAPE = (4, N_ENERGY, N_COS, N_AZIMUTH)


@pytest.fixture(scope="module")
def batches():
    """Batch fluxes (batch, flavour, energy, cos, azimuth), their integral over each bin, and hits."""
    rng = np.random.default_rng(5)
    energy = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    space = np.diff(ENERGY_EDGES_GEV)[:, None, None] * np.diff(COS_EDGES)[:, None] * (2 * np.pi / N_AZIMUTH)
    hits = rng.poisson(0.5, (N_BATCHES, *SHAPE))
    hits[:, :, EMPTY_FROM:] = 0
    hits[:, 1, 40:50] = 0
    flux = hits * (50.0 * energy**-2.7)[:, None, None] * rng.uniform(0.5, 1.5, hits.shape)
    return flux, flux * space, hits


@pytest.fixture(scope="module")
def record(batches):
    """A record of one filled and one empty site."""
    config = make_config(
        {
            "run": {"primaries": 300, "batch_size": 10, "seed": 7},
            "sites": [{"name": "kamioka"}, {"name": "here", "lat": -10, "lon": 20, "patch": {"radius_deg": 2}}],
        }
    )
    field = FieldModel("2020-01-01", 10)
    full, empty = SiteTally(N_AZIMUTH), SiteTally(N_AZIMUTH)
    _, scores, hits = batches
    for b in range(N_BATCHES):
        full.add_batch(scores[b], hits[b], empty_weights(), b)
    return RunRecord(
        config=config,
        detectors=tuple(make_detector(table, field) for table in config.sites),
        tallies=[full, empty],
        counters={
            "primaries": 300,
            "neutrinos": 1000,
            "crossings": 900,
            "backtracked": 5,
            "forbidden": 1,
            "undecided": 0,
        },
        batches_done=np.ones(N_BATCHES, dtype=bool),
        models={
            "field_generation": "IGRF-14",
            "field_degree": 10,
            "solar_potential_MV": 591.0,
            "azimuth_frame": "site",
            "weights_of": "primaries",
        },
        provenance={"host": "x", "ranks": 1, "wall_time_s": 1.5},
    )


@pytest.fixture(scope="module")
def result(record):
    return Result(record)


@pytest.fixture(scope="module")
def stored(record, tmp_path_factory):
    """The record as a file."""
    path = tmp_path_factory.mktemp("results") / "run.h5"
    write_result(record, path)
    return path


def coarse(scores, name):
    """Batch values of a binning and its phase space, by numpy."""
    b = BINNINGS[name]
    kept = scores[:, :, b.energy_start : b.energy_start + b.n_energy * b.energy_group]
    kept = kept.reshape(len(scores), 4, b.n_energy, b.energy_group, b.n_cos, b.cos_group, N_AZIMUTH).sum(axis=(3, 5))
    space = np.diff(b.energy_edges_GeV)[:, None] * np.diff(b.cos_edges)[None, :] * 2 * np.pi
    return (kept, space[:, :, None] / N_AZIMUTH) if b.azimuth else (kept.sum(axis=4), space)


@pytest.mark.parametrize("name", BINNINGS)
def test_flux_and_error_against_numpy(batches, result, name):
    """Mean over batches and standard error of the mean in every binning; hits exactly."""
    values, space = coarse(batches[1], name)
    flux, error, hits = result.binned("kamioka", name)
    some = values.sum(axis=0) > 0
    np.testing.assert_allclose(flux[some], (values.mean(axis=0) / space)[some], rtol=1e-6)
    expected = values.std(axis=0, ddof=1) / np.sqrt(N_BATCHES) / space
    np.testing.assert_allclose(error[some], expected[some], rtol=1e-5)
    assert np.all(flux[~some] == 0)
    assert np.all(error[~some] == 0)
    assert np.array_equal(hits, coarse(batches[2], name)[0].sum(axis=0))


def test_azimuth_averages_are_the_mean_over_azimuth(result):
    """In all three binnings."""
    for name in ("fine", "honda", "fluka"):
        average, _, hits = result.binned("kamioka", name + "_aa")
        full, _, all_hits = result.binned("kamioka", name)
        np.testing.assert_allclose(average, full.mean(axis=3), rtol=1e-9)
        assert np.array_equal(hits, all_hits.sum(axis=3))


def test_groups_average_to_the_flux(result):
    """The weighted mean over groups of the east and west halves, and of the zenith bands, is the mean flux."""
    weights = result.group_weights
    assert weights.sum() == N_BATCHES
    assert weights.max() == 2
    assert len(weights) == N_GROUPS
    flux, _, _ = result.binned("kamioka", "fine")
    east_west = np.average(result.groups_east_west("kamioka"), axis=0, weights=weights)
    np.testing.assert_allclose(east_west[..., 0], flux[..., :6].mean(axis=3), rtol=1e-6)
    np.testing.assert_allclose(east_west[..., 1], flux[..., 6:].mean(axis=3), rtol=1e-6)
    bands = np.average(result.groups_azimuth("kamioka"), axis=0, weights=weights)
    np.testing.assert_allclose(bands, flux.reshape(4, N_ENERGY, 4, 10, N_AZIMUTH).mean(axis=3), rtol=1e-6)


def test_upper_limits(result):
    """Where there are hits the flux itself; elsewhere finite, positive, about 2.3 typical hits; no hit at all: inf."""
    for name in ("fine", "fine_aa", "honda_aa", "fluka"):
        flux, _, hits = result.binned("kamioka", name)
        limit = result.upper_limit("kamioka", name)
        assert np.array_equal(limit[hits > 0], flux[hits > 0])
        assert np.isfinite(limit).all()
        assert np.all(limit > 0)
        assert np.all(np.isinf(result.upper_limit("here", name)))
    # every hit here counts about 50 E^-2.7 of a batch's flux
    flux, _, hits = result.binned("kamioka", "fine")
    limit = result.upper_limit("kamioka", "fine")
    empty = (hits == 0) & (np.arange(N_ENERGY) < EMPTY_FROM)[:, None, None]
    assert empty.sum() > 0
    energy = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    expected = np.broadcast_to((POISSON_LIMIT_90 * 50 * energy**-2.7 / N_BATCHES)[:, None, None], limit.shape)
    # at least those; where the bins around have many hits (15 each here) it is raised to what they expect
    assert np.all(limit[empty] > 0.9 * expected[empty])
    assert np.all(limit[empty] < 12.0 * expected[empty])


def test_flux_at_the_middle_of_a_bin_is_that_of_the_bin(result):
    """Scalars, arrays, outer shapes, with and without azimuth, default and named site."""
    flux, average = result.binned("kamioka", "fine")[0], result.binned("kamioka", "fine_aa")[0]
    error, average_error = result.errors("kamioka", "fine").error, result.errors("kamioka", "fine_aa").error
    energy = result.binning_energies("fine")
    assert result.flux("nue", energy[60], -0.98, binning="fine") == pytest.approx(average[2, 60, 0])
    assert result.error("nue", energy[60], -0.98, binning="fine") == pytest.approx(average_error[2, 60, 0])
    assert result.flux("numubar", energy[10], 0.025, 105.0, site="kamioka", binning="fine") == pytest.approx(
        flux[1, 10, 20, 3]
    )
    assert result.error("numubar", energy[10], 0.025, 105.0, binning="fine") == pytest.approx(error[1, 10, 20, 3])
    cosines, azimuths = np.array([-0.475, 0.525])[:, None], np.arange(12) * 30 + 15
    grid = result.flux("numu", energy[:, None, None], cosines, azimuths, binning="fine")
    assert grid.shape == (N_ENERGY, 2, 12)
    np.testing.assert_allclose(grid, flux[0][:, [10, 30]], rtol=1e-9, atol=1e-12 * flux.max())
    assert result.flux("numu", energy[:, None], np.array([-0.9, 0.0, 0.9])).shape == (N_ENERGY, 3)
    both = result.flux(np.array(["numu", "nuebar"]), 1.0, 0.5)
    assert both.tolist() == [result.flux("numu", 1.0, 0.5), result.flux("nuebar", 1.0, 0.5)]
    assert result.flux("nue", 1.0, 0.5, site="here") == 0.0
    assert result.flux("nue", 9e3, 0.5) == 0.0


def test_flux_is_that_of_the_tables_and_of_the_spline(fake_result):
    """At centres of Honda's bins exactly the table's number; anywhere the spline's, within the curvature of a bin."""
    smooth = fake_result(noise=0.0, batches=2)
    table = smooth.binned("sno", "honda_aa")[0]
    error = smooth.errors("sno", "honda_aa").error
    energy, edges = smooth.binning_energies("honda_aa"), smooth.binning_cos_edges("honda_aa")
    middles = 0.5 * (edges[1:] + edges[:-1])
    for f, flavour in enumerate(smooth.flavours):
        got = smooth.flux(flavour, energy[:, None], middles, site="sno")
        np.testing.assert_allclose(got, table[f], rtol=1e-9)
        np.testing.assert_allclose(
            smooth.error(flavour, energy[:, None], middles, site="sno"),
            error[f],
            rtol=1e-9,
            atol=1e-12 * table[f].max(),
        )
    spline = sim3d.Flux.of_result(smooth, "sno")
    points = (np.geomspace(0.12, 8e3, 60)[:, None], np.linspace(-0.93, 0.93, 9))
    # in azimuth the made flux is 1 +- 0.6: a chord over a bin of 30 degrees lies up to (pi/6)^2 / 8 x 0.6 off, of 0.4
    for azimuth, rtol in ((None, 0.02), (77.0, 0.05)):
        ours = smooth.flux("nue", *points, azimuth, site="sno")
        np.testing.assert_allclose(ours, spline.flux("nue", *points, azimuth), rtol=rtol)
    # noisy bins: the two differ by less than the error of a bin nearly everywhere
    noisy = fake_result(noise=0.3, batches=8)
    pull = (noisy.flux("nue", *points) - sim3d.Flux.of_result(noisy).flux("nue", *points)) / noisy.error("nue", *points)
    assert np.median(np.abs(pull)) < 0.67  # the median of a Gaussian of that error


def test_numbers_for_single_points(result):
    """A point gives a number, an array of one point an array."""
    for value in (result.flux("numu", 1.0, 0.5), result.error("numu", 1.0, 0.5), result.flux("numu", 1.0, 0.5, 10.0)):
        assert isinstance(value, float)
    assert result.flux("numu", [1.0], 0.5).shape == (1,)
    assert result.flux(["numu"], 1.0, 0.5).shape == (1,)


def test_print_shows_what_a_result_holds(fake_result):
    text = str(fake_result(sites=("ino", "kamioka"), noise=0.3))
    lines = text.splitlines()
    assert lines[0].startswith("sim3d result: 1,000 primaries")
    assert "  site INO: 36.40° N, 137.30° E" in lines
    assert "numu, numubar, nue, nuebar; 0.0944 to 10,593 GeV, cos_zenith -1 to 1, 12 azimuth bins" in text
    assert "IGRF-14" in text
    for site in ("ino", "kamioka"):
        worst = site_quality(fake_result(sites=("ino", "kamioka"), noise=0.3), site).median_error
        assert all(f"{name} {100 * error:.2g}%" in text for name, error in worst.items())
    empty = str(fake_result(sites=("ino",), empty_above=0.5, without=("nue",)))
    assert "nue half empty" in empty
    assert len(text.splitlines()) < 12


def test_the_error_is_never_zero(result, fake_result):
    """Around bins without hits it is at least the upper limit of their mean; nothing is known of a row without hits."""
    energies = np.geomspace(0.2, 9e3, 30)
    flux, error = (of("nue", energies, 0.31, binning="fine") for of in (result.flux, result.error))
    assert np.any(flux == 0.0)
    assert np.all(error > 0.0)
    energy = result.binning_energies("fine_aa")
    limit = result.upper_limit("kamioka", "fine_aa")
    # the middle of the last bin, empty: its limit
    assert result.error("nue", energy[-1], 0.525, binning="fine") == pytest.approx(limit[2, -1, 30])
    assert result.error("nue", 1.0, 0.5, site="here") > 1e99
    assert result.error("nutau", 1.0, 0.5) == 0.0


def test_flavours_by_pdg_id_and_tau_neutrinos(result):
    """14, -14, 12, -12 are the four flavours; tau neutrinos are absent, which is zero and no exception."""
    for pdg, name in ((14, "numu"), (-14, "numubar"), (12, "nue"), (-12, "nuebar")):
        assert result.flux(pdg, 3.0, 0.5) == result.flux(name, 3.0, 0.5) > 0
        assert result.error(pdg, 3.0, 0.5, 10.0) == result.error(name, 3.0, 0.5, 10.0)
    for tau in (16, -16, "nutau", "nutaubar"):
        assert result.flux(tau, 3.0, 0.5) == result.error(tau, 3.0, 0.5, 10.0) == 0.0


def test_the_ends_of_the_bins_belong_to_them(result):
    """The vertical; the outer energies, where the flux goes on as E^-3 from the bin's middle; azimuths that wrap."""
    flux, _, _ = result.binned("kamioka", "fine")
    low, high = ENERGY_EDGES_GEV[[0, -1]]
    half = 10 ** (3 / 80)
    assert result.flux("numu", low, 1.0, 15.0, binning="fine") == pytest.approx(flux[0, 0, 39, 0] * half)
    assert result.flux("numu", high, -1.0, 15.0, binning="fine") == pytest.approx(flux[0, -1, 0, 0] / half)
    at_south = result.flux("numu", 1.0, 0.5, 0.0)
    assert at_south == pytest.approx(0.5 * result.flux("numu", 1.0, 0.5, [15.0, 345.0]).sum())
    for azimuth in (360.0, -1e-20, 720.0, -360.0):
        assert result.flux("numu", 1.0, 0.5, azimuth) == pytest.approx(at_south, rel=1e-12)


def test_the_first_site_is_the_default(fake_result):
    """Whatever its name: Kamioka as well as any other, for fluxes, histograms and smooth fluxes."""
    for sites in (("sno", "kamioka"), ("kamioka", "sno")):
        result = fake_result(sites=sites)
        assert result.default_site(None) == sites[0]
        assert result.flux("numu", 1.0, 0.5) == result.flux("numu", 1.0, 0.5, site=sites[0])
        assert result.error("numu", 1.0, 0.5, 90.0) == result.error("numu", 1.0, 0.5, 90.0, site=sites[0])
        assert result.flux("numu", 1.0, 0.5) != result.flux("numu", 1.0, 0.5, site=sites[1])
        assert sim3d.Flux.of_result(result).table.name == sites[0]


def test_the_frame_of_azimuths_is_kept(fake_result, tmp_path):
    """A file that states none is of the crossing's frame; what is written again states the frame it has."""
    old = fake_result.write(tmp_path / "old.h5")
    assert sim3d.load(old).azimuth_frame == "crossing"
    record = read_result(old)
    write_result(record, tmp_path / "again.h5")
    new = replace(record, models={**record.models, "azimuth_frame": "site"})
    write_result(new, tmp_path / "new.h5")
    for name, frame, word in (("again", "crossing", "at the crossing itself"), ("new", "site", "of the site, carried")):
        assert sim3d.load(tmp_path / f"{name}.h5").azimuth_frame == frame
        with h5py.File(tmp_path / f"{name}.h5") as file:
            assert file.attrs["azimuth_frame"] == frame
            assert word in file.attrs["convention_azimuth"]


@pytest.mark.parametrize(
    ("arguments", "options", "word"),
    [
        (("nux", 1.0, 0.0), {}, "flavour"),
        ((15, 1.0, 0.0), {}, "flavour"),
        (("numu", 0.01, 0.0), {}, "energy_GeV"),
        (("numu", 2e4, 0.0), {}, "energy_GeV"),
        (("numu", float("nan"), 0.0), {}, "energy_GeV"),
        (("numu", 1.0, 1.1), {}, "cos_zenith"),
        (("numu", 1.0, float("nan")), {}, "cos_zenith"),
        (("numu", 1.0, 0.0), {"site": "sno"}, "kamioka, here"),
        (("numu", 1.0, 0.0, float("nan")), {}, "azimuth_deg"),
        (("numu", 1.0, 0.0, float("inf")), {}, "azimuth_deg"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_look_ups_outside(result, arguments, options, word):
    """An input error that names the argument."""
    for look_up in (result.flux, result.error):
        with pytest.raises(InputError, match=word):
            look_up(*arguments, **options)


def test_unknown_site_and_binning(result):
    """The messages list what there is."""
    for call in (result.binned, result.upper_limit):
        with pytest.raises(InputError, match="kamioka, here"):
            call("sno", "fine")
        with pytest.raises(InputError, match="honda_aa"):
            call("kamioka", "bartol")
    with pytest.raises(InputError, match="kamioka, here"):
        result.groups_east_west("sno")


def test_round_trip(record, stored):
    """Everything comes back bitwise: sums, counters, configuration, sites, models, provenance."""
    other = read_result(stored)
    for mine, theirs in zip(record.tallies, other.tallies, strict=True):
        assert mine.arrays().keys() == theirs.arrays().keys()
        for name, array in mine.arrays().items():
            assert array.dtype == theirs.arrays()[name].dtype
            assert np.array_equal(array, theirs.arrays()[name]), name
    assert other.config == record.config
    assert other.detectors == record.detectors
    assert other.counters == record.counters
    assert np.array_equal(other.batches_done, record.batches_done)
    assert other.models == record.models
    assert {k: other.provenance[k] for k in record.provenance} == record.provenance


def test_a_loaded_result_gives_the_same_fluxes(result, stored):
    """Bitwise, through sim3d.load."""
    loaded = sim3d.load(stored)
    assert isinstance(loaded, Result)
    assert loaded.sites == result.sites
    for name in BINNINGS:
        for a, b in zip(result.binned("kamioka", name), loaded.binned("kamioka", name), strict=True):
            assert np.array_equal(a, b)
    assert loaded.attributes["primaries"] == 300
    assert loaded.attributes["seed"] == 7


def test_files_carry_the_conventions(stored):
    """Azimuth, zenith, flux and asymmetry conventions are attributes of every file."""
    with h5py.File(stored) as file:
        assert "90 E" in file.attrs["convention_azimuth"]
        assert "down-going" in file.attrs["convention_cos_zenith"]
        assert file.attrs["convention_flux"] == "m^-2 s^-1 sr^-1 GeV^-1"
        assert set(file["sites"]) == {"kamioka", "here"}


def test_writing_leaves_no_other_file(stored):
    """The temporary file was renamed."""
    assert [p.name for p in stored.parent.iterdir()] == ["run.h5"]


def test_a_file_that_cannot_be_written(record, tmp_path):
    """The target is a folder that is in the way: one line, nothing left behind."""
    (tmp_path / "run.h5").mkdir()
    (tmp_path / "run.h5" / "x").touch()
    with pytest.raises(InputError, match=r"run\.h5"):
        write_result(record, tmp_path / "run.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["run.h5"]


def edited(stored, folder, edit):
    """A copy of the file without its seal, changed."""
    path = folder / "edited.h5"
    path.write_bytes(stored.read_bytes()[SEAL_BYTES:])
    with h5py.File(path, "r+") as file:
        edit(file)
    return path


def refused(path):
    """The message of the one-line error that loading gives."""
    with pytest.raises(InputError) as caught:
        sim3d.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize("keep", [0, 7, 100, 0.5, -1])
def test_truncated_files(stored, tmp_path, keep):
    """Cut anywhere: an input error, never a wrong result."""
    data = stored.read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    refused(path)


def test_other_files(tmp_path, stored):
    """Missing, a folder, text, another program's HDF5."""
    assert "no such file" in refused(tmp_path / "none.h5")
    assert "folder" in refused(tmp_path)
    text = tmp_path / "text.h5"
    text.write_text("flux\n")
    refused(text)
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["x"] = [1, 2]
    assert "not a sim3d result" in refused(foreign)


EDITS = {
    "newer": (lambda f: f.attrs.modify("format_version", 99), "newer"),
    "no version": (lambda f: f.attrs.__delitem__("format_version"), "damaged"),
    "no configuration": (lambda f: f.attrs.__delitem__("config_json"), "damaged"),
    "no total": (lambda f: f["sites/kamioka"].__delitem__("total"), "damaged"),
    "no site": (lambda f: f["sites"].__delitem__("here"), "damaged"),
    "no squares": (lambda f: f["sites/here"].__delitem__("squares"), "damaged"),
    "no batches": (lambda f: f.__delitem__("batches_done"), "damaged"),
    "no provenance": (lambda f: f.__delitem__("provenance"), "damaged"),
    "broken configuration": (lambda f: f.attrs.modify("config_json", "{"), "damaged"),
    "foreign configuration": (lambda f: f.attrs.modify("config_json", '{"color": 3}'), "damaged"),
}


@pytest.mark.parametrize("case", EDITS)
def test_damaged_files(stored, tmp_path, case):
    """Something missing or newer: one line that says so."""
    edit, word = EDITS[case]
    assert word in refused(edited(stored, tmp_path, edit))


def test_another_shape(stored, tmp_path):
    """A dataset of another size is named."""

    def edit(file):
        del file["sites/here/hits"]
        file["sites/here/hits"] = np.zeros((4, 3), dtype=np.int64)

    assert "sites/here/hits" in refused(edited(stored, tmp_path, edit))


def test_a_result_that_cannot_be_written_is_saved_elsewhere(tmp_path, monkeypatch, record):
    """A full or vanished disk at the end of a run loses nothing; without any place left the first error stays."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(elsewhere))
    gone = tmp_path / "gone" / "run.h5"
    with pytest.raises(InputError, match="the result is in"):
        save_result(record, gone)
    (saved,) = elsewhere.glob("*.h5")
    assert sim3d.load(saved).n_batches == Result(record).n_batches
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "gone too"))
    with pytest.raises(InputError, match="cannot write") as caught:
        save_result(record, gone)
    assert "the result is in" not in str(caught.value)
