"""Calculations that need no run: energy balance, hadronic moments by model, cutoffs by latitude."""
