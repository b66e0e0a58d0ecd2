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
    "test_muons",
    "test_checkpoint",
    "test_result",
    "test_figures",
    "test_gradients",
    "test_merge",
    "test_prompt",
    "test_survey",
    "test_worked_pages",
    "test_provenance",
    "test_engine",
    "test_build",
    "test_targeted",
    "test_yield_file",
    "test_leptons",
    "test_site_tables",
    "test_first_interaction",
    "test_docs",
    "test_job_files",
    "test_comparison",
    "test_tables",
    "test_extending",
    "test_precision",
    "test_export",
    "test_site_flux_shipped",
    "test_cutoff",
    "test_energy_balance",
    "test_reweight",
    "test_smoothing",
    "test_workflow",
    "test_muons_gradients",
    "test_kernel_sources",
    "test_fluka_z",
    "test_nuclei",
    "test_world_ranks",
    "test_names",
    "test_dimensions",
    "test_cascade",
    "test_heights",
    "test_kaon_channels",
    "test_detectors",
    "test_bin_errors",
    "test_run_shape",
    "test_yield_laws",
    "test_above",
    "test_atmosphere",
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
