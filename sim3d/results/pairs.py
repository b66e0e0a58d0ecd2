"""Ratios and other functions of the fluxes of two runs, with errors that allow for showers they have in common.

Runs with the same seed simulate the same showers, so their statistical fluctuations cancel in part in a ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.results.jackknife import jackknife

if TYPE_CHECKING:
    from sim3d.results.result import Result


def jackknife_of_two(
    quantity: Callable[[Array, Array], Array], first: Result, second: Result, groups: Callable[[Result], Array]
) -> tuple[Array, Array]:
    """Compute a function of the means of two runs, such as their ratio, and its jackknife error.

    Batch ``b`` is in group ``b`` modulo the number of groups. So runs with the same seed have the same showers in
    groups of the same number. Leaving out a group of both runs at once takes their correlation into account. (For
    different seeds it is right too, since the correlation is then zero.) Runs with different sizes or numbers of
    batches are treated as independent, and the two errors are added in quadrature.

    Parameters
    ----------
    quantity : callable
        Takes the mean of ``first`` and that of ``second`` (arrays of the shape of one group).
    first, second : Result
    groups : callable
        Means of the groups of a run, shape (G, ...), for instance from
        :meth:`sim3d.results.result.Result.groups_azimuth`.

    Returns
    -------
    value, error : arrays
        As :func:`jackknife`.
    """
    a, b = groups(first), groups(second)
    if paired(first, second):
        return jackknife(lambda mean: quantity(mean[0], mean[1]), np.stack([a, b], axis=1), first.group_weights)
    mean_a, mean_b = (np.average(x, axis=0, weights=result.group_weights) for x, result in ((a, first), (b, second)))
    value, error_a = jackknife(lambda mean: quantity(mean, mean_b), a, first.group_weights)
    _, error_b = jackknife(lambda mean: quantity(mean_a, mean), b, second.group_weights)
    return value, np.hypot(error_a, error_b)


def paired(first: Result, second: Result) -> bool:
    """Tell whether the groups of two runs can be paired: equal batch size and equal numbers of batches in each group.

    Parameters
    ----------
    first, second : Result

    Returns
    -------
    bool
    """
    sizes = [result.record.config.run.batch_size for result in (first, second)]
    return sizes[0] == sizes[1] and np.array_equal(first.group_weights, second.group_weights)
