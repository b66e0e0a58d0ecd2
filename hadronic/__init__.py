"""Hadronic interactions on air: cross sections, inclusive yields, Z factors and the models that give them.

`hadronic.models.load_model` builds a model; `hadronic.kernels` draws from its tables inside numba kernels;
`hadronic.zfactors` measures the moments of any model from sampled interactions.
"""
