"""What all tests share: hypothesis draws the same examples every time, and knows no deadline (kernels compile)."""

import os

# Set before NumPy is imported. The matrices of the tests are small, and two processes run them: with a thread for each
# core OpenBLAS's threads wait for each other in loops. OMP_NUM_THREADS is left as it is: the number of threads of a run
# follows it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings

settings.register_profile("sim3d", deadline=None, derandomize=True)
settings.load_profile("sim3d")

LONGEST = (
    "test_paths_and_outputs",
    "test_event_file",
    "test_ranks",
    "test_checkpoint",
    "test_targeted",
    "test_figures",
    "test_gradients",
    "test_provenance",
    "test_muons",
    "test_bin_errors",
    "test_first_interaction",
    "test_worked_pages",
    "test_merge",
    "test_survey",
    "test_engine",
    "test_fluka_z",
    "test_extending",
    "test_docs",
    "test_leptons",
    "test_build",
    "test_yield_file",
    "test_comparison",
    "test_precision",
    "test_job_files",
    "test_kernel_sources",
    "test_reweight",
    "test_workflow",
    "test_dimensions",
    "test_site_flux_shipped",
)
"""Test files that take longest: they begin first, so that no process is left alone with one."""


def pytest_configure():
    """Commands print no sign of life, which on a slow machine would come between the lines that tests read."""
    from sim3d.commands import progress

    progress.LINE_EVERY_S = 1e6


def pytest_collection_modifyitems(items):
    """Put the longest files first; the others keep their order."""
    rank = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONGEST)))
