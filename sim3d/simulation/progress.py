"""Progress of a run: primaries simulated, rate, time left, and the error now and at the end.

On a terminal it is a bar. Elsewhere, as in a log file, a line is printed every minute.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from tqdm import tqdm

from sim3d.scoring.precision import describe_observable
from sim3d.simulation.run_sums import RunSums

LINE_EVERY_S = 60.0
"""Seconds between the lines in a log."""


class LogLines:
    """Stand-in for a bar where there is no terminal: prints a line a minute.

    Parameters
    ----------
    total, initial : int
        Primaries of the run, and those done before.
    stream : TextIO
    clock : callable
        Returns a time in seconds.
    """

    def __init__(self, total: int, initial: int, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.n, self._first = total, initial, initial
        self._stream, self._clock = stream, clock
        self._started = self._last = clock()
        self._note = ""

    def set_postfix_str(self, text: str, refresh: bool = False) -> None:
        """Note what is printed at the end of the next line."""
        self._note = text

    def update(self, more: int) -> None:
        """Count primaries, and print a line if the last one is a minute old."""
        self.n += more
        now = self._clock()
        if now - self._last < LINE_EVERY_S:
            return
        self._last = now
        rate = (self.n - self._first) / max(now - self._started, 1e-9)
        left = (self.total - self.n) / rate if rate > 0.0 else math.inf
        minutes = f"{left / 60.0:.0f} min left" if left >= 90.0 else f"{left:.0f} s left"
        print(
            f"sim3d: {self.n:,} of {self.total:,} primaries ({100.0 * self.n / self.total:.0f}%), {rate:,.0f}/s, "
            f"{minutes}{', ' if self._note else ''}{self._note}",
            file=self._stream,
            flush=True,
        )


class Progress:
    """Display of a run's progress.

    Parameters
    ----------
    bar : tqdm.tqdm or LogLines
    batch_size : int
    name : str
        Description of the watched observable.
    """

    def __init__(self, bar: Any, batch_size: int, name: str) -> None:
        self.bar = bar
        self.batch_size = batch_size
        self.name = name

    def update(self, batches: int, sums: RunSums, in_sums: int) -> None:
        """Show the number of primaries simulated, and the estimated relative error now and at the end.

        Parameters
        ----------
        batches : int
            Batches finished on all ranks.
        sums : RunSums
            Sums of rank 0. The error of all batches is estimated from theirs, scaled with the square root of the
            numbers of batches.
        in_sums : int
            Batches in these sums.
        """
        primaries = batches * self.batch_size
        if primaries == self.bar.n:
            return
        error = sums.watch.error(in_sums, sums.tallies)
        if math.isfinite(error):
            error *= math.sqrt(in_sums / max(batches, 1))
            last = error * math.sqrt(primaries / max(self.bar.total, primaries))
            text = f"error {100.0 * error:.2g}%, {100.0 * last:.2g}% at the end ({self.name})"
            self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(primaries - self.bar.n)


@contextlib.contextmanager
def progress_bar(config: Any, show: bool, done: int) -> Iterator[Progress | None]:
    """Open a progress bar on a terminal, and lines in a log elsewhere.

    Parameters
    ----------
    config : Config
    show : bool
    done : int
        Batches done before, from which the bar starts.

    Yields
    ------
    Progress or None
        None without ``show``.
    """
    if not show:
        yield None
        return
    size = config.run.batch_size
    total = config.n_batches * size
    if not sys.stderr.isatty():
        yield Progress(LogLines(total, done * size, sys.stderr), size, describe_observable(config))
        return
    bar = tqdm(total=total, initial=done * size, unit=" primaries", unit_scale=True)
    with bar:
        yield Progress(bar, size, describe_observable(config))
