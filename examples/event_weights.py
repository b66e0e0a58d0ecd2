"""Weights of simulated neutrino events for a flux of sim3d, with simweights.

    pip install 'sim3d[simweights]'
    python examples/event_weights.py mysite.h5

Events are thrown from an E^-2 law over the whole sky onto a disc across their direction, as neutrino generators do.
Their weights for the flux, summed, are rates; beside them stands what the flux gives when it is integrated.
"""

import argparse

import numpy as np
import simweights

import sim3d

RADIUS_M = 500.0
ENERGY_GeV = (0.5, 50.0)
EVENTS = 200_000
BANDS_GeV = (0.5, 1.0, 3.0, 10.0, 50.0)
FLAVOURS = ("nue", "nuebar", "numu", "numubar")
PDG_ID = {"nue": 12, "nuebar": -12, "numu": 14, "numubar": -14}


def generate(pdg_id: int, rng: np.random.Generator) -> simweights.Weighter:
    """Events of one flavour, with what simweights needs to know of how they were thrown."""
    law = simweights.PowerLaw(-2, *ENERGY_GeV, "energy")
    disc = simweights.CircleInjector(RADIUS_M, -1.0, 1.0, "cos_zen")
    events = simweights.Weighter([], EVENTS * simweights.generation_surface(pdg_id, law, disc))
    events.add_weight_column("pdgid", np.full(EVENTS, pdg_id))
    events.add_weight_column("energy", law.ppf(rng.random(EVENTS)))
    events.add_weight_column("cos_zen", rng.uniform(-1.0, 1.0, EVENTS))
    return events


def rates(flux: sim3d.Flux, seed: int = 1) -> list[tuple[str, float, float, float, float, float]]:
    """Rows of flavour, energy band, rate from weights and its error, and rate from the integral (per second)."""
    rng = np.random.default_rng(seed)
    rows = []
    for flavour in FLAVOURS:
        events = generate(PDG_ID[flavour], rng)
        weights = events.get_weights(flux)
        energy = events.get_weight_column("energy")
        area = np.pi * RADIUS_M**2
        exact = flux.integral(flavour, BANDS_GeV)[:, 0] * area
        for low, high, integral in zip(BANDS_GeV[:-1], BANDS_GeV[1:], exact, strict=True):
            inside = weights[(energy >= low) & (energy < high)]
            rows.append((flavour, low, high, inside.sum(), np.sqrt(np.sum(inside**2)), integral))
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="result (.h5) or Honda table (.d)")
    chosen = parser.parse_args(arguments)
    print(f"neutrinos per second through a disc of {RADIUS_M:g} m radius, all directions")
    print(f"{'flavour':8s} {'energy (GeV)':>14s} {'from weights':>22s} {'integral':>12s}")
    for flavour, low, high, rate, error, integral in rates(sim3d.Flux.load(chosen.file)):
        print(f"{flavour:8s} {f'{low:g} - {high:g}':>14s} {rate:12.5g} +- {error:6.2g} {integral:12.5g}")


if __name__ == "__main__":
    main()
