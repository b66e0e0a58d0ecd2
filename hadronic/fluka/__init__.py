"""Models solved for FLUKA's energy fractions and Z factors: `fluka-z`, and `muon-tuned`, moved to daemonflux's."""
