"""Compute the prompt neutrinos of observers under the models of a run: what the key ``charm`` adds to its fluxes.

One dimension suffices (docs/methods/cascade.md, "In runs"): where charm matters, primaries have TeV, charmed hadrons
fly metres, and angles of production are milliradians. Charm is then nearly independent of the direction, so the
equations are solved for few of them. All primaries come in: charm of those below a cutoff is 1e-4 of the neutrinos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from atmosphere.layers import LayeredAtmosphere
from hadronic.interaction.kernels import YieldTables
from hadronic.models import HadronicModel
from sim3d.cascade.energies import make_grid
from sim3d.cascade.flux import CascadeFlux, Place, solve_places
from sim3d.cascade.primaries import no_cutoff
from sim3d.cascade.solver import PARENTS, CascadeSolver
from sim3d.config.schema import NO_CHARM, Config
from sim3d.conventions.arrays import Array
from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV
from sim3d.conventions.flavours import FLAVOURS
from sim3d.primaries.catalogue import highest_energy_GeV
from sim3d.primaries.model import PrimaryModel
from sim3d.scoring.detectors import Detector

COSINES = (-1.0, -0.5, -0.1, 0.1, 0.5, 1.0)
"""Directions that are solved; between them ln(flux) is linear in the cosine, which is exact to 0.1%."""
BINS_PER_DECADE = 10
DEPTH_STEP_G_CM2 = 20.0
"""Coarser than by default; above 10 GeV the flux is within 0.7% of that of 20 bins and steps of 10 g/cm2."""
_LOWEST_GEV = 0.05


def prompt_fluxes(
    tables: YieldTables,
    primaries: PrimaryModel,
    air: LayeredAtmosphere,
    altitudes_km: Sequence[float],
    primary_energy_GeV: tuple[float, float],
    energy_edges_GeV: Array,
    cos_edges: Array,
) -> Array:
    """Compute the mean fluxes of prompt neutrinos in bins of energy and zenith; they do not depend on azimuth.

    Parameters
    ----------
    tables : YieldTables
        Of the hadronic model.
    primaries : PrimaryModel
    air : LayeredAtmosphere
    altitudes_km : sequence of float
        Heights of the observers.
    primary_energy_GeV : (float, float)
        Kinetic energies per nucleon of the primaries that are used.
    energy_edges_GeV : float64 array (energy + 1,)
    cos_edges : float64 array (cos_zenith + 1,)

    Returns
    -------
    float64 array (observers, 4, energy, cos_zenith)
        m^-2 s^-1 sr^-1 GeV^-1, by :data:`sim3d.conventions.flavours.FLAVOURS`; 0 where no charm is made.
    """
    heights = list(dict.fromkeys(altitudes_km))
    places = [Place(cosine, air, primaries, height, no_cutoff()) for height in heights for cosine in COSINES]
    solver = CascadeSolver(tables, make_grid(_LOWEST_GEV, highest_energy_GeV(primaries.name), BINS_PER_DECADE))
    found = solve_places(solver, places, energy_GeV=primary_energy_GeV, depth_step_g_cm2=DEPTH_STEP_G_CM2, charm=True)
    energies = energy_edges_GeV[:-1], energy_edges_GeV[1:]
    at_nodes = np.array([[of_charm(one).mean_flux(flavour, *energies) for flavour in FLAVOURS] for one in found])
    at_nodes = at_nodes.reshape(len(heights), len(COSINES), *at_nodes.shape[1:])
    middles = 0.5 * (cos_edges[1:] + cos_edges[:-1])
    upper = np.clip(np.searchsorted(COSINES, middles), 1, len(COSINES) - 1)
    nodes = np.array(COSINES)
    share = (middles - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(at_nodes, 0.0))
    low, high = np.moveaxis(logs[:, upper - 1], 1, -1), np.moveaxis(logs[:, upper], 1, -1)
    with np.errstate(invalid="ignore"):
        between = np.exp((1.0 - share) * low + share * high)
    of_height = np.nan_to_num(between, nan=0.0)
    return of_height[[heights.index(height) for height in altitudes_km]]


def prompt_of_run(
    config: Config,
    detectors: Sequence[Detector],
    air: LayeredAtmosphere,
    hadronic: HadronicModel,
    primaries: PrimaryModel,
) -> dict[str, Array]:
    """Compute the prompt fluxes at the sites of a run, in the bins of its result.

    Parameters
    ----------
    config : Config
    detectors : sequence of Detector
    air : LayeredAtmosphere
    hadronic : HadronicModel
    primaries : PrimaryModel
        The models of the run (:class:`sim3d.simulation.setup.Setup`), with its changes of parameters.

    Returns
    -------
    dict of float64 arrays (flavour, N_ENERGY, N_COS)
        By site (m^-2 s^-1 sr^-1 GeV^-1); empty without ``charm`` of ``[hadronic]``.
    """
    if config.hadronic.charm == NO_CHARM:
        return {}
    heights = [1e-3 * one.altitude_m for one in detectors]
    limits = config.primaries.energy_GeV
    found = prompt_fluxes(hadronic.tables, primaries, air, heights, limits, ENERGY_EDGES_GEV, COS_EDGES)
    return {one.name: flux for one, flux in zip(detectors, found, strict=True)}


def of_charm(flux: CascadeFlux) -> CascadeFlux:
    """Keep of a flux the neutrinos of charm alone.

    Parameters
    ----------
    flux : CascadeFlux
        Computed with charm.

    Returns
    -------
    CascadeFlux
    """
    charm = flux.parents[:, PARENTS.index("charm")]
    return replace(flux, numbers={**flux.numbers, **dict(zip(FLAVOURS, charm, strict=True))})
