"""Build a model of the primary cosmic-ray flux: spectra of five mass groups at a given solar modulation potential.

Energies are kinetic energies per nucleon E (GeV). Fluxes are per m2 s sr and per GeV (per nucleon). Nuclei are treated
by superposition, as A independent nucleons.

Sources
-------
Spectra: T. K. Gaisser, M. Honda, P. Lipari and T. Stanev, Proc. 27th ICRC (2001) 1643, as tabulated by Battistoni et
al., Astropart. Phys. 19 (2003) 269; the unit of K is m^-2 (the table prints cm^-2).
Charges and masses of the groups: docs/methods/primaries.md.
Force field: L. J. Gleeson and W. I. Axford, Astrophys. J. 154 (1968) 1011: with potential Phi,
J(E) = J_LIS(E + Phi Z/A) E (E + 2m) / ((E + Phi Z/A)(E + Phi Z/A + 2m)). It is applied relative to the potential of
the fit, whose data are from mid 1998 (AMS-01, BESS-98).
Potentials: :mod:`sim3d.primaries.solar`. Models of libraries: :mod:`sim3d.primaries.libraries`.
"""

from __future__ import annotations

import numpy as np

from sim3d.primaries.catalogue import DEFAULT_MODEL, MODELS, model_names
from sim3d.primaries.ghls import ghls_model
from sim3d.primaries.groups import PrimaryInputError
from sim3d.primaries.model import PrimaryModel
from sim3d.primaries.solar import FIT_POTENTIAL_MV, NAMED_MONTHS, date_of, potential_by_date


def primary_model(
    name: str = DEFAULT_MODEL,
    solar_potential_MV: float | str = "fit",
    date: str | None = None,
    join_GeV: float | None = None,
) -> PrimaryModel:
    """Build a model of the primary flux by name, modulated with the force field of a solar potential.

    Parameters
    ----------
    name : str
        One of :func:`model_names`.
    solar_potential_MV : float or str
        Force-field potential in MV (0 to 3000); or a month: "fit", "min", "max"
        (:data:`sim3d.primaries.solar.NAMED_MONTHS`), or "date". Months are those of
        :func:`sim3d.primaries.solar.potential_by_date`; the models ``gsf:`` have a series of their own.
    date : str, optional
        ``YYYY-MM-DD``, needed for "date".
    join_GeV : float, optional
        Kinetic energy per nucleon (GeV) below which the GHLS fits replace a model that does not hold at low energies
        (see :mod:`sim3d.primaries.libraries`). The default is 100 GeV.

    Returns
    -------
    PrimaryModel

    Raises
    ------
    PrimaryInputError, SolarInputError
        For an unknown model, a library that is not installed, a potential out of range, a month without potential, or a
        ``join_GeV`` out of range or for a model that is not joined.

    Examples
    --------
    >>> model = primary_model("ghls2001-average", "date", "2009-07-01")
    >>> model.solar_potential_MV, round(float(model.flux("p", 10.0)), 2)
    (430.0, 21.78)
    """
    if name not in model_names():
        raise PrimaryInputError(f"primaries.model: {name!r} is not one of {', '.join(model_names())}")
    month = None
    if isinstance(solar_potential_MV, str):
        month = _date(solar_potential_MV, date)
        # a Global Spline Fit has its own series of potentials, for its own interstellar spectrum; see below
        potential, words = (FIT_POTENTIAL_MV, "") if name.startswith("gsf:") else potential_by_date(month)
    else:
        potential, words = float(solar_potential_MV), "given"
        if not 0.0 <= potential <= 3000.0:
            raise PrimaryInputError(f"primaries.solar_potential_MV: {potential} is not between 0 and 3000")
    if name not in MODELS:
        from sim3d.primaries.libraries import library_spectrum

        found = library_spectrum(name, month, join_GeV)
        if found.potential_MV is not None:
            potential, words, delta = found.potential_MV, found.solar, 0.0
        else:
            delta = (potential - FIT_POTENTIAL_MV) * 1e-3
        return PrimaryModel(
            name, potential, np.zeros((5, 2, 5)), delta, found.table, found.source, words, found.relative_error
        )
    if join_GeV is not None:
        raise PrimaryInputError(f"primaries.join_GeV: {join_GeV:g} is for models of libraries, not for {name}")
    return ghls_model(name, potential, words)


def _date(name: str, date: str | None) -> str:
    """Date that a word for the solar modulation stands for."""
    if name in NAMED_MONTHS:
        return date_of(name)
    if name != "date":
        raise PrimaryInputError(f"primaries.solar: {name!r} is not one of {', '.join([*NAMED_MONTHS, 'date'])}")
    if date is None:
        raise PrimaryInputError('primaries.solar: "date" needs a date')
    return date
