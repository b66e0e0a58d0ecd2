"""The command line ``sim3d``: a click group that imports a subcommand when it is used, and the exit status of errors.

This module must not import numba, h5py or matplotlib, so that ``sim3d --help`` is fast.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

import click

from sim3d.commands.progress import waiting
from sim3d.commands.status import STATUS_FAILED, STATUS_INPUT, STATUS_INTERRUPTED
from sim3d.errors import RunError, is_input_error
from sim3d.launcher import launcher_rank, rank_variable

# Name and one line of help; the order is that of a first use.
COMMANDS = {
    "make-tables": "Flux tables of a place, as precise as you ask, in one command.",
    "run": "Simulate: from a TOML file to a result file (mpirun too).",
    "merge": "Join parts of one run, as a job array makes them.",
    "reweight": "A run with event records under another primary model.",
    "vary": "Gradients of a run: other yields or primaries, their errors.",
    "info": "What a result file holds.",
    "replay": "One primary of a run again: its shower, in words and drawn.",
    "calibrate": "Fit model parameters to measured muons; their covariance.",
    "flux": "The flux at a known site, now: no run, with its errors.",
    "tables": "Flux tables of a result, with errors: Honda's format or CSV.",
    "export": "A result or a Honda table for nuSQuIDS, netCDF, CSV or Honda.",
    "asymmetry": "East-west asymmetries of a result, next to published values.",
    "muons": "Muons and nucleons of a result: spectra, charge ratio, zenith.",
    "leptons": "Electrons and muons in water: east-west asymmetries and rates.",
    "plot": "Draw spectra, zenith and azimuth distributions of a result.",
    "figures": "Draw the figures of the two papers, with reference points.",
    "report": "One HTML page of a run, from precision to provenance.",
    "compare": "Compare two results, Honda tables or tables of published fluxes.",
    "dimensions": "A run in 3-D against 1-D, and what bending in the air does.",
    "cascade": "Muons and neutrinos in one dimension, without a simulation.",
    "cutoff": "Rigidity cutoffs of a place, its sky or the Earth, by date.",
    "asymptotic": "Where particles come from, outside the field, by rigidity.",
    "trajectory": "The way of a particle through the field, in numbers and drawn.",
    "primaries": "Spectra of the primary models by mass group, against each other.",
    "atmosphere": "Density and depth of an atmosphere, by place and season.",
    "sites": "List the sites and neutron-monitor stations known by name.",
    "zfactors": "Moments of the hadronic model next to their reference.",
}

# The folder of sim3d.commands that holds each command's module; the function is its `command`.
_ROOMS = {
    "runs": {"make-tables", "run", "merge", "reweight", "vary", "info", "replay", "calibrate"},
    "results": {
        "flux",
        "tables",
        "export",
        "asymmetry",
        "muons",
        "leptons",
        "plot",
        "figures",
        "report",
        "compare",
        "dimensions",
    },
    "geomagnetic": {"asymptotic", "trajectory"},
    "inputs": {"cascade", "cutoff", "primaries", "atmosphere", "sites", "zfactors"},
}

_OWN_SIGNS = {"make-tables", "run", "replay", "calibrate", "tables", "figures", "report", "dimensions"}
"""Commands that say themselves how far they are."""

_BARS = {"cutoff", "primaries", "sites"}
"""Commands that draw a bar on a terminal, and nothing in a log."""

_COMPILES = "the first call of each version and installation also compiles what it uses, for a minute or so"

_WAIT_FOR_RANK_0_S = 2.0

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC))
"""Errors of a write to a disk that is full or broken, or beyond a quota."""


class LazyGroup(click.Group):
    """A click group that lists its commands by name and imports the module of a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names of the commands, in the order of :data:`COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command by name; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        room = next(room for room, names in _ROOMS.items() if cmd_name in names)
        command: click.Command = importlib.import_module(f"sim3d.commands.{room}.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the first argument; an unknown one is answered with the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else "; `sim3d --help` lists them"
            ctx.fail(f"command {args[0]!r} is unknown{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command has --help, most --json. More: docs/manual/cli.md.",
)
@click.version_option(package_name="sim3d", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Atmospheric neutrino fluxes in three dimensions, for your site, with errors.

    \b
    Start here:
      sim3d make-tables --site kamioka --precision 20% -o kamioka    flux tables in one command
      sim3d run examples/quickstart.toml -o run.h5                   what a configuration says
    """
    name = ctx.invoked_subcommand
    if name is None:
        click.echo(ctx.get_help())
    elif name in COMMANDS and _is_silent(name):
        ctx.with_resource(waiting(name, _COMPILES))


def _is_silent(name: str) -> bool:
    """Return whether this process would show nothing while a command runs, and is the one to speak."""
    shows = name in _OWN_SIGNS or (name in _BARS and sys.stderr.isatty())
    return not shows and launcher_rank() in (None, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: the arguments of this process.

    Returns
    -------
    int
        0, 1 for a failed run, 2 for wrong input, 130 when interrupted, or the status of the command.

    Notes
    -----
    Programming errors are not caught: Python prints the traceback. Under MPI the traceback is printed and all ranks are
    stopped, because the others would wait forever for the one that failed.
    """
    try:
        result = cli.main(args=None if arguments is None else list(arguments), prog_name="sim3d", standalone_mode=False)
        sys.stdout.flush()  # here, where a full disk is an error like others
    except click.ClickException as problem:
        return _input_error(problem.format_message())
    except (click.Abort, KeyboardInterrupt):
        return _leave(STATUS_INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output has closed the pipe (`sim3d ... | head`). This is not an error.
        _silence_stdout()
        return 0
    except OSError as problem:
        if not problem.filename and problem.errno in _FULL:
            # files that cannot be written are input errors, which name the file
            _silence_stdout()
            return _input_error(f"standard output: cannot be written ({problem.strerror or problem})")
        return _input_error(_describe_os_error(problem))
    except RunError as problem:
        # the message says what failed, where, and what is in the file
        click.echo(f"sim3d: error: {problem}", err=True)
        return _leave(STATUS_FAILED)
    except Exception as problem:
        if is_input_error(problem):
            return _input_error(str(problem))
        if not _mpi_is_live():
            raise
        traceback.print_exc()
        click.echo(f"sim3d: error: rank {launcher_rank()}: {type(problem).__name__}: {problem}", err=True)
        return _leave(STATUS_FAILED)
    return result if isinstance(result, int) else 0


def _input_error(message: str) -> int:
    """Print an error in one line, under a launcher once for all ranks, and return the exit status."""
    rank = launcher_rank()
    line = f"sim3d: error: {' '.join(message.split())}"
    if _mpi_is_live():
        # perhaps only some ranks have this error, so the message names the rank
        line += f" (rank {rank})"
    elif rank not in (None, 0):
        # All ranks find a wrong argument before MPI starts. The launcher kills the others as soon as one exits with an
        # error, so the other ranks wait until rank 0 has printed the message. A process that lives on is not one of a
        # launcher's: the variable is inherited from another job, and this is the only one that can tell the error.
        time.sleep(_WAIT_FOR_RANK_0_S)
        line += f" (rank {rank} by {rank_variable()}; unset it if no mpirun started this)"
    click.echo(line, err=True)
    return _leave(STATUS_INPUT)


def _silence_stdout() -> None:
    """Discard what is still to be printed: Python would fail again when it flushes it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _describe_os_error(problem: OSError) -> str:
    reason = problem.strerror or str(problem)
    return f"{problem.filename}: {reason}" if problem.filename else reason


def _live_communicator() -> Any:
    """Return COMM_WORLD if MPI is running with more than one rank, else None."""
    mpi = sys.modules.get("mpi4py.MPI")
    if mpi is None or not mpi.Is_initialized() or mpi.Is_finalized() or mpi.COMM_WORLD.Get_size() == 1:
        return None
    return mpi.COMM_WORLD


def _mpi_is_live() -> bool:
    return _live_communicator() is not None


def _leave(status: int) -> int:
    """Return ``status``; in a running MPI job stop all ranks with it instead."""
    communicator = _live_communicator()
    if communicator is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        communicator.Abort(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
