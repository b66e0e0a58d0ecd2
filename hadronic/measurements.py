"""Read measured yields of hadrons on carbon: NA61/SHINE, NA49 and HARP (files in `hadronic/reference`).

The files name their sources. Splines of NA61 (31 GeV) and NA49 (158 GeV) are the fits of Fedynitch and Huber, Phys.
Rev. D 106 (2022) 083018. No muon or neutrino measurement went into any of them.
"""

import csv
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import numpy as np
from scipy.interpolate import BSpline

from hadronic.arrays import Array
from hadronic.species import MASS_GEV, species_code

HARP_MOMENTUM_GEV: Final = 12.0
# Production cross section of p + C [mb]: 226-231 at 31-120 GeV (NA61/SHINE); of pi + C: that of p + C times the ratio
# of the cross sections on air of `urqmd-sibyll` at 12 GeV, 0.768.
HARP_SIGMA_MB: Final = {"p": 229.0, "pi+": 176.0, "pi-": 176.0}
# Relative error of the normalisation of a set, common to its points: HARP 2 % (its paper) and the cross section, 1.5 %
# of protons, 5 % of pions; NA61 and NA49 2.5 % (NA49, EPJC 49 (2007) 897, table 5; NA61 EPJC 76 (2016) 84, 2-3 %).
NORMALISATION: Final = {
    "HARP p+C": 0.025,
    "HARP pi+C": 0.054,
    "NA61 p+C 31": 0.025,
    "NA49 p+C 158": 0.025,
    "NA61 pi+C 60": 0.025,
    "NA61 pi-C": 0.025,
}
# Independent error of each point of a spline: what its form cannot follow. Some combinations of coefficients have
# errors below 1 %, which no measurement has.
SHAPE_ERROR: Final = 0.02
_MIRROR: Final = {"pi+": "pi-", "pi-": "pi+", "p": "n"}


@dataclass(frozen=True)
class SpectrumData:
    """Measured dN/dx of one secondary, x = E_secondary/E_beam (total energies).

    Attributes
    ----------
    experiment : str
        Key of `NORMALISATION`.
    projectile, secondary : str
        As measured.
    T_GeV : float
        Kinetic energy of the projectile.
    x : float[n]
        Where the density is given.
    density : float[n]
        dN/dx per production event on carbon.
    covariance : float[n, n]
        Of ln dN/dx, without the normalisation.
    source : str
    """

    experiment: str
    projectile: str
    secondary: str
    T_GeV: float
    x: Array
    density: Array
    covariance: Array
    source: str

    @property
    def error(self) -> Array:
        """Relative errors without the normalisation, shape (n,)."""
        return np.sqrt(np.diag(self.covariance))


@dataclass(frozen=True)
class AngleData:
    """Measured numbers of one secondary in bins of momentum and polar angle, per production event on carbon.

    Attributes
    ----------
    experiment, projectile, secondary, source : str
        As in `SpectrumData`.
    T_GeV : float
        Kinetic energy of the projectile.
    theta_rad, p_GeV : float[n, 2]
        Edges of the bins.
    number, error : float[n]
        In the bin; the error without the normalisation.
    """

    experiment: str
    projectile: str
    secondary: str
    T_GeV: float
    theta_rad: Array
    p_GeV: Array
    number: Array
    error: Array
    source: str


def carbon_to_air(x: Array) -> tuple[Array, Array]:
    """Ratio of yields per production event on air to those on carbon, and its error.

    Parameters
    ----------
    x : float[n]
        E_secondary/E_projectile.

    Returns
    -------
    ratio, error : float[n]
        The inclusive cross section goes as A^alpha, alpha = (0.74 - 0.55 x + 0.26 x^2)(0.98 + 0.21 pT^2), pT^2 = 0.2
        (GeV/c)^2 (Bonesini et al., Eur. Phys. J. C 20 (2001) 13), the production cross section as A^0.71;
        from 12 to 14.54. The error is half of the change, and at least 1 %.
    """
    alpha = (0.74 - 0.55 * x + 0.26 * x**2) * (0.98 + 0.21 * 0.2)
    ln_ratio = (alpha - 0.71) * np.log(14.54 / 12.0)
    return np.exp(ln_ratio), np.maximum(0.5 * np.abs(ln_ratio), 0.01)


def kinetic(projectile: str, momentum_GeV: float) -> float:
    """Kinetic energy of a projectile.

    Parameters
    ----------
    projectile : str
        Name of the projectile.
    momentum_GeV : float
        Momentum, GeV/c.

    Returns
    -------
    float
        GeV.
    """
    mass = float(MASS_GEV[species_code(projectile)])
    return float(np.hypot(momentum_GeV, mass) - mass)


def _text(name: str) -> str:
    return resources.files("hadronic").joinpath("reference", name).read_text(encoding="utf-8")


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in _text(name).splitlines() if line and not line.startswith("#")))


@lru_cache(maxsize=1)
def proton_spectra() -> tuple[SpectrumData, ...]:
    """Read the spectra of protons on carbon: NA61 at 31 GeV/c (pi, K), NA49 at 158 GeV/c (pi, K, p, n).

    A spline has as many points here as coefficients, evenly spaced in ln x over its data, with `SHAPE_ERROR` on top.
    Kaons of NA49 were measured on protons and carried to carbon by the authors of the fit.

    Returns
    -------
    tuple of SpectrumData
        One for each secondary and energy.
    """
    out = []
    for one in json.loads(_text("carbon_yield_splines.json"))["channels"]:
        if one["projectile"] != "p" or one["secondary"] == "pbar":
            continue
        beam = float(one["beam_GeV"])
        coefficients = np.array(one["coefficients"])
        knots, degree = np.array(one["knots"]), int(one["degree"])
        x = np.geomspace(knots[degree], knots[-degree - 1], coefficients.size)
        x[[0, -1]] = knots[[degree, -degree - 1]]
        design = BSpline.design_matrix(x, knots, degree).toarray()
        covariance = design @ np.array(one["covariance"]) @ design.T + SHAPE_ERROR**2 * np.eye(x.size)
        experiment = "NA61 p+C 31" if beam < 100.0 else "NA49 p+C 158"
        density = np.exp(design @ coefficients)
        out.append(
            SpectrumData(
                experiment, "p", one["secondary"], kinetic("p", beam), x, density, covariance, str(one["source"])
            )
        )
    return tuple(out)


@lru_cache(maxsize=1)
def pion_spectra() -> tuple[SpectrumData, ...]:
    """Read the spectra of pi- on carbon at 158 and 350 GeV/c (NA61/SHINE, Phys. Rev. D 107 (2023) 062004).

    Errors are statistical and the mean of the two systematic ones, added in quadrature and taken as independent between
    points.

    Returns
    -------
    tuple of SpectrumData
        One for each secondary (pi+, pi-, K+, K-, p) and energy.
    """
    groups: dict[tuple[float, str], list[dict[str, str]]] = {}
    for row in _rows("na61_158_350GeV_pim_carbon.csv"):
        if row["secondary"] != "pbar":
            groups.setdefault((float(row["beam_GeV"]), row["secondary"]), []).append(row)
    out = []
    for (beam, secondary), rows in groups.items():

        def column(key: str, rows: list[dict[str, str]] = rows) -> Array:
            return np.array([float(row[key]) for row in rows])

        mass = float(MASS_GEV[species_code(secondary)])
        p, value = column("p_mean_GeV"), column("p_dn_dp")
        energy, T = np.hypot(p, mass), kinetic("pi-", beam)
        total = T + float(MASS_GEV[species_code("pi-")])
        # dN/dE = dn/dp E/p; the column is p dn/dp.
        density = value * energy / p**2 * total
        error = np.hypot(column("stat"), 0.5 * (column("syst_minus") + column("syst_plus"))) / value
        source = "NA61/SHINE, Phys. Rev. D 107 (2023) 062004"
        out.append(SpectrumData("NA61 pi-C", "pi-", secondary, T, energy / total, density, np.diag(error**2), source))
    return tuple(out)


@lru_cache(maxsize=1)
def angle_data() -> tuple[AngleData, ...]:
    """Read measurements by momentum and angle: HARP at 12 GeV/c (p, pi+, pi-), NA61/SHINE at 60 GeV/c (pi+).

    Cross sections of HARP are divided by `HARP_SIGMA_MB`.

    Returns
    -------
    tuple of AngleData
        One for each projectile and secondary.
    """
    out = []
    harp: dict[tuple[str, str], list[Any]] = {}
    for row in _rows("harp_12GeV_carbon.csv"):
        harp.setdefault((row["projectile"], row["secondary"]), []).append(
            [float(one) for one in list(row.values())[2:]]
        )
    for (projectile, secondary), values in harp.items():
        low, high, p_low, p_high, sigma, error = np.array(values).T
        theta, p = np.stack((low, high), axis=1) / 1e3, np.stack((p_low, p_high), axis=1)
        to_number = 2.0 * np.pi * (np.cos(theta[:, 0]) - np.cos(theta[:, 1])) * (p_high - p_low)
        to_number /= HARP_SIGMA_MB[projectile]
        experiment = "HARP p+C" if projectile == "p" else "HARP pi+C"
        source, T = "HARP, Astropart. Phys. 29 (2008) 257", kinetic(projectile, HARP_MOMENTUM_GEV)
        out.append(
            AngleData(experiment, projectile, secondary, T, theta, p, sigma * to_number, error * to_number, source)
        )
    na61: dict[str, list[Any]] = {}
    for row in _rows("na61_60GeV_pip_carbon.csv"):
        if row["secondary"] in ("pi+", "pi-", "K+", "K-", "p"):
            na61.setdefault(row["secondary"], []).append([float(one) for one in list(row.values())[1:]])
    for secondary, values in na61.items():
        low, high, p_low, p_high, density, error = np.array(values).T
        theta, p = np.stack((low, high), axis=1) / 1e3, np.stack((p_low, p_high), axis=1)
        to_number = (theta[:, 1] - theta[:, 0]) * (p_high - p_low)
        source = "NA61/SHINE, Phys. Rev. D 100 (2019) 112004"
        out.append(
            AngleData(
                "NA61 pi+C 60", "pi+", secondary, kinetic("pi+", 60.0), theta, p, density * to_number,
                error * to_number, source,
            )
        )  # fmt: skip
    return tuple(out)


def mirrored(projectile: str, secondary: str) -> tuple[str, str]:
    """Isospin mirror of a channel of a pi- on carbon, an isoscalar nucleus.

    Kaons change to neutral ones: see `hadronic.builders.accelerator`.

    Parameters
    ----------
    projectile, secondary : str
        Channel as measured.

    Returns
    -------
    (str, str)
        The same channel of pi+; others as they are.
    """
    if projectile != "pi-":
        return projectile, secondary
    return "pi+", _MIRROR.get(secondary, secondary)
