"""Read an atmosphere from a CSV file of heights and densities."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from atmosphere.arrays import Array
from atmosphere.errors import AtmosphereInputError
from atmosphere.kernels import CM_PER_KM
from atmosphere.layers import LayeredAtmosphere

COLUMNS = ("height_km", "density_g_cm3")

DEFAULT_TOP_KM = 112.8292
"""Where a profile that ends lower is taken to end, km: the top of Linsley's atmosphere."""

DEFAULT_MAX_INTERVAL_KM = 10.0

# Below this change of log density over an interval the layer is written as constant: an exponential with a
# huge scale would lose digits in a + b exp(-h/c).
_FLAT_LOG_RATIO = 1.0e-6

# exp(h/c) overflows near 709.  Only a jump (two rows a few metres apart) is that steep; it becomes a thin
# layer of constant density.
_STEEPEST_EXPONENT = 500.0


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
        ``density_g_cm3`` (g/cm3); further columns are ignored, lines starting with ``#`` are comments.
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
    _check(path, heights, densities, max_interval_km)
    if top_km is None:
        top_km = max(DEFAULT_TOP_KM, heights[-1])
    elif not math.isfinite(top_km) or top_km < heights[-1]:
        raise AtmosphereInputError(
            f"top_km: {top_km:g}, must not be below the last height of {path} ({heights[-1]:g} km)"
        )
    return LayeredAtmosphere(name or path.name, layers_from_densities(heights, densities, top_km))


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
            a = depth_above - b * math.exp(-upper / c)
            layers[i] = (bottom, a, b, c)
            depth_above = a + b * math.exp(-bottom / c)
        upper = bottom
    return layers


def _read(path: Path) -> tuple[list[float], list[float]]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            lines = [
                (number, line)
                for number, line in enumerate(stream, start=1)
                if line.strip() and not line.lstrip().startswith("#")
            ]
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not a text file"
        raise AtmosphereInputError(f"atmosphere profile {path}: cannot be read ({reason})") from None
    if not lines:
        raise AtmosphereInputError(f"atmosphere profile {path}: empty, needs a header {','.join(COLUMNS)}")
    header = [cell.strip() for cell in next(csv.reader([lines[0][1]]))]
    for column in COLUMNS:
        if column not in header:
            raise AtmosphereInputError(
                f"atmosphere profile {path}: no column {column!r} in the header, found {', '.join(header)}"
            )
    where = [header.index(column) for column in COLUMNS]
    values: tuple[list[float], list[float]] = ([], [])
    for number, line in lines[1:]:
        cells = next(csv.reader([line]))
        for column, index, out in zip(COLUMNS, where, values, strict=True):
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
            out.append(value)
    return values


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
