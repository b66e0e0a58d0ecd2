"""Conventions that all of sim3d shares: particle codes, flavours, bins, constants, wording of signs and units."""
