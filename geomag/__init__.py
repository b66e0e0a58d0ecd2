"""geomag: the geomagnetic field, back-tracking, rigidity cutoffs and named sites.

Knows nothing of the simulation.  Frame of every kernel: geocentric, Earth-fixed Cartesian axes in km, z to
the north pole, x to (latitude 0, longitude 0); field in nT; rigidity in GV.
"""
