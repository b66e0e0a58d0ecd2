"""Density, depth and height of a layered atmosphere, independent of the simulation.

``linsley()`` is the US Standard Atmosphere 1976, ``from_csv(path)`` a profile of your own, ``from_msis(lat, lon,
month=7)`` that of a place and a season by NRLMSIS (with the extra ``msis``).  The numba kernels
(raw floats and arrays) are in :mod:`atmosphere.kernels`.
"""

from atmosphere.errors import AtmosphereInputError
from atmosphere.layers import LayeredAtmosphere, linsley
from atmosphere.msis import MsisAtmosphere, from_msis
from atmosphere.profile import from_csv

__all__ = ["AtmosphereInputError", "LayeredAtmosphere", "MsisAtmosphere", "from_csv", "from_msis", "linsley"]
