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
    "slow@12": (0.40, "spread of generators about HARP and NA61 at x 0.02 to 0.1: scripts/studies/slow_pion_spread.py"),
    "slow@31": (0.20, "spread of generators about NA61 at x 0.02 to 0.1: scripts/studies/slow_pion_spread.py"),
    "slow@158": (0.10, "spread of generators about NA49 at x 0.02 to 0.1: scripts/studies/slow_pion_spread.py"),
    "elasticity@12": (0.05, "energy of nucleons, from the balance of energy"),
    "elasticity@158": (0.05, "energy of nucleons, from the balance of energy"),
    "K0/K": (0.15, "associated production of neutrons against protons"),
    "pion:pi": (0.05, "NA61 pi-C, Phys. Rev. D 107 (2023) 062004"),
    "sigma:nucleon": (0.03, "spread of measurements and models"),
    "sigma:pion": (0.05, "spread of models; few measurements"),
    "sigma:kaon": (0.10, "spread of models; few measurements"),
    "primary:p:norm": (0.0063, "gsf:2026.1 at 100 GeV per nucleon"),
    "primary:He:norm": (0.0113, "gsf:2026.1 at 100 GeV per nucleon"),
    "primary:CNO:norm": (0.0187, "gsf:2026.1 at 100 GeV per nucleon"),
    "primary:MgSi:norm": (0.0229, "gsf:2026.1 at 100 GeV per nucleon"),
    "primary:Fe:norm": (0.0229, "gsf:2026.1 at 100 GeV per nucleon"),
    "angle:pion": (0.10, "HARP's angles against the generator's, docs/reports/accelerator.md step 9"),
    "solar:MV": (20.0, "offset of the whole series of potentials; each month has MONTH_MV on top"),
}

MONTH_MV = 20.0
"""Scatter of a month's potential about the series (MV). Each measurement has it as its nuisance ``solar``; of the month
of a flux of neutrinos it is a part of the covariance that a calibration stores."""

CHARGES = 0.7
"""Correlation of pi+ and pi- at 2 and 5 GeV: where nothing is measured generators err in both alike, as measurements do
by their normalisation and the step from their target to air. An assumption; without it the sum of both is too sure."""

PIVOT_SIGMAS = {
    "p": (0.0171, 0.0068, 0.0063, 0.0155, 0.0285, 0.0565, 0.0445),
    "He": (0.0140, 0.0088, 0.0113, 0.0237, 0.0273, 0.0635, 0.0527),
}
"""Errors of the fluxes of protons and helium at the pivots, taken as independent between pivots: those that gsf:2026.1
states at these energies (:meth:`sim3d.primaries.model.PrimaryModel.flux_error`). A common norm comes on top."""

COMMON_NORM = 0.012
"""Normalisation common to all primaries; they share the energy scale of the magnetic spectrometers."""

DEFAULT = (
    *(f"{pion}@{knot}" for pion in ("pi+", "pi-") for knot in (2, 5, 12, 31, 158, 20000, 2000000)),
    *(f"{kaon}@{knot}" for kaon in ("K+", "K-") for knot in (31, 158, 20000, 2000000)),
    *("p@31", "p@158", "n@31", "n@158", "tilt@12", "tilt@31", "tilt@158", "slow@12", "slow@31"),
    *("elasticity@12", "elasticity@158"),
    *("K0/K", "pion:pi", "sigma:nucleon", "sigma:pion", "sigma:kaon"),
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
            elif i != j and _one_knot_of_pions(one, other):
                out[i, j] = CHARGES * _own_sigma(one) * _own_sigma(other)
            elif i == j:
                out[i, i] = (given[one] if one in given else _own_sigma(one)) ** 2
    return out


def _one_knot_of_pions(one: str, other: str) -> bool:
    """Whether two parameters are yields of both charges of pions at a knot without measurement."""
    return {one, other} in ({"pi+@2", "pi-@2"}, {"pi+@5", "pi-@5"})


def _is_primary(name: str) -> bool:
    return name.startswith("primary:") and not name.endswith(":slope")


def _own_sigma(name: str) -> float:
    if name.startswith("primary:") and "@" in name:
        pivots = ("5", "20", "100", "1000", "10000", "100000", "1000000")
        group, _, pivot = name.removeprefix("primary:").partition("@")
        return PIVOT_SIGMAS[group][pivots.index(pivot)]
    return SIGMAS[name][0]
