"""Show the progress of commands that take longer than a few seconds: a bar on a terminal, lines in a log."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

import click

LINE_EVERY_S = 10.0
"""Least time between two lines in a log."""

MINUTE_S = 60.0
"""Time between the lines of work without steps, after the first."""


@contextlib.contextmanager
def steps(total: int, what: str) -> Iterator[Callable[[str], None]]:
    """Show the progress of a command in steps, on stderr.

    On a terminal there is a bar, which is removed at the end. Elsewhere, as in a log, a line names the present step,
    unless it begins within ten seconds of the start or of the last line: short work prints nothing.

    Parameters
    ----------
    total : int
        Number of steps.
    what : str
        Name of the work.

    Yields
    ------
    callable
        To be called at the beginning of each step, with its name.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        begun = 0
        with tqdm(total=total, desc=what, file=sys.stderr, leave=False) as bar:

            def show(name: str) -> None:
                nonlocal begun
                bar.set_postfix_str(name, refresh=False)
                bar.update(1 if begun else 0)
                bar.refresh()
                begun += 1

            yield show
        return
    started = last = time.monotonic()
    done = 0

    def tell(name: str) -> None:
        nonlocal last, done
        now = time.monotonic()
        if now - last >= LINE_EVERY_S:
            click.echo(f"sim3d: {what}: {done} of {total} done in {now - started:.0f} s, now {name}", err=True)
            last = now
        done += 1

    yield tell


@contextlib.contextmanager
def waiting(what: str, note: str) -> Iterator[None]:
    """Print lines on stderr while one piece of work runs that has no steps: after ten seconds, then every minute.

    Parameters
    ----------
    what : str
        Name of the work.
    note : str
        Reason why it may take long, in the first line only.

    Yields
    ------
    None
    """
    ended = threading.Event()
    started = time.monotonic()

    def speak() -> None:
        pause, text = LINE_EVERY_S, f" ({note})"
        while not ended.wait(pause):
            click.echo(f"sim3d: {what}: {time.monotonic() - started:.0f} s so far{text}", err=True)
            pause, text = MINUTE_S, ""

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield
    finally:
        ended.set()
        speaker.join()
