"""Add the prompt neutrinos to a run: those that the cascade equations give under the run's own models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atmosphere.layers import LayeredAtmosphere
from hadronic.models import HadronicModel, load_model
from sim3d.config.schema import NO_CHARM, Config
from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV
from sim3d.primaries.model import PrimaryModel
from sim3d.scoring.detectors import Detector
from sim3d.simulation.calibrated import run_values
from sim3d.simulation.setup import make_atmosphere, make_primaries
from sim3d.simulation.variation import varied_hadronic


def prompt_of_run(
    config: Config,
    detectors: Sequence[Detector],
    air: LayeredAtmosphere,
    hadronic: HadronicModel,
    primaries: PrimaryModel,
) -> dict[str, np.ndarray]:
    """Compute the prompt fluxes at the sites of a run; it takes seconds.

    Parameters
    ----------
    config : Config
    detectors : sequence of Detector
    air : LayeredAtmosphere
    hadronic : HadronicModel
    primaries : PrimaryModel
        The models of the run, with its changes of parameters.

    Returns
    -------
    dict of float64 arrays (flavour, N_ENERGY, N_COS)
        By site, mean fluxes in the fine bins (m^-2 s^-1 sr^-1 GeV^-1); empty without ``hadronic.charm``.
    """
    if config.hadronic.charm == NO_CHARM:
        return {}
    from sim3d.cascade.prompt import prompt_fluxes

    heights = [1e-3 * one.altitude_m for one in detectors]
    low, high = config.primaries.energy_GeV
    found = prompt_fluxes(hadronic.tables, primaries, air, heights, (low, high), ENERGY_EDGES_GEV, COS_EDGES)
    return {one.name: flux for one, flux in zip(detectors, found, strict=True)}


def prompt_of_config(config: Config, detectors: Sequence[Detector]) -> dict[str, np.ndarray]:
    """Do the same from a configuration alone, as for primaries that a result was reweighted to.

    Parameters
    ----------
    config : Config
    detectors : sequence of Detector

    Returns
    -------
    dict of float64 arrays
        As :func:`prompt_of_run`.
    """
    if config.hadronic.charm == NO_CHARM:
        return {}
    model = load_model(config.hadronic.model, config.hadronic.definition, config.hadronic.table)
    hadronic = varied_hadronic(model, run_values(config))
    return prompt_of_run(config, detectors, make_atmosphere(config), hadronic, make_primaries(config))
