"""Which files compiled kernels depend on: the key of the cache changes with these, and only with these."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sim3d import jit_cache
from sim3d.kernel_sources import kernel_files, module_files

FILES = module_files(jit_cache._package_folders())
KERNELS = kernel_files(FILES)
CHOICES = ("NUMBA_CACHE_DIR", jit_cache.MARK, "SIM3D_CACHE_DIR", "XDG_CACHE_HOME", "PYTHONPATH", "NUMBA_DISABLE_JIT")


def written(folder, sources):
    """Files of a package called `pack`, from the texts of its modules by their path."""
    for name, text in sources.items():
        path = folder / "pack" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return module_files({"pack": folder / "pack"})


def selected(folder, **sources):
    files = written(folder, {"__init__": "", **{name.replace("__", "/"): text for name, text in sources.items()}})
    return {name.removeprefix("pack.") for name in kernel_files(files)}


def test_files_are_found_in_rooms_and_flat(tmp_path):
    files = written(tmp_path, dict.fromkeys(("__init__", "flat", "room/__init__", "room/a", "room/deep/b"), ""))
    assert set(files) == {"pack", "pack.flat", "pack.room", "pack.room.a", "pack.room.deep.b"}
    assert files["pack.room"].name == "__init__.py"


def test_names_in_kernels_are_followed_and_others_are_not(tmp_path):
    """Through calls, constants, constants made of constants, and imports of what another file imports."""
    found = selected(
        tmp_path,
        room__kernel="from numba import njit\n"
        "from pack.room.called import helper\nfrom pack.constants import C\nfrom pack.result_file import read\n"
        "from pack import whole\n"
        "@njit\ndef kernel(x):\n    return helper(x) * C + whole.D\n"
        "def report(path):\n    return read(path)\n",
        room__called="from pack.origin import helper\n",
        origin="from numba import njit\n@njit\ndef helper(x):\n    return x\n",
        constants="from pack.species import mass\nfrom pack.plots import colour\nC = mass('p')\nINK = colour()\n",
        species="from pack.reader import lines\ndef mass(name):\n    return lines(name)\n",
        reader="def lines(name):\n    return 1.0\n",
        whole="D = 1\n",
        plots="def colour():\n    return 'red'\n",
        result_file="def read(path):\n    return path\n",
    )
    assert found == {"room.kernel", "room.called", "origin", "constants", "species", "reader", "whole"}


def test_all_ways_to_make_a_kernel_are_known(tmp_path):
    found = selected(
        tmp_path,
        decorated="import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x\n",
        called="from numba import njit\ndef f(x):\n    return x\nkernel = njit(f)\n",
        nested="from numba import vectorize as v\ndef make():\n    @v\n    def f(x):\n        return x\n    return f\n",
        extension="from numba.extending import overload\n@overload(len)\ndef f(x):\n    return None\n",
        optional="try:\n    from numba import njit\nexcept ImportError:\n    pass\n@njit\ndef f(x):\n    return x\n",
        version="import numba\ndef f():\n    return numba.__version__\n",
        plain="from functools import cache\n@cache\ndef f():\n    '''Of numba.'''\n",
    )
    assert found == {"decorated", "called", "nested", "extension", "optional"}


def test_every_kernel_that_is_called_lies_in_a_selected_file():
    """By numba's own objects: all modules with kernels are imported, and the globals of each kernel are looked at."""
    from numba.core.dispatcher import Dispatcher

    seen = 0
    for name in KERNELS:
        for kernel in vars(importlib.import_module(name)).values():
            if not isinstance(kernel, Dispatcher):
                continue
            seen += 1
            codes = [kernel.py_func.__code__]
            while codes:
                code = codes.pop()
                codes += [one for one in code.co_consts if hasattr(one, "co_names")]
                for used in (kernel.py_func.__globals__.get(one) for one in code.co_names):
                    home = used.py_func.__module__ if isinstance(used, Dispatcher) else getattr(used, "__module__", "")
                    if str(home).split(".")[0] in jit_cache.KERNEL_PACKAGES:
                        assert home in KERNELS, (name, kernel.py_func.__name__, used)
    assert seen > 150


def test_no_kernel_is_in_another_file():
    from numba.core.dispatcher import Dispatcher

    for name in set(FILES) - set(KERNELS):
        text = FILES[name].read_text(encoding="utf-8")
        assert "@njit" not in text, name
        assert "njit(" not in text, name
        module = sys.modules.get(name)
        for thing in vars(module).values() if module else ():
            assert not (isinstance(thing, Dispatcher) and thing.py_func.__module__ == name), name


@pytest.mark.parametrize("word", ["plot", "command", "report", "figure", "result_file", "config", "errors", "table"])
def test_what_no_kernel_needs_is_not_selected(word):
    chosen = [name for name in FILES if word in name]
    assert chosen
    assert not set(chosen) & set(KERNELS)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the four packages, to be edited."""
    folder = tmp_path_factory.mktemp("tree")
    for package, source in jit_cache._package_folders().items():
        shutil.copytree(source, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def started(tree, code, **environment):
    """What a new process prints, with the packages of `tree`."""
    kept = {key: value for key, value in os.environ.items() if key not in CHOICES}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command,
        env={**kept, "PYTHONPATH": str(tree), **environment},
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def edited(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def where(tree, name):
    """File of a module in the copy, by the end of its dotted name; it may lie in a room."""
    (found,) = [path for key, path in FILES.items() if key.split(".")[0] == name[0] and key.split(".")[-1] == name[1]]
    package = jit_cache._package_folders()[name[0]]
    return tree / name[0] / found.relative_to(package)


FOLDER = "import sim3d; from sim3d.jit_cache import CACHE_FOLDER, source_hash; print(CACHE_FOLDER, source_hash())"


@pytest.mark.parametrize("variable", ["NUMBA_CACHE_DIR", "SIM3D_CACHE_DIR"])
def test_the_key_is_that_of_the_kernels(tree, tmp_path, variable):
    """A keyed subfolder of the user's own folder too; plots, commands and the writer of results do not change it."""
    chosen = {variable: str(tmp_path)}
    folder, key = started(tree, FOLDER, **chosen)
    assert Path(folder) == tmp_path / f"kernels-{key}"
    for name in (("sim3d", "style"), ("sim3d", "result_file"), ("sim3d", "schema"), ("hadronic", "reference")):
        with where(tree, name).open("a") as stream:
            stream.write("\nEDITED = 1\n")
    assert started(tree, FOLDER, **chosen) == [folder, key]
    keys = {key}
    for name in (("sim3d", "rotations"), ("geomag", "lanes"), ("sim3d", "particles")):
        path = where(tree, name)
        before = path.read_text()
        path.write_text(before + "\nEDITED = 1\n")
        other = started(tree, FOLDER, **chosen)
        assert Path(other[0]) == tmp_path / f"kernels-{other[1]}"
        assert other[1] not in keys
        keys.add(other[1])
        path.write_text(before)
    assert started(tree, FOLDER, **chosen) == [folder, key]


def test_a_process_of_ours_uses_the_folder_of_the_one_that_started_it(tree, tmp_path):
    code = f"import os, subprocess, sys; {FOLDER}; subprocess.run([sys.executable, '-c', {FOLDER!r}], check=True)"
    code = code.replace("print(CACHE_FOLDER, source_hash())", "print(CACHE_FOLDER, source_hash(), flush=True)", 1)
    first = started(tree, code, NUMBA_CACHE_DIR=str(tmp_path))
    assert first[:2] == first[2:]
    assert Path(first[0]).parent == tmp_path


COMPILE = """
import sim3d
import numpy as np
import {module} as module
kernel = module._field_many
out = np.empty((1, 3))
kernel(np.array([[6371.2, 0.0, 0.0]]), module.FieldModel.dipole(30000.0).gauss, out)
print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()), round(out[0, 2], 6))
"""


def test_a_kernel_edit_and_only_a_kernel_edit_recompiles(tree, tmp_path):
    """The edited kernel is in another file than the cached one that calls it: numba alone would not notice."""
    chosen = {"NUMBA_CACHE_DIR": str(tmp_path)}
    (module,) = [name for name in FILES if name.startswith("geomag.") and name.endswith(".igrf")]
    code = COMPILE.format(module=module)
    assert started(tree, code, **chosen) == ["0", "1", "30000.0"]
    assert started(tree, code, **chosen) == ["1", "0", "30000.0"]
    plots, kernels = where(tree, ("sim3d", "style")), where(tree, ("geomag", "kernels"))
    before = plots.read_text(), kernels.read_text()
    plots.write_text(before[0] + "\nEDITED = 2\n")
    assert started(tree, code, **chosen) == ["1", "0", "30000.0"]
    edited(kernels, "    return bx, by, bz\n", "    return bx, by, 2.0 * bz\n")
    assert started(tree, code, **chosen) == ["0", "1", "60000.0"]
    plots.write_text(before[0])
    kernels.write_text(before[1])
    assert started(tree, code, **chosen) == ["1", "0", "30000.0"]


def test_help_and_version_need_no_key(tree, tmp_path):
    """Nothing is hashed, and no folder is made, where no kernel is needed."""
    code = "import sys; from sim3d.cli import main; sys.argv = ['sim3d', '--help']; main()"
    shown = started(tree, code, SIM3D_CACHE_DIR=str(tmp_path / "none"))
    assert "Usage:" in shown
    assert not (tmp_path / "none").exists()


def test_without_sim3d_nothing_is_cached_in_an_unkeyed_folder(tree, tmp_path):
    (kernels,) = [name for name in FILES if name.startswith("geomag.") and name.endswith(".kernels")]
    (tables,) = [name for name in FILES if name.startswith("hadronic.") and name.endswith(".kernels")]
    code = f"import {kernels} as a, {tables} as b; print(a.CACHE, b.CACHE)"
    assert started(tree, code, NUMBA_CACHE_DIR=str(tmp_path)) == ["False", "False"]
    assert started(tree, "import sim3d; " + code, NUMBA_CACHE_DIR=str(tmp_path)) == ["True", "True"]
