"""Models beside measurements: chi2 of what is known."""

from dataclasses import replace

import numpy as np
import pytest
from made_once import MadeOnce

from hadronic.measurements import NORMALISATION, angle_data, carbon_to_air, proton_spectra
from hadronic.models import load_model
from hadronic.observables.measured import compare_angles, compare_spectrum

MODELS = MadeOnce(("urqmd-sibyll",), load_model)


def test_a_model_agrees_with_itself_and_a_common_factor_costs_its_normalisation():
    data = proton_spectra()[1]
    channel = compare_spectrum(MODELS["urqmd-sibyll"], data)
    itself = replace(data, density=channel.predicted)
    assert compare_spectrum(MODELS["urqmd-sibyll"], itself).chi2 == pytest.approx(0.0, abs=1e-12)
    shifted = compare_spectrum(MODELS["urqmd-sibyll"], replace(itself, density=1.05 * channel.predicted))
    most = (np.log(1.05) / NORMALISATION[data.experiment]) ** 2
    # A common factor is a normalisation; the step to air and the errors of the points make it cheaper.
    assert carbon_to_air(data.x)[1].min() >= 0.01
    assert 0.2 * most < shifted.chi2 < most


def test_angles_of_a_model_agree_with_themselves():
    data = angle_data()[0]
    channel = compare_angles(MODELS["urqmd-sibyll"], data)
    assert channel.points == 70
    itself = compare_angles(MODELS["urqmd-sibyll"], replace(data, number=channel.predicted))
    assert itself.chi2 == pytest.approx(0.0, abs=1e-12)
    one = channel.predicted.copy()
    one[3] += 2.0 * data.error[3]
    assert compare_angles(MODELS["urqmd-sibyll"], replace(data, number=one)).chi2 == pytest.approx(4.0, rel=0.2)
