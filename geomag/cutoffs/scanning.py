"""Scan rigidities at a place and direction: the verdict of every multiple of a step.

The whole range is decided by the fast kernels of `geomag.trajectories.batch`.  Around the penumbra, where their error
per step changes single verdicts, every rigidity is traced again by `geomag.trajectories.precise`, from below the
lower cutoff to above the upper one.  The two margins grow until nothing changes in them.

With a magnetosphere the fast kernels cannot be used: every rigidity from the lowest to above the upper cutoff of the
internal field is traced precisely, farther out as long as one of the last ones is not allowed.

Units: km, GV, degrees.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geomag.arrays import Array, IntArray
from geomag.errors import check_range
from geomag.field.igrf import FieldModel
from geomag.field.magnetosphere import Magnetosphere
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.early_verdicts import ALLOWED, CURVATURE
from geomag.trajectories.sharper_verdicts import STEEPEST
from geomag.trajectories.tracing import trace_params

if TYPE_CHECKING:
    from geomag.trajectories.precise import PreciseTracer

CUTOFF_TOLERANCE = 1e-5
"""Error per step of the integrator in the cutoff tools (ten times tighter than in the simulation)."""

DEFAULT_ALTITUDE_KM = 20.0
DEFAULT_FLOOR_KM = 20.0
DEFAULT_STEP_GV = 0.01
DEFAULT_MAX_PATH_RADII = 100.0
"""Path, in units of 6371.2 km, after which a trajectory is undecided and counts as forbidden."""


MARGIN_GV = 0.1
"""Width of the margins below the lower and above the upper cutoff that are traced precisely; at least three steps."""
EXTERNAL_MARGIN_GV, EXTERNAL_MARGIN_SHARE = 0.2, 0.03
"""Margin above the upper cutoff of the internal field with an external one: GV, and share of that cutoff."""


def check_max_path(max_path_radii: float) -> float:
    """Return the longest path as a float when it is allowed, else raise.

    Parameters
    ----------
    max_path_radii : float
        Units of 6371.2 km, 60 to 100000: six escape radii leave room for the early verdicts.

    Returns
    -------
    float
        The same.
    """
    return check_range("max-path", max_path_radii, 60.0, 100000.0, "Earth radii")


def certain_rigidity_GV(xyz_km: Array, direction: Array, tracer: BatchTracer) -> float:
    """Rigidity above which a particle from above the horizon is certain to be allowed.

    Parameters
    ----------
    xyz_km, direction : array, shape (3,)
        Place (km) and unit momentum of the arriving particle.
    tracer : BatchTracer
        The field and its bounds.

    Returns
    -------
    float
        GV.
    """
    r = float(np.linalg.norm(xyz_km))
    mu = -float(xyz_km @ direction) / r
    # a geodetic floor tilts the horizon by up to 0.2 degrees: 0.005 covers what that does to the cosine
    sine = math.sqrt(1.0 - min(max(mu - 0.005, 0.0), 1.0) ** 2)
    kappa = 0.95
    if sine < STEEPEST:
        # the largest with (sine + kappa)^2 < 4 kappa STEEPEST, see geomag.trajectories.sharper_verdicts
        kappa = max(kappa, 2.0 * STEEPEST - sine + 2.0 * math.sqrt(STEEPEST * (STEEPEST - sine)))
    return CURVATURE * r * tracer.horizontal_bound_nT(r) / kappa


def scan(
    xyz_km: Array,
    directions: Array,
    tracer: BatchTracer,
    step_GV: float = DEFAULT_STEP_GV,
    lowest_GV: float | None = None,
) -> tuple[int, list[IntArray]]:
    """Verdict of every rigidity from the lowest to the one above which all are allowed.

    Parameters
    ----------
    xyz_km : array, shape (3,) or (D, 3)
        Place, km, or one for each direction.
    directions : array, shape (D, 3)
        Unit momenta of the arriving particles.
    tracer : BatchTracer
        Field and parameters.
    step_GV : float
        Step.
    lowest_GV : float, optional
        Where the scan starts; one step if not given.

    Returns
    -------
    first : int
        The rigidities are (first + i) step.
    verdicts : list of int8 arrays
        One for each direction: 1 allowed, 0 forbidden, 2 undecided.
    """
    first = 1 if lowest_GV is None else max(1, round(lowest_GV / step_GV))
    places = np.broadcast_to(xyz_km, np.shape(directions))
    ends = zip(places, directions, strict=True)
    highest = [math.ceil(certain_rigidity_GV(place, u, tracer) / step_GV) for place, u in ends]
    last = np.maximum(first, highest)
    # every direction's lowest rigidity first: those take longest, and neighbours in the list behave alike
    multiple, which = np.nonzero(np.arange(first, last.max() + 1)[:, None] <= last)
    rigidities: Array = (multiple + first) * np.float64(step_GV)
    found = tracer.verdicts(places[which], np.asarray(directions)[which], rigidities)
    return first, [found[which == i] for i in range(len(directions))]


class Scanner:
    """Scans in one field with one floor.

    Parameters
    ----------
    field : FieldModel
        The internal field.
    floor_km : float
        Height above the ellipsoid below which a trajectory is forbidden.
    step_GV : float
        Step of the scan.
    lowest_GV : float, optional
        Where it starts; one step if not given.
    max_path_radii : float
        Path after which a trajectory is undecided, units of 6371.2 km.
    precise : bool
        Trace the penumbra again by the integrator of order 8.
    external : Magnetosphere, optional
        External field and magnetopause; `precise` then makes no difference.
    tolerance : float
        Error per step of the fast kernels.
    precise_tolerance : float, optional
        Error per step of the integrator of order 8; its default if not given.
    """

    def __init__(
        self,
        field: FieldModel,
        floor_km: float,
        *,
        step_GV: float = DEFAULT_STEP_GV,
        lowest_GV: float | None = None,
        max_path_radii: float = DEFAULT_MAX_PATH_RADII,
        precise: bool = True,
        external: Magnetosphere | None = None,
        tolerance: float = CUTOFF_TOLERANCE,
        precise_tolerance: float | None = None,
    ) -> None:
        self.step_GV = step_GV
        self.lowest_GV = lowest_GV
        self.external = external
        params = trace_params(field, floor_km, True, tolerance, max_path_radii=max_path_radii)
        self.tracer = BatchTracer(field, params)
        self._precise: PreciseTracer | None = None
        if external is not None or precise:
            # scipy's integrators, which a fast scan needs not, take a quarter of a second to import
            from geomag.trajectories.precise import PreciseTracer

            self._precise = PreciseTracer(
                field, floor_km, external, max_path_radii=max_path_radii, tolerance=precise_tolerance
            )
        self._margin = max(3, math.ceil(MARGIN_GV / step_GV))

    def scan(self, xyz_km: Array, directions: Array) -> tuple[int, list[IntArray]]:
        """Verdict of every rigidity from the lowest to the one above which all are allowed.

        Parameters
        ----------
        xyz_km : array, shape (3,) or (D, 3)
            Place, km, or one for each direction.
        directions : array, shape (D, 3)
            Unit momenta of the arriving particles.

        Returns
        -------
        first : int
            The rigidities are (first + i) step.
        verdicts : list of int8 arrays
            One for each direction: 1 allowed, 0 forbidden, 2 undecided.
        """
        first, verdicts = scan(xyz_km, directions, self.tracer, self.step_GV, self.lowest_GV)
        if self._precise is not None:
            momenta = np.asarray(directions, dtype=float)
            places = np.broadcast_to(xyz_km, momenta.shape)
            if self.external is None:
                self._refine(self._precise, places, momenta, first, verdicts)
            else:
                for place, direction, found in zip(places, momenta, verdicts, strict=True):
                    self._replace(self._precise, place, direction, first, found)
        return first, verdicts

    def _refine(
        self, tracer: PreciseTracer, places: Array, momenta: Array, first: int, verdicts: list[IntArray]
    ) -> None:
        """Trace the penumbras and their margins again, in place; those of all directions together."""
        margin = self._margin
        spans: dict[int, tuple[int, int]] = {}
        for i, found in enumerate(verdicts):
            allowed_at, forbidden_at = np.flatnonzero(found == ALLOWED), np.flatnonzero(found != ALLOWED)
            if len(forbidden_at) and len(allowed_at):
                low, high = int(allowed_at[0]) - margin, int(forbidden_at[-1]) + 1 + margin
                spans[i] = max(low, 0), min(high, len(found))
        wanted = [(i, low, high) for i, (low, high) in spans.items()]
        while wanted:
            which = np.concatenate([np.full(high - low, i) for i, low, high in wanted])
            at = np.concatenate([np.arange(low, high) for _, low, high in wanted])
            # low rigidities have the longest paths, which the tracer wants first
            order = np.argsort(at, kind="stable")
            which, at = which[order], at[order]
            rigidities: Array = (first + at) * np.float64(self.step_GV)
            new = tracer.verdicts(places[which], momenta[which], rigidities)
            for i, _, _ in wanted:
                verdicts[i][at[which == i]] = new[which == i]
            # a margin in which a verdict changed gets another one beyond
            further = []
            for i, _, _ in wanted:
                (low, high), found = spans[i], verdicts[i]
                if low > 0 and (found[low : low + margin] == ALLOWED).any():
                    further.append((i, max(low - margin, 0), low))
                if high < len(found) and (found[high - margin : high] != ALLOWED).any():
                    further.append((i, high, min(high + margin, len(found))))
            for i, low, high in further:
                spans[i] = min(spans[i][0], low), max(spans[i][1], high)
            wanted = further

    def _replace(self, tracer: PreciseTracer, place: Array, direction: Array, first: int, found: IntArray) -> None:
        """Trace every rigidity up to above the upper cutoff with the external field, in place."""
        forbidden_at = np.flatnonzero(found != ALLOWED)
        top = (int(forbidden_at[-1]) + 1 if len(forbidden_at) else 0) + first
        margin = max(self._margin, math.ceil(max(EXTERNAL_MARGIN_GV / self.step_GV, EXTERNAL_MARGIN_SHARE * top)))
        found[:] = ALLOWED
        low, high = 0, min(top - first + margin, len(found))
        while low < high:
            self._trace(tracer, place, direction, first, found, low, high)
            low = high
            if (found[max(high - margin, 0) : high] != ALLOWED).any():
                high = min(high + margin, len(found))

    def _trace(
        self, tracer: PreciseTracer, place: Array, direction: Array, first: int, found: IntArray, low: int, high: int
    ) -> None:
        """Trace the rigidities low to high - 1 of a scan, in place."""
        rigidities: Array = np.arange(first + low, first + high, dtype=np.float64) * np.float64(self.step_GV)
        found[low:high] = tracer.verdicts(place, direction, rigidities)
