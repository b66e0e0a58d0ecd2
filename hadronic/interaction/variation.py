"""Interpolation weights of the knots of energy at which changes of the yields are given (`yield_laws`)."""

import numpy as np

from hadronic.arrays import Array


def hat_functions(ln_T: Array, knots_GeV: tuple[float, ...]) -> Array:
    """Weights of knots at some energies: linear in ln T between knots, constant outside.

    Parameters
    ----------
    ln_T : float[energies]
        Logarithms of kinetic energies in GeV.
    knots_GeV : tuple of float
        Kinetic energies of the knots, GeV, ascending.

    Returns
    -------
    float[energies, knots]
        Weights; they add up to 1 at every energy.
    """
    knots = np.log(knots_GeV)
    return np.stack([np.interp(ln_T, knots, unit) for unit in np.eye(len(knots))], axis=1)
