"""The repository's own checks: changelog fragments, large files, pins."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def script(name):
    """A script of scripts/checks, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "checks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_fragments_of_this_checkout():
    assert script("changelog").problems() == []


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("shower.numbers.md", "- more\n", None),
        ("shower.numbers.md", "more\n", "begin"),
        ("shower.bits.md", "- more\n", "kind"),
        ("shower.md", "- more\n", "NAME.KIND"),
        ("shower.fixed.md", "- more\nof it\n", "line 2"),
    ],
)
def test_form_of_a_fragment(tmp_path, name, text, word):
    (tmp_path / name).write_text(text)
    found = script("changelog").problems(tmp_path)
    assert (found == []) if word is None else any(word in line for line in found)


def test_a_release_has_the_numbers_first(tmp_path):
    (tmp_path / "a.added.md").write_text("- a door\n")
    (tmp_path / "b.numbers.md").write_text("- fluxes by 1%\n")
    text = script("changelog").section("9.9.9", "2030-01-01", tmp_path)
    assert text.startswith("## [9.9.9] - 2030-01-01\n")
    assert text.index("### Numbers") < text.index("- fluxes by 1%") < text.index("### Added") < text.index("- a door")


OLDER = "## [0.1.0] - 2029-01-01\n\n### Added\n\n- a wall\n"


@pytest.mark.parametrize("older", ["", OLDER])
def test_an_unreleased_section_is_dated_and_filled(tmp_path, older):
    (tmp_path / "a.added.md").write_text("- a door\n")
    (tmp_path / "b.numbers.md").write_text("- fluxes by 1%\n")
    head = "# Changelog\n\nOn it.\n\n"
    text = head + "## [9.9.9] - unreleased\n\nFirst.\n\n### Added\n\n- a roof\n" + ("\n" + older if older else "")
    assert script("changelog").released(text, "9.9.9", "2030-01-01", tmp_path) == (
        head + "## [9.9.9] - 2030-01-01\n\nFirst.\n\n### Numbers\n\n- fluxes by 1%\n\n### Added\n\n- a roof\n- a door\n"
        + ("\n" + older if older else "")
    )  # fmt: skip


def test_a_release_after_another(tmp_path):
    (tmp_path / "a.added.md").write_text("- a door\n")
    text = script("changelog").released("# Changelog\n\n" + OLDER, "9.9.9", "2030-01-01", tmp_path)
    assert re.findall(r"^## \[(.+)\] - (.+)$", text, re.M) == [("9.9.9", "2030-01-01"), ("0.1.0", "2029-01-01")]
    assert text.endswith("\n\n" + OLDER)


def test_large_files_and_strangers_at_the_top(tmp_path, monkeypatch):
    check = script("large_files")
    monkeypatch.setattr(check, "ROOT", tmp_path)
    for name, size in {
        "tables.dat": 10,
        "README.md": 10,
        "docs/big.png": 700_000,
        "hadronic/tables/x.h5": 700_000,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"0" * size)
    found = check.problems(["tables.dat", "README.md", "docs/big.png", "hadronic/tables/x.h5"])
    assert [line.split(":")[0] for line in found] == ["tables.dat", "docs/big.png"]


def test_every_tool_of_the_checks_is_pinned():
    """constraints-dev.txt has a version of each dependency and of each tool named in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(name for key in ("mpi", "test", "docs") for name in extras[key])]
    pins = (ROOT / "constraints-dev.txt").read_text(encoding="utf-8").lower()
    for requirement in wanted:
        name = re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower().replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==", pins, re.MULTILINE), name
