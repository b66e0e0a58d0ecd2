"""Write a table of hadronic yields from arrays: the first step to a hadronic model of your own.

    python examples/my_yields.py my_yields.h5
    sim3d zfactors --table my_yields.h5
    sim3d run mysite.toml -o mysite.h5       with [hadronic] model = "table", table = "my_yields.h5"

The spectra here are made up (scaling in x, no source): put yours in their place. Protons alone are given; pions and
kaons interact as in urqmd-sibyll.
"""

import sys

import numpy as np
from scipy.stats import beta

from hadronic.energy_carried import energy_carried, range_in_words, warning_of
from hadronic.models import load_model
from hadronic.tables.from_arrays import Spectra, yield_file_of_spectra
from hadronic.tables.yield_file import write_yield_file

PATH = sys.argv[1] if len(sys.argv) > 1 else "my_yields.h5"
T_GEV = np.array([2.0, 10.0, 100.0, 1.0e3, 1.0e5])  # kinetic energy of the proton
SIGMA_MB = np.array([284.0, 284.0, 274.0, 290.0, 350.0])  # on air
X_EDGES = np.geomspace(1e-6, 1.0, 241)  # x = kinetic energy of the secondary over that of the proton

# mean share of the energy, mean number, and b of the shape Beta(a, b) of x, whose mean is share / number
SPECIES = {
    "pi+": (0.16, 2.0, 4.0),
    "pi-": (0.12, 1.6, 4.5),
    "pi0": (0.15, 1.8, 4.2),
    "K+": (0.025, 0.12, 4.0),
    "K-": (0.012, 0.09, 5.0),
    "K0": (0.03, 0.18, 4.5),
    "p leading": (0.28, 0.62, 1.3),
    "n leading": (0.13, 0.38, 1.8),
}


def spectra_of(row: str) -> np.ndarray:
    """Mean of dn/dx over the bins at every energy; fewer mesons and harder nucleons at low energy."""
    share, number, b = SPECIES[row]
    nodes = []
    for f in T_GEV / (T_GEV + 3.0):
        here = (share * (2.0 - f), number) if row.endswith("leading") else (share * f, number * f)
        mean = here[0] / here[1]
        law = beta(b * mean / (1.0 - mean), b)
        nodes.append(here[1] * np.diff(law.cdf(X_EDGES)) / np.diff(X_EDGES))
    return np.array(nodes)


protons = Spectra(T_GEV, {row: spectra_of(row) for row in SPECIES}, SIGMA_MB)
content = yield_file_of_spectra("my-yields", X_EDGES, {"p": protons}, description="made-up spectra, an example")
write_yield_file(PATH, content)

rows = energy_carried(load_model(table=PATH))
print(f"{PATH}: {range_in_words(rows)}")
if warning := warning_of(rows):
    print(f"warning: {warning}")
