"""CSV tables of fluxes: rows of anybody with any names and units, and sim3d's own tables as grids."""

import dataclasses

import numpy as np
import pytest

from sim3d.conventions.text_files import read_text
from sim3d.errors import InputError
from sim3d.files import csv_tables
from sim3d.files.flux_csv import parse_flux_rows, table_of_rows
from sim3d.results.tables import table_of_result

UNIT = "# unit: m^-2 s^-1 sr^-1 GeV^-1\n"
HEADER = "flavour,energy_GeV,cos_zenith,flux\n"


def rows_of(text):
    return parse_flux_rows(text, "x.csv")


def test_usual_names_of_flavours():
    rows = rows_of(UNIT + HEADER + "numu,1,0.3,1\nnumu_bar,1,0.3,2\nanumu,1,0.3,3\n-12,1,0.3,4\nnu_tau,1,0.3,0\n")
    assert rows.flavour == ["numu", "numubar", "numubar", "nuebar", "nutau"]
    assert rows.flux.tolist() == [1, 2, 3, 4, 0]
    assert rows.error is None


def test_an_unknown_flavour_is_refused_by_name():
    with pytest.raises(
        InputError, match=r"x\.csv, row 2: flavour 'muon' is not known, allowed: numu, .*numu_bar, anumu"
    ):
        rows_of(UNIT + HEADER + "numu,1,0.3,1\nmuon,1,0.3,2\n")


@pytest.mark.parametrize(
    ("text", "flux", "energy"),
    [
        ("# unit: cm^-2 s^-1 sr^-1 MeV^-1\n" + HEADER + "nue,1,0,1.6e-5\n", 160.0, 1.0),
        ("# flux in cm^-2 s^-1 sr^-1 MeV^-1, mine\n" + HEADER + "nue,1,0,1.6e-5\n", 160.0, 1.0),
        ("flavour,energy_GeV,cos_zenith,flux (cm^-2 s^-1 sr^-1 GeV^-1)\nnue,1,0,1.6e-2\n", 160.0, 1.0),
        (UNIT + "flavor,energy_MeV,cos_zenith,flux\nnue,1000,0,160\n", 160.0, 1.0),
        (UNIT + "flavour;energy_TeV;cos_zenith;flux\nnue;0.001;0;160\n", 160.0, 1.0),
        (UNIT + "flux\tcos_zenith\tenergy_GeV\tflavour\n160\t0\t1\tnue\n", 160.0, 1.0),
    ],
)
def test_units_are_converted(text, flux, energy):
    rows = rows_of(text)
    assert rows.flux == pytest.approx([flux], rel=1e-12)
    assert rows.energy_GeV == pytest.approx([energy], rel=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# unit: GeV^2 cm^-2 s^-1 sr^-1\n" + HEADER + "nue,1,0,1\n", r"x\.csv: unit .*a flux times E\^3"),
        ("# unit: barn^-1\n" + HEADER + "nue,1,0,1\n", r"x\.csv: unit 'barn\^-1': 'barn' is no unit"),
        ("# flux in cm^-2 s^-1 sr^-1\n" + HEADER + "nue,1,0,1\n", "an integral over energy"),
        (HEADER + "nue,1,0,1\n", "the unit is not clear"),
        (UNIT + "flavour,energy_MV,cos_zenith,flux\nnue,1,0,1\n", "no column energy_GeV; needs flavour"),
        (UNIT + HEADER[:-1] + ",error\nnue,1,0,1,-1\n", "row 1: out of range: .*error -1"),
        (UNIT + HEADER + "nue,1,0,\n", "row 1: needs four values"),
    ],
)
def test_refused(text, message):
    with pytest.raises(InputError, match=message) as caught:
        rows_of(text)
    assert "\n" not in str(caught.value)


def test_errors_are_read_in_the_unit_of_the_flux():
    rows = rows_of("# unit: cm^-2\n" + HEADER[:-1] + ",error\nnue,1,0,1,0.1\nnue,2,0,1,\nnue,3,0,1,nan\n")
    assert rows.error[0] == pytest.approx(1e3)
    assert np.isnan(rows.error[1:]).all()


@pytest.mark.parametrize("azimuth", [False, True])
@pytest.mark.parametrize("binning", ["honda", "fluka"])
def test_our_own_tables_come_back(fake_result, tmp_path, binning, azimuth):
    table = table_of_result(fake_result(sites=("ino",), batches=5), "ino", binning, azimuth)
    path = csv_tables.write_table(table, tmp_path, "x")
    back = table_of_rows(rows_of(read_text(path)), path)
    np.testing.assert_allclose(back.flux, table.flux, rtol=1e-6)
    np.testing.assert_allclose(back.error, table.error, rtol=1e-6)
    assert back.energy_kind == "bins"
    for name in ("energies_GeV", "energy_edges_GeV", "cos_edges", "azimuth_edges_deg"):
        # six digits of an energy are printed
        assert getattr(back, name) == pytest.approx(getattr(table, name), rel=5e-6, abs=1e-9), name


def test_points_stay_points_and_unknown_errors_unknown(fake_result, tmp_path):
    table = table_of_result(fake_result(sites=("ino",), batches=5), "ino", "honda", azimuth=False)
    path = csv_tables.write_table(dataclasses.replace(table, energy_kind="points", error=None), tmp_path, "x")
    back = table_of_rows(rows_of(read_text(path)), path)
    assert back.energy_kind == "points"
    assert back.error is None


def test_a_part_of_a_grid_is_no_table(fake_result, tmp_path):
    """Rows taken out of our own table stay rows, with the middle of their zenith bin."""
    table = table_of_result(fake_result(sites=("ino",), batches=5), "ino", "honda", azimuth=False)
    path = csv_tables.write_table(table, tmp_path, "x")
    text = "\n".join(line for line in read_text(path).split("\n") if not line.startswith("nue,"))
    rows = rows_of(text)
    assert table_of_rows(rows, path) is None
    assert rows.cos_zenith[0] == pytest.approx(-0.95)
    assert set(rows.flavour) == {"numu", "numubar", "nuebar"}
