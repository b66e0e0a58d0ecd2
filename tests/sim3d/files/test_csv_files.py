"""Commented CSV, written and read."""

import pytest

from sim3d.conventions.reference_files import data_lines, reference_rows
from sim3d.errors import InputError
from sim3d.files.csv_files import write_lines, write_records, write_rows


def test_three_ways_to_write_one_table(tmp_path):
    path = tmp_path / "table.csv"
    text = "# about\n# more\nname,value\na,0.5\nb,2\n"
    write_rows(path, ("about", "more"), ("name", "value"), [("a", 0.5), ("b", 2)])
    assert path.read_bytes() == text.encode()
    write_lines(path, ("about", "more"), ("name", "value"), ["a,0.5\n", "b,2\n"])
    assert path.read_bytes() == text.encode()
    write_records(path, ("about", "more"), [{"name": "a", "value": 0.5000001}, {"value": 2, "name": "b"}])
    assert path.read_bytes() == text.encode()
    assert data_lines(path.read_text().splitlines()) == ["name,value", "a,0.5", "b,2"]


def test_cells_with_commas_are_quoted(tmp_path):
    path = write_rows(tmp_path / "table.csv", (), ("name",), [("a, b",)])
    assert path.read_text() == 'name\n"a, b"\n'


@pytest.mark.parametrize("write", [write_rows, write_lines])
def test_a_folder_that_is_missing(tmp_path, write):
    with pytest.raises(InputError, match=r"cannot write .*table\.csv \(No such file"):
        write(tmp_path / "none" / "table.csv", (), ("name",), [])


def test_reference_tables_have_rows_by_column():
    rows = reference_rows("primary_ghls2001.csv")
    assert {"component", "fit", "gamma", "K", "b", "c"} <= set(rows[0])
