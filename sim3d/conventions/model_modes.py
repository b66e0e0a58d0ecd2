"""Errors of a flux that no parameter describes: changes of ln(flux) as functions of flavour, energy and zenith.

A calibration has one for each model whose neutrinos lay outside its covariance (docs/methods/calibration.md). Each is
the change by one standard deviation of a pseudo-parameter, independent of all others. Its name begins with ``model:``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from sim3d.conventions.arrays import Array

PREFIX = "model:"


@dataclass(frozen=True)
class ModelModes:
    """Changes of ln(flux) by one standard deviation.

    Attributes
    ----------
    names : tuple of str
        Such as ``model:pythia8``.
    energies_GeV, cos_zenith : float64 arrays (energies,), (cosines,)
        Ascending; cosines above 0, as a flux from below is that from above.
    changes : float64 array (modes, 4, energies, cosines)
        By flavour as :data:`sim3d.conventions.flavours.FLAVOURS`.
    """

    names: tuple[str, ...]
    energies_GeV: Array
    cos_zenith: Array
    changes: Array

    def at(self, energy_GeV: Array, cos_zenith: Array) -> Array:
        """Interpolate the changes, linearly in ln E and in the size of the cosine; constant beyond the nodes.

        Parameters
        ----------
        energy_GeV : float64 array (n,)
        cos_zenith : float64 array (m,)

        Returns
        -------
        float64 array (4, n, m, modes)
        """
        rows = _weights(np.log(self.energies_GeV), np.log(energy_GeV))
        columns = _weights(self.cos_zenith, np.abs(cos_zenith))
        return np.einsum("ne,mc,kfec->fnmk", rows, columns, self.changes)

    def as_json(self) -> str:
        """Write the modes as text, with five digits."""
        changes = [float(f"{one:.5g}") for one in self.changes.ravel()]
        return json.dumps([self.names, self.energies_GeV.tolist(), self.cos_zenith.tolist(), changes])

    @classmethod
    def of_json(cls, text: str) -> ModelModes:
        """Read what :meth:`as_json` wrote."""
        names, energies, cosines, changes = json.loads(text)
        shape = (len(names), -1, len(energies), len(cosines))
        return cls(tuple(names), np.array(energies), np.array(cosines), np.reshape(changes, shape))


def is_mode(name: str) -> bool:
    """Whether a parameter of a flux is one of :class:`ModelModes`.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool
    """
    return name.startswith(PREFIX)


def _weights(nodes: Array, at: Array) -> Array:
    """Weights of a linear interpolation, (points, nodes)."""
    place = np.clip(np.searchsorted(nodes, at) - 1, 0, max(len(nodes) - 2, 0))
    out = np.zeros((len(at), len(nodes)))
    if len(nodes) == 1:
        out[:, 0] = 1.0
        return out
    up = np.clip((at - nodes[place]) / (nodes[place + 1] - nodes[place]), 0.0, 1.0)
    rows = np.arange(len(at))
    out[rows, place] = 1.0 - up
    out[rows, place + 1] += up
    return out
