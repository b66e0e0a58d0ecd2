"""A layered atmosphere with checked, vectorised methods, and the US Standard Atmosphere by Linsley."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from atmosphere import kernels
from atmosphere.arrays import Array
from atmosphere.errors import AtmosphereInputError

# Linsley's five layers of the US Standard Atmosphere 1976, T(h) = a + b exp(-h/c): the values CORSIKA uses
# (D. Heck et al., FZKA 6019, 1998; J. Linsley, private communication there).  Columns: bottom (km),
# a (g/cm2), b (g/cm2), c (km).  The top layer is linear: 0.01128292 - h/1e9 with h in cm, so b is
# 1e-4 g/cm2 per km.
_LINSLEY_US1976 = (
    (0.0, -186.5562, 1222.6562, 9.9418638),
    (4.0, -94.919, 1144.9069, 8.7815355),
    (10.0, 0.61289, 1305.5948, 6.3614304),
    (40.0, 0.0, 540.1778, 7.7217016),
    (100.0, 0.01128292, 1.0e-4, 0.0),
)

MAX_DEPTH_STEP_G_CM2 = 1.0e-2
"""How far two neighbouring layers may disagree on the depth at their boundary, g/cm2."""


class LayeredAtmosphere:
    """An atmosphere of exponential (or constant-density) layers over a spherical Earth.

    Parameters
    ----------
    name : str
        What it is called in files and messages.
    layers : array_like, shape (n, 4)
        Rows ``(h_bottom_km, a, b, c_km)`` as :mod:`atmosphere.kernels` describes, ascending in height.

    Attributes
    ----------
    name : str
    layers : float64 array, shape (n, 4)
        Read-only; this is what the kernels take.
    top_km : float
        Height where the atmosphere ends, km.

    Examples
    --------
    >>> from atmosphere import linsley
    >>> air = linsley()
    >>> round(float(air.depth(0.0)), 1), round(float(air.height(100.0)), 2)
    (1036.1, 16.38)
    """

    def __init__(self, name: str, layers: ArrayLike) -> None:
        table = np.array(layers, dtype=np.float64, order="C")
        if table.ndim != 2 or table.shape[1] != 4 or table.shape[0] == 0:
            raise AtmosphereInputError(f"layers: shape {table.shape}, needs (n, 4) with n at least 1")
        if not np.all(np.isfinite(table)):
            raise AtmosphereInputError("layers: a value is not finite")
        if np.any(np.diff(table[:, 0]) <= 0.0):
            raise AtmosphereInputError("layers: the bottom heights must rise from row to row")
        if np.any(table[:, 2] <= 0.0):
            raise AtmosphereInputError("layers: b must be positive in every layer (density is)")
        top = float(kernels.top_height_km(table))
        if not np.isfinite(top) or top <= table[-1, 0]:
            raise AtmosphereInputError("layers: the depth must reach 0 above the bottom of the last layer")
        table.setflags(write=False)
        self.name = name
        self.layers: Array = table
        self.top_km = top
        for i in range(1, table.shape[0]):
            step = abs(_depth_in(table[i - 1], table[i, 0]) - _depth_in(table[i], table[i, 0]))
            if step > MAX_DEPTH_STEP_G_CM2:
                raise AtmosphereInputError(
                    f"layers: the depth jumps by {step:.3g} g/cm2 at {table[i, 0]:g} km, "
                    f"allowed {MAX_DEPTH_STEP_G_CM2:g}"
                )

    def __repr__(self) -> str:
        return f"LayeredAtmosphere({self.name!r}, {len(self.layers)} layers, top {self.top_km:.2f} km)"

    def density(self, h_km: ArrayLike) -> Array:
        """Density of the air.

        Parameters
        ----------
        h_km : array_like
            Heights, km.

        Returns
        -------
        float64 array
            g/cm3, same shape as `h_km`; 0 above the top.
        """
        h = _finite("h_km", h_km)
        flat: Array = kernels.density_array(h.ravel(), self.layers)
        return flat.reshape(h.shape)

    def depth(self, h_km: ArrayLike) -> Array:
        """Vertical depth above heights.

        Parameters
        ----------
        h_km : array_like
            Heights, km.

        Returns
        -------
        float64 array
            g/cm2, same shape as `h_km`; 0 above the top.
        """
        h = _finite("h_km", h_km)
        flat: Array = kernels.vertical_depth_array(h.ravel(), self.layers)
        return flat.reshape(h.shape)

    def height(self, depth_g_cm2: ArrayLike) -> Array:
        """Height of vertical depths.

        Parameters
        ----------
        depth_g_cm2 : array_like
            Vertical depths, g/cm2, not negative.

        Returns
        -------
        float64 array
            km, same shape as `depth_g_cm2`; the top for a depth of 0.
        """
        depth = _finite("depth_g_cm2", depth_g_cm2)
        if np.any(depth < 0.0):
            raise AtmosphereInputError(f"depth_g_cm2: {np.min(depth):g}, must not be negative")
        flat: Array = kernels.height_of_depth_array(depth.ravel(), self.layers)
        return flat.reshape(depth.shape)

    def slant_depth(self, h_km: ArrayLike, cos_zenith: ArrayLike) -> Array:
        """Depth from points at ``h_km`` along straight lines outwards, on a curved Earth, g/cm2.

        Parameters
        ----------
        h_km : array_like
            Heights of the points, km, at least 0.
        cos_zenith : array_like
            Cosine of the zenith angle at the point itself (for ``h_km = 0``: at the ground), -1 to 1.
            Broadcast against ``h_km``.

        Returns
        -------
        float64 array
            g/cm2; infinite where the line meets the Earth.  By quadrature, good to 1e-8.
        """
        h, cosine = np.broadcast_arrays(_finite("h_km", h_km), _finite("cos_zenith", cos_zenith))
        if np.any(h < 0.0):
            raise AtmosphereInputError(f"h_km: {np.min(h):g}, must be at least 0 for a slant depth")
        if np.any(np.abs(cosine) > 1.0):
            raise AtmosphereInputError("cos_zenith: must lie between -1 and 1")
        flat: Array = kernels.slant_depth_array(
            np.ascontiguousarray(h.ravel()), np.ascontiguousarray(cosine.ravel()), self.layers
        )
        return flat.reshape(h.shape)


def linsley() -> LayeredAtmosphere:
    """Make the US Standard Atmosphere 1976 in Linsley's five layers; it ends at 112.83 km.

    Returns
    -------
    LayeredAtmosphere
        The atmosphere.
    """
    return LayeredAtmosphere("US Standard 1976 (Linsley)", _LINSLEY_US1976)


def _finite(field: str, value: ArrayLike) -> Array:
    array = np.asarray(value, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise AtmosphereInputError(f"{field}: a value is not finite")
    return array


def _depth_in(layer: Array, h_km: float) -> float:
    """Depth by one layer's own formula, g/cm2."""
    return float(kernels.vertical_depth_array(np.array([h_km]), layer.reshape(1, 4))[0])
