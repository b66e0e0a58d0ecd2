"""Analysis of computed fluxes: east-west asymmetries, leptons in water, 3-D/1-D ratios, published references."""
