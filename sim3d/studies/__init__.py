"""Studies without a simulation run: energy balance of showers, hadronic moments by model, cutoffs by latitude."""
