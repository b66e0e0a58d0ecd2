"""The layout of the code: sizes of modules, functions and folders, mirrored tests, one home for each kernel."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")
LONGEST_MODULE, LONGEST_KERNEL, LARGEST_FOLDER = 500, 150, 20
LONG_KERNELS = {
    "_decide_some": "its lanes are written out: the loops over them must stay in one function to be vectorised",
    "backtrack_state": "an adaptive Runge-Kutta step written out; cut, its 15 scalars would travel through calls",
}
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
OTHERS = [p for folder in ("scripts", "benchmarks", "tests", "examples") for p in (ROOT / folder).rglob("*.py")]


def _is_kernel(node: ast.FunctionDef) -> bool:
    return any("njit" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_no_module_is_longer_than_500_lines():
    long = {
        str(p.relative_to(ROOT)): n
        for p in [*MODULES, *OTHERS]
        if (n := p.read_text(encoding="utf-8").count("\n")) > LONGEST_MODULE
    }
    assert not long


def test_no_kernel_is_longer_than_150_lines():
    long = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and _is_kernel(node):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > LONGEST_KERNEL:
                    long[node.name] = lines
    assert set(long) <= set(LONG_KERNELS), long
    assert set(LONG_KERNELS) <= set(long), "an exception that is no longer needed"


def test_no_folder_has_more_than_20_modules():
    count = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert not {str(folder): n for folder, n in count.items() if n > LARGEST_FOLDER}


def test_every_room_says_what_it_holds():
    for folder in {path.parent for path in MODULES}:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))), folder


def test_tests_mirror_the_rooms():
    """tests/<package>/<room>/test_<file>.py names a module (or begins with its name): no search for tests."""
    homeless = []
    for package in PACKAGES:
        for path in sorted((ROOT / "tests" / package).rglob("test_*.py")):
            room, name = ROOT / path.parent.relative_to(ROOT / "tests"), path.stem.removeprefix("test_")
            if not any(name == file.stem or name.startswith(f"{file.stem}_") for file in room.glob("*.py")):
                homeless.append(str(path.relative_to(ROOT)))
    assert not homeless
