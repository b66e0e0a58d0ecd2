"""Handle the signals that ask a run to stop: it writes what is finished and ends."""

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
    """Remembers that a signal came.

    Before :attr:`patient` is set there is nothing to lose, and a signal interrupts at once; afterwards the first one is
    only noted, for the run to stop at its next safe point, and the second ends the process on the spot.
    """

    def __init__(self) -> None:
        self.name = ""
        self.patient = False

    def __call__(self, number: int, _frame: Any) -> None:
        if not self.patient:
            raise KeyboardInterrupt
        if self.name:
            sys.stderr.write("sim3d: second signal, leaving at once (the last checkpoint stays)\n")
            sys.stderr.flush()
            os._exit(_STATUS)
        self.name = signal.Signals(number).name


@contextlib.contextmanager
def stop_signals() -> Iterator[StopSignal]:
    """Catch the signals that ask to stop, for as long as a run goes on (in the main thread only)."""
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
