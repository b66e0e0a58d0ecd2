"""Compute how the Sun changes the part of a site's flux that depends on azimuth: closed form, without a run.

Runs score fluxes under other solar potentials averaged over azimuth. How the dependence on azimuth follows the Sun is
known without them, because it has one cause: the geomagnetic cutoff lets primaries of a band of rigidities in from some
azimuths and not from others. In one dimension, with the flux Y(R) dR of neutrinos of one energy and zenith that
primaries of rigidity R make at the base potential, and the cutoff c(alpha) of the azimuth alpha,

    F(alpha) = integral_c(alpha)^inf Y(R) dR,    F'(alpha) = integral_c(alpha)^inf r(R) Y(R) dR,

where r(R) is the ratio of the primary fluxes at the other potential and at the base. So deviations from the mean over
azimuth, a = F - <F> and a' = F' - <F'>, are related by r of the band alone: a' = q a, q between the least and the
largest r of the band. Here q is the projection <a a'> / <a a>, from cutoffs traced in the IGRF
(:func:`geomag.cutoffs.whole_sky.whole_sky_map`) and Y of the cascade equations, whose flux behind sharp cutoffs gives
its integrals. What three dimensions and the bending of muons do to a is in the flux itself, which a' = q a is applied
to (:mod:`sim3d.flux.site_flux`). `scripts/studies/azimuth_shift.py` compares it with showers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from geomag.cutoffs.whole_sky import whole_sky_map
from geomag.field.igrf import FieldModel
from sim3d.cascade.energies import LOWEST_GEV, make_grid
from sim3d.cascade.flux import Place, solve_places
from sim3d.cascade.primaries import sharp_cutoff
from sim3d.cascade.solver import CascadeSolver
from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.errors import InputError
from sim3d.files.site_flux_file import SiteFlux
from sim3d.primaries.build import primary_model
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, GROUPS, NUCLEON_MASS_GEV
from sim3d.primaries.model import PrimaryModel
from sim3d.scoring.gradients import BINS
from sim3d.simulation.calibrated import run_values
from sim3d.simulation.setup import make_atmosphere, make_primaries
from sim3d.simulation.variation import run_hadronic

RIGIDITIES_GV = np.array([0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 13.0, 17.0, 22.0, 29.0, 38.0, 50.0, 65.0])
"""Sharp cutoffs for which the cascade equations are solved; none of the Earth's is above the last."""
LEAST_SPREAD = 0.005
"""Least root mean square of F / <F> - 1 over azimuth; below it the cutoffs do not matter and q is not a number."""

_COSINES = np.array([0.05, 0.3, 1.0])
_HIGHEST_GEV = 1.0e4
_DEPTH_STEP_G_CM2, _BINS_PER_DECADE = 20.0, 10
_CELL_DEG, _STEP_GV = 9.0, 0.5
"""Of the map of cutoffs: its 20 cosines are the middles of the bins of the gradients."""
_LEAST_FLUX = 1e-300


def nucleons(model: PrimaryModel, rigidity_GV: Array) -> Array:
    """Compute the flux of primary nucleons of all groups by rigidity.

    Parameters
    ----------
    model : PrimaryModel
    rigidity_GV : float64 array (n,)

    Returns
    -------
    float64 array (n,)
        m^-2 s^-1 sr^-1 GV^-1.
    """
    total = np.zeros_like(rigidity_GV)
    for group, charge, mass_number in zip(GROUPS, GROUP_CHARGE, GROUP_MASS_NUMBER, strict=True):
        momentum = rigidity_GV * charge / mass_number
        energy = np.hypot(momentum, NUCLEON_MASS_GEV) - NUCLEON_MASS_GEV
        slope = momentum / (energy + NUCLEON_MASS_GEV) * charge / mass_number
        total += mass_number * model.flux(group, energy) * slope
    return total


def azimuth_factors(
    config: Config, lat_deg: float, lon_deg: float, base_MV: float, potentials_MV: Sequence[float]
) -> Array:
    """Compute ln(q) of the module's header for solar potentials.

    Parameters
    ----------
    config : Config
        Of a run of the site: its models, air and date of the field are used.
    lat_deg, lon_deg : float
        Geodetic.
    base_MV : float
        Potential of the run.
    potentials_MV : sequence of float

    Returns
    -------
    float64 array (potential, energy, cos_zenith)
        In the bins of the gradients; the mean over flavours. Not a number where the cutoffs do not matter, and above
        1 TeV.
    """
    sky = whole_sky_map(lat_deg, lon_deg, FieldModel(config.field.date), cell_deg=_CELL_DEG, step_GV=_STEP_GV)
    energies = BINS.energies_GeV[BINS.energies_GeV < 0.1 * _HIGHEST_GEV]
    behind = flux_behind_cutoffs(config, energies)
    middle = np.sqrt(np.maximum(RIGIDITIES_GV[:-1], 0.5) * RIGIDITIES_GV[1:])
    name, join_GeV = str(config.primaries.model), config.primaries.join_GeV

    def flux(potential: float) -> Array:
        return nucleons(primary_model(name, potential, join_GeV=join_GeV), middle)

    ratios = np.array([flux(at) / flux(base_MV) for at in potentials_MV])
    out = np.full((len(potentials_MV), len(BINS.energies_GeV), len(sky.cos_zenith)), np.nan)
    for i, (cosine, cutoffs) in enumerate(zip(sky.cos_zenith, sky.effective_GV, strict=True)):
        below = np.minimum(cutoffs, RIGIDITIES_GV[-1])
        at = at_cosine(behind, cosine)
        bands = np.exp(at[:-1]) - np.exp(at[1:])
        a, whole = _deviations(bands, below), PchipInterpolator(RIGIDITIES_GV, np.exp(at))(below).mean(axis=0)
        square = np.mean(a**2, axis=0)
        matters = square > (LEAST_SPREAD * whole) ** 2
        for k, ratio in enumerate(ratios):
            q = np.mean(a * _deviations(bands * ratio[:, None], below), axis=0)[matters] / square[matters]
            out[k, : len(energies), i][matters] = np.log(q)
    return out


def flux_behind_cutoffs(config: Config, energies_GeV: Array) -> Array:
    """Compute the logarithm of the one-dimensional flux behind sharp cutoffs, mean of flavours.

    Parameters
    ----------
    config : Config
        Its hadronic model and primaries, both at the values of its calibration and of ``[vary]``, and its air.
    energies_GeV : float64 array (n,)

    Returns
    -------
    float64 array (cosine, cutoff, n)
        For three cosines, and for :data:`RIGIDITIES_GV`.
    """
    named = config.hadronic
    hadronic = run_hadronic(named.model, named.definition, named.table, run_values(config))
    primaries, air = make_primaries(config), make_atmosphere(config)
    solver = CascadeSolver(hadronic.tables, make_grid(LOWEST_GEV, _HIGHEST_GEV, _BINS_PER_DECADE))
    places = [Place(float(c), air, primaries, 0.0, sharp_cutoff(float(x))) for c in _COSINES for x in RIGIDITIES_GV]
    found = solve_places(solver, places, energy_GeV=(0.0, _HIGHEST_GEV), depth_step_g_cm2=_DEPTH_STEP_G_CM2)
    flux = np.array([np.mean([one.flux(flavour, energies_GeV) for flavour in FLAVOURS], axis=0) for one in found])
    return np.log(np.maximum(flux, _LEAST_FLUX)).reshape(len(_COSINES), len(RIGIDITIES_GV), -1)


def at_cosine(behind: Array, cosine: float) -> Array:
    """Interpolate :func:`flux_behind_cutoffs` to a zenith angle; neutrinos from below are those of their entry.

    Parameters
    ----------
    behind : float64 array (cosine, cutoff, n)
    cosine : float
        cos_zenith at the detector.

    Returns
    -------
    float64 array (cutoff, n)
    """
    return np.asarray(PchipInterpolator(_COSINES, behind, axis=0)(max(abs(cosine), _COSINES[0])))


def _deviations(bands: Array, cutoffs_GV: Array) -> Array:
    """Deviations from the mean over azimuth of the flux behind cutoffs: (azimuth, energy)."""
    above = np.concatenate([np.cumsum(bands[::-1], axis=0)[::-1], np.zeros((1, bands.shape[1]))])
    values = PchipInterpolator(RIGIDITIES_GV, above)(cutoffs_GV)
    return np.asarray(values - values.mean(axis=0))


def with_azimuth_factors(site: SiteFlux) -> SiteFlux:
    """Add :func:`azimuth_factors` to the flux of a site that was made without them.

    Parameters
    ----------
    site : SiteFlux
        With the configurations of its runs in its record, as `scripts/campaigns/site_tables.py` leaves them.

    Returns
    -------
    SiteFlux

    Raises
    ------
    InputError
        If the record has no configuration.
    """
    configurations = site.record.get("configurations")
    if not configurations:
        raise InputError(f"{site.name}: its record has no configuration of its runs")
    config = make_config(configurations[-1])
    factors = azimuth_factors(config, site.lat_deg, site.lon_deg, site.base_MV, site.potentials_MV.tolist())
    return replace(site, log_sun_azimuth=factors)
