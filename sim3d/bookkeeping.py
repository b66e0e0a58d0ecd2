"""Bookkeeping of a run on rank 0: models, provenance, which batches are done, and the record that becomes the file."""

from __future__ import annotations

import datetime
import hashlib
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

import sim3d
from sim3d.event_journal import EventJournal
from sim3d.gradient_scoring import columns_of
from sim3d.jit_cache import source_hash
from sim3d.lost import Lost
from sim3d.overhead import make_overhead
from sim3d.parallel import Processes
from sim3d.primaries import MODELS, PrimaryModel
from sim3d.result_file import RunRecord
from sim3d.run_sums import RunSums
from sim3d.sampling import COUNTERS
from sim3d.setup_run import Setup
from sim3d.world import EARTH_RADIUS_KM


def _provenance(setup: Setup, processes: Processes, threads: int) -> dict[str, Any]:
    from importlib.metadata import version

    names = ["numpy", "numba", "scipy", "h5py", "ppigrf", "particle"]
    names += ["crflux"] if setup.primaries.name.startswith("crflux:") else []
    names += ["globalsplinefit"] if setup.primaries.name.startswith("gsf:") else []
    names += ["pymsis"] if setup.config.atmosphere.model == "nrlmsis" else []
    libraries = {name: version(name) for name in names}
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "sim3d": sim3d.__version__,
        "kernels": source_hash(),
        "ranks": processes.size,
        "threads": threads,
        "libraries": ", ".join(f"{k} {v}" for k, v in libraries.items()),
    }


def primary_words(primaries: PrimaryModel, by_date: bool) -> dict[str, Any]:
    """Potential of a primary model, its source where it is from a library, and the month where that was asked for."""
    out: dict[str, Any] = {"solar_potential_MV": primaries.solar_potential_MV}
    if primaries.name not in MODELS:
        out["primary_source"] = primaries.source
    if by_date:
        out["solar_modulation"] = primaries.solar
    return out


def models_of(setup: Setup) -> dict[str, Any]:
    """Names, dates and numbers of the models of a run, as the result file states them."""
    config = setup.config
    out = {
        "field_generation": setup.field.generation,
        "field_date": config.field.date,
        "field_degree": config.field.degree,
        "atmosphere": setup.atmosphere.name,
        "atmosphere_top_km": float(setup.atmosphere.top_km),
        "hadronic_model": setup.hadronic.name,
        "hadronic_definition": setup.hadronic.definition,
        **setup.hadronic.provenance,
        "primary_model": setup.primaries.name,
        **primary_words(setup.primaries, config.primaries.solar == "date"),
    }
    if columns := columns_of(config):
        out["gradient_columns"] = ", ".join(columns)
    if config.atmosphere.profile is not None:
        content = Path(config.atmosphere.profile).read_bytes()
        out["atmosphere_profile_sha256"] = hashlib.sha256(content).hexdigest()
    if config.scoring.muons:
        over = make_overhead(config, setup.detectors, setup.world.layers)
        out["muon_altitudes_km"] = [round(float(r - EARTH_RADIUS_KM), 9) for r in over.radius_km.ravel()]
        out["muon_depths_g_cm2"] = [float(depth) for depth in over.depth.ravel()]
    return out


class Bookkeeping:
    """Rank 0's record of the run: what came before, and what the sums hold now."""

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
        self.provenance = _provenance(setup, processes, threads)
        self.before = start.provenance if start is not None else {}
        self.compile_s = compile_s
        if start is not None:
            self.done[: len(start.batches_done)] = start.batches_done
            self.lost = list(start.lost)
        self.n_done = int(self.done.sum())
        self.started = time.perf_counter()

    def note(self, gathered: list[tuple[list[int], list[Lost]]]) -> None:
        """Batches and lost primaries that came with the sums."""
        for finished, lost in gathered:
            self.done[finished] = True
            self.n_done += len(finished)
            self.lost += lost
        self.lost.sort()

    def record(self, sums: RunSums, outcome: str, failure: str) -> RunRecord:
        """The run as it stands."""
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
            models=models_of(self.setup),
            provenance={**self.provenance, **times},
            failure=failure,
            outcome=outcome,
            lost=self.lost,
            watch_sums=sums.watch.sums,
            events=None if self.journal is None else self.journal.index.only(self.done),
        )
