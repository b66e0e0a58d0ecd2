"""Compute matrices of the decay products of hadrons and muons in flight, in the bins of the cascade equations.

A product of energy e* and momentum p* in the rest frame of a parent of energy E and velocity beta is spread evenly, if
the decay is isotropic, between gamma (e* - beta p*) and gamma (e* + beta p*). The matrices are integrals of this over
the bins of the product, averaged over the bins of the parent. Muons are counted in two states of helicity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from sim3d.cascade.energies import EnergyGrid
from sim3d.cascade.rest_frame import (
    Lines,
    SemileptonicDecay,
    muon_neutrinos,
    muon_of_two_body,
    three_pions,
    two_body,
)
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import NUE, NUEBAR, NUMU, NUMUBAR
from sim3d.conventions.particles import (
    ELECTRON_MASS_GEV,
    KL,
    KM,
    KP,
    KS,
    LAMBDA,
    MASS_GEV,
    MUP,
    NEUTRON,
    PI0,
    PIM,
    PIP,
    PROTON,
)
from sim3d.shower.branching_ratios import (
    KCHARGED_BRANCHING,
    KL3_SLOPES,
    KLONG_BRANCHING,
    KSHORT_BRANCHING,
    LAMBDA_BRANCHING,
)

PLUS, MINUS = 0, 1
"""Charges of muons in the matrices."""
RIGHT, LEFT = 0, 1
"""States of helicity +1 and -1 of muons in the matrices."""

_M = {code: float(MASS_GEV[code]) for code in range(MASS_GEV.size)}
_GAUSS = 0.5 / np.sqrt(3.0)
"""Nodes of the two-point Gauss rule, in units of the interval, from its middle."""


@dataclass(frozen=True)
class DecayMatrices:
    """Mean numbers of products per decay; rows are bins of the parent, columns bins of the product.

    Attributes
    ----------
    hadrons : dict of float64 arrays (n, n)
        By (parent, product), species codes.
    muons : dict of float64 arrays (2, 2, n, n)
        By parent: charge (PLUS, MINUS) and helicity (RIGHT, LEFT) of the muon.
    neutrinos : dict of float64 arrays (4, n, n)
        By parent: flavour of the neutrino.
    muon_neutrinos : float64 array (2, 2, 4, n, n)
        Of muons: charge and helicity of the muon, flavour of the neutrino.
    """

    hadrons: dict[tuple[int, int], Array]
    muons: dict[int, Array]
    neutrinos: dict[int, Array]
    muon_neutrinos: Array


@dataclass(frozen=True)
class _Product:
    """One product of a parent: a hadron, a muon (positive or not), or a neutrino."""

    code: int
    lines: Lines
    share: float
    kind: str = "hadron"


def _flavour(positive: bool, electron: bool) -> int:
    """Flavour of the neutrino that comes with an l+ (True) or an l-."""
    if electron:
        return NUE if positive else NUEBAR
    return NUMU if positive else NUMUBAR


def _leptonic(positive: bool, lines: tuple[Lines, Lines], share: float) -> list[_Product]:
    muon, neutrino = lines
    return [
        _Product(PLUS if positive else MINUS, muon, share, "muon"),
        _Product(_flavour(positive, False), neutrino, share, "neutrino"),
    ]


@dataclass(frozen=True)
class _Kl3:
    """Lines of K -> pi l nu: of the pion, the lepton (of a muon only) and the neutrino."""

    meson: Lines
    lepton: Lines | None
    neutrino: Lines

    def products(self, pion: int, positive: bool, share: float) -> list[_Product]:
        """Products of the decay with an l+ (True) or an l-."""
        out = [_Product(_flavour(positive, self.lepton is None), self.neutrino, share, "neutrino")]
        if pion != PI0:
            out.append(_Product(pion, self.meson, share))
        if self.lepton is not None:
            out.append(_Product(PLUS if positive else MINUS, self.lepton, share, "muon"))
        return out


def _kl3(kaon: int, pion: int, slopes: str) -> dict[str, _Kl3]:
    out = {}
    for name, lepton in (("e3", ELECTRON_MASS_GEV), ("mu3", _M[MUP])):
        decay = SemileptonicDecay(_M[kaon], _M[pion], lepton, KL3_SLOPES[slopes])
        muon = decay.charged_lepton() if name == "mu3" else None
        out[name] = _Kl3(decay.meson(), muon, decay.neutrino())
    return out


def _charged_kaons() -> dict[int, list[_Product]]:
    mass, pion, pi0 = _M[KP], _M[PIP], _M[PI0]
    whole = sum(KCHARGED_BRANCHING.values())
    share = {name: value / whole for name, value in KCHARGED_BRANCHING.items()}
    leptonic = muon_of_two_body(mass, _M[MUP]), two_body(mass, 0.0, _M[MUP])
    two, three, neutral = (
        two_body(mass, pion, pi0),
        three_pions(mass, pion, pion, pion),
        three_pions(mass, pion, pi0, pi0),
    )
    semileptonic = _kl3(KP, PI0, "K+-")
    out = {}
    for kaon, same, other in ((KP, PIP, PIM), (KM, PIM, PIP)):
        out[kaon] = [
            *_leptonic(kaon == KP, leptonic, share["mu nu"]),
            _Product(same, two, share["pi pi0"]),
            _Product(same, three, 2.0 * share["pi pi pi"]),
            _Product(other, three, share["pi pi pi"]),
            _Product(same, neutral, share["pi pi0 pi0"]),
            *semileptonic["e3"].products(PI0, kaon == KP, share["e3"]),
            *semileptonic["mu3"].products(PI0, kaon == KP, share["mu3"]),
        ]
    return out


def _neutral_kaons() -> dict[int, list[_Product]]:
    mass, pion, pi0 = _M[KL], _M[PIP], _M[PI0]
    semileptonic = _kl3(KL, PIP, "KL")
    whole = sum(KLONG_BRANCHING.values())
    three, share = three_pions(mass, pion, pion, pi0), KLONG_BRANCHING["pi+ pi- pi0"] / whole
    long = [_Product(PIP, three, share), _Product(PIM, three, share)]
    of_short = sum(KSHORT_BRANCHING.values())
    two, share = two_body(mass, pion, pion), KSHORT_BRANCHING["pi+ pi-"] / of_short
    short = [_Product(PIP, two, share), _Product(PIM, two, share)]
    for name, lines in semileptonic.items():
        # K0 -> pi-+ l+- nu, the charges equally frequent
        for code, positive in ((PIM, True), (PIP, False)):
            long += lines.products(code, positive, 0.5 * KLONG_BRANCHING[name] / whole)
            short += lines.products(code, positive, 0.5 * KSHORT_BRANCHING[name] / of_short)
    return {KL: long, KS: short}


def _products() -> dict[int, list[_Product]]:
    """All products of the hadrons that decay, by parent."""
    mass, whole = _M[LAMBDA], sum(LAMBDA_BRANCHING.values())
    proton, neutron = LAMBDA_BRANCHING["p pi-"] / whole, LAMBDA_BRANCHING["n pi0"] / whole
    pion = muon_of_two_body(_M[PIP], _M[MUP]), two_body(_M[PIP], 0.0, _M[MUP])
    return {
        PIP: _leptonic(True, pion, 1.0),
        PIM: _leptonic(False, pion, 1.0),
        **_charged_kaons(),
        **_neutral_kaons(),
        LAMBDA: [
            _Product(PROTON, two_body(mass, _M[PROTON], _M[PIM]), proton),
            _Product(PIM, two_body(mass, _M[PIM], _M[PROTON]), proton),
            _Product(NEUTRON, two_body(mass, _M[NEUTRON], _M[PI0]), neutron),
        ],
    }


def _overlap(low: Array, high: Array, edges: Array) -> tuple[Array, Array]:
    """Clip intervals to bins: (parts, 1) limits and (n + 1,) edges give (parts, n) lower and upper ends."""
    inside = np.clip(edges, low, high)
    return inside[:, :-1], inside[:, 1:]


def isotropic(grid: EnergyGrid, parent_mass: float, lines: Lines) -> Array:
    """Compute the matrix of an isotropic product.

    Parameters
    ----------
    grid : EnergyGrid
        Bins of the kinetic energies of parent and product (neutrinos: of the energy).
    parent_mass : float
        GeV.
    lines : Lines

    Returns
    -------
    float64 array (n, n)
        Mean numbers per decay.
    """
    gamma = 1.0 + grid.sub_centres_GeV[:, None] / parent_mass
    boost = np.sqrt(gamma**2 - 1.0)
    edges = grid.edges_GeV + lines.mass_GeV
    total = np.zeros((gamma.size, grid.n))
    for energy, momentum, number in zip(lines.energy_GeV, lines.momentum_GeV, lines.number, strict=True):
        low, high = gamma * energy - boost * momentum, gamma * energy + boost * momentum
        first, last = _overlap(low, high, edges)
        total += number * (last - first) / (high - low)
    return grid.averaged(total)


def polarised(grid: EnergyGrid, parent_mass: float, lines: Lines) -> Array:
    """Compute the matrices of antimuons in two states of helicity.

    Parameters
    ----------
    grid, parent_mass, lines
        As for :func:`isotropic`.

    Returns
    -------
    float64 array (2, n, n)
        Of the states RIGHT and LEFT; for negative muons they are exchanged.
    """
    gamma = 1.0 + grid.sub_centres_GeV[:, None] / parent_mass
    boost = np.sqrt(gamma**2 - 1.0)
    mass = lines.mass_GeV
    edges = grid.edges_GeV + mass
    total = np.zeros((2, gamma.size, grid.n))
    each = zip(
        lines.energy_GeV, lines.momentum_GeV, lines.number, lines.spin_time, lines.spin_along, strict=True
    )  # fmt: skip
    for energy, momentum, number, time, along in each:
        low, high = gamma * energy - boost * momentum, gamma * energy + boost * momentum
        first, last = _overlap(low, high, edges)
        count = number * (last - first) / (high - low)
        for side in (-_GAUSS, _GAUSS):
            at = 0.5 * (first + last) + side * (last - first)
            cosine = (at - gamma * energy) / (boost * momentum)
            spin = gamma * time + boost * along * cosine
            helicity = (at - mass**2 * spin) / np.sqrt(at**2 - mass**2)
            total[RIGHT] += 0.25 * count * (1.0 + helicity)
            total[LEFT] += 0.25 * count * (1.0 - helicity)
    return np.array([grid.averaged(one) for one in total])


def _neutrinos_of_muons(grid: EnergyGrid) -> Array:
    """Matrices of the neutrinos of polarised muons: (charge, helicity, flavour, n, n)."""
    mass = _M[MUP]
    gamma = 1.0 + grid.sub_centres_GeV[:, None] / mass
    boost = np.sqrt(gamma**2 - 1.0)
    out = np.zeros((2, 2, 4, grid.n, grid.n))
    for name, (energies, numbers, asymmetries) in muon_neutrinos(mass).items():
        even, odd = np.zeros((gamma.size, grid.n)), np.zeros((gamma.size, grid.n))
        for energy, number, asymmetry in zip(energies, numbers, asymmetries, strict=True):
            low, high = energy * (gamma - boost), energy * (gamma + boost)
            first, last = _overlap(low, high, grid.edges_GeV)
            even += number * (last - first) / (high - low)
            # integral of A cos / 2 over the bin, cos = 2 (E - low) / (high - low) - 1
            a, b = 2.0 * (first - low) / (high - low) - 1.0, 2.0 * (last - low) / (high - low) - 1.0
            odd += number * asymmetry * 0.25 * (b**2 - a**2)
        both = grid.averaged(even), grid.averaged(odd)
        for charge in (PLUS, MINUS):
            # the electron neutrino goes with its own positron, the muon neutrino with the muon that is gone
            flavour = _flavour(charge == PLUS, True) if name == "electron" else _flavour(charge == MINUS, False)
            for helicity, sign in ((RIGHT, 1.0), (LEFT, -1.0)):
                spin = sign if charge == PLUS else -sign
                out[charge, helicity, flavour] = both[0] + spin * both[1]
    return out


@cache
def decay_matrices(grid: EnergyGrid) -> DecayMatrices:
    """Compute the products of all decays.

    Parameters
    ----------
    grid : EnergyGrid

    Returns
    -------
    DecayMatrices
        Kept for the next call with the same grid.
    """
    hadrons: dict[tuple[int, int], Array] = {}
    muons: dict[int, Array] = {}
    neutrinos: dict[int, Array] = {}
    # parents of both charges share their lines, and the matrices made of these
    made: dict[int, Array] = {}
    for parent, products in _products().items():
        mass = _M[KL if parent == KS else parent]
        if parent != LAMBDA:
            muons[parent] = np.zeros((2, 2, grid.n, grid.n))
            neutrinos[parent] = np.zeros((4, grid.n, grid.n))
        for one in products:
            if id(one.lines) not in made:
                kernel = polarised if one.kind == "muon" else isotropic
                made[id(one.lines)] = kernel(grid, mass, one.lines)
            matrix = one.share * made[id(one.lines)]
            if one.kind == "muon":
                muons[parent][one.code] += matrix if one.code == PLUS else matrix[::-1]
            elif one.kind == "neutrino":
                neutrinos[parent][one.code] += matrix
            else:
                hadrons[parent, one.code] = hadrons.get((parent, one.code), 0.0) + matrix
    return DecayMatrices(hadrons, muons, neutrinos, _neutrinos_of_muons(grid))
