"""Covariance of the parameters of `accelerator`: the shipped file, and what its sizes must be."""

import numpy as np
import pytest

from hadronic.builders.accelerator_errors import KNOTS_GEV, SPECIES, covariance_csv, parameter_name
from hadronic.reference import accelerator_covariance


def test_names_are_those_of_a_run_s_parameters():
    from sim3d.config.parameters import KNOTS_GEV as OF_A_RUN
    from sim3d.config.parameters import YIELD_SPECIES, yield_name

    names = {parameter_name(species, knot) for species in SPECIES for knot in KNOTS_GEV}
    of_a_run = {yield_name(species, knot) for species in YIELD_SPECIES for knot in OF_A_RUN[species] if knot >= 12.0}
    assert of_a_run <= names


def test_the_shipped_covariance_is_one():
    names, matrix = accelerator_covariance()
    assert len(names) == len(SPECIES) * len(KNOTS_GEV)
    np.testing.assert_allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > -1e-6
    errors = dict(zip(names, np.sqrt(np.diag(matrix)), strict=True))
    # Measured to a few percent, with 2.5 % of normalisation; less is known below and above.
    for name in ("pi+@31", "pi-@31", "pi+@158", "pi-@158"):
        assert 0.02 < errors[name] < 0.08
    assert errors["pi+@12"] > errors["pi+@31"]
    assert errors["pi+@20000"] > 2.0 * errors["pi+@158"]
    assert errors["n@158"] > errors["p@158"]


def test_energy_makes_nucleons_and_pions_anticorrelated():
    names, matrix = accelerator_covariance()
    i, j = names.index("p@158"), names.index("n@158")
    assert matrix[i, j] < 0.0


def test_the_table_is_read_as_it_was_written(tmp_path):
    text = covariance_csv(["pi+@31", "p@31"], np.array([[0.01, 0.002], [0.002, 0.04]]), "words")
    lines = text.splitlines()
    assert lines[0] == "# words"
    assert lines[1] == "parameter,error,pi+@31,p@31"
    assert lines[3].split(",")[1] == "0.2000"
    assert float(lines[2].split(",")[3]) == pytest.approx(0.002)
