"""A "generator" whose distributions are known: what tests put in the place of chromo."""

import importlib.util
from pathlib import Path

import numpy as np

from hadronic.builders.yield_histograms import S_EDGES, X_EDGES
from hadronic.builders.yield_join import Run, collect, plain
from hadronic.interaction.kernels import one_minus_cos_theta
from hadronic.species import MASS_GEV, PDG_IDS, PIM, PIP, P
from hadronic.tables.yield_file import YieldFile
from hadronic.tables.yield_rows import PROJECTILES

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
SCRIPT = next((ROOT / "scripts").rglob("build_yields.py"))
ENERGIES_GEV = (1.0, 10.0, 1e3, 1e5)
MEAN_PI_PLUS, MEAN_PI_MINUS = 2.0, 1.2
# x of pions ~ Beta(1, 4): <x> = 1/5; the one nucleon ~ Beta(3, 3).
PION_BETA, NUCLEON_BETA = (1.0, 4.0), (3.0, 3.0)


def load_script():
    spec = importlib.util.spec_from_file_location("build_yields", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class SyntheticSource:
    """Poisson numbers of pions and one proton, angles by the parametric law with `scale` times its s."""

    elastic = False

    def __init__(self, seed, scale=1.0):
        self.rng = np.random.default_rng(seed)
        self.scale = scale

    def batches(self, T_GeV, events):
        rng = self.rng
        while events > 0:
            number = min(1000, events)
            events -= number
            parts = []
            for code, mean in ((PIP, MEAN_PI_PLUS), (PIM, MEAN_PI_MINUS), (P, None)):
                count = np.ones(number, dtype=int) if mean is None else rng.poisson(mean, number)
                event = np.repeat(np.arange(number), count)
                kinetic = T_GeV * rng.beta(*(NUCLEON_BETA if mean is None else PION_BETA), event.size)
                mass = MASS_GEV[code]
                p = np.sqrt(kinetic * (kinetic + 2.0 * mass))
                # s of the parametric law is exponential; a multiple of it is a law that only a table has.
                u = -np.expm1(-self.scale * rng.exponential(size=event.size))
                w = np.array([one_minus_cos_theta(code, a, b) for a, b in zip(p, u, strict=True)])
                phi = rng.uniform(0.0, 2.0 * np.pi, event.size)
                sin = np.sqrt(w * (2.0 - w))
                vectors = (kinetic + mass, p * sin * np.cos(phi), p * sin * np.sin(phi), p * (1.0 - w))
                parts.append((event, np.full(event.size, PDG_IDS[code]), np.column_stack(vectors)))
            yield tuple(np.concatenate([part[i] for part in parts]) for i in range(3)), number


def synthetic_file(events=4000, scale=1.0, seed=1):
    """A table of yields of the synthetic generator for every projectile."""
    script = load_script()
    runs = []
    for k, projectile in enumerate(PROJECTILES):
        source = SyntheticSource(seed + k, scale)
        for T in ENERGIES_GEV:
            histogram = script.fill(source, projectile, T, events, np.random.default_rng(1))
            runs.append(Run("Synthetic", "Synthetic-1", histogram, 250.0, [1]))
    tables = plain(collect(runs), "Synthetic")
    return YieldFile("synthetic", "a test", X_EDGES, S_EDGES, tables, {"created": "2020-01-01"})
