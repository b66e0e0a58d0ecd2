"""The reader of Honda tables: what it takes from anybody, and what it says of a malformed file."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim3d.errors import InputError
from sim3d.files import honda as honda_tables
from sim3d.files import honda_writing
from sim3d.files.honda import table_of_honda
from sim3d.results import tables as result_tables
from sim3d.results.tables import table_of_result


def text_of(flux, energies, cos_edges):
    return "".join(honda_writing.blocks(np.asarray(flux, dtype=float), np.asarray(energies), np.asarray(cos_edges)))


SMALL = text_of(np.arange(1, 4 * 3 * 2 * 2 + 1).reshape(4, 3, 2, 2), [0.1, 1.0, 10.0], [-1.0, 0.0, 1.0])


@pytest.fixture
def small(tmp_path):
    def write(text):
        path = tmp_path / "small.d"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("stem", ["honda-ally-20-12", "honda-aa"])
def test_our_own_come_back(known, tmp_path, stem):
    result_tables.write_honda_tables(known.result, tmp_path)
    table = table_of_honda(tmp_path / f"sno-{stem}.d")
    expected = table_of_result(known.result, "sno", "honda", azimuth="ally" in stem)
    np.testing.assert_allclose(table.flux, expected.flux, rtol=5.1e-5)
    np.testing.assert_allclose(table.error, expected.error, rtol=5.1e-5)
    # exact, where five digits are printed
    assert table.energies_GeV == pytest.approx(expected.energies_GeV, rel=1e-12)
    assert np.array_equal(table.cos_edges, np.round(expected.cos_edges, 2))
    assert np.array_equal(table.azimuth_edges_deg, expected.azimuth_edges_deg)


def test_the_frame_is_stated_where_readers_skip_it(tmp_path):
    """Behind the unit, in tables with azimuth alone; it comes back, and numpy's reader, which PISA uses, sees rows."""
    flux = np.arange(1.0, 4 * 3 * 2 * 2 + 1).reshape(4, 3, 2, 2)
    grid = (np.array([0.1, 1.0, 10.0]), np.array([-1.0, 0.0, 1.0]))
    for frame in ("site", "crossing", ""):
        path, *_ = honda_writing.write_pair(tmp_path / f"x{frame}", flux, None, *grid, frame)
        second = path.read_text().splitlines()[1]
        assert second == honda_tables.COLUMN_LINE + (f"  phi_Az in the frame of the {frame}" if frame else "")
        table = table_of_honda(path)
        assert table.azimuth_frame == frame
        assert table.azimuth_average().azimuth_frame == frame
        rows = np.genfromtxt(path, usecols=range(5))
        numbers = rows[~np.all(np.isnan(rows), axis=1)]
        assert numbers.shape == (12, 5)
        assert not np.isnan(numbers).any()
    path, *_ = honda_writing.write_pair(tmp_path / "average", flux[..., :1], None, *grid, "site")
    assert path.read_text().splitlines()[1] == honda_tables.COLUMN_LINE


@pytest.mark.parametrize("name", ["small.err.d", "small.err.d.gz"])
def test_errors_are_not_taken_for_fluxes(small, name):
    path = small(SMALL).with_name(name)
    path.write_bytes(gzip.compress(SMALL.encode()) if name.endswith("gz") else SMALL.encode())
    with pytest.raises(InputError, match=r"small\.err\.d.*: holds the errors of fluxes, no fluxes; .* in small\.d"):
        table_of_honda(path)
    other = path.with_name("renamed.d")
    other.write_text(SMALL.replace("average flux", "error of flux"))
    with pytest.raises(InputError, match=r"renamed\.d: holds the errors of fluxes, no fluxes$"):
        table_of_honda(other)
    assert np.array_equal(table_of_honda(path.with_name("small.d")).error.ravel(), np.arange(1, 49))


def test_no_twin_no_errors_and_a_wrong_twin(small):
    path = small(SMALL)
    assert table_of_honda(path).error is None
    other = text_of(np.ones((4, 3, 1, 1)), [0.1, 1.0, 10.0], [-1.0, 1.0])
    path.with_name("small.err.d").write_text(other)
    with pytest.raises(InputError, match=r"small\.err\.d: its bins are not those of small\.d"):
        table_of_honda(path)


def test_of_anybody(small):
    """Other numbers of blocks and rows, in another order, blank lines, CRLF, Fortran's exponents, uneven energies."""
    blocks = SMALL.split("average")[1:]
    text = "\r\n".join("average" + block.replace("\n", "\r\n") for block in blocks[::-1])
    table = honda_tables.read(small(text.replace("E+0", "D+0").replace("\n 1.0000D+01", "\n 2.0000D+01")))
    assert table.energies_GeV.tolist() == [0.1, 1.0, 20.0]
    assert table.cos_edges.tolist() == [-1.0, 0.0, 1.0]
    assert table.azimuth_edges_deg.tolist() == [0.0, 180.0, 360.0]
    assert np.array_equal(table.flux.ravel(), np.arange(1, 49))


@given(
    n=st.tuples(st.integers(1, 6), st.integers(1, 5), st.sampled_from([1, 2, 3, 4, 6, 12])),
    low=st.floats(0.01, 10.0),
    seed=st.integers(0, 1000),
)
@settings(max_examples=25)
def test_round_trip(tmp_path_factory, n, low, seed):
    rng = np.random.default_rng(seed)
    flux = 10 ** rng.uniform(-30, 5, (4, *n)) * (rng.random((4, *n)) > 0.1)
    energies = low * 10 ** (np.arange(n[0]) / 20)
    cos_edges = np.linspace(-1, 1, n[1] + 1).round(2)
    path = tmp_path_factory.mktemp("round") / "x.d"
    path.write_text(text_of(flux, energies, cos_edges))
    table = honda_tables.read(path)
    np.testing.assert_allclose(table.flux, flux, rtol=5.1e-5)
    assert table.energies_GeV == pytest.approx(energies, rel=1e-4)
    assert table.cos_edges == pytest.approx(cos_edges, abs=1e-9)


LINES = SMALL.splitlines()


def changed(index, line):
    """The small table with one line changed (or left out)."""
    return "\n".join(LINES[:index] + ([] if line is None else [line]) + LINES[index + 1 :])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "small.d: empty, not a Honda table"),
        ("hello\n", "small.d, line 1: not a Honda table, needs 'average flux in \\[cosZ"),
        (changed(1, None), "small.d, line 2: needs the columns Enu"),
        (changed(1, " Enu(GeV) NuMu NuMubar NuEbar NuE"), "small.d, line 2: needs the columns Enu"),
        (changed(1, LINES[1].replace("m^2", "cm^2")), "small.d, line 2: a flux per cm\\^2"),
        (changed(2, " 1.0E-01 1 2 3"), "small.d, line 3: needs five numbers, has 4"),
        (changed(3, " 1.0E+00 1 2 3 x"), "small.d, line 4: needs five numbers, has '1.0E"),
        (changed(3, " 1.0E+00 1 2 3 nan"), "small.d, line 4: a number that is negative or not finite"),
        (changed(3, " 1.0E+00 1 2 3 -1"), "small.d, line 4: a number that is negative or not finite"),
        (changed(3, " 1.0E-01 1 2 3 4"), "small.d, line 4: energy 0.1 GeV, must be above 0.1 GeV"),
        (changed(2, " 0.0E-01 1 2 3 4"), "small.d, line 3: energy 0 GeV, must be above 0 GeV"),
        (changed(0, LINES[0].replace("1.00,", "1.50,")), "small.d, line 1: cosZ 0 -- 1.5, allowed: -1 to 1"),
        (changed(0, LINES[0].replace("180]", "380]")), "small.d, line 1: phi_Az 0 -- 380, allowed: 0 to 360"),
        (changed(5, LINES[0]), "small.d, line 6: the same block as in line 1"),
        ("\n".join(LINES[:5] + LINES[10:]), "small.d: no block cosZ 0 -- 1, phi_Az 180 -- 360"),
        ("\n".join(LINES[:5] + LINES[10:15]), "phi_Az covers 0 to 180, not 0 to 360"),
        ("\n".join(LINES[:-1]), "small.d, block of line 16: 2 energies, the first block 3"),
        (changed(12, LINES[12].replace("1.0000E-01", "1.1000E-01")), "block of line 11: other energies than the first"),
        (changed(0, LINES[0].replace("0.00", "0.10")), "the cosZ bins 0 -- 1 and 0.1 -- 1 overlap"),
        (SMALL.replace("cosZ = 0.00", "cosZ = 0.50"), "the cosZ bins -1 -- 0 and 0.5 -- 1 leave a gap"),
        ("\n".join([*LINES, LINES[0].replace("0.00", "0.70")]), "small.d, line 21: a block without a row"),
    ],
)
def test_malformed(small, text, message):
    with pytest.raises(InputError, match=message) as caught:
        honda_tables.read(small(text))
    assert "\n" not in str(caught.value)


def test_not_text_and_missing(tmp_path):
    path = tmp_path / "x.d"
    with pytest.raises(InputError, match=r"x\.d: cannot be read \(No such file"):
        honda_tables.read(path)
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match=r"x\.d: not a text file"):
        honda_tables.read(path)


@given(
    position=st.integers(0, len(SMALL) - 1), replacement=st.characters(codec="utf-8"), cut=st.integers(0, len(SMALL))
)
@settings(max_examples=150)
def test_damage_is_an_input_error_or_a_table(tmp_path_factory, position, replacement, cut):
    path = tmp_path_factory.mktemp("damage") / "x.d"
    for text in (SMALL[:position] + replacement + SMALL[position + 1 :], SMALL[:cut]):
        path.write_text(text, encoding="utf-8")
        try:
            table = honda_tables.read(path)
        except InputError:
            continue
        assert table.flux.min() >= 0.0


def test_writing_other_grids(fake_result, tmp_path):
    table = table_of_result(fake_result(sites=("ino",), azimuth_bins=36, batches=2), "ino")
    written = honda_writing.write_table(table, tmp_path, "x")
    assert [path.name for path in written] == ["x-101x20x36.d", "x-101x20x36.err.d"]
    np.testing.assert_allclose(table_of_honda(written[0]).flux, table.flux, rtol=5.1e-5)
    odd = table_of_result(fake_result(sites=("ino",), azimuth_bins=16), "ino")
    with pytest.raises(InputError, match="azimuth bins of this table: 16, allowed: equal bins of whole degrees"):
        honda_writing.write_table(odd, tmp_path, "x")
