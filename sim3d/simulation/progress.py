"""The progress bar of a run."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from sim3d.scoring.precision import describe_observable
from sim3d.simulation.run_sums import RunSums


class Progress:
    """What is shown while a run goes on."""

    def __init__(self, bar: Any, batch_size: int, name: str) -> None:
        self.bar = bar
        self.batch_size = batch_size
        self.name = name

    def update(self, batches: int, sums: RunSums, in_sums: int) -> None:
        """Show that so many batches are finished, on all ranks together.

        Parameters
        ----------
        batches : int
        sums : RunSums
            Of rank 0; the error of all is estimated from what has come there.
        in_sums : int
            Batches in them.
        """
        primaries = batches * self.batch_size
        if primaries == self.bar.n:
            return
        error = sums.watch.relative_error(in_sums)
        if math.isfinite(error):
            error *= math.sqrt(in_sums / max(batches, 1))
            self.bar.set_postfix_str(f"error {100.0 * error:.2g}% ({self.name})", refresh=False)
        self.bar.update(primaries - self.bar.n)


@contextlib.contextmanager
def progress_bar(config: Any, show: bool, done: int) -> Iterator[Progress | None]:
    """A bar on a terminal, nothing in a log; it begins with the batches done before."""
    if not show:
        yield None
        return
    size = config.run.batch_size
    bar = tqdm(total=config.n_batches * size, initial=done * size, unit=" primaries", unit_scale=True, disable=None)
    with bar:
        yield Progress(bar, size, describe_observable(config))
