"""Bins of observables, with axes of the package hist, and what lies outside them.

An axis bins the column of its own name. Bins are closed below and open above; the upper edge of the last bin is
outside. Events outside are counted: every expectation and every data set has their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.measurement.samples import Sample

EXTRA = "pip install 'sim3d[analysis]'"


def need_hist() -> Any:
    """Import hist, or say how to install it."""
    try:
        import hist
    except ImportError:
        raise InputError(f"measurement: needs the package hist, which is not installed ({EXTRA})") from None
    return hist


def log_axis(name: str, low: float, high: float, bins: int) -> Any:
    """Make an axis with bins of equal width in the logarithm.

    Parameters
    ----------
    name : str
        Column.
    low, high : float
        Ends.
    bins : int

    Returns
    -------
    hist.axis.Regular

    Examples
    --------
    >>> log_axis("energy", 10.0, 1000.0, 2).edges.round(6).tolist()
    [10.0, 100.0, 1000.0]
    """
    hist = need_hist()
    if not (0.0 < low < high < np.inf and bins >= 1 and int(bins) == bins):
        raise InputError("log_axis", (low, high, bins), "0 < low < high, and one bin or more")
    return hist.axis.Regular(int(bins), low, high, name=name, transform=hist.axis.transform.log)


def cos_axis(name: str, bins: int, low: float = -1.0, high: float = 1.0) -> Any:
    """Make an axis with equal bins of a zenith cosine; vertical arrivals (cosine 1) are in the last bin.

    Parameters
    ----------
    name : str
        Column.
    bins : int
    low, high : float

    Returns
    -------
    hist.axis.Variable
    """
    if not (-1.0 <= low < high <= 1.0 and bins >= 1 and int(bins) == bins):
        raise InputError("cos_axis", (low, high, bins), "-1 <= low < high <= 1, and one bin or more")
    edges = np.linspace(low, high, int(bins) + 1)
    # bins are open above: the number after the last edge closes this one
    edges[-1] = np.nextafter(edges[-1], np.inf)
    return need_hist().axis.Variable(edges, name=name)


def category_axis(name: str, categories: Sequence[int] | Sequence[str]) -> Any:
    """Make an axis of categories, numbers or texts.

    Parameters
    ----------
    name : str
        Column.
    categories : sequence of int or str

    Returns
    -------
    hist.axis.IntCategory or hist.axis.StrCategory
    """
    hist = need_hist()
    values = list(categories)
    texts = [isinstance(value, str) for value in values]
    whole = [isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values]
    if not values or not (all(texts) or all(whole)) or len(set(values)) != len(values):
        raise InputError(f"category_axis {name!r}", values, "whole numbers or texts, each once")
    return (hist.axis.StrCategory if texts[0] else hist.axis.IntCategory)(values, name=name)


@dataclass(frozen=True)
class Placed:
    """Events in bins.

    Attributes
    ----------
    index : int64 array (n,)
        Number of the bin; -1 outside.
    inside : bool array (n,)
    outside : dict of (bool array, bool array)
        By axis: events below its first and above its last bin (a category that is not on the axis is above).
    """

    index: NDArray[np.int64]
    inside: NDArray[np.bool_]
    outside: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]


class Binning:
    """Bins of one or more observables.

    Parameters
    ----------
    *axes : axes of hist or boost_histogram
        Each with a name, that of a column.

    Attributes
    ----------
    axes : tuple
    names : tuple of str
    shape : tuple of int
    size : int
        Number of bins.

    Raises
    ------
    InputError
        For no axis, an axis without a name, or two of one name.

    Examples
    --------
    >>> binning = Binning(log_axis("energy", 10.0, 1000.0, 2), category_axis("kind", ["track", "cascade"]))
    >>> binning.shape, binning.size
    ((2, 2), 4)
    """

    def __init__(self, *axes: Any) -> None:
        self.axes = axes
        self.names = tuple(str(getattr(axis, "name", "") or getattr(axis, "metadata", "") or "") for axis in axes)
        if not axes or "" in self.names or len(set(self.names)) != len(self.names):
            raise InputError(f"binning: every axis needs a name of its own, the column that it bins: {self.names}")
        self.shape = tuple(len(axis) for axis in axes)
        self.size = int(np.prod(self.shape))

    def place(self, sample: Sample) -> Placed:
        """Find the bin of every event.

        Parameters
        ----------
        sample : Sample
            With a column for every axis.

        Returns
        -------
        Placed

        Raises
        ------
        InputError
            For a column that is missing, or a value that is no number; with column and row.
        """
        index = np.zeros(len(sample), dtype=np.int64)
        inside = np.ones(len(sample), dtype=bool)
        outside = {}
        for axis, name, n in zip(self.axes, self.names, self.shape, strict=True):
            if "StrCategory" in type(axis).__name__:
                texts, where = np.unique(sample[name].astype(str), return_inverse=True)
                known = {str(axis.value(i)): i for i in range(n)}
                values: Any = np.array([known.get(text, n) for text in texts.tolist()], dtype=np.int64)[where]
            elif "IntCategory" in type(axis).__name__:
                values = sample.numbers(name)
                odd = values != np.rint(values)
                if odd.any():
                    row = int(np.argmax(odd))
                    raise InputError(
                        f"{sample.source}: column {name!r}, row {row + 1}", float(values[row]), "a whole number"
                    )
                values = values.astype(np.int64)
            else:
                values = sample.numbers(name)
            of_texts = "StrCategory" in type(axis).__name__
            own = values if of_texts else np.asarray(axis.index(values), dtype=np.int64).reshape(len(sample))
            if not of_texts and hasattr(axis, "edges") and not axis.traits.circular:
                # 0 and negative numbers have no logarithm: hist has them above a logarithmic axis
                own = np.where((own >= n) & (values < axis.edges[0]), -1, own)
            outside[name] = (own < 0, own >= n)
            inside &= (own >= 0) & (own < n)
            index = index * n + np.clip(own, 0, n - 1)
        return Placed(np.where(inside, index, -1), inside, outside)

    def describe(self, bin_number: int) -> str:
        """Name a bin by its edges.

        Parameters
        ----------
        bin_number : int

        Returns
        -------
        str
        """
        words = []
        for axis, name, i in zip(self.axes, self.names, np.unravel_index(bin_number, self.shape), strict=True):
            where = axis.bin(int(i))
            words.append(f"{name} {where[0]:.4g} to {where[1]:.4g}" if isinstance(where, tuple) else f"{name} {where}")
        return ", ".join(words)

    def histogram(self, values: ArrayLike, variances: ArrayLike | None = None) -> Any:
        """Make a histogram of hist from numbers in the bins.

        Parameters
        ----------
        values : array_like (bins,)
        variances : array_like (bins,), optional

        Returns
        -------
        hist.Hist
            With Weight storage; its overflow bins are empty, since what lies outside is counted apart.
        """
        hist = need_hist()
        out = hist.Hist(*self.axes, storage=hist.storage.Weight())
        view: Any = out.view()
        view["value"] = np.asarray(values, dtype=float).reshape(self.shape)
        view["variance"] = np.asarray(values if variances is None else variances, dtype=float).reshape(self.shape)
        return out

    def project(self, values: Array, name: str) -> Array:
        """Sum numbers in the bins over all axes but one.

        Parameters
        ----------
        values : float64 array (..., bins)
        name : str
            Of the axis that is kept.

        Returns
        -------
        float64 array (..., bins of the axis)
        """
        if name not in self.names:
            raise InputError("axis", name, ", ".join(self.names))
        keep = self.names.index(name)
        values = np.asarray(values)
        whole = values.reshape(*values.shape[:-1], *self.shape)
        first = values.ndim - 1
        return np.asarray(whole.sum(axis=tuple(first + i for i in range(len(self.shape)) if i != keep)))


@dataclass(frozen=True)
class Counts:
    """Events counted in bins.

    Attributes
    ----------
    binning : Binning
    values : float64 array (bins,)
        Numbers of events; those of an Asimov data set are no integers.
    outside : dict of (float, float)
        By axis: events below and above.
    outside_total : float
        Events outside on any axis.
    """

    binning: Binning
    values: Array
    outside: dict[str, tuple[float, float]]
    outside_total: float = 0.0

    def describe_outside(self) -> str:
        """Say in a line what is outside the bins."""
        return outside_words(self.outside_total, self.outside)


def count(sample: Sample, binning: Binning) -> Counts:
    """Count the events of a sample in bins.

    Parameters
    ----------
    sample : Sample
    binning : Binning

    Returns
    -------
    Counts
    """
    placed = binning.place(sample)
    values = np.bincount(placed.index[placed.inside], minlength=binning.size).astype(float)
    outside = {name: (float(low.sum()), float(high.sum())) for name, (low, high) in placed.outside.items()}
    return Counts(binning, values, outside, float((~placed.inside).sum()))


def outside_words(total: float, outside: dict[str, tuple[float, float]]) -> str:
    """Say in a line how many events are outside the bins, by axis."""
    parts = [f"{name} {low:.4g} below, {high:.4g} above" for name, (low, high) in outside.items() if low or high]
    return f"{total:.4g} outside the bins" + (f" ({'; '.join(parts)})" if parts else "")
