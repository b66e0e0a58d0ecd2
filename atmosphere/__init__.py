"""Density, depth and height of a layered atmosphere; knows nothing of the simulation around it.

``linsley()`` is the US Standard Atmosphere 1976, ``from_csv(path)`` a profile of your own.  The numba kernels
(raw floats and arrays) are in :mod:`atmosphere.kernels`.
"""

from atmosphere.errors import AtmosphereInputError
from atmosphere.layers import LayeredAtmosphere, linsley
from atmosphere.profile import from_csv

__all__ = ["AtmosphereInputError", "LayeredAtmosphere", "from_csv", "linsley"]
