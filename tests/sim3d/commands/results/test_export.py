"""``sim3d export`` and ``sim3d tables --smooth``: files, JSON, and one line for what is wrong."""

import dataclasses
import json

import h5py
import numpy as np
import pytest

from sim3d import cli
from sim3d.flux import smoothing
from sim3d.flux.interpolated import Flux
from sim3d.results import tables as result_tables
from sim3d.results.result import load
from sim3d.results.tables import table_of_result
from sim3d.studies import run_shape

KINDS = {
    "nusquids": ["ino-nusquids.h5"],
    "csv": ["ino-aa.csv", "ino-azimuth.csv"],
    "honda": ["ino-honda-aa.d", "ino-honda-aa.err.d", "ino-honda-ally-20-12.d", "ino-honda-ally-20-12.err.d"],
    "netcdf": ["ino.nc"],
}


@pytest.fixture
def result(fake_result, tmp_path):
    """The result of a file with one site."""
    return load(fake_result.write(tmp_path / "run.h5", sites=("ino",), batches=3, noise=0.05))


@pytest.mark.parametrize("kind", KINDS)
def test_from_a_result(result, kind, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["export", str(result.path), "--to", kind, "-o", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [str(out / name) for name in KINDS[kind]]
    assert sorted(path.name for path in out.iterdir()) == sorted(KINDS[kind])


def test_honda_is_what_tables_writes(result, tmp_path):
    result_tables.write_honda_tables(result, tmp_path)
    assert cli.main(["export", str(result.path), "--to", "honda", "-o", str(tmp_path / "out")]) == 0
    for name in KINDS["honda"]:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_from_a_honda_table(result, tmp_path, capsys):
    result_tables.write_honda_tables(result, tmp_path)
    table = str(tmp_path / "ino-honda-ally-20-12.d")
    assert cli.main(["export", table, "--to", "nusquids", "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "ino-honda-ally-20-12-nusquids.h5")
    with h5py.File(tmp_path / "out" / "ino-honda-ally-20-12-nusquids.h5") as file:
        assert file["flux"].shape == (81, 201, 2, 3)
        at = Flux.load(table).flux("numubar", file["energy_GeV"][70], file["cos_zenith"][10])
        assert file["flux"][10, 70, 1, 1] == at
    assert cli.main(["export", table, "--to", "csv", "--energies", "bins", "-o", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "ino-honda-ally-20-12-aa.csv").read_text()
    assert "# energy_GeV: log centre of a bin\n" in text


def test_a_table_without_errors(result, tmp_path):
    result_tables.write_honda_tables(result, tmp_path)
    (tmp_path / "ino-honda-aa.err.d").unlink()
    assert cli.main(["export", str(tmp_path / "ino-honda-aa.d"), "--to", "csv"]) == 0
    lines = (tmp_path / "ino-honda-aa-aa.csv").read_text().splitlines()
    assert lines[-1].endswith(",nan")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--site", "mars"], "site: 'mars', allowed: one of ino"),
        (["--energies", "bins"], "energies: 'bins', allowed: left out for a result"),
        (["--binning", "coarse"], "'coarse' is not one of"),
        (["-o", "{file}"], "cannot be made a folder"),
    ],
)
def test_wrong_options(result, options, message, capsys):
    options = [option.replace("{file}", str(result.path)) for option in options]
    assert cli.main(["export", str(result.path), "--to", "csv", *options]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_wrong_files(result, tmp_path, capsys):
    table = tmp_path / "x.d"
    table.write_text("average flux in [cosZ = 0.90 --  1.00, phi_Az =   0 --  30]\nnothing\n")
    for arguments, message in (
        ([str(tmp_path / "none.d")], "none.d: cannot be read (No such file or directory)"),
        ([str(tmp_path)], "cannot be read (Is a directory)"),
        ([str(table)], "x.d, line 2: needs the columns Enu(GeV)"),
        ([str(table), "--binning", "fine"], "binning: 'fine', allowed: left out for a Honda table"),
    ):
        assert cli.main(["export", *arguments, "--to", "csv"]) == 2
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1
    assert cli.main(["export", str(table)]) == 2
    assert "--to" in capsys.readouterr().err


def test_smooth_tables(result, tmp_path, capsys, monkeypatch):
    out = tmp_path / "smooth"
    # stiffer than by default, for time
    for name, value in (("KNOTS_PER_DECADE", 3.0), ("AZIMUTH_KNOTS_PER_DECADE", 1.0), ("AZIMUTH_COS_KNOTS", 3)):
        monkeypatch.setattr(smoothing, name, value)
    assert cli.main(["tables", str(result.path), "-o", str(out), "--smooth", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    names = [
        "ino-smooth-honda-aa.d",
        "ino-smooth-honda-aa.err.d",
        "ino-smooth-pulls-aa.csv",
        "ino-smooth-honda-ally-20-12.d",
        "ino-smooth-honda-ally-20-12.err.d",
        "ino-smooth-pulls-azimuth.csv",
    ]
    assert document["files"] == [str(out / name) for name in [*names, "ino.meta.json"]]
    assert set(document["pulls"]["ino"]) == {"average", "azimuth"}
    numbers = document["pulls"]["ino"]["average"]["numubar"]
    assert numbers["bins"] > 1000
    assert 0.3 < numbers["rms"] < 1.5
    smooth, raw = Flux.load(out / names[0]), Flux.of_result(result)
    energy = np.geomspace(0.2, 1000, 30)[:, None]
    assert smooth.flux("nue", energy, [-0.5, 0.5]) == pytest.approx(raw.flux("nue", energy, [-0.5, 0.5]), rel=0.25)


def test_smooth_tables_as_csv(result, tmp_path, capsys, monkeypatch):
    """The same bins in another format (here of a small table, for time)."""
    small = table_of_result(result, "ino", "honda", azimuth=False)
    small = dataclasses.replace(
        small,
        flux=small.flux[:, 20:40],
        error=small.error[:, 20:40],
        energies_GeV=small.energies_GeV[20:40],
        energy_edges_GeV=small.energy_edges_GeV[20:41],
    )

    def smooth_result(_, site, binning, azimuth_bins=None, shape=None):
        assert (site, binning, azimuth_bins) == ("ino", "honda", None)
        return [(smoothing.smooth_average(small), small)]

    monkeypatch.setattr(smoothing, "smooth_result", smooth_result)
    monkeypatch.setattr(run_shape, "shape_of_result", lambda *_: None)
    assert cli.main(["tables", str(result.path), "-o", str(tmp_path / "out"), "--smooth", "--format", "csv"]) == 0
    said = capsys.readouterr().out
    assert "Fit: chi2/ndf" in said
    assert "ino, azimuth average, smooth" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "ino-smooth-aa.csv",
        "ino-smooth-pulls-aa.csv",
        "ino.meta.json",
    ]
