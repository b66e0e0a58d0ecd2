"""Published moments that the models are compared with (CSV files shipped in `hadronic/reference`)."""

import csv
from importlib import resources
from typing import NamedTuple

import numpy as np

from hadronic.arrays import Array


class ReferenceValue(NamedTuple):
    """One published moment of protons.

    Attributes
    ----------
    source : str
        "FLUKA" (p-air) or "daemonflux" (p-carbon, calibrated to muons).
    kinetic_energy_GeV : float
        Of the projectile. daemonflux gives its total energy; the rest energy is taken off here.
    quantity : str
        "F" (energy fraction) or "Z" (exponent 1.7).
    secondary : str
        As printed: pi+, pi-, pi0, K+, K-, K0 (K0 + anti-K0), p, n, p+n, Lambda.
    value : float
        The moment.
    error : float or None
        Absolute error where one is published.
    """

    source: str
    kinetic_energy_GeV: float
    quantity: str
    secondary: str
    value: float
    error: float | None


PROTON_MASS_GEV = 0.93827


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("hadronic").joinpath("reference", name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if line and not line.startswith("#")))


def fluka_reference() -> list[ReferenceValue]:
    """Read FLUKA's p-air energy fractions and Z factors at 5-100 GeV.

    Returns
    -------
    list of ReferenceValue
        Battistoni et al., Astropart. Phys. 19 (2003) 269.
    """
    values = []
    for quantity, name in (("F", "fluka_energy_fractions.csv"), ("Z", "fluka_zfactors.csv")):
        for row in _rows(name):
            energy = float(row.pop("kinetic_energy_GeV"))
            for secondary, text in row.items():
                values.append(ReferenceValue("FLUKA", energy, quantity, secondary, float(text), None))
    return values


def daemonflux_reference() -> list[ReferenceValue]:
    """Read the p-carbon Z factors of daemonflux, at the projectile's kinetic energy.

    Returns
    -------
    list of ReferenceValue
        Yanez and Fedynitch, Phys. Rev. D 107 (2023) 123037, table 2.
    """
    values = []
    for row in _rows("daemonflux_zfactors.csv"):
        energy = float(row["projectile_energy_GeV"]) - PROTON_MASS_GEV
        value = float(row["Z"])
        error = value * float(row["relative_error_percent"]) / 100.0
        values.append(ReferenceValue("daemonflux", energy, "Z", row["secondary"], value, error))
    return values


def daemonflux_errors() -> dict[str, dict[float, float]]:
    """Read the relative errors of daemonflux's Z factors.

    Returns
    -------
    dict of dict of float
        By secondary, then by the projectile's energy, GeV, as printed: Yanez and Fedynitch, Phys. Rev. D 107 (2023)
        123037, table 2. Each secondary has energies of its own.
    """
    errors: dict[str, dict[float, float]] = {}
    for row in _rows("daemonflux_zfactors.csv"):
        energy, percent = float(row["projectile_energy_GeV"]), float(row["relative_error_percent"])
        errors.setdefault(row["secondary"], {})[energy] = percent / 100.0
    return errors


def accelerator_covariance() -> tuple[tuple[str, ...], Array]:
    """Read the covariance of the yields of protons in the model `accelerator`.

    Returns
    -------
    names : tuple of str
        Parameters, such as "pi+@31": species and knot of the projectile's energy in GeV.
    matrix : float[n, n]
        Covariance of relative changes (scripts/yields/build_accelerator.py; docs/reports/accelerator.md).
    """
    rows = _rows("accelerator_covariance.csv")
    names = tuple(row["parameter"] for row in rows)
    return names, np.array([[float(row[name]) for name in names] for row in rows])
