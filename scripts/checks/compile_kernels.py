"""Compile the kernels that the tests use, in two processes, before the tests start (``make test`` calls it).

    python scripts/checks/compile_kernels.py

One process compiles the kernels without gradients, the other those with gradients and those of geomagnetic cutoffs.
Analog sampling with gradients is left out: the slow tests alone use it. A process compiles a function that several
kernels call only once, so that this takes less processor time than tests that compile what they meet first. With all
kernels in the cache it takes a few seconds.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

MODES = ("analog", "rotated", "targeted")
"""Targeted sampling comes last: with gradients it needs the shower without them, which the other process compiles."""


def configuration(mode: str, *, gradients: bool, muons: bool = False) -> dict[str, Any]:
    """Configuration of a run whose kernels are compiled.

    Parameters
    ----------
    mode : str
        Of sampling.
    gradients, muons : bool

    Returns
    -------
    dict
        Tables, as in a TOML file.
    """
    patch = {"ns_deg": 20.0, "ew_deg": 40.0} if mode == "analog" else None
    site: dict[str, Any] = {"name": "kamioka"} | ({"patch": patch} if patch else {})
    return {
        "run": {"primaries": 200, "batch_size": 100},
        "sampling": {"mode": mode},
        "scoring": {"gradients": gradients, "muons": muons},
        "transport": {"bending": mode != "rotated"},
        "sites": [site],
    }


def compile_part(*, gradients: bool) -> None:
    """Compile the kernels of all modes, with or without gradients; without also those of ``sim3d replay``.

    A batch is simulated first, without the locks of ``compile_kernels``: the other process would wait for the lock of
    the shower's kernel, though it only loads it. ``compile_kernels`` then finds all in memory and marks it as compiled.
    Runs with muons and without have marks of their own: without its mark a run compiles parts of the kernel again.
    """
    from sim3d.config.load import make_config
    from sim3d.sampling.batch import empty_scores
    from sim3d.simulation.processes import Processes
    from sim3d.simulation.replay import replay
    from sim3d.simulation.setup import make_setup
    from sim3d.simulation.warm_up import compile_kernels

    for mode in MODES:
        if mode == "analog" and gradients:
            continue
        for muons in (True, False) if mode == "targeted" else (False,):
            setup = make_setup(make_config(configuration(mode, gradients=gradients, muons=muons)))
            scores = empty_scores(len(setup.detectors), setup.n_azimuth)
            setup.batch_function()(0, scores, None, setup.empty_extras())
            compile_kernels(setup, Processes())
        if mode != "rotated" and not gradients:
            replay(setup.config, 0, setup)


def compile_cutoffs() -> None:
    """Compile the kernels of cutoffs, paths and intensities, with and without a magnetosphere."""
    import numpy as np

    from geomag.cutoffs.intensity import intensity_map
    from geomag.field.igrf import FieldModel
    from geomag.field.magnetosphere import Magnetosphere
    from geomag.trajectories.precise import PreciseTracer

    field = FieldModel()
    place, momentum, rigidity = np.array([6400.0, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0]), np.array([100.0])
    for external in (None, Magnetosphere("2020-01-01")):
        tracer = PreciseTracer(field, 20.0, external)
        tracer.ends(place, momentum, rigidity)
        tracer.verdicts(place, momentum, rigidity)
    intensity_map(100.0, field, cell_deg=45.0, directions=1)


def main() -> int:
    """Compile both parts; 1 if one fails."""
    if len(sys.argv) > 1:
        compile_part(gradients=sys.argv[1] == "gradients")
        if sys.argv[1] == "gradients":
            compile_cutoffs()
        return 0
    parts = [subprocess.Popen([sys.executable, __file__, part]) for part in ("plain", "gradients")]
    statuses = [part.wait() for part in parts]
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
