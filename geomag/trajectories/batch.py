"""Decide for many particles at once whether they can arrive.

Checks the inputs; the work is in `geomag.trajectories.lockstep`.

Units: km, nT, GV; geocentric Cartesian axes.
"""

from __future__ import annotations

import numpy as np

from geomag.arrays import Array, IntArray
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.trajectories.lockstep import decide_many
from geomag.trajectories.sharper_verdicts import horizontal_table, tight_bound


class BatchTracer:
    """Back-tracking of many particles in one field with one set of parameters.

    Parameters
    ----------
    field : FieldModel
        The field.
    params : float64 array
        From `geomag.trajectories.tracing.trace_params` for this field.
    """

    def __init__(self, field: FieldModel, params: Array) -> None:
        self.field = field
        self.params = params
        self.bounds = horizontal_table(field, params)
        self._singles = field.gauss.astype(np.float32)

    def horizontal_bound_nT(self, r_km: float) -> float:
        """Bound on the horizontal field at a radius and, times r^3, beyond it.

        Parameters
        ----------
        r_km : float
            Radius, km.

        Returns
        -------
        float
            nT.
        """
        return float(tight_bound(r_km, self.params, self.field.degree, self.bounds))

    def verdicts(self, places_km: Array, momenta: Array, rigidities_GV: Array) -> IntArray:
        """Decide which particles can arrive.

        Parameters
        ----------
        places_km : array, shape (K, 3) or (3,)
            Where they arrive; one place for all if one-dimensional.
        momenta : array, shape (K, 3) or (3,)
            Unit directions of their momenta there; one for all if one-dimensional.
        rigidities_GV : array, shape (K,)
            Rigidities.  Ascending is fastest: the longest trajectories then come first.

        Returns
        -------
        int8 array, shape (K,)
            1 allowed, 0 forbidden, 2 undecided.
        """
        rigidities = np.ascontiguousarray(rigidities_GV, dtype=np.float64)
        if rigidities.ndim != 1 or not (rigidities > 0.0).all():
            raise GeomagInputError("rigidities must be a list of positive numbers, GV")
        shape = (len(rigidities), 3)
        try:
            places, directions = (
                np.ascontiguousarray(np.broadcast_to(np.asarray(a, dtype=np.float64), shape)).copy()
                for a in (places_km, momenta)
            )
        except ValueError:
            raise GeomagInputError(
                f"places {np.shape(places_km)} and momenta {np.shape(momenta)} must be of shape (3,) or {shape}"
            ) from None
        found = np.empty(len(rigidities), dtype=np.int8)
        decide_many(places, directions, rigidities, found, self.field.gauss, self._singles, self.params, self.bounds)
        return found
