"""Follow the steps of docs/developers/extending.md as they are written, in a copy of the code where they change it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import hadronic.models
from hadronic.energy_carried import energy_carried
from sim3d.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "developers" / "extending.md").read_text()
PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")


def section(title):
    """Text below a heading, up to the next one of the same level."""
    level, _, _ = title.partition(" ")
    return re.search(rf"^{re.escape(title)}\n(.*?)(?=^{level} |\Z)", PAGE, re.M | re.S)[1]


def blocks(text, language="python"):
    """Fenced blocks, without the indentation of the list they are in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.M | re.S)
    return [re.sub(rf"^{indent}", "", block, flags=re.M) for indent, block in found]


def run_python(code, folder):
    """Run code in a process of its own, kernels interpreted; its output."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_score(tmp_path):
    """Steps 1 to 7: edits of a copy, a new module, a run; the score is the integral of the flux, which stays."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    text = section("## A score")
    file = None
    edits = r"(?:[Ii]n `([\w/.]+)`, |and )below the line `([^`]+)`:\n\n( *)```python\n(.*?)^\3```"
    for match in re.finditer(edits, text, re.M | re.S):
        file = match[1] or file
        path = tmp_path / file
        lines = path.read_text().splitlines(keepends=True)
        places = [i for i, line in enumerate(lines) if line.strip() == match[2]]
        assert len(places) == 1, match[2]
        lines.insert(places[0] + 1, re.sub(rf"^{match[3]}", "", match[4], flags=re.M))
        path.write_text("".join(lines))
    written = re.search(r"Write `(sim3d/scoring/\w+\.py)`:\n\n( *)```python\n(.*?)^\2```", text, re.M | re.S)
    (tmp_path / written[1]).write_text(re.sub(rf"^{written[2]}", "", written[3], flags=re.M))
    for name in re.findall(r"`([\w/]+\.py)`", re.search(r"^4\. .*$", text, re.M)[0]):
        path = tmp_path / name
        code = re.sub(r"(?<!\()\bheights(?=[,)])", "heights, halves", path.read_text())
        path.write_text(code)
    reading = blocks(text)[-1]
    # interpreted, the field of degree 13 at the places of the setup would take most of the time
    assert '"field": {"cutoff": False}' in reading
    reading = reading.replace('"field": {"cutoff": False}', '"field": {"cutoff": False, "degree": 1}')
    halves = "np.stack([integral[:, :20].sum(axis=1), integral[:, 20:].sum(axis=1)], 1)"
    save = f"\nnp.savez('sums.npz', value=value, error=error, integral={halves}, flux=flux)"
    run_python(reading + save, tmp_path)
    sums = np.load(tmp_path / "sums.npz")
    assert (sums["value"].sum(axis=1) > 0.0).any()
    # each batch is rounded to 1/256 m^-2 s^-1, the unit of the sums
    np.testing.assert_allclose(sums["value"], sums["integral"], rtol=1e-6, atol=2.0 / 512.0)
    assert (sums["error"][sums["value"] > 0.0] > 0.0).all()
    # the same run by the code as it is, without the score
    plain = reading.replace('"scoring": {"halves": True},', "").partition("value, error")[0]
    where = tmp_path / "plain.npy"
    run_python(f"{plain}\nnp.save({str(where)!r}, result.binned('kamioka')[0])", ROOT)
    np.testing.assert_array_equal(np.load(where), sums["flux"])


def test_a_hadronic_model_from_a_table(tmp_path, monkeypatch):
    """A table from arrays, its moments, a run with it; the share of energy is printed and usual."""
    text = section("## A hadronic model").partition("### From a function")[0]
    monkeypatch.chdir(tmp_path)
    name = re.search(r"Write this to `(.+?)`", text)[1]
    (toml,) = blocks(text, "toml")
    Path(name).write_text(toml.replace("4_000", "480"))
    commands = re.findall(r"^ {8}((?:python|sim3d) .+)$", text, re.M)
    assert [command.split()[:2] for command in commands] == [
        ["python", "examples/my_yields.py"],
        ["sim3d", "zfactors"],
        ["sim3d", "run"],
    ]
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "python":
            script = [sys.executable, str(ROOT / arguments[0]), *arguments[1:]]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(script, env=environment, capture_output=True, text=True, check=True)
            output = done.stdout
        else:
            result = CliRunner().invoke(cli, arguments)
            assert result.exit_code == 0, result.output
            output = result.output
        assert "of the projectile's energy" in output, command
        assert "warning: my" not in output
    rows = energy_carried(hadronic.models.load_model(table="my_yields.h5"))
    assert all(row.is_usual for row in rows)


def test_a_hadronic_model_from_a_function(monkeypatch, capsys):
    """The block runs; the registered model has 5% more pions and is the run's model."""
    monkeypatch.setattr(hadronic.models, "_REGISTRY", dict(hadronic.models._REGISTRY))
    (code,) = blocks(section("## A hadronic model").partition("### From a function")[2])
    names = {}
    exec(compile(code.replace("4_000", "480"), "extending.md", "exec"), names)
    printed = capsys.readouterr().out
    assert printed.startswith("None\nmore-pions ")
    mine, fluka = hadronic.models.load_model("more-pions"), hadronic.models.load_model("fluka-z")
    for code in (names["PIP"], names["PIM"]):
        more, number = (model.moments(0, code, 20.0).multiplicity for model in (mine, fluka))
        assert more == pytest.approx(1.05 * number, rel=1e-12)


def test_a_primary_model(monkeypatch, capsys):
    """The block runs; the flux per nucleon is the class's, converted by hand, and the run names the source."""
    models = pytest.importorskip("crflux.models", reason="the extra primaries is not installed")
    from sim3d.primaries import catalogue

    before = dict(catalogue.LIBRARY_MODELS)
    (code,) = blocks(section("## A primary model"))
    names = {}
    try:
        exec(compile(code.replace("4_000", "480"), "extending.md", "exec"), names)
    finally:
        catalogue.LIBRARY_MODELS.clear()
        catalogue.LIBRARY_MODELS.update(before)
        vars(models).pop("TwoPowerLaws", None)
    printed = capsys.readouterr().out
    assert "made up (crflux" in printed
    mass = 0.9389
    assert names["model"].flux("p", 1.0e4) == pytest.approx(1.0e4 * (1.0e4 + mass) ** -2.7, rel=2e-3)
    assert names["model"].flux("He", 1.0e4) == pytest.approx(4.0 * 2.3e4 * (4.0e4 + 4 * mass) ** -2.65, rel=2e-3)


def test_steps_are_numbered():
    """Each part has its steps in order."""
    for title in ("## A score", "## A primary model", "## A command", "## A sampling mode"):
        steps = [int(number) for number in re.findall(r"^(\d+)\. ", section(title), re.M)]
        assert steps == list(range(1, len(steps) + 1)), title
    assert textwrap.dedent(blocks(section("## A score"))[0]).strip() == "halves: bool = False"
