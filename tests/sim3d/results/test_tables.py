"""Tables read back by readers written from the rules PISA and GENIE apply, and by the csv module."""

import csv
import io

import numpy as np
import pytest

from sim3d.files import csv_tables, flux_table, honda_writing
from sim3d.results import tables as result_tables


def genie_reader(text, azimuth_blocks):
    """Two header lines, 101 rows of five numbers; cos from the top, azimuth inside.  [4, 101, 20, azimuth]"""
    lines = iter(text.split("\n"))
    out = np.empty((4, 101, 20, azimuth_blocks))
    energies = np.empty(101)
    for i in range(19, -1, -1):
        for j in range(azimuth_blocks):
            next(lines)
            next(lines)
            for k in range(101):
                energies[k], *out[:, k, i, j] = map(float, next(lines).split())
    assert list(lines) == [""]
    return energies, out


def pisa_reader(text):
    """Every row whose first five fields are numbers, cut into 20 zenith blocks.  [20, 101, 5]"""
    table = np.genfromtxt(io.StringIO(text), usecols=range(5), invalid_raise=False)
    return table[~np.all(np.isnan(table), axis=1)].reshape(20, -1, 5)


@pytest.fixture
def tables(known, tmp_path):
    written = result_tables.write_honda_tables(known.result, tmp_path)
    return {path.name: path.read_text(encoding="ascii") for path in written}


def test_names(tables):
    assert set(tables) == {
        f"{site}-{stem}{suffix}"
        for site in ("kamioka", "sno")
        for stem in ("honda-ally-20-12", "honda-aa")
        for suffix in (".d", ".err.d")
    }


def test_text_layout(tables):
    lines = tables["kamioka-honda-ally-20-12.d"].split("\n")
    assert len(lines) == 20 * 12 * 103 + 1
    assert lines[0] == "average flux in [cosZ = 0.90 --  1.00, phi_Az =   0 --  30]"
    columns = " Enu(GeV)   NuMu       NuMubar    NuE        NuEbar  (m^2 sec sr GeV)^-1"
    assert lines[1] == f"{columns}  phi_Az in the frame of the crossing"
    assert lines[2].startswith(" 1.0000E-01 ")
    assert lines[102].startswith(" 1.0000E+04 ")
    assert all(len(line) == 55 for line in lines[2:103])
    assert lines[103] == "average flux in [cosZ = 0.90 --  1.00, phi_Az =  30 --  60]"
    heads = [line for line in lines if line.startswith("average")]
    assert heads[11].endswith("phi_Az = 330 -- 360]")
    assert "[cosZ = 0.00 --  0.10," in heads[9 * 12]
    assert "[cosZ =-0.10 --  0.00," in heads[10 * 12]
    assert "[cosZ =-1.00 -- -0.90," in heads[-1]
    average = tables["sno-honda-aa.d"].split("\n")
    assert len(average) == 20 * 103 + 1
    assert average[0] == "average flux in [cosZ = 0.90 --  1.00, phi_Az =   0 -- 360]"


def test_numbers_come_back(tables, known):
    stored = {".d": known.result.binned("sno", "honda")[0], ".err.d": known.result.errors("sno", "honda").error}
    average = {
        ".d": known.result.binned("sno", "honda_aa")[0],
        ".err.d": known.result.errors("sno", "honda_aa").error,
    }
    for suffix, expected in stored.items():
        energies, values = genie_reader(tables[f"sno-honda-ally-20-12{suffix}"], 12)
        assert energies == pytest.approx(10 ** (np.arange(101) / 20 - 1), rel=1e-4)
        assert values == pytest.approx(expected, rel=1e-4)
        _, mean = genie_reader(tables[f"sno-honda-aa{suffix}"], 1)
        assert mean[..., 0] == pytest.approx(average[suffix].reshape(mean[..., 0].shape), rel=1e-4)


def test_pisas_reader(tables, known):
    table = pisa_reader(tables["kamioka-honda-aa.d"])
    assert table.shape == (20, 101, 5)
    flux = known.result.binned("kamioka", "honda_aa")[0]
    # PISA's blocks come down-going first.
    assert table[0, :, 1] == pytest.approx(flux[0, :, 19], rel=1e-4)
    assert table[19, :, 4] == pytest.approx(flux[3, :, 0], rel=1e-4)


def test_east_west_sign_in_the_file(tables):
    """Flux is lowest for arrival from the east, the blocks 60-90 and 90-120."""
    _, values = genie_reader(tables["kamioka-honda-ally-20-12.d"], 12)
    assert values[2, 20, 10].argmin() in (2, 3)
    assert values[2, 20, 10].argmax() in (8, 9)


def test_empty_bins_have_flux_0_and_a_limit(fake_result, tmp_path):
    result_tables.write_honda_tables(fake_result(sites=("ino",), empty_above=10.0), tmp_path)
    _, flux = genie_reader((tmp_path / "ino-honda-ally-20-12.d").read_text(), 12)
    _, error = genie_reader((tmp_path / "ino-honda-ally-20-12.err.d").read_text(), 12)
    assert np.all(flux[:, 42:] == 0.0)
    limit = fake_result(sites=("ino",), empty_above=10.0).upper_limit("ino", "honda")
    assert error[:, 42:] == pytest.approx(limit[:, 42:], rel=1e-4)
    assert np.all(error > 0.0)


def test_more_azimuth_bins_are_averaged(fake_result, tmp_path):
    result = fake_result(sites=("ino",), azimuth_bins=36)
    result_tables.write_honda_tables(result, tmp_path)
    _, flux = genie_reader((tmp_path / "ino-honda-ally-20-12.d").read_text(), 12)
    _, error = genie_reader((tmp_path / "ino-honda-ally-20-12.err.d").read_text(), 12)
    fine, fine_error, _ = result.binned("ino", "honda")
    _, errors = result_tables.flux_and_errors(result, "ino", "honda", 12)
    assert error == pytest.approx(errors.error, rel=1e-4)
    assert flux == pytest.approx(fine.reshape(4, 101, 20, 12, 3).mean(axis=-1), rel=1e-4)
    # eight batches: the larger of the sample error and the expected error
    assert error[0, 0, 0, 0] >= np.sqrt((fine_error[0, 0, 0, :3] ** 2).sum()) / 3 * (1 - 1e-4)


@pytest.mark.parametrize(
    ("bins", "names"),
    [(18, ["ino-101x20x18.d", "ino-101x20x18.err.d", "ino-honda-aa.d", "ino-honda-aa.err.d"]),
     (16, ["ino-honda-aa.d", "ino-honda-aa.err.d"])],
)  # fmt: skip
def test_of_other_azimuth_bins_what_can_be_written_is(fake_result, tmp_path, bins, names):
    """16 bins are 22.5 degrees wide, and the format's headers have whole degrees."""
    result = fake_result(sites=("ino",), azimuth_bins=bins, batches=3)
    assert [path.name for path in result_tables.write_honda_tables(result, tmp_path)] == names
    if bins == 18:
        _, flux = genie_reader((tmp_path / names[0]).read_text(), 18)
        assert flux == pytest.approx(result.binned("ino", "honda")[0], rel=1e-4)
    _, mean = genie_reader((tmp_path / "ino-honda-aa.d").read_text(), 1)
    assert mean[..., 0] == pytest.approx(result.binned("ino", "honda_aa")[0], rel=1e-4)


def pisa_opens(path, azimuth):
    """PISA's tests of the path before it reads a file of Honda's grid: load_3D_table with azimuth, load_2D_table."""
    text = str(path)
    return "honda" in text and ("aa" in text) != azimuth


def test_names_that_pisa_takes(fake_result, tmp_path, monkeypatch):
    """With azimuth and without, whatever the site is called; no name is taken for a table of another grid."""
    monkeypatch.chdir(tmp_path)  # the folder is part of the path
    for site in ("kamioka", "saaarland"):
        result = fake_result(sites=(site,), batches=3)
        folder = type(tmp_path)(".")
        by_azimuth, errors, average, _ = result_tables.write_honda_tables(result, folder)
        assert by_azimuth.name.endswith("-honda-ally-20-12.d")
        assert pisa_opens(by_azimuth, azimuth=True)
        assert pisa_opens(average, azimuth=False)
        assert pisa_reader(by_azimuth.read_text()).shape == (20, 12 * 101, 5)
        assert errors.read_text().startswith("error of flux in [cosZ = 0.90 --  1.00, phi_Az =   0 --  30]\n")
        for azimuth in (True, False):
            table = result_tables.table_of_result(result, site, "fluka", azimuth)
            for path in honda_writing.write_what_fits(table, folder, "ino"):
                assert path.name in {f"ino-100x40{x}.{y}" for x in ("", "x12") for y in ("d", "err.d")}
                assert not pisa_opens(path, azimuth)


def test_rebinning_limits():
    flux, error = np.zeros((1, 6)), np.full((1, 6), 3.0)
    flux[0, 0], error[0, 0] = 6.0, 0.6
    mean, sigma = flux_table.rebin_azimuth(flux, error, 2)
    assert mean.tolist() == [[2.0, 0.0]]
    assert sigma[0] == pytest.approx([0.2, 1.0])


def test_csv(fake_result, tmp_path):
    result = fake_result(sites=("ino",), empty_above=1000.0)
    assert [path.name for path in result_tables.write_csv_tables(result, tmp_path)] == ["ino-aa.csv", "ino-azimuth.csv"]
    for ending, shape, binning in (
        ("aa", (4, 101, 20, 1), "honda_aa"),
        ("azimuth", (4, 101, 20, 12), "honda"),
    ):
        lines = (tmp_path / f"ino-{ending}.csv").read_text().splitlines()
        comments = [line for line in lines if line.startswith("#")]
        assert any("m^-2 s^-1 sr^-1 GeV^-1" in line for line in comments)
        assert any("counter-clockwise from SOUTH" in line for line in comments)
        reader = csv.DictReader(line for line in lines if not line.startswith("#"))
        rows = list(reader)
        assert tuple(reader.fieldnames) == (*csv_tables.TABLE_COLUMNS, csv_tables.KIND_COLUMN)
        flux = np.array([float(row["flux"]) for row in rows]).reshape(shape)
        error = np.array([float(row["error"]) for row in rows]).reshape(shape)
        expected, errors = result.binned("ino", binning)[0], result.errors("ino", binning)
        assert flux == pytest.approx(expected.reshape(shape), rel=1e-5)
        filled = flux > 0
        assert error == pytest.approx(errors.error.reshape(shape), rel=1e-5)
        assert [row["error_kind"] == "limit" for row in rows] == (~filled).ravel().tolist()
        assert error[~filled] == pytest.approx(result.upper_limit("ino", binning).reshape(shape)[~filled], rel=1e-5)
        assert [row["flavour"] for row in rows[:: len(rows) // 4]] == ["numu", "numubar", "nue", "nuebar"]
        assert float(rows[0]["energy_GeV"]) == pytest.approx(0.1, rel=1e-5)
        assert (rows[0]["cos_zenith_low"], rows[0]["cos_zenith_high"]) == ("-1", "-0.9")
        assert (rows[-1]["cos_zenith_low"], rows[-1]["cos_zenith_high"]) == ("0.9", "1")
        assert rows[-1]["azimuth_high_deg"] == "360"
        assert rows[0]["azimuth_high_deg"] == ("360" if ending == "aa" else "30")


def test_csv_tables_state_where_they_are(known, tmp_path):
    """Position, altitude and detector stand in the first line, raw and from a table (as smooth ones are written)."""
    written = result_tables.write_csv_tables(known.result, tmp_path)
    table = result_tables.table_of_result(known.result, "kamioka", azimuth=False)
    written.append(csv_tables.write_table(table, tmp_path, "again"))
    for path in written:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert "latitude 36.4000, longitude 137.3000, altitude 0 m, detector rectangle 10 deg" in first, path
