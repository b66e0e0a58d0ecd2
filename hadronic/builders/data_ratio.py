"""Interpolate ln(measurement/generator) of yields in x and in energy by a Gaussian process, with its covariance.

The logarithm of the ratio is 0 before any measurement, with a spread (`PRIORS`) and a correlation that falls as a
Gaussian in ln(x/(1 - x)) and in ln T. Given measurements it goes through them within their errors; far from them it
returns to 0 and its error to the spread. Below the lowest measured energy it fades to another, unmeasured, process of
the same spread (`FADE_GEV`). Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), equations
2.22-2.24.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hadronic.arrays import Array


@dataclass(frozen=True)
class Prior:
    """Spread and correlation lengths of ln(measurement/generator).

    Attributes
    ----------
    spread : float
        Standard deviation where nothing is measured.
    length_x, length_T : float
        In ln(x/(1 - x)) and in ln T.
    """

    spread: float
    length_x: float
    length_T: float


# Near the largest likelihood of the measurements themselves (scripts/yields/build_accelerator.py likelihood): of pions
# 0.4, 2.0, 2.2 has 1.4 more in ln L and follows the measurements at low x less well.
PRIORS: Final = {
    "pion": Prior(0.3, 1.5, 2.2),
    "kaon": Prior(0.2, 2.0, 1.2),
    "nucleon": Prior(0.5, 0.7, 1.2),
}


# What is measured at 12 GeV and above says nothing below the first of these energies; linear in ln T between.
FADE_GEV: Final = (2.0, 11.0)


@dataclass(frozen=True)
class Ratios:
    """Measured ln(measurement/generator) of one secondary at one energy.

    Attributes
    ----------
    secondary : str
        Row of the table.
    experiment : str
        Those of one experiment share its normalisation.
    ln_T : float
        Logarithm of the kinetic energy, GeV.
    ln_x : float[n]
        Logarithm of E_secondary/E_projectile.
    value : float[n]
        ln(measurement/generator).
    covariance : float[n, n]
        Of `value`, without the normalisation.
    normalisation : float
        Standard deviation of the common shift.
    """

    secondary: str
    experiment: str
    ln_T: float
    ln_x: Array
    value: Array
    covariance: Array
    normalisation: float


Place = tuple[str, float, Array]
"""A secondary, ln T, and values of ln x."""


def kind_of(secondary: str) -> str:
    """Return which prior belongs to a secondary.

    Parameters
    ----------
    secondary : str
        Row of the table.

    Returns
    -------
    str
        Key of `PRIORS`.
    """
    if secondary.startswith("pi"):
        return "pion"
    return "kaon" if secondary.startswith("K") else "nucleon"


def _logit(ln_x: Array) -> Array:
    x = np.minimum(np.exp(ln_x), 1.0 - 1e-4)
    value: Array = np.log(x / (1.0 - x))
    return value


def _prior(a: Sequence[Place], b: Sequence[Place], priors: dict[str, Prior]) -> Array:
    blocks = []
    for name, ln_T, ln_x in a:
        row = []
        for other, other_T, other_x in b:
            if name != other:
                row.append(np.zeros((ln_x.size, other_x.size)))
                continue
            one = priors[kind_of(name)]
            far = (_logit(ln_x)[:, None] - _logit(other_x)) ** 2 / one.length_x**2
            far += (ln_T - other_T) ** 2 / one.length_T**2
            here, there = (np.interp(at, np.log(FADE_GEV), (0.0, 1.0)) for at in (ln_T, other_T))
            same = here * there + np.sqrt((1.0 - here**2) * (1.0 - there**2))
            row.append(one.spread**2 * same * np.exp(-0.5 * far))
        blocks.append(row)
    return np.block(blocks)


class DataRatio:
    """ln(measurement/generator) of all secondaries of one projectile.

    Parameters
    ----------
    ratios : sequence of Ratios
        The measurements.
    priors : dict of Prior, optional
        By kind of secondary.
    """

    def __init__(self, ratios: Sequence[Ratios], priors: dict[str, Prior] | None = None) -> None:
        self._priors = PRIORS if priors is None else priors
        self._at: list[Place] = [(one.secondary, one.ln_T, one.ln_x) for one in ratios]
        self._value = np.concatenate([one.value for one in ratios])
        size = self._value.size
        noise, start = np.zeros((size, size)), 0
        shift = np.zeros(size)
        experiment = np.empty(size, dtype=object)
        for one in ratios:
            here = slice(start, start + one.value.size)
            noise[here, here] = one.covariance
            shift[here], experiment[here] = one.normalisation, one.experiment
            start = here.stop
        noise += np.outer(shift, shift) * (experiment[:, None] == experiment)
        self._total = _prior(self._at, self._at, self._priors) + noise
        self._inverse = np.linalg.inv(self._total)

    def mean(self, place: Place) -> Array:
        """Mean of ln(measurement/generator).

        Parameters
        ----------
        place : Place
            Where.

        Returns
        -------
        float[n]
            The mean.
        """
        values: Array = _prior([place], self._at, self._priors) @ self._inverse @ self._value
        return values

    def covariance(self, places: Sequence[Place]) -> Array:
        """Covariance of ln(measurement/generator) between places.

        Parameters
        ----------
        places : sequence of Place
            Where.

        Returns
        -------
        float[n, n]
            In the order of the places.
        """
        cross = _prior(places, self._at, self._priors)
        matrix: Array = _prior(places, places, self._priors) - cross @ self._inverse @ cross.T
        return matrix

    def log_likelihood(self) -> float:
        """Logarithm of the likelihood of the measurements, which says how well the priors fit them.

        Returns
        -------
        float
            Natural logarithm, without a constant.
        """
        _, determinant = np.linalg.slogdet(self._total)
        return float(-0.5 * self._value @ self._inverse @ self._value - 0.5 * determinant)
