"""Comparisons of fluxes: asymmetries, leptons in water, three dimensions against one, published references."""
