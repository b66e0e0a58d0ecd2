"""Spread of models in the shape of slow pions, from which the prior of ``slow@12``, ``slow@31`` and ``slow@158`` comes.

    python scripts/studies/slow_pion_spread.py

Printed is the slope of ln(dN/dx of a model over dN/dx of another) against ln x at x from 0.02 to 0.1, for pi+ and pi-
of protons: generators over ``accelerator``, which follows HARP and NA61 there, at 12, 31 and 158 GeV; and all models
over the measurements themselves (NA61 at 31 GeV/c, NA49 at 158 GeV/c) where these reach below x = 0.1. The last line of
each energy is the root mean square over generators and charges.
"""

from __future__ import annotations

import numpy as np

from hadronic.measurements import carbon_to_air, proton_spectra
from hadronic.models import HadronicModel, load_model
from hadronic.species import PIM, PIP, P

GENERATORS = ("urqmd-sibyll", "pythia8")
EDGES = np.geomspace(0.02, 0.1, 6)


def density(model: HadronicModel, T_GeV: float, species: int, edges: np.ndarray) -> np.ndarray:
    """dN/d(ln x) of protons, in bins of x = T_secondary / T_projectile, at the node nearest to an energy."""
    tables = model.tables
    node = int(np.argmin(np.abs(tables.ln_T - np.log(T_GeV))))
    out = np.zeros(len(edges) - 1)
    for slot in range(tables.slot_offset[P], tables.slot_offset[P + 1]):
        if tables.slot_species[slot] == species:
            ln_x = tables.ln_x[tables.slot_table[slot]][node]
            below = 1.0 - (1.0 - np.arange(len(ln_x)) / (len(ln_x) - 1)) ** 4
            number = np.interp(np.log(edges), ln_x, below, left=0.0, right=1.0)
            out += tables.slot_mean[slot][node] * np.diff(number)
    return out / np.diff(np.log(edges))


def slope(ln_x: np.ndarray, ln_ratio: np.ndarray) -> float:
    """Slope of a straight line."""
    return float(np.polyfit(ln_x, ln_ratio, 1)[0])


def main() -> None:
    """Print all slopes."""
    models = {name: load_model(name) for name in ("accelerator", *GENERATORS, "fluka-z")}
    middle = 0.5 * (np.log(EDGES[1:]) + np.log(EDGES[:-1]))
    for T_GeV in (12.0, 31.0, 158.0):
        found = []
        for name in (*GENERATORS, "fluka-z"):
            both = []
            for one in (PIP, PIM):
                known, other = (density(models[key], T_GeV, one, EDGES) for key in ("accelerator", name))
                both.append(slope(middle, np.log(other / known)))
            found += both if name in GENERATORS else []
            print(f"{T_GeV:g} GeV: {name:13s} over accelerator: pi+ {both[0]:+.3f}, pi- {both[1]:+.3f}")
        print(f"{T_GeV:g} GeV: root mean square of generators {np.sqrt(np.mean(np.square(found))):.3f}")
    for one in proton_spectra():
        low = one.x < 0.105
        if one.secondary not in ("pi+", "pi-") or low.sum() < 3:
            continue
        x, T = one.x[low], one.T_GeV
        code = {"pi+": PIP, "pi-": PIM}[one.secondary]
        mass = 0.13957
        for name, model in models.items():
            # the data's x is that of total energies
            kinetic = (x * (T + 0.93827) - mass) / T
            edges = np.stack([kinetic * 0.97, kinetic * 1.03], axis=1)
            made = np.array([density(model, T, code, each)[0] for each in edges]) / kinetic
            data = one.density[low] * carbon_to_air(x)[0]
            of_x = slope(np.log(x), np.log(made / data))
            where = f"{one.experiment} {one.secondary} at x {x[0]:.3f} to {x[-1]:.3f}"
            print(f"{where}: {name:13s} over data {of_x:+.3f}")


if __name__ == "__main__":
    main()
