"""Parts of a run joined: bitwise the single run, in any order; what does not belong together is refused."""

import itertools
import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

import sim3d
from sim3d import cli
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files.result_file import read_result, write_result
from sim3d.simulation.checkpoint import resume_point
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.merge import merge_files

DATA = {
    "run": {"seed": 1, "primaries": 1800, "batch_size": 200},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "sites": [{"name": "kamioka", "patch": {"radius_deg": 40}}, {"name": "sno", "patch": {"radius_deg": 40}}],
}
MODES = {
    "analog": {**DATA, "sampling": {"mode": "analog"}},
    "rotated": {**DATA, "transport": {"bending": False}, "sampling": {"mode": "rotated"}, "sites": [{"name": "sno"}]},
}
RANGES = ((0, 4), (4, 5), (5, 9))


def config(mode="rotated", **run):
    return make_config({**MODES[mode], "run": {**DATA["run"], **run}})


def make_array(folder, mode):
    """The single run of a mode and its three parts."""
    run_to_file(config(mode), folder / "whole.h5", threads=2)
    for k, batches in enumerate(RANGES):
        run_to_file(config(mode), folder / f"{k}.h5", threads=1 + k, batches=batches)
    return folder


@pytest.fixture(scope="module")
def array(tmp_path_factory):
    return make_array(tmp_path_factory.mktemp("merge"), "rotated")


def test_two_sites_in_analog_mode(tmp_path, differences):
    array = make_array(tmp_path, "analog")
    write_result(merge_files([array / f"{k}.h5" for k in (2, 0, 1)]), array / "merged.h5")
    assert differences(array / "whole.h5", array / "merged.h5") == []


def test_any_order_gives_the_single_run(array, differences):
    """In all six orders the sums, in two of them the files."""
    whole = read_result(array / "whole.h5")
    for number, order in enumerate(itertools.permutations(range(3))):
        record = merge_files([array / f"{k}.h5" for k in order])
        assert record.counters == whole.counters
        for mine, theirs in zip(record.tallies, whole.tallies, strict=True):
            for name, values in theirs.arrays().items():
                assert np.array_equal(mine.arrays()[name], values), (order, name)
        if number in (2, 5):
            write_result(record, array / "merged.h5")
            assert differences(array / "whole.h5", array / "merged.h5") == []
    merged = sim3d.load(array / "merged.h5")
    assert merged.complete
    assert merged.attributes["sessions"] == 3
    assert merged.attributes["merged_files"] == 3


def test_in_steps(array, differences):
    """Two parts first, then the third; or the third by going on."""
    write_result(merge_files([array / "2.h5", array / "0.h5"]), array / "two.h5")
    assert not sim3d.load(array / "two.h5").complete
    write_result(merge_files([array / "1.h5", array / "two.h5"]), array / "steps.h5")
    assert differences(array / "whole.h5", array / "steps.h5") == []
    run_to_file(config(), array / "two.h5", threads=1, resume=True)
    assert differences(array / "whole.h5", array / "two.h5") == []


def test_batches_twice_are_refused(array):
    with pytest.raises(InputError, match=r"0\.h5: holds batch 0, as .*0\.h5 does \(4 batches twice in all\)"):
        merge_files([array / "1.h5", array / "0.h5", array / "0.h5"])
    with pytest.raises(InputError, match=r"2\.h5: holds batch 5, as .*whole\.h5 does"):
        merge_files([array / "whole.h5", array / "2.h5"])


def test_parts_of_different_length(array, tmp_path, differences):
    """A run that was extended in the meantime: the longest holds, whichever comes first."""
    short = tmp_path / "short.h5"
    run_to_file(config(primaries=800), short, threads=1)
    for order in ([short, array / "1.h5", array / "2.h5"], [array / "2.h5", short, array / "1.h5"]):
        write_result(merge_files(order), tmp_path / "merged.h5")
        assert differences(array / "whole.h5", tmp_path / "merged.h5") == []


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"run": {**DATA["run"], "seed": 2}, "field": {"date": "2015-01-01"}}, "field.date is '2015-01-01'"),
        ({"run": {**DATA["run"], "batch_size": 100}}, "run.batch_size is 100"),
        ({"field": {"date": "2015-01-01"}}, "field.date is '2015-01-01'"),
        ({"sites": [{"name": "juno"}]}, r"sites\[0\].name is 'juno'"),
    ],
)
def test_another_configuration_is_refused(array, tmp_path, changed, key):
    run_to_file(make_config({**MODES["rotated"], **changed}), tmp_path / "other.h5", threads=2, batches=(7, 9))
    with pytest.raises(InputError, match=rf"other\.h5: not a part of the run of .*0\.h5: {key} there"):
        merge_files([array / "0.h5", tmp_path / "other.h5"])


def test_detectors_at_other_places_are_refused(fake_result, tmp_path):
    """One configuration, two altitudes: the sums must not be added, and the line names the site."""
    old = read_result(fake_result.write(tmp_path / "old.h5", sites=("ino",), batches=2))
    write_result(replace(old, detectors=(replace(old.detectors[0], altitude_m=1590.0),)), tmp_path / "new.h5")
    message = r"new\.h5: not a part .*: sites\.ino\.altitude_m is 1590\.0 there and 0\.0 in .*old\.h5$"
    with pytest.raises(InputError, match=message):
        merge_files([tmp_path / "old.h5", tmp_path / "new.h5"])


def test_another_frame_of_azimuths_is_refused(fake_result, tmp_path):
    """A part of before the frame was stated and one of now; merging and going on say so in one line."""
    old = read_result(fake_result.write(tmp_path / "old.h5", sites=("ino",), batches=2))
    new = replace(old, models={**old.models, "azimuth_frame": "site"})
    write_result(new, tmp_path / "new.h5")
    with pytest.raises(
        InputError, match=r"new\.h5: not a part .* azimuth_frame is 'site' there and 'crossing' in .*old"
    ):
        merge_files([tmp_path / "old.h5", tmp_path / "new.h5"])
    with pytest.raises(InputError, match=r"^azimuth_frame: is 'site' now and was 'crossing' in .*old\.h5; [^\n]*$"):
        resume_point(tmp_path / "old.h5", old.config, new.models, old.detectors)


def test_seeds_are_weighted_by_their_primaries(array, tmp_path):
    """The flux is the mean over the batches of all runs; errors and groups are those of all batches."""
    run_to_file(config(seed=2, primaries=1000), tmp_path / "two.h5", threads=1)
    run_to_file(config(seed=3, primaries=600), tmp_path / "three.h5", threads=1)
    paths = [array / "0.h5", array / "1.h5", array / "2.h5", tmp_path / "two.h5", tmp_path / "three.h5"]
    write_result(merge_files(paths), tmp_path / "all.h5")
    files = (tmp_path / "all.h5", array / "whole.h5", tmp_path / "two.h5", tmp_path / "three.h5")
    merged, one, two, three = map(sim3d.load, files)
    assert (merged.n_batches, merged.complete, merged.attributes["primaries"]) == (17, True, 3400)
    assert merged.attributes["merged_seeds"] == "1 2 3"
    assert merged.config["run"]["primaries"] == 3400
    parts = [(one, 9), (two, 5), (three, 3)]
    flux, error, hits = merged.binned("sno", "honda_aa")
    np.testing.assert_allclose(flux, sum(n * part.binned("sno", "honda_aa")[0] for part, n in parts) / 17, rtol=1e-12)
    assert np.array_equal(hits, sum(part.binned("sno", "honda_aa")[2] for part, _ in parts))
    # n (n - 1) error^2 + n flux^2 is the sum of squares, which adds up
    squares = sum(
        n * (n - 1) * part.binned("sno", "honda_aa")[1] ** 2 + n * part.binned("sno", "honda_aa")[0] ** 2
        for part, n in parts
    )
    np.testing.assert_allclose(17 * 16 * error**2 + 17 * flux**2, squares, rtol=1e-9)
    groups = np.average(merged.groups_east_west("sno"), axis=0, weights=merged.group_weights)
    np.testing.assert_allclose(groups.mean(axis=-1), merged.binned("sno", "fine_aa")[0], rtol=1e-9)
    # each group has the batches that its weight says: batch 9 is the first of seed 2
    first = two.groups_east_west("sno")[0]
    assert np.array_equal(merged.groups_east_west("sno")[9], first)

    with pytest.raises(InputError, match=r"two\.h5: holds seed 2, as .*all\.h5 does"):
        merge_files([tmp_path / "all.h5", tmp_path / "two.h5"])
    with pytest.raises(InputError, match="merged from runs of several seeds; it cannot be resumed"):
        run_to_file(config(primaries=4000), tmp_path / "all.h5", threads=1, resume=True)


def test_another_version_is_refused(array, tmp_path):
    record = read_result(array / "1.h5")
    record.provenance["sim3d"] = "99.0"
    write_result(record, tmp_path / "newer.h5")
    with pytest.raises(InputError, match=r"made by sim3d 99\.0"):
        merge_files([array / "0.h5", tmp_path / "newer.h5"])


def test_a_damaged_part_is_refused(array, tmp_path):
    data = bytearray((array / "1.h5").read_bytes())
    data[-1000] ^= 4
    (tmp_path / "bad.h5").write_bytes(data)
    with pytest.raises(InputError, match=r"bad\.h5: a damaged"):
        merge_files([array / "0.h5", tmp_path / "bad.h5"])


def test_the_command(array, capsys):
    parts = [str(array / f"{k}.h5") for k in range(3)]
    out = array / "command.h5"
    assert cli.main(["merge", *parts, "-o", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["batches"], document["batches_total"], document["complete"]) == (9, 9, True)
    with h5py.File(out) as one, h5py.File(array / "whole.h5") as two:
        assert np.array_equal(one["batches_done"], two["batches_done"])
        assert one.attrs["data_sha256"] == two.attrs["data_sha256"]
    for arguments, message in (
        ([*parts, "-o", str(out)], "--force"),
        ([parts[0], str(array / "none.h5"), "-o", str(array / "x.h5")], "none.h5: no such file"),
        ([*parts, parts[0], "-o", str(array / "x.h5")], "holds batch 0"),
        (["-o", str(array / "x.h5")], "FILE.h5"),
        (parts, "--output"),
    ):
        assert cli.main(["merge", *arguments]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
        assert not (array / "x.h5").exists()
