"""Solve the cascade equations in one dimension: muons and neutrinos of a direction, without random numbers.

The solution shares yields, cross sections, decay channels, atmospheres and primaries with the simulation, and none of
its transport. The equations and the method are in docs/methods/cascade.md.
"""
