"""Progress of a run in a log: a line a minute with rate, time left and errors."""

import io
from types import SimpleNamespace

from sim3d.simulation.progress import LogLines, Progress


def test_a_line_a_minute():
    now, stream = [0.0], io.StringIO()
    lines = LogLines(1_000_000, 100_000, stream, lambda: now[0])
    progress = Progress(lines, 1000, "flux at x")
    sums = SimpleNamespace(watch=SimpleNamespace(error=lambda *_: 0.04), tallies=())
    for now[0], batches in ((1.0, 101), (59.0, 150), (60.0, 200), (90.0, 230), (120.5, 250)):
        progress.update(batches, sums, batches)
    first, second = stream.getvalue().splitlines()
    assert first == (
        "sim3d: 200,000 of 1,000,000 primaries (20%), 1,667/s, 8 min left, error 4%, 1.8% at the end (flux at x)"
    )
    assert second.startswith("sim3d: 250,000 of 1,000,000 primaries (25%)")
