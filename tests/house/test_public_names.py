"""The names of ``import sim3d``: what is imported on first use is what type checkers are told."""

import ast
from importlib import import_module
from pathlib import Path

import sim3d


def stub():
    """Module by name in ``sim3d/__init__.pyi``, and its ``__all__``."""
    tree = ast.parse(Path(sim3d.__file__).with_suffix(".pyi").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    modules = {alias.asname: node.module for node in imports for alias in node.names if alias.asname == alias.name}
    listed = next(node for node in tree.body if isinstance(node, ast.Assign))
    return modules, ast.literal_eval(listed.value)


def test_the_stub_has_the_names_of_the_package():
    modules, listed = stub()
    assert modules == sim3d._PUBLIC
    assert listed == sim3d.__all__ == sorted([*modules, "__version__"], key=sim3d.__all__.index)


def test_every_name_is_there():
    for name, module in sim3d._PUBLIC.items():
        assert getattr(sim3d, name) is getattr(import_module(module), name)
