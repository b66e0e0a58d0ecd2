"""Read the Gauss coefficients of the IGRF from the file that `ppigrf` ships.

`ppigrf` itself is not imported: pandas, which its reader needs, takes half a second of every start.
"""

from __future__ import annotations

import datetime
import functools
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from geomag.arrays import Array
from geomag.errors import GeomagInputError

MAX_DEGREE = 13
"""Highest degree of the IGRF's main field (before 2000 the file holds zeros above degree 10)."""


def shipped_file() -> Path:
    """Find the file of the newest generation in the installed `ppigrf`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    GeomagInputError
        If `ppigrf` is not installed or has no such file.
    """
    spec = find_spec("ppigrf")
    folders = [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = [path for folder in folders for path in folder.glob("*.shc") if generation_of(path) > 0]
    if not files:
        raise GeomagInputError("IGRF: no file of coefficients; install the package ppigrf, which has it")
    return max(files, key=generation_of)


def generation_of(path: Path) -> int:
    """Generation of the IGRF by the name of a file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    int
        0 if the name has none.
    """
    number = re.search(r"IGRF[-_ ]?(\d+)", path.name)
    return int(number.group(1)) if number else 0


def read_shc(path: Path) -> tuple[list[datetime.datetime], Array, Array]:
    """Read a file of spherical harmonic coefficients.

    After comments (``#``) come a line of five numbers (lowest and highest degree, number of epochs and two more), a
    line of epochs in years, and a line for each n and m with the values at the epochs; m < 0 stands for h of -m.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    epochs : list of datetime.datetime
        Beginnings of the years.
    g, h : float64 arrays (epochs, MAX_DEGREE + 1, MAX_DEGREE + 1)
        Coefficients [epoch, n, m] in nT.
    """
    text = path.read_text(encoding="ascii").splitlines()
    lines = [line.split() for line in text if line.strip() and not line.startswith("#")]
    epochs = [datetime.datetime(int(float(year)), 1, 1) for year in lines[1]]
    shape = (len(epochs), MAX_DEGREE + 1, MAX_DEGREE + 1)
    g, h = np.zeros(shape), np.zeros(shape)
    for words in lines[2:]:
        n, m = int(words[0]), int(words[1])
        (g if m >= 0 else h)[:, n, abs(m)] = [float(word) for word in words[2:]]
    return epochs, g, h


@functools.cache
def shipped_coefficients() -> tuple[str, list[datetime.datetime], Array, Array]:
    """Coefficients of the shipped file.

    Returns
    -------
    generation : str
        Such as "IGRF-14".
    epochs, g, h
        As of :func:`read_shc`.
    """
    path = shipped_file()
    return f"IGRF-{generation_of(path)}", *read_shc(path)
