"""The four neutrino flavours: their codes in the kernels, their names and their PDG ids.

Files and programs of the field spell the names in many ways (``numu_bar``, ``anumu``, ``anti_nu_mu``, ``NuMuBar``,
``-14``); :func:`flavour_name` is the one place where they are translated.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim3d.errors import InputError

NUMU, NUMUBAR, NUE, NUEBAR = range(4)
FLAVOURS = ("numu", "numubar", "nue", "nuebar")
FLAVOUR_PDG_IDS = (14, -14, 12, -12)

TAU_FLAVOURS = ("nutau", "nutaubar")
"""Tau neutrinos, of which air showers make none below the energies of charmed hadrons; their flux here is 0."""

ALL_FLAVOURS = (*FLAVOURS, *TAU_FLAVOURS)

_PDG_NAMES = dict(zip((*FLAVOUR_PDG_IDS, 16, -16), ALL_FLAVOURS, strict=True))

_GREEK = str.maketrans({"ν": "nu", "μ": "mu", "µ": "mu", "τ": "tau", "\u0304": "bar", "\u0305": "bar"})


def flavour_name(text: Any) -> str | None:
    r"""Translate the name of a neutrino flavour to this project's name for it.

    Case, underscores, hyphens, spaces and LaTeX's braces do not matter. An antineutrino is marked by ``bar`` anywhere,
    or by ``anti``, ``anti-`` or ``a`` in front. PDG ids are taken as numbers or as text.

    Parameters
    ----------
    text : str or int

    Returns
    -------
    str or None
        One of :data:`ALL_FLAVOURS`; None for anything else.

    Examples
    --------
    >>> [flavour_name(x) for x in ("numu_bar", "anumu", "anti_nu_mu", "NuEBar", r"$\bar{\nu}_e$", "-14", 12, "mu")]
    ['numubar', 'numubar', 'numubar', 'nuebar', 'nuebar', 'numubar', 'nue', None]
    """
    if not isinstance(text, str):
        try:
            return _PDG_NAMES.get(text)
        except TypeError:
            return None
    if re.fullmatch(r"\s*[-+]?\d{2}\s*", text):
        return _PDG_NAMES.get(int(text))
    plain = unicodedata.normalize("NFD", text).translate(_GREEK).lower()
    letters = re.sub(r"[\s_\-^{}$\\()]", "", plain.replace("\\overline", "bar"))
    match = re.fullmatch(r"(anti|a)?((?:bar)?nu(?:bar)?(?:e|mu|tau)(?:bar)?)", letters)
    if match is None:
        return None
    anti, name = match.groups()
    bars = name.count("bar")
    # "anti" together with "bar" is a spelling too; two bars are not
    if bars > 1:
        return None
    return name.replace("bar", "") + ("bar" if anti or bars else "")


def flavour_index(flavour: Any) -> int:
    """Return the index of a flavour in arrays of fluxes.

    Parameters
    ----------
    flavour : str or int
        Name in any spelling that :func:`flavour_name` knows, or PDG id.

    Returns
    -------
    int
        Index in :data:`FLAVOURS`; tau neutrinos have the index after the last.

    Raises
    ------
    InputError
        For an unknown flavour.
    """
    name = flavour if flavour in FLAVOURS else flavour_name(flavour)
    if name in FLAVOURS:
        return FLAVOURS.index(name)
    if name in TAU_FLAVOURS:
        return len(FLAVOURS)
    raise InputError(f"flavour: {flavour!r} is not one of {', '.join(FLAVOURS)}, nutau, nutaubar or a PDG id")


def flavour_indices(flavours: Any) -> NDArray[np.int_]:
    """Return the indices of an array of flavours, see :func:`flavour_index`.

    Parameters
    ----------
    flavours : array_like of str or int, any shape

    Returns
    -------
    int array, of the same shape

    Raises
    ------
    InputError
        For an unknown flavour.

    Examples
    --------
    >>> flavour_indices([14, -12, 16]).tolist(), int(flavour_indices("nue"))
    ([0, 3, 4], 2)
    """
    given = np.asarray(flavours)
    if given.dtype.kind == "i" and given.size > len(_PDG_NAMES):
        # many PDG ids: a table instead of a sort
        place = np.full(33, -1)  # negative ids count from the end
        for pdg_id in _PDG_NAMES:
            place[pdg_id] = flavour_index(pdg_id)
        unknown = given[(given < -16) | (given > 16)]
        index = place[given] if unknown.size == 0 else np.full(given.shape, -1)
        if index.min() < 0:
            flavour_index(int(unknown[0] if unknown.size else given[index < 0][0]))
        return index
    names, where = np.unique(given, return_inverse=True)
    return np.array([flavour_index(name) for name in names.tolist()], dtype=int)[where].reshape(given.shape)
