"""Descriptions of the conventions (signs, units, angles) that are written to files and to the terminal.

One convention has one wording here; file formats that state fewer conventions use a part of them.
"""

from __future__ import annotations

from sim3d.conventions.binning import SUB_BINS

FLUX_UNIT = "m^-2 s^-1 sr^-1 GeV^-1"
COS_ZENITH_OF_NEUTRINO = "+1 is down-going, of the direction the neutrino comes from"
AZIMUTH_FROM_SOUTH = "arrival direction, degrees counter-clockwise from south: 0 S, 90 E, 180 N, 270 W"

SITE_FRAME, CROSSING_FRAME = "site", "crossing"
AZIMUTH_FRAMES = {
    SITE_FRAME: "of the site, carried along the great circle to the crossing (at a pole: of the site's meridian)",
    CROSSING_FRAME: "geographic, at the crossing itself (as made before azimuth_frame was stated)",
}
"""What south and east are from which azimuths are counted, by the name that a result states as ``azimuth_frame``."""

RESULT_CONVENTIONS = {
    "convention_cos_zenith": "+1 is down-going, of the direction the particle comes from, at the crossing's vertical",
    "convention_azimuth": f"{AZIMUTH_FROM_SOUTH}; south and east {AZIMUTH_FRAMES[SITE_FRAME]}",
    "convention_flux": FLUX_UNIT,
    "convention_energy": "GeV: total energy of neutrinos, kinetic energy per nucleon of primaries",
    "convention_asymmetry": "A = (N_E - N_W)/(N_E + N_W), N_E travelling towards that east (arriving from the west)",
    "convention_detector": "flat sheet on the sphere at the site, zenith angles at the crossing's own vertical",
    "convention_horizon": f"a crossing counts 1/|cos| at the middle of its sub-bin, {0.05 / SUB_BINS:g} wide",
}
"""Attributes of the result file; they are part of its format (docs/manual/formats.md)."""

EXPORT_CONVENTIONS = {
    "convention_cos_zenith": COS_ZENITH_OF_NEUTRINO,
    "convention_azimuth": AZIMUTH_FROM_SOUTH,
}
"""Attributes of exported flux tables, for azimuths whose frame is not known; see :func:`export_conventions`."""

CSV_CONVENTIONS = (
    f"unit: {FLUX_UNIT}",
    "energy_GeV: log centre of a bin, 20 bins per decade",
    f"cos_zenith: {COS_ZENITH_OF_NEUTRINO}",
    "azimuth: arrival direction, degrees counter-clockwise from SOUTH (0 S, 90 E, 180 N, 270 W)",
    "error: statistical, 1 sigma, absolute; where flux is 0 nothing was hit and error is the upper limit",
)
"""Comment lines of flux tables in CSV: unit, energy, cos_zenith, azimuth, error."""

CUTOFF_CONVENTIONS = {
    "azimuth_from_north_deg": "where the particle comes from, from north through east",
    "position": "geodetic (WGS84); the vertical is the normal of the ellipsoid",
    "allowed": "the antiparticle reaches 10 Earth radii (of 6371.2 km)",
    "forbidden": "it falls below the floor, or its path exceeds max_path_radii (undecided)",
    "upper_GV": "first rigidity above the highest forbidden one",
    "lower_GV": "lowest allowed rigidity",
    "effective_GV": "upper minus step times the number of allowed rigidities in [lower, upper)",
}
"""Conventions in the output of ``sim3d cutoff --json``. Azimuths are from north there, as is usual in geography."""


def azimuth_words(frame: str) -> str:
    """Describe azimuths of a frame.

    Parameters
    ----------
    frame : str
        Key of :data:`AZIMUTH_FRAMES`; anything else is a frame that is not known, and is not mentioned.

    Returns
    -------
    str
    """
    known = AZIMUTH_FRAMES.get(frame)
    return AZIMUTH_FROM_SOUTH if known is None else f"{AZIMUTH_FROM_SOUTH}; south and east {known}"


def result_conventions(frame: str) -> dict[str, str]:
    """Return :data:`RESULT_CONVENTIONS` with the azimuth of the given frame (:func:`azimuth_words`)."""
    return RESULT_CONVENTIONS | {"convention_azimuth": azimuth_words(frame)}


def export_conventions(frame: str) -> dict[str, str]:
    """Return :data:`EXPORT_CONVENTIONS` with the azimuth of the given frame (:func:`azimuth_words`)."""
    return EXPORT_CONVENTIONS | {"convention_azimuth": azimuth_words(frame)}


def csv_conventions(frame: str) -> tuple[str, ...]:
    """Return :data:`CSV_CONVENTIONS`, with a line about the frame of the azimuth if it is known."""
    unit, energy, cos, azimuth, error = CSV_CONVENTIONS
    known = AZIMUTH_FRAMES.get(frame)
    return (unit, energy, cos, azimuth, *([] if known is None else [f"south and east: {known}"]), error)
