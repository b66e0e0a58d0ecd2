"""Data class for the sums, models and provenance of a run, as the result file stores them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim3d.config.schema import Config
from sim3d.conventions.words import CROSSING_FRAME
from sim3d.files.event_journal import EventIndex
from sim3d.sampling.allocation import Allocation
from sim3d.sampling.counters import COUNTERS
from sim3d.sampling.lost import Lost
from sim3d.scoring.detectors import Detector
from sim3d.scoring.hit_weights import HITS
from sim3d.scoring.optional_sums import make_optional_sums
from sim3d.scoring.tally import SiteTally


@dataclass
class RunRecord:
    """Result of a run in memory: configuration, sums, counters, models and provenance.

    Attributes
    ----------
    config : Config
    detectors : tuple of Detector
    tallies : list of SiteTally
        One per detector.
    counters : dict of int
        See :data:`sim3d.sampling.counters.COUNTERS`.
    batches_done : bool array (n_batches,)
    models : dict
        Names, dates and numbers of the models used.
    provenance : dict
        Everything that may differ between runs with equal results.
    failure : str
        Empty, or the error message.
    outcome : str
        How the run ended so far: ``complete``, ``target`` (of ``run.target_error``), ``time`` (``run.max_minutes``),
        ``interrupted``, ``failed``, or ``running`` in a checkpoint.
    lost : list of Lost
        Primaries left out.
    watch_sums : int64 array (3,)
        See :class:`sim3d.scoring.precision.Watch`.
    events : EventIndex, optional
        Of the event records, if the run makes them.
    allocation : Allocation, optional
        Density of the primaries' energies, if a survey has chosen it.
    prompt : dict of float64 arrays (flavour, N_ENERGY, N_COS)
        With the key ``charm``: fluxes of prompt neutrinos by site (m^-2 s^-1 sr^-1 GeV^-1), not in the sums; or empty.
    """

    config: Config
    detectors: tuple[Detector, ...]
    tallies: list[SiteTally]
    counters: dict[str, int]
    batches_done: np.ndarray
    models: dict[str, Any]
    provenance: dict[str, Any]
    failure: str = ""
    outcome: str = "complete"
    lost: list[Lost] = field(default_factory=list)
    watch_sums: np.ndarray = field(default_factory=lambda: np.zeros(3, dtype=np.int64))
    events: EventIndex | None = None
    allocation: Allocation | None = None
    prompt: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def azimuth_frame(self) -> str:
        """Frame in which azimuths were counted; that of the crossing in files that do not state it."""
        return str(self.models.get("azimuth_frame", CROSSING_FRAME))

    @property
    def weights_of(self) -> str:
        """What the histogram of weights counts; hits in files that do not state it."""
        return str(self.models.get("weights_of", HITS))

    @property
    def complete(self) -> bool:
        """Whether all batches of the run are in the sums, or as many as its ``target_error`` required."""
        return bool(self.batches_done.all()) or self.outcome == "target"

    def counter_array(self) -> np.ndarray:
        """Collect the counters in the order of the kernels.

        Returns
        -------
        int64 array (N_COUNTERS,)
        """
        return np.array([self.counters.get(name, 0) for name in COUNTERS], dtype=np.int64)


def make_tally(config: Config, detector: Detector) -> SiteTally:
    """Make the empty sums of a site; their scale depends on the configuration and the site alone.

    Parameters
    ----------
    config : Config
    detector : Detector

    Returns
    -------
    SiteTally
    """
    # in the other modes a primary counts for the whole sphere, whatever the patch
    covered = detector.earth_share if config.sampling.mode == "analog" else 1.0
    return SiteTally(config.scoring.azimuth_bins, covered * config.run.batch_size, make_optional_sums(config, detector))
