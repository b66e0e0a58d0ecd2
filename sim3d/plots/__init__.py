"""Figures of results and of model inputs, one module per subject."""
