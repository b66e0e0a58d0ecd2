"""Keys of a run configuration for the calibration to measured muons, and which one is the default of which models."""

from __future__ import annotations

from pydantic import Field, model_validator

from sim3d.config.table import Table

NO_CALIBRATION = "none"
"""Name in ``[calibration]`` of the unchanged models."""

AUTOMATIC = "auto"
"""Default of ``calibration.name``; the check of a configuration replaces it by what it stands for."""

MODELS_OF = {"muons-2026": ("accelerator", "gsf:2026.1")}
"""Hadronic and primary model of every calibration that ships, the newest last; its file says the same."""


def calibration_for(hadronic: str, primaries: str) -> str:
    """Name the calibration that is the default of given models: the newest that ships for them.

    Parameters
    ----------
    hadronic, primaries : str
        Models of a run.

    Returns
    -------
    str
        :data:`NO_CALIBRATION` if none ships.

    Examples
    --------
    >>> calibration_for("accelerator", "gsf:2026.1"), calibration_for("fluka-z", "gsf:2026.1")
    ('muons-2026', 'none')
    """
    found = [name for name, models in MODELS_OF.items() if models == (hadronic, primaries)]
    return found[-1] if found else NO_CALIBRATION


class CalibrationKeys(Table):
    """Table ``[calibration]``: the calibration at whose values the run is made, by its name or as a file.

    Attributes
    ----------
    name : str
        Of a calibration that ships (``sim3d calibrate --list``), or :data:`NO_CALIBRATION`. The run looks it up, not
        the check of the configuration: a result stays readable when its calibration ships no more.
    file : str or None
        A file of ``sim3d calibrate`` in the place of the name; None for none.
    """

    name: str = Field(AUTOMATIC, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
    file: str | None = None

    @model_validator(mode="after")
    def _one(self) -> CalibrationKeys:
        if self.file is not None and self.name not in (NO_CALIBRATION, AUTOMATIC):
            raise ValueError("give either name or file, not both")
        return self

    def stated(self, hadronic: str, primaries: str) -> CalibrationKeys:
        """Replace :data:`AUTOMATIC` by the name that it stands for, so that a result says what it was made with.

        Parameters
        ----------
        hadronic, primaries : str
            Models of the run.

        Returns
        -------
        CalibrationKeys
        """
        if self.name != AUTOMATIC:
            return self
        name = calibration_for(hadronic, primaries) if self.file is None else NO_CALIBRATION
        return self.model_copy(update={"name": name})

    def in_words(self, hadronic: str, primaries: str) -> str:
        """Say whether a run is calibrated, and why it is or is not.

        Parameters
        ----------
        hadronic, primaries : str
            Models of the run.

        Returns
        -------
        str

        Examples
        --------
        >>> CalibrationKeys(name="muons-2026").in_words("accelerator", "gsf:2026.1")
        'calibrated to muons: muons-2026, the default of these models'
        >>> CalibrationKeys(name="none").in_words("accelerator", "gsf:2026.1")
        'not calibrated to muons, though muons-2026 is of these models'
        >>> CalibrationKeys(name="none").in_words("fluka-z", "gsf:2026.1")
        'not calibrated to muons: no calibration of these models ships'
        """
        if self.file is not None:
            return f"calibrated to muons: {self.file}"
        default = calibration_for(hadronic, primaries)
        if self.name != NO_CALIBRATION:
            why = ", the default of these models" if self.name == default else ""
            return f"calibrated to muons: {self.name}{why}"
        if default == NO_CALIBRATION:
            return "not calibrated to muons: no calibration of these models ships"
        return f"not calibrated to muons, though {default} is of these models"
