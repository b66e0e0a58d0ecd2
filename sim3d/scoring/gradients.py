"""Score derivatives of the flux by parameters, and fluxes at varied parameter values, as likelihood ratios.

The bins are coarser than the flux's: averaged over azimuth, 20 of cos_zenith (Honda's) and 10 per decade of energy. The
flux itself is scored in them too, so that errors of anything made of both come from the same groups of batches. The
columns of a bin are: flux, derivatives by parameter, fluxes at the parameter points.

The primary contributes terms beside those that the shower's particles carry. One is d ln(flux of its group) /
d(parameter) at its energy at the top of the atmosphere. Another exists in mode ``targeted``, whose vertices are drawn:
the derivative of the logarithm of the density exp(-X / lambda) / lambda of first interactions. It is 1 - X / lambda,
with X the slant depth along the bent path.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.config.schema import Config
from sim3d.conventions.binning import N_FLAVOURS, Binning
from sim3d.primaries.groups import REFERENCE_ENERGY_GEV
from sim3d.primaries.spectrum import modulated_flux
from sim3d.scoring.detectors import Detector
from sim3d.scoring.exact_sums import ExactSums
from sim3d.scoring.tally import scale_exponents
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS

BINS = Binning("gradients", 0, 4, 2, False)

_ENERGY_GROUP, _COS_GROUP, _N_BINS = BINS.energy_group, BINS.cos_group, BINS.n_energy

SOLAR_BITS = 10
"""d(flux)/dMV is about 1e-3 of the flux, so its fixed-point scale has 10 more bits."""

_POTENTIAL_STEP_GV = 1.0e-3


@njit(nogil=True)
def new_terms(gradients):
    """Allocate the work space of :func:`primary_terms`; it is empty without gradients.

    Parameters
    ----------
    gradients : Gradients or None

    Returns
    -------
    float64 array (columns,)
    """
    if gradients is None:
        return np.empty(0)
    return np.empty(gradients.scores.shape[4])


@njit(nogil=True)
def primary_terms(terms, gradients, spectrum, energy, group, vertex_depth):
    """Compute the primary's logarithmic derivatives and likelihood ratios for all columns of the scores.

    Parameters
    ----------
    terms : float64 array (columns,)
        Receives 1, derivatives of ln(flux) by the parameters, likelihood ratios of the points.
    gradients : Gradients
    spectrum : Spectrum
    energy : float
        Kinetic energy per nucleon at the top (GeV).
    group : int
        Mass group.
    vertex_depth : float
        X / lambda of the first interaction where the vertex was drawn, else negative.
    """
    n_points = gradients.point_sharpness.shape[0]
    first_point = terms.shape[0] - n_points
    terms[:first_point] = 0.0
    terms[0] = 1.0
    delta = spectrum.delta_GV
    flux = modulated_flux(energy, group, spectrum, delta)
    tilt = math.log(energy / REFERENCE_ENERGY_GEV)
    if gradients.norm_column[group] >= 0:
        terms[gradients.norm_column[group]] = 1.0
    if gradients.slope_column[group] >= 0:
        terms[gradients.slope_column[group]] = -tilt
    if gradients.solar_column >= 0:
        more = modulated_flux(energy, group, spectrum, delta + _POTENTIAL_STEP_GV)
        less = modulated_flux(energy, group, spectrum, delta - _POTENTIAL_STEP_GV)
        terms[gradients.solar_column] = (more - less) / (2.0e3 * _POTENTIAL_STEP_GV * flux)
    if vertex_depth >= 0.0 and gradients.vertex_column >= 0:
        terms[gradients.vertex_column] = 1.0 - vertex_depth
    pivot, share = _between_pivots(gradients.pivot_ln_E, math.log(energy))
    for k, weight in ((pivot, 1.0 - share), (pivot + 1, share)):
        if gradients.pivot_column[group, k] >= 0:
            terms[gradients.pivot_column[group, k]] = weight
    for v in range(n_points):
        changes = gradients.point_pivot[v, group]
        ratio = gradients.point_norm[v, group] * math.exp(-gradients.point_slope[v, group] * tilt)
        ratio *= 1.0 + (1.0 - share) * changes[pivot] + share * changes[pivot + 1]
        if gradients.point_delta_GV[v] != 0.0:
            ratio *= modulated_flux(energy, group, spectrum, delta + gradients.point_delta_GV[v]) / flux
        factor = gradients.point_sigma[v, 0]
        if vertex_depth >= 0.0 and factor != 1.0:
            ratio *= factor * math.exp(-(factor - 1.0) * vertex_depth)
        terms[first_point + v] = ratio


@njit(nogil=True)
def _between_pivots(pivots, ln_energy):
    """Find the pivot below an energy, and the linear weight of the next one; the outermost one outside."""
    n = pivots.shape[0]
    k = 0
    while k < n - 2 and ln_energy >= pivots[k + 1]:
        k += 1
    share = (ln_energy - pivots[k]) / (pivots[k + 1] - pivots[k])
    return k, min(max(share, 0.0), 1.0)


@njit(nogil=True)
def score_gradients(gradients, terms, neutrino, site, flavour, i_energy, i_cos, value):
    """Add a crossing to the gradient scores.

    Parameters
    ----------
    gradients : Gradients
    terms : float64 array (columns,)
        From :func:`primary_terms`.
    neutrino : float64 array
        A row of the shower's list, with the columns it carries.
    site, flavour, i_energy, i_cos : int
        Indices of the site, the flavour and the flux's fine bins.
    value : float
        Contribution of the crossing to the flux (m^-2 s^-1).
    """
    e = i_energy // _ENERGY_GROUP
    if i_energy < 0 or e >= _N_BINS:
        return
    out = gradients.scores[site, flavour, e, i_cos // _COS_GROUP]
    add_columns(gradients, terms, neutrino, NEUTRINO_COLUMNS, out, value)


@njit(nogil=True)
def add_columns(gradients, terms, row, first, out, value):
    """Add a crossing to the columns of a bin: flux, derivatives, fluxes at the points.

    Parameters
    ----------
    gradients : Gradients
    terms : float64 array (columns,)
        From :func:`primary_terms`.
    row : float64 array
        Of the particle; its carried columns begin at ``first``.
    first : int
    out : float64 array (columns,)
        Added to.
    value : float
        Contribution of the crossing to the flux (m^-2 s^-1).
    """
    n_inner, n_points = gradients.score_column.shape[0], gradients.point_sharpness.shape[0]
    first_point = out.shape[0] - n_points
    for j in range(first_point):
        out[j] += value * terms[j]
    for i in range(n_inner):
        out[gradients.score_column[i]] += value * row[first + i]
    for v in range(n_points):
        out[first_point + v] += value * terms[first_point + v] * row[first + n_inner + v]


def gradient_sums(config: Config, detector: Detector) -> ExactSums:
    """Make the empty gradient sums of a site; their scales depend on the configuration and the site alone.

    Parameters
    ----------
    config : Config
    detector : Detector

    Returns
    -------
    ExactSums
        Of shape (flavour, energy, cos_zenith, column).
    """
    share = detector.earth_share if config.sampling.mode == "analog" else 1.0
    columns = config.scoring.columns
    azimuth_bins = config.scoring.azimuth_bins
    fine = scale_exponents(azimuth_bins, share * config.run.batch_size)
    # a bin is the sum of this many fine bins (in bits); lower the scale so that its flux has as many bits as theirs
    bins = math.ceil(math.log2(BINS.energy_group * BINS.cos_group * azimuth_bins))
    energies = fine[: BINS.n_energy * BINS.energy_group : BINS.energy_group] - bins
    finer = np.array([SOLAR_BITS if name == "solar:MV" else 0 for name in columns])
    shape = (N_FLAVOURS, BINS.n_energy, BINS.n_cos, len(columns))
    return ExactSums(np.broadcast_to(energies[None, :, None, None] + finer, shape), squares=False, groups=True)
