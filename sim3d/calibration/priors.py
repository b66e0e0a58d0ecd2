"""Priors of the calibrated parameters: centres 0 (the run's own models), and their covariance.

Yields of protons come from the covariance of the model ``accelerator``, which measurements of particle production alone
made. The others are standard deviations with their sources in :data:`SIGMAS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hadronic.reference import accelerator_covariance
from sim3d.conventions.arrays import Array

SIGMAS: dict[str, tuple[float, str]] = {
    "pi+@2": (0.20, "no measurement at 2 GeV; spread of generators"),
    "pi-@2": (0.20, "no measurement at 2 GeV; spread of generators"),
    "pi+@5": (0.10, "between HARP at 12 GeV/c and no measurement"),
    "pi-@5": (0.10, "between HARP at 12 GeV/c and no measurement"),
    "tilt@12": (0.10, "shape in x of HARP's pions"),
    "tilt@31": (0.10, "shape in x of NA61's pions"),
    "tilt@158": (0.10, "shape in x of NA49's pions"),
    "elasticity@12": (0.05, "energy of nucleons, from the balance of energy"),
    "elasticity@158": (0.05, "energy of nucleons, from the balance of energy"),
    "K0/K": (0.15, "associated production of neutrons against protons"),
    "pion:pi": (0.05, "NA61 pi-C, Phys. Rev. D 107 (2023) 062004"),
    "sigma:nucleon": (0.03, "spread of measurements and models"),
    "sigma:pion": (0.05, "spread of models; few measurements"),
    "sigma:kaon": (0.10, "spread of models; few measurements"),
    "primary:CNO:norm": (0.05, "scale of direct measurements"),
    "primary:MgSi:norm": (0.05, "scale of direct measurements"),
    "primary:Fe:norm": (0.05, "scale of direct measurements"),
    "angle:pion": (0.10, "HARP's angles against the generator's, docs/reports/accelerator.md step 9"),
    "solar:MV": (28.0, "20 MV of the series and 20 MV of a month"),
}

PIVOT_SIGMAS = (0.02, 0.015, 0.015, 0.03, 0.05, 0.10, 0.15)
"""Errors of the fluxes of protons and helium at the pivots: the errors that the Global Spline Fit states for its groups
(:meth:`sim3d.primaries.model.PrimaryModel.flux_error`), and at least the 1.2% of a common norm."""

COMMON_NORM = 0.012
"""Normalisation common to all primaries (AMS-02's systematic error of 1 to 2%)."""

DEFAULT = (
    *(f"{pion}@{knot}" for pion in ("pi+", "pi-") for knot in (2, 5, 12, 31, 158, 20000, 2000000)),
    *(f"{kaon}@{knot}" for kaon in ("K+", "K-") for knot in (31, 158, 20000)),
    *("p@158", "n@158", "tilt@12", "tilt@31", "tilt@158", "elasticity@12", "K0/K", "pion:pi"),
    *("sigma:nucleon", "sigma:pion"),
    *(f"primary:{group}@{pivot}" for group in ("p", "He") for pivot in (5, 20, 100, 1000, 10000, 100000, 1000000)),
    *("primary:CNO:norm", "solar:MV"),
)
"""Parameters that are calibrated if a file names none."""


def prior_covariance(names: Sequence[str], given: Mapping[str, float] | None = None) -> Array:
    """Compute the prior covariance of parameters.

    Parameters
    ----------
    names : sequence of str
    given : mapping, optional
        Standard deviations that a user states in the place of those here; such a parameter is independent of others.

    Returns
    -------
    float64 array (n, n)
        In the parameters' own units.

    Raises
    ------
    KeyError
        For a parameter without a prior, that is one which is in none of the sources.
    """
    given = given or {}
    known, matrix = accelerator_covariance()
    out = np.zeros((len(names), len(names)))
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            if i != j and (one in given or other in given):
                continue
            if one in known and other in known and one not in given:
                out[i, j] = matrix[known.index(one), known.index(other)]
            elif _is_primary(one) and _is_primary(other):
                out[i, j] = COMMON_NORM**2 + (_own_sigma(one) ** 2 if i == j else 0.0)
            elif i == j:
                out[i, i] = (given[one] if one in given else _own_sigma(one)) ** 2
    return out


def _is_primary(name: str) -> bool:
    return name.startswith("primary:") and not name.endswith(":slope")


def _own_sigma(name: str) -> float:
    if name.startswith("primary:") and "@" in name:
        pivots = ("5", "20", "100", "1000", "10000", "100000", "1000000")
        return PIVOT_SIGMAS[pivots.index(name.partition("@")[2])]
    return SIGMAS[name][0]
