"""Comparison of any two: known ratios come out for every pair of kinds, with errors of both."""

import csv
import dataclasses
import gzip
import json

import numpy as np
import pytest

from sim3d import cli
from sim3d.analysis import matching
from sim3d.analysis.comparison import FluxSource, open_source, pair, swapped
from sim3d.analysis.reference import parse_reference
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files import csv_tables
from sim3d.results import tables as result_tables
from sim3d.results.result import Result
from sim3d.results.tables import table_of_result
from sim3d.simulation.engine import simulate

RANGE = (0.29, 10.0)


@pytest.fixture(scope="module")
def kinds(fake_result, tmp_path_factory):
    """The same fluxes in every kind of source, times 1, and how to scale them."""
    folder = tmp_path_factory.mktemp("kinds")
    result = fake_result(sites=("ino",), batches=5, noise=0.005)
    result_tables.write_honda_tables(result, folder)
    table = table_of_result(result, "ino", "fluka", azimuth=False)
    lines = ["# unit: m^-2", "flavour,energy_GeV,cos_zenith,flux"]
    for f, flavour in enumerate(table.flavours):
        for i in range(10, 40, 3):
            for j in (2, 18, 36):
                cos = -0.975 + 0.05 * j
                lines.append(f"{flavour},{table.energies_GeV[i]:.6g},{cos:.3g},{table.flux[f, i, j, 0]:.8g}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    (folder / "run.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    return {
        "result": open_source(folder / "run.h5", None, result),
        "table": open_source(folder / "ino-honda-aa.d", None),
        "azimuth": open_source(folder / "ino-honda-ally-20-12.d", None),
        "rows": open_source(folder / "rows.csv", None),
    }


def doubled(source):
    """The source with twice the flux (of a result: its tables)."""
    if source.rows is not None:
        return dataclasses.replace(source, rows=dataclasses.replace(source.rows, flux=2 * source.rows.flux))
    table = dataclasses.replace(source.table, flux=2 * source.table.flux, error=2 * source.table.error)
    return FluxSource(source.name, table=table)


@pytest.mark.parametrize("second", ["result", "table", "azimuth", "rows"])
@pytest.mark.parametrize("first", ["result", "table", "azimuth", "rows"])
def test_a_known_ratio_between_any_two(kinds, first, second):
    matched = pair(doubled(kinds[first]), kinds[second], RANGE)
    points = "rows" in (first, second)
    assert len(matched.flux) == 4 * (10 * 3 if points else 31 * 20)
    ratio, sigma = matched.ratio()
    # a table at a row of a CSV is interpolated
    assert ratio == pytest.approx(2.0, rel=0.03 if points else 2e-4)
    if not points:
        expected = np.hypot(matched.error / matched.flux, matched.reference_error / matched.reference)
        assert sigma == pytest.approx(2.0 * expected, rel=1e-3)
    row = matching.agreement(matched)[0]
    assert row.median_ratio == pytest.approx(2.0, rel=0.01)


def test_other_bins_are_interpolated_over(kinds, fake_result):
    """The fine bins of a result against Honda's bins: the same spectrum."""
    fine = table_of_result(fake_result(sites=("ino",), batches=5, noise=0.0), "ino", "fine", azimuth=False)
    coarse = table_of_result(fake_result(sites=("ino",), batches=5, noise=0.0), "ino", "honda", azimuth=False)
    matched = pair(FluxSource("fine", table=fine), FluxSource("coarse", table=coarse), RANGE)
    assert len(matched.flux) == 4 * 31 * 20
    assert matched.flux == pytest.approx(matched.reference, rel=1e-4)
    half = dataclasses.replace(fine, flux=fine.flux[:, :, 20:], error=None, cos_edges=fine.cos_edges[20:])
    with pytest.raises(InputError, match="covers less of the zenith"):
        pair(FluxSource("half", table=half), FluxSource("coarse", table=coarse), RANGE)


def test_chi2_has_both_errors(fake_result):
    """Two results with the same truth and independent noise: chi2 per bin of one."""
    one = table_of_result(fake_result(sites=("a", "b"), batches=60, noise=0.1), "a", "honda", azimuth=False)
    two = table_of_result(fake_result(sites=("a", "b"), batches=60, noise=0.1), "b", "honda", azimuth=False)
    rows = matching.agreement(pair(FluxSource("a", table=one), FluxSource("b", table=two), RANGE))
    assert sum(row.chi2 for row in rows) / sum(row.bins for row in rows) == pytest.approx(1.0, abs=0.15)


def test_swapped(kinds):
    there = pair(kinds["table"], kinds["rows"], RANGE)
    back = swapped(there)
    assert back.ratio()[0] == pytest.approx(1 / there.ratio()[0])
    relative = there.ratio()[1] / there.ratio()[0]
    assert back.ratio()[1] / back.ratio()[0] == pytest.approx(relative)


def test_nothing_in_common(kinds):
    with pytest.raises(InputError, match="have no flux in common between 2000 and 3000 GeV"):
        pair(kinds["table"], kinds["rows"], (2000.0, 3000.0))
    with pytest.raises(InputError, match="energy: '3 2 GeV', allowed: two positive"):
        pair(kinds["table"], kinds["table"], (3.0, 2.0))


def test_command_with_tables_and_figures(known, tmp_path, capsys):
    result_tables.write_honda_tables(known.result, tmp_path)
    out = tmp_path / "out"
    arguments = ["compare", str(known.path), str(tmp_path / "sno-honda-aa.d"), "--site", "kamioka", "-o", str(out)]
    assert cli.main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    names = ["compare.csv", "compare-energy.png", "compare-energy.pdf", "compare-zenith.png", "compare-zenith.pdf"]
    assert document["files"] == [str(out / name) for name in names]
    assert document["flavours"]["numu"]["bins"] == 620
    lines = [line for line in (out / "compare.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert len(rows) == 4 * 620
    row = {name: float(value) for name, value in rows[100].items() if name != "flavour"}
    assert row["ratio"] == pytest.approx(row["flux"] / row["reference"], rel=1e-5)
    assert row["pull"] == pytest.approx((row["ratio"] - 1) / row["ratio_error"], rel=1e-3)
    assert cli.main(["compare", str(known.path), str(known.path), "--reference-site", "sno"]) == 0
    assert "kamioka / sno" in capsys.readouterr().out


def test_an_rms_of_one_bin_is_not_printed(known, tmp_path, capsys):
    result_tables.write_honda_tables(known.result, tmp_path)
    table = tmp_path / "kamioka-honda-aa.d"
    lines = table.read_text().splitlines()
    row = next(i for i, line in enumerate(lines) if line.split()[:1] and line.split()[0].startswith("1.0000E+00"))
    energy, first, *rest = lines[row].split()
    lines[row] = " ".join([energy, f"{float(first) * 1e-5:.4E}", *rest])
    table.write_text("\n".join(lines) + "\n")
    assert cli.main(["compare", str(known.path), str(table), "--site", "kamioka"]) == 0
    cells = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  n")}
    column = cells["numu"].index(">10")
    assert float(cells["nue"][column]) < 10.0


def test_wrong_files(known, tmp_path, capsys):
    broken = tmp_path / "x.d"
    broken.write_text("average flux in [cosZ = 0.90 --  1.00, phi_Az =   0 --  30]\n nothing\n")
    for arguments, message in (
        ([str(tmp_path / "no.d"), str(known.path)], "no.d: cannot be read"),
        ([str(broken), str(known.path)], "x.d, line 2: needs the columns Enu"),
        ([str(known.path), str(known.path), "--reference-site", "mars"], "site: 'mars', allowed: one of kamioka, sno"),
    ):
        assert cli.main(["compare", *arguments]) == 2
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1


def test_our_own_csv_tables(known, tmp_path, capsys):
    """CSVs of `tables` (FLUKA's bins) and of `export` (Honda's, with azimuth): bin by bin, ratio 1."""
    for binning, azimuth, bins in (("fluka", False, 31 * 40), ("honda", True, 31 * 20)):
        table = table_of_result(known.result, "sno", binning, azimuth)
        path = csv_tables.write_table(table, tmp_path, binning)
        assert cli.main(["compare", str(known.path), str(path), "--site", "sno", "--json"]) == 0
        row = json.loads(capsys.readouterr().out)["flavours"]["numu"]
        assert row["bins"] == row["chi2_bins"] == bins
        assert row["rms"] < 1e-6
        assert cli.main(["compare", str(path), str(known.path), "--site", "sno", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["flavours"]["numu"]["rms"] < 1e-6


def test_compressed_tables(known, tmp_path, capsys):
    """A .d.gz with the errors of its compressed twin, and a compressed CSV."""
    result_tables.write_honda_tables(known.result, tmp_path)
    plain = tmp_path / "sno-honda-aa.d"
    for name in ("sno-honda-aa.d", "sno-honda-aa.err.d"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    packed = open_source(tmp_path / "sno-honda-aa.d.gz", None)
    assert packed.table.name == "sno-honda-aa"
    assert np.array_equal(packed.table.error, open_source(plain, None).table.error)
    assert cli.main(["compare", str(tmp_path / "sno-honda-aa.err.d.gz"), str(plain)]) == 2
    assert "holds the errors of fluxes, no fluxes; the fluxes are in sno-honda-aa.d.gz" in capsys.readouterr().err


ROWS = "# unit: m^-2 s^-1 sr^-1 GeV^-1\nflavour,energy_GeV,cos_zenith,flux\n"


def test_rows_that_are_not_used_are_counted(known, tmp_path, capsys):
    path = tmp_path / "ref.csv"
    path.write_text(
        "\ufeff" + ROWS + "numu,1.06,0.35,163\nnumu_bar,1.06,0.35,160\nanumu,1.06,0.35,160\nnu_tau,1.06,0.35,1\n"
        "nue,1.06,0.35,0\nnue,30,0.35,1\nnue,40,0.35,1\n",
        encoding="utf-8",
    )
    for file, other in ((known.path, path), (path, known.path)):
        assert cli.main(["compare", str(file), str(other), "--site", "kamioka"]) == 0
        out = capsys.readouterr().out
        assert "ref.csv: 3 of 7 rows used; not used: 1 tau neutrinos; 2 outside 0.29-10 GeV; 1 flux 0" in out
    assert cli.main(["compare", str(known.path), str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["flavours"]["numubar"]["bins"] == 2
    assert sum(document["unused"][0]["reasons"].values()) == 4
    path.write_text(ROWS + "numu,1.06,0.35,163\nmuon,1.06,0.35,1\n")
    assert cli.main(["compare", str(known.path), str(path)]) == 2
    assert "ref.csv, row 2: flavour 'muon' is not known" in capsys.readouterr().err


def test_a_unit_per_mev_is_converted(known, tmp_path, capsys):
    """The same flux in three units."""
    ratios = []
    for unit, factor in (("m^-2 s^-1 sr^-1 GeV^-1", 1.0), ("cm^-2 s^-1 sr^-1 MeV^-1", 1e-7), ("per m2", 1.0)):
        path = tmp_path / "ref.csv"
        path.write_text(f"# unit: {unit}\nflavour,energy_GeV,cos_zenith,flux\nnumu,1.06,0.35,{163 * factor:.9g}\n")
        assert cli.main(["compare", str(known.path), str(path), "--json"]) == 0
        ratios.append(json.loads(capsys.readouterr().out)["flavours"]["numu"]["median_ratio"])
    assert ratios == pytest.approx([ratios[0]] * 3, rel=1e-8)
    assert cli.main(["compare", str(known.path), str(path)]) == 0
    assert "unit 'per m2', taken with s^-1 sr^-1 GeV^-1" in capsys.readouterr().out


def test_no_chi2_without_errors(known, tmp_path, capsys):
    result_tables.write_honda_tables(known.result, tmp_path)
    path = tmp_path / "sno-honda-aa.d"
    path.with_name("sno-honda-aa.err.d").unlink()
    assert cli.main(["compare", str(path), str(path)]) == 0
    out = capsys.readouterr().out
    assert "chi2: no statistical error is known" in out
    assert "nan" not in out
    assert "inf" not in out
    assert "simulate more" not in out
    assert cli.main(["compare", str(path), str(path), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["flavours"]["numu"]
    assert row["chi2"] is None
    assert row["chi2_note"] == "no statistical error is known"


def test_errors_of_rows_enter_chi2():
    rows = ROWS.replace("flux\n", "flux,error\n") + "numu,1,0.3,100,10\nnumu,2,0.3,100,\nnue,1,0.3,100,nan\n"
    first = parse_reference(rows.replace("100", "110"), "a")
    second = parse_reference(rows, "b")
    matched = pair(FluxSource("a", rows=first), FluxSource("b", rows=second), RANGE)
    numu, nue = matching.agreement(matched)
    # (1.1 - 1) / hypot(10 / 100, 1.1 * 10 / 100)
    assert numu.chi2 == pytest.approx(0.1**2 / (0.1**2 + 0.11**2))
    assert (numu.bins, numu.chi2_bins) == (2, 1)
    assert numu.chi2_note == "1 bins without a known error are not in it"
    assert nue.chi2_note == "no statistical error is known"


def test_pictures_of_ratios_choose_no_mean_by_chance():
    """Rows without hits count as 0; a mean that is low, with an error small only because it is low, is left out."""
    from sim3d.plots.comparison import band_means

    n = 6
    matched = matching.Matched(
        flavour=np.array(["numu"] * n),
        energy_GeV=np.array([1.0, 1.0, 2.0, 2.0, 3.0, 3.0]),
        cos_zenith=np.linspace(-0.5, 0.5, n),
        reference=np.ones(n),
        flux=np.array([1.2, 0.8, 0.1, 0.2, 1.9, 0.0]),
        error=np.array([0.1, 0.1, 0.1, 0.1, 0.1, 2.3]),
        hits=np.array([9, 9, 2, 2, 9, 0]),
    )
    at, mean, error = band_means(matched, np.ones(n, dtype=bool), matched.energy_GeV)
    # 3 GeV: 1.9 and an empty row; 2 GeV: 0.15 +- 0.07, not known to 30%
    assert at.tolist() == [1.0, 3.0]
    np.testing.assert_allclose(mean, [1.0, 0.95])
    np.testing.assert_allclose(error, [0.1 / np.sqrt(2.0), 0.05])


def test_few_primaries_make_no_bin_known():
    """A bin with one light hit has the error expected there: with its sample error chi2 per bin was 10^4 to 10^6."""
    record = simulate(make_config({"run": {"primaries": 1000, "batch_size": 25}, "sites": [{"name": "kamioka"}]}))
    rows = matching.agreement(matching.fluka_rows(Result(record), "kamioka"))
    assert len(rows) == 4
    assert all(row.bins > 5 for row in rows)
    assert all(row.chi2 < 10.0 * row.bins for row in rows)


def test_what_the_two_do_not_have_in_common_is_said(known, tmp_path, capsys):
    assert cli.main(["tables", str(known.path), "-o", str(tmp_path)]) == 0
    capsys.readouterr()
    table = tmp_path / "sno-honda-aa.d"
    assert cli.main(["compare", str(known.path), str(table), "--site", "sno", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == {}
    described = tmp_path / "sno.meta.json"
    described.write_text(described.read_text().replace("2020-01-01", "2010-01-01"))
    assert cli.main(["compare", str(known.path), str(table), "--site", "sno"]) == 0
    out = capsys.readouterr().out
    assert "  not the same field: IGRF-14 of 2020-01-01 / IGRF-14 of 2010-01-01\n" in out
    assert "same place" not in out
    assert cli.main(["compare", str(table), "fluka_sk_solmax.csv"]) == 0
    assert "not the same place: 36.40° N, 137.30° E / 36.43° N, 137.31° E" in capsys.readouterr().out


def test_a_run_and_its_tables_have_the_same_showers(known, tmp_path, capsys):
    assert cli.main(["tables", str(known.path), "-o", str(tmp_path)]) == 0
    capsys.readouterr()
    table = tmp_path / "sno-honda-aa.d"
    assert cli.main(["compare", str(known.path), str(table), "--site", "sno"]) == 0
    out = capsys.readouterr().out
    assert "chi2: both have the same showers" in out
    assert "simulate more" not in out
    described = tmp_path / "sno.meta.json"
    text = described.read_text()
    ours = json.loads(text)["result"]["data_sha256"]
    for base, same in ((ours, True), ("0" * 64, False)):
        # tables of a reweighting of the run, and of one of another run
        described.write_text(text.replace('"data_sha256"', f'"reweighted_from_data_sha256": "{base}", "data_sha256"'))
        assert cli.main(["compare", str(known.path), str(table), "--site", "sno", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["same_showers"] is same
        assert (document["flavours"]["numu"]["chi2"] is None) is same
