"""Sample the kinematics of decays at rest: two-body decays and three-body phase space; Lorentz boosts.

Four-momenta (E, px, py, pz) in GeV are rows of one array ``momenta``, float64 (rows, 4).
"""

from __future__ import annotations

import math

from numba import njit

from sim3d.shower.random_streams import uniform


@njit(nogil=True)
def break_up_momentum(mass, m1, m2):
    """Compute the momentum of either daughter of a two-body decay in the parent's rest frame.

    Parameters
    ----------
    mass, m1, m2 : float
        Masses of the parent and the daughters (GeV).

    Returns
    -------
    float
        GeV/c; 0 below the threshold.
    """
    a = (mass - m1 - m2) * (mass + m1 + m2) * (mass - m1 + m2) * (mass + m1 - m2)
    return math.sqrt(a) / (2.0 * mass) if a > 0.0 else 0.0


@njit(nogil=True)
def set_back_to_back(momenta, i, j, m1, m2, p, cos_theta, phi):
    """Write the four-momenta of two daughters with opposite momenta into rows i and j.

    Parameters
    ----------
    momenta : float64 array (rows, 4)
    i, j : int
    m1, m2, p : float
        Masses (GeV) and momentum (GeV/c).
    cos_theta, phi : float
        Direction of the daughter in row i.
    """
    sin_theta = math.sqrt(max(0.0, 1.0 - cos_theta * cos_theta))
    px = p * sin_theta * math.cos(phi)
    py = p * sin_theta * math.sin(phi)
    pz = p * cos_theta
    momenta[i, 0] = math.sqrt(p * p + m1 * m1)
    momenta[i, 1] = px
    momenta[i, 2] = py
    momenta[i, 3] = pz
    momenta[j, 0] = math.sqrt(p * p + m2 * m2)
    momenta[j, 1] = -px
    momenta[j, 2] = -py
    momenta[j, 3] = -pz


@njit(nogil=True)
def boost(momenta, i, gamma, bgx, bgy, bgz):
    """Boost row i by a four-velocity.

    Parameters
    ----------
    momenta : float64 array (rows, 4)
        Row i is updated.
    i : int
    gamma, bgx, bgy, bgz : float
        Lorentz factor and beta gamma vector.
    """
    e = momenta[i, 0]
    dot = bgx * momenta[i, 1] + bgy * momenta[i, 2] + bgz * momenta[i, 3]
    f = e + dot / (1.0 + gamma)
    momenta[i, 0] = gamma * e + dot
    momenta[i, 1] += bgx * f
    momenta[i, 2] += bgy * f
    momenta[i, 3] += bgz * f


@njit(nogil=True)
def two_body(momenta, mass, m1, m2, rng):
    """Sample an isotropic two-body decay at rest into rows 0 and 1.

    Parameters
    ----------
    momenta : float64 array (rows, 4)
    mass, m1, m2 : float
        Masses of the parent and the daughters (GeV).
    rng : uint64 array (1,)
        Random stream.
    """
    cos_theta = 2.0 * uniform(rng) - 1.0
    phi = 2.0 * math.pi * uniform(rng)
    set_back_to_back(momenta, 0, 1, m1, m2, break_up_momentum(mass, m1, m2), cos_theta, phi)


@njit(nogil=True)
def three_pions(momenta, mass, m1, m2, m3, rng):
    """Sample a three-body decay at rest, uniform in phase space, into rows 0, 1 and 2; row 3 is work space.

    The slopes of the K -> 3 pi Dalitz plots, which are neglected, change mean energies by less than 2%.

    Parameters
    ----------
    momenta : float64 array (4, 4)
    mass, m1, m2, m3 : float
        Masses of the parent and the daughters (GeV).
    rng : uint64 array (1,)
        Random stream.
    """
    low = m1 + m2
    high = mass - m3
    largest = break_up_momentum(mass, low, m3) * break_up_momentum(high, m1, m2)
    while True:
        # dN/ds12 ~ p12 p3 / sqrt(s12) is dN/dm12 ~ p12 p3
        m12 = low + (high - low) * uniform(rng)
        p3 = break_up_momentum(mass, m12, m3)
        p12 = break_up_momentum(m12, m1, m2)
        if uniform(rng) * largest <= p3 * p12:
            break
    cos_theta = 2.0 * uniform(rng) - 1.0
    phi = 2.0 * math.pi * uniform(rng)
    set_back_to_back(momenta, 2, 3, m3, m12, p3, cos_theta, phi)
    e12 = momenta[3, 0]
    gamma = e12 / m12
    bgx = momenta[3, 1] / m12
    bgy = momenta[3, 2] / m12
    bgz = momenta[3, 3] / m12
    cos_theta = 2.0 * uniform(rng) - 1.0
    phi = 2.0 * math.pi * uniform(rng)
    set_back_to_back(momenta, 0, 1, m1, m2, p12, cos_theta, phi)
    boost(momenta, 0, gamma, bgx, bgy, bgz)
    boost(momenta, 1, gamma, bgx, bgy, bgz)
