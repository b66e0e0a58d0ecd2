"""Measure, before the first batch of a run, what primaries of each energy cost and what they add to the errors.

Equal numbers of primaries are simulated in each stratum of energy, in small jobs. Their random numbers are those of
primaries that no run reaches, and their hits are in no result: all batches of a run have one density of energies. The
jobs are functions of the configuration alone, and so is the allocation that is made of them
(:mod:`sim3d.sampling.allocation`), whatever the ranks and threads.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim3d.conventions.particles import PROTON
from sim3d.sampling.allocation import Allocation, Survey, allocate, cost, part_of_table, strata, stratum_law
from sim3d.sampling.batch import empty_scores
from sim3d.sampling.targeted import LARGEST_ENERGY_LOSS_GEV
from sim3d.simulation.setup import Setup

if TYPE_CHECKING:
    from sim3d.files.record import RunRecord
    from sim3d.simulation.processes import Processes

JOBS = 24
"""Jobs of a stratum: variances come from their scatter."""
SIZE = 20
"""Primaries of a job."""
FIRST_BATCH = 2**50
"""Number of the first job as a batch; runs have at most 10^7 batches."""


def run_strata(setup: Setup) -> np.ndarray:
    """List the nodes of the density's table that bound the strata of a run.

    Parameters
    ----------
    setup : Setup

    Returns
    -------
    int64 array (n + 1,)
    """
    # a primary is drawn at its first interaction, where it has lost energy
    low = max(float(setup.world.kinetic_min[PROTON]), setup.source.energy_low - LARGEST_ENERGY_LOSS_GEV)
    return strata(low, setup.source.energy_high)


def run_job(setup: Setup, nodes: np.ndarray, size: int, job: int) -> tuple[np.ndarray, np.ndarray]:
    """Simulate one job of the survey.

    Parameters
    ----------
    setup : Setup
        Of the run, with the default density.
    nodes : int64 array (strata + 1,)
    size : int
        Primaries of the job.
    job : int
        Its number; job // JOBS is the stratum.

    Returns
    -------
    values : float64 array (cells,)
        Part of the flux of each cell that comes from the stratum, see :meth:`sim3d.sampling.allocation.Cells.values`.
        NaN if a primary could not be simulated.
    counters : int64 array (N_COUNTERS,)
    """
    stratum = job // JOBS
    law = stratum_law(setup.source.law, int(nodes[stratum]), int(nodes[stratum + 1]))
    run = setup.config.run.model_copy(update={"batch_size": size})
    small = replace(
        setup,
        config=setup.config.model_copy(update={"run": run}),
        source=setup.source._replace(law=law, usual_law=setup.source.law),
        overhead=None,
    )
    # without the arrays of gradients numba would compile a second version of the kernels
    extras = small.empty_extras() if setup.gradients is not None else None
    scores = empty_scores(len(setup.detectors), setup.n_azimuth if extras else 1)
    try:
        small.batch_function()(FIRST_BATCH + job, scores, None, extras)
    except Exception:  # a primary that cannot be simulated: in a run it would be reported, here the job is left out
        scores.flux[...] = np.nan
    return part_of_table(setup.config.allocation).values(scores.flux), scores.counters.copy()


def survey_of(setup: Setup, nodes: np.ndarray, size: int, done: dict[int, tuple[np.ndarray, np.ndarray]]) -> Survey:
    """Sum up the jobs of a survey.

    Parameters
    ----------
    setup : Setup
    nodes : int64 array (strata + 1,)
    size : int
        Primaries of a job.
    done : dict
        Results of :func:`run_job` by the number of the job.

    Returns
    -------
    Survey
    """
    n = len(nodes) - 1
    values = np.array([done[job][0] for job in range(n * JOBS)]).reshape(n, JOBS, -1)
    counters = np.array([done[job][1] for job in range(n * JOBS)]).reshape(n, JOBS, -1).sum(axis=1)
    share = np.diff(setup.source.law[nodes])
    mean, variance = np.nanmean(values, axis=1), np.nanvar(values, axis=1, ddof=1)
    return Survey(nodes, share / share.sum(), mean, variance * size, cost(counters))


def agreed_allocation(setup: Setup, processes: Processes, threads: int, start: RunRecord | None) -> Allocation | None:
    """Make the survey of a run on all ranks, or take the allocation of the run that is continued.

    Parameters
    ----------
    setup : Setup
        With the default density.
    processes : Processes
    threads : int
        Threads of this process.
    start : RunRecord or None
        Of the run that is continued, on rank 0. It goes on with the density it began with.

    Returns
    -------
    Allocation or None
        The same on all ranks; None for the default density.
    """
    if plan := processes.agree("" if start is None else _text(start.allocation)):
        return _allocation(plan)
    if not setup.config.allocates:
        return None
    nodes = run_strata(setup)
    jobs = range(processes.rank, JOBS * (len(nodes) - 1), processes.size)
    with ThreadPoolExecutor(threads) as pool:
        results = dict(zip(jobs, pool.map(lambda job: run_job(setup, nodes, SIZE, job), jobs), strict=True))
    done: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for one in processes.gather(results):
        done |= one
    text = ""
    if processes.first:
        found = survey_of(setup, nodes, SIZE, done)
        part = setup.config.allocation
        text = _text(allocate(found, part_of_table(part).importance() if part.whole else None))
    return _allocation(processes.agree(text))


def _text(allocation: Allocation | None) -> str:
    """Write an allocation as text that keeps every bit."""
    if allocation is None:
        return "null"
    return json.dumps({field.name: getattr(allocation, field.name).tolist() for field in fields(Allocation)})


def _allocation(text: str) -> Allocation | None:
    data: dict[str, Any] | None = json.loads(text)
    return None if data is None else Allocation(**{name: np.array(values) for name, values in data.items()})
