"""Decays in flight: conservation laws, branching, V-A spectra and polarisation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from sim3d.conventions.flavours import NUE, NUEBAR, NUMU, NUMUBAR
from sim3d.conventions.particles import (
    CHARGE,
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
from sim3d.jit_cache import CACHE
from sim3d.shower import branching_ratios, decays
from sim3d.shower.decays import ELECTRON, NEUTRINO, decay, kl3_density

UNSTABLE = (PIP, PIM, KP, KM, KL, KS, LAMBDA, MUP, MUM)
NAMES = {PIP: "pi+", PIM: "pi-", KP: "K+", KM: "K-", KL: "KL", KS: "KS", LAMBDA: "Lambda", MUP: "mu+", MUM: "mu-"}
NU_MU, NU_MUBAR, NU_E, NU_EBAR = (NEUTRINO + f for f in (NUMU, NUMUBAR, NUE, NUEBAR))
MIRROR = {
    **{PIP: PIM, PIM: PIP, KP: KM, KM: KP, MUP: MUM, MUM: MUP, PI0: PI0, ELECTRON: ELECTRON, -1: -1},
    **{NU_MU: NU_MUBAR, NU_MUBAR: NU_MU, NU_E: NU_EBAR, NU_EBAR: NU_E},
}


@njit(nogil=True, cache=CACHE)
def _decay_many(species, energy, momentum, helicity, seed, n):
    rng = np.empty(1, dtype=np.uint64)
    rng[0] = seed
    codes = np.full((n, 4), -1)
    momenta = np.zeros((n, 4, 4))
    helicities = np.zeros((n, 4))
    work_codes = np.empty(4, dtype=np.int64)
    work = np.empty((4, 4))
    work_helicities = np.empty(4)
    for i in range(n):
        m = decay(species, energy, momentum, helicity, rng, work_codes, work, work_helicities)
        codes[i, :m] = work_codes[:m]
        momenta[i, :m] = work[:m]
        helicities[i, :m] = work_helicities[:m]
    return codes, momenta, helicities


def many(species, gamma, n, helicity=0.0, seed=1):
    """Codes, momenta and helicities of n decays of a particle with this Lorentz factor."""
    mass = float(MASS_GEV[species])
    energy = gamma * mass
    momentum = mass * math.sqrt((gamma - 1.0) * (gamma + 1.0))
    return (energy, momentum, *_decay_many(species, energy, momentum, float(helicity), np.uint64(seed), n))


def mass_of(code):
    """Mass of a daughter code (GeV)."""
    if code >= NEUTRINO:
        return 0.0
    return ELECTRON_MASS_GEV if code == ELECTRON else float(MASS_GEV[code])


def charge_of(code, codes):
    """Charge of a daughter; an electron's follows from its neutrino (nue with e+, nuebar with e-)."""
    if code >= NEUTRINO:
        return 0.0
    if code != ELECTRON:
        return float(CHARGE[code])
    return 1.0 if NU_E in codes else -1.0


@settings(max_examples=150)
@given(
    species=st.sampled_from(UNSTABLE),
    log_gamma=st.floats(0.0, 5.0),
    helicity=st.floats(-1.0, 1.0),
    seed=st.integers(0, 2**63),
)
def test_energy_momentum_mass_and_charge(species, log_gamma, helicity, seed):
    """Four-momentum to 1e-12 of the energy, daughters on their mass shells, charge and helicity bounds."""
    energy, momentum, codes, momenta, helicities = many(species, 10**log_gamma, 40, helicity, seed)
    total = momenta.sum(axis=1)
    assert np.abs(total - [energy, 0.0, 0.0, momentum]).max() <= 1e-12 * energy
    for row, daughters in zip(codes, momenta, strict=True):
        present = row >= 0
        assert present.sum() in (2, 3)
        masses = np.array([mass_of(c) for c in row[present]])
        p = daughters[present]
        assert np.abs(p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(axis=1) - masses**2).max() <= 1e-12 * energy**2
        charges = [charge_of(c, row) for c in row[present]]
        assert sum(charges) == (CHARGE[species] if species not in (MUP, MUM) else (1 if species == MUP else -1))
    assert np.all(np.abs(helicities) <= 1.0)
    assert np.all((helicities == 0.0) | np.isin(codes, (MUP, MUM)))


def test_stable_species_do_not_decay():
    """Protons, neutrons and pi0 (whose photons are not followed) give no daughters."""
    for species in (PROTON, NEUTRON, PI0):
        codes = many(species, 2.0, 3)[2]
        assert np.all(codes == -1)


# Percent, PDG 2022 summary tables; channels by sorted daughter codes of the positive or neutral parent
CHANNELS = {
    KP: {
        (MUP, NU_MU): 63.56,
        (PIP, PI0): 20.67,
        (PIP, PIP, PIM): 5.583,
        (PIP, PI0, PI0): 1.760,
        (PI0, ELECTRON, NU_E): 5.07,
        (PI0, MUP, NU_MU): 3.352,
    },
    KL: {
        (PIM, ELECTRON, NU_E): 40.55 / 2,
        (PIP, ELECTRON, NU_EBAR): 40.55 / 2,
        (PIM, MUP, NU_MU): 27.04 / 2,
        (PIP, MUM, NU_MUBAR): 27.04 / 2,
        (PI0, PI0, PI0): 19.52,
        (PIP, PIM, PI0): 12.54,
    },
    KS: {
        (PIP, PIM): 69.20,
        (PI0, PI0): 30.69,
        (PIM, ELECTRON, NU_E): 0.0704 / 2,
        (PIP, ELECTRON, NU_EBAR): 0.0704 / 2,
        (PIM, MUP, NU_MU): 0.0456 / 2,
        (PIP, MUM, NU_MUBAR): 0.0456 / 2,
    },
    LAMBDA: {(PROTON, PIM): 64.1, (NEUTRON, PI0): 35.9},
    PIP: {(MUP, NU_MU): 100.0},
    MUP: {(NU_E, NU_MUBAR, ELECTRON): 100.0},
}
CHANNELS[KM] = {tuple(MIRROR[c] for c in channel): percent for channel, percent in CHANNELS[KP].items()}
CHANNELS[PIM] = {(MUM, NU_MUBAR): 100.0}
CHANNELS[MUM] = {(NU_EBAR, NU_MU, ELECTRON): 100.0}


@pytest.mark.parametrize("species", UNSTABLE, ids=NAMES.get)
def test_branching_fractions(species):
    """Channels as in the PDG, normalised to those that are kept; no channel besides."""
    n = 100_000
    codes = many(species, 3.0, n)[2]
    kinds, counts = np.unique(np.sort(codes, axis=1), axis=0, return_counts=True)
    seen = {tuple(int(c) for c in kind if c >= 0): int(count) for kind, count in zip(kinds, counts, strict=True)}
    table = {tuple(sorted(channel)): percent for channel, percent in CHANNELS[species].items()}
    assert set(seen) == set(table)
    norm = sum(table.values())
    assert norm > 99.5
    expected = np.array([n * table[channel] / norm for channel in seen])
    observed = np.array(list(seen.values()))
    if len(seen) > 1:
        assert stats.chi2.sf(((observed - expected) ** 2 / expected).sum(), len(seen) - 1) > 1e-3


@pytest.mark.parametrize("gamma", [1.5, 10.0, 300.0])
@pytest.mark.parametrize("parent", [PIP, PIM, KP, KM], ids=NAMES.get)
def test_two_body_muon_helicity(parent, gamma):
    """P = (1/beta_mu) [2 E r / (E_mu (1-r)) - (1+r)/(1-r)] for mu+, the opposite for mu-."""
    energy, _, codes, momenta, helicities = many(parent, gamma, 3000)
    muon = MUP if parent in (PIP, KP) else MUM
    rows = (codes[:, 0] == muon) & (codes[:, 2] == -1)
    assert rows.sum() > 1500
    r = (MASS_GEV[MUP] / MASS_GEV[parent]) ** 2
    e_mu = momenta[rows, 0, 0]
    beta = np.sqrt(1.0 - (MASS_GEV[MUP] / e_mu) ** 2)
    expected = (2.0 * energy * r / (e_mu * (1.0 - r)) - (1.0 + r) / (1.0 - r)) / beta
    sign = 1.0 if muon == MUP else -1.0
    np.testing.assert_allclose(sign * helicities[rows, 0], expected, atol=1e-12 * gamma**2 + 1e-9)


def test_helicity_and_energy_of_muons_of_fast_pions():
    """The slowest mu+ of a fast pion flew backward in its rest frame: helicity +1; the fastest has -1."""
    energy, _, _, momenta, helicities = many(PIP, 1000.0, 20_000)
    fraction = momenta[:, 0, 0] / energy
    r = (MASS_GEV[MUP] / MASS_GEV[PIP]) ** 2
    assert fraction.min() == pytest.approx(r, abs=1e-3)
    assert fraction.max() == pytest.approx(1.0, abs=1e-3)
    assert helicities[fraction < r + 0.002, 0].mean() > 0.95
    assert helicities[fraction > 0.998, 0].mean() < -0.95
    # flat in energy: two-body decay of a spinless particle
    assert stats.kstest((fraction - r) / (1 - r), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("polarisation", [-1.0, -0.4, 0.0, 1.0])
@pytest.mark.parametrize("muon", [MUP, MUM], ids=["mu+", "mu-"])
def test_mean_energy_fractions_of_muon_decay(muon, polarisation):
    """mu+: numubar .35 + .05 P, nue .30 - .10 P, electron the rest; mu- of helicity -P the same."""
    n = 200_000
    helicity = polarisation if muon == MUP else -polarisation
    energy, _, codes, momenta, _ = many(muon, 1000.0, n, helicity)
    electron_type, muon_type = (NU_E, NU_MUBAR) if muon == MUP else (NU_EBAR, NU_MU)
    expected = {
        electron_type: 0.30 - 0.10 * polarisation,
        muon_type: 0.35 + 0.05 * polarisation,
        ELECTRON: 0.35 + 0.05 * polarisation,
    }
    for code, mean in expected.items():
        x = (momenta[:, :, 0] * (codes == code)).sum(axis=1) / energy
        # beta_mu differs from 1 by 5e-7; the electron mass moves means by some 1e-4
        assert x.mean() == pytest.approx(mean, abs=4 * x.std() / np.sqrt(n) + 2e-4)


def test_muon_decay_spectra_at_rest():
    """Michel spectra: dN/dx = 12 x^2 (1-x) of nue and 2 x^2 (3 - 2x) of numubar and e+."""
    _, _, codes, momenta, _ = many(MUP, 1.0, 30_000)
    largest = 0.5 * MASS_GEV[MUP]
    for code, cumulative in (
        (NU_E, lambda x: 4 * x**3 - 3 * x**4),
        (NU_MUBAR, lambda x: 2 * x**3 - x**4),
        (ELECTRON, lambda x: 2 * x**3 - x**4),
    ):
        x = (momenta[:, :, 0] * (codes == code)).sum(axis=1) / largest
        assert stats.kstest(np.clip(x, 0, 1), cumulative).pvalue > 1e-3


def test_muon_decay_asymmetry_at_rest():
    """mu+ polarised along z: electrons go forward, <cos> = P/9; nue backward, <cos> = -P/3."""
    n = 200_000
    for polarisation in (1.0, -1.0, 0.5):
        _, _, codes, momenta, _ = many(MUP, 1.0, n, polarisation)
        for code, mean in ((NU_E, -polarisation / 3), (ELECTRON, polarisation / 9), (NU_MUBAR, polarisation / 9)):
            p = (momenta * (codes == code)[:, :, None]).sum(axis=1)
            cos = p[:, 3] / np.sqrt((p[:, 1:] ** 2).sum(axis=1))
            assert cos.mean() == pytest.approx(mean, abs=4 * cos.std() / np.sqrt(n) + 2e-4)


@pytest.mark.parametrize("pair", [(PIP, PIM), (KP, KM), (MUP, MUM)], ids=["pi", "K", "mu"])
def test_cp_symmetry(pair):
    """With the same stream the antiparticle makes the antiparticles, same momenta, opposite helicities."""
    helicity = 0.3 if pair[0] == MUP else 0.0
    _, _, codes, momenta, helicities = many(pair[0], 5.0, 2000, helicity, seed=9)
    _, _, anti_codes, anti_momenta, anti_helicities = many(pair[1], 5.0, 2000, -helicity, seed=9)
    assert np.array_equal(np.vectorize(MIRROR.get)(codes), anti_codes)
    assert np.array_equal(momenta, anti_momenta)
    assert np.array_equal(helicities, -anti_helicities)


def _pdg_dalitz(mass, m_pi, m_l, plus, zero, e_l, e_nu):
    """PDG's K_l3 density rho = A f+^2 + B f+ f- + C f-^2 (review "Form factors for K_l3 decays")."""
    e_pi = mass - e_l - e_nu
    t = mass**2 + m_pi**2 - 2 * mass * e_pi
    scale = float(MASS_GEV[PIP]) ** 2
    f_plus = 1 + plus * t / scale
    f_minus = (1 + zero * t / scale - f_plus) * (mass**2 - m_pi**2) / t
    prime = (mass**2 + m_pi**2 - m_l**2) / (2 * mass) - e_pi
    a = mass * (2 * e_l * e_nu - mass * prime) + m_l**2 * (0.25 * prime - e_nu)
    b = m_l**2 * (e_nu - 0.5 * prime)
    return a * f_plus**2 + b * f_plus * f_minus + 0.25 * m_l**2 * prime * f_minus**2


KL3 = {
    "K+e3": (KP, PI0, ELECTRON_MASS_GEV, "K+-", "KL3_CHARGED_E", ELECTRON),
    "K+mu3": (KP, PI0, float(MASS_GEV[MUP]), "K+-", "KL3_CHARGED_MU", MUP),
    "KLe3": (KL, PIP, ELECTRON_MASS_GEV, "KL", "KL3_LONG_E", ELECTRON),
    "KLmu3": (KL, PIP, float(MASS_GEV[MUP]), "KL", "KL3_LONG_MU", MUP),
}


@pytest.mark.parametrize("name", KL3)
def test_kl3_density_is_pdgs_dalitz_density(name):
    """The squared amplitude is proportional to PDG's A, B, C form inside the plot, 0 outside, below its bound."""
    kaon, pion, m_l, slopes, bound, _ = KL3[name]
    mass, m_pi = float(MASS_GEV[kaon]), float(MASS_GEV[pion])
    rng = np.random.default_rng(1)
    ratios = []
    largest = getattr(decays, bound)
    for _ in range(4000):
        e_l = rng.uniform(m_l, (mass**2 + m_l**2 - m_pi**2) / (2 * mass))
        e_nu = rng.uniform(0, (mass**2 - (m_pi + m_l) ** 2) / (2 * mass))
        value = kl3_density(mass, m_pi, m_l, *branching_ratios.KL3_SLOPES[slopes], e_l, e_nu)
        assert 0.0 <= value <= largest
        p_l = math.sqrt(e_l**2 - m_l**2)
        p_pi2 = (mass - e_l - e_nu) ** 2 - m_pi**2
        inside = (p_l - e_nu) ** 2 <= p_pi2 <= (p_l + e_nu) ** 2 and mass - e_l - e_nu >= m_pi
        if not inside:
            assert value == 0.0
        elif value > 1e-3 * largest:
            ratios.append(value / _pdg_dalitz(mass, m_pi, m_l, *branching_ratios.KL3_SLOPES[slopes], e_l, e_nu))
    assert len(ratios) > 500
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)


@pytest.mark.parametrize("name", KL3)
def test_kl3_sampled_means(name):
    """Mean energies of the sampled decays at rest are those of PDG's density integrated on a grid."""
    kaon, pion, m_l, slopes, _, lepton = KL3[name]
    mass, m_pi = float(MASS_GEV[kaon]), float(MASS_GEV[pion])
    e_l = np.linspace(m_l, (mass**2 + m_l**2 - m_pi**2) / (2 * mass), 801)[:, None]
    e_nu = np.linspace(0, (mass**2 - (m_pi + m_l) ** 2) / (2 * mass), 801)[None, :]
    p_l = np.sqrt(e_l**2 - m_l**2)
    e_pi = mass - e_l - e_nu
    inside = (e_pi**2 - m_pi**2 <= (p_l + e_nu) ** 2) & (e_pi**2 - m_pi**2 >= (p_l - e_nu) ** 2) & (e_pi >= m_pi)
    density = np.where(inside, _pdg_dalitz(mass, m_pi, m_l, *branching_ratios.KL3_SLOPES[slopes], e_l, e_nu), 0.0)
    _, _, codes, momenta, _ = many(kaon, 1.0, 400_000)
    rows = (codes[:, 1] == lepton) & (codes[:, 2] >= NEUTRINO)
    for column, energy in ((1, e_l), (2, e_nu)):
        mean = (density * energy).sum() / density.sum()
        sample = momenta[rows, column, 0]
        assert sample.mean() == pytest.approx(mean, abs=4 * sample.std() / np.sqrt(rows.sum()) + 2e-3 * mean)


@pytest.mark.parametrize("species", [PIP, KP, KL, KS, LAMBDA], ids=NAMES.get)
def test_isotropic_at_rest(species):
    """Daughters of unpolarised parents have no preferred direction."""
    n = 40_000
    _, _, _, momenta, _ = many(species, 1.0, n)
    for k in (0, 1):
        p = momenta[:, k, 1:]
        unit = p / np.linalg.norm(p, axis=1, keepdims=True)
        assert np.abs(unit.mean(axis=0)).max() < 4 / np.sqrt(3 * n)
        second = np.abs((unit**2).mean(axis=0) - 1 / 3)
        assert second.max() < 4 * math.sqrt(4 / 45 / n)


def test_kmu3_muons_are_polarised():
    """K_mu3: muons are polarised in the kaon's rest frame, mu+ and mu- oppositely within statistics."""
    _, _, codes, _, helicities = many(KL, 1.0, 200_000)
    plus = helicities[codes[:, 1] == MUP, 1]
    minus = helicities[codes[:, 1] == MUM, 1]
    assert abs(plus.mean()) > 0.2
    assert plus.mean() == pytest.approx(-minus.mean(), abs=4 * plus.std() * math.sqrt(2 / plus.size))
