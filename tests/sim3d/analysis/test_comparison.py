"""Comparison of any two: known ratios come out for every pair of kinds, with errors of both."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from sim3d import cli
from sim3d.analysis import matching
from sim3d.analysis.comparison import FluxSource, open_source, pair, swapped
from sim3d.errors import InputError
from sim3d.results import tables as result_tables
from sim3d.results.tables import table_of_result

RANGE = (0.29, 10.0)


@pytest.fixture
def kinds(fake_result, tmp_path):
    """The same fluxes in every kind of source, times 1, and how to scale them."""
    result = fake_result(sites=("ino",), batches=5, noise=0.005)
    result_tables.write_honda_tables(result, tmp_path)
    table = table_of_result(result, "ino", "fluka", azimuth=False)
    lines = ["# unit: m^-2", "flavour,energy_GeV,cos_zenith,flux"]
    for f, flavour in enumerate(table.flavours):
        for i in range(10, 40, 3):
            for j in (2, 18, 36):
                cos = -0.975 + 0.05 * j
                lines.append(f"{flavour},{table.energies_GeV[i]:.6g},{cos:.3g},{table.flux[f, i, j, 0]:.8g}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "run.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    return {
        "result": open_source(tmp_path / "run.h5", None, result),
        "table": open_source(tmp_path / "ino-honda-aa.d", None),
        "azimuth": open_source(tmp_path / "ino-honda-ally-20-12.d", None),
        "rows": open_source(tmp_path / "rows.csv", None),
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
