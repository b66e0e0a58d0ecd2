"""Fluxes of the sites that ship with sim3d, for a date: no run is needed.

A date moves two things. The Sun: ln(flux) is interpolated between simulated potentials, by the polynomial through the
four nearest. Averages over azimuth follow showers; deviations from them follow the primaries that the cutoffs let in
from some azimuths and not from others (:mod:`sim3d.studies.sun_by_azimuth`). The geomagnetic field: ln(flux) is
interpolated linearly in time between the dates for which there are fluxes, and constant beyond them. The atmosphere is
that of the simulation whatever the date.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim3d.config.calibration import NO_CALIBRATION, calibration_for
from sim3d.conventions.arrays import Array
from sim3d.conventions.model_modes import ModelModes
from sim3d.errors import InputError
from sim3d.files.calibration_file import Calibration
from sim3d.files.flux_table import EXTRAPOLATED, SAMPLE, FluxTable
from sim3d.files.site_flux_file import SiteFlux, read_site_flux, shipped_sites
from sim3d.results.at_points import between, log_centres
from sim3d.results.model_parameters import (
    LogDerivatives,
    ParameterErrors,
    errors_of_calibration,
    relative_error,
    scaled_table,
    with_mode_slopes,
)

NODES = 4
"""Potentials of one interpolation."""

KNOWN_ERROR = 0.5
"""Relative error from which on a flux is an extrapolation, as in :data:`sim3d.flux.smoothing.KNOWN_ERROR`."""


LEAST_SHARE = 0.1
"""Least share of the mean over azimuth that a flux is taken to have when the Sun changes its azimuths."""


@dataclass(frozen=True)
class Weights:
    """Interpolation weights of the simulated dates and solar potentials for a date.

    Attributes
    ----------
    field : float64 array (date,)
        Weights of the dates of the field; they add up to 1.
    potential_MV : float
    sun : float64 array (potential,)
        Weights of ``log_sun``.
    words : str
        The date in words.
    """

    field: Array
    potential_MV: float
    sun: Array
    words: str


def site_tables(
    site: SiteFlux, date: str | None = None, calibration: Calibration | None = None
) -> tuple[FluxTable, FluxTable, LogDerivatives | None]:
    """Make the tables of a site for a date.

    Parameters
    ----------
    site : SiteFlux
    date : str, optional
        YYYY-MM-DD; by default the flux as it was simulated: its base potential, its last date of the field.
    calibration : Calibration, optional
        Whose centre the flux is moved to, linearly in its logarithm, and whose covariance it gets.

    Returns
    -------
    average, by_azimuth : FluxTable
    derivatives : LogDerivatives or None
        None if no parameter has an error.

    Raises
    ------
    InputError
        For a date that is not valid, or outside the series of solar potentials or the range of the field; for a
        calibration of parameters that neither the site nor the calibration has derivatives of.
    """
    weights = date_weights(site, date)
    energy = np.sqrt(site.energy_edges_GeV[1:] * site.energy_edges_GeV[:-1])
    flux = np.exp(np.tensordot(weights.field, site.log_flux, axes=1) - 3.0 * np.log(energy)[:, None, None])
    sun = _between_coarse(site, np.tensordot(weights.sun, site.log_sun, axes=1), energy)
    relative = _combined(site.log_error, weights.field)
    of_average = _combined(site.log_error_average, weights.field)[..., None]
    share = np.diff(site.azimuth_edges_deg) / 360.0
    if site.log_sun_azimuth.size:
        band = _between_coarse(site, np.tensordot(weights.sun, site.log_sun_azimuth, axes=1)[None], energy)
        flux = flux * _azimuth_of_sun(flux, share, np.exp(band - sun))
    flux = flux * np.exp(sun)[..., None]
    derivatives = None
    if calibration is not None:
        derivatives = calibrated_derivatives(site, calibration)
    elif site.parameters:
        scale = float(site.record.get("scale", 1.0))
        errors = ParameterErrors.of_matrix(site.parameters, site.covariance, site.sigma, site.prior, scale)
        kept = [site.parameters.index(name) for name in errors.names]
        derivatives = LogDerivatives.of_slopes(
            site.modes @ site.mix[:, kept], site.coarse_energy_edges_GeV, site.coarse_cos_edges, errors
        )

    def table(values: Array, error: Array, azimuth: Array) -> FluxTable:
        made = FluxTable(
            flux=values, error=error * values, energies_GeV=energy, energy_edges_GeV=site.energy_edges_GeV,
            energy_kind="bins", cos_edges=site.cos_edges, azimuth_edges_deg=azimuth, name=site.name, source=site.name,
            note=weights.words, azimuth_frame=str(site.record.get("azimuth_frame", "")),
            kind=np.where(error >= KNOWN_ERROR, EXTRAPOLATED, SAMPLE).astype(np.int8), smooth=True,
        )  # fmt: skip
        if derivatives is None:
            return made
        if calibration is not None:
            changes = np.zeros(len(derivatives.errors.names))
            changes[: len(calibration.values)] = calibration.values / calibration.sigma
            made = scaled_table(made, derivatives, changes, f"{made.note}, moved to {calibration.name}")
        return FluxTable(**{**vars(made), "model_relative": relative_error(made, derivatives)})

    average = table((flux @ share)[..., None], of_average, np.array([0.0, 360.0]))
    return average, table(flux, relative, site.azimuth_edges_deg), derivatives


def default_calibration(site: SiteFlux) -> str:
    """Name the calibration that a site's flux is moved to when none is asked for.

    Parameters
    ----------
    site : SiteFlux

    Returns
    -------
    str
        The one that ships for the models of the site's runs; ``"none"`` if none does, or if the runs had one.
    """
    configurations = site.record.get("configurations")
    if not configurations or site.record.get("calibration", NO_CALIBRATION) != NO_CALIBRATION:
        return NO_CALIBRATION
    hadronic, primaries = configurations[0]["hadronic"], configurations[0]["primaries"]
    if hadronic["table"] is not None:
        return NO_CALIBRATION
    return calibration_for(hadronic["model"], primaries["model"])


def calibration_of_site(site: SiteFlux) -> str:
    """Name the calibration that a site's flux has by default: that of its runs, or the one it is moved to.

    Parameters
    ----------
    site : SiteFlux

    Returns
    -------
    str
    """
    own = str(site.record.get("calibration", NO_CALIBRATION))
    return default_calibration(site) if own == NO_CALIBRATION else own


def calibrated_derivatives(site: SiteFlux, calibration: Calibration) -> LogDerivatives:
    """Arrange the derivatives of a site by the parameters of a calibration, pseudo-parameters too.

    A parameter that the site's runs had no gradient by has the derivative that the calibration has of the cascade
    equations, at sea level under a cutoff of 6 GV.

    Parameters
    ----------
    site : SiteFlux
    calibration : Calibration

    Returns
    -------
    LogDerivatives

    Raises
    ------
    InputError
        If the site is of a calibration already, or a derivative is in neither.
    """
    own = site.record.get("calibration", NO_CALIBRATION)
    if own != NO_CALIBRATION:
        raise InputError("calibration", calibration.name, f"{NO_CALIBRATION}, as {site.name} is of {own}")
    errors = errors_of_calibration(calibration)
    known = site.modes @ site.mix
    energies = np.exp(log_centres(site.coarse_energy_edges_GeV))
    cosines = 0.5 * (site.coarse_cos_edges[1:] + site.coarse_cos_edges[:-1])
    out = np.zeros((*known.shape[:-1], len(errors.physical)))
    for i, name in enumerate(errors.physical):
        if name in site.parameters:
            j = site.parameters.index(name)
            out[..., i] = known[..., j] * (errors.sigma[i] / site.sigma[j])
        elif "neutrinos/slopes" in calibration.arrays:
            of = calibration.arrays["neutrinos/slopes"][..., calibration.parameters.index(name)]
            nodes = calibration.arrays["neutrinos/energies_GeV"], calibration.arrays["neutrinos/cos_zenith"]
            out[..., i] = ModelModes((name,), *nodes, of[None]).at(energies, cosines)[..., 0] * errors.sigma[i]
        else:
            raise InputError(f"calibration: {site.name} has no derivative by {name}")
    edges = site.coarse_energy_edges_GeV, site.coarse_cos_edges
    return LogDerivatives.of_slopes(with_mode_slopes(out, *edges, errors), *edges, errors)


def date_weights(site: SiteFlux, date: str | None) -> Weights:
    """Compute the interpolation weights of the simulated dates and solar potentials; see :func:`site_tables`.

    Parameters
    ----------
    site : SiteFlux
    date : str or None

    Returns
    -------
    Weights

    Raises
    ------
    InputError
        As :func:`site_tables`.
    """
    days = [_day(one).toordinal() for one in site.field_dates]
    if date is None:
        field = np.zeros(len(days))
        field[-1] = 1.0
        at = site.base_MV
        words = f"as simulated: {at:.0f} MV, field of {site.field_dates[-1]}"
    else:
        day = _day(date)
        low, high, up = between(np.array(days, dtype=float), np.array([float(day.toordinal())]))
        field = np.zeros(len(days))
        field[low] += 1.0 - up
        field[high] += up
        at = _potential(site, day)
        beyond = not days[0] <= day.toordinal() <= days[-1]
        ends = "" if len(days) == 1 else f" to {site.field_dates[-1]}"
        words = f"{day}: {at:.0f} MV, field {f'of {site.field_dates[0]}{ends}' if beyond else 'of this date'}"
    return Weights(field, at, potential_weights(site.potentials_MV, at), words)


def _day(date: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(date))
    except ValueError:
        raise InputError("date", date, "a date written YYYY-MM-DD") from None


def _potential(site: SiteFlux, day: datetime.date) -> float:
    """Solar potential of a month, in the range of the simulated ones."""
    month = 100 * day.year + day.month
    where = np.flatnonzero(site.solar_months == month)
    if not where.size:
        first, last = (divmod(int(x), 100) for x in (site.solar_months[0], site.solar_months[-1]))
        allowed = f"{first[0]}-{first[1]:02d} to {last[0]}-{last[1]:02d}, the months with a solar potential"
        raise InputError("date", day.isoformat(), allowed)
    potential = float(site.solar_series_MV[where[0]])
    low, high = float(site.potentials_MV[0]), float(site.potentials_MV[-1])
    if not low <= potential <= high:
        raise InputError("date", day.isoformat(), f"a month of {low:.0f} to {high:.0f} MV, it has {potential:.0f} MV")
    return potential


def potential_weights(nodes: Array, at: float) -> Array:
    """Compute the weights of the polynomial through the (up to) four nodes around a point.

    Parameters
    ----------
    nodes : float64 array (n,)
        Potentials, ascending.
    at : float
        A potential.

    Returns
    -------
    float64 array (n,)
        They add up to 1.
    """
    n = min(NODES, len(nodes))
    first = int(np.clip(np.searchsorted(nodes, at) - n // 2, 0, len(nodes) - n))
    out = np.zeros(len(nodes))
    for i in range(first, first + n):
        others = [nodes[j] for j in range(first, first + n) if j != i]
        out[i] = np.prod([(at - x) / (nodes[i] - x) for x in others])
    return out


def _azimuth_of_sun(flux: Array, share: Array, ratio: Array) -> Array:
    """Factors (flavour, energy, cos_zenith, azimuth) by which the Sun changes azimuths, beside that of their mean.

    The bending of muons is opposite for both charges and hardly follows the Sun: the mean over flavours of the relative
    deviations from the mean over azimuth is that of the cutoffs. ``ratio`` is the Sun's factor on it over that on the
    mean, not a number where the cutoffs do not matter. Means over azimuth stay.
    """
    mean = (flux @ share)[..., None]
    deviation = np.mean(flux / mean - 1.0, axis=0)
    change = np.where(np.isfinite(ratio), ratio - 1.0, 0.0)[..., None]
    factor = 1.0 + change * deviation / np.maximum(1.0 + deviation, LEAST_SHARE)
    return np.asarray(factor * mean / (flux * factor @ share)[..., None])


def _between_coarse(site: SiteFlux, coarse: Array, energy: Array) -> Array:
    """Values (flavour, energy, cos_zenith) in the bins of the fluxes, linear between coarse bins."""
    low, high, up = between(log_centres(site.coarse_energy_edges_GeV), np.log(energy))
    rows = coarse[:, low] * (1.0 - up)[:, None] + coarse[:, high] * up[:, None]
    middle = 0.5 * (site.coarse_cos_edges[1:] + site.coarse_cos_edges[:-1])
    left, right, across = between(middle, 0.5 * (site.cos_edges[1:] + site.cos_edges[:-1]))
    return np.asarray(rows[:, :, left] * (1.0 - across) + rows[:, :, right] * across)


def _combined(log_error: Array, weights: Array) -> Array:
    """Relative error of an interpolation between dates: they share one fitted flux, so their errors add linearly."""
    return np.asarray(np.tensordot(weights, np.exp(log_error), axes=1))


def shipped_site(name: str, at: tuple[float, float] | None = None) -> SiteFlux:
    """Read the flux of a site that ships with sim3d.

    Parameters
    ----------
    name : str
        In any case.
    at : (float, float), optional
        Latitude and longitude, for the command that makes a table where none ships.

    Returns
    -------
    SiteFlux

    Raises
    ------
    InputError
        If none ships, with the command that makes its table.
    """
    known = shipped_sites()
    key = str(name).strip().lower()
    if key not in known:
        raise InputError(
            f"site: {name!r} has no flux that ships ({_listed(known)}); {_command(key, at)} makes its table"
        )
    return read_site_flux(known[key])


def _listed(known: dict[str, Path]) -> str:
    return f"those are {', '.join(known)}" if known else "none does yet"


def _command(name: str, at: tuple[float, float] | None) -> str:
    from geomag.sites import SITES

    if name in SITES:
        return f"`sim3d make-tables --site {name}`"
    lat, lon = at or ("LAT", "LON")
    return f"`sim3d make-tables --lat {lat} --lon {lon} --name {name or 'mysite'}`"


def heights_of(site: SiteFlux, energy_GeV: float, cos_zenith: float) -> dict[str, dict[str, Any]]:
    """Return the quantiles of the production height in the bin around a point.

    Parameters
    ----------
    site : SiteFlux
    energy_GeV, cos_zenith : float

    Returns
    -------
    dict of dict
        By flavour: km above the sphere of 6371.2 km by probability; None where nothing was made.
    """
    from sim3d.files.site_flux_file import HEIGHT_PROBABILITIES

    e = np.clip(np.searchsorted(site.coarse_energy_edges_GeV, energy_GeV) - 1, 0, site.modes.shape[1] - 1)
    c = np.clip(np.searchsorted(site.coarse_cos_edges, cos_zenith) - 1, 0, site.modes.shape[2] - 1)
    rows = (
        site.height_quantiles_km[:, e, c]
        if site.height_quantiles_km.size
        else np.full((4, len(HEIGHT_PROBABILITIES)), np.nan)
    )
    return {
        flavour: {
            f"{q:g}": float(x) if np.isfinite(x) else None for q, x in zip(HEIGHT_PROBABILITIES, row, strict=True)
        }
        for flavour, row in zip(FluxTable.flavours, rows, strict=True)
    }
