"""Scripts, benchmarks and examples import only names that the packages have: most of them run in no test."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")
SCRIPTS = sorted(p for folder in ("scripts", "benchmarks", "examples") for p in (ROOT / folder).rglob("*.py"))


def missing_names(path: Path) -> list[str]:
    """Names imported from this project's packages that do not exist, as ``module.name``."""
    missing = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            try:
                module = importlib.import_module(node.module)
            except ModuleNotFoundError:
                missing.append(node.module)
                continue
            for name in node.names:
                full = f"{node.module}.{name.name}"
                is_module = hasattr(module, "__path__") and importlib.util.find_spec(full) is not None
                if not is_module and not hasattr(module, name.name):
                    missing.append(full)
    return missing


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_imported_names_exist(path):
    assert not missing_names(path)


def test_a_name_that_moved_is_found(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from sim3d.results.tables import AZIMUTH_BLOCKS\nfrom sim3d.results import tables\n", "utf-8")
    assert missing_names(script) == ["sim3d.results.tables.AZIMUTH_BLOCKS"]
