"""A small sample with known weights, in two observables."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim3d.measurement.binning import Binning, category_axis, log_axis
from sim3d.measurement.model import Component, Model, Slopes
from sim3d.measurement.parameters import Parameter, Prior
from sim3d.measurement.samples import Sample


@pytest.fixture(scope="session")
def toy():
    """Two components on one sample and one on another: norms, an index, a tilt and three nuisances."""
    rng = np.random.default_rng(5)
    n = 4000

    def make(size):
        energy = 1e4 * rng.random(size) ** (-1.0 / 1.5)
        columns = {
            "energy_GeV": energy, "cos_zenith": rng.uniform(-1, 1, size), "kind": rng.integers(0, 2, size),
            "seen": energy * np.exp(0.2 * rng.normal(size=size)),
        }  # fmt: skip
        return Sample(columns)

    sample, other = make(n), make(n // 2)
    binning = Binning(log_axis("seen", 2e4, 1e6, 6), category_axis("kind", [0, 1]))
    x = np.log(sample.role("energy_GeV") / 1e5)
    cos = sample.role("cos_zenith")
    names = ("a", "b", "c")
    slopes = np.stack([0.1 + 0.02 * x, 0.05 * cos, -0.03 * x], axis=1)
    covariance = np.array([[1.0, 0.3, 0.0], [0.3, 0.8, 0.1], [0.0, 0.1, 1.2]])
    air = Component(
        "air", sample, 0.02 * np.exp(-1.5 * x),
        (Parameter("N_air", 1.0, low=0.0), Parameter("tilt", 0.0), *(Parameter(name, 0.0) for name in names)),
        ("N_air",), {"tilt": -x}, None, Slopes(names, lambda rows: slopes[rows]),
        (Prior.of(names, np.zeros(3), covariance),),
    )  # fmt: skip
    far = Component(
        "far", sample, 0.01 * np.exp(-0.2 * x), (Parameter("N_far", 1.0, low=0.0), Parameter("gamma", 2.5)), ("N_far",),
        {"gamma": -x},
    )  # fmt: skip
    noise = Component("noise", other, np.full(n // 2, 0.004), (Parameter("N_noise", 1.0),), ("N_noise",))
    priors = (Prior.of("N_noise", 1.0, 0.2), Prior.of("tilt", 0.0, 0.1))
    return SimpleNamespace(
        model=Model(binning, (air, far, noise), priors), sample=sample, other=other, binning=binning, slopes=slopes,
        air=air, far=far, noise=noise, names=names, covariance=covariance, x=x,
    )  # fmt: skip
