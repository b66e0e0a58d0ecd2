"""Compute the one-dimensional flux of a run's own models in the bins of its tables.

Smooth tables are fitted as factors on it (:mod:`sim3d.flux.smoothing`). The factor has the effects of the geomagnetic
field and of three dimensions, and is nearly constant at high energies, where a run has few hits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import PchipInterpolator

from atmosphere.errors import AtmosphereInputError
from hadronic.errors import HadronicInputError
from sim3d.cascade.energies import LOWEST_GEV, make_grid
from sim3d.cascade.flux import Place, solve_places
from sim3d.cascade.primaries import no_cutoff
from sim3d.cascade.solver import CascadeSolver
from sim3d.conventions.arrays import Array
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.flavours import FLAVOURS
from sim3d.errors import InputError
from sim3d.primaries.catalogue import highest_energy_GeV
from sim3d.simulation.calibrated import run_values
from sim3d.simulation.setup import make_atmosphere, make_primaries
from sim3d.simulation.variation import run_hadronic

if TYPE_CHECKING:
    from sim3d.config.schema import Config
    from sim3d.results.result import Result

BINS_PER_DECADE, DEPTH_STEP_G_CM2 = 10, 20.0
"""Coarser than for a flux: between 0.1 GeV and 10 TeV the shape is within 1% of the one with half the widths, and its
deviations are as smooth as the shape."""

_COSINES = np.array([0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.28, 0.38, 0.5, 0.65, 0.82, 1.0])
_NODES, _SHARES = np.polynomial.legendre.leggauss(4)


def flux_shape(config: Config, altitude_m: float, energy_edges_GeV: Array, cos_edges: Array) -> Array:
    """Compute the flux averaged over bins, in one dimension, without cutoff.

    Parameters
    ----------
    config : Config
        Of the run; its hadronic model, primaries (both at the values of its calibration) and atmosphere are used.
    altitude_m : float
        Of the observer, not negative.
    energy_edges_GeV, cos_edges : float64 arrays (n + 1,), (m + 1,)

    Returns
    -------
    float64 array (4, n, m)
        m^-2 s^-1 sr^-1 GeV^-1, The equations are solved for some directions that meet the ground, and some
        that do not, and the logarithm is interpolated.
    """
    named = config.hadronic
    hadronic = run_hadronic(named.model, named.definition, named.table, run_values(config))
    primaries, air = make_primaries(config), make_atmosphere(config)
    grid = make_grid(LOWEST_GEV, highest_energy_GeV(primaries.name), BINS_PER_DECADE)
    height = 1e-3 * max(altitude_m, 0.0)
    ratio = 1.0 + height / EARTH_RADIUS_KM
    dip = np.sqrt(1.0 - 1.0 / ratio**2)
    # down to the horizon, which an observer above the ground sees below him
    free = np.concatenate(([-dip, -0.5 * dip], _COSINES)) if height else _COSINES
    directions = [*((float(c), 0.0) for c in _COSINES), *((float(c), height) for c in free)]
    places = [Place(cosine, air, primaries, at_km, no_cutoff()) for cosine, at_km in directions]
    solver, limits = CascadeSolver(hadronic.tables, grid), config.primaries.energy_GeV
    found = solve_places(solver, places, energy_GeV=limits, depth_step_g_cm2=DEPTH_STEP_G_CM2)
    low, high = energy_edges_GeV[:-1], energy_edges_GeV[1:]
    flux = np.array([[one.mean_flux(flavour, low, high) for one in found] for flavour in FLAVOURS])
    n = len(_COSINES)
    flux = np.maximum(flux, 1e-300)
    ground = PchipInterpolator(_COSINES, np.log(flux[:, :n]), axis=1)
    sky = PchipInterpolator(free, np.log(flux[:, n:]), axis=1)
    middle, half = 0.5 * (cos_edges[1:] + cos_edges[:-1]), 0.5 * np.diff(cos_edges)
    out = np.zeros((len(FLAVOURS), len(low), len(middle)))
    for node, share in zip(_NODES, _SHARES, strict=True):
        cosine = middle + node * half
        at_ground = np.sqrt(np.maximum(1.0 - ratio**2 * (1.0 - cosine**2), 0.0))
        logs = np.where((cosine < -dip)[:, None], ground(at_ground), sky(np.maximum(cosine, -dip)))
        out += 0.5 * share * np.exp(logs).transpose(0, 2, 1)
    return out


def shape_of_result(result: Result, site: str, binning: str) -> Array | None:
    """Compute the shape for a table of a result.

    Parameters
    ----------
    result : Result
    site : str
    binning : str
        honda, fluka or fine.

    Returns
    -------
    float64 array (4, n, m) or None
        None where it is not positive in every bin, because the primaries' energies are limited, or where a model of
        the run cannot be read any more.
    """
    config = result.record.config
    edges = result.binning_energy_edges(f"{binning}_aa"), result.binning_cos_edges(f"{binning}_aa")
    try:
        shape = flux_shape(config, result.sites[site].altitude_m, *edges)
    except (InputError, HadronicInputError, AtmosphereInputError, OSError):
        return None
    return shape if np.all(shape > 1e-200) else None
