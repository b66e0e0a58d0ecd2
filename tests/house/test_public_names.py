"""The names of ``import sim3d`` and of two rooms: what is imported on first use is what type checkers are told."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import sim3d
import sim3d.config
import sim3d.primaries

ROOMS = [sim3d, sim3d.config, sim3d.primaries]


def stub(package):
    """Module by name in the package's ``__init__.pyi``, and its ``__all__`` (None where it states none)."""
    tree = ast.parse(Path(package.__file__).with_suffix(".pyi").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    modules = {alias.asname: node.module for node in imports for alias in node.names if alias.asname == alias.name}
    listed = next((node for node in tree.body if isinstance(node, ast.Assign)), None)
    return modules, None if listed is None else ast.literal_eval(listed.value)


@pytest.mark.parametrize("package", ROOMS, ids=lambda package: package.__name__)
def test_the_stub_has_the_names_of_the_package(package):
    modules, listed = stub(package)
    assert modules == package._PUBLIC
    assert set(package.__all__) - {"__version__"} == set(modules)
    assert listed in (None, package.__all__)


@pytest.mark.parametrize("package", ROOMS, ids=lambda package: package.__name__)
def test_every_name_is_there(package):
    for name, module in package._PUBLIC.items():
        assert getattr(package, name) is getattr(import_module(module), name)
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nothing'"):
        _ = package.nothing


def test_a_configuration_is_checked_without_numba():
    program = (
        "import sys; from sim3d.config import make_config; "
        "make_config({'run': {'primaries': 1000}, 'sites': [{'name': 'kamioka'}]}); sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
