"""Calibration of the model parameters to measured muons: measurements, predictions, fit, and their file."""
