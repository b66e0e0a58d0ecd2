"""Density and electron fraction of the Earth after the Preliminary Reference Earth Model (PREM).

They are written for programs that propagate neutrinos through the Earth and need a table of it.

Densities: Dziewonski and Anderson, Phys. Earth Planet. Inter. 25 (1981) 297, table I, polynomials in x = r / 6371 km.
Electrons per nucleon: Z/A of iron in the core (26/55.845), and above it of pyrolite (McDonough and Sun, Chem. Geol. 120
(1995) 223: by weight SiO2 45.0, MgO 37.8, FeO 8.05, Al2O3 4.45, CaO 3.55).
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes

RADIUS_KM = 6371.0

CORE_KM = 3480.0

LAYERS = (
    (1221.5, (13.0885, 0.0, -8.8381)),
    (CORE_KM, (12.5815, -1.2638, -3.6426, -5.5281)),
    (5701.0, (7.9565, -6.4761, 5.5283, -3.0807)),
    (5771.0, (5.3197, -1.4836)),
    (5971.0, (11.2494, -8.0298)),
    (6151.0, (7.1089, -3.8045)),
    (6346.6, (2.6910, 0.6924)),
    (6356.0, (2.900,)),
    (6368.0, (2.600,)),
    (RADIUS_KM, (1.020,)),
)
"""Upper radius in km and coefficients of the density in g/cm3, of each layer from the centre outwards."""

ELECTRON_FRACTION_CORE = 0.4656
ELECTRON_FRACTION_MANTLE = 0.4957

_POINTS_PER_LAYER = 40
_EARTH = Path("astro", "EARTH_MODEL_PREM.dat")
"""Where nuSQuIDS looks for the Earth model in its data folder."""


def density(radius_km: ArrayLike) -> NDArray[np.float64]:
    """Compute the density of the Earth at given radii.

    Parameters
    ----------
    radius_km : array_like
        From 0 to 6371 km.

    Returns
    -------
    float64 array
        g/cm3; at a boundary the density of the layer below.

    Raises
    ------
    InputError
        For a radius outside the Earth.
    """
    radius = np.asarray(radius_km, dtype=float)
    if not np.all((radius >= 0.0) & (radius <= RADIUS_KM)):
        raise InputError(f"radius_km: must be between 0 and {RADIUS_KM:g}")
    layer = np.searchsorted([top for top, _ in LAYERS], radius, side="left")
    x = radius / RADIUS_KM
    return np.choose(layer, [np.polynomial.polynomial.polyval(x, c) for _, c in LAYERS])


def write_nusquids_table(path: Path) -> Path:
    """Write the Earth model in nuSQuIDS' format: rows of radius/6371 km, density (g/cm3), electrons per nucleon.

    Each boundary has two rows 1 m apart, so that a program that interpolates between rows keeps the density steps.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path
        The file.
    """
    rows = []
    bottom = 0.0
    for top, _ in LAYERS:
        rows.append(np.linspace(bottom + (1e-3 if bottom else 0.0), top, _POINTS_PER_LAYER))
        bottom = top
    radius = np.concatenate(rows)
    electrons = np.where(radius <= CORE_KM, ELECTRON_FRACTION_CORE, ELECTRON_FRACTION_MANTLE)
    lines = (
        f"{r / RADIUS_KM:.9f} {rho:.6f} {ye:.4f}\n"
        for r, rho, ye in zip(radius, density(radius), electrons, strict=True)
    )
    return write_bytes(path, "".join(lines).encode("ascii"))


@functools.cache
def provide_nusquids_earth() -> Path:
    """Write the Earth model to a folder where nuSQuIDS looks for it, once per process.

    nuSQuIDS reads the environment variable ``NUSQUIDS_DATA_PATH`` once per process and keeps its value; its wheel holds
    no Earth model. The folder is therefore kept until the process ends. Call this before nuSQuIDS is first used. If the
    variable names a folder that has an Earth model, that one stays.

    Returns
    -------
    Path
        The folder, also in ``NUSQUIDS_DATA_PATH``.
    """
    own = os.environ.get("NUSQUIDS_DATA_PATH")
    if own and (Path(own) / _EARTH).is_file():
        return Path(own)
    folder = Path(tempfile.mkdtemp(prefix="sim3d-earth-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / _EARTH).parent.mkdir()
    write_nusquids_table(folder / _EARTH)
    os.environ["NUSQUIDS_DATA_PATH"] = str(folder)
    return folder
