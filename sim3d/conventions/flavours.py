"""The four neutrino flavours: their codes in the kernels, their names and their PDG ids."""

from __future__ import annotations

from typing import Any

from sim3d.errors import InputError

NUMU, NUMUBAR, NUE, NUEBAR = range(4)
FLAVOURS = ("numu", "numubar", "nue", "nuebar")
FLAVOUR_PDG_IDS = (14, -14, 12, -12)


def flavour_index(flavour: Any) -> int:
    """Return the index of a flavour in arrays of fluxes.

    Parameters
    ----------
    flavour : str or int
        Name (numu, numubar, nue, nuebar, nutau, nutaubar) or PDG id.

    Returns
    -------
    int
        Index in :data:`FLAVOURS`; tau neutrinos have the index after the last.

    Raises
    ------
    InputError
        For an unknown flavour.
    """
    if flavour in FLAVOURS:
        return FLAVOURS.index(flavour)
    if flavour in FLAVOUR_PDG_IDS:
        return FLAVOUR_PDG_IDS.index(int(flavour))
    if flavour in ("nutau", "nutaubar", 16, -16):
        return len(FLAVOURS)
    raise InputError(f"flavour: {flavour!r} is not one of {', '.join(FLAVOURS)}, nutau, nutaubar or a PDG id")
