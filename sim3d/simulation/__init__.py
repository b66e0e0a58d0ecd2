"""Run a simulation: setup, batches over threads and ranks, checkpoints, merging, replay, reweighting."""
