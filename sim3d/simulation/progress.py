"""Progress bar of a run: primaries simulated, and the present error of the watched observable."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from sim3d.scoring.precision import describe_observable
from sim3d.simulation.run_sums import RunSums


class Progress:
    """Display of a run's progress.

    Parameters
    ----------
    bar : tqdm.tqdm
    batch_size : int
    name : str
        Description of the watched observable.
    """

    def __init__(self, bar: Any, batch_size: int, name: str) -> None:
        self.bar = bar
        self.batch_size = batch_size
        self.name = name

    def update(self, batches: int, sums: RunSums, in_sums: int) -> None:
        """Show the number of primaries simulated and the estimated relative error.

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
        error = sums.watch.relative_error(in_sums)
        if math.isfinite(error):
            error *= math.sqrt(in_sums / max(batches, 1))
            self.bar.set_postfix_str(f"error {100.0 * error:.2g}% ({self.name})", refresh=False)
        self.bar.update(primaries - self.bar.n)


@contextlib.contextmanager
def progress_bar(config: Any, show: bool, done: int) -> Iterator[Progress | None]:
    """Open a progress bar on a terminal; nothing is shown elsewhere, as in a log file.

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
    bar = tqdm(total=config.n_batches * size, initial=done * size, unit=" primaries", unit_scale=True, disable=None)
    with bar:
        yield Progress(bar, size, describe_observable(config))
