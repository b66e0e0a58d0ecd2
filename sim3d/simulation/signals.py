"""Handle the signals that ask a run to stop.

The run then writes its finished batches and ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

# Batch systems send SIGTERM before they kill. mpirun passes SIGUSR1 on to all ranks and leaves them time, which it
# does not do with SIGTERM (Open MPI kills a second later).
_NAMES = ("SIGINT", "SIGTERM", "SIGUSR1")
_STATUS = 130


class StopSignal:
    """Signal handler that records the first signal.

    Before :attr:`patient` is set there are no results to lose, and a signal raises ``KeyboardInterrupt`` at once.
    Afterwards the first signal is only recorded, and the run stops at its next safe point. A second one ends the
    process immediately.

    Attributes
    ----------
    name : str
        Name of the signal received, empty if none was.
    patient : bool
        Whether to wait for the next safe point.
    """

    def __init__(self) -> None:
        self.name = ""
        self.patient = False

    def __call__(self, number: int, _frame: Any) -> None:
        """Handle a signal."""
        if not self.patient:
            raise KeyboardInterrupt
        if self.name:
            sys.stderr.write("sim3d: second signal, leaving at once (the last checkpoint stays)\n")
            sys.stderr.flush()
            os._exit(_STATUS)
        self.name = signal.Signals(number).name


@contextlib.contextmanager
def stop_signals() -> Iterator[StopSignal]:
    """Install a handler of the signals that ask a run to stop, for the duration of a block.

    Outside the main thread no handler is installed.

    Yields
    ------
    StopSignal
    """
    stop = StopSignal()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
