"""Compute how the muon flux at a given depth depends on the scale height of the atmosphere, in closed form.

All heights grow by the same factor while depths stay. Densities fall, so that more pions and kaons decay before they
interact, and muons fly farther and decay more often. The formulas are those of an exponential atmosphere (Gaisser,
Engel and Resconi, Cosmic Rays and Particle Physics, 2016, chapter 6; from memory): a muon of energy E at the ground at
the zenith angle theta survives with

    S = [X / (Lambda cos(theta)) (1 + alpha X / (E cos(theta)))]^-p, p = epsilon_mu / (E cos(theta) + alpha X),

and the flux of the decays of a meson goes as 1 / (1 + B E cos(theta) / epsilon). The characteristic energies epsilon
are proportional to the height scale. This describes the size of an error of 1%, not a flux.
"""

from __future__ import annotations

import numpy as np

from sim3d.conventions.arrays import Array

EPSILON_MU_GEV, EPSILON_PION_GEV, EPSILON_KAON_GEV = 1.03, 115.0, 850.0
"""m c h / tau at the height scale of the upper atmosphere (GeV)."""

LOSS_GEV_CM2_PER_G, ATTENUATION_G_CM2 = 2.0e-3, 120.0
"""Energy loss alpha, and the attenuation length Lambda of nucleons, where muons are made."""

MESON_B, KAON_SHARE = 1.1, 0.054
"""B of pions and kaons, and kaons' weight A_K / A_pi."""


def height_scale_slope(momentum_GeV: Array, cos_zenith: Array, depth_g_cm2: float) -> Array:
    """Compute d ln(muon flux) / d ln(height scale) at a depth.

    Parameters
    ----------
    momentum_GeV : float64 array (n,)
        At the ground (GeV/c).
    cos_zenith : float64 array (n,)
    depth_g_cm2 : float
        Vertical depth.

    Returns
    -------
    float64 array (n,)

    Examples
    --------
    >>> height_scale_slope(np.array([1.0, 10.0, 1000.0]), np.ones(3), 1030.0).round(2)
    array([-1.07, -0.1 ,  0.84])
    """
    lost = LOSS_GEV_CM2_PER_G * depth_g_cm2
    power = EPSILON_MU_GEV / (momentum_GeV * cos_zenith + lost)
    # survival is a power of a ratio above 1, and the power is proportional to the height scale
    ratio = depth_g_cm2 / (ATTENUATION_G_CM2 * cos_zenith) * (1.0 + lost / (momentum_GeV * cos_zenith))
    survival = -power * np.log(ratio)
    at_birth = momentum_GeV + lost / cos_zenith
    terms, slopes = [], []
    for weight, epsilon in ((1.0, EPSILON_PION_GEV), (KAON_SHARE, EPSILON_KAON_GEV)):
        x = MESON_B * at_birth * cos_zenith / epsilon
        terms.append(weight / (1.0 + x))
        slopes.append(weight * x / (1.0 + x) ** 2)
    return np.asarray(survival + np.sum(slopes, axis=0) / np.sum(terms, axis=0))
