"""Signs of life in a log: none for short work, a line with the reason and the time for long work."""

import time

from sim3d.commands import progress


def test_short_work_is_silent(capsys):
    with progress.waiting("replay", "a reason"):
        pass
    with progress.steps(3, "figures") as step:
        for name in ("a", "b", "c"):
            step(name)
    assert capsys.readouterr().err == ""


def test_long_work_without_steps(capsys, monkeypatch):
    """The reason in the first line only; lines end with the work."""
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.05)
    monkeypatch.setattr(progress, "MINUTE_S", 0.05)
    with progress.waiting("replay", "kernels are compiled"):
        time.sleep(0.4)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert lines[0] == "sim3d: replay: 0 s so far (kernels are compiled)"
    assert lines[1] == "sim3d: replay: 0 s so far"
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_long_steps(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.05)
    with progress.steps(2, "figures") as step:
        step("one")
        time.sleep(0.1)
        step("two")
    assert capsys.readouterr().err == "sim3d: figures: 1 of 2 done in 0 s, now two\n"
