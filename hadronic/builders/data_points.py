"""Turn measured yields into ratios to an event generator at the same x: `data_ratio.Ratios` of each secondary.

Spectra are compared in windows of x about their points. Measurements by angle are added over angles in ranges of
momentum; a scale on the generator's angles is fitted with the number, so that angles that were not measured are those
that the measured ones say.
"""

import itertools
from collections.abc import Callable
from typing import Final

import numpy as np

from hadronic.arrays import Array
from hadronic.builders.base_yields import BaseYields
from hadronic.builders.data_ratio import Ratios
from hadronic.measurements import NORMALISATION, AngleData, SpectrumData, carbon_to_air
from hadronic.species import MASS_GEV, species_code

# Half width in ln x of the window in which the generator is counted about a point.
WINDOW: Final = 0.12
# Spread of the scale on the generator's angles before the measurement: <pT> of generators differ by 10 to 20 % in bins
# of momentum (docs/reports/hadronic-inputs.md section 4).
ANGLE_SPREAD: Final = 0.15
ANGLE_SCALES: Final = np.exp(np.linspace(-0.6, 0.6, 49))
# Relative error of a single bin for the generator's shape in angle, which one scale does not describe.
SHAPE_ERROR: Final = 0.10
# Kaons of pi- that stand for those of pi+: what differs is the valence quark, 10 % in K+/K- of pi- (NA61/SHINE).
CARRIED_ERROR: Final = 0.10
# Share of the variance of a bin by angle that is common to all bins of a set: its errors contain systematic ones, whose
# correlations are not in the files. An assumption.
COMMON_SHARE: Final = 0.5


def _with_air(ln_x: Array, covariance: Array) -> Array:
    _, error = carbon_to_air(np.exp(ln_x))
    return covariance + np.outer(error, error)


def spectrum_ratios(base: BaseYields, one: SpectrumData, secondary: str, extra: float = 0.0) -> Ratios:
    """Compare a measured spectrum with a generator.

    Parameters
    ----------
    base : BaseYields
        The generator.
    one : SpectrumData
        The measurement.
    secondary : str
        Species of the generator that it is compared with.
    extra : float
        Relative error of each point that comes on top.

    Returns
    -------
    Ratios
        Air over generator.
    """
    half = np.minimum(WINDOW, 0.3 * (1.0 - one.x))
    low, high = one.x * np.exp(-half), one.x * np.exp(half)
    number, error = base.number_between(secondary, one.T_GeV, low, high)
    made = number > 0.0
    ratio, _ = carbon_to_air(one.x)
    value = np.log(one.density[made] * ratio[made] * (high - low)[made] / number[made])
    covariance = one.covariance[np.ix_(made, made)] + np.diag(error[made] ** 2 + extra**2)
    ln_x = np.log(one.x[made])
    return Ratios(
        secondary, one.experiment, float(np.log(one.T_GeV)), ln_x, value, _with_air(ln_x, covariance),
        NORMALISATION[one.experiment],
    )  # fmt: skip


def summed_kaons(base: BaseYields, plus: SpectrumData, minus: SpectrumData, secondary: str) -> Ratios:
    """Compare K+ and K- of pi- with the kaons of pi+, whose neutral ones they mirror.

    Parameters
    ----------
    base : BaseYields
        The generator.
    plus, minus : SpectrumData
        Measured K+ and K- of pi-.
    secondary : str
        "K0", which they mirror exactly; "K+" or "K-" take the ratio of the sum of both, with `CARRIED_ERROR`.

    Returns
    -------
    Ratios
        Air over generator.
    """
    x = plus.x
    other = np.exp(np.interp(np.log(x), np.log(minus.x), np.log(minus.density)))
    low, high = x * np.exp(-WINDOW), np.minimum(x * np.exp(WINDOW), 1.0)
    names = ("K0",) if secondary == "K0" else ("K+", "K-")
    parts = [base.number_between(name, plus.T_GeV, low, high) for name in names]
    number = sum((part[0] for part in parts), np.zeros_like(x))
    ratio, _ = carbon_to_air(x)
    value = np.log((plus.density + other) * ratio * (high - low) / number)
    error = np.hypot(plus.error * plus.density, np.interp(x, minus.x, minus.error) * other) / (plus.density + other)
    statistical = np.hypot.reduce([part[0] * part[1] for part in parts]) / number
    extra = 0.0 if secondary == "K0" else CARRIED_ERROR
    ln_x = np.log(x)
    covariance = _with_air(ln_x, np.diag(error**2 + statistical**2 + extra**2))
    return Ratios(
        secondary, plus.experiment, float(np.log(plus.T_GeV)), ln_x, value, covariance, NORMALISATION[plus.experiment]
    )


Numbers = Callable[[str, float, Array, Array], Array]
"""Secondary, kinetic energy, edges of momentum and of angle: mean numbers of the generator in the bins."""


def angle_ratios(numbers: Numbers, one: AngleData, secondary: str, p_edges_GeV: Array) -> tuple[Ratios, Array]:
    """Compare a measurement by momentum and angle with a generator.

    Parameters
    ----------
    numbers : callable
        The generator.
    one : AngleData
        The measurement.
    secondary : str
        Species of the generator that it is compared with.
    p_edges_GeV : float[n + 1]
        Ranges of momentum in which the bins are taken together.

    Returns
    -------
    ratios : Ratios
        Air over generator, of all angles.
    scales : float[ranges, 2]
        Scale on the generator's angles that fits best, and its error.
    """
    mass = float(MASS_GEV[species_code(secondary)])
    middle = one.p_GeV.mean(axis=1)
    total = one.T_GeV + float(MASS_GEV[species_code(one.projectile)])
    ln_x, values, errors, scales = [], [], [], []
    for low, high in itertools.pairwise(p_edges_GeV):
        here = (middle >= low) & (middle < high)
        if here.sum() < 3:
            continue
        p, theta = one.p_GeV[here], one.theta_rad[here]
        x = np.hypot(np.average(middle[here], weights=one.number[here] + 1e-12), mass) / total
        ratio, _ = carbon_to_air(x)
        data, error = one.number[here] * ratio, one.error[here] * ratio
        chi2, best = [], []
        # Angles are `scale` times the generator's.
        scaled = np.minimum(theta / ANGLE_SCALES[:, None, None], np.pi).reshape(-1, 2)
        every = numbers(secondary, one.T_GeV, np.tile(p, (ANGLE_SCALES.size, 1)), scaled)
        for scale, made in zip(ANGLE_SCALES, every.reshape(ANGLE_SCALES.size, -1), strict=True):
            variance = error**2 + (SHAPE_ERROR * made) ** 2
            factor = (data * made / variance).sum() / (made**2 / variance).sum()
            best.append((np.log(max(factor, 1e-3)), 1.0 / (factor**2 * (made**2 / variance).sum())))
            chi2.append(((data - factor * made) ** 2 / variance).sum() + (np.log(scale) / ANGLE_SPREAD) ** 2)
        weight = np.exp(-0.5 * (np.array(chi2) - min(chi2)))
        weight /= weight.sum()
        ln_factor, variance = np.array(best).T
        mean = float(weight @ ln_factor)
        excess = max(min(chi2) / max(int(here.sum()) - 1, 1), 1.0)
        values.append(mean)
        errors.append(np.sqrt(excess * (weight @ (variance + (ln_factor - mean) ** 2))))
        ln_scale = float(weight @ np.log(ANGLE_SCALES))
        scales.append((np.exp(ln_scale), np.sqrt(weight @ (np.log(ANGLE_SCALES) - ln_scale) ** 2)))
        ln_x.append(np.log(x))
    at = np.array(ln_x)
    # The typical bin's error counts for the common part, which adding bins does not reduce.
    bins = one.number > 0.0
    common = np.sqrt(COMMON_SHARE) * float(np.median(one.error[bins] / one.number[bins]))
    covariance = _with_air(at, (1.0 - COMMON_SHARE) * np.diag(np.array(errors) ** 2) + common**2)
    ratios = Ratios(
        secondary, one.experiment, float(np.log(one.T_GeV)), at, np.array(values), covariance,
        NORMALISATION[one.experiment],
    )  # fmt: skip
    return ratios, np.array(scales)
