"""Spectra of secondaries on a grid of x, and the tables of their quantiles that the kernels sample from."""

from dataclasses import dataclass

import numpy as np

from hadronic.arrays import Array
from hadronic.interaction.kernels import N_QUANTILES


@dataclass(frozen=True)
class Spectrum:
    """Density of ln x points at each node.

    Attributes
    ----------
    ln_x : float[nodes, grid]
        ln(T_sec / T_proj), increasing.
    density : float[nodes, grid]
        dn / dt, t the grid variable; any scale.
    step : float[nodes]
        Grid step in t.
    """

    ln_x: Array
    density: Array
    step: Array

    def integral(self, weight: Array | float = 1.0) -> Array:
        """Integrate the spectrum, weighted, by the trapezoidal rule.

        Parameters
        ----------
        weight : float[nodes, grid] or float
            Factor on the spectrum.

        Returns
        -------
        float[nodes]
            The integral.
        """
        values = self.density * weight
        integral: Array = (values.sum(axis=1) - 0.5 * (values[:, 0] + values[:, -1])) * self.step
        return integral


def quantile_table(spectrum: Spectrum) -> Array:
    """Compute the quantiles of ln x of a spectrum.

    Parameters
    ----------
    spectrum : Spectrum
        The spectrum.

    Returns
    -------
    float[nodes, N_QUANTILES]
        ln x at points uniform in v = 1 - (1-u)^(1/4), u being the cumulative probability.
    """
    steps = 0.5 * (spectrum.density[:, 1:] + spectrum.density[:, :-1])
    above = np.zeros_like(spectrum.density)
    above[:, :-1] = np.cumsum(steps[:, ::-1], axis=1)[:, ::-1]
    one_minus_v = (above / above[:, :1]) ** 0.25
    wanted = np.linspace(1.0, 0.0, N_QUANTILES)
    table = np.empty((spectrum.ln_x.shape[0], N_QUANTILES))
    for node in range(table.shape[0]):
        table[node] = np.interp(wanted, one_minus_v[node, ::-1], spectrum.ln_x[node, ::-1])
    return table
