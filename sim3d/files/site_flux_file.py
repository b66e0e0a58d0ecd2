"""Compact file of the flux of one site (HDF5), as it ships: smooth fluxes, errors, gradients, the Sun, heights.

Numbers are integers with a scale and an offset, compressed: ln(flux E^3) in steps of 1e-4 of its range or finer than
2e-4, relative errors in steps of 4% of their size. A file is complete in itself: place, models, provenance, parameters
and their covariance are in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes
from sim3d.files.hdf5_writing import hdf5_image

FORMAT = "sim3d-site-flux 1"

SHIPPED_FOLDER = Path(__file__).parents[1] / "reference" / "sites"
"""Folder of the fluxes that ship, ``<site>.h5``; it need not exist."""

HEIGHT_PROBABILITIES = (0.05, 0.16, 0.25, 0.5, 0.75, 0.84, 0.95)
"""Probabilities of the quantiles of the production height."""

_PACKED = {
    "log_flux": "u2",
    "log_error": "u1",
    "log_error_average": "u1",
    "log_sun": "u2",
    "modes": "i2",
    "height_quantiles_km": "u2",
    "log_sun_azimuth": "u2",
}
"""Arrays that are stored as integers, and their type; the largest integer of a type is not a number."""

_MAY_LACK = ("log_sun_azimuth",)
"""Arrays that files of before do not have; one of size zero is not written."""

_PLAIN = (
    "energy_edges_GeV", "cos_edges", "azimuth_edges_deg", "potentials_MV", "solar_months", "solar_series_MV",
    "coarse_energy_edges_GeV", "coarse_cos_edges", "mix", "sigma", "covariance", "prior",
)  # fmt: skip


@dataclass(frozen=True)
class SiteFlux:
    """Flux of a site as it is stored.

    Attributes
    ----------
    name : str
    lat_deg, lon_deg, altitude_m : float
    field_dates : tuple of str
        Dates of the geomagnetic field (YYYY-MM-DD) for which there are fluxes, ascending.
    energy_edges_GeV, cos_edges, azimuth_edges_deg : float64 arrays
        Edges of the bins of the fluxes.
    log_flux : float64 array (date, flavour, energy, cos_zenith, azimuth)
        ln(mean flux of the bin times E^3), E the logarithmic centre (GeV); m^-2 s^-1 sr^-1 GeV^2.
    log_error, log_error_average : float64 arrays (date, flavour, energy, cos_zenith, azimuth), without azimuth
        ln of the relative statistical error of the flux, and of its average over azimuth.
    base_MV : float
        Solar potential of ``log_flux``.
    potentials_MV : float64 array (k,)
        Potentials for which the flux is known, ascending, ``base_MV`` among them.
    log_sun : float64 array (k, flavour, coarse energy, coarse cos_zenith)
        ln(flux at a potential / flux at ``base_MV``), averaged over azimuth.
    solar_months : int array (n,)
        Months, as year times 100 plus month, ascending.
    solar_series_MV : float64 array (n,)
        Their potentials in the primary model's own series.
    coarse_energy_edges_GeV, coarse_cos_edges : float64 arrays
        Edges of the bins of ``log_sun``, ``modes`` and ``height_quantiles_km``.
    parameters : tuple of str
        Model parameters that have errors; may be none.
    sigma, covariance, prior : float64 arrays (p,), (p, p), (p, p)
        Standard deviations of the priors; covariance with, and prior covariance without the calibration; own units.
    modes : float64 array (flavour, coarse energy, coarse cos_zenith, r)
    mix : float64 array (r, p)
        d ln(flux) / d(parameter in units of sigma) = modes @ mix.
    height_quantiles_km : float64 array (flavour, coarse energy, coarse cos_zenith, quantile)
        Quantiles of the production height at :data:`HEIGHT_PROBABILITIES`; NaN where nothing was made.
    record : dict
        Provenance: models, versions, primaries, seeds, checks (JSON).
    log_sun_azimuth : float64 array (k, coarse energy, coarse cos_zenith)
        ln(q): the part of the flux that the cutoffs make depend on azimuth is multiplied by q from ``base_MV`` to a
        potential (:mod:`sim3d.studies.sun_by_azimuth`). NaN where the cutoffs do not matter; size zero if not known.
    """

    name: str
    lat_deg: float
    lon_deg: float
    altitude_m: float
    field_dates: tuple[str, ...]
    energy_edges_GeV: Array
    cos_edges: Array
    azimuth_edges_deg: Array
    log_flux: Array
    log_error: Array
    log_error_average: Array
    base_MV: float
    potentials_MV: Array
    log_sun: Array
    solar_months: Array
    solar_series_MV: Array
    coarse_energy_edges_GeV: Array
    coarse_cos_edges: Array
    parameters: tuple[str, ...]
    sigma: Array
    covariance: Array
    prior: Array
    modes: Array
    mix: Array
    height_quantiles_km: Array
    record: dict[str, Any]
    log_sun_azimuth: Array = field(default_factory=lambda: np.zeros((0, 0, 0)))


def shipped_sites() -> dict[str, Path]:
    """Find the sites whose fluxes ship with sim3d.

    Returns
    -------
    dict of Path
        File by name, in alphabetical order.
    """
    return {path.stem: path for path in sorted(SHIPPED_FOLDER.glob("*.h5"))}


def is_site_flux(path: Path) -> bool:
    """Whether a file is the flux of a site, by its format.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    try:
        with h5py.File(path, "r") as file:
            return bool(file.attrs.get("format") == FORMAT)
    except OSError:
        return False


def write_site_flux(path: Path, site: SiteFlux) -> Path:
    """Write the flux of a site; the same one gives the same bytes.

    Parameters
    ----------
    path : Path
    site : SiteFlux

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If it cannot be written.
    """

    def fill(file: h5py.File) -> None:
        file.attrs["format"] = FORMAT
        for key in ("name", "lat_deg", "lon_deg", "altitude_m", "base_MV"):
            file.attrs[key] = getattr(site, key)
        for key in ("field_dates", "parameters", "record"):
            file.attrs[key] = json.dumps(getattr(site, key), sort_keys=True)
        options: dict[str, Any] = {"compression": "gzip", "compression_opts": 9, "shuffle": True, "track_times": False}
        for key in _PLAIN:
            file.create_dataset(key, data=getattr(site, key), track_times=False)
        for key, kind in _PACKED.items():
            if key in _MAY_LACK and not getattr(site, key).size:
                continue
            numbers, scale, offset = packed(getattr(site, key), kind)
            data = file.create_dataset(key, data=numbers, **(options if numbers.size else {"track_times": False}))
            data.attrs["scale"], data.attrs["offset"] = scale, offset

    return write_bytes(path, hdf5_image(fill))


def packed(values: Array, kind: str) -> tuple[Any, float, float]:
    """Turn numbers into integers: value = offset + scale times integer.

    Parameters
    ----------
    values : float64 array
        NaN becomes the largest integer.
    kind : str
        u1, u2 or i2.

    Returns
    -------
    integers : int array of that type, shape of the values
    scale, offset : float
        An integer is within half a scale of its value.
    """
    limits = np.iinfo(kind)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    steps = limits.max - 1 - limits.min
    # numbers that differ by rounding alone are one number
    spread = high - low > 1e-12 * max(abs(low), abs(high))
    scale = (high - low) / steps if spread else 1.0
    offset = low - limits.min * scale
    with np.errstate(invalid="ignore"):
        numbers = np.clip(np.rint((values - low) / scale) + limits.min, limits.min, limits.max - 1)
    return np.where(np.isfinite(values), numbers, limits.max).astype(kind), scale, offset


def _unpacked(data: Any) -> Array:
    numbers = data[()]
    values = data.attrs["offset"] + data.attrs["scale"] * numbers.astype(float)
    values[numbers == np.iinfo(numbers.dtype).max] = np.nan
    return np.asarray(values)


def read_site_flux(path: Path) -> SiteFlux:
    """Read the flux of a site.

    Parameters
    ----------
    path : Path

    Returns
    -------
    SiteFlux

    Raises
    ------
    InputError
        If the file cannot be read or is none.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise InputError(f"{path}: is no flux of a site (its format must be {FORMAT!r})")
            found: dict[str, Any] = {key: np.asarray(file[key][()]) for key in _PLAIN}
            found |= {key: _unpacked(file[key]) for key in _PACKED if key in file or key not in _MAY_LACK}
            found |= {key: float(file.attrs[key]) for key in ("lat_deg", "lon_deg", "altitude_m", "base_MV")}
            found |= {key: tuple(json.loads(file.attrs[key])) for key in ("field_dates", "parameters")}
            return SiteFlux(name=str(file.attrs["name"]), record=json.loads(file.attrs["record"]), **found)
    except (OSError, KeyError, ValueError) as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError(f"{path}: cannot be read as the flux of a site: {str(problem)[:200]}") from None
