"""Read the unit of a differential flux from a text, and compute the factor that converts it to m^-2 s^-1 sr^-1 GeV^-1.

Units are powers of lengths, times, solid angles and energies in any of the usual notations:
``cm^-2 s^-1 sr^-1 GeV^-1``, ``(m^2 sec sr GeV)^-1``, ``1/(cm2 s sr MeV)``, ``per m2 per s per sr per GeV``,
``m**-2``, ``m-2``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sim3d.errors import InputError

LENGTH, TIME, ANGLE, ENERGY = range(4)

CM2_PER_M2 = 1.0e4
"""Square centimetres in a square metre."""

_SIZES = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), (LENGTH, 1.0)),
    "cm": (LENGTH, 1e-2),
    "mm": (LENGTH, 1e-3),
    "km": (LENGTH, 1e3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), (TIME, 1.0)),
    **dict.fromkeys(("min", "minute", "minutes"), (TIME, 60.0)),
    **dict.fromkeys(("h", "hr", "hour", "hours"), (TIME, 3600.0)),
    **dict.fromkeys(("d", "day", "days"), (TIME, 86400.0)),
    # the Julian year, 365.25 days
    **dict.fromkeys(("yr", "year", "years"), (TIME, 365.25 * 86400.0)),
    **dict.fromkeys(("sr", "ster", "steradian", "steradians"), (ANGLE, 1.0)),
    "ev": (ENERGY, 1e-9),
    "kev": (ENERGY, 1e-6),
    "mev": (ENERGY, 1e-3),
    "gev": (ENERGY, 1.0),
    "tev": (ENERGY, 1e3),
    "pev": (ENERGY, 1e6),
}
"""Dimension of a unit, and its size in m, s, sr, GeV, by its name in small letters."""

_SIGNS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−·×[]{}", "0123456789--  ()()")
_TOKEN = re.compile(r"\s*(?:(\^|\*\*)|([()/])|([-+]?\d+)|([A-Za-z]+)|(\*|\.))")
_WORD = r"(?:(?<![A-Za-z_])(?:per|" + "|".join(sorted(_SIZES, key=len, reverse=True)) + r")(?![A-Za-z_]))"
_POWER = r"(?:\s*(?:\^|\*\*)?\s*\(?\s*[-+]?\d+\s*\)?)?"
_SPAN = re.compile(
    rf"(?:[(/1]\s*)*{_WORD}{_POWER}(?:[\s()/*.]*{_WORD}{_POWER})*(?:\s*\)(?:\s*(?:\^|\*\*)\s*\(?-?1\)?)?)?", re.I
)
_AREA = re.compile(r"(?<![A-Za-z_])(?:cm|mm|km|m)\s*(?:\^|\*\*)?\s*\(?\s*-?\s*2(?!\d)", re.IGNORECASE)


@dataclass(frozen=True)
class FluxUnit:
    """Unit of a differential flux.

    Attributes
    ----------
    text : str
        The unit as it was written.
    area : str
        Name of its area, such as ``cm^-2``.
    factor : float
        A flux in this unit times the factor is in m^-2 s^-1 sr^-1 GeV^-1.
    assumed : str
        Parts that the text leaves out and that are taken as s^-1, sr^-1 and GeV^-1; empty if it is complete.
    """

    text: str
    area: str
    factor: float
    assumed: str


def parse_flux_unit(text: str) -> FluxUnit:
    """Read the unit of a differential flux.

    An area alone (``cm^-2``) is short for that area with s^-1, sr^-1 and GeV^-1.

    Parameters
    ----------
    text : str

    Returns
    -------
    FluxUnit

    Raises
    ------
    InputError
        For a word that is no unit, or powers that are not those of a differential flux; the message names the power.

    Examples
    --------
    >>> parse_flux_unit("cm^-2 s^-1 sr^-1 MeV^-1").factor
    10000000.0
    >>> parse_flux_unit("(m^2 sec sr GeV)^-1").factor
    1.0
    """
    shown = " ".join(text.split())
    powers = [0, 0, 0, 0]
    factor, area = 1.0, ""
    for name, power in _powers(text, shown):
        dimension, size = _SIZES[name]
        powers[dimension] += power
        factor *= size**power
        if dimension == LENGTH:
            area = f"{name}^-2"
    _check_powers(powers, shown)
    parts = (("s^-1", TIME), ("sr^-1", ANGLE), ("GeV^-1", ENERGY))
    assumed = " ".join(part for part, dimension in parts if powers[dimension] == 0)
    # a power of ten is exact, what the sizes multiply to may differ in the last digit
    exact = 10.0 ** round(math.log10(factor))
    return FluxUnit(shown, area, exact if math.isclose(factor, exact, rel_tol=1e-12) else factor, assumed)


def _check_powers(powers: list[int], shown: str) -> None:
    start = f"unit {shown!r}: "
    if max(powers) > 0 and re.search(r"/|\bper\b", shown) and "(" not in shown:
        raise InputError(f"{start}not clear what is divided; write it with brackets, 1/(m^2 s sr GeV)")
    if powers[ENERGY] > -1 and powers[ENERGY] != 0:
        raise InputError(f"{start}a flux times E^{powers[ENERGY] + 1}; a table needs the flux per energy, GeV^-1")
    if powers[LENGTH] != -2:
        raise InputError(f"{start}no flux per area, needs cm^-2 or m^-2, as in cm^-2 s^-1 sr^-1 GeV^-1")
    if powers[ENERGY] == 0 and powers[ANGLE]:
        raise InputError(f"{start}an integral over energy; a table needs the flux per energy, such as GeV^-1")
    for name, dimension in (("s^-1", TIME), ("sr^-1", ANGLE), ("GeV^-1", ENERGY)):
        if powers[dimension] not in (0, -1):
            raise InputError(f"{start}a power {powers[dimension]} where {name} is needed")


def find_flux_units(line: str) -> list[str]:
    """Find the texts in a line that read like units of a flux, that is, that contain an area.

    Parameters
    ----------
    line : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> find_flux_units("# flux in cm^-2 s^-1 sr^-1 GeV^-1; cos_zenith > 0 is down-going")
    ['cm^-2 s^-1 sr^-1 GeV^-1']
    """
    plain = line.translate(_SIGNS)
    return [match[0].strip() for match in _SPAN.finditer(plain) if _AREA.search(match[0])]


def _powers(text: str, shown: str) -> list[tuple[str, int]]:
    """Read the units of a text with their powers."""
    tokens = _tokens(text.translate(_SIGNS), shown)
    found, rest = _product(tokens, shown)
    if rest:
        raise InputError(f"unit {shown!r}: cannot be read beyond {' '.join(rest)!r}")
    return found


def _tokens(text: str, shown: str) -> list[str]:
    out, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InputError(f"unit {shown!r}: {text[at:].strip()[:20]!r} is not understood")
        at = match.end()
        power, bracket, number, word, _dot = match.groups()
        if word and word.lower() == "per":
            out.append("/")
        elif word and word.lower() not in _SIZES:
            raise InputError(
                f"unit {shown!r}: {word!r} is no unit of a flux (cm^-2 or m^-2, s^-1, sr^-1, GeV^-1 or MeV^-1)"
            )
        elif token := ("^" if power else bracket or number or (word or "").lower()):
            out.append(token)
    return out


def _product(tokens: list[str], shown: str) -> tuple[list[tuple[str, int]], list[str]]:
    """Read a product of units up to a closing bracket; return it and the tokens that are left."""
    found: list[tuple[str, int]] = []
    sign = 1
    while tokens and tokens[0] != ")":
        token, tokens = tokens[0], tokens[1:]
        if token == "/":
            sign = -1
            continue
        if token == "1":
            continue
        if token == "(":
            inner, tokens = _product(tokens, shown)
            if not tokens:
                raise InputError(f"unit {shown!r}: a bracket is not closed")
            tokens = tokens[1:]
        elif token in _SIZES:
            inner = [(token, 1)]
        else:
            raise InputError(f"unit {shown!r}: {token!r} is out of place")
        power, tokens = _exponent(tokens)
        found += [(name, sign * power * one) for name, one in inner]
        sign = 1
    return found, tokens


def _exponent(tokens: list[str]) -> tuple[int, list[str]]:
    """Read a power: ``^-2``, ``^(-2)``, ``-2`` or nothing (1)."""
    raised = tokens[:1] == ["^"]
    rest = tokens[1:] if raised else tokens
    if raised and rest[:1] == ["("] and rest[2:3] == [")"] and _is_number(rest[1]):
        return int(rest[1]), rest[3:]
    if rest and _is_number(rest[0]):
        return int(rest[0]), rest[1:]
    return 1, tokens


def _is_number(token: str) -> bool:
    return re.fullmatch(r"[-+]?\d+", token) is not None
