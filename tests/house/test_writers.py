"""No module writes a file in place: all output goes through sim3d.files.atomic_files."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "sim3d"
ALLOWED = {
    "files/atomic_files.py": "the one way",
    "files/hdf5_writing.py": "streams to the temporary file of atomic_files",
    "files/checksums.py": "the seal of the temporary file of an event file",
    "files/event_journal.py": "appends, batch by batch; its frames carry checksums",
    "jit_cache.py": "a note in the cache of kernels, no output of a command",
    "disk_cache.py": "models kept beside the kernels, no output of a command",
}
METHODS = {"write_text", "write_bytes", "to_netcdf", "to_csv", "tofile", "savetxt", "savez", "rename"}
MODULE_FUNCTIONS = {"os.replace", "os.rename", "np.save", "np.savez", "np.savetxt", "shutil.copyfile", "shutil.move"}


def writes(call):
    """Whether a call writes, replaces or moves a file."""
    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    if name in MODULE_FUNCTIONS or (last in METHODS and "." in name):
        # arrays into a stream in memory are no file
        return not (name in ("np.save", "np.savez") and ast.unparse(call.args[0]) == "stream")
    strings = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
    modes = [text for text in strings if isinstance(text, str) and 0 < len(text) <= 3 and set(text) <= set("rwaxbt+")]
    if last in ("open", "File", "fdopen") and any(set(mode) & set("wax+") for mode in modes):
        # a file in memory, or a netCDF file in a stream
        first = ast.unparse(call.args[0]) if call.args else ""
        return first not in ("image", "stream") and "backing_store" not in {k.arg for k in call.keywords}
    # a figure saved to a stream in memory has a format
    return last == "savefig" and "format" not in {k.arg for k in call.keywords}


def test_the_search_finds_what_it_should():
    lines = {
        'open(p, "w")': True, 'p.open("ab")': True, 'p.open()': False, 'open(p, "rb")': False, 'p.open(mode="w")': True,
        'h5py.File(p, "w")': True, 'h5py.File(p, "r")': False, 'p.write_text("x")': True, "write_bytes(p, b)": False,
        "figure.savefig(p)": True, 'figure.savefig(s, format="png")': False, "os.replace(a, b)": True,
        "np.savez(stream, a=a)": False, "np.savez(path, a=a)": True, 'os.fdopen(n, "wb")': True,
        'h5py.File("image.h5", "w", driver="core", backing_store=False)': False,
    }  # fmt: skip
    for line, expected in lines.items():
        assert writes(ast.parse(line).body[0].value) == expected, line


@pytest.mark.parametrize("module", sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py")))
def test_one_way_to_write(module):
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    found = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call) and writes(node)]
    if module in ALLOWED:
        assert found, f"{module} writes nothing any more: take it off the list"
    else:
        assert found == []
