"""Decay short-lived particles that generators leave and a shower does not follow: eta, eta', Sigma, Xi, Omega, ...

The antihyperons are among them.

Isotropic phase space. Branching ratios from the Review of Particle Physics (from memory; modes below 1 % are left
out and the rest is scaled to 1).
"""

from typing import Final

import numpy as np
from particle import Particle

from hadronic.arrays import Array, IntArray

# Parent -> ((branching ratio, products), ...). Antihyperons come with `_ANTI`.
_MODES: Final[dict[int, tuple[tuple[float, tuple[int, ...]], ...]]] = {
    221: (
        (0.394, (22, 22)),
        (0.326, (111, 111, 111)),
        (0.230, (211, -211, 111)),
        (0.043, (211, -211, 22)),
    ),
    331: (
        (0.425, (211, -211, 221)),
        (0.295, (211, -211, 22)),
        (0.224, (111, 111, 221)),
        (0.025, (223, 22)),
        (0.023, (22, 22)),
    ),
    223: ((0.892, (211, -211, 111)), (0.083, (111, 22)), (0.015, (211, -211))),
    3222: ((0.516, (2212, 111)), (0.483, (2112, 211))),
    3212: ((1.0, (3122, 22)),),
    3112: ((1.0, (2112, -211)),),
    3322: ((1.0, (3122, 111)),),
    3312: ((1.0, (3122, -211)),),
    3334: ((0.678, (3122, -321)), (0.236, (3322, -211)), (0.086, (3312, 111))),
    # The Lambda is followed by the shower, its antiparticle is not.
    -3122: ((0.641, (-2212, 211)), (0.359, (-2112, 111))),
}
_SELF_CONJUGATE: Final = (22, 111, 221, 223, 331)


def _conjugate(pdg: int) -> int:
    return pdg if pdg in _SELF_CONJUGATE else -pdg


_ANTI: Final = {
    -parent: tuple((ratio, tuple(_conjugate(one) for one in products)) for ratio, products in modes)
    for parent, modes in _MODES.items()
    if parent > 3000 and parent != 3122
}
MODES: Final = _MODES | _ANTI
"""Every decay: parent's PDG id -> ((branching ratio, PDG ids of the products), ...)."""


def mass_of(pdg: int) -> float:
    """Rest mass of a particle, 0 for photons.

    Parameters
    ----------
    pdg : int
        PDG id.

    Returns
    -------
    float
        GeV.
    """
    mass = Particle.from_pdgid(pdg).mass
    return 0.0 if mass is None else float(mass) / 1000.0


def _momentum(M: Array | float, a: Array | float, b: Array | float) -> Array:
    """Momentum of two bodies of masses a, b from M, in its frame (GeV)."""
    M2 = np.square(M)
    p: Array = np.sqrt(np.maximum((M2 - np.square(a + b)) * (M2 - np.square(a - b)), 0.0)) / (2.0 * M)
    return p


def _isotropic(number: int, rng: np.random.Generator) -> Array:
    cos = rng.uniform(-1.0, 1.0, number)
    phi = rng.uniform(0.0, 2.0 * np.pi, number)
    sin = np.sqrt(1.0 - cos**2)
    return np.stack((sin * np.cos(phi), sin * np.sin(phi), cos), axis=1)


def _boost(four: Array, frame: Array, mass: Array | float) -> Array:
    """`four` (E, p), given in the rest frame of `frame` (E, p; of `mass`), in the frame in which `frame` is given."""
    gamma = frame[:, 0] / mass
    u = frame[:, 1:] / np.asarray(mass).reshape(-1, 1)
    along = (u * four[:, 1:]).sum(axis=1)
    energy = gamma * four[:, 0] + along
    return np.column_stack((energy, four[:, 1:] + u * (four[:, 0] + along / (1.0 + gamma))[:, None]))


def two_body(parents: Array, mass: Array | float, masses: tuple[float, float], rng: np.random.Generator) -> list[Array]:
    """Draw the products of two-body decays, isotropic in the rest frame.

    Parameters
    ----------
    parents : float[n, 4]
        Four-momenta (E, px, py, pz) of the parents, GeV.
    mass : float or float[n]
        Rest mass of the parents, GeV.
    masses : tuple of float
        Rest masses of the products, GeV.
    rng : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    list of float[n, 4]
        Four-momenta (E, px, py, pz) of the two products, GeV.
    """
    p = np.broadcast_to(_momentum(mass, *masses), len(parents))
    vector = p[:, None] * _isotropic(len(parents), rng)
    out = []
    for sign, m in ((1.0, masses[0]), (-1.0, masses[1])):
        rest = np.column_stack((np.sqrt(p**2 + m**2), sign * vector))
        out.append(_boost(rest, parents, mass))
    return out


def three_body(
    parents: Array, mass: float, masses: tuple[float, float, float], rng: np.random.Generator
) -> list[Array]:
    """Draw the products of three-body decays, uniform in phase space.

    The mass m12 of the first two has the density p(M; m12, 3) p(m12; 1, 2).

    Parameters
    ----------
    parents : float[n, 4]
        Four-momenta (E, px, py, pz) of the parents, GeV.
    mass : float
        Rest mass of the parents, GeV.
    masses : tuple of float
        Rest masses of the products, GeV.
    rng : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    list of float[n, 4]
        Four-momenta (E, px, py, pz) of the three products, GeV.
    """
    a, b, c = masses
    low, high = a + b, mass - c
    ceiling = _momentum(mass, low, c) * _momentum(high, a, b)
    pair = np.empty(len(parents))
    missing = np.ones(len(parents), dtype=bool)
    while missing.any():
        tried = rng.uniform(low, high, int(missing.sum()))
        weight = _momentum(mass, tried, c) * _momentum(tried, a, b)
        where = np.flatnonzero(missing)[rng.uniform(0.0, ceiling, tried.size) < weight]
        pair[where] = tried[np.isin(np.flatnonzero(missing), where)]
        missing[where] = False
    p = _momentum(mass, pair, c)
    vector = p[:, None] * _isotropic(len(parents), rng)
    third = _boost(np.column_stack((np.sqrt(p**2 + c**2), -vector)), parents, mass)
    both = _boost(np.column_stack((np.sqrt(p**2 + pair**2), vector)), parents, mass)
    return [*two_body(both, pair, (a, b), rng), third]


def decay_all(
    event: IntArray, pdg: IntArray, four: Array, rng: np.random.Generator
) -> tuple[IntArray, IntArray, Array]:
    """Replace every particle of `MODES` by its products, until none is left.

    Parameters
    ----------
    event : int[n]
        Number of the event that each particle belongs to.
    pdg : int[n]
    four : float[n, 4]
        (E, px, py, pz) in GeV.
    rng : numpy.random.Generator

    Returns
    -------
    event, pdg, four
        The same with the products in the place of their parents (at the end).
    """
    while True:
        unstable = np.isin(pdg, list(MODES))
        if not unstable.any():
            return event, pdg, four
        parts = [(event[~unstable], pdg[~unstable], four[~unstable])]
        for parent in np.unique(pdg[unstable]):
            rows = np.flatnonzero(pdg == parent)
            modes = MODES[int(parent)]
            ratios = np.array([ratio for ratio, _ in modes])
            choice = rng.choice(len(modes), rows.size, p=ratios / ratios.sum())
            for number, (_, products) in enumerate(modes):
                chosen = rows[choice == number]
                if not chosen.size:
                    continue
                # The generator's own mass differs by its width or rounding: the products share the real one.
                parents = four[chosen].copy()
                mass = mass_of(int(parent))
                parents[:, 0] = np.sqrt(mass**2 + (parents[:, 1:] ** 2).sum(axis=1))
                masses = tuple(mass_of(one) for one in products)
                if len(masses) == 2:
                    made = two_body(parents, mass, (masses[0], masses[1]), rng)
                else:
                    made = three_body(parents, mass, (masses[0], masses[1], masses[2]), rng)
                parts += [
                    (event[chosen], np.full(chosen.size, one), vectors)
                    for one, vectors in zip(products, made, strict=True)
                ]
        event, pdg, four = (np.concatenate([part[i] for part in parts]) for i in range(3))
