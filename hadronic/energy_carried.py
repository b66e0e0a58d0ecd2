"""Energy that the secondaries of a hadronic model carry, as a share of what the projectile brings, and its limits.

A table without pi0, say, or with counts in wrong units, loses or makes energy without any other sign. The share is
`hadronic.models.HadronicModel.energy_balance`, from the tables that the kernels draw from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hadronic.errors import HadronicInputError
from hadronic.models import HadronicModel
from hadronic.species import NAMES, species_code
from hadronic.tables.yield_rows import PROJECTILES

LEAST: Final = 0.85
"""Lowest share that raises no warning: shipped models have 0.865 (pions of 2 GeV) and more."""

MOST: Final = 1.1
"""Highest share that raises no warning: shipped models have at most 1.054 (`fluka-z` as printed, 5 GeV)."""

ENERGIES_GEV: Final = (2.0, 10.0, 100.0, 1.0e3, 1.0e4, 1.0e5)
"""Kinetic energies at which the shares are computed unless others are given."""


@dataclass(frozen=True)
class EnergyCarried:
    """Share of energy at one projectile and energy.

    Attributes
    ----------
    projectile : str
        Name of the projectile.
    T_GeV : float
        Its kinetic energy.
    share : float
        Mean energy in all secondaries over the energy that the projectile brings; 1 where energy is conserved.
    """

    projectile: str
    T_GeV: float
    share: float

    @property
    def is_usual(self) -> bool:
        """Whether the share lies between `LEAST` and `MOST`."""
        return LEAST <= self.share <= MOST


def energy_carried(model: HadronicModel, energies_GeV: Sequence[float] = ENERGIES_GEV) -> list[EnergyCarried]:
    """Compute the share of energy in the secondaries, by projectile and energy.

    Parameters
    ----------
    model : HadronicModel
        The model.
    energies_GeV : sequence of float
        Kinetic energies of the projectile.

    Returns
    -------
    list of EnergyCarried
        Projectiles of a file of yields (p, pi+, K+, K-; the others are their mirrors), energies inside.

    Raises
    ------
    HadronicInputError
        If the model has no such energy.
    """
    if not energies_GeV:
        raise HadronicInputError("energies_GeV: needs at least one kinetic energy, got none")
    return [
        EnergyCarried(name, float(T), model.energy_balance(species_code(name), float(T)))
        for name in PROJECTILES
        if name in NAMES
        for T in energies_GeV
    ]


def range_in_words(rows: Sequence[EnergyCarried]) -> str:
    """Say in one line which shares of the energy the secondaries carry.

    Parameters
    ----------
    rows : sequence of EnergyCarried
        Of one model.

    Returns
    -------
    str
        The line.
    """
    by_projectile = {row.projectile: [one.share for one in rows if one.projectile == row.projectile] for row in rows}
    parts = (f"{min(shares):.2f} to {max(shares):.2f} ({name})" for name, shares in by_projectile.items())
    return f"secondaries carry {', '.join(parts)} of the projectile's energy"


def warning_of(rows: Sequence[EnergyCarried]) -> str | None:
    """Return a warning in one line where the share of energy is unusual, or None.

    Parameters
    ----------
    rows : sequence of EnergyCarried
        Of one model.

    Returns
    -------
    str or None
        The worst place, the limits, and what to look at.
    """
    odd = [row for row in rows if not row.is_usual]
    if not odd:
        return None
    worst = max(odd, key=lambda row: max(LEAST - row.share, row.share - MOST))
    reason = (
        "particles are missing (pi0, kaons?)" if worst.share < LEAST else "numbers are too large (counts per event?)"
    )
    return (
        f"secondaries of {worst.projectile} at {worst.T_GeV:g} GeV carry {worst.share:.2f} of its energy, usual are "
        f"{LEAST} to {MOST}: {reason}; fluxes will be wrong by about as much"
    )
