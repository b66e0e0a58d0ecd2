"""Compare a model with measured yields on carbon: model over measurement point by point, and chi2.

The model is for air; its yields are carried to carbon by `hadronic.measurements.carbon_to_air`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hadronic.arrays import Array
from hadronic.measurements import (
    NORMALISATION,
    AngleData,
    SpectrumData,
    angle_data,
    carbon_to_air,
    pion_spectra,
    proton_spectra,
)
from hadronic.models import HadronicModel
from hadronic.observables.production import numbers_in_bins
from hadronic.observables.yields import number_above
from hadronic.species import MASS_GEV, species_code

# Half width in ln x of the window about a point in which the model's secondaries are counted; less near x = 1.
WINDOW: Final = 0.12


@dataclass(frozen=True)
class Channel:
    """A model beside one measurement.

    Attributes
    ----------
    data : SpectrumData or AngleData
        The measurement.
    model : str
        Name of the model.
    measured, predicted : float[n]
        dN/dx, or numbers in bins, per production event on carbon.
    error : float[n]
        Of `measured`, absolute, without the normalisation.
    chi2 : float
        With the correlations of the measurement that are known, its normalisation and the error of the step to air.
    """

    data: SpectrumData | AngleData
    model: str
    measured: Array
    predicted: Array
    error: Array
    chi2: float

    @property
    def points(self) -> int:
        """Number of points."""
        return int(self.measured.size)


def compare_spectrum(model: HadronicModel, data: SpectrumData) -> Channel:
    """Compare dN/dx of a model with a measurement.

    Parameters
    ----------
    model : HadronicModel
        The model.
    data : SpectrumData
        The measurement.

    Returns
    -------
    Channel
        Both, and chi2.
    """
    projectile, secondary = species_code(data.projectile), species_code(data.secondary)
    mass, total = float(MASS_GEV[secondary]), data.T_GeV + float(MASS_GEV[projectile])
    half = np.minimum(WINDOW, 0.3 * (1.0 - data.x))
    low, high = data.x * np.exp(-half), data.x * np.exp(half)
    above = [
        np.array(
            [number_above(model, projectile, secondary, data.T_GeV, (x * total - mass) / data.T_GeV) for x in edge]
        )
        for edge in (low, high)
    ]
    ratio, air = carbon_to_air(data.x)
    predicted = (above[0] - above[1]) / (high - low) / ratio
    covariance = data.covariance + NORMALISATION[data.experiment] ** 2 + np.outer(air, air)
    # Of logarithms, as the measurements were fitted; a model without such secondaries counts as 1e-6 of them.
    difference = np.log(data.density / np.maximum(predicted, 1e-6 * data.density))
    chi2 = float(difference @ np.linalg.solve(covariance, difference))
    return Channel(data, model.name, data.density, predicted, data.error * data.density, chi2)


def compare_angles(model: HadronicModel, data: AngleData) -> Channel:
    """Compare numbers in bins of momentum and angle with a measurement.

    Parameters
    ----------
    model : HadronicModel
        The model.
    data : AngleData
        The measurement.

    Returns
    -------
    Channel
        Both, and chi2 with independent errors of the bins and a common normalisation.
    """
    projectile, secondary = species_code(data.projectile), species_code(data.secondary)
    total = data.T_GeV + float(MASS_GEV[projectile])
    x = np.hypot(data.p_GeV.mean(axis=1), MASS_GEV[secondary]) / total
    ratio, air = carbon_to_air(x)
    predicted = numbers_in_bins(model, projectile, secondary, data.T_GeV, data.p_GeV, data.theta_rad) / ratio
    covariance = np.diag(data.error**2) + np.outer(air * predicted, air * predicted)
    covariance += NORMALISATION[data.experiment] ** 2 * np.outer(predicted, predicted)
    difference = data.number - predicted
    chi2 = float(difference @ np.linalg.solve(covariance, difference))
    return Channel(data, model.name, data.number, predicted, data.error, chi2)


def compare_all(model: HadronicModel) -> list[Channel]:
    """Compare a model with every measurement.

    Parameters
    ----------
    model : HadronicModel
        The model.

    Returns
    -------
    list of Channel
        Spectra of protons and of pi-, then those by angle.
    """
    spectra = [compare_spectrum(model, data) for data in (*proton_spectra(), *pion_spectra())]
    return spectra + [compare_angles(model, data) for data in angle_data()]
