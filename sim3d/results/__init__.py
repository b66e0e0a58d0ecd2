"""Reading results: fluxes with errors, gradients, muons, production heights, tables."""
