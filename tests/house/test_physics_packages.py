"""What a user imports from the packages themselves, wherever the modules lie."""

import importlib
import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["geomag", "hadronic", "atmosphere"])
def test_every_public_name_can_be_imported(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__
    for name in module.__all__:
        thing = getattr(module, name)
        assert thing is not None
        home = getattr(thing, "__module__", package)
        assert home == "builtins" or home.split(".")[0] == package, name
    with pytest.raises(AttributeError):
        module.no_such_name  # noqa: B018


def test_the_packages_load_what_is_asked_for_only() -> None:
    """The named sites, which the command line needs to check a configuration, come without numba."""
    code = "import sys, geomag.sites, hadronic.errors, geomag, hadronic; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
