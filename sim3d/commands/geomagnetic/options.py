"""Options that the geomagnetic commands share: place, direction, date, scan, threads; and checks of them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.numbers import WholeNumber
from sim3d.errors import InputError

if TYPE_CHECKING:
    from geomag.field.magnetosphere import Magnetosphere

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _together(*options: _Decorator) -> _Decorator:
    """Apply several options, in the order of the help."""

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


place_options = _together(
    click.option(
        "--site",
        metavar="NAME",
        help="A site or neutron-monitor station by name or code (`sim3d sites --stations`).",
    ),
    click.option("--lat", type=float, metavar="DEG", help="Geodetic latitude of the place."),
    click.option("--lon", type=float, metavar="DEG", help="Longitude of the place, east positive."),
)
"""--site, --lat, --lon; the function gets ``site``, ``lat``, ``lon``."""

view_options = _together(
    click.option(
        "--zenith",
        type=float,
        default=0.0,
        show_default=True,
        metavar="DEG",
        help="Zenith angle the particle comes from, 0 to 90.",
    ),
    click.option(
        "--azimuth-from-north",
        "azimuth",
        type=float,
        default=0.0,
        show_default=True,
        metavar="DEG",
        help="Azimuth the particle comes from, from north through east.",
    ),
    click.option(
        "--altitude",
        type=float,
        default=20.0,
        show_default=True,
        metavar="KM",
        help="Height of the start above the ellipsoid.",
    ),
    click.option(
        "--date",
        default="2020-01-01",
        show_default=True,
        metavar="YYYY-MM-DD",
        help="Date of the field, 1900 to 2030.",
    ),
    click.option(
        "--degree",
        type=WholeNumber(),
        default=10,
        show_default=True,
        metavar="N",
        help="Highest degree of the IGRF, 1 to 13.",
    ),
    click.option(
        "--floor",
        type=float,
        metavar="KM",
        help="Height below which a trajectory is forbidden.  [default: 20, or the altitude if that is lower]",
    ),
)
"""Direction, altitude, date and floor; ``zenith``, ``azimuth``, ``altitude``, ``date``, ``degree``, ``floor``."""

scan_options = _together(
    view_options,
    click.option(
        "--step", type=float, default=0.01, show_default=True, metavar="GV", help="Step of the scan in rigidity."
    ),
    click.option("--lowest", type=float, metavar="GV", help="Lowest rigidity of the scan.  [default: one step]"),
    click.option(
        "--max-path",
        type=float,
        default=100.0,
        show_default=True,
        metavar="RADII",
        help="Path in Earth radii after which a trajectory is undecided and counts as forbidden.",
    ),
)
"""Those of the view, and --step, --lowest, --max-path; ``step``, ``lowest``, ``max_path``."""

magnetosphere_options = _together(
    click.option(
        "--external",
        type=click.Choice(["none", "t89"]),
        default="none",
        show_default=True,
        help="Add the field of the magnetosphere: Tsyganenko 1989. Paths then end on its boundary.",
    ),
    click.option(
        "--kp",
        type=float,
        metavar="KP",
        help="Kp index of --external t89, 0 to 9 (5- is 4.67); 6 and more are one level.  [default: 2]",
    ),
    click.option(
        "--time", metavar="HH:MM", help="Time of day (UT) of --external t89.  [default: that of --date, else 00:00]"
    ),
    click.option(
        "--pressure",
        type=float,
        metavar="NPA",
        help="Dynamic pressure of the solar wind for the boundary (Shue 1998), 0.1 to 50 nPa.  [default: 2]",
    ),
    click.option(
        "--bz",
        type=float,
        metavar="NT",
        help="Northward interplanetary field for the boundary (Shue 1998), -40 to 40 nT.  [default: 0]",
    ),
)
"""The magnetosphere: ``external``, ``kp``, ``time``, ``pressure``, ``bz``; see :func:`find_magnetosphere`."""

end_options = _together(
    click.option(
        "--escape-radii",
        type=float,
        default=25.0,
        show_default=True,
        metavar="RADII",
        help="Distance in Earth radii at which a path ends and its direction is taken, 3 to 100.",
    ),
    click.option(
        "--max-path",
        type=float,
        default=200.0,
        show_default=True,
        metavar="RADII",
        help="Path in Earth radii after which a trajectory is undecided.",
    ),
)
"""Where a traced path ends: --escape-radii, --max-path; ``escape_radii``, ``max_path``."""

work_options = _together(
    click.option(
        "--threads", type=WholeNumber(1), metavar="T", help="Number of threads.  [default: cores of this process]"
    ),
    click.option("--resume", is_flag=True, help="Continue an interrupted --world map."),
)
"""--threads and --resume; ``threads``, ``resume``."""


def find_place(site: str | None, lat: float | None, lon: float | None) -> tuple[str | None, float, float]:
    """Return name, latitude and longitude from --site or from --lat and --lon.

    Parameters
    ----------
    site : str or None
    lat, lon : float or None
        Degrees.

    Returns
    -------
    (str or None, float, float)

    Raises
    ------
    InputError
        Without a place, or with two.
    """
    if site is not None:
        if lat is not None or lon is not None:
            raise InputError("give either --site or --lat and --lon, not both")
        from geomag.stations import place

        return place(site)
    if lat is None or lon is None:
        raise InputError("where? Give --site NAME, or both --lat and --lon")
    return None, lat, lon


def find_magnetosphere(
    external: str, kp: float | None, time: str | None, pressure: float | None, bz: float | None, date: str
) -> tuple[Magnetosphere | None, dict[str, Any]]:
    """Return the magnetosphere that the options ask for, and its settings for headers and JSON.

    Parameters
    ----------
    external : str
        "none" or "t89".
    kp : float or None
    time : str or None
        Time of the day; None takes that of the date.
    pressure, bz : float or None
        nPa, nT.
    date : str
        As given, with or without a time.

    Returns
    -------
    magnetosphere : Magnetosphere or None
    settings : dict
        Empty without a magnetosphere.

    Raises
    ------
    InputError
        For settings without ``--external t89``, and for a time that cannot be read or is given twice.
    """
    given = {"--kp": kp, "--time": time, "--pressure": pressure, "--bz": bz}
    if external == "none":
        wrong = [name for name, value in given.items() if value is not None]
        if wrong:
            raise InputError(f"{wrong[0]} belongs to --external t89: give both, or neither")
        return None, {}
    from geomag.field.igrf import parse_date
    from geomag.field.magnetosphere import Magnetosphere

    when = parse_date(date)
    if time is not None:
        if when.time() != datetime.time():
            raise InputError("--time", time, f"left out, as --date {date} has a time of its own")
        try:
            clock = datetime.datetime.strptime(time.strip(), "%H:%M").time()
        except ValueError:
            raise InputError("--time", time, "HH:MM, 00:00 to 23:59, universal time") from None
        when = datetime.datetime.combine(when.date(), clock)
    options = {"kp": kp, "pressure_nPa": pressure, "bz_nT": bz}
    found = Magnetosphere(when, **{key: value for key, value in options.items() if value is not None})
    return found, {
        "external": "Tsyganenko 1989 (T89c)",
        "time_UT": when.strftime("%H:%M"),
        "kp": found.kp,
        "magnetopause": "Shue et al. 1998",
        "pressure_nPa": found.pressure_nPa,
        "bz_nT": found.bz_nT,
    }


def parse_dates(text: str) -> list[float]:
    """Parse a range of years ``FIRST:LAST:STEP``; the last is in it if the steps meet it.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of float
        Decimal years, at most 2000.

    Raises
    ------
    InputError
        For anything else, and for years outside 1900 to 2030.
    """
    allowed = "FIRST:LAST:STEP in years, such as 1900:2030:5, within 1900 to 2030"
    try:
        first, last, step = (float(part) for part in text.split(":"))
    except ValueError:
        raise InputError("--dates", text, allowed) from None
    if not (1900.0 <= first <= last <= 2030.0 and step > 0.0 and (last - first) / step < 2000.0):
        raise InputError("--dates", text, allowed)
    return [first + i * step for i in range(int((last - first) / step * (1.0 + 1e-12) + 1e-9) + 1)]


def check_kinds(kinds: dict[str, bool]) -> None:
    """Check that at most one kind of computation is asked for; --dates goes with --world.

    Parameters
    ----------
    kinds : dict of bool
        By option.

    Raises
    ------
    InputError
        For two kinds that exclude each other.
    """
    given = [name for name, asked in kinds.items() if asked]
    if given == ["--world", "--dates"] or len(given) < 2:
        return
    if "--intensity" in given:
        raise InputError("--intensity maps the whole Earth: give it without --map, --world and the like")
    raise InputError(f"give one of {' and '.join(given)}, not both")


def parse_rigidities(text: str) -> list[float]:
    """Parse rigidities: numbers and ranges ``FIRST:LAST:STEP``, with commas between.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of float
        In the order given, at most 100,000; GV.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> parse_rigidities("1,2:3:0.5")
    [1.0, 2.0, 2.5, 3.0]
    """
    allowed = "numbers in GV and ranges FIRST:LAST:STEP, with commas between, such as 1:5:0.1,10"
    values: list[float] = []
    try:
        for part in text.split(","):
            numbers = [float(number) for number in part.split(":")]
            if len(numbers) == 1:
                values += numbers
                continue
            first, last, step = numbers
            if not (first <= last and step > 0.0 and (last - first) / step < 1e5):
                raise ValueError
            values += [round(first + i * step, 9) for i in range(int((last - first) / step + 1e-6) + 1)]
    except ValueError:
        raise InputError("--rigidity", text, allowed) from None
    if len(values) > 100_000:
        raise InputError("--rigidity", text, "at most 100000 rigidities")
    return values
