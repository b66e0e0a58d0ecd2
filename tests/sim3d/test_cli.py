"""The command-line shell: quick help, one line per input error, statuses, silence of other MPI ranks."""

import json
import os
import re
import subprocess
import sys

import click
import pytest

from sim3d import cli
from sim3d.errors import InputError, is_input_error
from sim3d.files import atomic_files
from sim3d.launcher import launcher_rank


def run(*arguments):
    """``sim3d`` in a process of its own."""
    command = [sys.executable, "-m", "sim3d.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def failing(monkeypatch):
    """Makes the command ``info`` raise what the test wants."""

    def arrange(problem):
        @click.command()
        def command():
            raise problem

        monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: command)

    return arrange


def test_help_and_version_import_nothing_heavy():
    code = (
        "import sys; from sim3d.cli import main; s = main(['--help']) + main(['--version']);"
        "bad = {'numba', 'h5py', 'scipy', 'matplotlib', 'mpi4py', 'pydantic'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad or s else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0." in done.stdout.splitlines()[-1]


def test_help_takes_little_time():
    """0.4 s of processor time on an idle machine; the best of three, with slack for one that is not."""
    code = "import time; from sim3d.cli import main; main(['--help']); print(time.process_time())"
    times = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        times.append(float(done.stdout.splitlines()[-1]))
    assert min(times) < 0.8


def test_help_is_one_screen_and_lists_every_command(capsys):
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 44
    assert max(map(len, text.splitlines())) <= 100
    for name in cli.COMMANDS:
        assert f"\n  {name} " in text
    assert cli.main([]) == 0
    assert capsys.readouterr().out == text


@pytest.mark.parametrize(
    ("words", "expected"),
    [("sim3d asymm", "asymmetry"), ("sim3d tables --for", "--format"), ("sim3d tables --format h", "honda")],
)
def test_shell_completion(words, expected):
    """What docs/manual/cli.md tells a shell to ask completes commands, options and choices."""
    wanted = {"_SIM3D_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    code = "import sys; sys.argv[0] = 'sim3d'; from sim3d.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **wanted}
    )
    assert [line.split(",")[1] for line in done.stdout.splitlines()] == [expected], done.stderr


@pytest.mark.parametrize(
    "name", ["run", "tables", "asymmetry", "leptons", "plot", "figures", "report", "info", "compare"]
)
def test_help_of_each_command(name, capsys):
    assert cli.main([name, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["--nonsense"],
        ["tables"],
        ["tables", "x.h5", "--format", "xls"],
        ["run", "--primaries", "0", "c.toml"],
    ],
)
def test_usage_errors_are_one_line(arguments, capsys):
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("sim3d: error: ")
    assert captured.err.count("\n") == 1


class GeomagInputError(ValueError):
    pass


@pytest.mark.parametrize("problem", [InputError("lat", 95, "-90 to 90"), GeomagInputError("lat: 95\nis too much")])
def test_input_errors_of_any_package_are_one_line(problem, failing, capsys):
    failing(problem)
    assert cli.main(["info"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("sim3d: error: lat: 95")
    assert captured.err.count("\n") == 1


def test_other_faults_keep_their_traceback(failing):
    failing(ValueError("a fault of the program"))
    with pytest.raises(ValueError, match="a fault"):
        cli.main(["info"])
    assert not is_input_error(ValueError("x"))
    assert not is_input_error(KeyError("x"))


def test_interrupt_and_operating_system(failing, capsys):
    failing(KeyboardInterrupt())
    assert cli.main(["info"]) == 130
    failing(PermissionError(13, "Permission denied", "/somewhere/x.d"))
    assert cli.main(["info"]) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == "sim3d: error: /somewhere/x.d: Permission denied"


@pytest.mark.parametrize("launcher", ["OMPI_COMM_WORLD", "PMI", "MV2_COMM_WORLD"])
def test_rank_0_speaks_first(launcher, failing, capsys, monkeypatch):
    """The others wait for the launcher to end them; one that lives on says the line, and which variable it believed."""
    waited = []
    monkeypatch.setattr(cli.time, "sleep", waited.append)
    for name in ("OMPI_COMM_WORLD", "PMI", "MV2_COMM_WORLD"):
        monkeypatch.delenv(f"{name}_RANK", raising=False)
        monkeypatch.delenv(f"{name}_SIZE", raising=False)
    monkeypatch.delenv("PMIX_RANK", raising=False)
    failing(InputError("seed", -1, "0 or more"))
    monkeypatch.setenv(f"{launcher}_SIZE", "20")
    for rank, waits in (("0", 0), ("1", 1), ("17", 1)):
        waited.clear()
        monkeypatch.setenv(f"{launcher}_RANK", rank)
        assert launcher_rank() == int(rank)
        assert cli.main(["info"]) == 2
        assert len(waited) == waits
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert (f"(rank {rank} by {launcher}_RANK; unset it" in err) == bool(waits)
    # without the number of processes the rank is left over
    monkeypatch.delenv(f"{launcher}_SIZE")
    assert cli.main(["info"]) == 2
    assert "rank" not in capsys.readouterr().err


def test_input_error_is_one_line():
    assert str(InputError("sites[0].lat", 95.0, "-90 to 90")) == "sites[0].lat: 95.0, allowed: -90 to 90"
    assert str(InputError("two\nlines")) == "two lines"


@pytest.mark.parametrize("name", ["tables", "asymmetry", "leptons", "plot", "info"])
def test_files_that_are_not_results(name, tmp_path, capsys):
    import h5py

    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["x"] = 1.0
    cut = tmp_path / "cut.h5"
    cut.write_bytes(foreign.read_bytes()[:700])
    text = tmp_path / "text.h5"
    text.write_text("not HDF5")
    for path in (foreign, cut, text, tmp_path / "none.h5", tmp_path):
        assert cli.main([name, str(path)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("sim3d: error: ")
        assert captured.err.count("\n") == 1
        assert path.name in captured.err


def test_the_process_itself_leaves_with_the_status(tmp_path):
    done = run("info", tmp_path / "none.h5")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"sim3d: error: {tmp_path}/none.h5: no such file\n"


def test_tables_json_and_folders(known, capsys):
    folder = known.path.parent / "made" / "for" / "me"
    assert cli.main(["tables", str(known.path), "-o", str(folder), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 8 + 2
    assert {path.name for path in folder.iterdir()} == {name.rsplit("/", 1)[-1] for name in files}
    blocked = known.path.parent / "a_file"
    blocked.write_text("")
    for name in ("tables", "plot"):
        for target in (blocked, blocked / "below"):
            assert cli.main([name, str(known.path), "-o", str(target)]) == 2
            captured = capsys.readouterr()
            assert captured.out == ""
            assert captured.err.count("\n") == 1


def test_a_folder_without_permission(known, capsys, monkeypatch):
    """The tests may run as root, whom no mode bits stop: the system's answer is put in its mouth."""

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    for patched, answer, message in (
        (atomic_files, ("_flush", refuse), r"output: cannot write .*\.d \(Permission denied\)"),
        (os, ("access", lambda _, mode: mode != os.W_OK), r"no permission to write there"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(patched, *answer)
            assert cli.main(["tables", str(known.path)]) == 2
        captured = capsys.readouterr()
        assert re.search(message, captured.err)
        assert captured.err.count("\n") == 1


def test_info(known, capsys):
    assert cli.main(["info", str(known.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["sites"]) == {"kamioka", "sno"}
    assert document["sites"]["sno"]["hits_by_flavour"]["nue"] == 202 * 40 * 12 * 8 * 10
    assert document["attributes"]["primaries"] == 1000
    assert document["batches"] == 8
    assert cli.main(["info", str(known.path)]) == 0
    text = capsys.readouterr().out
    assert "site kamioka: latitude 36.400" in text
    assert text.count("\n") <= 24
    assert "Median statistical error" in text
    assert cli.main(["info", str(known.path), "--all"]) == 0
    text = capsys.readouterr().out
    assert "field_generation: IGRF-14" in text
