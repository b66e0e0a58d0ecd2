"""Text tables and the formats of numbers."""

import numpy as np
import pytest

from sim3d.conventions.text_tables import number, percent, text_table, with_error


def test_columns_are_as_wide_as_their_widest_cell():
    assert text_table(["flavour", "A"], [["numu", "+0.1"], ["nue", "-10.25"]]) == [
        "  flavour       A",
        "  numu       +0.1",
        "  nue      -10.25",
    ]


def test_short_and_empty_rows():
    assert text_table(["T", "model", "x"], [["1", "a"], [], ["100", "b", "2"]], "rlr", indent=0) == [
        "  T  model  x",
        "  1  a",
        "",
        "100  b      2",
    ]


def test_cells_are_left_as_they_are():
    assert text_table(None, [["1e3", "007", "nan", "1_0"]], indent=0) == ["1e3  007  nan  1_0"]
    assert text_table(None, []) == []
    assert text_table(["a", "b"], []) == ["  a  b"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0.21649, 0.00351), "0.216 +- 0.004"),
        ((0.21649, 0.00351, "+.2f"), "+0.22 +- 0.00"),
        ((1234.5, 12.34, ".4g", ".2g"), "1234 +- 12"),
        ((0.5, None), "0.500"),
        ((0.5, float("nan")), "0.500"),
        ((float("nan"), 0.1), "no hits"),
        ((float("inf"), 0.1), "no hits"),
        ((None, None), "no hits"),
    ],
)
def test_values_with_errors(arguments, expected):
    assert with_error(*arguments) == expected


def test_words_of_values_with_errors():
    assert with_error(None, None, missing="-") == "-"
    assert with_error(0.1, 0.2, "+.1f", sign="±") == "+0.1 ± 0.2"


def test_numbers():
    assert number(1234567) == "1\u202f234\u202f567"
    assert number(0.00012345) == "0.0001234"
    assert number(49460.3) == "49\u202f460"
    assert number(np.bool_(True)) == "yes"
    assert number("two\nlines") == "two lines"


def test_shares():
    assert percent(0.01234) == "1.2%"
    assert percent(1.5) == "150%"
    assert percent(float("nan")) == "unknown"
