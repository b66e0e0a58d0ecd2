"""Sample decays in flight of pions, kaons, Lambda and muons, with the polarisation of muons.

All decays are exclusive: the daughters' four-momenta add up to the parent's. They are laboratory four-momenta, in axes
whose third is the parent's direction of flight.

Sources
-------
Branching ratios and form-factor slopes: :mod:`sim3d.shower.branching_ratios`.
K_l3 form factors in the linear parameterisation: f+(t) = 1 + lambda_+ t / m_pi^2,
f0(t) = 1 + lambda_0 t / m_pi^2, f- = (f0 - f+) (M^2 - m_pi^2) / t.
V-A: for a current H the squared amplitude is 2 (H.p_nu)(H.p_l) - H^2 (p_nu.p_l). For a polarised lepton p_l is
replaced by p_l -+ m s (upper sign lepton, lower antilepton). Let L = 2 (H.p_nu) H - H^2 p_nu. The helicity of an
antilepton with direction n is then (L0 p - E L.n) / (L0 E - p L.n); that of a lepton has the opposite sign. For
pi -> mu nu this is the formula of docs/methods/decays.md (Gaisser, Cosmic Rays and Particle Physics, section 3.6).
Muon decay: the electron-type neutrino has dN/dx dcos = 6 x^2 (1-x) (1 -+ P cos) (upper sign mu+). The remaining pair
decays isotropically in its own rest frame. This is exact for the V-A matrix element (p_pol.p_nue)(p_e.p_numu).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.conventions.flavours import NUE, NUEBAR, NUMU, NUMUBAR
from sim3d.conventions.particles import (
    ELECTRON_MASS_GEV,
    KL,
    KM,
    KP,
    KS,
    LAMBDA,
    MASS_GEV,
    MUM,
    MUP,
    NEUTRON,
    PI0,
    PIM,
    PIP,
    PROTON,
)
from sim3d.jit_options import UNCOUNTED
from sim3d.shower.branching_ratios import (
    KCHARGED_BRANCHING,
    KL3_SLOPES,
    KLONG_BRANCHING,
    KSHORT_BRANCHING,
    LAMBDA_BRANCHING,
    cumulative,
)
from sim3d.shower.decay_kinematics import boost, set_back_to_back, three_pions, two_body
from sim3d.shower.random_streams import uniform

NEUTRINO = 20
"""Daughter code of the first neutrino flavour; a neutrino has the code NEUTRINO + flavour."""
ELECTRON = 15
"""Daughter code of an electron or positron, which is not transported."""

MAX_DAUGHTERS = 4

_KCH0, _KCH1, _KCH2, _KCH3, _KCH4, _ = cumulative(KCHARGED_BRANCHING)
_KL0, _KL1, _KL2, _ = cumulative(KLONG_BRANCHING)
_KS0, _KS1, _KS2, _ = cumulative(KSHORT_BRANCHING)
_LAM0, _ = cumulative(LAMBDA_BRANCHING)

_M_PI, _M_PI0 = float(MASS_GEV[PIP]), float(MASS_GEV[PI0])
_M_MU = float(MASS_GEV[MUP])
_M_E = ELECTRON_MASS_GEV
_M_K, _M_K0 = float(MASS_GEV[KP]), float(MASS_GEV[KL])
_M_LAMBDA = float(MASS_GEV[LAMBDA])
_M_P = float(MASS_GEV[PROTON])
_M_N = float(MASS_GEV[NEUTRON])


@njit(nogil=True)
def kl3_density(mass, m_pi, m_l, slope_plus, slope_zero, e_l, e_nu):
    """Compute the squared V-A amplitude of K -> pi l nu in the kaon's rest frame, up to a constant.

    Parameters
    ----------
    mass, m_pi, m_l : float
        Masses of the kaon, the pion and the lepton (GeV).
    slope_plus, slope_zero : float
        Slopes lambda_+ and lambda_0 of the form factors (t in units of the charged pion's mass squared).
    e_l, e_nu : float
        Energies of the lepton and the neutrino (GeV).

    Returns
    -------
    float
        Density over the Dalitz plot; 0 outside it.
    """
    e_pi = mass - e_l - e_nu
    if e_pi < m_pi or e_l < m_l or e_nu <= 0.0:
        return 0.0
    p_l = math.sqrt(e_l * e_l - m_l * m_l)
    p_pi2 = e_pi * e_pi - m_pi * m_pi
    if p_pi2 > (p_l + e_nu) ** 2 or p_pi2 < (p_l - e_nu) ** 2:
        return 0.0
    t = mass * mass + m_pi * m_pi - 2.0 * mass * e_pi
    f_plus = 1.0 + slope_plus * t / (_M_PI * _M_PI)
    f_zero = 1.0 + slope_zero * t / (_M_PI * _M_PI)
    f_minus = (f_zero - f_plus) * (mass * mass - m_pi * m_pi) / t
    # H = a P_K + b p_pi; the scalar products follow from the energies in the rest frame
    a = f_plus + f_minus
    b = f_plus - f_minus
    pi_nu = 0.5 * (mass * mass - 2.0 * mass * e_l + m_l * m_l - m_pi * m_pi)
    pi_l = 0.5 * (mass * mass - 2.0 * mass * e_nu - m_pi * m_pi - m_l * m_l)
    nu_l = 0.5 * (t - m_l * m_l)
    h_nu = a * mass * e_nu + b * pi_nu
    h_l = a * mass * e_l + b * pi_l
    h2 = a * a * mass * mass + b * b * m_pi * m_pi + 2.0 * a * b * mass * e_pi
    return 2.0 * h_nu * h_l - h2 * nu_l


def _kl3_maximum(mass: float, m_pi: float, m_l: float, slopes: tuple[float, float]) -> float:
    """Upper bound of kl3_density over the Dalitz plot (grid maximum with 2% margin)."""
    e_l = np.linspace(m_l, (mass**2 + m_l**2 - m_pi**2) / (2 * mass), 121)
    e_nu = np.linspace(0.0, (mass**2 - (m_pi + m_l) ** 2) / (2 * mass), 121)
    density = getattr(kl3_density, "py_func", kl3_density)
    return 1.02 * max(density(mass, m_pi, m_l, *slopes, a, b) for a in e_l for b in e_nu)


KL3_CHARGED_E = _kl3_maximum(_M_K, _M_PI0, _M_E, KL3_SLOPES["K+-"])
KL3_CHARGED_MU = _kl3_maximum(_M_K, _M_PI0, _M_MU, KL3_SLOPES["K+-"])
KL3_LONG_E = _kl3_maximum(_M_K0, _M_PI, _M_E, KL3_SLOPES["KL"])
KL3_LONG_MU = _kl3_maximum(_M_K0, _M_PI, _M_MU, KL3_SLOPES["KL"])
_SLOPES_CHARGED_PLUS, _SLOPES_CHARGED_ZERO = KL3_SLOPES["K+-"]
_SLOPES_LONG_PLUS, _SLOPES_LONG_ZERO = KL3_SLOPES["KL"]


@njit(nogil=True)
def _semileptonic(momenta, mass, m_pi, m_l, slope_plus, slope_zero, largest, rng):
    """Sample K -> pi l nu at rest, isotropically, into rows 0 (pion), 1 (lepton), 2 (neutrino)."""
    e_l_max = (mass * mass + m_l * m_l - m_pi * m_pi) / (2.0 * mass)
    e_nu_max = (mass * mass - (m_pi + m_l) ** 2) / (2.0 * mass)
    while True:
        e_l = m_l + (e_l_max - m_l) * uniform(rng)
        e_nu = e_nu_max * uniform(rng)
        if uniform(rng) * largest <= kl3_density(mass, m_pi, m_l, slope_plus, slope_zero, e_l, e_nu):
            break
    e_pi = mass - e_l - e_nu
    p_l = math.sqrt(e_l * e_l - m_l * m_l)
    cos_lnu = (e_pi * e_pi - m_pi * m_pi - p_l * p_l - e_nu * e_nu) / (2.0 * p_l * e_nu)
    cos_lnu = min(1.0, max(-1.0, cos_lnu))
    sin_lnu = math.sqrt(1.0 - cos_lnu * cos_lnu)
    # neutrino along an isotropic axis n; lepton in the plane of n and a random vector perpendicular to n
    cos_theta = 2.0 * uniform(rng) - 1.0
    sin_theta = math.sqrt(max(0.0, 1.0 - cos_theta * cos_theta))
    phi = 2.0 * math.pi * uniform(rng)
    psi = 2.0 * math.pi * uniform(rng)
    c, s = math.cos(phi), math.sin(phi)
    nx, ny, nz = sin_theta * c, sin_theta * s, cos_theta
    ax, ay, az = cos_theta * c, cos_theta * s, -sin_theta
    bx, by = -s, c
    cp, sp = math.cos(psi), math.sin(psi)
    tx, ty, tz = cp * ax + sp * bx, cp * ay + sp * by, cp * az
    momenta[2, 0] = e_nu
    momenta[2, 1] = e_nu * nx
    momenta[2, 2] = e_nu * ny
    momenta[2, 3] = e_nu * nz
    momenta[1, 0] = e_l
    momenta[1, 1] = p_l * (cos_lnu * nx + sin_lnu * tx)
    momenta[1, 2] = p_l * (cos_lnu * ny + sin_lnu * ty)
    momenta[1, 3] = p_l * (cos_lnu * nz + sin_lnu * tz)
    momenta[0, 0] = e_pi
    for k in range(1, 4):
        momenta[0, k] = -momenta[1, k] - momenta[2, k]


@njit(nogil=True)
def _dot(a0, a1, a2, a3, b0, b1, b2, b3):
    return a0 * b0 - a1 * b1 - a2 * b2 - a3 * b3


@njit(nogil=True)
def _antilepton_helicity(momenta, lepton, neutrino, h0, h1, h2, h3):
    """Compute the antilepton's helicity for a V-A current H (module docstring), in the frame of ``momenta``."""
    n0, n1, n2, n3 = momenta[neutrino, 0], momenta[neutrino, 1], momenta[neutrino, 2], momenta[neutrino, 3]
    h_nu = _dot(h0, h1, h2, h3, n0, n1, n2, n3)
    hh = _dot(h0, h1, h2, h3, h0, h1, h2, h3)
    l0 = 2.0 * h_nu * h0 - hh * n0
    l1 = 2.0 * h_nu * h1 - hh * n1
    l2 = 2.0 * h_nu * h2 - hh * n2
    l3 = 2.0 * h_nu * h3 - hh * n3
    e = momenta[lepton, 0]
    px, py, pz = momenta[lepton, 1], momenta[lepton, 2], momenta[lepton, 3]
    p = math.sqrt(px * px + py * py + pz * pz)
    if p <= 0.0:
        return 0.0
    along = (l1 * px + l2 * py + l3 * pz) / p
    scale = l0 * e - p * along
    if scale == 0.0:  # digits lost above some 1e7 GeV, where the factor E^2 / m^2 between frames is 1e16
        return 0.0
    return min(1.0, max(-1.0, (l0 * p - e * along) / scale))


@njit(nogil=True)
def _muon_decay_at_rest(momenta, polarisation, rng):
    """Sample the decay of a muon at rest: electron neutrino (row 0), muon neutrino (row 1), electron (row 2).

    ``polarisation`` is that of a mu+ along the third axis; for a mu- pass minus its helicity (CP).
    """
    while True:
        # x of density 12 x^2 (1-x): the second largest of four uniforms
        first = 0.0
        second = 0.0
        for _ in range(4):
            u = uniform(rng)
            if u > first:
                second = first
                first = u
            elif u > second:
                second = u
        pair2 = _M_MU * _M_MU * (1.0 - second)
        if pair2 > 1.0001 * _M_E * _M_E:
            break
    e_nu = 0.5 * _M_MU * second
    a = -polarisation
    u = uniform(rng)
    cos_theta = (4.0 * u - 2.0 + a) / (1.0 + math.sqrt(max(0.0, (1.0 - a) ** 2 + 4.0 * a * u)))
    cos_theta = min(1.0, max(-1.0, cos_theta))
    sin_theta = math.sqrt(1.0 - cos_theta * cos_theta)
    phi = 2.0 * math.pi * uniform(rng)
    nx, ny, nz = sin_theta * math.cos(phi), sin_theta * math.sin(phi), cos_theta
    m_pair = math.sqrt(pair2)
    p = (pair2 - _M_E * _M_E) / (2.0 * m_pair)
    c = 2.0 * uniform(rng) - 1.0
    phi = 2.0 * math.pi * uniform(rng)
    set_back_to_back(momenta, 1, 2, 0.0, _M_E, p, c, phi)
    gamma = (_M_MU - e_nu) / m_pair
    f = -e_nu / m_pair
    boost(momenta, 1, gamma, f * nx, f * ny, f * nz)
    boost(momenta, 2, gamma, f * nx, f * ny, f * nz)
    momenta[0, 0] = e_nu
    momenta[0, 1] = e_nu * nx
    momenta[0, 2] = e_nu * ny
    momenta[0, 3] = e_nu * nz


@njit(nogil=True)
def _leptonic_neutrinos(antilepton_charge_positive, electron):
    """Return the daughter code of the neutrino produced with an l+ (True) or an l- (False)."""
    if electron:
        return NEUTRINO + (NUE if antilepton_charge_positive else NUEBAR)
    return NEUTRINO + (NUMU if antilepton_charge_positive else NUMUBAR)


@njit(**UNCOUNTED)
def _boost_daughters(momenta, n, mass, energy, momentum):
    """Boost rows 0 to n - 1 from the rest frame of a parent of this mass to the laboratory."""
    gamma = energy / mass
    bg = momentum / mass
    for k in range(n):
        boost(momenta, k, gamma, 0.0, 0.0, bg)


@njit(**UNCOUNTED)
def _two_particles(mass, m1, code1, m2, code2, energy, momentum, rng, codes, momenta):
    """Sample an isotropic decay in flight into two particles without helicity; return 2."""
    two_body(momenta, mass, m1, m2, rng)
    codes[0], codes[1] = code1, code2
    _boost_daughters(momenta, 2, mass, energy, momentum)
    return 2


@njit(**UNCOUNTED)
def _three_particles(mass, m1, code1, m2, code2, m3, code3, energy, momentum, rng, codes, momenta):
    """Sample a decay in flight into three pions; return 3."""
    three_pions(momenta, mass, m1, m2, m3, rng)
    codes[0], codes[1], codes[2] = code1, code2, code3
    _boost_daughters(momenta, 3, mass, energy, momentum)
    return 3


@njit(**UNCOUNTED)
def muon_and_neutrino(mass, positive, energy, momentum, rng, codes, momenta, helicities):
    """Sample the decay in flight of a charged meson into a muon and its neutrino; return 2."""
    two_body(momenta, mass, _M_MU, 0.0, rng)
    codes[0] = MUP if positive else MUM
    codes[1] = _leptonic_neutrinos(positive, False)
    _boost_daughters(momenta, 2, mass, energy, momentum)
    value = _antilepton_helicity(momenta, 0, 1, energy, 0.0, 0.0, momentum)
    helicities[0] = value if positive else -value
    return 2


@njit(**UNCOUNTED)
def kl3(
    mass, m_pi, pion, positive, electron, slope_plus, slope_zero, largest, energy, momentum, rng, codes, momenta,
    helicities,
):  # fmt: skip
    """Sample the K_l3 decay in flight of a kaon into a pion, a lepton and its neutrino; return 3.

    Parameters
    ----------
    mass, m_pi : float
        Masses of the kaon and the pion (GeV).
    pion : int
        Species of the pion.
    positive, electron : bool
        Whether the lepton is positive; whether it is an electron or positron.
    slope_plus, slope_zero, largest : float
        Slopes of the form factors, and an upper bound of :func:`kl3_density`.
    energy, momentum, rng, codes, momenta, helicities
        As in :func:`decay`.
    """
    _semileptonic(momenta, mass, m_pi, _M_E if electron else _M_MU, slope_plus, slope_zero, largest, rng)
    codes[0] = pion
    if electron:
        codes[1] = ELECTRON
    else:
        codes[1] = MUP if positive else MUM
    codes[2] = _leptonic_neutrinos(positive, electron)
    _boost_daughters(momenta, 3, mass, energy, momentum)
    if not electron:
        t = mass * mass + m_pi * m_pi - 2.0 * (energy * momenta[0, 0] - momentum * momenta[0, 3])
        f_plus = 1.0 + slope_plus * t / (_M_PI * _M_PI)
        f_zero = 1.0 + slope_zero * t / (_M_PI * _M_PI)
        f_minus = (f_zero - f_plus) * (mass * mass - m_pi * m_pi) / t
        a, b = f_plus + f_minus, f_plus - f_minus
        h0 = a * energy + b * momenta[0, 0]
        h1 = b * momenta[0, 1]
        h2 = b * momenta[0, 2]
        h3 = a * momentum + b * momenta[0, 3]
        value = _antilepton_helicity(momenta, 1, 2, h0, h1, h2, h3)
        helicities[1] = value if positive else -value
    return 3


@njit(**UNCOUNTED)
def decay_muon(species, energy, momentum, helicity, rng, codes, momenta):
    """Sample the three-body decay of a polarised muon in flight.

    Parameters as in :func:`decay`.

    Returns
    -------
    int
        Number of daughters, 3.
    """
    positive = species == MUP
    _muon_decay_at_rest(momenta, helicity if positive else -helicity, rng)
    codes[0] = _leptonic_neutrinos(positive, True)
    codes[1] = _leptonic_neutrinos(not positive, False)
    codes[2] = ELECTRON
    _boost_daughters(momenta, 3, _M_MU, energy, momentum)
    return 3


@njit(**UNCOUNTED)
def decay_charged_kaon(species, energy, momentum, rng, codes, momenta, helicities):
    """Sample the decay of a charged kaon in flight: mu nu, 2 pi, 3 pi, K_e3 or K_mu3, by branching ratio.

    Parameters as in :func:`decay`.

    Returns
    -------
    int
        Number of daughters, 2 or 3.
    """
    positive = species == KP
    u = uniform(rng)
    same, other = (PIP, PIM) if positive else (PIM, PIP)
    if u < _KCH0:
        return muon_and_neutrino(_M_K, positive, energy, momentum, rng, codes, momenta, helicities)
    if u < _KCH1:
        return _two_particles(_M_K, _M_PI, same, _M_PI0, PI0, energy, momentum, rng, codes, momenta)
    if u < _KCH2:
        return _three_particles(
            _M_K, _M_PI, same, _M_PI, same, _M_PI, other, energy, momentum, rng, codes, momenta
        )  # fmt: skip
    if u < _KCH3:
        return _three_particles(
            _M_K, _M_PI0, PI0, _M_PI0, PI0, _M_PI, same, energy, momentum, rng, codes, momenta
        )  # fmt: skip
    electron = u < _KCH4
    return kl3(
        _M_K, _M_PI0, PI0, positive, electron, _SLOPES_CHARGED_PLUS, _SLOPES_CHARGED_ZERO,
        KL3_CHARGED_E if electron else KL3_CHARGED_MU, energy, momentum, rng, codes, momenta, helicities,
    )  # fmt: skip


@njit(**UNCOUNTED)
def decay_neutral_l3(electron, energy, momentum, rng, codes, momenta, helicities):
    """Sample the decay of a K_L or K_S in flight into pi e nu (True) or pi mu nu, either charge.

    Other parameters as in :func:`decay`.

    Returns
    -------
    int
        Number of daughters, 3.
    """
    positive = uniform(rng) < 0.5
    return kl3(
        _M_K0, _M_PI, PIM if positive else PIP, positive, electron, _SLOPES_LONG_PLUS, _SLOPES_LONG_ZERO,
        KL3_LONG_E if electron else KL3_LONG_MU, energy, momentum, rng, codes, momenta, helicities,
    )  # fmt: skip


@njit(**UNCOUNTED)
def decay_long_kaon(energy, momentum, rng, codes, momenta, helicities):
    """Sample the decay of a K_L in flight: K_e3, K_mu3 (either charge) or 3 pi, by branching ratio.

    Parameters as in :func:`decay`.

    Returns
    -------
    int
        Number of daughters, 3.
    """
    u = uniform(rng)
    if u < _KL1:
        return decay_neutral_l3(u < _KL0, energy, momentum, rng, codes, momenta, helicities)
    if u < _KL2:
        return _three_particles(
            _M_K0, _M_PI0, PI0, _M_PI0, PI0, _M_PI0, PI0, energy, momentum, rng, codes, momenta
        )  # fmt: skip
    return _three_particles(_M_K0, _M_PI, PIP, _M_PI, PIM, _M_PI0, PI0, energy, momentum, rng, codes, momenta)


@njit(**UNCOUNTED)
def decay_short_kaon(energy, momentum, rng, codes, momenta, helicities):
    """Sample the decay of a K_S in flight into two pions, pi e nu or pi mu nu, by branching ratio.

    Parameters as in :func:`decay`.

    Returns
    -------
    int
        Number of daughters, 2 or 3.
    """
    u = uniform(rng)
    if u < _KS0:
        return _two_particles(_M_K0, _M_PI, PIP, _M_PI, PIM, energy, momentum, rng, codes, momenta)
    if u < _KS1:
        return _two_particles(_M_K0, _M_PI0, PI0, _M_PI0, PI0, energy, momentum, rng, codes, momenta)
    return decay_neutral_l3(u < _KS2, energy, momentum, rng, codes, momenta, helicities)


@njit(**UNCOUNTED)
def decay_lambda(energy, momentum, rng, codes, momenta):
    """Sample the decay of a Lambda in flight into a nucleon and a pion, by branching ratio.

    Parameters as in :func:`decay`.

    Returns
    -------
    int
        Number of daughters, 2.
    """
    if uniform(rng) < _LAM0:
        return _two_particles(_M_LAMBDA, _M_P, PROTON, _M_PI, PIM, energy, momentum, rng, codes, momenta)
    return _two_particles(_M_LAMBDA, _M_N, NEUTRON, _M_PI0, PI0, energy, momentum, rng, codes, momenta)


@njit(nogil=True)
def decay(species, energy, momentum, helicity, rng, codes, momenta, helicities):
    """Sample the decay of one particle in flight: channel, daughters' four-momenta, helicity of muons.

    Parameters
    ----------
    species : int
        Code of :mod:`sim3d.conventions.particles`.
    energy, momentum : float
        Total energy (GeV) and momentum (GeV/c) of the parent.
    helicity : float
        Longitudinal polarisation of a muon (ignored for others).
    rng : uint64 array (1,)
        Random stream.
    codes : int64 array (4,)
        Receives the daughters' codes (a particle code, ELECTRON, or NEUTRINO + flavour).
    momenta : float64 array (4, 4)
        Receives (E, px, py, pz) in GeV in the laboratory, third axis along the parent.
    helicities : float64 array (4,)
        Receives the longitudinal polarisation of muon daughters.

    Returns
    -------
    int
        Number of daughters (0 for a stable species).
    """
    for k in range(MAX_DAUGHTERS):
        helicities[k] = 0.0
    if species in (PIP, PIM):
        return muon_and_neutrino(_M_PI, species == PIP, energy, momentum, rng, codes, momenta, helicities)
    if species in (MUP, MUM):
        return decay_muon(species, energy, momentum, helicity, rng, codes, momenta)
    if species in (KP, KM):
        return decay_charged_kaon(species, energy, momentum, rng, codes, momenta, helicities)
    if species == KL:
        return decay_long_kaon(energy, momentum, rng, codes, momenta, helicities)
    if species == KS:
        return decay_short_kaon(energy, momentum, rng, codes, momenta, helicities)
    if species == LAMBDA:
        return decay_lambda(energy, momentum, rng, codes, momenta)
    return 0
