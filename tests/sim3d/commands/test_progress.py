"""Progress of commands in a log: none for short work, a line with the reason and the time for long work."""

import time

import click

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


def test_every_long_command_gives_signs_of_life(monkeypatch, capsys):
    """A command that takes long, because it compiles perhaps, says so after ten seconds: none is left out."""
    from sim3d import cli

    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.05)
    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda self, ctx, name: click.Command(name, callback=slow))
    for name in cli.COMMANDS:
        assert cli.main([name]) == 0
        lines = capsys.readouterr().err.splitlines()
        if name in cli._OWN_SIGNS:
            assert not lines
        else:
            assert lines[0] == f"sim3d: {name}: 0 s so far ({cli._COMPILES})"


def slow():
    """Stands for a command that compiles."""
    time.sleep(0.2)
