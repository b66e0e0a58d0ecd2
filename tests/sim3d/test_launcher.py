"""Ranks, sizes and threads from the environment; what is left over from another job is not believed."""

import pytest

from sim3d.launcher import UNKNOWN_SIZE, launched_size, launcher_rank, rank_variable, slurm_tasks, wanted_threads

VARIABLES = [
    *("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE", "PMIX_RANK", "MV2_COMM_WORLD_RANK"),
    *("MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "OMP_NUM_THREADS"),
]


@pytest.fixture
def environment(monkeypatch):
    """``environment(NAME="value")`` sets variables after all others are removed."""

    def fill(**values):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    fill()
    return fill


def test_nothing_is_set(environment):
    environment()
    assert (launched_size(), launcher_rank(), rank_variable(), slurm_tasks()) == (None, None, "", 0)


@pytest.mark.parametrize("launcher", ["OMPI_COMM_WORLD", "PMI", "MV2_COMM_WORLD"])
def test_a_rank_needs_the_size(environment, launcher):
    environment(**{f"{launcher}_RANK": "1", f"{launcher}_SIZE": "4"})
    assert (launched_size(), launcher_rank(), rank_variable()) == (4, 1, f"{launcher}_RANK")
    environment(**{f"{launcher}_RANK": "1"})
    assert (launched_size(), launcher_rank()) == (None, None)


def test_srun_states_the_number_of_tasks(environment):
    environment(PMIX_RANK="3")
    assert (launched_size(), launcher_rank()) == (UNKNOWN_SIZE, 3)
    environment(PMIX_RANK="3", SLURM_STEP_NUM_TASKS="16")
    assert (launched_size(), slurm_tasks()) == (16, 16)
    environment(SLURM_STEP_NUM_TASKS="16")
    assert launched_size() is None


@pytest.mark.parametrize(
    ("value", "threads"), [("4", 4), ("4,2", 4), (" 8 ", 8), ("0", None), ("-1", None), ("many", None), ("", None)]
)
def test_threads(environment, value, threads):
    environment(OMP_NUM_THREADS=value)
    assert wanted_threads() == threads
