"""Build the primary-flux model of Gaisser, Honda, Lipari and Stanev (2001) from its fit parameters."""

from __future__ import annotations

import numpy as np

from sim3d.conventions.reference_files import reference_rows
from sim3d.primaries.catalogue import GHLS_SOURCE
from sim3d.primaries.groups import GROUPS
from sim3d.primaries.model import PrimaryModel
from sim3d.primaries.solar import FIT_POTENTIAL_MV


def _read_fits() -> dict[str, dict[str, tuple[float, float, float, float]]]:
    """Read the fit parameters {component: {fit: (gamma, K, b, c)}} from the packaged reference CSV."""
    fits: dict[str, dict[str, tuple[float, float, float, float]]] = {}
    for row in reference_rows("primary_ghls2001.csv"):
        values = (float(row["gamma"]), float(row["K"]), float(row["b"]), float(row["c"]))
        fits.setdefault(row["component"], {})[row["fit"]] = values
    return fits


def ghls_model(
    name: str = "ghls2001-average",
    solar_potential_MV: float = FIT_POTENTIAL_MV,
    solar: str = "fit (Shikaze et al. 2007)",
) -> PrimaryModel:
    """Build the primary-flux model of Gaisser, Honda, Lipari and Stanev (Proc. 27th ICRC, 2001, p. 1643).

    Parameters
    ----------
    name : str
        ``ghls2001-average``, ``-high`` or ``-low``: the fit of helium and heavier nuclei, see
        :data:`~sim3d.primaries.catalogue.MODELS`.
    solar_potential_MV : float
        Force-field potential (MV).
    solar : str
        Source of the potential, in words.

    Returns
    -------
    PrimaryModel
    """
    weights = {"average": {"high": 0.5, "low": 0.5}, "high": {"high": 1.0}, "low": {"low": 1.0}}[name.split("-")[1]]
    fits = np.zeros((5, 2, 5))
    table = _read_fits()
    for i, group in enumerate(GROUPS):
        chosen = {"only": 1.0} if "only" in table[group] else weights
        for k, (fit, weight) in enumerate(chosen.items()):
            fits[i, k] = (*table[group][fit], weight)
    delta = (solar_potential_MV - FIT_POTENTIAL_MV) * 1e-3
    return PrimaryModel(name, solar_potential_MV, fits, delta, source=GHLS_SOURCE, solar=solar)
