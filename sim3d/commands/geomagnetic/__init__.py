"""Commands on the geomagnetic field: world maps and series of cutoffs, asymptotic directions, trajectories."""
