"""Make the compact flux file of a site from runs, and check it against an independent run.

One run for each date of the field, all with the same models and solar potential. Fluxes are smoothed, as factors on the
one-dimensional flux of the same models; the dates share one smooth flux and have a factor on it each
(:mod:`sim3d.flux.field_dates`). What the Sun does comes from the run's own showers under other potentials
(``scoring.variations``), so that its statistical error is small; what it does to the dependence on azimuth, over which
these are averaged, comes from the cutoffs (:mod:`sim3d.studies.sun_by_azimuth`). The derivatives by the model's
parameters are written in the fewest directions that keep the error of the model in every bin.
"""

from __future__ import annotations

import datetime
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import sim3d
from sim3d.config.calibration import NO_CALIBRATION
from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.conventions.arrays import Array
from sim3d.conventions.binning import COS_EDGES
from sim3d.errors import InputError
from sim3d.files.calibration_file import Calibration
from sim3d.files.flux_table import FluxTable
from sim3d.files.site_flux_file import HEIGHT_PROBABILITIES, SiteFlux
from sim3d.flux.bin_correlation import averaged
from sim3d.flux.field_dates import smooth_dates
from sim3d.flux.site_flux import site_tables
from sim3d.flux.smoothing import centres
from sim3d.primaries.build import primary_model
from sim3d.primaries.solar import SolarInputError
from sim3d.results.bin_errors import hit_values, neutrino_grid
from sim3d.results.gradients import over
from sim3d.results.heights import production_heights
from sim3d.results.jackknife import jackknife
from sim3d.results.model_parameters import LogDerivatives, ParameterErrors, without_holes
from sim3d.results.result import Result
from sim3d.results.tables import sample_table
from sim3d.studies.run_shape import flux_shape
from sim3d.studies.sun_by_azimuth import azimuth_factors

BASE_MV = 600.0
POTENTIALS_MV = (300.0, 450.0, 600.0, 800.0, 1050.0, 1350.0)
"""Solar potentials of the tables, on the scale with 591 MV in July 1998; the base is that of the runs."""

KEPT_ERROR = 0.01
"""Largest relative change of the model's error in a bin by leaving out directions of the derivatives."""

AIR_DATE = "2020-05-01"
"""Day of the year whose air stands for the mean of the year. By NRLMSIS temperatures at 10 to 25 km are then within
about 5 K of it at South Pole, Pyhasalmi, SNO and Kamioka; at South Pole January and July are 30 K from it."""

GOALS = ((0.1, 1e3, 0.02), (1e3, 1e4, 0.04))
"""Largest statistical error in 95% of the azimuth-averaged bins, by range of energy (GeV)."""

SECOND_RUN = 5
"""Added to the seed of a run for a second run of the same site and date; the check run has the 9th seed of a site."""

LEAST_HITS = 10.0
"""Fewest expected effective hits of a bin in a comparison with another run."""

_ERRORS = (1e-4, 1e3)
"""Smallest and largest relative error that is stored."""

_SERIES_YEARS = (1960, 2030)


@dataclass(frozen=True)
class SitePlan:
    """What the runs of all sites have in common.

    Attributes
    ----------
    primaries : int
        Of each run.
    field_dates : tuple of str
        Ascending.
    parameters : tuple of str
        Whose derivatives are scored.
    models : mapping
        ``hadronic``, ``primaries`` and ``atmosphere``: names.
    calibration : mapping
        Table ``[calibration]``; empty for none: a flux is moved to a calibration when it is read.
    seed : int
    """

    primaries: int
    field_dates: tuple[str, ...]
    parameters: tuple[str, ...]
    models: Mapping[str, str]
    calibration: Mapping[str, str]
    seed: int = 1


def site_configuration(plan: SitePlan, place: Mapping[str, Any], number: int, check: bool = False) -> Config:
    """Make the configuration of a run of a site.

    Parameters
    ----------
    plan : SitePlan
    place : mapping
        ``name``, ``lat``, ``lon`` and ``altitude_m``.
    number : int
        Of the field's date.
    check : bool
        The independent run that the file is compared with: another seed, a tenth of the primaries.

    Notes
    -----
    The seed depends on the name, so that deviations of one site say nothing about another's.

    Returns
    -------
    Config
    """
    points = [
        {"name": f"sun{potential:.0f}", "parameters": {"solar:MV": potential - BASE_MV}}
        for potential in POTENTIALS_MV
        if potential != BASE_MV
    ]
    scoring: dict[str, Any] = {"azimuth_bins": 12}
    if not check:
        scoring |= {"gradients": list(plan.parameters), "variations": points, "heights": True}
    atmosphere: dict[str, Any] = {"model": plan.models["atmosphere"]}
    if atmosphere["model"] == "nrlmsis":
        atmosphere["date"] = AIR_DATE
    return make_config(
        {
            "run": {
                "primaries": max(plan.primaries // 10, 1000) if check else plan.primaries,
                "seed": plan.seed + 10 * (zlib.crc32(place["name"].encode()) % 10_000_000) + (9 if check else number),
            },
            "primaries": {"model": plan.models["primaries"], "solar_potential_MV": BASE_MV},
            "hadronic": {"model": plan.models["hadronic"]},
            "field": {"date": plan.field_dates[number]},
            "atmosphere": atmosphere,
            "scoring": scoring,
            "sites": [dict(place)],
            "calibration": dict(plan.calibration) or {"name": NO_CALIBRATION},
        }
    )


def more_primaries(config: Config, primaries: int) -> Config:
    """Make the configuration of a second run of a site and date, to be merged with the first.

    Parameters
    ----------
    config : Config
        From :func:`site_configuration`.
    primaries : int
        Of the second run.

    Returns
    -------
    Config
        With another seed, and the first run's size of batch.
    """
    run = config.run.model_copy(update={"primaries": primaries, "seed": config.run.seed + SECOND_RUN})
    return config.model_copy(update={"run": run})


def make_site_flux(results: Sequence[Result], errors: ParameterErrors | None, prior: Array | None = None) -> SiteFlux:
    """Make the flux of a site from its runs.

    Parameters
    ----------
    results : sequence of Result
        One for each date of the field, ascending; of one site each.
    errors : ParameterErrors or None
        Parameters and their covariance.
    prior : float64 array (p, p), optional
        Prior covariance of the parameters, own units; by default that of ``errors``.

    Returns
    -------
    SiteFlux

    Raises
    ------
    InputError
        If the runs do not belong together.
    """
    first = results[0]
    name = first.default_site(None)
    dates = tuple(one.record.config.field.date for one in results)
    if list(dates) != sorted(set(dates)):
        raise InputError("field dates of the runs", ", ".join(dates), "rising dates")
    bins = sample_table(first, name, "honda", azimuth=False)
    altitude_m = first.sites[name].altitude_m
    shape = flux_shape(first.record.config, altitude_m, bins.energy_edges_GeV, bins.cos_edges)
    dated = smooth_dates(results, name, 12, shape)
    table = dated.table
    gradients = [one.gradients(name) for one in results]
    coarse = gradients[0]
    modes, mix, rank = np.zeros((4, len(coarse.energy_edges_GeV) - 1, 20, 0)), np.zeros((0, 0)), 0
    if errors is not None:
        slopes = np.mean([LogDerivatives(each, errors).slopes for each in gradients], axis=0)
        modes, mix = compressed(slopes, errors)
        rank = mix.shape[0]
    months, series = solar_series(str(first.record.config.primaries.model))
    info = first.sites[name]
    record = {
        "sim3d": sim3d.__version__,
        "runs": [_provenance(one) for one in results],
        "azimuth_frame": first.azimuth_frame,
        "directions": rank,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
    }
    heights = production_heights(first, name) if first.record.config.scoring.heights else None
    quantiles = (
        np.zeros((4, 0, 0, 0))
        if heights is None
        else np.stack([heights.quantile_km(q) for q in HEIGHT_PROBABILITIES], axis=-1)
    )
    units = np.zeros(0) if errors is None else errors.sigma
    covariance = np.zeros((0, 0)) if errors is None else errors.covariance * np.outer(units, units)
    return SiteFlux(
        name=name,
        lat_deg=info.lat_deg,
        lon_deg=info.lon_deg,
        altitude_m=info.altitude_m,
        field_dates=dates,
        energy_edges_GeV=table.energy_edges_GeV,
        cos_edges=table.cos_edges,
        azimuth_edges_deg=table.azimuth_edges_deg,
        log_flux=np.log(dated.flux * table.energies_GeV[:, None, None] ** 3),
        log_error=np.log(np.clip(dated.relative_error, *_ERRORS)),
        log_error_average=np.log(np.clip(dated.relative_error_of_average, *_ERRORS)),
        base_MV=BASE_MV,
        potentials_MV=np.array(POTENTIALS_MV),
        log_sun=np.mean([sun_factors(one, name) for one in results], axis=0),
        solar_months=months,
        solar_series_MV=series,
        coarse_energy_edges_GeV=coarse.energy_edges_GeV,
        coarse_cos_edges=coarse.cos_edges,
        parameters=() if errors is None else errors.names,
        sigma=units,
        covariance=covariance,
        prior=covariance if prior is None else prior,
        modes=modes,
        mix=mix,
        height_quantiles_km=quantiles,
        record=record,
        log_sun_azimuth=azimuth_factors(results[-1].record.config, info.lat_deg, info.lon_deg, BASE_MV, POTENTIALS_MV),
    )


def sun_factors(result: Result, site: str) -> Array:
    """Compute ln(flux at a potential / flux of the run) for :data:`POTENTIALS_MV`, from the run's variations.

    Parameters
    ----------
    result : Result
        Of :func:`site_configuration`.
    site : str

    Returns
    -------
    float64 array (potential, flavour, energy, cos_zenith)
        In the bins of the gradients.
    """
    gradients = result.gradients(site)
    mean = gradients.mean()
    columns = ["flux", *gradients.parameters, *(f"variation:{name}" for name in gradients.variations)]
    out = []
    for potential in POTENTIALS_MV:
        if potential == BASE_MV:
            out.append(np.zeros(mean.shape[:-1]))
            continue
        ratio = over(mean[..., columns.index(f"variation:sun{potential:.0f}")], mean[..., 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            out.append(without_holes(np.log(ratio)[..., None])[..., 0])
    return np.stack(out)


def compressed(slopes: Array, errors: ParameterErrors, tolerance: float = KEPT_ERROR) -> tuple[Array, Array]:
    """Write derivatives in the fewest directions that keep the model's error in every bin.

    The directions are those of a singular value decomposition of the derivatives times the square root of the
    covariance, so that what the covariance forbids takes no room.

    Parameters
    ----------
    slopes : float64 array (flavour, energy, cos_zenith, p)
        Per sigma.
    errors : ParameterErrors
    tolerance : float
        Largest relative change of the error of a bin.

    Returns
    -------
    modes : float64 array (flavour, energy, cos_zenith, r)
    mix : float64 array (r, p)
        slopes = modes @ mix, nearly.
    """
    flat = slopes.reshape(-1, slopes.shape[-1])
    values, vectors = np.linalg.eigh(errors.covariance)
    root = vectors * np.sqrt(np.maximum(values, 1e-12 * values.max()))
    u, s, vt = np.linalg.svd(flat @ root, full_matrices=False)
    whole = np.sqrt(np.sum((u * s) ** 2, axis=1))
    kept = np.sqrt(np.cumsum((u * s) ** 2, axis=1))
    worst = np.max(1.0 - np.divide(kept, whole[:, None], out=np.ones_like(kept), where=whole[:, None] > 0.0), axis=0)
    rank = int(np.argmax(worst <= tolerance)) + 1
    modes = (u * s)[:, :rank].reshape(*slopes.shape[:-1], rank)
    return modes, vt[:rank] @ np.linalg.inv(root)


@cache
def solar_series(model: str) -> tuple[Array, Array]:
    """List the solar potentials of all months in a primary model's own series.

    Parameters
    ----------
    model : str

    Returns
    -------
    months : int array (n,)
        Year times 100 plus month.
    potentials_MV : float64 array (n,)
    """
    months, potentials = [], []
    for year in range(*_SERIES_YEARS):
        for month in range(1, 13):
            try:
                made = primary_model(model, "date", f"{year}-{month:02d}-01")
            except (SolarInputError, ValueError):
                continue
            months.append(100 * year + month)
            potentials.append(made.solar_potential_MV)
    return np.array(months, dtype=np.int64), np.array(potentials)


def _provenance(result: Result) -> dict[str, Any]:
    """Numbers that say how a run was made."""
    keys = ("primaries", "seed", "primary_model", "hadronic_model", "atmosphere", "field_date", "field_generation",
            "sim3d", "kernels", "libraries", "calibration", "created")  # fmt: skip
    return {key: _plain(result.attributes[key]) for key in keys if key in result.attributes}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def precision(site: SiteFlux) -> list[dict[str, float]]:
    """Compute the statistical errors of azimuth averages in the ranges of :data:`GOALS`.

    Parameters
    ----------
    site : SiteFlux

    Returns
    -------
    list of dict
        ``low_GeV``, ``high_GeV``, ``goal``; relative errors: the ``median`` of the bins of all flavours, and what is
        not exceeded ``in_95_percent`` of them.
    """
    table, _, _ = site_tables(site)
    assert table.error is not None
    rows = []
    for low, high, goal in GOALS:
        inside = (table.energies_GeV >= low * 0.999) & (table.energies_GeV <= high * 1.001)
        relative = (table.error / table.flux)[:, inside]
        median, most = (round(float(x), 4) for x in np.quantile(relative, (0.5, 0.95)))
        rows.append({"low_GeV": low, "high_GeV": high, "goal": goal, "median": median, "in_95_percent": most})
    return rows


def agreement(site: SiteFlux, other: Result, calibration: Calibration | None = None) -> dict[str, dict[str, float]]:
    """Compare the flux of a site with an independent run: chi2 per bin, sky averages and east-west asymmetries.

    Parameters
    ----------
    site : SiteFlux
    other : Result
        A run of the same configuration with another seed, at a date of the field that the site has.
    calibration : Calibration, optional
        That the site's flux is moved to; the run is one with ``[calibration]``.

    Returns
    -------
    dict of dict
        By flavour: ``bins`` with 10 expected effective hits or more, ``chi2_per_bin`` of azimuth averages with the
        errors of both, ``sky_pull`` (0.5 to 10 GeV) and ``east_west_pull`` (of (east - west) / (east + west), 0.5 to
        3 GeV, near the horizon): differences in their errors, from groups of batches of the run.
    """
    name = other.default_site(None)
    average, by_azimuth, _ = site_tables(site, None, calibration)
    raw = sample_table(other, name, "honda", azimuth=False)
    assert average.error is not None
    assert raw.error is not None
    middle = (average.energies_GeV >= 0.5) & (average.energies_GeV <= 10.0)
    widths = np.diff(average.energy_edges_GeV)
    near = np.abs(centres(average.cos_edges)) < 0.5
    low = (average.energies_GeV >= 0.5) & (average.energies_GeV <= 3.0)
    # an error of the site's runs is that of the other run, from more primaries
    more = sum(one["primaries"] for one in site.record["runs"])
    scale = np.sqrt(1.0 + int(other.attributes["primaries"]) / more)
    groups = _east_west_groups(other, name, average)
    sums = np.stack(
        [
            np.einsum("fecd,e->fd", _halves(by_azimuth)[:, middle], widths[middle]),
            np.einsum("fecd,e->fd", _halves(by_azimuth)[:, low][:, :, near], widths[low]),
        ]
    )  # fmt: skip
    seen_sky, spread_sky = jackknife(
        lambda mean: np.einsum("fecd,e->f", mean[:, middle], widths[middle]), groups, other.group_weights
    )
    seen_ratio, spread_ratio = jackknife(
        lambda mean: _asymmetry(np.einsum("fecd,e->fd", mean[:, low][:, :, near], widths[low])),
        groups,
        other.group_weights,
    )
    out = {}
    # a bin's own sample error is small where no heavy hit came, so the variance is that of hits around, times the flux
    grid = neutrino_grid(raw.energies_GeV, raw.cos_edges, raw.azimuth_edges_deg)
    phi = hit_values(raw.flux, np.where(raw.hit, raw.error * raw.error, 0.0), grid, passes=2)
    for f, flavour in enumerate(FluxTable.flavours):
        value, error = average.flux[f, ..., 0], average.error[f, ..., 0]
        seen = raw.flux[f, ..., 0]
        square = (seen - value) ** 2 / (phi[f, ..., 0] * value + error**2)
        good = value >= LEAST_HITS * phi[f, ..., 0]
        out[flavour] = {
            "bins": float(good.sum()),
            "chi2_per_bin": float(square[good].mean()) if good.any() else float("nan"),
            "sky_pull": float((seen_sky - sums[0].sum(axis=1))[f] / (scale * spread_sky[f])),
            "east_west_pull": float((seen_ratio - _asymmetry(sums[1]))[f] / (scale * spread_ratio[f])),
        }
    return out


def _east_west_groups(run: Result, site: str, table: FluxTable) -> Array:
    """Flux of each group of batches in the table's bins of energy and zenith, from the east and from the west."""
    groups = np.asarray(run.groups_east_west(site))
    groups = averaged(groups, run.binning_energy_edges("fine_aa"), table.energy_edges_GeV, 2)
    return averaged(groups, COS_EDGES, table.cos_edges, 3)


def _halves(table: FluxTable) -> Array:
    """Means over the azimuths of the east and of the west, (flavour, energy, cos_zenith, 2)."""
    half = table.flux.shape[-1] // 2
    return np.stack([table.flux[..., :half].mean(axis=-1), table.flux[..., half:].mean(axis=-1)], axis=-1)


def _asymmetry(sums: Array) -> Array:
    """(east - west) / (east + west) of the last axis."""
    return (sums[..., 0] - sums[..., 1]) / (sums[..., 0] + sums[..., 1])
