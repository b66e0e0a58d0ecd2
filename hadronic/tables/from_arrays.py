"""Make a file of yields from arrays: spectra dn/dx of the secondaries of each projectile, and cross sections.

Not every projectile has to be given: the others are taken from a model that ships, in the same bins of x.
docs/developers/extending.md shows the use, examples/my_yields.py is a program to copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hadronic.arrays import Array
from hadronic.errors import HadronicInputError
from hadronic.tables.yield_file import ProjectileYields, YieldFile, read_yield_file
from hadronic.tables.yield_rows import PROJECTILES, ROWS

EVENTS: Final = 1.0e6
"""Interactions that the counts are written for: numbers per interaction are the input, and have no noise."""


class Spectra(NamedTuple):
    """Spectra of the secondaries of one projectile.

    Attributes
    ----------
    T_GeV : array, shape (nodes,)
        Kinetic energies of the projectile, ascending, at least two.
    dn_dx : mapping of str to array, shape (nodes, bins)
        Mean of dn/dx over each bin of x = T_secondary / T, per interaction, by row: a species (``"pi+"``) or a leading
        one (``"p leading"``, at most one in an interaction).
    sigma_mb : array, shape (nodes,)
        Cross section on air at these energies.
    """

    T_GeV: ArrayLike
    dn_dx: Mapping[str, ArrayLike]
    sigma_mb: ArrayLike


def yield_file_of_spectra(
    name: str,
    x_edges: ArrayLike,
    spectra: Mapping[str, Spectra],
    others: str = "urqmd-sibyll",
    description: str = "",
    provenance: Mapping[str, Any] | None = None,
) -> YieldFile:
    """Make the content of a file of yields from spectra.

    Parameters
    ----------
    name : str
        Name of the model.
    x_edges : array, shape (bins + 1,)
        Edges of the bins of x = T_secondary / T, above 0, ascending, up to 1.
    spectra : mapping of str to Spectra
        By projectile: p, pi+, K+, K-; at least one.
    others : str
        Model that ships as a file, from which the projectiles that are not given are taken.
    description : str
        One line.
    provenance : mapping, optional
        Anything that can be written as JSON: where the numbers are from.

    Returns
    -------
    YieldFile
        For `hadronic.tables.yield_file.write_yield_file`. It has no tables of angles: they are those of ``fluka-z``.

    Raises
    ------
    HadronicInputError
        One line that names the projectile, the row and what is wrong.
    """
    edges = np.asarray(x_edges, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 3 or not (np.diff(edges) > 0.0).all() or edges[0] <= 0.0 or edges[-1] > 1.0:
        raise HadronicInputError("x_edges: must be three numbers or more that ascend, above 0 and up to 1")
    unknown = [key for key in spectra if key not in PROJECTILES]
    if unknown or not spectra:
        given = repr(unknown[0]) if unknown else "none"
        raise HadronicInputError(f"spectra: projectile {given}; allowed: {', '.join(PROJECTILES)}, at least one")
    made = {key: _counted(key, one, edges) for key, one in spectra.items()}
    missing = [key for key in PROJECTILES if key not in made]
    if missing:
        made |= _of_model(others, missing, edges)
    notes = {"projectiles_of_" + others: missing} if missing else {}
    return YieldFile(
        name=name,
        description=description,
        x_edges=edges,
        s_edges=np.array([0.0, 1.0]),
        projectiles={key: made[key] for key in PROJECTILES},
        provenance={**notes, **(provenance or {})},
    )


def _counted(projectile: str, one: Spectra, edges: Array) -> ProjectileYields:
    T = np.asarray(one.T_GeV, dtype=np.float64)
    sigma = np.asarray(one.sigma_mb, dtype=np.float64)
    if T.ndim != 1 or sigma.shape != T.shape:
        raise HadronicInputError(f"{projectile}: sigma_mb: shape {sigma.shape}, must be that of T_GeV, {T.shape}")
    counts = np.zeros((T.size, len(ROWS), edges.size - 1))
    for row, values in one.dn_dx.items():
        if row not in ROWS:
            raise HadronicInputError(f"{projectile}: dn_dx: row {row!r} is not known; allowed: {', '.join(ROWS)}")
        density = np.asarray(values, dtype=np.float64)
        if density.shape != (T.size, edges.size - 1):
            wanted = (T.size, edges.size - 1)
            raise HadronicInputError(f"{projectile}: dn_dx[{row!r}]: shape {density.shape}, must be {wanted}")
        counts[:, ROWS.index(row)] = EVENTS * density * np.diff(edges)
    return ProjectileYields(
        T_GeV=T,
        events=np.full((T.size, len(ROWS)), EVENTS),
        counts=counts,
        sigma_T_GeV=T,
        sigma_mb=sigma,
    )


def _of_model(model: str, projectiles: list[str], edges: Array) -> dict[str, ProjectileYields]:
    """Yields of a model that ships, in other bins of x; what is below the first edge goes into the first bin."""
    place = resources.files("hadronic").joinpath("tables", f"{model}.h5")
    if not place.is_file():
        raise HadronicInputError(f"others: {model!r} is no model that ships as a file")
    with resources.as_file(place) as path:
        content = read_yield_file(path)
    made = {}
    for name in projectiles:
        one = content.projectiles[name]
        below = np.concatenate((np.zeros((*one.counts.shape[:2], 1)), np.cumsum(one.counts, axis=2)), axis=2)
        position = np.interp(np.log(edges), np.log(content.x_edges), np.arange(content.x_edges.size))
        low = np.minimum(position.astype(int), content.x_edges.size - 2)
        at_edges = below[..., low] + (position - low) * (below[..., low + 1] - below[..., low])
        at_edges[..., 0], at_edges[..., -1] = 0.0, below[..., -1]
        made[name] = ProjectileYields(
            T_GeV=one.T_GeV,
            events=one.events,
            counts=np.diff(at_edges, axis=2),
            sigma_T_GeV=one.sigma_T_GeV,
            sigma_mb=one.sigma_mb,
        )
    return made
