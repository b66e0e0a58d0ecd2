"""Gradients of muons: against full runs with other parameters, exact weights, and identities."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.results.jackknife import jackknife
from sim3d.results.muon_gradients import muon_gradients
from sim3d.results.result import Result
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.simulation.engine import simulate

WANTED = ["yields", "cross-sections", "primaries", "solar"]
POINTS = {
    "pions": {"pi+@12": 0.2, "pi-@12": 0.2, "pi+@31": 0.3, "pi-@31": -0.2, "pi-@158": 0.2},
    "shapes": {"tilt@31": 0.15, "tilt@158": 0.15, "elasticity@12": 0.1, "elasticity@158": 0.1, "p@31": 0.1},
    "kaons": {"K+@31": 0.5, "K+@158": 0.5, "K0/K": 0.3, "pion:pi": 0.15},
    "cross-sections": {"sigma:nucleon": 0.12, "sigma:pion": 0.2, "sigma:kaon": 0.1},
    "primaries": {"primary:p@20": 0.2, "primary:p@100": -0.2, "primary:He:norm": 0.2, "primary:p:slope": 0.05},
    "solar": {"solar:MV": 200.0},
}


def run(primaries=48_000, seed=3, gradients=(), points=(), vary=None, **more):
    table = {
        "run": {"primaries": primaries, "batch_size": primaries // 48, "seed": seed},
        "primaries": {"model": "ghls2001-average", "solar": "fit", "energy_GeV": [2.0, 1e5], "energy_index": 1.4},
        "hadronic": {"model": "urqmd-sibyll"},
        "scoring": {
            "neutrinos": False,
            "muons": True,
            "gradients": list(gradients) or False,
            "variations": [{"name": name, "parameters": values} for name, values in dict(points).items()],
        },
        "sites": [{"name": "lynn-lake", "lat": 56.5, "lon": -101.0, "patch": {"radius_deg": 3.0}}],
        "muons": {
            "momentum_GeV": [1.0, 100.0], "bins_per_decade": 2, "cos_zenith_edges": [0.5, 0.8, 1.0],
            "altitudes_km": [10.0],
        },
        "vary": vary or {},
    }  # fmt: skip
    return Result(simulate(make_config({**table, **more}), 1))


@pytest.fixture(scope="module")
def base():
    return muon_gradients(run(gradients=WANTED, points=POINTS))


def sums(gradients):
    """Integrals by group, level, charge and three bands of momentum, over zenith; the last axis: columns."""
    whole = gradients.groups.sum(axis=4)
    return np.stack([whole[:, :, :, a:b].sum(axis=3) for a, b in ((0, 1), (1, 2), (2, None))], axis=3)


def check(base, kind, primaries, least=0.008):
    """The exact weights of a point, and the linear prediction, against a full run with these parameters."""
    values = POINTS[kind]
    other = sums(muon_gradients(run(primaries, points={"none": {}}, vary=values)))[..., 0]
    own = sums(base)
    flux, exact = own[..., 0], own[..., base.column(f"variation:{kind}")]
    linear = flux + sum(own[..., base.column(name)] * value for name, value in values.items())
    stacked = np.stack([other - exact, linear - exact, exact - flux, flux], axis=1)
    value, error = jackknife(lambda m: m[:3] / m[3], stacked, np.ones(N_GROUPS), signed=True)
    z = value[0] / error[0]
    assert np.all(np.abs(z) < 4.5), z
    assert np.mean(z**2) < 1.1 + 4.0 * np.sqrt(2.0 / z.size), z
    # the step moves the flux, and most of it is linear
    assert np.abs(value[2]).max() > least
    assert np.all(np.abs(value[1]) < 0.5 * np.abs(value[2]) + 0.03)


# all kinds run in test_full_runs_with_other_parameters, with twenty times the primaries (`make validate`)
@pytest.mark.parametrize("kind", ["pions", "shapes"])
def test_a_full_run_with_other_parameters(base, kind):
    check(base, kind, 48_000)


@pytest.mark.slow
@pytest.mark.parametrize("kind", POINTS)
def test_full_runs_with_other_parameters(kind):
    check(muon_gradients(run(960_000, gradients=WANTED, points=POINTS)), kind, 960_000)


def test_derivatives_are_those_of_the_exact_weights():
    """In one run the central difference of two exact points is the derivative, to the square of the step."""
    names = ("pi-@12", "tilt@31", "elasticity@158", "p@31", "n@158", "K0/K", "K-@158", "pion:pi", "sigma:pion",
             "primary:p@100", "primary:He@20", "solar:MV")  # fmt: skip
    step = {name: 1.0 if name == "solar:MV" else 1e-3 for name in names}
    points = {f"v{i}{sign:+d}": {n: sign * step[n]} for i, n in enumerate(names) for sign in (1, -1)}
    found = muon_gradients(run(9_600, gradients=WANTED, points=points))
    mean = found.groups.mean(axis=0).sum(axis=(0, 3))
    for i, name in enumerate(names):
        up, down = (mean[..., found.column(f"variation:v{i}{sign:+d}")] for sign in (1, -1))
        scale = mean[..., 0].max() * (1e-3 if name == "solar:MV" else 1.0)
        derivative = mean[..., found.column(name)]
        np.testing.assert_allclose((up - down) / (2.0 * step[name]), derivative, rtol=2e-3, atol=3e-4 * scale)
        assert np.abs(derivative).max() > 2e-3 * scale


def test_identities_and_the_flux_itself(base):
    """Norms of all groups add up to the flux, pivots of protons to their norm; no bit of the flux moves."""
    own = base.groups
    norms = sum(own[..., base.column(name)] for name in base.parameters if name.endswith(":norm"))
    np.testing.assert_allclose(norms, own[..., 0], rtol=1e-5, atol=1e-9 * own[..., 0].max())
    pivots = sum(own[..., base.column(name)] for name in base.parameters if name.startswith("primary:p@"))
    protons = own[..., base.column("primary:p:norm")]
    np.testing.assert_allclose(pivots, protons, rtol=1e-5, atol=1e-9 * own[..., 0].max())
    plain = run(4_800).extra("muons").arrays()
    more = run(4_800, gradients=WANTED).extra("muons").arrays()
    for name, array in plain.items():
        np.testing.assert_array_equal(array, more[name], err_msg=name)


def test_what_a_user_calls(base):
    slope, error = base.gradient("pi+@31")
    assert slope.shape == (2, 2, 4, 2)
    assert (error > 0).any()
    ratio, ratio_error = base.vary({"pi+@31": 0.1, "pi-@31": 0.1}, charges=("mu+",))
    relative, _ = base.gradient("pi+@31", relative=True)
    both = base.gradient("pi-@31", relative=True)[0]
    np.testing.assert_allclose(ratio, 1.0 + 0.1 * (relative + both)[:, 0], rtol=1e-9)
    assert np.all(ratio_error < 0.1)
    with pytest.raises(InputError, match="angle:pion"):
        base.gradient("angle:pion")
    with pytest.raises(InputError, match="gradients of muons"):
        muon_gradients(run(4_800))
