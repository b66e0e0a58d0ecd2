"""Create the sums that a run makes only if its configuration asks for them: muons, gradients, production heights.

Every batch fills an array of floats for each of them, site by site. Its exact sums (:mod:`sim3d.scoring.exact_sums`)
are stored, merged and resumed together with those of the flux, under the name of the score.
"""

from __future__ import annotations

from sim3d.config.schema import Config
from sim3d.scoring.detectors import Detector
from sim3d.scoring.exact_sums import ExactSums
from sim3d.scoring.gradients import gradient_sums
from sim3d.scoring.heights import height_sums
from sim3d.scoring.muons import make_gradient_sums, make_sums


def make_optional_sums(config: Config, detector: Detector) -> dict[str, ExactSums]:
    """Make the empty optional sums of a site; their scales depend on the configuration and the site alone.

    Parameters
    ----------
    config : Config
    detector : Detector

    Returns
    -------
    dict of ExactSums
        By name: ``muons``, ``muon_gradients``, ``gradients``, ``heights``.
    """
    out = {}
    if config.scoring.muons:
        table = config.muons
        n_levels = table.ground + len(table.altitudes_km) + len(table.depths_g_cm2)
        out["muons"] = make_sums(config, detector, n_levels)
        if config.scoring.columns:
            out["muon_gradients"] = make_gradient_sums(config, detector, n_levels)
    if config.scoring.columns and config.scoring.neutrinos:
        out["gradients"] = gradient_sums(config, detector)
    if config.scoring.heights:
        out["heights"] = height_sums(config, detector)
    return out
