"""Covariance of the yields of the model `accelerator`, for one factor on each species at each knot of energy.

A factor is common to all x, so its error is that of the average of ln(yield) over x with the weight x^1.7 dN/dx, which
makes fluxes. The covariance of the ratios (statistical and systematic errors, normalisation, step from carbon to air,
what is not measured) is averaged so, given that the sum of energies is known. Above the measurements the difference
between scaling in x and the generator's own dependence comes on top.
"""

from typing import Final

import numpy as np

from hadronic.arrays import Array
from hadronic.builders.accelerator import PI0_ERROR, PROTON_NODES_GEV, Made
from hadronic.builders.base_yields import BaseYields, row_sum
from hadronic.builders.closure import energies, places_of
from hadronic.builders.data_ratio import Place
from hadronic.definitions import Z_EXPONENT
from hadronic.models import HadronicModel
from hadronic.species import IS_BARYON, P, species_code

SPECIES: Final = ("pi+", "pi-", "K+", "K-", "p", "n")
KNOTS_GEV: Final = (12.0, 31.0, 158.0, 2.0e4, 2.0e6)
"""Knots of the factors; those from 31 GeV are parameters of a run (docs/manual/gradients.md)."""
LAST_GEV: Final = 1.0e6
# Error of the energy over T in what no species takes: binding, eta, antibaryons.
LOSSES_ERROR: Final = 0.01
_GROUPS: Final = 60


def parameter_name(species: str, knot_GeV: float) -> str:
    """Name of the parameter of a species at a knot.

    Parameters
    ----------
    species : str
        One of `SPECIES`.
    knot_GeV : float
        One of `KNOTS_GEV`.

    Returns
    -------
    str
        Such as "pi+@158".
    """
    return f"{species}@{knot_GeV:.0f}"


def z_factor(model: HadronicModel, species: str, T_GeV: float) -> float:
    """Z factor of protons: E/E for mesons, T/T for nucleons.

    Parameters
    ----------
    model : HadronicModel
        The model.
    species : str
        Secondary.
    T_GeV : float
        Kinetic energy, GeV.

    Returns
    -------
    float
        Z with exponent 1.7.
    """
    code = species_code(species)
    moments = model.moments(P, code, T_GeV)
    return moments.Z_TT if IS_BARYON[code] else moments.Z_EE


def covariance(made: Made, base: BaseYields, model: HadronicModel, other: HadronicModel) -> tuple[list[str], Array]:
    """Covariance of the factors.

    Parameters
    ----------
    made : Made
        Tables of protons.
    base : BaseYields
        The generator's yields of protons.
    model : HadronicModel
        The model.
    other : HadronicModel
        The model with the other dependence above the measurements.

    Returns
    -------
    names : list of str
        Parameters.
    matrix : float[n, n]
        Covariance.
    """
    x = base.centres()
    groups = np.array_split(np.flatnonzero(x > 1e-4), _GROUPS)
    nodes = {T: int(np.argmin(np.abs(np.log(made.table.T_GeV / T)))) for T in PROTON_NODES_GEV}
    places: list[Place] = []
    start, average, names, extra = {}, [], [], []
    for species in SPECIES:
        for T in nodes:
            total = base.total_x(species, T, x)
            start[species, T] = len(places) * _GROUPS
            ln_x = np.array([np.log(min(float(total[one].mean()), 1.0)) for one in groups])
            places.append((species, float(np.log(T)), ln_x))
    size = len(places) * _GROUPS
    for species in SPECIES:
        for knot in KNOTS_GEV:
            T = min(nodes, key=lambda one: abs(np.log(one / knot)))
            closed = made.closed[nodes[T]]
            share = row_sum(closed.yields, species) * base.total_x(species, T, x) ** Z_EXPONENT
            row, here = np.zeros(size), start[species, T]
            row[here : here + _GROUPS] = [share[one].sum() for one in groups]
            average.append(row / row.sum())
            names.append(parameter_name(species, knot))
            at = min(knot, LAST_GEV)
            above = knot > 2.0 * PROTON_NODES_GEV[-1]
            extra.append(
                float(np.log(z_factor(other, species, at) / z_factor(model, species, at)) ** 2) if above else 0.0
            )
    # The sum of energies is known: one condition at each energy.
    conditions, slack = [], []
    for T, node in nodes.items():
        yields = made.closed[node].yields
        each = energies(x, T)
        row = np.zeros(size)
        spent = {name: (each[places_of(name)] * yields[places_of(name)]).sum(axis=0) for name in (*SPECIES, "pi0")}
        plus, minus = row_sum(yields, "pi+"), row_sum(yields, "pi-")
        of_plus = np.where(plus + minus > 0.0, plus / np.maximum(plus + minus, 1e-300), 0.5)
        spent["pi+"] = spent["pi+"] + of_plus * spent["pi0"]
        spent["pi-"] = spent["pi-"] + (1.0 - of_plus) * spent["pi0"]
        for species in SPECIES:
            here = start[species, T]
            row[here : here + _GROUPS] = [spent[species][one].sum() for one in groups]
        conditions.append(row)
        slack.append((PI0_ERROR["p"] * spent["pi0"].sum()) ** 2 + LOSSES_ERROR**2)
    full = made.ratio.covariance(places)
    known, means = np.array(conditions), np.array(average)
    cross = means @ full @ known.T
    matrix = means @ full @ means.T - cross @ np.linalg.solve(known @ full @ known.T + np.diag(slack), cross.T)
    matrix += np.diag(extra)
    return names, 0.5 * (matrix + matrix.T)


def covariance_csv(names: list[str], matrix: Array, words: str) -> str:
    """Write the covariance as a CSV table.

    Parameters
    ----------
    names : list of str
        Parameters.
    matrix : float[n, n]
        Covariance.
    words : str
        First line, a comment.

    Returns
    -------
    str
        Columns: parameter, error, and one for each parameter.
    """
    lines = [f"# {words}", ",".join(("parameter", "error", *names))]
    for name, row, own in zip(names, matrix, np.sqrt(np.diag(matrix)), strict=True):
        lines.append(",".join((name, f"{own:.4f}", *(f"{one:.3e}" for one in row))))
    return "\n".join(lines) + "\n"
