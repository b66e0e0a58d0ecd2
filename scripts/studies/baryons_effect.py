"""Estimate by the cascade equations what antibaryons, and Sigma as a source of pions, would do to vertical fluxes.

    python scripts/studies/baryons_effect.py

Antibaryons, in `accelerator`: with the spectrum of the K- and the energy of the generators' events, as in
inputs_effect.py, and with the measured spectra of antiprotons on carbon (NA49, protons; NA61/SHINE, pi-; both of 158
GeV/c) at all energies, twice for the antineutrons, scaled in size with the generators' energy. An antinucleon goes on
as half a proton and half a neutron.

Sigma+ and Sigma-, in `fluka-z`, which has none: SIGMA_PER_LAMBDA of the Lambda with their spectrum, shared 2 to 1 by
protons (1 to 2 by neutrons, evenly by mesons). That is the number of leading hyperons in the model's balance of
baryons (docs/reports/hadronic-inputs.md section 2) less the Lambda themselves, at 100 GeV. They decay at once into a
pion and a nucleon; their energy is added to what the model has, so that this is an upper limit.

Vertical, sea level, no cutoff, primaries and Sun as in inputs_effect.py. Printed are changes of fluxes in percent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources

import numpy as np
from inputs_effect import PRIMARIES_GEV, TABLES, show
from scipy.interpolate import splev

from atmosphere.layers import linsley
from hadronic.models import load_model
from hadronic.species import N_PROJECTILES
from hadronic.tables.yield_file import read_yield_file
from hadronic.tables.yield_rows import OTHER
from sim3d.cascade.decays import isotropic
from sim3d.cascade.energies import EnergyGrid, make_grid
from sim3d.cascade.flux import CascadeFlux, Place, solve_places
from sim3d.cascade.primaries import no_cutoff
from sim3d.cascade.rest_frame import two_body
from sim3d.cascade.solver import CascadeSolver, yield_blocks
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.particles import KM, LAMBDA, MASS_GEV, NEUTRON, PIM, PIP, PROTON
from sim3d.primaries.build import primary_model
from sim3d.primaries.catalogue import DEFAULT_MODEL

NUCLEONS = (PROTON, NEUTRON, LAMBDA)
BEAM_GEV = 158.0
"""Momentum of the projectiles whose antiprotons were measured."""
SIGMA_PER_LAMBDA = 0.6
SIGMA_GEV = {"+": 1.18937, "-": 1.19745}
"""Masses (Particle Data Group)."""
TO_PION = {"+": 0.483, "-": 1.0}
"""Branching ratios into a charged pion and a neutron; the other Sigma+ give a proton and a pi0."""


def measured_antiprotons(baryon: bool) -> tuple[Callable[[Array], Array], float]:
    """Return dN/dx of antiprotons on carbon, zero outside the range of the data, and their energy over the beam's.

    Parameters
    ----------
    baryon : bool
        Of protons; else of pi-.

    Returns
    -------
    density : callable
        Of x = E/E.
    energy : float
    """
    text = resources.files("hadronic").joinpath("reference", "carbon_yield_splines.json").read_text(encoding="utf-8")
    (one,) = (
        each
        for each in json.loads(text)["channels"]
        if each["secondary"] == "pbar" and each["beam_GeV"] == BEAM_GEV and (each["projectile"] == "p") == baryon
    )
    low, high = one["x_of_data"]
    power = 1.7 if one["quantity"].startswith("x^1.7") else 0.0

    def density(x: Array) -> Array:
        at = np.clip(x, low, high)
        value = np.exp(splev(at, (one["knots"], one["coefficients"], one["degree"]))) / at**power
        return np.where((x >= low) & (x <= high), value, 0.0)

    x = np.geomspace(low, high, 2000)
    return density, float(np.trapezoid(x * density(x), x))


class WithAntibaryons(CascadeSolver):
    """The cascade equations with antibaryons as additional nucleons.

    Parameters
    ----------
    model : str
        Of a table of yields.
    grid : EnergyGrid
    measured : bool
        Whether spectrum and size are those of measured antiprotons; else the spectrum is that of the K-.
    """

    def __init__(self, model: str, grid: EnergyGrid, *, measured: bool) -> None:
        super().__init__(load_model(model).tables, grid)
        content = read_yield_file(TABLES / f"{model}.h5").projectiles
        column = OTHER.index("antibaryons")
        E = grid.centres_GeV
        for projectile in range(N_PROJECTILES):
            baryon = projectile in NUCLEONS
            source = content["p" if baryon else "pi+"]
            assert source.other is not None
            share = np.interp(np.log(E), np.log(source.T_GeV), source.other[:, column])
            if measured:
                density, energy = measured_antiprotons(baryon)
                at_beam = np.interp(np.log(BEAM_GEV), np.log(source.T_GeV), source.other[:, column])
                share = share * 2.0 * energy / at_beam
                total = E + MASS_GEV[PROTON]
                shape = density(total[None, :] / (E[:, None] + MASS_GEV[projectile])) * np.diff(grid.edges_GeV)[None, :]
            else:
                total = E
                shape = self.yields[projectile, :, KM]
            carried = shape @ total / E
            more = 0.5 * shape * np.divide(share, carried, out=np.zeros_like(E), where=carried > 0.0)[:, None]
            for nucleon in (PROTON, NEUTRON):
                self.yields[projectile, :, nucleon] += more
        self._blocks = yield_blocks(self.yields)


class WithSigma(CascadeSolver):
    """The cascade equations with pions and nucleons of Sigma+ and Sigma-.

    Parameters
    ----------
    model : str
    grid : EnergyGrid
    """

    def __init__(self, model: str, grid: EnergyGrid) -> None:
        super().__init__(load_model(model).tables, grid)
        nucleon, pion = MASS_GEV[NEUTRON], MASS_GEV[PIP]
        for projectile in range(N_PROJECTILES):
            plus = {PROTON: 2.0 / 3.0, NEUTRON: 1.0 / 3.0}.get(projectile, 0.5)
            number = SIGMA_PER_LAMBDA * self.yields[projectile, :, LAMBDA].copy()
            for charge, code, share in (("+", PIP, plus), ("-", PIM, 1.0 - plus)):
                mass = SIGMA_GEV[charge]
                pions = isotropic(self.grid, mass, two_body(mass, pion, nucleon))
                nucleons = isotropic(self.grid, mass, two_body(mass, nucleon, pion))
                self.yields[projectile, :, code] += share * TO_PION[charge] * number @ pions
                self.yields[projectile, :, NEUTRON] += share * TO_PION[charge] * number @ nucleons
                self.yields[projectile, :, PROTON] += share * (1.0 - TO_PION[charge]) * number @ nucleons
        self._blocks = yield_blocks(self.yields)


def solved(solver: CascadeSolver) -> CascadeFlux:
    """Solve the equations for the vertical."""
    place = Place(1.0, linsley(), primary_model(DEFAULT_MODEL, "fit"), 0.0, no_cutoff())
    return solve_places(solver, [place], energy_GeV=PRIMARIES_GEV)[0]


def main() -> None:
    """Compute and print all changes."""
    grid = make_grid(0.01, PRIMARIES_GEV[1])
    at: dict[str, tuple[float, ...]] = dict.fromkeys((*FLAVOURS, "mu+", "mu-"), (1.0, 10.0, 100.0, 1e3, 1e4))
    for baryon, beam in ((True, "protons"), (False, "pi-")):
        share = 200.0 * measured_antiprotons(baryon)[1]
        print(f"antiprotons and as many antineutrons of {beam} at {BEAM_GEV:g} GeV/c: {share:.2f}% of the energy")
    now = solved(CascadeSolver(load_model("accelerator").tables, grid))
    show("antibaryons, spectrum of the K-", solved(WithAntibaryons("accelerator", grid, measured=False)), now, at)
    show("antibaryons, measured spectra", solved(WithAntibaryons("accelerator", grid, measured=True)), now, at)
    fluka = solved(CascadeSolver(load_model("fluka-z").tables, grid))
    show("Sigma in fluka-z", solved(WithSigma("fluka-z", grid)), fluka, at)


if __name__ == "__main__":
    main()
