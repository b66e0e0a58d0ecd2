"""Figures of the geomagnetic studies: world maps, series and curves of cutoffs, asymptotic directions, trajectories."""
