"""Settings with which rotations are drawn in targeted sampling: their numbers, margins and tails.

They change statistical errors, not expectation values. The kernels of :mod:`sim3d.sampling.aiming` and
:mod:`sim3d.sampling.pilot` use them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sim3d.conventions.binning import ENERGY_EDGES_GEV, N_COS
from sim3d.sampling.coarse_field import NO_FIELD

SLOW_GAIN = (2.0, 2.0, 1.0, 1.0)
"""Relative increase of the rotations for neutrinos of low energies, by flavour. Their showers are short, so that a
rotation costs little beside the pilot. Measured with ``benchmarks/aims.py``; it changes statistical errors only."""
SLOW_GEV = 1.0
"""Energy of a neutrino at which half of that increase is left."""


class Aim(NamedTuple):
    """Settings of the drawing of rotations (numba argument); they change statistical errors, not expectation values.

    Attributes
    ----------
    effort : float
        Rotations per pilot, site and e-fold of neutrino energy, before the two limits below.
    most_per_crossing, most_per_pilot : float
        Upper limits of the expected number of rotations: more would only repeat the same shower.
    axis_share, unseen : float
        Rotations that aim the crossings of the shower's axis, for neutrinos that the pilot did not have. The first is a
        fraction of the other rotations; the second is per rotation that a neutrino of 1 GeV along the axis would get.
    uniform_share : float
        f0: fraction of the rotations that are drawn uniformly.
    tail_share : float
        Fraction of the aims that are drawn from a heavy tail instead of from the patch and its margin.
    margin : float
        Margin (rad) around the patch for a crossing that the field does not move.
    shift_margin : float
        Further margin per predicted displacement (rad per rad).
    horizon_margin, horizon_cosine : float
        Further margin per deflection angle in a strong field, divided by |cos_zenith| (at least horizon_cosine).
    axis_width, lost_width : float
        Widths (rad) of the tail for the shower's axis, and where no crossing is predicted.
    energy_min : float
        Neutrinos below this energy (GeV) are aimed at but not scored.
    by_energy : float64 array (N_FLAVOURS, N_ENERGY)
        Factor of the rotations of a neutrino, by flavour and fine energy bin; positive.
    by_zenith : float64 array (N_COS,)
        Factor of the rotations of a crossing, by fine zenith bin; positive.
    coarse : float64 array
        Table of the field, from :func:`sim3d.sampling.coarse_field.coarse_field`.
    """

    effort: float
    most_per_crossing: float
    most_per_pilot: float
    axis_share: float
    unseen: float
    uniform_share: float
    tail_share: float
    margin: float
    shift_margin: float
    horizon_margin: float
    horizon_cosine: float
    axis_width: float
    lost_width: float
    energy_min: float
    by_energy: np.ndarray
    by_zenith: np.ndarray
    coarse: np.ndarray


def rotations_by_energy() -> np.ndarray:
    """Compute the factor of the rotations of a neutrino: more where its shower is short.

    Returns
    -------
    float64 array (N_FLAVOURS, N_ENERGY)
        1 + gain / (1 + (E / SLOW_GEV)^3) at the middle of each fine energy bin, with the gain :data:`SLOW_GAIN`.
    """
    energies = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    return np.asarray(1.0 + np.outer(SLOW_GAIN, 1.0 / (1.0 + (energies / SLOW_GEV) ** 3)))


def make_aim(
    effort: float = 0.08,
    margin_deg: float | None = None,
    energy_min_GeV: float = 0.0,
    coarse: np.ndarray = NO_FIELD,
) -> Aim:
    """Build the default settings of the drawing of rotations (``benchmarks/run.py`` measures their efficiency).

    Parameters
    ----------
    effort : float
        See :class:`Aim`.
    margin_deg : float, optional
        The same margin (degrees) for every crossing. By default the margin grows with the predicted displacement.
    energy_min_GeV : float
        Lowest energy that is scored.
    coarse : float64 array
        See :class:`Aim`; needed with bending only.

    Returns
    -------
    Aim
    """
    return Aim(
        effort=float(effort),
        most_per_crossing=8.0,
        most_per_pilot=20.0,
        axis_share=0.05,
        unseen=0.03,
        uniform_share=0.01,
        tail_share=0.12,
        margin=math.radians(0.05 if margin_deg is None else margin_deg),
        shift_margin=0.03 if margin_deg is None else 0.0,
        horizon_margin=0.0008 if margin_deg is None else 0.0,
        horizon_cosine=0.02,
        axis_width=math.radians(8.0),
        lost_width=math.radians(6.0),
        energy_min=float(energy_min_GeV),
        by_energy=rotations_by_energy(),
        by_zenith=np.ones(N_COS),
        coarse=coarse,
    )
