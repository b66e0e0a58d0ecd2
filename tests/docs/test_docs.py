"""The documentation does what it says: the newcomer's page is followed, examples in docstrings run, links resolve."""

import doctest
import importlib
import json
import pkgutil
import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sim3d.cli import cli

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")


def modules():
    names = list(PACKAGES)
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        names += [module.name for module in pkgutil.walk_packages(path, f"{package}.")]
    return names


def test_examples_in_docstrings():
    """Every ``>>>`` gives what stands below it."""
    attempted = 0
    for name in modules():
        result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
        assert result.failed == 0, name
        attempted += result.attempted
    assert attempted >= 15


def test_a_table_for_my_site(tmp_path, monkeypatch):
    """docs/manual/my-site.md, command by command, with fewer primaries: its tables are whole and readable."""
    page = (DOCS / "manual" / "my-site.md").read_text()
    name = re.search(r"Write this to `(.+?)`", page).group(1)
    text = re.search(r"```toml\n(.*?)```", page, re.S).group(1)
    assert tomllib.loads(text)["sites"][0] == {"name": "boulby", "lat": 54.55, "lon": -0.82}
    for key, size in (("primaries", 4_800), ("batch_size", 100)):
        text, changed = re.subn(rf"^{key} = [\d_]+", f"{key} = {size}", text, flags=re.M)
        assert changed == 1, key
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    commands = re.findall(r"^    sim3d (.+)$", page, re.M)
    assert commands.pop(0).startswith("make-tables ")  # the same in one command; tests/sim3d/commands has its own test
    assert [command.split()[0] for command in commands] == ["run", "tables", "tables", "info", "plot", "asymmetry"]
    for command in commands:
        result = CliRunner().invoke(cli, shlex.split(command))
        assert result.exit_code == 0, (command, result.output)
    for table, blocks in (("boulby-honda-aa.d", 20), ("boulby-honda-ally-20-12.d", 240)):
        assert table in page
        lines = Path("boulby", table).read_text().splitlines()
        assert len(lines) == blocks * 103
        rows = [line for line in lines if re.match(r"\s*\d", line)]
        values = np.array([[float(x) for x in line.split()] for line in rows])
        assert values.shape == (blocks * 101, 5)
        assert (values >= 0).all()
        assert values[:, 1:].sum() > 0


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.relative_to(DOCS).as_posix())
def test_pages(path):
    """Every page is in the site's menu and in the index, and begins with a sentence."""
    name = path.relative_to(DOCS).as_posix()
    assert f": {name}\n" in (ROOT / "mkdocs.yml").read_text()
    if name != "index.md":
        assert f"]({name})" in (DOCS / "index.md").read_text()
    title, blank, first = path.read_text().split("\n")[:3]
    assert title.startswith("# ")
    assert not blank
    assert re.match(r"[A-Z`]", first)


READ = [ROOT / "README.md", ROOT / "scripts" / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("path", READ, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links(path):
    """Links between files resolve where the pages are read without the site."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / target).exists(), target


# ---- the quick start


def test_quick_start(monkeypatch, capsys):
    """Code cells of the notebook run in their order, with fewer primaries, and print a flux with its error."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    notebook = json.loads((DOCS / "manual" / "quickstart.ipynb").read_text())
    assert notebook["nbformat"] == 4
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert "40_000" in cells[0]
    names = {}
    for cell in cells:
        exec(compile(cell.replace("40_000", "4_000"), "quickstart.ipynb", "exec"), names)
    printed = capsys.readouterr().out
    value, error = map(float, re.search(r"numu at 1 GeV and cos_zenith 0.5: (\d+) \+- (\d+) m", printed).groups())
    assert 30.0 < value < 500.0  # 121 +- 2 in a long run
    assert 0.0 < error < value
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    matplotlib.pyplot.close(names["figure"])


def test_readme_in_python():
    """README's lines of Python print a flux with its error."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len([line for line in code.splitlines() if line]) <= 6
    compile(code, "README.md", "exec")
    assert "result.flux(" in code
    assert "result.error(" in code


# ---- pictures


def test_gallery():
    """Every picture of the documentation is in the gallery, and a command stands below it."""
    text = (DOCS / "manual" / "gallery.md").read_text()
    shown = {(DOCS / "manual" / name).resolve() for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)}
    assert shown == {path.resolve() for path in DOCS.rglob("*.png")}
    for block in re.split(r"^(?=!\[)", text, flags=re.M)[1:]:
        rest = text[text.index(block) :]
        assert re.search(r"\A(?:!\[.*\)\n+)+    (?:sim3d|python) ", rest), block


def test_glossary():
    """Terms are in alphabetical order within their part, and pages of the manual link to them."""
    text = (DOCS / "manual" / "glossary.md").read_text()
    for part in text.split("\n## ")[1:]:
        terms = re.findall(r"^([^\n]+)\n:   ", part, re.M)
        assert len(terms) >= 10
        assert terms == sorted(terms, key=str.lower)
    pages = ["my-site", "configuration", "parallel", "production", "python", "cutoffs", "conventions", "muons"]
    for page in [*pages, "telescope", "gradients", "calibration"]:
        assert "](glossary.md" in (DOCS / "manual" / f"{page}.md").read_text(), page
