"""Errors of the model in the report of a run: numbers against closed forms, and no such part without a calibration."""

from __future__ import annotations

import json
import re

import numpy as np

from sim3d.report.errors import model_section
from sim3d.results.gradients import SiteGradients
from sim3d.results.result import Result
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.gradients import BINS

NAMES = ["pi+@31", "primary:p:norm"]


def gradients(site):
    """d ln(flux) = 0.5 by pions (0 for electron neutrinos), 1 by the norm."""
    shape = (4, len(BINS.energies_GeV), len(BINS.cos_edges) - 1)
    slopes = np.zeros((*shape, 3))
    slopes[..., 0] = 1.0
    slopes[:2, ..., 1] = 0.5
    slopes[..., 2] = 1.0
    groups = np.repeat(slopes[None], N_GROUPS, axis=0)
    return SiteGradients(site, groups, np.ones(N_GROUPS, dtype=int), ("flux", *NAMES), {})


def test_three_errors_and_ratios(fake_result, monkeypatch):
    record = fake_result.record(sites=("kamioka",), batches=8, scoring={"gradients": NAMES})
    record.models.update(
        calibration="made",
        calibration_parameters=json.dumps(NAMES),
        calibration_sigma=json.dumps([0.06, 0.04]),
        calibration_covariance=json.dumps([0.06**2, 0.0, 0.04**2]),
    )
    result = Result(record)
    monkeypatch.setattr(result, "gradients", gradients)
    section = model_section(result, {"kamioka": np.full((4, 10), 0.12)})
    # numu: sqrt(0.03^2 + 0.04^2) = 5%, with 12% in quadrature 13%; nue: 4%
    assert section.body.count("12% / 5% / 13% (100% prior)") == section.body.count("12% / 4% / ")
    assert section.body.count("12% / 5% / 13%") >= 10
    # in the ratio of the sums the norm cancels: 3%; in those of charges everything does, up to rounding
    ratios = [float(one) for one in re.findall(r"± ([0-9.e-]+)%", section.body)]
    np.testing.assert_allclose(np.reshape(ratios, (-1, 3)), np.tile([0.0, 0.0, 3.0], (len(ratios) // 3, 1)), atol=1e-9)
    assert len(ratios) >= 15
    assert "The model is made" in section.body


def test_nothing_without_a_calibration(fake_result):
    assert model_section(fake_result(sites=("kamioka",)), {}) is None
