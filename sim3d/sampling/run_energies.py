"""Choose the density of the primaries' energies of a run: a power law, or a mixture for what the run scores.

Runs that score muons without neutrinos have a mixture of their own. A muon that reaches the ground comes from a primary
of at least some GeV, and muons of 1 to 3 TeV/c from 5 to 100 TeV. The choice changes statistical errors, not
expectation values. It is apart from :mod:`sim3d.sampling.energy_law`, whose kernels would be compiled anew with every
change of a number here.
"""

from __future__ import annotations

import numpy as np

from sim3d.config.schema import Config
from sim3d.sampling.energy_law import FLUX_INDEX, LAW_ENERGIES_GEV, SAMPLING_SHIFT_GEV, energy_law
from sim3d.shower.weight_sharing import GRID_GEV

MUON_HARD_SHARE = 0.7
"""Share of the hard part: with it errors of muons near the vertical are most alike from 0.6 GeV/c to 3 TeV/c."""
_SOFT_FROM_GEV, _HARD_FROM_GEV = 12.0, 15.0
_HARD_TO_GEV, _HARD_SLOPE = 2.0e4, 0.7
_STEEPEST_ROULETTE = 1.3
"""As for the other mixture."""
_LOW_LEVELS_KM = 2.0
"""Above this altitude protons and neutrons of some GeV come from primaries that hardly reach the ground: where a level
is higher, the soft part goes on to low energies as in other runs."""
_LOW_LEVELS_G_CM2 = 800.0


def _all_levels_are_low(config: Config) -> bool:
    """Whether every level at which muons are scored is near the ground."""
    muons = config.muons
    ground = [site.altitude_m or 0.0 for site in config.sites if muons.ground]
    altitudes = [1e-3 * altitude for altitude in ground] + list(muons.altitudes_km)
    return all(one < _LOW_LEVELS_KM for one in altitudes) and all(one > _LOW_LEVELS_G_CM2 for one in muons.depths_g_cm2)


def muon_mixture(energy: np.ndarray, low: float, high: float, low_levels: bool) -> np.ndarray:
    """Compute the density of ln E for runs that score muons alone, normalised between two energies.

    Parameters
    ----------
    energy : float64 array (n,)
        Kinetic energies per nucleon (GeV).
    low, high : float
        GeV.
    low_levels : bool
        Whether muons are scored near the ground only: few primaries below 10 GeV then.

    Returns
    -------
    float64 array (n,)
    """
    soft_from = _SOFT_FROM_GEV if low_levels else 0.0

    def soft(e: np.ndarray) -> np.ndarray:
        return np.asarray(e / (e + SAMPLING_SHIFT_GEV) ** 2 / (1.0 + (soft_from / e) ** 2))

    def hard(e: np.ndarray) -> np.ndarray:
        return np.asarray((1.0 + e / _HARD_TO_GEV) ** -_HARD_SLOPE / (1.0 + (_HARD_FROM_GEV / e) ** 2))

    points = 4000
    width = np.log(high / low) / points
    grid = low * np.exp(width * (np.arange(points) + 0.5))
    parts = ((1.0 - MUON_HARD_SHARE, soft), (MUON_HARD_SHARE, hard))
    return np.asarray(sum(share * part(energy) / (part(grid).sum() * width) for share, part in parts))


def run_energies(config: Config) -> tuple[float, np.ndarray, np.ndarray]:
    """Build the sampling density of a run and the weights of its roulette.

    Parameters
    ----------
    config : Config

    Returns
    -------
    index : float
        Index of the power law; 0 for a mixture.
    law : float64 array
        Cumulative table of the mixture, as :func:`sim3d.sampling.energy_law.mixture_law`; empty for a power law.
    roulette : float64 array (nodes,)
        ln of the roulette's wanted weights, as :func:`sim3d.sampling.energy_law.mixture_roulette`.
    """
    low, high = config.primaries.energy_GeV
    index = config.primaries.energy_index
    if index is not None or config.scoring.neutrinos:
        return energy_law(low, high, index)
    low_levels = _all_levels_are_low(config)
    middle = np.sqrt(LAW_ENERGIES_GEV[1:] * LAW_ENERGIES_GEV[:-1])
    steps = muon_mixture(middle, low, high, low_levels) * np.diff(np.log(LAW_ENERGIES_GEV))
    per_gev = muon_mixture(GRID_GEV, low, high, low_levels) / GRID_GEV
    level = -FLUX_INDEX * np.log(GRID_GEV + SAMPLING_SHIFT_GEV) - np.log(per_gev)
    slopes = np.clip(np.diff(level) / np.diff(np.log(GRID_GEV)), -_STEEPEST_ROULETTE, 0.0)
    roulette = np.concatenate([[0.0], np.cumsum(slopes * np.diff(np.log(GRID_GEV)))])
    return 0.0, np.concatenate([[0.0], np.cumsum(steps)]), roulette
