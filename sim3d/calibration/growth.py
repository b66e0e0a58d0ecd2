"""Enlarge the covariance of a calibration until the neutrino fluxes of other models lie within its errors.

Muons of another model (a *truth*) are put in the place of the data and fitted. The neutrinos of the truth over those of
the fit, r = ln(truth / fit) by flavour, energy and zenith, are compared with the covariance C of ln(flux) of the
fit: by the squares of their pulls per eigenmode of C, and per point. Where either mean exceeds
:data:`ALLOWED`, C becomes C + s^2 r r^T with the smallest s that brings both below it. The truth farthest outside comes
first, then the farthest of what remains, until all lie inside.

Fits without one of the measurements are treated alike, with r the change of ln(flux), under a condition of their own:
no point may move by more than its error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim3d.calibration.control import CascadePoints
from sim3d.calibration.neutrino_points import NEUTRINO_COSINES, NEUTRINO_GEV
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.model_modes import PREFIX, ModelModes

ALLOWED = 2.0
"""Largest mean of squared pulls, per eigenmode and per point."""

LEAST_RMS = 0.00125
"""Eigenmodes whose error, as a root mean square over the points, is smaller are left out: no parameter describes
differences so small."""

_STEPS = 60


@dataclass(frozen=True)
class Truth:
    """A model whose muons were fitted, or the fit without a measurement.

    Attributes
    ----------
    name : str
    chi2 : float
        Of the fit to its muons, with priors and nuisances.
    difference : float64 array (4 * energies * cosines,)
        r at :data:`NEUTRINO_GEV` and :data:`NEUTRINO_COSINES`, by flavour.
    left_out : bool
        Whether it is the fit without a measurement.
    """

    name: str
    chi2: float
    difference: Array
    left_out: bool = False


@dataclass(frozen=True)
class Closure:
    """Pulls of the neutrino fluxes of a truth under a covariance.

    Attributes
    ----------
    per_mode : float
        Mean of the squared pulls of the eigenmodes.
    per_point : float
        Mean of the squared pulls of the points.
    modes : int
        Eigenmodes that count.
    largest : float
        Largest pull of a point.
    """

    per_mode: float
    per_point: float
    modes: int
    largest: float

    @property
    def worst(self) -> float:
        """The larger of both means."""
        return max(self.per_mode, self.per_point)


def closure(difference: Array, covariance: Array) -> Closure:
    """Compare a difference of ln(flux) with its covariance.

    Parameters
    ----------
    difference : float64 array (n,)
    covariance : float64 array (n, n)

    Returns
    -------
    Closure
    """
    variance, modes = np.linalg.eigh(covariance)
    kept = variance > len(difference) * LEAST_RMS**2
    pulls = (modes.T @ difference)[kept] ** 2 / variance[kept]
    points = difference**2 / np.diag(covariance)
    return Closure(
        float(pulls.mean()) if kept.any() else np.inf,
        float(points.mean()),
        int(kept.sum()),
        float(np.sqrt(points.max())),
    )


def excess(truth: Truth, covariance: Array) -> float:
    """Compute the squared pulls of a truth over those allowed; above 1 it lies outside the errors.

    Parameters
    ----------
    truth : Truth
    covariance : float64 array (n, n)

    Returns
    -------
    float
    """
    if truth.left_out:
        return float(np.max(truth.difference**2 / np.diag(covariance)))
    return closure(truth.difference, covariance).worst / ALLOWED


def smallest_share(truth: Truth, covariance: Array) -> float:
    """Find the smallest s for which a truth lies inside C + s^2 r r^T.

    Parameters
    ----------
    truth : Truth
    covariance : float64 array (n, n)
        C.

    Returns
    -------
    float
        0 if it lies inside C; at most 1.
    """
    if excess(truth, covariance) <= 1.0:
        return 0.0
    outer = np.outer(truth.difference, truth.difference)
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        if excess(truth, covariance + middle**2 * outer) <= 1.0:
            high = middle
        else:
            low = middle
    return high


@dataclass(frozen=True)
class Growth:
    """Terms that were added to a covariance.

    Attributes
    ----------
    truths : tuple of Truth
    before, after : dict of Closure
        By truth: without and with all terms.
    modes : ModelModes
    """

    truths: tuple[Truth, ...]
    before: dict[str, Closure]
    after: dict[str, Closure]
    modes: ModelModes

    @property
    def record(self) -> list[dict[str, Any]]:
        """Numbers for a file (JSON)."""
        out = []
        for one in self.truths:
            name = PREFIX + one.name
            share = 0.0
            if name in self.modes.names:
                changes = self.modes.changes[self.modes.names.index(name)].ravel()
                share = float(np.linalg.norm(changes) / np.linalg.norm(one.difference))
            before, after = self.before[one.name], self.after[one.name]
            out.append(
                {
                    "name": one.name, "chi2_of_muons": one.chi2, "modes": before.modes, "share": share,
                    "left_out": one.left_out, "largest": before.largest, "largest_after": after.largest,
                    "per_mode": before.per_mode, "per_point": before.per_point,
                    "per_mode_after": after.per_mode, "per_point_after": after.per_point,
                }
            )  # fmt: skip
        return out


def grow(truths: Sequence[Truth], covariance: Array) -> Growth:
    """Add terms to a covariance until every truth lies inside.

    Parameters
    ----------
    truths : sequence of Truth
    covariance : float64 array (n, n)
        Of ln(flux) at the points of the truths, as the fit claims.

    Returns
    -------
    Growth
    """
    names, changes, grown = [], [], covariance
    rest = list(truths)
    while rest:
        worst = max(rest, key=lambda one: excess(one, grown))
        rest.remove(worst)
        share = smallest_share(worst, grown)
        if share == 0.0:
            break
        names.append(PREFIX + worst.name)
        changes.append(share * worst.difference)
        grown = grown + np.outer(changes[-1], changes[-1])
    shape = (len(names), len(FLAVOURS), len(NEUTRINO_GEV), len(NEUTRINO_COSINES))
    modes = ModelModes(tuple(names), np.array(NEUTRINO_GEV), np.array(NEUTRINO_COSINES), np.reshape(changes, shape))
    before, after = ({one.name: closure(one.difference, matrix) for one in truths} for matrix in (covariance, grown))
    return Growth(tuple(truths), before, after, modes)


def neutrino_arrays(neutrinos: CascadePoints) -> dict[str, Array]:
    """Arrange the derivatives of neutrinos for the file of a calibration.

    Parameters
    ----------
    neutrinos : CascadePoints

    Returns
    -------
    dict of arrays
        As :attr:`sim3d.files.calibration_file.Calibration.arrays` has them.
    """
    shape = (len(FLAVOURS), len(NEUTRINO_GEV), len(NEUTRINO_COSINES))
    return {
        "neutrinos/energies_GeV": np.array(NEUTRINO_GEV),
        "neutrinos/cos_zenith": np.array(NEUTRINO_COSINES),
        "neutrinos/flux": neutrinos.charges.reshape(shape),
        "neutrinos/slopes": neutrinos.slopes.reshape(*shape, -1),
    }
