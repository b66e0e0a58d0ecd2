"""From fluxes to a measurement: samples of events, expectations in bins, likelihoods and fits."""
