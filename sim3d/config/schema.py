"""Schema of a run configuration: TOML tables, defaults and checks.

The message of a failed check names the key, its value and the values that are allowed.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from hadronic.definitions import DEFAULT_DEFINITION, FORMULA_MODELS
from sim3d.config.allocation import AUTOMATIC_FROM, AllocationTable
from sim3d.config.calibration import CalibrationKeys
from sim3d.config.environment import AtmosphereTable, FieldTable
from sim3d.config.gradients import GradientKeys, ParameterValues, without_angles
from sim3d.config.muons import MuonsTable
from sim3d.config.sites import Patch, SiteTable
from sim3d.config.table import Float, Int, Table
from sim3d.conventions.binning import DEFAULT_AZIMUTH_BINS, ENERGY_EDGES_GEV
from sim3d.conventions.flavours import flavour_name
from sim3d.primaries.catalogue import DEFAULT_MODEL as DEFAULT_PRIMARIES

ENERGY_CENTRES_GEV = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
"""Logarithmic centres of the fine energy bins (GeV)."""

MOST_BATCHES = 10**7
"""Largest number of batches: the result file and rank 0 store one mark for every batch."""


LARGEST_CHOSEN_BATCH, FEWEST_CHOSEN_BATCHES = 10_000, 48
"""Bounds of a batch size that is chosen: errors come from batches, and 48 of them know an error to 10%."""


class _Chosen(int):
    """Type of the default of ``run.batch_size``, which stands for a size chosen from the number of primaries."""


def chosen_batch_size(primaries: int) -> int:
    """Choose the number of primaries in a batch where the configuration gives none.

    Parameters
    ----------
    primaries : int
        Of the run.

    Returns
    -------
    int
        10,000, or less so that there are at least 48 batches.

    Examples
    --------
    >>> [chosen_batch_size(n) for n in (2, 1000, 1_000_000)]
    [1, 20, 10000]
    """
    return max(1, min(LARGEST_CHOSEN_BATCH, primaries // FEWEST_CHOSEN_BATCHES))


class RunTable(Table):
    """Table ``[run]``: random seed, number of primaries, batches, checkpoints, and when a run stops.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    seed: Int = Field(1, ge=0, lt=2**63)
    primaries: Int = Field(1_000_000, ge=1, le=10**13)
    batch_size: Int = Field(_Chosen(), ge=1, le=10**7)
    checkpoint_minutes: Float = Field(5.0, ge=0.0, le=1e5, allow_inf_nan=False)
    max_minutes: Float | None = Field(None, gt=0.0, le=1e6, allow_inf_nan=False)
    max_lost: Int = Field(0, ge=0, le=10**6)
    target_error: Float | None = Field(None, gt=0.0, lt=1.0, allow_inf_nan=False)
    target_observable: Literal["flux", "numu", "numubar", "nue", "nuebar", "table"] = "flux"
    target_energy_GeV: tuple[Float, Float] = (0.5, 3.0)
    target_site: str | None = None

    @field_validator("batch_size", mode="before")
    @classmethod
    def _chosen(cls, value: Any, info: ValidationInfo) -> Any:
        """Replace the default; a size that is given counts as set (``model_fields_set``), a chosen one does not."""
        return chosen_batch_size(info.data.get("primaries", 1)) if isinstance(value, _Chosen) else value

    @field_validator("target_observable", mode="before")
    @classmethod
    def _flavour(cls, value: Any) -> Any:
        """Translate the usual spellings of a flavour (``numu_bar``, ``-14``); the other values in any case."""
        name = flavour_name(value)
        if name is None and isinstance(value, str):
            return value.strip().lower()
        return value if name is None else name

    @field_validator("target_energy_GeV")
    @classmethod
    def _target_range(cls, value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        lowest, highest = float(ENERGY_EDGES_GEV[0]), float(ENERGY_EDGES_GEV[-1])
        if not (math.isfinite(low) and math.isfinite(high) and lowest <= low < high <= highest):
            raise ValueError(f"must be [low, high] in GeV with {lowest:.3g} <= low < high <= {highest:.5g}")
        if not np.any((low <= ENERGY_CENTRES_GEV) & (high >= ENERGY_CENTRES_GEV)):
            raise ValueError("is narrower than one energy bin (40 per decade)")
        return value

    @field_validator("target_site")
    @classmethod
    def _lower_case(cls, value: str | None) -> str | None:
        return None if value is None else value.lower()


class PrimariesTable(Table):
    """Table ``[primaries]``: model of the primary flux, solar modulation, and the energies that are sampled.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    model: str = DEFAULT_PRIMARIES
    solar_potential_MV: Float | None = Field(None, ge=0, le=3000, allow_inf_nan=False)
    solar: Literal["fit", "min", "max", "date"] | None = None
    join_GeV: Float | None = Field(None, ge=10.0, le=1.0e5, allow_inf_nan=False)
    energy_GeV: tuple[Float, Float] = (0.5, 1.0e7)
    energy_index: Float | None = Field(None, ge=0.0, le=4.0, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _up_to_the_model(cls, data: Any) -> Any:
        """End the energies where the model does, where none are given."""
        from sim3d.primaries.catalogue import highest_energy_GeV, model_names

        if not isinstance(data, dict) or "energy_GeV" in data or data.get("model") not in model_names():
            return data
        low, high = cls.model_fields["energy_GeV"].default
        return {**data, "energy_GeV": (low, min(high, highest_energy_GeV(data["model"])))}

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        from sim3d.primaries.catalogue import model_names

        if value not in model_names():
            raise ValueError(f"must be one of {', '.join(model_names())}")
        return value

    @field_validator("solar")
    @classmethod
    def _by_date(cls, value: str | None, info: ValidationInfo) -> str | None:
        """State the modulation where none is given, so that a result says what it was made with."""
        return "date" if value is None and info.data.get("solar_potential_MV", 0.0) is None else value

    @field_validator("energy_GeV")
    @classmethod
    def _range(cls, value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        if not (math.isfinite(low) and math.isfinite(high) and 0.3 <= low < high <= 1.0e8):
            raise ValueError("must be [low, high] in GeV per nucleon with 0.3 <= low < high <= 1e8")
        return value

    @model_validator(mode="after")
    def _one_potential(self) -> PrimariesTable:
        if self.solar is not None and self.solar_potential_MV is not None:
            raise ValueError("give either solar or solar_potential_MV, not both")
        return self

    @property
    def potential(self) -> float | str:
        """Solar potential (MV) or its name, as an argument of :func:`sim3d.primaries.build.primary_model`."""
        return self.solar_potential_MV if self.solar_potential_MV is not None else (self.solar or "date")


NO_CHARM = "none"


class HadronicTable(Table):
    """Table ``[hadronic]``: model of the hadronic yields and interaction lengths, and of charm.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    model: str = "accelerator"
    definition: str | None = None
    table: str | None = None
    charm: Literal["none", "measured"] = "none"

    @field_validator("definition")
    @classmethod
    def _stated(cls, value: str | None, info: ValidationInfo) -> str | None:
        """State the definition of a model that has several, so that a result says which it was made with."""
        return DEFAULT_DEFINITION if value is None and info.data.get("model") in FORMULA_MODELS else value

    @model_validator(mode="after")
    def _table_of_the_model(self) -> HadronicTable:
        if (self.model == "table") != (self.table is not None):
            raise ValueError('model = "table" and table = "FILE.h5" go together')
        return self


class TransportTable(Table):
    """Table ``[transport]``: step length, bending in the field, transverse momenta, nuclei, albedo.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    step_km: Float = Field(1.0, ge=0.01, le=10.0, allow_inf_nan=False)
    bending: bool = True
    transverse: bool = True
    nuclei: Literal["superposition", "own_length"] = "superposition"
    albedo: Literal["drop", "follow"] = "drop"


class SamplingTable(Table):
    """Table ``[sampling]``: sampling mode and the parameters of its variance reduction.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    mode: Literal["targeted", "analog", "rotated"] = "targeted"
    thinning: Float | None = Field(None, ge=0.0, le=1e6, allow_inf_nan=False)
    effort: Float = Field(0.08, ge=0.01, le=100.0, allow_inf_nan=False)
    margin_deg: Float | None = Field(None, ge=0.0, le=12.0, allow_inf_nan=False)
    roulette_energy_GeV: Float = Field(1.0, ge=0.0, le=100.0, allow_inf_nan=False)
    roulette_index: Float = Field(1.0, ge=0.0, le=3.0, allow_inf_nan=False)

    @field_validator("thinning")
    @classmethod
    def _best_of_the_mode(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None or "mode" not in info.data:
            return value
        return 2.0 if info.data["mode"] == "targeted" else 10.0


class ScoringTable(GradientKeys):
    """Table ``[scoring]``: azimuth bins, lowest neutrino energy, and the optional scores.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    azimuth_bins: Int = Field(DEFAULT_AZIMUTH_BINS, ge=12, le=72)
    energy_min_GeV: Float = Field(10.0**-1.025, ge=10.0**-1.025 * (1 - 1e-9), le=1000.0, allow_inf_nan=False)
    events: bool = False
    neutrinos: bool = True
    muons: bool = False
    heights: bool = False


class Config(Table):
    """The complete configuration of a run; docs/manual/configuration.md describes every key.

    Attributes
    ----------
    run, primaries, field, atmosphere, hadronic, transport, sampling, allocation, scoring, muons, calibration : Table
        The TOML tables of these names.
    sites : tuple of SiteTable
        The tables ``[[sites]]``, at least one.
    vary : dict of float
        Values of parameters (:mod:`sim3d.config.parameters`) that differ from the models', by name.
    """

    run: RunTable = RunTable()
    primaries: PrimariesTable = PrimariesTable()
    field: FieldTable = FieldTable()
    atmosphere: AtmosphereTable = AtmosphereTable()
    hadronic: HadronicTable = HadronicTable()
    transport: TransportTable = TransportTable()
    sampling: SamplingTable = SamplingTable()
    allocation: AllocationTable = AllocationTable()
    sites: tuple[SiteTable, ...] = ()
    scoring: ScoringTable = ScoringTable()
    muons: MuonsTable = MuonsTable()
    vary: ParameterValues = Field(default_factory=dict)
    calibration: CalibrationKeys = CalibrationKeys()

    @field_validator("scoring")
    @classmethod
    def _all_gradients(cls, value: ScoringTable, info: ValidationInfo) -> ScoringTable:
        """Read "all gradients" as all that the hadronic model has."""
        hadronic = info.data.get("hadronic")
        if hadronic is None or hadronic.model in FORMULA_MODELS or value.gradients is not True:
            return value
        return value.model_copy(update={"gradients": without_angles()})

    @field_validator("sites")
    @classmethod
    def _patch_of_the_mode(cls, value: tuple[SiteTable, ...], info: ValidationInfo) -> tuple[SiteTable, ...]:
        """Give sites without a patch the default patch of the sampling mode."""
        sampling = info.data.get("sampling")
        if sampling is None:  # refused already
            return value
        patch = Patch(ns_deg=2.0, ew_deg=2.0) if sampling.mode == "targeted" else Patch(ns_deg=10.0, ew_deg=40.0)
        return tuple(site if site.patch is not None else site.model_copy(update={"patch": patch}) for site in value)

    @field_validator("calibration")
    @classmethod
    def _of_the_models(cls, value: CalibrationKeys, info: ValidationInfo) -> CalibrationKeys:
        """State the calibration where none is given: that of the models, if one ships."""
        hadronic, primaries = info.data.get("hadronic"), info.data.get("primaries")
        if hadronic is None or primaries is None:  # refused already
            return value
        return value.stated(hadronic.model, primaries.model)

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if not self.sites:
            raise ValueError('sites: none given; add at least one, for example [[sites]] name = "kamioka"')
        names = [site.name for site in self.sites]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"sites: the name {name!r} is used twice")
        if self.sampling.mode == "rotated" and self.transport.bending:
            raise ValueError(
                'sampling.mode: "rotated" needs transport.bending = false (bending breaks the symmetry it uses)'
            )
        self._primaries_fit_the_model()
        self._something_is_scored()
        self._allocation_fits()
        if self.transport.nuclei == "own_length" and self.scoring.columns:
            raise ValueError(
                'transport.nuclei: "own_length" has no derivatives by cross sections: no gradients, no variations'
            )
        self._albedo_can_be_followed()
        self._charm_can_be_added()
        if self.primaries.energy_GeV[1] <= self.scoring.energy_min_GeV:
            raise ValueError(
                f"primaries.energy_GeV: no primary up to {self.primaries.energy_GeV[1]:g} GeV gives a neutrino above "
                f"scoring.energy_min_GeV = {self.scoring.energy_min_GeV:g}"
            )
        if self.run.primaries < 2 * self.run.batch_size:
            raise ValueError(
                f"run.primaries: {self.run.primaries} is less than two batches of run.batch_size = "
                f"{self.run.batch_size}; errors come from batches, so at least two are needed"
                + (" (leave batch_size out, and one is chosen)" if "batch_size" in self.run.model_fields_set else "")
            )
        if self.n_batches > MOST_BATCHES:
            raise ValueError(
                f"run.batch_size: {self.run.batch_size} makes {self.n_batches:.3g} batches of run.primaries = "
                f"{self.run.primaries}; at most {MOST_BATCHES:.0e} are possible, use larger batches"
            )
        air = self.atmosphere
        if air.model == "nrlmsis" and air.place is None and air.lat is None and len(self.sites) > 1:
            raise ValueError(
                f"atmosphere.place: the run has {len(self.sites)} sites and one atmosphere; say of which place it is "
                f"({', '.join(names)}, another site known by name, or lat and lon)"
            )
        if self.run.target_site is not None and self.run.target_site not in names:
            raise ValueError(f"run.target_site: {_shown(self.run.target_site)} is not one of {', '.join(names)}")
        return self

    def _albedo_can_be_followed(self) -> None:
        """Refuse albedo in modes that rotate showers: particles come back far from their shower, away from the site."""
        if self.transport.albedo == "drop":
            return
        if self.sampling.mode != "analog":
            raise ValueError(
                f'transport.albedo: "follow" needs sampling.mode = "analog", not "{self.sampling.mode}" (what comes '
                "back comes down far from its shower, and this mode aims showers at the sites without it)"
            )
        if not self.transport.bending:
            raise ValueError('transport.albedo: "follow" needs transport.bending = true (the field brings it back)')
        if self.scoring.muons:
            raise ValueError('transport.albedo: "follow" does not go with scoring.muons (muons are made at the sites)')

    def _charm_can_be_added(self) -> None:
        if self.hadronic.charm == NO_CHARM:
            return
        if not self.scoring.neutrinos:
            raise ValueError("hadronic.charm: adds neutrinos; not with scoring.neutrinos = false")
        if self.scoring.columns:
            raise ValueError(
                "hadronic.charm: prompt neutrinos have no derivatives: leave out scoring.gradients and variations"
            )

    def _something_is_scored(self) -> None:
        if self.scoring.neutrinos:
            return
        if not self.scoring.muons:
            raise ValueError("scoring.neutrinos: false without scoring.muons = true scores nothing")
        if self.scoring.events:
            raise ValueError("scoring.events: are records of neutrinos; not with scoring.neutrinos = false")
        if self.scoring.heights:
            raise ValueError("scoring.heights: are of neutrinos; not with scoring.neutrinos = false")
        if self.run.target_error is not None:
            raise ValueError("run.target_error: is an error of neutrinos; not with scoring.neutrinos = false")

    def _allocation_fits(self) -> None:
        if self.allocation.mode != "on":
            return
        if self.sampling.mode != "targeted":
            raise ValueError(f'allocation.mode: "on" needs sampling.mode = "targeted", not "{self.sampling.mode}"')
        if self.primaries.energy_index is not None:
            raise ValueError(
                f'allocation.mode: "on" chooses the energies of primaries; leave out primaries.energy_index = '
                f"{self.primaries.energy_index:g}"
            )
        if not self.scoring.neutrinos:
            raise ValueError('allocation.mode: "on" is for errors of neutrinos; not with scoring.neutrinos = false')

    def _primaries_fit_the_model(self) -> None:
        from sim3d.primaries.catalogue import highest_energy_GeV, joins

        model, highest = self.primaries.model, highest_energy_GeV(self.primaries.model)
        if self.primaries.energy_GeV[1] > highest:
            raise ValueError(
                f"primaries.energy_GeV: {model} holds up to {highest:.0e} GeV per nucleon, not "
                f"{self.primaries.energy_GeV[1]:g} (models with a knee go to 1e8, such as crflux:H3a and gsf:2026.1)"
            )
        if self.primaries.join_GeV is not None and not joins(model):
            raise ValueError(f"primaries.join_GeV: {model} holds at low energies too and is not joined to another")

    @property
    def thinning(self) -> float:
        """Ratio of the Russian roulette on soft secondaries; 10 if the configuration has none."""
        return 10.0 if self.sampling.thinning is None else self.sampling.thinning

    @property
    def calibration_in_words(self) -> str:
        """Whether the run is calibrated to muons, and why it is or is not."""
        return self.calibration.in_words(self.hadronic.model, self.primaries.model)

    @property
    def allocates(self) -> bool:
        """Whether a survey before the first batch chooses the density of the primaries' energies."""
        if self.allocation.mode != "auto":
            return self.allocation.mode == "on"
        usual = self.sampling.mode == "targeted" and self.primaries.energy_index is None
        return usual and self.scoring.neutrinos and not self.scoring.muons and self.run.primaries >= AUTOMATIC_FROM

    @property
    def n_batches(self) -> int:
        """Number of batches: primaries / batch size, rounded up."""
        return -(-self.run.primaries // self.run.batch_size)


def _shown(value: Any) -> str:
    """Format a value for a one-line message: shortened, and safe for integers of thousands of digits."""
    try:
        text = " ".join(repr(value).split())
    except (ValueError, RecursionError):
        return "this value"
    return text if len(text) <= 60 else text[:57] + "..."
