"""Describe a run in words: places, Sun, models, statistics; for `print`, the line below pictures, and the report.

Everything comes from the record of the run; nothing is stated that the record does not contain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.conventions.binning import ENERGY_EDGES_GEV
from sim3d.conventions.flavours import FLAVOURS
from sim3d.files.record import RunRecord
from sim3d.scoring.detectors import Detector

WINDOW_GEV = (0.3, 10.0)
"""Range of energy in which a precision is asked for: that of most atmospheric neutrinos in a detector."""

SITE_TITLES = {
    "kamioka": "Kamioka",
    "sno": "SNO",
    "gransasso": "Gran Sasso",
    "soudan": "Soudan",
    "southpole": "South Pole",
    "frejus": "Fréjus",
    "ino": "INO",
    "pyhasalmi": "Pyhäsalmi",
    "juno": "JUNO",
    "surf": "SURF",
    "orca": "ORCA",
    "arca": "ARCA",
    "jinping": "Jinping",
    "boulby": "Boulby",
    "baikal": "Baikal",
    "p-one": "P-ONE",
    "trident": "TRIDENT",
    "kamland": "KamLAND",
}
"""Names of the known sites as they are spelt; the name of any other site stays as the user wrote it."""

_SUNS = {"min": "solar minimum", "max": "solar maximum", "fit": "as in the data of the fit"}


def degrees(lat_deg: float, lon_deg: float) -> str:
    """Write a place in degrees with the letters of the compass.

    Parameters
    ----------
    lat_deg, lon_deg : float
        North and east positive.

    Returns
    -------
    str

    Examples
    --------
    >>> degrees(-30.19, 290.18)
    '30.19° S, 69.82° W'
    """
    east = (lon_deg + 180.0) % 360.0 - 180.0
    north_or_south, east_or_west = "S" if lat_deg < 0 else "N", "W" if east < 0 else "E"
    return f"{abs(lat_deg):.2f}° {north_or_south}, {abs(east):.2f}° {east_or_west}"


def three_digits(value: float) -> str:
    """Write a positive number with three digits and without an exponent, as axes do.

    Parameters
    ----------
    value : float

    Returns
    -------
    str

    Examples
    --------
    >>> three_digits(8912.5), three_digits(0.11220)
    ('8,910', '0.112')
    """
    return f"{float(f'{value:.3g}'):,.12g}"


def sun_in_words(record: RunRecord) -> str:
    """Describe the solar modulation: the name asked for, its potential, and the month that it is of.

    Parameters
    ----------
    record : RunRecord

    Returns
    -------
    str
    """
    solar = record.config.primaries.solar
    potential = record.models.get("solar_potential_MV")
    size = "" if potential is None else f"{float(potential):.0f} MV"
    month = str(record.models.get("solar_modulation", ""))
    name = "by date" if solar == "date" and not month else _SUNS.get(solar or "", "")
    return ", ".join(part for part in (name, month, size) if part) or "not modulated"


def sun_in_short(record: RunRecord) -> str:
    """Describe the solar modulation in the few words that a picture has room for: its name, month and potential.

    Parameters
    ----------
    record : RunRecord

    Returns
    -------
    str
        Such as ``2020-01, 436 MV``; all of :func:`sun_in_words` where no month is named.
    """
    month, colon, _ = str(record.models.get("solar_modulation", "")).partition(": ")
    potential = record.models.get("solar_potential_MV")
    if not colon or potential is None:
        return sun_in_words(record)
    name = _SUNS.get(record.config.primaries.solar or "", "")
    return ", ".join(part for part in (name, month, f"{float(potential):.0f} MV") if part)


def field_in_words(record: RunRecord) -> str:
    """Describe the geomagnetic field: its model and date.

    Parameters
    ----------
    record : RunRecord

    Returns
    -------
    str
    """
    name = record.models.get("field_generation")
    date = record.models.get("field_date", record.config.field.date)
    text = f"{name} of {date}" if name else f"field of {date}"
    return text if record.config.field.cutoff else f"{text}, every primary let in"


def models_in_words(record: RunRecord) -> str:
    """List the models of primaries, interactions and air, as far as the record names them, and its calibration.

    Parameters
    ----------
    record : RunRecord

    Returns
    -------
    str
    """
    config = record.config
    names = [
        record.models.get("primary_model", config.primaries.model),
        record.models.get("hadronic_model", config.hadronic.model),
        record.models.get("atmosphere", config.atmosphere.model),
        f"calibration {record.models['calibration']}" if "calibration" in record.models else "",
    ]
    text = ", ".join(str(name) for name in names if name)
    return f"{text}, with charm" if "charm" in record.models else text


def statistics_in_words(record: RunRecord) -> str:
    """State the number of primaries and the version of the program.

    Parameters
    ----------
    record : RunRecord

    Returns
    -------
    str
    """
    version = record.provenance.get("sim3d")
    program = f"sim3d {version}" if version else "sim3d"
    return f"{int(record.counters['primaries']):,} primaries, {program}"


def context_lines(record: RunRecord, site: str | None = None) -> list[str]:
    """Describe a run for the line below a picture.

    Parameters
    ----------
    record : RunRecord
    site : str, optional
        The site shown; its place comes first.

    Returns
    -------
    list of str
        Two lines: place, dates and Sun; models and statistics.
    """
    places = [place_in_words(detector) for detector in record.detectors if detector.name == site]
    return [
        "; ".join([*places, field_in_words(record), f"Sun: {sun_in_short(record)}"]),
        "; ".join([models_in_words(record), statistics_in_words(record)]),
    ]


def place_in_words(detector: Detector) -> str:
    """Name a site with its place and, above or below sea level, its altitude.

    Parameters
    ----------
    detector : Detector

    Returns
    -------
    str
    """
    text = f"{SITE_TITLES.get(detector.name, detector.name)}: {degrees(detector.lat_deg, detector.lon_deg)}"
    return f"{text}, {detector.altitude_m:.0f} m" if detector.altitude_m else text


def median_errors(
    flux: Array, error: Array, energies: Array, scored: NDArray[np.bool_], flavours: Sequence[str]
) -> list[str]:
    """State the median relative error of the bins of each flavour in :data:`WINDOW_GEV`.

    Parameters
    ----------
    flux, error : float64 arrays (flavour, energy, ...)
    energies : float64 array (energy,)
        Centres of the bins, GeV.
    scored : bool array (energy,)
        Which of them the run scores in full.
    flavours : sequence of str

    Returns
    -------
    list of str
        A flavour and its error in percent each; ``no hits`` where half of its bins or more are empty.
    """
    inside = scored & (energies > WINDOW_GEV[0]) & (energies < WINDOW_GEV[1])
    out = []
    for f, flavour in enumerate(flavours):
        good = flux[f][inside] > 0.0
        relative = np.where(good, error[f][inside] / np.where(good, flux[f][inside], 1.0), np.inf)
        median = float(np.median(relative)) if relative.size else math.nan
        known = f"{100.0 * median:.2g}%" if math.isfinite(median) and median < 0.995 else "above 100%"
        out.append(f"{flavour} {known}" if np.isfinite(relative).mean() >= 0.5 else f"{flavour} half empty")
    return out


def result_lines(record: RunRecord, errors: Mapping[str, Sequence[str]], azimuths: int, batches: int) -> list[str]:
    """Describe a result for ``print``.

    Parameters
    ----------
    record : RunRecord
    errors : mapping
        By site: :func:`median_errors`; empty for a run without neutrinos or hits.
    azimuths, batches : int
        Azimuth bins; batches done.

    Returns
    -------
    list of str
    """
    config = record.config
    total = len(record.batches_done)
    state = "" if record.complete else f" (unfinished: {batches} of {total} batches)"
    lines = [f"sim3d result: {statistics_in_words(record)}{state}"]
    for detector in record.detectors:
        lines.append(f"  site {place_in_words(detector)}")
        if detector.name in errors:
            span = f"{WINDOW_GEV[0]:g} to {WINDOW_GEV[1]:g} GeV"
            lines.append(f"    median error of a bin, {span}, azimuth average: {', '.join(errors[detector.name])}")
    if config.scoring.neutrinos:
        low, high = max(config.scoring.energy_min_GeV, ENERGY_EDGES_GEV[0]), ENERGY_EDGES_GEV[-1]
        energies = f"{low:.3g} to {high:,.0f} GeV"
        lines.append(f"  {', '.join(FLAVOURS)}; {energies}, cos_zenith -1 to 1, {azimuths} azimuth bins")
    if config.scoring.muons:
        lines.append("  muons, protons and neutrons (sim3d muons)")
    lines.append(f"  {field_in_words(record)}; Sun: {sun_in_short(record)}")
    lines.append(f"  {models_in_words(record)}")
    return lines
