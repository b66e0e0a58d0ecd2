"""Define the bins of the spectra of muons and nucleons: levels, particles, momentum, zenith."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sim3d.config.schema import Config
from sim3d.conventions.particles import CHARGE, MUM, MUP, NEUTRON, PROTON
from sim3d.scoring.detectors import Detector
from sim3d.scoring.exact_sums import ExactSums
from sim3d.scoring.gradients import SOLAR_BITS

PARTICLES: Final = ("mu+", "mu-", "p", "n")
PARTICLE_CODES: Final = (MUP, MUM, PROTON, NEUTRON)
PARTICLE_CHARGE: Final = tuple(int(CHARGE[code]) for code in PARTICLE_CODES)

N_CHARGES: Final = 2
"""Of :data:`PARTICLES` the first two, mu+ and mu-, have gradients."""

_RESOLUTION_BITS = 30
_COARSER_BITS = 10


def momentum_edges(config: Config) -> np.ndarray:
    """Edges of the momentum bins (GeV/c), equidistant in the logarithm.

    Parameters
    ----------
    config : Config

    Returns
    -------
    float64 array (n + 1,)
    """
    low, high = config.muons.momentum_GeV
    n = max(1, round(config.muons.bins_per_decade * math.log10(high / low)))
    return np.geomspace(low, high, n + 1)


def cos_edges(config: Config) -> np.ndarray:
    """Edges of the zenith bins, ascending in cos_zenith.

    Parameters
    ----------
    config : Config

    Returns
    -------
    float64 array (m + 1,)
    """
    return np.asarray(config.muons.cos_zenith_edges, dtype=float)


def shape(config: Config, n_levels: int) -> tuple[int, int, int, int]:
    """Shape of the sums of a site: (levels, particle, momentum, cos_zenith).

    Parameters
    ----------
    config : Config
    n_levels : int

    Returns
    -------
    tuple of int
    """
    return (n_levels, len(PARTICLES), momentum_edges(config).size - 1, cos_edges(config).size - 1)


def make_sums(config: Config, detector: Detector, n_levels: int) -> ExactSums:
    """Make the empty muon and nucleon sums of a site.

    The fixed-point scale follows a reference of 2e4 p^-2.7 m^-2 s^-1 sr^-1 (GeV/c)^-1 (the primary nucleons without
    their turnover, above any flux in the air). One unit of it in a bin is 2^30, or coarser where a single
    crossing counts for more (see :func:`sim3d.scoring.tally.scale_exponents`).

    Parameters
    ----------
    config : Config
    detector : Detector
    n_levels : int

    Returns
    -------
    ExactSums
        Of the shape given by :func:`shape`.
    """
    p, c = momentum_edges(config), cos_edges(config)
    unit = 2.0e4 * np.sqrt(p[1:] * p[:-1])[:, None] ** -2.7 * np.diff(p)[:, None] * 2.0 * math.pi * np.diff(c)
    coarser = max(0, math.ceil(-math.log2(detector.earth_share * config.run.batch_size)) - _COARSER_BITS)
    exponents = _RESOLUTION_BITS - coarser - np.round(np.log2(unit)).astype(np.int64)
    whole = np.broadcast_to(exponents, shape(config, n_levels))
    return ExactSums(np.ascontiguousarray(whole), groups=True)


def make_gradient_sums(config: Config, detector: Detector, n_levels: int) -> ExactSums:
    """Make the empty sums of the gradients of muons at a site: flux, derivatives, fluxes at the points.

    Parameters
    ----------
    config : Config
    detector : Detector
    n_levels : int

    Returns
    -------
    ExactSums
        Of shape (levels, 2, momentum, cos_zenith, column), with the scales of :func:`make_sums`.
    """
    exponents = make_sums(config, detector, n_levels).exponents[:, :N_CHARGES]
    finer = np.array([SOLAR_BITS if name == "solar:MV" else 0 for name in config.scoring.columns])
    return ExactSums(np.ascontiguousarray(exponents[..., None] + finer), squares=False, groups=True)
