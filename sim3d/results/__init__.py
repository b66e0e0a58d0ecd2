"""Results of a run: fluxes with errors, derivatives, muons, production heights, tables."""
