"""Compute by the cascade equations what four changes of inputs do to vertical fluxes at sea level.

    python scripts/studies/inputs_effect.py

The changes: semileptonic decays of the K_S; primaries up to 1e7 instead of 1e6 GeV per nucleon; cross sections of
`accelerator` joined between 3 and 80 GeV instead of scaled as a whole below 80 GeV; antibaryons, which no model follows
(an estimate: their energy is that of the generators' events, their spectrum that of the K-, and they go on as as many
protons as neutrons). Hadronic model and primaries are
the defaults, the Sun is that of July 1998, and there is no cutoff. Printed are changes of the flux in percent.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

from atmosphere.layers import linsley
from hadronic.builders.yield_join import JOIN_GEV
from hadronic.models import load_model
from hadronic.species import N_PROJECTILES
from hadronic.tables.yield_file import read_yield_file, write_yield_file
from hadronic.tables.yield_rows import OTHER
from sim3d.cascade.decays import decay_matrices
from sim3d.cascade.energies import EnergyGrid, make_grid
from sim3d.cascade.flux import CascadeFlux, Place, solve_places
from sim3d.cascade.primaries import no_cutoff
from sim3d.cascade.solver import CascadeSolver, yield_blocks
from sim3d.config.schema import HadronicTable
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.particles import KM, LAMBDA, NEUTRON, PROTON
from sim3d.primaries.build import primary_model
from sim3d.primaries.catalogue import DEFAULT_MODEL
from sim3d.shower.branching_ratios import KSHORT_BRANCHING

TABLES = Path(__file__).resolve().parents[2] / "hadronic" / "tables"
PRIMARIES_GEV = (0.5, 1.0e7)


class WithAntibaryons(CascadeSolver):
    """The cascade equations with the energy of antibaryons in additional nucleons.

    Parameters
    ----------
    table : Path
        File of yields.
    grid : EnergyGrid
    """

    def __init__(self, table: Path, grid: EnergyGrid) -> None:
        super().__init__(load_model(table=table).tables, grid)
        content = read_yield_file(table).projectiles
        column = OTHER.index("antibaryons")
        E = grid.centres_GeV
        for projectile in range(N_PROJECTILES):
            source = content["p" if projectile in (PROTON, NEUTRON, LAMBDA) else "pi+"]
            share = np.interp(np.log(E), np.log(source.T_GeV), source.other[:, column])
            shape = self.yields[projectile, :, KM]
            carried = shape @ E / E
            more = 0.5 * shape * np.divide(share, carried, out=np.zeros_like(E), where=carried > 0.0)[:, None]
            for nucleon in (PROTON, NEUTRON):
                self.yields[projectile, :, nucleon] += more
        self._blocks = yield_blocks(self.yields)


def fluxes(
    table: Path, energy_GeV: tuple[float, float] = PRIMARIES_GEV, *, antibaryons: bool = False
) -> CascadeFlux:  # fmt: skip
    """Solve the cascade equations for the vertical.

    Parameters
    ----------
    table : Path
        File of yields.
    energy_GeV : (float, float)
        Primaries that are used (GeV per nucleon).
    antibaryons : bool
        Whether these are estimated.

    Returns
    -------
    CascadeFlux
    """
    grid = make_grid(0.01, PRIMARIES_GEV[1])
    solver = WithAntibaryons(table, grid) if antibaryons else CascadeSolver(load_model(table=table).tables, grid)
    place = Place(1.0, linsley(), primary_model(DEFAULT_MODEL, "fit"), 0.0, no_cutoff())
    return solve_places(solver, [place], energy_GeV=energy_GeV)[0]


def scaled_as_a_whole(table: Path, folder: Path) -> Path:
    """Write a copy of a table whose cross sections below the join are Pythia's times one factor.

    Parameters
    ----------
    table, folder : Path

    Returns
    -------
    Path
    """
    content, pythia = read_yield_file(table), read_yield_file(TABLES / "pythia8.h5")
    changed = {}
    for name, yields in content.projectiles.items():
        T, low = yields.sigma_T_GeV, pythia.projectiles[name]
        sigma = np.interp(np.log(T), np.log(low.sigma_T_GeV), low.sigma_mb)
        first = int(np.searchsorted(T, JOIN_GEV[1]))
        sigma *= yields.sigma_mb[first] / sigma[first]
        sigma[first:] = yields.sigma_mb[first:]
        changed[name] = dataclasses.replace(yields, sigma_mb=sigma)
    path = folder / "scaled.h5"
    write_yield_file(path, dataclasses.replace(content, projectiles=changed))
    return path


def show(title: str, new: CascadeFlux, old: CascadeFlux, at: dict[str, tuple[float, ...]]) -> None:
    """Print changes of fluxes.

    Parameters
    ----------
    title : str
    new, old : CascadeFlux
    at : dict
        Energies (GeV) or momenta (GeV/c) by particle.
    """
    print(title)
    for particle, energies in at.items():
        names = ("mu+", "mu-") if particle == "mu" else (particle,)
        values = [sum(flux.flux(name, energies) for name in names) for flux in (new, old)]
        changes = 100.0 * (np.asarray(values[0]) / np.asarray(values[1]) - 1.0)
        print(f"  {particle}: " + ", ".join(f"{c:+.1f}% at {e:g}" for c, e in zip(changes, energies, strict=True)))


def main() -> None:
    """Compute and print all changes."""
    table = TABLES / f"{HadronicTable().model}.h5"
    now = fluxes(table)
    high = (100.0, 1e3, 3e3, 1e4)
    decay_matrices.cache_clear()
    with mock.patch.dict(KSHORT_BRANCHING, {"e3": 0.0, "mu3": 0.0}):
        without = fluxes(table)
    decay_matrices.cache_clear()
    show("semileptonic decays of the K_S", now, without, {"numu": high, "nue": high})
    shorter = fluxes(table, (PRIMARIES_GEV[0], 1.0e6))
    show("primaries of 1e6 to 1e7 GeV", now, shorter, {"numu": high, "nue": high})
    with tempfile.TemporaryDirectory() as folder:
        scaled = fluxes(scaled_as_a_whole(table, Path(folder)))
    antibaryons = fluxes(table, antibaryons=True)
    wide = (1.0, 10.0, *high)
    show("antibaryons", antibaryons, now, dict.fromkeys((*FLAVOURS, "mu+", "mu-"), wide))
    low = (0.3, 1.0, 3.0)
    show("join of cross sections", now, scaled, {"mu": (1.2, 3.0, 10.0), "numu": low, "nue": low})


if __name__ == "__main__":
    main()
