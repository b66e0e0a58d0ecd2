"""Potentials of solar modulation (force field) by name and by date.

All spectra are modulated relative to July 1998, when the data of the GHLS fits were taken. Only the difference of two
potentials of one series is used, because the zero of a series depends on its interstellar spectrum.

Sources
-------
By name: Y. Shikaze et al. (BESS), Astropart. Phys. 28 (2007) 154, one series on one interstellar spectrum: 491 MV
(July 1997, solar minimum), 591 MV (July 1998), 1109 MV (August 2002, solar maximum; the 1296 MV of August 2000 follow
the large Forbush decreases of that summer and are no average maximum).
By date: I. G. Usoskin et al., J. Geophys. Res. Space Phys. 122 (2017) 3875, on the interstellar spectrum of Vos and
Potgieter (2015); ``reference/solar_potential_usoskin2017.csv``.
"""

from __future__ import annotations

import datetime
from functools import cache

from sim3d.conventions.reference_files import reference_rows

SOLAR_POTENTIAL_MV = {"fit": 591.0, "min": 491.0, "max": 1109.0}
"""Potentials by name (MV): of the fits' data, of solar minimum and of solar maximum."""
FIT_MONTH = (1998, 7)
"""Year and month of the data of the fits (AMS-01, BESS-98)."""


class SolarInputError(ValueError):
    """Error of a date that is not valid or outside the table of potentials."""


@cache
def monthly_potentials() -> dict[tuple[int, int], float]:
    """Read the potentials (MV) of Usoskin et al. (2017), by (year, month)."""
    return {
        (int(row["year"]), month): float(row[f"{month:02d}"])
        for row in reference_rows("solar_potential_usoskin2017.csv")
        for month in range(1, 13)
        if row[f"{month:02d}"]
    }


def potential_by_date(date: str) -> tuple[float, str]:
    """Compute the solar potential of a month on the scale of :data:`SOLAR_POTENTIAL_MV`.

    Parameters
    ----------
    date : str
        ``YYYY-MM-DD``; the day does not matter.

    Returns
    -------
    potential_MV : float
        591 MV plus the month's difference to July 1998 in the series of Usoskin et al. (2017).
    words : str
        The month, its potential, the difference and the source.

    Raises
    ------
    SolarInputError
        For a date that is not valid, or a month that the series does not have.

    Examples
    --------
    >>> potential_by_date("2009-07-15")[0]
    430.0
    """
    table = monthly_potentials()
    month = year_and_month(date)
    if month not in table:
        (first_year, first_month), (last_year, last_month) = min(table), max(table)
        raise SolarInputError(
            f'primaries.solar: "date" takes the month of field.date = {date}, the table of potentials has '
            f"{first_year}-{first_month:02d} to {last_year}-{last_month:02d}; give solar_potential_MV"
        )
    difference = table[month] - table[FIT_MONTH]
    words = (
        f"{month[0]}-{month[1]:02d}: {table[month]:.0f} MV, {difference:+.0f} MV from 1998-07 "
        "(Usoskin et al. 2017, Vos and Potgieter's interstellar spectrum)"
    )
    return SOLAR_POTENTIAL_MV["fit"] + difference, words


def year_and_month(date: str) -> tuple[int, int]:
    """Read the year and month of a date.

    Parameters
    ----------
    date : str
        ``YYYY-MM-DD``.

    Returns
    -------
    year, month : int

    Raises
    ------
    SolarInputError
        For a date that is not valid.
    """
    try:
        day = datetime.date.fromisoformat(date)
    except ValueError:
        raise SolarInputError(f"date: {date!r} must be written YYYY-MM-DD") from None
    return day.year, day.month
