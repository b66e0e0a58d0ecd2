"""Compile the kernels of targeted sampling in two processes: the shower in one, aiming in the other.

numba compiles in one thread of a process. A forked child compiles the shower into the cache folder, the process itself
compiles what the batch kernel calls besides. The batch kernel is compiled afterwards, from both.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import numba
import numpy as np

from sim3d.jit_cache import CACHE
from sim3d.launcher import usable_cores
from sim3d.sampling.aim_settings import Aim
from sim3d.sampling.aiming import AIM_COLUMNS, N_SECTORS
from sim3d.sampling.batch import BatchTask
from sim3d.sampling.first_interaction import trace_to_top
from sim3d.sampling.pilot import list_aims
from sim3d.sampling.targeted import draw_aim, draw_vertex, rotation_density
from sim3d.sampling.verdicts import verdicts_of
from sim3d.scoring.hits import HIT_DTYPE, hits_of_shower
from sim3d.shower.gradients import Gradients
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS
from sim3d.shower.stack import new_stack

Call = tuple[Any, tuple[Any, ...]]


def kernels_of_a_batch(
    task: BatchTask, counters: np.ndarray, aim: Aim, gradients: Gradients | None
) -> tuple[list[Call], list[Call]]:
    """List the kernels that :func:`sim3d.sampling.targeted.targeted_batch` calls, with arguments of the right types.

    Parameters
    ----------
    task, aim, gradients
        As for the batch kernel.
    counters : int64 array
        Of the scores.

    Returns
    -------
    showers, others : lists of (kernel, arguments)
        The shower without and with gradients; all others that take long to compile.
    """
    world, source, site = task.world, task.source, task.sites[0]
    coarse, bending = aim.coarse, world.bending
    rng, pose, matrix = np.zeros(1, np.uint64), np.zeros(9), np.zeros((3, 3))
    threes, found = np.ones((1, 3)), np.zeros(1, np.int8)
    tracing = world.gauss, task.singles, task.trace, task.bounds
    table, neutrinos, hits = np.zeros((1, AIM_COLUMNS)), np.zeros((1, NEUTRINO_COLUMNS)), np.zeros(1, HIT_DTYPE)
    start = (pose, 1.0, 1.0, np.uint64(0), new_stack(1), neutrinos, True, None, None)
    showers: list[Call] = [(shower, (world, *start, None, np.ones(2)))]
    if gradients is not None:
        showers.append((shower, (world, *start, gradients, np.ones(2))))
    others: list[Call] = [
        (draw_vertex, (world, source, 0, 1, rng, pose)),
        (list_aims, (neutrinos, 1, pose, 1.0, 1, site, aim, coarse, bending, table, matrix, np.zeros(N_SECTORS))),
        (draw_aim, (table, 1, 1.0, site, aim, coarse, bending, rng, matrix, matrix)),
        (rotation_density, (table, 1, 1.0, matrix, site, aim, coarse, bending, matrix)),
        (trace_to_top, (world, pose, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, np.zeros(6))),
        (verdicts_of, (threes, threes, np.ones(1), 1, *tracing, counters, found)),
        (hits_of_shower, (neutrinos, 1, 1.0, task.sites, task.surfaces, 0, 1, hits)),
    ]
    return showers, others


def compile_ahead(task: BatchTask, counters: np.ndarray, aim: Aim, gradients: Gradients | None) -> bool:
    """Compile the kernels of a batch in two processes, where that is possible.

    Parameters
    ----------
    task, counters, aim, gradients
        As for :func:`kernels_of_a_batch`.

    Returns
    -------
    bool
        Whether it was done. It is not without a cache folder, on one core, and where a process cannot be forked.
    """
    if not (CACHE and sys.platform == "linux" and len(usable_cores()) > 1 and hasattr(shower, "compile")):
        return False
    showers, others = kernels_of_a_batch(task, counters, aim, gradients)
    with warnings.catch_warnings():
        # the child calls the compiler only, and no library with threads
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            _compile(showers[:1])
            status = 0
        finally:
            os._exit(status)
    try:
        _compile(others)
    finally:
        os.waitpid(child, 0)
    return True


def _compile(calls: list[Call]) -> None:
    for kernel, arguments in calls:
        kernel.compile(tuple(numba.typeof(argument) for argument in arguments))
