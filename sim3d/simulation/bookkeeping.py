"""Keep account on rank 0 of the finished batches, the lost primaries and the running times of a run.

From these and the sums it makes the record for the result file.
"""

from __future__ import annotations

import datetime
import time

import numpy as np

from sim3d.config.schema import NO_CHARM
from sim3d.files.event_journal import EventJournal
from sim3d.files.record import RunRecord
from sim3d.sampling.counters import COUNTERS
from sim3d.sampling.lost import Lost
from sim3d.simulation.processes import Processes
from sim3d.simulation.provenance import provenance
from sim3d.simulation.run_sums import RunSums
from sim3d.simulation.setup import Setup


class Bookkeeping:
    """Finished batches, lost primaries, provenance and running times of a run on rank 0.

    Parameters
    ----------
    setup : Setup
    processes : Processes
    threads : int
        Threads of this process.
    start : RunRecord, optional
        Record of the sessions before, of a resumed run.
    compile_s : float
        Seconds that compiling the kernels took.
    journal : EventJournal, optional
        Journal of the event records, if the run makes them.
    """

    def __init__(
        self,
        setup: Setup,
        processes: Processes,
        threads: int,
        start: RunRecord | None,
        compile_s: float,
        journal: EventJournal | None,
    ) -> None:
        self.setup = setup
        self.journal = journal
        self.done = np.zeros(setup.config.n_batches, dtype=bool)
        self.lost: list[Lost] = []
        self.provenance = provenance(setup.config, setup.primaries, processes, threads)
        self.before = start.provenance if start is not None else {}
        self.compile_s = compile_s
        if start is not None:
            self.done[: len(start.batches_done)] = start.batches_done
            self.lost = list(start.lost)
        self.n_done = int(self.done.sum())
        self.prompt = {} if start is None else start.prompt
        if setup.config.hadronic.charm != NO_CHARM and not self.prompt:
            from sim3d.cascade.prompt import prompt_of_run

            models = setup.atmosphere, setup.hadronic, setup.primaries
            self.prompt = prompt_of_run(setup.config, setup.detectors, *models)
        self.started = time.perf_counter()

    def note(self, gathered: list[tuple[list[int], list[Lost]]]) -> None:
        """Note the finished batches and the lost primaries of all ranks.

        Parameters
        ----------
        gathered : list of (list of int, list of Lost)
            Numbers of the batches and lost primaries, by rank.
        """
        for finished, lost in gathered:
            self.done[finished] = True
            self.n_done += len(finished)
            self.lost += lost
        self.lost.sort()

    def record(self, sums: RunSums, outcome: str, failure: str) -> RunRecord:
        """Make the record of the run's present state for the result file.

        Parameters
        ----------
        sums : RunSums
            Sums of all ranks.
        outcome, failure : str
            See :class:`sim3d.files.record.RunRecord`.

        Returns
        -------
        RunRecord
        """
        seconds = time.perf_counter() - self.started
        wall_time = float(self.before.get("wall_time_s", 0.0)) + seconds
        compile_time = float(self.before.get("compile_time_s", 0.0)) + self.compile_s
        times = {
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "wall_time_s": round(wall_time, 3),
            "compile_time_s": round(compile_time, 3),
            "sessions": int(self.before.get("sessions", 0)) + 1,
        }
        return RunRecord(
            config=self.setup.config,
            detectors=self.setup.detectors,
            tallies=sums.tallies,
            counters={name: int(sums.counters[k]) for k, name in enumerate(COUNTERS)},
            batches_done=self.done,
            models=dict(self.setup.models),
            provenance={**self.provenance, **times},
            failure=failure,
            outcome=outcome,
            lost=self.lost,
            watch_sums=sums.watch.sums,
            events=None if self.journal is None else self.journal.index.only(self.done),
            allocation=self.setup.allocation,
            prompt=self.prompt,
        )
