"""Errors of neutrino fluxes before and after a schematic fit to muons, by the cascade equations: no simulation.

    python scripts/calibration/error_forecast.py [--unpaid]

Derivatives of neutrinos (mean of cos_zenith 1 and 0.3) and of vertical muons by all parameters of a calibration are
finite differences of solutions in one dimension, at sea level under a cutoff of 6 GV, in the US Standard Atmosphere.
The fit has 40 fluxes and 40 charge ratios from 0.7 to 3000 GeV/c with errors of 2.5% and 2% (three times that above 300
and 500 GeV/c), a norm of 2.2% and a momentum offset of 0.2 GeV/c: no measurement, but about as much as those that ship
tell. Printed are relative errors in percent, the parts that groups of parameters make before the fit, and the sum of
the derivatives by all yields of pions. With ``--unpaid`` nucleons do not pay for pions: the energy of an interaction
does not hold, and the errors are those of a calibration without this condition. Some ten minutes.
"""

from __future__ import annotations

import argparse

import numpy as np

from atmosphere.layers import linsley
from hadronic.interaction.kernels import YieldTables
from hadronic.interaction.yield_laws import changed_tables
from hadronic.models import load_model
from hadronic.species import N, P
from sim3d.calibration.priors import DEFAULT, prior_covariance
from sim3d.cascade.energies import make_grid
from sim3d.cascade.flux import Place, solve_places
from sim3d.cascade.primaries import sharp_cutoff
from sim3d.cascade.solver import CascadeSolver
from sim3d.config.parameters import CLASS_OF
from sim3d.primaries.build import primary_model
from sim3d.simulation.variation import varied_hadronic, varied_primaries, yield_changes, yield_laws

ENERGIES_GEV = np.array([0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0])
MOMENTA_GEV = np.geomspace(0.7, 3000.0, 40)
COSINES = (1.0, 0.3)
GROUPS = ("pi", "K", "tilt", "elasticity", "p@", "n@", "sigma", "primary", "pion:pi", "solar")


class Forecast:
    """Solutions of the cascade equations for changed parameters.

    Parameters
    ----------
    unpaid : bool
        Whether pions change without nucleons that pay for them.
    hadronic, primaries : str
        Names of models.
    """

    def __init__(self, unpaid: bool = False, hadronic: str = "accelerator", primaries: str = "gsf:2026.1") -> None:
        self.unpaid = unpaid
        self.hadronic = load_model(hadronic, None, None)
        self.primaries = primary_model(primaries, "fit", None, None)
        self.air, self.grid = linsley(), make_grid(0.1, 1e7, 8)
        self.solver = CascadeSolver(self.hadronic.tables, self.grid)

    def fluxes(self, solver, primaries) -> np.ndarray:
        """Fluxes of numu and nue by energy, then of mu+ and mu- by momentum."""
        places = [Place(c, self.air, primaries, 0.0, sharp_cutoff(6.0)) for c in COSINES]
        found = solve_places(solver, places)
        neutrinos = [np.mean([one.flux(flavour, ENERGIES_GEV) for one in found], axis=0) for flavour in ("numu", "nue")]
        return np.concatenate([*neutrinos, *(found[0].flux(charge, MOMENTA_GEV) for charge in ("mu+", "mu-"))])

    def tables(self, name: str, step: float) -> YieldTables:
        """Tables with one parameter changed."""
        if not (self.unpaid and name.startswith(("pi+@", "pi-@"))):
            return varied_hadronic(self.hadronic, {name: step}).tables
        own = self.hadronic.tables
        law = yield_laws(own, yield_changes({name: step}, own.ln_T))
        law[np.isin(own.slot_species, (P, N))] = 0.0
        return changed_tables(own, law, np.ones(len(own.interaction_length)))

    def slopes(self, names: tuple[str, ...], sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the fluxes and the derivatives of their logarithms, (fluxes, parameters)."""
        base = self.fluxes(self.solver, self.primaries)
        columns = []
        for name, error in zip(names, sigma, strict=True):
            step = 20.0 if name == "solar:MV" else 0.5 * min(error, 0.1)
            if CLASS_OF[name] in ("yields", "cross-sections"):
                moved = self.fluxes(CascadeSolver(self.tables(name, step), self.grid), self.primaries)
            else:
                moved = self.fluxes(self.solver, varied_primaries(self.primaries, {name: step}))
            columns.append(np.log(moved / base) / step)
        return base, np.array(columns).T


def after_fit(base: np.ndarray, slopes: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Covariance after the schematic fit to muons."""
    n, p = len(MOMENTA_GEV), MOMENTA_GEV
    plus, minus = base[-2 * n : -n], base[-n:]
    share = (plus / (plus + minus))[:, None]
    d_plus, d_minus = slopes[-2 * n : -n], slopes[-n:]
    jacobian = np.concatenate([share * d_plus + (1.0 - share) * d_minus, d_plus - d_minus])
    error = np.concatenate([np.where(p > 300.0, 0.075, 0.025), np.where(p > 500.0, 0.06, 0.02)])
    covariance = np.diag(error**2)
    covariance[:n, :n] += 0.022**2 + np.outer(0.6 / p, 0.6 / p)
    return np.linalg.inv(np.linalg.inv(prior) + jacobian.T @ np.linalg.solve(covariance, jacobian))


def main() -> None:
    """Print the forecast."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unpaid", action="store_true")
    prior = prior_covariance(DEFAULT)
    base, slopes = Forecast(parser.parse_args().unpaid).slopes(DEFAULT, np.sqrt(np.diag(prior)))
    report(base, slopes, prior)


def report(base: np.ndarray, slopes: np.ndarray, prior: np.ndarray) -> None:
    """Print errors of neutrinos before and after the fit, and the parts of groups before it."""
    n = len(ENERGIES_GEV)
    fitted = after_fit(base, slopes, prior)
    print("GeV".ljust(24), " ".join(f"{energy:6g}" for energy in ENERGIES_GEV))

    def line(label: str, values: np.ndarray) -> None:
        print(label.ljust(24), " ".join(f"{value:6.1f}" for value in values))

    for k, flavour in enumerate(("numu", "nue")):
        rows = slopes[k * n : (k + 1) * n]
        for label, matrix in (("before", prior), ("after", fitted)):
            line(f"{flavour} {label}", 100.0 * np.sqrt(np.einsum("ni,ij,nj->n", rows, matrix, rows)))
        for group in GROUPS:
            of = [i for i, name in enumerate(DEFAULT) if name.startswith(group) and (group != "pi" or "@" in name)]
            part = np.einsum("ni,ij,nj->n", rows[:, of], prior[np.ix_(of, of)], rows[:, of])
            line(f"  {group}", 100.0 * np.sqrt(part))
        pions = [i for i, name in enumerate(DEFAULT) if name.startswith("pi") and "@" in name]
        print("  sum of pion slopes".ljust(24), " ".join(f"{value:6.2f}" for value in rows[:, pions].sum(axis=1)))


if __name__ == "__main__":
    main()
