"""Every Honda table that sim3d writes is read by the field's readers with the right numbers in the right places.

The rules of three readers are restated here in our own words and code:

- PISA (``load_2d_table`` and ``load_3d_table`` of ``pisa/utils/flux_weights.py``): names must hold ``honda``, and
  ``aa`` exactly for the azimuth average. Lines that are not five numbers, and rows of zeros, fall out. What is left is
  cut into 20 zenith parts from +0.95 down to -0.95, each of these into 12 azimuth parts from 15 to 345 degrees. The
  number at an energy is the mean over a bin of 0.05 in log10(E), the first of which begins at 10^-1.025 GeV.
- GENIE (driver HAKKM): two lines are skipped, then 101 rows are read, then the rest of the line is dropped; azimuth
  runs fastest, zenith from the bin 0.9 to 1.0 downwards. An energy is the UPPER edge of the bin that its number fills.
- km3flux (class HondaFlux): the file is compressed. Every line with ``average flux in`` begins a part; its numbers are
  the edges of the bins; the two lines of the header are skipped; the cells of a row are separated by single blanks and
  follow one. Numbers are values at the energies.

The names of the files are the business of the writers: only readers with a rule for names test them.
"""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from sim3d.files import honda as honda_tables
from sim3d.files import honda_writing
from sim3d.files.flux_table import FluxTable
from sim3d.results.tables import table_of_result

FLAVOURS = ("numu", "numubar", "nue", "nuebar")
ENERGIES = 10 ** (np.arange(101) / 20 - 1)


def pisa_rows(path):
    """Rows of five numbers that are neither text nor all zero, shape (rows, 5)."""
    rows = []
    for line in Path(path).read_text(encoding="ascii").splitlines():
        cells = []
        for cell in line.split()[:5]:
            try:
                cells.append(float(cell))
            except ValueError:
                cells.append(np.nan)
        if len(cells) == 5 and not all(np.isnan(x) or x == 0.0 for x in cells):
            rows.append(cells)
    return np.array(rows)


def pisa_2d(path):
    """Fluxes (flavour, energy, cos_zenith ascending) as PISA takes a table of the azimuth average."""
    if "aa" not in str(Path(path).name) or "honda" not in str(Path(path).name):
        raise ValueError("the name needs honda and aa")
    rows = pisa_rows(path)
    parts = np.array(np.split(rows, 20))  # (cos from above, energy, column)
    return parts[0, :, 0], parts[::-1, :, 1:].transpose(2, 1, 0)


def pisa_3d(path):
    """Fluxes (flavour, energy, cos_zenith ascending, azimuth) as PISA takes a table with azimuth."""
    if "aa" in str(Path(path).name) or "honda" not in str(Path(path).name):
        raise ValueError("the name needs honda, and no aa")
    rows = pisa_rows(path)
    parts = np.array(
        [np.split(zenith, 12) for zenith in np.split(rows, 20)]
    )  # (cos from above, azimuth, energy, column)
    return parts[0, 0, :, 0], parts[::-1, :, :, 1:].transpose(3, 2, 0, 1)


def genie(path, n_azimuth=12):
    """Fluxes (flavour, energy, cos_zenith ascending, azimuth) as the HAKKM driver fills its histogram."""
    text = Path(path).read_text(encoding="ascii")
    flux = np.zeros((4, 101, 20, n_azimuth))
    energies = np.zeros(101)
    at, zenith, azimuth = 0, 19, -1
    while text[at:].strip():
        for _ in range(2):
            at = text.index("\n", at) + 1
        azimuth += 1
        if azimuth == n_azimuth:
            zenith, azimuth = zenith - 1, 0
        numbers = re.compile(r"\s*(\S+)")
        for k in range(101):
            row = []
            for _ in range(5):
                match = numbers.match(text, at)
                row.append(float(match[1]))
                at = match.end()
            energies[k] = row[0]
            flux[:, k, zenith, azimuth] = row[1:]
        at = text.index("\n", at) + 1
    assert (zenith, azimuth) == (0, n_azimuth - 1), "the file has not filled the histogram"
    return energies, flux


def km3flux(path):
    """Fluxes by the middles of their bins, {(cos, azimuth): rows}, as km3flux parses a compressed file."""
    parts = {}
    with gzip.open(path, "rt", encoding="ascii") as stream:
        for line in stream:
            if "average flux in" in line:
                edges = [float(x) for x in re.findall(r"[-+]?(?:\d*\.\d+|\d+)", line)]
                assert len(edges) == 4, line
                rows, skip = [], 1
                parts[round(sum(edges[:2]) / 2, 6), sum(edges[2:]) / 2] = rows
            elif skip:
                skip -= 1
            else:
                # a row follows the edges in one record: it must begin with one blank, and have single ones
                cells = line.rstrip("\n").split(" ")
                assert cells[0] == ""
                rows.append([float(cell) for cell in cells[1:]])
    return {key: np.array(rows) for key, rows in parts.items()}


def unlike(azimuth):
    """A table in Honda's bins all of whose numbers differ, so that none can be in another's place."""
    n = 12 if azimuth else 1
    shape = (4, 101, 20, n)
    size = int(np.prod(shape))
    flux = 10 ** np.linspace(-9, 3, size)[np.random.default_rng(3).permutation(size)].reshape(shape)
    edges = 10 ** (np.arange(-0.5, 101.0) / 20 - 1)
    cos, azimuths = np.linspace(-1, 1, 21), np.linspace(0, 360, n + 1)
    return FluxTable(flux, 0.1 * flux, ENERGIES, edges, "bins", cos, azimuths, "kamioka", "x")


def written(table, folder, name="kamioka"):
    """The flux file of a table, by the writer of `tables`, `tables --smooth` and `export --to honda`."""
    files = honda_writing.write_table(table, folder, name)
    return next(path for path in files if not path.name.endswith(".err.d"))


@pytest.fixture(scope="module", params=["unlike", "result"])
def tables(request, fake_result):
    """The azimuth average and the table with azimuth, of made-up numbers and of a result."""
    if request.param == "unlike":
        return unlike(False), unlike(True)
    result = fake_result(sites=("ino",), batches=3)
    return table_of_result(result, "ino", "honda", False), table_of_result(result, "ino", "honda", True)


@pytest.mark.parametrize("name", ["kamioka", "kamioka-smooth"])
def test_pisa(tables, tmp_path, name):
    average, by_azimuth = tables
    path = written(average, tmp_path, name).rename(tmp_path / f"{name}-honda-aa.d")
    energies, flux = pisa_2d(path)
    assert energies == pytest.approx(ENERGIES, rel=5.1e-5)
    np.testing.assert_allclose(flux, average.flux[..., 0], rtol=5.1e-5)
    with pytest.raises(ValueError, match="no aa"):
        pisa_3d(path)
    path = written(by_azimuth, tmp_path, name).rename(tmp_path / f"{name}-honda-20-12.d")
    energies, flux = pisa_3d(path)
    assert energies == pytest.approx(ENERGIES, rel=5.1e-5)
    np.testing.assert_allclose(flux, by_azimuth.flux, rtol=5.1e-5)
    with pytest.raises(ValueError, match="honda and aa"):
        pisa_2d(path)


def test_pisa_keeps_rows_of_empty_bins(tmp_path):
    """Rows whose four fluxes are 0 still have an energy and stay, so that no block shifts."""
    table = unlike(False)
    table.flux[:, 50:, 3:7] = 0.0
    _, flux = pisa_2d(written(table, tmp_path).rename(tmp_path / "x-honda-aa.d"))
    np.testing.assert_allclose(flux, table.flux[..., 0], rtol=5.1e-5)


def test_genie(tables, tmp_path):
    for table in tables:
        n = table.flux.shape[3]
        energies, flux = genie(written(table, tmp_path), n)
        assert energies == pytest.approx(ENERGIES, rel=5.1e-5)
        np.testing.assert_allclose(flux, table.flux, rtol=5.1e-5)


def test_km3flux(tables, tmp_path):
    for table in tables:
        packed = tmp_path / "x.d.gz"
        packed.write_bytes(gzip.compress(written(table, tmp_path).read_bytes()))
        parts = km3flux(packed)
        cosines = 0.5 * (table.cos_edges[1:] + table.cos_edges[:-1])
        azimuths = 0.5 * (table.azimuth_edges_deg[1:] + table.azimuth_edges_deg[:-1])
        assert len(parts) == len(cosines) * len(azimuths)
        for i, cos in enumerate(cosines):
            for j, azimuth in enumerate(azimuths):
                rows = parts[round(float(cos), 6), float(azimuth)]
                np.testing.assert_allclose(rows[:, 0], ENERGIES, rtol=5.1e-5)
                np.testing.assert_allclose(rows[:, 1:].T, table.flux[:, :, i, j], rtol=5.1e-5)
        # and sim3d reads the compressed form as the plain one
        np.testing.assert_allclose(honda_tables.table_of_honda(packed).flux, table.flux, rtol=5.1e-5)


def test_what_the_readers_take_a_number_for():
    """The table of docs/manual/python.md, for a flux E^-3 and the means over bins that sim3d writes."""
    half = 10**0.025
    low, high = ENERGIES / half, ENERGIES * half
    means = (low**-2 - high**-2) / 2 / (high - low)
    # taken as values at the energies, by km3flux: 0.2% too much
    assert means / ENERGIES**-3.0 == pytest.approx(1.0017, abs=1e-4)
    # taken for the bin that ends there, by GENIE: 16% too little
    below = ENERGIES / half**2
    true = (below**-2 - ENERGIES**-2) / 2 / (ENERGIES - below)
    assert means / true == pytest.approx(0.84, abs=0.005)
