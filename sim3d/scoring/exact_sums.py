"""Exact sums of batch values in fixed-point integers, plain and squared, for an array of any shape.

They serve the optional scores. The values of a batch are converted to integers on a scale that is a power of two per
element, and only integers are added (see :mod:`sim3d.scoring.tally`). Totals are bitwise the same for any order,
threads, ranks and merges.
"""

from __future__ import annotations

import numpy as np

N_GROUPS = 24
LIMB_BITS = 62
"""A sum of squares is hi * 2^62 + lo with 0 <= lo < 2^62."""
LIMB = 2.0**LIMB_BITS
_LARGEST_VALUE = 2.0**58


class TallyOverflowError(RuntimeError):
    """A batch value that is not finite or does not fit the fixed-point scale."""


class ExactSums:
    """Exact sums of one array over batches.

    Parameters
    ----------
    exponents : int array
        Binary exponent k of the scale of every element: integer = round(value * 2^k). Its shape is that of the sums.
    squares : bool
        Whether to sum the squares of batch values too, for errors.
    groups : bool
        Whether to keep the sums of N_GROUPS groups of batches, for jackknife errors of derived quantities.

    Attributes
    ----------
    total : int64 array
        Sum of the batch values in units of 2^-k.
    high, low : int64 arrays
        Two-limb sum of the squares in units of 2^-2k; empty without ``squares``.
    groups : int64 array (N_GROUPS, ...)
        Sums of the groups in units of 2^-k; empty without ``groups``.
    """

    def __init__(self, exponents: np.ndarray, *, squares: bool = True, groups: bool = False) -> None:
        self.exponents = np.asarray(exponents, dtype=np.int64)
        self.total = np.zeros(self.exponents.shape, dtype=np.int64)
        self.high = np.zeros(self.exponents.shape if squares else 0, dtype=np.int64)
        self.low = np.zeros_like(self.high)
        self.groups = np.zeros((N_GROUPS, *self.exponents.shape) if groups else 0, dtype=np.int64)

    def check(self, values: np.ndarray, name: str, batch: int) -> None:
        """Check that the values of a batch fit the scale; no sum is changed.

        Parameters
        ----------
        values : float64 array
        name : str
            Name of the quantity, for the message.
        batch : int
            Number of the batch, for the message.

        Raises
        ------
        TallyOverflowError
            If a value does not fit the scale or is not finite.
        """
        if not np.all(np.abs(values) < np.ldexp(_LARGEST_VALUE, -self.exponents)):
            raise TallyOverflowError(
                f"batch {batch}: a value of {name} is not finite or too large for the sums (use larger batches)"
            )

    def add(self, values: np.ndarray, batch: int) -> None:
        """Add the values of a batch that :meth:`check` has passed; cannot fail.

        Parameters
        ----------
        values : float64 array
        batch : int
            Number of the batch (its group is batch mod N_GROUPS).
        """
        places = np.nonzero(values)
        scaled = np.ldexp(values[places], self.exponents[places])
        integers = np.rint(scaled).astype(np.int64)
        self.total[places] += integers
        if self.groups.size:
            self.groups[batch % N_GROUPS][places] += integers
        if self.high.size:
            square = scaled * scaled
            upper = np.floor(square / LIMB)
            lower = self.low[places] + np.rint(square - upper * LIMB).astype(np.int64)
            self.high[places] += upper.astype(np.int64) + (lower >> LIMB_BITS)
            self.low[places] = lower & np.int64(2**LIMB_BITS - 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """List the integer arrays by name; limbs as in :meth:`sim3d.scoring.tally.SiteTally.arrays`.

        Returns
        -------
        dict of int64 arrays
        """
        out = {"total": self.total}
        if self.high.size:
            out |= {"squares/high": self.high, "squares/low": self.low}
        if self.groups.size:
            out["groups"] = self.groups
        return out

    def plain_sum(self) -> np.ndarray:
        """Sum of the batch values."""
        return np.ldexp(self.total.astype(float), -self.exponents)

    def square_sum(self) -> np.ndarray:
        """Sum of the squared batch values."""
        return np.ldexp(self.high.astype(float) * LIMB + self.low.astype(float), -2 * self.exponents)

    def group_sums(self) -> np.ndarray:
        """Convert the sums of the groups of batches to floats, shape (N_GROUPS, ...)."""
        return np.ldexp(self.groups.astype(float), -self.exponents)

    def mean_and_error(self, n_batches: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean of the batch values and its standard error.

        Parameters
        ----------
        n_batches : int

        Returns
        -------
        mean, error : float64 arrays
        """
        n = max(n_batches, 1)
        total = self.plain_sum()
        variance = np.maximum(0.0, self.square_sum() - total**2 / n) / (n * max(n - 1, 1))
        return total / n, np.sqrt(variance)
