"""Read an atmosphere from a CSV file of heights and densities."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from atmosphere.arrays import Array
from atmosphere.errors import AtmosphereInputError
from atmosphere.kernels import CM_PER_KM
from atmosphere.layers import LayeredAtmosphere

COLUMNS = ("height_km", "density_g_cm3")

_SIZES = {
    "height_km": {"height_km": 1.0, "height_m": 1e3, "height_cm": 1e5},
    "density_g_cm3": {"density_g_cm3": 1.0, "density_kg_m3": 1e3, "density_g_m3": 1e6},
}
"""Columns that state another unit, and how many of it make one of ours (divided, 30000 m are 30 km exactly)."""

GROUND_DENSITY_G_CM3 = (0.5e-3, 2.5e-3)
"""Densities at sea level that are taken, g/cm3. Air has 0.9e-3 to 1.9e-3: p/(R T) with R = 287.05 J/(kg K) at the
lowest and highest recorded pressures (870 and 1085 hPa) and at 330 and 205 K."""

GROUND_DEPTH_G_CM2 = (500.0, 2000.0)
"""Depths at sea level that are taken, g/cm2. Air has 890 to 1110: the recorded pressures over 9.807 m/s2."""

HIGHEST_KM = 2000.0
"""Largest height that is taken, km; models of the atmosphere end at 1000 km."""

DEFAULT_TOP_KM = 112.8292
"""Where a profile that ends lower is taken to end, km: the top of Linsley's atmosphere."""

DEFAULT_MAX_INTERVAL_KM = 10.0

# Below this change of log density over an interval the layer is written as constant: an exponential with a
# huge scale would lose digits in a + b exp(-h/c).
_FLAT_LOG_RATIO = 1.0e-6

# exp(h/c) overflows near 709.  Only a jump (two rows a few metres apart) is that steep; it becomes a thin
# layer of constant density.
_STEEPEST_EXPONENT = 500.0

# exp(-h/c) is 0 from 745 on, and the depth would be 0 nowhere: after 700 scale heights the air ends.
_THINNEST_EXPONENT = 700.0


def from_csv(
    path: str | Path,
    *,
    top_km: float | None = None,
    max_interval_km: float = DEFAULT_MAX_INTERVAL_KM,
    name: str | None = None,
) -> LayeredAtmosphere:
    """Read a density profile; log density is linear between rows, which is exactly an exponential layer.

    Parameters
    ----------
    path : str or Path
        CSV with a header line and at least the columns ``height_km`` (km above sea level) and
        ``density_g_cm3`` (g/cm3), or with ``height_m``, ``density_kg_m3``, ``density_g_m3`` instead; further columns
        are ignored, lines starting with ``#`` are comments.  The file may be compressed with gzip, begin with a byte
        order mark and have any line ends.  Density and depth at sea level must be those of air within a factor of two.
        Heights rise, start at or below 0, and no two rows are further apart than ``max_interval_km``.
    top_km : float, optional
        Where the atmosphere ends, km.  Above the last row the last exponential goes on to there.  Default:
        the last row or 112.83 km, whichever is higher.
    max_interval_km : float
        A wider interval counts as a gap, km.
    name : str, optional
        Default: the file's name.

    Returns
    -------
    LayeredAtmosphere

    Raises
    ------
    AtmosphereInputError
        One line that names the file and what is wrong with it.
    """
    path = Path(path)
    heights, densities = _read(path)
    _check_units(path, heights, densities)
    _check(path, heights, densities, max_interval_km)
    if top_km is None:
        top_km = max(DEFAULT_TOP_KM, heights[-1])
    elif not math.isfinite(top_km) or top_km < heights[-1]:
        raise AtmosphereInputError(
            f"top_km: {top_km:g}, must not be below the last height of {path} ({heights[-1]:g} km)"
        )
    layers = layers_from_densities(heights, densities, top_km)
    _, a, b, c = layers[max(i for i, bottom in enumerate(layers[:, 0]) if bottom <= 0.0)]
    # a + b exp(-h/c) and, in a layer of constant density, a - b h
    depth, (least, most) = a + (b if c > 0.0 else 0.0), GROUND_DEPTH_G_CM2
    if not least <= depth <= most:
        raise AtmosphereInputError(
            f"atmosphere profile {path}: {depth:.4g} g/cm2 of air above sea level, allowed: {least:g} to {most:g} "
            "(Earth has 1030); are the heights in km and the densities in g/cm3?"
        )
    return LayeredAtmosphere(name or path.name, layers)


def layers_from_densities(heights: list[float], densities: list[float], top_km: float) -> Array:
    """Make layers with log-linear density between the given points and continuous depth.

    Parameters
    ----------
    heights : list of float
        km, rising.
    densities : list of float
        g/cm3, positive, not rising.
    top_km : float
        Height where the depth is 0, km.

    Returns
    -------
    float64 array, shape (len(heights) - 1, 4)
    """
    n = len(heights) - 1
    layers = np.empty((n, 4))
    depth_above = 0.0
    upper = top_km
    for i in range(n - 1, -1, -1):
        bottom = heights[i]
        width = heights[i + 1] - bottom
        log_ratio = math.log(densities[i] / densities[i + 1])
        flat = log_ratio < _FLAT_LOG_RATIO
        if flat or log_ratio * bottom > _STEEPEST_EXPONENT * width:
            # The mean of an exponential between two values keeps the depth of the interval exact.
            mean = densities[i] if flat else (densities[i] - densities[i + 1]) / log_ratio
            b = mean * CM_PER_KM
            layers[i] = (bottom, depth_above + b * upper, b, 0.0)
            depth_above += b * (upper - bottom)
        else:
            c = width / log_ratio
            b = densities[i] * CM_PER_KM * c * math.exp(bottom / c)
            a = depth_above - b * math.exp(-min(upper / c, _THINNEST_EXPONENT))
            layers[i] = (bottom, a, b, c)
            depth_above = a + b * math.exp(-bottom / c)
        upper = bottom
    return layers


def _text(path: Path) -> str:
    """Read a text file, plain or compressed, UTF-8 or UTF-16, with any line ends."""
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
        encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        text = data.decode(encoding)
        if not text[:1].isascii() or "\0" in text:
            raise UnicodeError
    except UnicodeError:
        raise AtmosphereInputError(f"atmosphere profile {path}: cannot be read (not a text file)") from None
    except (OSError, EOFError, zlib.error) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise AtmosphereInputError(f"atmosphere profile {path}: cannot be read ({reason})") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read(path: Path) -> tuple[list[float], list[float]]:
    lines = [
        (number, line)
        for number, line in enumerate(_text(path).split("\n"), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise AtmosphereInputError(f"atmosphere profile {path}: empty, needs a header {','.join(COLUMNS)}")
    header = [cell.strip() for cell in next(csv.reader([lines[0][1]]))]
    found = []
    for column in COLUMNS:
        named = next((name for name in _SIZES[column] if name in header), None)
        if named is None:
            others = " or ".join(name for name in _SIZES[column] if name != column)
            raise AtmosphereInputError(
                f"atmosphere profile {path}: no column {column!r} (or {others}) in the header, "
                f"found {', '.join(header)}"
            )
        found.append((named, header.index(named), _SIZES[column][named]))
    values: tuple[list[float], list[float]] = ([], [])
    for number, line in lines[1:]:
        cells = next(csv.reader([line]))
        for (column, index, size), out in zip(found, values, strict=True):
            text = cells[index].strip() if index < len(cells) else ""
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                shown = repr(text) if text else "blank"
                raise AtmosphereInputError(
                    f"atmosphere profile {path}, line {number}: {column} is {shown}, needs a finite number"
                )
            out.append(value / size)
    return values


def _likely(ground: float) -> str:
    """Name the quantity that a number under g/cm3 at sea level is likely to be, with the remedy; empty if unknown."""
    if 0.5 <= ground <= 2.5:
        return "kg/m3; name the column density_kg_m3"
    if 200.0 <= ground <= 340.0:
        return "a temperature in K, not a density"
    if 860.0 <= ground <= 1090.0:
        return "a pressure in hPa or a depth in g/cm2, not a density"
    if 1090.0 < ground <= 2500.0:
        return "g/m3; name the column density_g_m3"
    if 0.86e5 <= ground <= 1.09e5:
        return "a pressure in Pa, not a density"
    if 1e19 <= ground <= 5e19 or 1e25 <= ground <= 5e25:
        return "a number of molecules per volume, not a density"
    if 5.0 <= ground <= 45.0:
        return "a temperature in degrees Celsius, not a density"
    if 86.0 <= ground <= 109.0:
        return "a pressure in kPa, not a density"
    return ""


def _check_units(path: Path, heights: list[float], densities: list[float]) -> None:
    """Refuse profiles whose numbers are those of another unit or quantity, and name it."""
    start = f"atmosphere profile {path}: "
    if len(heights) < 2 or heights[0] > 0.0:
        return
    if max(heights) > HIGHEST_KM:
        raise AtmosphereInputError(
            f"{start}a height of {max(heights):g} km, allowed: up to {HIGHEST_KM:g}; likely metres, "
            "name the column height_m"
        )
    ground = densities[max(i for i, height in enumerate(heights) if height <= 0.0)]
    least, most = GROUND_DENSITY_G_CM3
    if ground > 0.0 and not least <= ground <= most:
        likely = _likely(ground)
        raise AtmosphereInputError(
            f"{start}density {ground:g} g/cm3 at sea level, allowed: {least:g} to {most:g} (air has 0.0012)"
            + (f"; likely {likely}" if likely else "")
        )


def _check(path: Path, heights: list[float], densities: list[float], max_interval_km: float) -> None:
    start = f"atmosphere profile {path}: "
    if len(heights) < 2:
        raise AtmosphereInputError(f"{start}{len(heights)} row(s), needs at least 2")
    for h, rho in zip(heights, densities, strict=True):
        if rho <= 0.0:
            raise AtmosphereInputError(f"{start}density {rho:g} g/cm3 at {h:g} km, must be positive")
    if heights[0] > 0.0:
        raise AtmosphereInputError(f"{start}gap at the ground, first height is {heights[0]:g} km, must be 0 or less")
    for i in range(1, len(heights)):
        low, high = heights[i - 1], heights[i]
        if high <= low:
            raise AtmosphereInputError(f"{start}heights must rise, {high:g} km comes after {low:g} km")
        if high - low > max_interval_km:
            raise AtmosphereInputError(
                f"{start}gap from {low:g} to {high:g} km, intervals may be {max_interval_km:g} km at most"
            )
        if densities[i] > densities[i - 1]:
            raise AtmosphereInputError(f"{start}density rises with height from {low:g} to {high:g} km")
