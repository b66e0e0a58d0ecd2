"""Comparison with a table: a table made from known fluxes gives known ratios; units; matching; bad tables."""

import json

import numpy as np
import pytest

from sim3d import cli
from sim3d.analysis import matching
from sim3d.analysis import reference as compare
from sim3d.errors import InputError

COMMENT = "# flux in m^-2 s^-1 sr^-1 GeV^-1\n"
HEADER = "flavour,energy_GeV,cos_zenith,flux\n"


def make_table(result, factor=1.0, unit="m^-2", site="kamioka"):
    """A reference in some FLUKA bins whose fluxes are the result's own over ``factor``."""
    flux = result.binned(site, "fluka_aa")[0]
    energies = result.binning_energies("fluka")
    scale = 1e-4 if unit == "cm^-2" else 1.0
    rows = [f"# unit: {unit} s^-1 sr^-1 GeV^-1\n", "# made at 5 m of cm^2 and m^2\n", HEADER]
    for i, flavour in enumerate(result.flavours):
        for j in range(4, 44, 5):
            for k, cosine in ((0, -1.0), (0, -0.975), (19, -0.025), (20, 0.025), (39, 1.0)):
                # Three digits, as printed tables have.
                rows.append(f"{flavour},{energies[j]:.3g},{cosine},{flux[i, j, k] / factor * scale:.8g}\n")
    return "".join(rows)


@pytest.mark.parametrize("unit", ["m^-2", "cm^-2"])
def test_known_ratio_in_either_unit(known, unit):
    table = compare.parse_reference(make_table(known.result, 1.25, unit), "x")
    assert table.unit == unit
    rows = matching.agreement(matching.match(known.result, "kamioka", table, (0.1, 20.0)))
    assert [row.flavour for row in rows] == list(known.result.flavours)
    for row in rows:
        assert (row.bins, row.empty) == (40, 0)
        assert row.median_ratio == pytest.approx(1.25, rel=1e-6)
        assert row.median_deviation == pytest.approx(0.25, rel=1e-6)
        assert row.rms == pytest.approx(0.25, rel=1e-6)
        assert row.within == 0.0
        assert row.chi2 > 1000


def test_within_counts_statistics(fake_result):
    result = fake_result(noise=0.0)
    table = compare.parse_reference(make_table(result, 1.15 / 1.0001), "x")
    assert matching.agreement(matching.match(result, "kamioka", table, (0.1, 20.0)))[0].within == 1.0
    table = compare.parse_reference(make_table(result, 1.16), "x")
    assert matching.agreement(matching.match(result, "kamioka", table, (0.1, 20.0)))[0].within == 0.0


def test_chi2_of_pure_noise(fake_result):
    result = fake_result(noise=0.1, batches=60)
    truth = compare.parse_reference(make_table(fake_result(noise=0.0)), "x")
    rows = matching.agreement(matching.match(result, "kamioka", truth, (0.1, 20.0)))
    row = rows[0]
    assert sum(row.chi2 for row in rows) / sum(row.bins for row in rows) == pytest.approx(1.0, abs=0.6)
    assert row.median_error == pytest.approx(0.1 / np.sqrt(12 * 2 * 60), rel=0.2)


def test_the_shipped_fluka_table():
    table = compare.fluka_table()
    assert table.unit == "cm^-2"
    assert len(table.flux) == 4 * 14 * 12
    assert set(table.flavour) == {"numu", "numubar", "nue", "nuebar"}
    first = table.flavour.index("nue")
    # 0.25 per cm2 in the file.
    assert table.flux[first] == pytest.approx(2500.0)


def test_every_row_of_fluka_meets_a_bin(known):
    matched = matching.match(known.result, "kamioka", compare.fluka_table(), (0.1, 200.0))
    assert len(matched.flux) == 4 * 14 * 12
    default = matching.match(known.result, "kamioka", compare.fluka_table())
    assert default.energy_GeV.min() == 0.299
    assert default.energy_GeV.max() == 9.441


def test_energies_between_bins_and_other_flavours_are_left_out(known):
    text = COMMENT + HEADER + "numu,1.0,0.5,1\nnutau,1.0593,0.5,1\nnumu,1.0593,0.5,0\nnumu,1.0593,0.5,7\n"
    matched = matching.match(known.result, "kamioka", compare.parse_reference(text, "x"))
    # 1.0 is the edge between two of FLUKA's bins: it belongs to Honda's bin there.  The zero is no reference.
    assert matched.reference.tolist() == [1.0, 7.0]
    with pytest.raises(InputError, match="no row"):
        matching.match(known.result, "kamioka", compare.parse_reference(text, "x"), (2.0, 3.0))
    beyond = compare.parse_reference(COMMENT + HEADER + "numu,0.05,0.5,1\n", "x")
    with pytest.raises(InputError, match="no row"):
        matching.match(known.result, "kamioka", beyond, (0.01, 0.1))


@pytest.mark.parametrize("binning", ["honda", "fluka", "fine"])
def test_rows_at_the_centres_of_a_binning_meet_its_bins(fake_result, binning):
    """All of them, printed with five digits: the same flux, hits and (but for the fine bins' pairs) error."""
    result = fake_result(noise=0.1)
    flux, _, hits = result.binned("kamioka", f"{binning}_aa")
    error = result.errors("kamioka", f"{binning}_aa").error
    edges = result.binning_cos_edges(binning)
    rows = [
        (f"{e:.4E}", f"{c:.4g}", i, j)
        for i, e in enumerate(result.binning_energies(binning))
        for j, c in enumerate(0.5 * (edges[1:] + edges[:-1]))
    ]
    text = COMMENT + HEADER + "".join(f"nue,{e},{c},1\n" for e, c, _, _ in rows)
    matched = matching.match(result, "kamioka", compare.parse_reference(text, "x"), (0.09, 2e4))
    at = 2, [i for *_, i, _ in rows], [j for *_, j in rows]
    assert matched.flux == pytest.approx(flux[at], rel=1e-9)
    assert matched.error == pytest.approx(error[at], rel=1e-9)
    assert np.array_equal(matched.hits, hits[at])


def test_empty_bins_are_counted_apart(fake_result):
    full = fake_result()
    result = fake_result(empty_above=5.0)
    table = compare.parse_reference(make_table(full), "x")
    row = matching.agreement(matching.match(result, "kamioka", table, (0.1, 20.0)))[0]
    assert row.empty == 10
    assert row.bins == 30
    assert row.median_ratio == pytest.approx(1.0, rel=0.02)
    nothing = fake_result(empty_above=0.01)
    row = matching.agreement(matching.match(nothing, "kamioka", table, (0.1, 20.0)))[0]
    assert (row.bins, row.empty) == (0, 40)
    assert np.isnan(row.median_ratio)


@pytest.mark.parametrize(
    ("comment", "unit"),
    [
        ("# unit: cm^-2 s^-1", "cm^-2"),
        ("# Unit: m-2 s-1", "m^-2"),
        ("# flux in (m^2 s sr GeV)^-1", "m^-2"),
        ("# [cm**-2 s**-1]", "cm^-2"),
        ("# cm^2 here\n# unit: m^-2", "m^-2"),
    ],
)
def test_units(comment, unit):
    assert compare.parse_reference(f"{comment}\n{HEADER}nue,1,0,1\n", "x").unit == unit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column flavour"),
        (COMMENT + "flavour,energy_GeV,flux\nnue,1,1\n", "no column cos_zenith; needs flavour"),
        (COMMENT + HEADER, "no rows"),
        (HEADER + "nue,1,0,1\n", "unit is not clear"),
        ("# cm^-2 or m^-2\n" + HEADER + "nue,1,0,1\n", "unit is not clear"),
        (COMMENT + HEADER + "nue,one,0,1\n", "row 1: needs four values"),
        (COMMENT + HEADER + "nue,1,0,1\nnue,1,0\n", "row 2: needs four values"),
        (COMMENT + HEADER + "nue,1,1.5,1\n", "row 1: out of range"),
        (COMMENT + HEADER + "nue,-1,0.5,1\n", "row 1: out of range"),
        (COMMENT + HEADER + "nue,1,0.5,nan\n", "row 1: out of range"),
    ],
)
def test_bad_tables(text, message):
    with pytest.raises(InputError, match=message):
        compare.parse_reference(text, "table.csv")


def test_command(known, tmp_path, capsys):
    path = tmp_path / "ref.csv"
    path.write_text(make_table(known.result, 0.9))
    assert cli.main(["compare", str(known.path), str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["site"] == "kamioka"
    assert document["flavours"]["nuebar"]["median_ratio"] == pytest.approx(0.9)
    assert document["flavours"]["nuebar"]["within"] == 1.0
    assert cli.main(["compare", str(known.path), str(path), "--energy", "1", "5"]) == 0
    assert "median ratio" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--site", "atlantis"], "atlantis"),
        (["--energy", "5", "1"], "energy"),
        (["--within", "-1"], "--within"),
    ],
)
def test_command_errors(known, tmp_path, capsys, arguments, message):
    path = tmp_path / "ref.csv"
    path.write_text(make_table(known.result))
    assert cli.main(["compare", str(known.path), str(path), *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert cli.main(["compare", str(known.path), str(tmp_path / "none.csv")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_site_must_be_named_when_it_is_not_clear(fake_result, tmp_path, capsys):
    result = fake_result(sites=("sno", "ino"))
    fake_result.write(tmp_path / "run.h5", sites=("sno", "ino"))
    (tmp_path / "ref.csv").write_text(make_table(result, site="ino"))
    arguments = ["compare", str(tmp_path / "run.h5"), str(tmp_path / "ref.csv")]
    assert cli.main(arguments) == 2
    assert "sno, ino" in capsys.readouterr().err
    assert cli.main([*arguments, "--site", "ino"]) == 0
