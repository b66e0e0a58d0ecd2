"""Fits to muons of other models: a truth that the parameters describe gives its neutrinos, another one makes a term."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sim3d.calibration import truths
from sim3d.calibration.control import CascadePoints
from sim3d.calibration.fit import FittedSet, fit, left_out
from sim3d.calibration.growth import ALLOWED
from sim3d.calibration.neutrino_points import NEUTRINO_COSINES, NEUTRINO_GEV
from sim3d.calibration.predictions import Response

NAMES = ("pi+@31", "pi-@31")
PRIOR = np.diag([0.05, 0.06]) ** 2
P = np.geomspace(1.0, 300.0, 12)
N = len(NEUTRINO_GEV) * len(NEUTRINO_COSINES)
OF_MUONS = np.stack([0.6 + 0.05 * np.log(P), 0.3 - 0.05 * np.log(P)], axis=1)
LN_E = np.log(np.repeat(NEUTRINO_GEV, len(NEUTRINO_COSINES)))
OF_NEUTRINOS = np.stack([np.stack([0.4 + 0.02 * LN_E + 0.1 * f, 0.5 - 0.02 * LN_E - 0.1 * f], -1) for f in range(4)])
INSIDE = {"pi+@31": 0.03, "pi-@31": -0.04}
BUMP = 0.2 * np.exp(-((LN_E - np.log(0.5)) ** 2) / 0.5)


class LinearMuons:
    """Fluxes whose logarithms are linear in the parameters, in the place of the cascade equations."""

    def __init__(self, measurements, model):
        self.model = model

    def fluxes(self, values, depth_step_g_cm2):
        name = self.model["hadronic"]
        used = INSIDE if name == "inside" else values
        theta = np.array([used.get(one, 0.0) for one in NAMES])
        outside = BUMP if name == "outside" else 0.0
        return SimpleNamespace(muons=np.exp(OF_MUONS @ theta), neutrinos=np.exp(OF_NEUTRINOS @ theta + outside))


@pytest.fixture
def calibrated(monkeypatch):
    monkeypatch.setattr(truths, "CascadeMuons", LinearMuons)
    monkeypatch.setattr(truths, "_values", lambda measurements, fluxes: {"mine": fluxes.muons, "other": fluxes.muons})
    monkeypatch.setattr(truths, "neutrinos_at", lambda fluxes: fluxes.neutrinos)
    sets = []
    for name in ("mine", "other"):
        errors = 0.02 * np.ones(len(P))
        response = Response(name, NAMES, np.ones(len(P)), OF_MUONS, 1e-6 * np.eye(len(P)), np.full((len(P), 1), 0.02))
        data = np.exp(OF_MUONS @ [0.01, 0.02])
        sets.append(FittedSet(response, np.zeros(2), data, np.diag(errors**2), ("norm",), (("flux", len(P)),)))
    found = fit(sets, NAMES, PRIOR, quick=True)
    neutrinos = CascadePoints(np.ones((4, N)), np.ones((4, N)), OF_NEUTRINOS)
    without = {name: values for name, (values, _) in left_out(sets, found).items()}
    model = {"hadronic": "default", "primaries": "ghls2001-average"}
    return lambda names: truths.grow_by_truths(names, [], model, sets, found, PRIOR, neutrinos, without)


def test_a_truth_that_the_parameters_describe_lies_inside(calibrated):
    """What is left of it is what the priors keep the fit from, a part of its distance."""
    grown = calibrated(["inside"])
    truth = grown.truths[-1]
    before = (OF_NEUTRINOS @ [INSIDE[name] for name in NAMES]).ravel()
    assert np.linalg.norm(truth.difference) < 0.5 * np.linalg.norm(before)
    assert truth.chi2 < 3.0
    assert not grown.modes.names
    assert grown.after["inside"].worst < ALLOWED


def test_a_truth_outside_makes_a_term(calibrated):
    """Its muons are the default's, so no parameter moves, and the neutrinos lie off by the bump."""
    grown = calibrated(["inside", "outside"])
    assert grown.modes.names == ("model:outside",)
    np.testing.assert_allclose(grown.truths[-1].difference.reshape(4, N), np.tile(BUMP, (4, 1)), atol=1e-6)
    assert grown.after["outside"].worst == pytest.approx(ALLOWED, rel=1e-6)
    record = {one["name"]: one for one in grown.record}
    np.testing.assert_allclose(
        grown.modes.changes[0].reshape(4, N), record["outside"]["share"] * np.tile(BUMP, (4, 1)), atol=1e-7
    )
    # the same data twice: without either of them little moves
    assert record["without-mine"]["largest"] < 1.0
    assert record["without-other"]["left_out"]


def test_the_models_of_a_truth():
    model = {"hadronic": "accelerator", "primaries": "gsf:2026.1", "atmosphere": "nrlmsis"}
    other = truths.model_of("primaries=crflux:GH", model)
    assert (other["hadronic"], other["primaries"], other["highest_GeV"]) == ("accelerator", "crflux:GH", 1.0e6)
    assert truths.model_of("pythia8", model)["hadronic"] == "pythia8"
