"""Read tables of published fluxes, and interpolate FLUKA's table for integrals and averages over the sky.

FLUKA's table has single bins (20 per decade, 0.05 in cos_zenith) at 14 energies and 12 cosines. Between them the
logarithm of the flux is interpolated, linearly in ln E and in cos_zenith. The average over the sky from 12 cosines
alone is within 3% of that over all 40 bins (measured with a result of this program, 0.1 to 30 GeV).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.reference_files import reference_text
from sim3d.conventions.text_files import read_text
from sim3d.errors import InputError
from sim3d.files.flux_csv import FluxRows, parse_flux_rows

FLUKA_TABLE = "fluka_sk_solmax.csv"
FLUKA_SITE = "kamioka"
"""Site that the table was computed for."""

_STEPS = 400
"""Number of points to which a table is interpolated for integrals and averages."""


@dataclass(frozen=True)
class ReferenceTable:
    """Table of published fluxes, one entry per row.

    Attributes
    ----------
    flavour : list of str
    energy_GeV, cos_zenith : arrays
        Bin centres (GeV); a zenith belongs to the bin that contains it.
    flux : array
        m^-2 s^-1 sr^-1 GeV^-1, whatever the file's own unit.
    unit : str
        The area unit found in the file, such as ``cm^-2``.
    error : array or None
        Statistical errors in the unit of ``flux``, NaN where unknown; None if the file has none.
    unit_text, unit_assumed : str
        The whole unit of the file, and the parts of it that are assumed because the file leaves them out.
    """

    flavour: list[str]
    energy_GeV: NDArray[np.float64]
    cos_zenith: NDArray[np.float64]
    flux: NDArray[np.float64]
    unit: str
    error: NDArray[np.float64] | None = None
    unit_text: str = ""
    unit_assumed: str = ""


def read_reference(path: Path) -> ReferenceTable:
    """Read a CSV table of fluxes with the columns flavour, energy_GeV, cos_zenith, flux and ``#`` comments.

    Any of the usual names of the flavours, a column ``error``, and edges of bins are read too (see
    :mod:`sim3d.files.flux_csv`). The unit comes from a comment: ``# unit: ...`` if there is one, else any comment with
    the unit of a flux.

    Parameters
    ----------
    path : Path
        The file. A bare name that is no file here may be a table that ships with sim3d (fluka_sk_solmax.csv).

    Returns
    -------
    ReferenceTable

    Raises
    ------
    InputError
        If the file cannot be read, a column or the unit is missing, or a row is not valid.
    """
    if path.name == str(path) == FLUKA_TABLE and not path.exists():
        return fluka_table()
    return parse_reference(read_text(path, "reference table "), str(path))


def fluka_table() -> ReferenceTable:
    """Read FLUKA's Super-Kamiokande flux table at solar maximum, which ships with sim3d.

    Returns
    -------
    ReferenceTable
    """
    return parse_reference(reference_text(FLUKA_TABLE), FLUKA_TABLE)


def parse_reference(text: str, source: str) -> ReferenceTable:
    """Parse the text of a CSV table of fluxes; see :func:`read_reference`.

    Parameters
    ----------
    text : str
    source : str
        Name of the file, for error messages.

    Returns
    -------
    ReferenceTable

    Raises
    ------
    InputError
        If a column or the unit is missing, or a row is not valid.
    """
    return reference_of_rows(parse_flux_rows(text, source), source)


def reference_of_rows(rows: FluxRows, source: str) -> ReferenceTable:
    """Make a table of published fluxes from the rows of a CSV file.

    Parameters
    ----------
    rows : FluxRows
    source : str
        Name of the file, for error messages.

    Returns
    -------
    ReferenceTable

    Raises
    ------
    InputError
        If the rows are of azimuth bins that are a part of the circle: they are no averages over azimuth.
    """
    if rows.azimuth_edges_deg is not None and np.any(np.abs(np.diff(rows.azimuth_edges_deg)) < 360.0):
        raise InputError(
            f"reference table {source}: azimuth bins that do not fill a grid of the four flavours, energies and zenith "
            "bins; give the averages over azimuth"
        )
    unit = rows.unit
    return ReferenceTable(
        rows.flavour, rows.energy_GeV, rows.cos_zenith, rows.flux, unit.area, rows.error, unit.text, unit.assumed
    )


@dataclass(frozen=True)
class ReferenceGrid:
    """Published fluxes on a regular grid of flavour, energy and zenith.

    Attributes
    ----------
    energy_GeV, cos_zenith : float64 arrays
        Ascending.
    flux : float64 array (flavour, energy, cos)
        m^-2 s^-1 sr^-1 GeV^-1, flavours in the order of :data:`sim3d.conventions.flavours.FLAVOURS`.
    """

    energy_GeV: Array
    cos_zenith: Array
    flux: Array

    def sky_average(self) -> Array:
        """Average the flux over the sky.

        Cosines beyond the outermost of the table have its flux.

        Beyond the outermost cosines of the table the flux is taken as constant.

        Returns
        -------
        float64 array (flavour, energy)
            m^-2 s^-1 sr^-1 GeV^-1.
        """
        fine = (np.arange(_STEPS) + 0.5) * 2.0 / _STEPS - 1.0
        values = [[np.interp(fine, self.cos_zenith, np.log(row)) for row in flavour_flux] for flavour_flux in self.flux]
        return np.asarray(np.exp(values).mean(axis=-1))

    def integral(self, energy_GeV: tuple[float, float]) -> Array:
        """Integrate the flux over an energy window inside the table.

        Parameters
        ----------
        energy_GeV : (float, float)
            Window, GeV.

        Returns
        -------
        float64 array (flavour, cos)
            m^-2 s^-1 sr^-1.
        """
        fine = np.geomspace(*energy_GeV, _STEPS)
        log_energy = np.log(self.energy_GeV)
        values = np.array(
            [
                [np.exp(np.interp(np.log(fine), log_energy, np.log(column))) for column in flavour_flux.T]
                for flavour_flux in self.flux
            ]
        )
        return np.asarray(0.5 * ((values[..., 1:] + values[..., :-1]) * np.diff(fine)).sum(axis=-1))


def fluka_grid() -> ReferenceGrid:
    """Read FLUKA's Super-Kamiokande flux table at solar maximum as a grid.

    Returns
    -------
    ReferenceGrid
    """
    return grid_of(fluka_table())


def grid_of(table: ReferenceTable) -> ReferenceGrid:
    """Arrange the rows of a table on a grid of flavours, energies and cosines.

    Parameters
    ----------
    table : ReferenceTable
        Its rows must fill the grid.

    Returns
    -------
    ReferenceGrid

    Raises
    ------
    ValueError
        For a flavour that is not in :data:`sim3d.conventions.flavours.FLAVOURS`.
    """
    energies, at_energy = np.unique(table.energy_GeV, return_inverse=True)
    cosines, at_cos = np.unique(table.cos_zenith, return_inverse=True)
    flux = np.full((len(FLAVOURS), len(energies), len(cosines)), np.nan)
    flux[[FLAVOURS.index(name) for name in table.flavour], at_energy, at_cos] = table.flux
    return ReferenceGrid(energies, cosines, flux)
