"""Run a simulation from Python, in this process and without a result file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim3d.config.load import load_config, make_config
from sim3d.config.schema import Config
from sim3d.errors import InputError, RunError
from sim3d.results.result import Result
from sim3d.simulation.engine import simulate


def run(
    config: Config | Mapping[str, Any] | str | Path,
    threads: int | None = None,
    progress: bool = False,
) -> Result:
    """Run a simulation in this process and return its result.

    Parameters
    ----------
    config : Config, mapping or path
        A checked configuration, nested mappings with the tables and keys of a TOML file, or the path of a TOML file.
    threads : int, optional
        Threads; by default one for each usable core.
    progress : bool
        Whether to show a line with progress, rate and time left.

    Returns
    -------
    Result
        Fluxes with errors, as :func:`sim3d.load` reads them from a file.

    Raises
    ------
    InputError
        If the configuration is wrong: one line with the key, the value and the values that are allowed.
    RunError
        If a batch failed.
    """
    if isinstance(config, Mapping):
        config = make_config(config)
    elif not isinstance(config, Config):
        config = load_config(config)
    record = simulate(config, threads, progress)
    if record is None:  # cannot happen without other ranks
        raise InputError("sim3d.run is for one process; use `mpirun sim3d run` for several")
    if record.failure:
        raise RunError(record.failure)
    return Result(record)
