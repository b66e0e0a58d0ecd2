"""Names, header lines and decimals of the files and tables of the geomagnetic commands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim3d.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomag.cutoffs.cutoff import Cutoff
    from sim3d.conventions.arrays import Array

CUTOFF_KEYS = ("upper_GV", "lower_GV", "effective_GV")
_SAME = 1.0 + 1e-9
_FIRST_STEP = 1.5
"""A scan that starts at fewer steps than this leaves out no multiple of the step."""


def decimals(step_GV: float) -> int:
    """Count the decimals in which every multiple of the step is exact, at most 6.

    Parameters
    ----------
    step_GV : float

    Returns
    -------
    int
    """
    for digits in range(6):
        if math.isclose(round(step_GV, digits), step_GV, rel_tol=1e-9):
            return digits
    return 6


def known_cutoffs(found: Cutoff) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the cutoffs by key, None where the scan gives an upper bound only, and the reasons for these.

    Parameters
    ----------
    found : Cutoff

    Returns
    -------
    values : dict of float or None
    reasons : dict of str
        For each None.
    """
    start = found.scanned_GV[0]
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    # If the start of a scan is allowed, lower rigidities may be, too: then the lower cutoff is not known, and the upper
    # one is not if nothing above is forbidden. Allowed rigidities left out below the start lower the effective cutoff.
    left_out = start > _FIRST_STEP * found.step_GV
    for key in CUTOFF_KEYS:
        value = getattr(found, key)
        open_below = value <= start * _SAME or (left_out and key != "upper_GV")
        values[key] = None if found.starts_allowed and open_below else value
        if values[key] is None:
            reasons[key] = f"below {value:g} GV: the scan starts at {start:g} GV, which is allowed"
    return values, reasons


def check_start(lower_GV: Array, lowest_GV: float | None, step_GV: float, what: str) -> None:
    """Check that no scan with --lowest starts at an allowed rigidity, for results that have no place to say so.

    Parameters
    ----------
    lower_GV : array
        Lower cutoffs.
    lowest_GV : float or None
        Of the scan; None: one step.
    step_GV : float
    what : str
        Name of the result, for the message.

    Raises
    ------
    InputError
        If one does.
    """
    start = max(1, round((lowest_GV or 0.0) / step_GV)) * step_GV
    low = int((lower_GV <= start * _SAME).sum())
    if low and start > _FIRST_STEP * step_GV:
        raise InputError(
            "--lowest", lowest_GV, f"less for this {what}: the scan's start is allowed in {low} directions"
        )


def cutoff_lines(found: Cutoff) -> list[str]:
    """Write the three cutoffs of a scan as lines of text, with "below" where it gives an upper bound only.

    Parameters
    ----------
    found : Cutoff

    Returns
    -------
    list of str
    """
    values, _ = known_cutoffs(found)
    digits = decimals(found.step_GV)
    lines = []
    for key in CUTOFF_KEYS:
        value = f"{'' if values[key] is not None else 'below '}{getattr(found, key):.{digits}f}"
        lines.append(f"  {key.removesuffix('_GV'):9s}  {value:>15s} GV")
    if found.starts_allowed:
        start = found.scanned_GV[0]
        what = "--lowest" if start > _FIRST_STEP * found.step_GV else "--step"
        lines.append(f"  the scan starts at {start:g} GV, which is allowed: give a lower {what}")
    return lines


def place_words(lat: float, lon: float, digits: int = 2) -> str:
    """Write a place as in ``36.43 N, 137.31 E``.

    Parameters
    ----------
    lat, lon : float
        Degrees, east positive.
    digits : int
        Decimals.

    Returns
    -------
    str
    """
    east = (lon + 180.0) % 360.0 - 180.0
    return f"{abs(lat):.{digits}f} {'N' if lat >= 0 else 'S'}, {abs(east):.{digits}f} {'E' if east >= 0 else 'W'}"


def place_stem(name: str | None, lat: float, lon: float) -> str:
    """Write a place as a part of a file's name: its own, or as in ``36.43N-137.31E``.

    Parameters
    ----------
    name : str or None
    lat, lon : float
        Degrees, east positive.

    Returns
    -------
    str
    """
    return name.lower() if name else place_words(lat, lon).replace(" ", "").replace(",", "-")


def direction_words(zenith: float, azimuth: float) -> str:
    """Write a direction in words: ``vertical``, or zenith and azimuth with the point of the compass.

    Parameters
    ----------
    zenith, azimuth : float
        Degrees; azimuth from north through east.

    Returns
    -------
    str
    """
    if zenith == 0.0:
        return "vertical"
    return f"zenith {zenith:g} deg, azimuth {azimuth:g} deg from north through east ({compass_point(azimuth)})"


def compass_point(bearing: float) -> str:
    """Name the point of the compass, of sixteen, that a bearing lies at.

    Parameters
    ----------
    bearing : float
        Degrees from north through east.

    Returns
    -------
    str

    Examples
    --------
    >>> [compass_point(bearing) for bearing in (0.0, 90.0, 210.0, -90.0)]
    ['N', 'E', 'SSW', 'W']
    """
    points = ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"]
    return points[round((bearing % 360.0) / 22.5) % 16]


def stem(what: str, inputs: dict[str, Any], place: str = "") -> str:
    """Name the files of one computation by what, place, date, direction and altitude.

    Parameters
    ----------
    what : str
        First part of the name.
    inputs : dict
        ``date``, ``altitude_km``, ``zenith_deg``, ``azimuth_from_north_deg``; those missing are left out.
    place : str

    Returns
    -------
    str
        Without suffix; the usual vertical and 20 km are not named, nor the magnetosphere where there is none.
    """
    parts = [what, place, str(inputs.get("date") or "")]
    if inputs.get("zenith_deg"):
        parts.append(f"zenith{inputs['zenith_deg']:g}-azimuth{inputs['azimuth_from_north_deg']:g}")
    if inputs.get("altitude_km", 20.0) != 20.0:
        parts.append(f"{inputs['altitude_km']:g}km")
    if inputs.get("external"):
        parts.append(f"t89-kp{inputs['kp']:g}-{str(inputs['time_UT']).replace(':', '')}UT")
    return "-".join(part for part in parts if part)


def external_words(inputs: dict[str, Any]) -> str:
    """Write the magnetosphere of a computation in words: ``, T89 Kp 2 at 06:00 UT``, or nothing.

    Parameters
    ----------
    inputs : dict
        With the settings of :func:`sim3d.commands.geomagnetic.options.find_magnetosphere`, or without.

    Returns
    -------
    str
    """
    return f", T89 Kp {inputs['kp']:g} at {inputs['time_UT']} UT" if inputs.get("external") else ""


def header(inputs: dict[str, Any], what: str) -> list[str]:
    """Write the comment lines at the top of a CSV file: what it holds, and every input with its unit.

    Parameters
    ----------
    inputs : dict
        Names with their units; None is left out.
    what : str
        First line.

    Returns
    -------
    list of str
    """
    lines = [what, *(f"{key}: {value}" for key, value in inputs.items() if value is not None)]
    if "step_GV" in inputs:
        lines.append(f"error_GV: {0.5 * inputs['step_GV']:g} (half a step)")
    return lines


def draw(make: Callable[[], Figure], folder: Path, name: str, about: Sequence[str] = ()) -> list[Path]:
    """Draw a figure in the project's style and write the PNG and the PDF.

    Parameters
    ----------
    make : callable
        Makes the figure.
    folder : Path
        Must exist.
    name : str
        Without suffix.
    about : sequence of str
        Place, altitude, dates and field, for the lines below the figure.

    Returns
    -------
    list of Path
        Files written.
    """
    import matplotlib

    from sim3d.plots.style import RC, save

    with matplotlib.rc_context(RC):
        return save(make(), folder, name, about)
