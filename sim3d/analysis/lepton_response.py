"""Compute the response of lepton rates to the neutrino flux: energy, scattering angle and arrival direction.

The response has two factors, both computed by quadrature. :func:`angular_yield` is the cross section for a lepton in an
energy window as a function of scattering angle. :func:`sky_response` is the probability that a direction of arrival,
rotated by the scattering angle in a random plane, falls into a given zenith band and azimuth bin. The azimuth of
scattering is uniform, because nothing is polarised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from sim3d.analysis import quasielastic
from sim3d.conventions.arrays import Array

N_ANGLES = 181
ANGLES_DEG = np.linspace(0.0, 180.0, N_ANGLES)
"""Grid of scattering angles with linear interpolation in between; the step is 1 degree, the mean angle 36."""

_STEP = math.radians(180.0 / (N_ANGLES - 1))
_ENERGY_NODES = 3
_COS_NODES = 4
_PLANES = 120
_BLUR_NODES = 12

_CONTAINMENT_68 = math.sqrt(-2.0 * math.log(1.0 - 0.68))
"""Radius that holds 68% of a two-dimensional normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Resolution:
    """Angular and momentum resolution of a detector for single leptons.

    Attributes
    ----------
    angle_deg : float
        Angle from the true direction within which 68% are reconstructed, degrees.
    momentum_constant, momentum_root : float
        sigma(p)/p = constant + root / sqrt(p in GeV/c), both as fractions.
    """

    angle_deg: float
    momentum_constant: float
    momentum_root: float


SUPER_KAMIOKANDE = {
    "e": Resolution(3.0, 0.006, 0.026),
    "mu": Resolution(1.8, 0.017, 0.007),
}
"""Single-ring events of Super-Kamiokande I (Ashie et al., Phys. Rev. D 71 (2005) 112005)."""


def share(angle: Array) -> tuple[NDArray[np.intp], Array]:
    """Find linear-interpolation weights of an angle on the grid of :data:`ANGLES_DEG`.

    Parameters
    ----------
    angle : float64 array
        Radians.

    Returns
    -------
    lower : int array
        Index of the grid point below.
    upper_share : float64 array
        Weight of the grid point above; the lower one has 1 less this.
    """
    position = np.clip(angle / _STEP, 0.0, N_ANGLES - 1.0)
    lower = np.minimum(position.astype(np.intp), N_ANGLES - 2)
    return lower, position - lower


def angular_yield(
    flavour: str,
    energy_edges_GeV: Array,
    window_GeV: tuple[float, float],
    *,
    pauli: bool,
    resolution: Resolution | None = None,
) -> Array:
    """Compute the cross section for a lepton in a window of total energy, by scattering angle.

    Parameters
    ----------
    flavour : str
    energy_edges_GeV : float64 array (n + 1,)
        Edges of neutrino-energy bins, in each of which the flux is taken as constant (they are 6% wide).
    window_GeV : (float, float)
        Total energy of the lepton.
    pauli : bool
    resolution : Resolution, optional
        With it the window is on the reconstructed energy, from a momentum with a normal error.

    Returns
    -------
    float64 array (n, N_ANGLES)
        cm^2 per target nucleon: mean over the bin.
    """
    edges = np.asarray(energy_edges_GeV, dtype=float)
    x, w = np.polynomial.legendre.leggauss(_ENERGY_NODES)
    half = 0.5 * np.diff(edges)[:, None]
    energy = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * x
    # A sharp window is a range of Q^2, and cutting the range keeps the quadrature exact.
    q2, weight = quasielastic.q2_nodes(flavour, energy, None if resolution else window_GeV)
    value = quasielastic.differential(flavour, energy[..., None], q2, pauli=pauli) * weight
    if resolution is not None:
        value = value * _acceptance(flavour, energy[..., None], q2, window_GeV, resolution)
    value = value * (0.5 * w)[:, None]
    lower, upper_share = share(np.arccos(quasielastic.scattering_cosine(flavour, energy[..., None], q2)))
    out = np.zeros((len(edges) - 1, N_ANGLES))
    row = np.broadcast_to(np.arange(len(out))[:, None, None], lower.shape)
    np.add.at(out, (row, lower), value * (1.0 - upper_share))
    np.add.at(out, (row, lower + 1), value * upper_share)
    return out


def _acceptance(
    flavour: str, energy: Array, q2: Array, window_GeV: tuple[float, float], resolution: Resolution
) -> Array:
    """Probability that the lepton's reconstructed energy is in the window, for a normal momentum error."""
    mass2 = quasielastic.channel(flavour).lepton_mass ** 2
    momentum = np.sqrt(np.maximum(quasielastic.lepton_energy(flavour, energy, q2) ** 2 - mass2, 1e-12))
    sigma = momentum * (resolution.momentum_constant + resolution.momentum_root / np.sqrt(momentum))
    low, high = (math.sqrt(max(edge**2 - mass2, 0.0)) for edge in window_GeV)
    below = erf((low - momentum) / (math.sqrt(2.0) * sigma))
    return np.asarray(0.5 * (erf((high - momentum) / (math.sqrt(2.0) * sigma)) - below))


def blur(angle_deg: float) -> Array:
    """Compute the smearing matrix of scattering angles for a finite angular resolution.

    Parameters
    ----------
    angle_deg : float
        68% are reconstructed within this angle; normal in two dimensions.

    Returns
    -------
    float64 array (N_ANGLES, N_ANGLES)
        Probability of a reconstructed angle (columns) given the true one (rows); rows add up to 1.
    """
    quantile = (np.arange(_BLUR_NODES) + 0.5) / _BLUR_NODES
    error = math.radians(angle_deg) / _CONTAINMENT_68 * np.sqrt(-2.0 * np.log1p(-quantile))
    plane = (np.arange(_PLANES) + 0.5) * math.pi / _PLANES
    true = np.radians(ANGLES_DEG)[:, None, None]
    cosine = np.cos(true) * np.cos(error)[:, None] + np.sin(true) * np.sin(error)[:, None] * np.cos(plane)
    lower, upper_share = share(np.arccos(np.clip(cosine, -1.0, 1.0)))
    out = np.zeros((N_ANGLES, N_ANGLES))
    row = np.broadcast_to(np.arange(N_ANGLES)[:, None, None], lower.shape)
    np.add.at(out, (row, lower), 1.0 - upper_share)
    np.add.at(out, (row, lower + 1), upper_share)
    return out / (_BLUR_NODES * _PLANES)


def sky_response(cos_edges: Array, n_azimuth: int, cos_max: float) -> Array:
    """Compute the probability that a rotated arrival direction falls into each zenith band and azimuth bin.

    With the direction n = (zenith cosine c, sine s) and the angle psi in the plane phi, the new cosine is
    c cos(psi) + s sin(psi) cos(phi) and the azimuth moves by
    atan2(sin(psi) sin(phi), s cos(psi) - c sin(psi) cos(phi)).  Both particles' directions are reversed, which leaves
    the angle between them as it is.

    The rotation is by a scattering angle in a plane of random orientation.

    Parameters
    ----------
    cos_edges : float64 array (n_cos + 1,)
        Zenith bins of the neutrinos, in which they are uniform.
    n_azimuth : int
        Azimuth bins of neutrinos and leptons, equally wide, uniform inside.
    cos_max : float
        The lepton must have ``|cos_zenith| < cos_max``.

    Returns
    -------
    float64 array (N_ANGLES, n_cos, n_azimuth)
        Probability that a neutrino of zenith bin c and azimuth bin k has its lepton in the band and in azimuth bin
        k + m modulo n_azimuth, [angle, c, m].
    """
    edges = np.asarray(cos_edges, dtype=float)
    n_cos = len(edges) - 1
    x, w = np.polynomial.legendre.leggauss(_COS_NODES)
    cosine = (0.5 * (edges[1:] + edges[:-1])[:, None] + 0.5 * np.diff(edges)[:, None] * x)[..., None]
    sine = np.sqrt(1.0 - cosine**2)
    plane = (np.arange(_PLANES) + 0.5) * math.pi / _PLANES
    width = 2.0 * math.pi / n_azimuth
    share_of_node = np.broadcast_to((0.5 * w)[:, None] / (2 * _PLANES), (n_cos, _COS_NODES, _PLANES))
    row = np.broadcast_to(np.arange(n_cos)[:, None, None], share_of_node.shape)
    out = np.zeros((N_ANGLES, n_cos, n_azimuth))
    for i, angle in enumerate(np.radians(ANGLES_DEG)):
        turned = cosine * math.cos(angle) + sine * math.sin(angle) * np.cos(plane)
        shift = np.arctan2(
            math.sin(angle) * np.sin(plane), sine * math.cos(angle) - cosine * math.sin(angle) * np.cos(plane)
        )
        weight = np.where(np.abs(turned) < cos_max, share_of_node, 0.0)
        # A uniform bin moved by a shift overlaps two bins; planes phi and -phi move it both ways.
        for way in (shift, -shift):
            position = way / width
            lower = np.floor(position).astype(np.intp)
            upper_share = position - lower
            np.add.at(out[i], (row, lower % n_azimuth), weight * (1.0 - upper_share))
            np.add.at(out[i], (row, (lower + 1) % n_azimuth), weight * upper_share)
    return out
