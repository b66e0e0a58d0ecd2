"""Branching ratios of kaons and Lambda, and slopes of the K_l3 form factors; the ``particle`` package has neither.

Source: R. L. Workman et al. (Particle Data Group), Prog. Theor. Exp. Phys. 2022, 083C01: summary tables, and the review
"Form factors for K_l3 decays" (linear parameterisation). Values in percent, both charges of a lepton together; the
channels that are left out (radiative, rare) are below 0.2% each, and the others are normalised to 1.
"""

from __future__ import annotations

import numpy as np

KCHARGED_BRANCHING = {"mu nu": 63.56, "pi pi0": 20.67, "pi pi pi": 5.583, "pi pi0 pi0": 1.760, "e3": 5.07, "mu3": 3.352}
KLONG_BRANCHING = {"e3": 40.55, "mu3": 27.04, "pi0 pi0 pi0": 19.52, "pi+ pi- pi0": 12.54}
KSHORT_BRANCHING = {"pi+ pi-": 69.20, "pi0 pi0": 30.69, "e3": 0.0704, "mu3": 0.0456}
LAMBDA_BRANCHING = {"p pi-": 64.1, "n pi0": 35.9}
KL3_SLOPES = {"K+-": (0.0296, 0.0196), "KL": (0.0282, 0.0138)}
"""(lambda_+, lambda_0), those of the K_S being the K_L's, in units of the charged pion's mass squared."""


def cumulative(table: dict[str, float]) -> tuple[float, ...]:
    """Compute the cumulative probabilities of decay channels.

    Parameters
    ----------
    table : dict of float
        Branching ratios by channel; they need not be normalised.

    Returns
    -------
    tuple of float
        In the order of the channels; the last one is 1.
    """
    return tuple(np.cumsum(list(table.values())) / sum(table.values()))
