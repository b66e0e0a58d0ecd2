"""Studies without a run: energy balance, hadronic moments, cutoffs by latitude, cascade equations, measured muons."""
