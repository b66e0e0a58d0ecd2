"""Score the production heights of the neutrinos, by flavour, energy and zenith.

The height of a neutrino is that of its birth point above the sphere of 6371.2 km. Every scored crossing is added to a
histogram of it. The bins are coarser than the flux's: averaged over azimuth, 20 of cos_zenith (Honda's), 10 per decade
of energy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from sim3d.config.schema import Config
from sim3d.conventions.binning import N_FLAVOURS, Binning
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.scoring.detectors import Detector
from sim3d.scoring.exact_sums import ExactSums
from sim3d.scoring.tally import scale_exponents
from sim3d.shower.neutrino_list import NU_X

if TYPE_CHECKING:
    pass

BINS = Binning("heights", 0, 4, 2, False)
HEIGHT_EDGES_KM = np.concatenate((np.arange(0.0, 40.0), np.arange(40.0, 60.0, 2.0), np.arange(60.0, 121.0, 10.0)))
N_HEIGHTS = HEIGHT_EDGES_KM.size - 1
_ENERGY_GROUP, _COS_GROUP, _N_ENERGY = BINS.energy_group, BINS.cos_group, BINS.n_energy


@njit(nogil=True)
def height_bin(height_km):
    """Index of the bin of HEIGHT_EDGES_KM; values outside count in the first or the last bin.

    Parameters
    ----------
    height_km : float

    Returns
    -------
    int
    """
    if height_km < 40.0:
        return max(0, int(height_km))
    if height_km < 60.0:
        return 40 + int((height_km - 40.0) / 2.0)
    return min(N_HEIGHTS - 1, 50 + int((height_km - 60.0) / 10.0))


NO_HEIGHTS = np.empty((0, 0, 0, 0, 0))
"""Array of a run that scores no production heights."""


@njit(nogil=True)
def score_height(heights, neutrino, site, flavour, i_energy, i_cos, value):
    """Add a crossing to the histogram of production heights.

    Parameters
    ----------
    heights : float64 array (sites, flavour, energy, cos_zenith, height)
    neutrino : float64 array
        A row of the shower's list.
    site, flavour, i_energy, i_cos : int
        Indices of the site, the flavour and the flux's fine bins.
    value : float
        Contribution of the crossing to the flux (m^-2 s^-1).
    """
    e = i_energy // _ENERGY_GROUP
    if i_energy < 0 or e >= _N_ENERGY:
        return
    r = math.sqrt(neutrino[NU_X] ** 2 + neutrino[NU_X + 1] ** 2 + neutrino[NU_X + 2] ** 2)
    heights[site, flavour, e, i_cos // _COS_GROUP, height_bin(r - EARTH_RADIUS_KM)] += value


def height_sums(config: Config, detector: Detector) -> ExactSums:
    """Make the empty production-height sums of a site; their scales depend on the configuration and the site alone.

    Parameters
    ----------
    config : Config
    detector : Detector

    Returns
    -------
    ExactSums
        Of shape (flavour, energy, cos_zenith, height).
    """
    share = detector.earth_share if config.sampling.mode == "analog" else 1.0
    fine = scale_exponents(config.scoring.azimuth_bins, share * config.run.batch_size)
    bins = math.ceil(math.log2(BINS.energy_group * BINS.cos_group * config.scoring.azimuth_bins))
    energies = fine[: BINS.n_energy * BINS.energy_group : BINS.energy_group] - bins
    return ExactSums(np.broadcast_to(energies[:, None, None], (N_FLAVOURS, BINS.n_energy, BINS.n_cos, N_HEIGHTS)))
