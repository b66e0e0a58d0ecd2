"""Decide every rigidity of a scan in one direction: the penumbra, where allowed and forbidden rigidities alternate.

The scan and the three cutoffs are those of `geomag.cutoffs.cutoff`; GV, degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geomag.arrays import Array, IntArray
from geomag.cutoffs.cutoff import Cutoff, CutoffTracer, reduce_scan
from geomag.errors import check_range
from geomag.geodesy import arrival_direction


@dataclass(frozen=True)
class Penumbra:
    """Verdicts (allowed, forbidden, undecided) of the rigidities of a scan.

    Attributes
    ----------
    rigidity_GV : array, shape (K,)
        Multiples of the step, ascending.
    verdict : int array, shape (K,)
        1 allowed, 0 forbidden, 2 undecided.
    cutoff : Cutoff
        The three cutoffs of these verdicts.
    """

    rigidity_GV: Array
    verdict: IntArray
    cutoff: Cutoff

    @property
    def allowed_share(self) -> float:
        """Share of the rigidities between the lower and the upper cutoff that is allowed; nan where there are none."""
        width = self.cutoff.upper_GV - self.cutoff.lower_GV
        return (self.cutoff.upper_GV - self.cutoff.effective_GV) / width if width > 0.0 else float("nan")


def penumbra(tracer: CutoffTracer, zenith_deg: float = 0.0, azimuth_from_north_deg: float = 0.0) -> Penumbra:
    """Verdicts of every rigidity of the scan in one direction.

    Parameters
    ----------
    tracer : CutoffTracer
        Place, field and scan.
    zenith_deg, azimuth_from_north_deg : float
        Where the particle comes from, degrees; azimuth from north through east.

    Returns
    -------
    Penumbra
        Rigidities, verdicts and cutoffs.

    Raises
    ------
    GeomagInputError
        For an angle out of range.
    """
    zenith = check_range("zenith", zenith_deg, 0.0, 90.0, "degrees")
    azimuth = check_range("azimuth-from-north", azimuth_from_north_deg, -360.0, 360.0, "degrees")
    direction = arrival_direction(tracer.lat, tracer.lon, zenith, azimuth)
    first, (verdicts,) = tracer.scanner.scan(tracer.xyz_km, direction[None])
    rigidity: Array = (first + np.arange(len(verdicts), dtype=np.float64)) * np.float64(tracer.step_GV)
    return Penumbra(rigidity, verdicts, reduce_scan(first, verdicts, tracer.step_GV))
