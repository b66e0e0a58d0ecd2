"""Conventions shared by all rooms: particle codes, flavours, bins, constants, the wording of signs and units."""
