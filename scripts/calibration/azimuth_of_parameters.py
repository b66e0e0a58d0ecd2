"""Compute how much each parameter of a calibration changes the east-west asymmetry of neutrinos, in closed form.

    python scripts/calibration/azimuth_of_parameters.py muons-2026 [--site kamioka]

``Flux.shifted`` multiplies all azimuths by one factor. In one dimension the dependence on azimuth comes from cutoffs
alone: F(azimuth) is the flux behind the cutoff of that azimuth, from the cascade equations and cutoffs traced in the
IGRF (:mod:`sim3d.studies.sun_by_azimuth`). Printed is the asymmetry (west - east)/(west + east) of the mean of flavours
at 0.5 to 3 GeV, and its change, in percent of itself, by one standard deviation of each parameter after the fit.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.interpolate import PchipInterpolator

from geomag.cutoffs.whole_sky import WholeSky, whole_sky_map
from geomag.field.igrf import FieldModel
from geomag.sites import SITES
from sim3d.config.load import make_config
from sim3d.files.calibration_file import named_calibration, read_calibration
from sim3d.studies.sun_by_azimuth import RIGIDITIES_GV, at_cosine, flux_behind_cutoffs

ENERGIES_GEV = np.geomspace(0.5, 3.0, 9)
LARGEST_COSINE = 0.5
LEAST_SHOWN = 0.1
"""Percent."""


def asymmetry(sky: WholeSky, behind: np.ndarray) -> float:
    """Compute the asymmetry near the horizon.

    Parameters
    ----------
    sky : WholeSky
    behind : float64 array (cosine, cutoff, energy)
        From :func:`sim3d.studies.sun_by_azimuth.flux_behind_cutoffs`.

    Returns
    -------
    float
    """
    from_east = np.sin(np.radians(sky.azimuth_from_north_deg)) > 0.0
    halves = np.zeros(2)
    for cosine, cutoffs in zip(sky.cos_zenith, sky.effective_GV, strict=True):
        if abs(cosine) > LARGEST_COSINE:
            continue
        flux = PchipInterpolator(RIGIDITIES_GV, np.exp(at_cosine(behind, cosine)))(
            np.minimum(cutoffs, RIGIDITIES_GV[-1])
        )
        of_azimuth = flux @ ENERGIES_GEV  # equal steps in ln E
        halves += of_azimuth[from_east].sum(), of_azimuth[~from_east].sum()
    east, west = halves
    return float((west - east) / (west + east))


def main() -> None:
    """Print the changes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--site", default="kamioka", choices=sorted(SITES))
    options = parser.parse_args()
    stored = read_calibration(named_calibration(options.name))
    config = make_config({"sites": [{"name": options.site}], "calibration": {"name": options.name}})
    place = SITES[options.site]
    sky = whole_sky_map(place.lat, place.lon, FieldModel(config.field.date), cell_deg=9.0, step_GV=0.5)
    base = asymmetry(sky, flux_behind_cutoffs(config, ENERGIES_GEV))
    print(f"{options.site}: asymmetry {base:.4f}")
    changes = []
    for name, error in zip(stored.parameters, np.sqrt(np.diag(stored.covariance)), strict=True):
        size = float(error)
        varied = config.model_copy(update={"vary": {name: size}})
        changes.append((100.0 * (asymmetry(sky, flux_behind_cutoffs(varied, ENERGIES_GEV)) / base - 1.0), name, size))
    for change, name, size in sorted(changes, key=lambda one: -abs(one[0])):
        if abs(change) >= LEAST_SHOWN:
            print(f"  {name} + {size:.4g}: {change:+.2f}%")
    together = np.hypot.reduce([change for change, *_ in changes])
    print(f"  all others below {LEAST_SHOWN:g}%; in quadrature, without correlations, {together:.2f}%")


if __name__ == "__main__":
    main()
