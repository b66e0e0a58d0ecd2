"""Compute spectrum-weighted moments, mean pT, multiplicities and energy sums of p-air for all hadronic models.

Sampled moments are compared with the exact moments of the tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hadronic.models import HadronicModel
from hadronic.moments import Moments
from hadronic.observables.transverse import mean_pT
from hadronic.observables.zfactors import label_codes, moment_field, sample_moments
from hadronic.reference import daemonflux_reference, fluka_reference
from hadronic.species import IS_BARYON, P
from sim3d.conventions.text_tables import text_table, with_error

SECONDARIES = ("pi+", "pi-", "pi0", "K+", "K-", "K0", "p", "n", "Lambda")
READING = "printed"
"""Definition of x in which all models are read, whatever they were solved for: the words of FLUKA's tables."""
# Kinetic energies (GeV): those of FLUKA's and daemonflux's tables, and higher ones.
SURVEY_ENERGIES_GEV = (5.0, 10.0, 30.0, 100.0, 157.0, 1.0e3, 2.0e4, 1.0e5)
# Secondaries whose sampled F and Z are compared with the table: frequent enough for small errors.
CHECKED = ("pi+", "pi-", "p", "n")


@dataclass(frozen=True)
class Survey:
    """Moments of one hadronic model at one energy; dicts are by secondary (`SECONDARIES`).

    Attributes
    ----------
    model : str
    kinetic_energy_GeV : float
        Of the proton.
    F, Z : dict
        Energy fractions and Z factors, exact from the table; x is E/E for mesons, T/T for baryons.
    multiplicity, mean_pT : dict
        Mean number per interaction; mean transverse momentum, GeV/c.
    sampled_F, sampled_Z : dict
        (value, error) from sampled interactions.
    energy : float
        Mean energy of all secondaries over the energy that the proton brings.
    """

    model: str
    kinetic_energy_GeV: float
    F: dict[str, float]
    Z: dict[str, float]
    multiplicity: dict[str, float]
    mean_pT: dict[str, float]
    sampled_F: dict[str, tuple[float, float]]
    sampled_Z: dict[str, tuple[float, float]]
    energy: float


def field_of(quantity: str, secondary: str) -> str:
    """Return the field of `Moments` for F or Z, with x as E/E for mesons and T/T for baryons.

    The same definition of x is used for all models.

    Parameters
    ----------
    quantity : str
        ``F`` or ``Z``.
    secondary : str
        One of :data:`SECONDARIES`.

    Returns
    -------
    str
    """
    return moment_field(READING, quantity, bool(IS_BARYON[label_codes(secondary)[0]]))


def exact(model: HadronicModel, quantity: str, secondary: str, T_GeV: float) -> float:
    """Compute a moment from a model's table, summed over the species of a label (K0 is KL and KS).

    Parameters
    ----------
    model : HadronicModel
    quantity : str
        ``F``, ``Z`` or ``multiplicity``.
    secondary : str
        One of :data:`SECONDARIES`.
    T_GeV : float
        Kinetic energy of the proton.

    Returns
    -------
    float
    """
    name = quantity if quantity == "multiplicity" else field_of(quantity, secondary)
    return float(sum(getattr(model.moments(P, code, T_GeV), name) for code in label_codes(secondary)))


def survey(models: Sequence[HadronicModel], energies: Sequence[float], interactions: int, seed: int) -> list[Survey]:
    """Compute exact and sampled moments of every model at every energy.

    Parameters
    ----------
    models : sequence of HadronicModel
    energies : sequence of float
        Kinetic energies of the proton, GeV.
    interactions : int
        Number sampled for each model and energy.
    seed : int

    Returns
    -------
    list of Survey
    """
    out = []
    for model in models:
        for number, T in enumerate(energies):
            sampled = sample_moments(model, P, T, interactions, seed + number)

            def drawn(quantity: str, secondary: str, sampled: Any = sampled) -> tuple[float, float]:
                column = Moments._fields.index(field_of(quantity, secondary))
                codes = list(label_codes(secondary))
                value = float(sampled.values[codes, column].sum())
                return value, float(np.sqrt((sampled.errors[codes, column] ** 2).sum()))

            out.append(
                Survey(
                    model=model.name,
                    kinetic_energy_GeV=T,
                    F={name: exact(model, "F", name, T) for name in SECONDARIES},
                    Z={name: exact(model, "Z", name, T) for name in SECONDARIES},
                    multiplicity={name: exact(model, "multiplicity", name, T) for name in SECONDARIES},
                    mean_pT={name: mean_pT(model, P, label_codes(name)[0], T) for name in SECONDARIES},
                    sampled_F={name: drawn("F", name) for name in SECONDARIES},
                    sampled_Z={name: drawn("Z", name) for name in SECONDARIES},
                    energy=model.energy_balance(P, T),
                )
            )
    return out


def worst(rows: Sequence[Survey]) -> tuple[float, float]:
    """Compute the largest deviation of sampled F and Z from the table among `CHECKED` secondaries.

    Parameters
    ----------
    rows : sequence of Survey

    Returns
    -------
    relative : float
        Largest relative deviation, among moments sampled to better than 0.33%, so that chance alone does not make
        1%.
    pull : float
        Largest deviation in standard errors, among all.
    """
    relative = pulls = 0.0
    for row in rows:
        for table, sampled in ((row.F, row.sampled_F), (row.Z, row.sampled_Z)):
            for name in CHECKED:
                value, error = sampled[name]
                if error > 0.0:
                    pulls = max(pulls, abs(value - table[name]) / error)
                    if error < 0.0033 * value:
                        relative = max(relative, abs(value / table[name] - 1.0))
    return relative, pulls


def published(quantity: str, T_GeV: float) -> dict[str, dict[str, float]]:
    """Return FLUKA's and daemonflux's published moments at an energy.

    Parameters
    ----------
    quantity : str
        ``F`` or ``Z``.
    T_GeV : float
        Kinetic energy of the proton.

    Returns
    -------
    dict of dict of float
        By source and secondary.
    """
    out: dict[str, dict[str, float]] = {}
    for one in (*fluka_reference(), *daemonflux_reference()):
        if one.quantity == quantity and math.isclose(one.kinetic_energy_GeV, T_GeV, rel_tol=5e-3):
            out.setdefault(one.source, {})[one.secondary] = one.value
    return out


def as_text(rows: Sequence[Survey], models: Sequence[HadronicModel]) -> str:
    """Format moments as the tables that ``sim3d zfactors --all`` prints.

    Parameters
    ----------
    rows : sequence of Survey
    models : sequence of HadronicModel
        For their descriptions.

    Returns
    -------
    str
    """
    lines = [f"{model.name}: {model.description}" for model in models]
    energies = list(dict.fromkeys(row.kinetic_energy_GeV for row in rows))
    blocks = (
        ("Energy fractions F (total over total energy for mesons, kinetic over kinetic for baryons)", "F", 4),
        ("Z factors, exponent 1.7 (the same x)", "Z", 4),
        ("Number per interaction", "multiplicity", 3),
        ("Mean transverse momentum (GeV/c)", "mean_pT", 3),
    )
    for title, quantity, digits in blocks:
        head = ["T/GeV", "model", *SECONDARIES, *(["energy carried"] if quantity == "F" else [])]
        cells = []
        for T in energies:
            for row in rows:
                if row.kinetic_energy_GeV == T:
                    values = getattr(row, quantity)
                    end = [f"{row.energy:.3f}"] if quantity == "F" else []
                    cells.append([*_line(T, row.model, values, digits), *end])
            for source, values in published(quantity, T).items():
                cells.append(_line(T, source, values, digits))
        lines += ["", title, *text_table(head, cells, "rl" + "r" * (len(head) - 2))]
    lines += ["", f"Sampled against table, F and Z of {', '.join(CHECKED)}:"]
    checks = {model.name: worst([row for row in rows if row.model == model.name]) for model in models}
    lines += text_table(
        None,
        [
            (name, f"{100.0 * relative:.2f} % at most ({pulls:.1f} standard errors)")
            for name, (relative, pulls) in checks.items()
        ],
        "ll",
    )
    return "\n".join(lines)


def _line(T: float, name: str, values: dict[str, float], digits: int) -> list[str]:
    """Cells of one model or source at one energy."""
    numbers = [with_error(values.get(secondary), None, f".{digits}f", missing="") for secondary in SECONDARIES]
    return [f"{T:.5g}", name, *numbers]


def as_rows(rows: Sequence[Survey]) -> list[dict[str, Any]]:
    """Flatten moments to one record per model, energy and secondary, for CSV and JSON.

    Parameters
    ----------
    rows : sequence of Survey

    Returns
    -------
    list of dict
    """
    out = []
    for row in rows:
        for name in SECONDARIES:
            out.append(
                {
                    "model": row.model,
                    "kinetic_energy_GeV": row.kinetic_energy_GeV,
                    "secondary": name,
                    "F": row.F[name],
                    "F_sampled": row.sampled_F[name][0],
                    "F_error": row.sampled_F[name][1],
                    "Z": row.Z[name],
                    "Z_sampled": row.sampled_Z[name][0],
                    "Z_error": row.sampled_Z[name][1],
                    "multiplicity": row.multiplicity[name],
                    "mean_pT_GeV": row.mean_pT[name],
                    "energy_carried": row.energy,
                }
            )
    return out
