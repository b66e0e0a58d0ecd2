"""The cross section against traces of Dirac matrices, kinematics, known totals and limits."""

import itertools

import numpy as np
import pytest

from sim3d.analysis import quasielastic as qe

FLAVOURS = ("numu", "numubar", "nue", "nuebar")

_ONE = np.eye(4)
_PAULI = (np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.array([[1, 0], [0, -1]]))
_GAMMA = [np.kron(np.diag([1, -1]), np.eye(2)).astype(complex)] + [
    np.kron(np.array([[0, 1], [-1, 0]]), s) for s in _PAULI
]
_GAMMA5 = 1j * _GAMMA[0] @ _GAMMA[1] @ _GAMMA[2] @ _GAMMA[3]
_METRIC = (1.0, -1.0, -1.0, -1.0)


def _slash(p):
    return sum(_METRIC[i] * p[i] * _GAMMA[i] for i in range(4))


def _bar(matrix):
    return _GAMMA[0] @ matrix.conj().T @ _GAMMA[0]


def _from_traces(flavour, energy, q2):
    """d(sigma)/dQ2 from the currents themselves, with the masses of proton and neutron as they are."""
    c = qe.channel(flavour)
    lepton = float(qe.lepton_energy(flavour, energy, q2))
    momentum = np.sqrt(lepton**2 - c.lepton_mass**2)
    cosine = float(qe.scattering_cosine(flavour, energy, q2))
    k = np.array([energy, 0, 0, energy])
    out = np.array([lepton, momentum * np.sqrt(1 - cosine**2), 0, momentum * cosine])
    q = k - out
    target = np.array([c.target_mass, 0, 0, 0])
    mean = 0.5 * (qe.PROTON_MASS_GEV + qe.NEUTRON_MASS_GEV)
    f1, f2, g1, g2 = (float(x) for x in qe.form_factors(q2))

    def sigma_q(mu):
        terms = (_GAMMA[mu] @ _GAMMA[nu] - _GAMMA[nu] @ _GAMMA[mu] for nu in range(4))
        return 0.5j * sum(_METRIC[nu] * q[nu] * term for nu, term in enumerate(terms))

    vertex = [
        f1 * _GAMMA[mu] + 1j * f2 / (2 * mean) * sigma_q(mu) + g1 * _GAMMA[mu] @ _GAMMA5 + q[mu] * g2 / mean * _GAMMA5
        for mu in range(4)
    ]
    left = [g @ (_ONE - _GAMMA5) for g in _GAMMA]
    after = _slash(target + q) + c.recoil_mass * _ONE
    before = _slash(target) + c.target_mass * _ONE
    total = 0.0
    for mu, nu in itertools.product(range(4), range(4)):
        if c.sign > 0:
            leptons = np.trace((_slash(out) + c.lepton_mass * _ONE) @ left[mu] @ _slash(k) @ _bar(left[nu]))
        else:
            leptons = np.trace(_slash(k) @ left[mu] @ (_slash(out) - c.lepton_mass * _ONE) @ _bar(left[nu]))
        total += _METRIC[mu] * _METRIC[nu] * leptons * np.trace(after @ vertex[mu] @ before @ _bar(vertex[nu]))
    # Amplitude G_F V_ud / sqrt(2); one spin of the neutrino, two of the target.
    squared = 0.5 * (qe.FERMI_CONSTANT * qe.V_UD) ** 2 * total.real / 2
    return squared / (64 * np.pi * (c.target_mass * energy) ** 2) * qe.HBARC2_CM2


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("energy", [0.14, 0.5, 1.0, 4.0])
def test_cross_section_is_that_of_the_traces(flavour, energy):
    low, high = qe.q2_limits(flavour, energy)
    for share in (0.05, 0.4, 0.95):
        q2 = float(low + share * (high - low))
        assert float(qe.differential(flavour, energy, q2)) == pytest.approx(_from_traces(flavour, energy, q2), 1e-10)


@pytest.mark.parametrize("energy", [0.003, 0.01])
def test_traces_near_the_threshold(energy):
    low, high = qe.q2_limits("nuebar", energy)
    q2 = float(0.5 * (low + high))
    assert float(qe.differential("nuebar", energy, q2)) == pytest.approx(_from_traces("nuebar", energy, q2), 1e-10)


def test_thresholds():
    assert qe.channel("numu").threshold == pytest.approx(0.1102, abs=1e-4)
    assert qe.channel("numubar").threshold == pytest.approx(0.1131, abs=1e-4)
    assert qe.channel("nuebar").threshold == pytest.approx(1.806e-3, abs=1e-6)
    assert qe.channel("nue").threshold == 0.0
    assert qe.total("numu", [0.05, 0.1101]).tolist() == [0.0, 0.0]
    assert np.all(qe.total("numu", [0.1105, 0.12]) > 0.0)
    assert np.isnan(qe.mean_angle("numu", 0.1))


def test_known_totals():
    """Plateau of numu n near 1e-38 cm2 at 1-2 GeV; nubar is a third at 0.5 to 1 GeV and catches up at high energy.

    Free nucleons with an axial mass of 1.03 GeV: 0.9 to 1.1e-38 cm2 in all generators.
    """
    plateau = qe.total("numu", np.array([1.0, 1.5, 2.0]))
    assert np.all((plateau > 0.9e-38) & (plateau < 1.15e-38))
    ratio = qe.total("numubar", np.array([0.5, 1.0, 2.0, 1000.0])) / qe.total("numu", np.array([0.5, 1.0, 2.0, 1000.0]))
    assert ratio[:3] == pytest.approx([0.28, 0.38, 0.56], abs=0.03)
    assert ratio[3] == pytest.approx(1.0, abs=0.003)


def test_larger_axial_mass_gives_more():
    assert qe.total("numu", 2.0, axial_mass_GeV=1.2) > 1.1 * qe.total("numu", 2.0, axial_mass_GeV=1.03)


def test_inverse_beta_decay():
    """9.52e-44 cm2 p_e E_e / MeV2 without recoil; with it Strumia and Vissani's fit, eq. 25 (radiative terms: 2.4%)."""
    electron = qe.channel("nuebar").lepton_mass * 1e3
    near = np.array([2.0, 2.5])
    simple = 9.52e-44 * (near - 1.2933) * np.sqrt((near - 1.2933) ** 2 - electron**2)
    assert qe.total("nuebar", near * 1e-3) == pytest.approx(simple, rel=0.04)
    energy = np.array([3.0, 10.0, 30.0, 100.0])
    out = energy - 1.2933
    log = np.log(energy)
    fit = 1e-43 * out * np.sqrt(out**2 - electron**2) * energy ** (-0.07056 + 0.02018 * log - 0.001953 * log**3)
    assert qe.total("nuebar", energy * 1e-3) == pytest.approx(fit / 1.024, rel=0.01)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_limits_of_q2_are_the_forward_and_the_backward_lepton(flavour):
    energy = np.array([0.3, 0.6, 1.0, 10.0])
    low, high = qe.q2_limits(flavour, energy)
    # A neutron that becomes a lighter proton can have a time-like transfer, of at most the difference squared.
    assert np.all((low > -(1.3e-3**2)) & (low < high))
    assert qe.scattering_cosine(flavour, energy, low * (1 + 1e-9)) == pytest.approx(np.ones(4), abs=1e-4)
    assert qe.scattering_cosine(flavour, energy, high) == pytest.approx(-np.ones(4), abs=1e-4)
    assert np.all(qe.differential(flavour, energy, high * 1.001) == 0.0)


def test_kinematics_conserve_energy_and_momentum():
    c = qe.channel("numu")
    energy, q2 = 0.9, 0.5
    lepton = float(qe.lepton_energy("numu", energy, q2))
    momentum = np.sqrt(lepton**2 - c.lepton_mass**2)
    cosine = float(qe.scattering_cosine("numu", energy, q2))
    recoil2 = energy**2 + momentum**2 - 2 * energy * momentum * cosine
    assert energy + c.target_mass == pytest.approx(lepton + np.sqrt(c.recoil_mass**2 + recoil2), rel=1e-12)
    assert recoil2 - (energy - lepton) ** 2 == pytest.approx(q2, rel=1e-12)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_total_is_the_integral_of_the_differential(flavour):
    for energy in (0.2, 0.8, 3.0):
        low, high = qe.q2_limits(flavour, energy)
        edges = np.linspace(low, high, 200_001)
        middle = 0.5 * (edges[1:] + edges[:-1])
        for pauli in (False, True):
            plain = qe.differential(flavour, energy, middle, pauli=pauli).sum() * (edges[1] - edges[0])
            assert float(qe.total(flavour, energy, pauli=pauli)) == pytest.approx(plain, rel=1e-4)


def test_a_window_of_lepton_energies_is_part_of_the_total():
    edges = (0.2, 0.4, 0.7, 3.0)
    parts = []
    for window in itertools.pairwise(edges):
        q2, weight = qe.q2_nodes("numu", 0.9, window)
        assert np.all(qe.lepton_energy("numu", 0.9, q2) >= window[0] - 1e-12)
        parts.append(np.sum(qe.differential("numu", 0.9, q2) * weight))
    assert sum(parts) == pytest.approx(float(qe.total("numu", 0.9)), rel=1e-3)
    assert parts[0] > 0.0


def test_pauli_blocking():
    assert qe.pauli_factor("numu", 1.0, [1e-4, 2.0]) == pytest.approx([0.0333, 1.0], abs=2e-3)
    reduction = qe.total("numu", [0.5, 1.0, 3.0], pauli=True) / qe.total("numu", [0.5, 1.0, 3.0])
    assert np.all((reduction > 0.85) & (reduction < 0.95))
    assert np.all(qe.mean_angle("numubar", [0.5, 1.0], pauli=True) > qe.mean_angle("numubar", [0.5, 1.0]))


def test_form_factors_at_rest():
    f1, f2, axial, _ = (float(x) for x in qe.form_factors(0.0))
    assert f1 == 1.0
    assert f2 == pytest.approx(qe.MU_PROTON - qe.MU_NEUTRON - 1.0)
    assert axial == qe.AXIAL_COUPLING


def test_unknown_flavour():
    with pytest.raises(ValueError, match="nutau"):
        qe.channel("nutau")


def test_usual_spellings_of_a_flavour():
    assert qe.channel("numu_bar") == qe.channel(-14) == qe.channel("numubar") != qe.channel("numu")
