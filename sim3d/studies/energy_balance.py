"""Compute the energy balance of proton showers: the mean energy that goes into each final category.

Showers are simulated to the end with any hadronic model and their energy is summed by category. Energy is counted as in
:meth:`hadronic.models.HadronicModel.energy_balance`: kinetic for nucleons, total for mesons and muons, kinetic plus the
excess mass for a Lambda.

A single interaction in the kernel does not conserve energy, because each kind of secondary is drawn independently from
its mean number. The followed secondaries of a vertex are therefore counted with the energies drawn. What the kernel
does not follow (pi0, secondaries below the thresholds), and what the tables leave out altogether, is counted with the
mean of the tables at the energy of that vertex. The sum over categories is 1 on average over showers if the kernel
samples the tables correctly.

In decays every energy is drawn. What is neither a neutrino nor followed is a photon or an electron, except the slow
nucleon of a Lambda (see `sim3d.studies.energy_account`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atmosphere.layers import linsley
from hadronic.interaction.kernels import YieldTables
from hadronic.models import HadronicModel, check_projectile
from hadronic.species import P
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.text_tables import text_table, with_error
from sim3d.shower.track import TRACK_COLUMNS
from sim3d.shower.world import World, build_world
from sim3d.studies.energy_account import CATEGORIES, DRAWN_LESS_MEAN, N_CATEGORIES, follow_shower, tail_means

BALANCE_ENERGIES_GEV = (10.0, 100.0, 1000.0, 10000.0)

DEFAULT_COSINES = (1.0, 0.5)

LEAST_SHOWERS, MOST_SHOWERS = 2, 1_000_000

_FIRST_ROWS = 100_000


@dataclass(frozen=True)
class Balance:
    """Energy balance of one hadronic model at one primary energy and direction.

    Attributes
    ----------
    model : str
    kinetic_energy_GeV : float
        Of the primary proton.
    cos_zenith : float
        Of the primary, at the ground.
    showers : int
    shares, errors : dict of float
        Mean fraction of the primary's kinetic energy and its standard error, by category.
    total, total_error : float
        Sum of the fractions of a shower: mean over showers and its standard error.
    largest_gap : float
        Largest distance from 1 of the sum of any one shower when the energies drawn in interactions are replaced by
        their means, vertex by vertex. It is zero up to rounding if every particle's energy has been counted once.
        It does not test the sampling; ``total`` does.
    interaction : float
        Energy that the model's tables give to the secondaries of the primary's interaction, over the energy
        available.
    """

    model: str
    kinetic_energy_GeV: float
    cos_zenith: float
    showers: int
    shares: dict[str, float]
    errors: dict[str, float]
    total: float
    total_error: float
    largest_gap: float
    interaction: float


def balance_world(yields: YieldTables) -> World:
    """Build the simulation setup: US Standard Atmosphere, no field, no thinning, no neutrino threshold.

    Nucleons are followed down to the energy below which they produce no pions.

    Parameters
    ----------
    yields : YieldTables

    Returns
    -------
    World
    """
    atmosphere = linsley()
    return build_world(
        atmosphere.layers, atmosphere.top_km, np.zeros((3, 8)), yields, energy_min_GeV=0.0, bending=False
    )


def entry(cos_zenith: float, top_km: float) -> np.ndarray:
    """Compute the start of a primary at the top of the atmosphere, given its zenith angle at the ground.

    Parameters
    ----------
    cos_zenith : float
        Cosine of the zenith angle where its straight line meets the ground.
    top_km : float
        Height of the top of the atmosphere.

    Returns
    -------
    float64 array (9,)
        Position (km, geocentric), direction, carried perpendicular unit vector.
    """
    sine = math.sqrt(1.0 - cos_zenith**2)
    r, top = EARTH_RADIUS_KM, EARTH_RADIUS_KM + top_km
    way = -r * cos_zenith + math.sqrt((r * cos_zenith) ** 2 + top**2 - r**2)
    return np.array([way * sine, 0.0, r + way * cos_zenith, -sine, 0.0, -cos_zenith, 0.0, 1.0, 0.0])


def follow_showers(
    world: World, kinetic_GeV: float, cos_zenith: float, showers: int, seed: int, first: int = 0
) -> np.ndarray:
    """Simulate showers and sum their energy by category.

    Parameters
    ----------
    world : World
        See :func:`sim3d.studies.energy_account.account`.
    kinetic_GeV : float
        Of the primary proton.
    cos_zenith : float
        Of the primary, at the ground.
    showers : int
    seed, first : int
        Seed of the random streams, and number of the first shower.

    Returns
    -------
    float64 array (showers, N_CATEGORIES + 1)
        Fractions of the primary's kinetic energy; the last column is `DRAWN_LESS_MEAN`.
    """
    tails = tail_means(world.yields.ln_x)
    start = entry(cos_zenith, world.top_km)
    out = np.zeros((showers, N_CATEGORIES + 1))
    track = np.zeros((_FIRST_ROWS, TRACK_COLUMNS))
    for k in range(showers):
        while (wanted := follow_shower(world, tails, start, kinetic_GeV, seed, first + k, track, out[k])) >= len(track):
            track = np.zeros((wanted + wanted // 4 + 1, TRACK_COLUMNS))
    return out / kinetic_GeV


def energy_balance(
    model: HadronicModel,
    kinetic_GeV: float,
    cos_zenith: float,
    showers: int,
    seed: int,
    first: int = 0,
    world: World | None = None,
) -> Balance:
    """Compute the energy balance of showers of protons of one energy and direction.

    Parameters
    ----------
    model : HadronicModel
    kinetic_GeV : float
        Of the primary proton.
    cos_zenith : float
        At the ground, above 0.
    showers : int
        At least 2.
    seed, first : int
        Seed of the random streams, and number of the first shower. Other numbers give other random numbers.
    world : World, optional
        In place of :func:`balance_world`; without field and thinning.

    Returns
    -------
    Balance

    Raises
    ------
    HadronicInputError
        If the tables do not hold protons of this energy.
    """
    check_projectile(model.tables, P, kinetic_GeV)
    rows = follow_showers(world or balance_world(model.tables), kinetic_GeV, cos_zenith, showers, seed, first)
    shares = rows[:, :N_CATEGORIES]
    total = shares.sum(axis=1)
    root = math.sqrt(showers)
    return Balance(
        model=model.name,
        kinetic_energy_GeV=kinetic_GeV,
        cos_zenith=cos_zenith,
        showers=showers,
        shares=dict(zip(CATEGORIES, map(float, shares.mean(axis=0)), strict=True)),
        errors=dict(zip(CATEGORIES, map(float, shares.std(axis=0, ddof=1) / root), strict=True)),
        total=float(total.mean()),
        total_error=float(total.std(ddof=1)) / root,
        largest_gap=float(np.abs(total - rows[:, DRAWN_LESS_MEAN] - 1.0).max()),
        interaction=model.energy_balance(P, kinetic_GeV),
    )


def default_showers(kinetic_GeV: float) -> int:
    """Return the default number of showers: 10000 up to 100 GeV, above it decreasing as 1 / sqrt(energy).

    A shower of higher energy takes more time, and needs less statistics.

    Parameters
    ----------
    kinetic_GeV : float
        Of the primary proton.

    Returns
    -------
    int
    """
    return int(min(10000.0, 1.0e5 / math.sqrt(kinetic_GeV)))


def as_text(rows: Sequence[Balance]) -> str:
    """Format energy balances as the table that ``sim3d zfactors --balance`` prints.

    Parameters
    ----------
    rows : sequence of Balance

    Returns
    -------
    str
    """
    names = ("neutrinos", "muons", "nucleons", "mesons", "e.m.", "ionis.", "below", "upward", "missing")
    head = ["T/GeV", "cos", *names, "sum", "p-air", "showers"]
    lines = [
        "Where the energy of a primary proton goes: per cent of its kinetic energy",
        "  muons, nucleons, mesons: at the ground; e.m.: pi0, photons, electrons; ionis.: lost along the way;",
        "  below: slower than what is followed; upward: leaves the air; missing: not in the model's tables (nuclear",
        "  binding, strange baryons; negative where they give more than there is); sum: of all these, with its error;",
        "  p-air: energy of all secondaries of the primary's interaction in the tables over what it brings",
    ]
    for model in dict.fromkeys(row.model for row in rows):
        cells = [
            [
                f"{row.kinetic_energy_GeV:.5g}",
                f"{row.cos_zenith:.2g}",
                *(f"{100.0 * row.shares[name]:.2f}" for name in CATEGORIES),
                with_error(100.0 * row.total, 100.0 * row.total_error, ".2f"),
                f"{100.0 * row.interaction:.2f}",
                f"{row.showers}",
            ]
            for row in rows
            if row.model == model
        ]
        lines += ["", model, *text_table(head, cells, "r" * len(head))]
    worst = max(row.largest_gap for row in rows)
    lines += [
        "",
        f"With what interactions drew replaced by its mean, the sum of every shower is 1 within {worst:.1e}.",
    ]
    return "\n".join(lines)
