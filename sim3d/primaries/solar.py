"""Potentials of solar modulation (force field) by date and by name.

All spectra are modulated relative to July 1998, when the data of the GHLS fits were taken. Only the difference of two
potentials of one series is used, because the zero of a series depends on its interstellar spectrum. A name stands for a
month, so that names and dates follow one series, the model's own.

Sources
-------
Series: I. G. Usoskin et al., J. Geophys. Res. Space Phys. 122 (2017) 3875, on the interstellar spectrum of Vos and
Potgieter (2015); ``reference/solar_potential_usoskin2017.csv``. The models ``gsf:`` bring series of their own
(:mod:`sim3d.primaries.libraries`).
Scale: 591 MV in July 1998, and the months of the names: Y. Shikaze et al. (BESS), Astropart. Phys. 28 (2007) 154, who
flew in July 1997 (solar minimum) and in August 2002 (solar maximum; August 2000 follows the large Forbush decreases of
that summer and is no average maximum).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache

from sim3d.conventions.reference_files import reference_rows

FIT_POTENTIAL_MV = 591.0
"""Potential of July 1998 (MV), which sets the scale of all others."""
NAMED_MONTHS = {"fit": (1998, 7), "min": (1997, 7), "max": (2002, 8)}
"""Year and month that a name stands for: of the fits' data (AMS-01, BESS-98), of solar minimum, of solar maximum."""
FIT_MONTH = NAMED_MONTHS["fit"]
CYCLE_YEARS = 11
"""Length of the solar cycle (years): a month after the end of a series takes the value of this many years before."""
CYCLE_SIGMA_MV = 190.0
"""Root mean square difference of two months that lie a cycle apart (MV): 186 in the series of ``gsf:2026.1``, 168 in
that of Usoskin et al., as large as the scatter of the series themselves (tests/sim3d/primaries/test_solar.py)."""
FORMER_POTENTIAL_MV = {"min": 491.0, "max": 1109.0}
"""What the names meant in results that do not state the month of their modulation (MV; Shikaze et al.)."""


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


def month_in_series(series: Mapping[tuple[int, int], float], month: tuple[int, int]) -> tuple[tuple[int, int], str]:
    """Choose the month of a series that stands for a month.

    Parameters
    ----------
    series : mapping
        Potentials by (year, month).
    month : (int, int)
        Year and month.

    Returns
    -------
    month : (int, int)
        The same month; after the end of the series that of one solar cycle (:data:`CYCLE_YEARS`) before, or of as many
        as are needed.
    words : str
        The month; where another stands for it, which one and why.

    Raises
    ------
    SolarInputError
        For a month before the series, or one that it lacks.

    Examples
    --------
    >>> month_in_series(monthly_potentials(), (2027, 3))
    ((2016, 3), '2016-03 (11 years before 2027-03, one sigma 190 MV)')
    """
    year, number = month
    cycles = 0
    while (year, number) > max(series):
        year, cycles = year - CYCLE_YEARS, cycles + 1
    if (year, number) not in series:
        (first_year, first_month), (last_year, last_month) = min(series), max(series)
        raise SolarInputError(
            f"primaries.solar: by date it takes the month of field.date, {month[0]}-{month[1]:02d}; the series of "
            f"potentials has {first_year}-{first_month:02d} to {last_year}-{last_month:02d}; choose "
            'solar = "fit", "min" or "max", or a solar_potential_MV'
        )
    words = f"{year}-{number:02d}"
    if cycles:
        years = cycles * CYCLE_YEARS
        words += f" ({years} years before {month[0]}-{month[1]:02d}, one sigma {CYCLE_SIGMA_MV:.0f} MV)"
    return (year, number), words


def potential_by_date(date: str) -> tuple[float, str]:
    """Compute the solar potential of a month on the scale with 591 MV in July 1998.

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
        For a date that is not valid, or a month before the series.

    Examples
    --------
    >>> potential_by_date("2009-07-15")[0]
    430.0
    """
    table = monthly_potentials()
    month, words = month_in_series(table, year_and_month(date))
    difference = table[month] - table[FIT_MONTH]
    return (
        FIT_POTENTIAL_MV + difference,
        f"{words}: {table[month]:.0f} MV, {difference:+.0f} MV from 1998-07 "
        "(Usoskin et al. 2017, Vos and Potgieter's interstellar spectrum)",
    )


def date_of(name: str) -> str:
    """Return the first day of the month that a name stands for.

    Parameters
    ----------
    name : str
        A key of :data:`NAMED_MONTHS`.

    Returns
    -------
    str
        ``YYYY-MM-DD``.

    Examples
    --------
    >>> date_of("max")
    '2002-08-01'
    """
    year, month = NAMED_MONTHS[name]
    return f"{year}-{month:02d}-01"


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
