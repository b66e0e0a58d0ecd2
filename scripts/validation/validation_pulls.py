"""Compare two runs bin by bin with errors that do not depend on the fluctuation of the bin itself.

The sample error of a bin that few showers hit is low where the flux is low: both lack the heavy hits. Pulls with such
errors are too large on one side, and a single bin can carry a tenth of the chi2 of hundreds. As in tables of fluxes
(:mod:`sim3d.results.bin_errors`) a bin with few expected hits has the error sqrt(phi F) instead. The hit value phi is
that of the bins around in the same run, the flux F that of both runs, mostly of the better known one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim3d.results.bin_errors import FEW_HITS, Grid, hit_values

_AXES = ("energy", "zenith", "azimuth")
_STEP_DECADES = 0.2
"""Distance between neighbouring energies for the weights of :func:`hit_values`, which are made for the finer bins of
tables; neighbours then count 0.6."""


@dataclass(frozen=True)
class Pulls:
    """Two runs compared in the bins of one binning.

    Attributes
    ----------
    pull : float64 array (bins,)
        Difference of the runs over its error.
    errors : float64 array (2, bins)
        Of the runs.
    means : float64 array (2, bins)
        Of the runs.
    few : float
        Share of the bins in which the second run has an expected error, not the sample error.
    """

    pull: np.ndarray
    errors: np.ndarray
    means: np.ndarray
    few: float

    @property
    def ratio(self) -> tuple[float, float]:
        """Weighted mean of first over second run, and its error."""
        weight = self.means[1] ** 2 / (self.errors**2).sum(axis=0)
        ratio = (self.means[0] / self.means[1] * weight).sum() / weight.sum()
        return float(ratio), float(weight.sum() ** -0.5)


def pulls_of(name: str, groups: tuple[np.ndarray, np.ndarray]) -> Pulls | None:
    """Compare two runs in all bins.

    Parameters
    ----------
    name : str
        Of the binning; after the flavour it names the axes that the arrays have, of energy, zenith and azimuth in this
        order.
    groups : (float64 array, float64 array)
        Means of independent groups of batches of each run, (group, flavour, ...).

    Returns
    -------
    Pulls or None
        None if a run has no error in a bin, because one group or none has hits there.
    """
    shape = [groups[0].shape[1], *(1 for _ in _AXES)]
    named = [axis for axis, word in enumerate(_AXES, start=1) if word in name]
    for axis, length in zip(named, groups[0].shape[2:], strict=True):
        shape[axis] = length
    means = np.array([x.mean(axis=0).reshape(shape) for x in groups])
    sample = np.array([(x.std(axis=0, ddof=1) / np.sqrt(len(x))).reshape(shape) for x in groups])
    if not np.all(sample > 0.0):
        return None
    weights = [np.median(e / m) ** -2 for m, e in zip(means, sample, strict=True)]
    flux = np.average(means, axis=0, weights=weights)
    energies, cosines, azimuths = shape[1:]
    grid = Grid(
        10.0 ** (_STEP_DECADES * np.arange(energies)),
        (2.0 * np.arange(cosines) + 1.0) / cosines - 1.0,
        360.0 * np.arange(azimuths) / azimuths,
        flux.mean(axis=(0, 2, 3)),
    )
    value = np.array([hit_values(m, e**2, grid, passes=2) for m, e in zip(means, sample, strict=True)])
    few = flux < FEW_HITS * value
    errors = np.where(few, np.sqrt(value * flux), sample)
    pull = (means[0] - means[1]) / np.hypot(*errors)
    return Pulls(pull.ravel(), errors.reshape(2, -1), means.reshape(2, -1), float(few[1].mean()))
