"""Reweight the event records of a finished run to another primary model, without a new simulation.

The weight of a crossing is proportional to the flux of nuclei of its primary's mass group at the primary's energy at
the top of the atmosphere. In mode ``targeted`` this flux is a factor of the weight. In the other modes the weight holds
the all-nucleon flux and the group is drawn by its share of it, so that the all-nucleon flux cancels. (The densities
from which energies, groups and rotations are drawn depend on the old model too, but the weight divides by them.) So the
record's score is multiplied by the ratio

    Phi_new(E_top, group) / Phi_old(E_top, group)

which gives the contribution of the same crossing under the new model, exactly. The old flux must be positive wherever
the new one is; old models of crflux that lack a group (protons alone, for example) are refused. The sums are made batch
by batch as in a run, so the errors are those of the new weights: they grow where the models differ much.
"""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from tqdm import tqdm

from sim3d.config.calibration import NO_CALIBRATION
from sim3d.config.load import make_config
from sim3d.config.parameters import CLASS_OF
from sim3d.config.schema import Config
from sim3d.conventions.binning import N_COS, N_ENERGY, N_FLAVOURS
from sim3d.errors import InputError
from sim3d.files.event_file import EventStore
from sim3d.files.record import RunRecord
from sim3d.files.result_file import read_result, verify_result
from sim3d.jit_cache import CACHE
from sim3d.primaries.catalogue import joins, model_names
from sim3d.primaries.groups import GROUP_MASS_NUMBER, GROUPS
from sim3d.primaries.model import PrimaryModel
from sim3d.primaries.solar import NAMED_MONTHS
from sim3d.primaries.spectrum import group_flux
from sim3d.sampling.counters import C_MUON_CROSSINGS, C_MUON_PRIMARIES, COUNTERS, N_COUNTERS
from sim3d.scoring.exact_sums import TallyOverflowError
from sim3d.scoring.hit_weights import PRIMARIES, empty_sums, empty_weights, note_hit, note_primary
from sim3d.simulation.calibrated import calibration_of
from sim3d.simulation.provenance import primary_entries
from sim3d.simulation.run_sums import RunSums
from sim3d.simulation.setup import make_primaries

_OF_PRIMARIES = ("primaries", "solar")
"""Classes of parameters of the primaries."""
_NOTHING = 1.0e-200
"""Threshold of a zero flux: below every flux of a group in a model, above the 1e-300 of tables that lack it."""
_MUON_COUNTERS = (COUNTERS[C_MUON_PRIMARIES], COUNTERS[C_MUON_CROSSINGS])
_GROUP_OF_MASS = np.full(256, -1, dtype=np.int64)
_GROUP_OF_MASS[GROUP_MASS_NUMBER.astype(np.int64)] = np.arange(len(GROUP_MASS_NUMBER))


@njit(nogil=True, cache=CACHE)
def _flux_ratios(energies, groups, new_spectrum, old_spectrum):
    """Compute the ratio of two models' fluxes for each primary."""
    out = np.empty(energies.shape[0])
    for i in range(energies.shape[0]):
        new = group_flux(energies[i], groups[i], new_spectrum)
        out[i] = new / group_flux(energies[i], groups[i], old_spectrum)
    return out


@njit(nogil=True, cache=CACHE)
def _add_records(
    primary, site, flavour, i_energy, i_cos, i_azimuth, values, batch_size, scores, hits, weights, of_primary, last
):  # fmt: skip
    """Add records to the scores of their batch, in their order, as the batch kernels do.

    A primary is counted when the next one follows; ``last`` (int64 array of one) is the current one.
    """
    for i in range(values.shape[0]):
        if primary[i] != last[0]:
            note_primary(weights, of_primary)
            last[0] = primary[i]
        k, f, e, c, a = site[i], flavour[i], i_energy[i], i_cos[i], i_azimuth[i]
        scores[k, f, e, c, a] += values[i]
        hits[k, f, e, c, a] += 1
        note_hit(of_primary[k], f, e, values[i] * batch_size)


def flux_ratio(records: np.ndarray, new: PrimaryModel, old: PrimaryModel) -> np.ndarray:
    """Compute the factors for the scores and weights of records under another primary model.

    Parameters
    ----------
    records : structured array (n,)
        From :meth:`sim3d.results.result.Result.events`.
    new, old : PrimaryModel
        From :func:`sim3d.primaries.build.primary_model`; ``old`` is the model of the run.

    Returns
    -------
    float64 array (n,)
        Ratio of the new to the old flux of each record's primary.
    """
    energies = records["primary_energy_GeV"].astype(float)
    groups = _GROUP_OF_MASS[records["primary_mass_number"]]
    return _flux_ratios(energies, groups, new.spectrum, old.spectrum)


def changed_config(
    config: Config, model: str | None, solar: str | float | None, values: Mapping[str, float] | None = None
) -> Config:
    """Make the configuration of a run with another primary model, without event records and optional statistics.

    Parameters
    ----------
    config : Config
    model : str, optional
        As ``primaries.model``; by default the run's.
    solar : str or float, optional
        As ``primaries.solar``, or a potential in MV; by default the run's.
    values : mapping, optional
        Parameters of the primaries (norms, slopes, potential of :mod:`sim3d.config.parameters`), instead of the run's
        own.

    Returns
    -------
    Config

    Raises
    ------
    InputError
        For values that are not allowed, or if nothing is to change.

    Notes
    -----
    The values of a calibration are changes of its own primary model. Another model is taken as it is. The hadrons,
    which a new weight cannot change, keep the calibration's values, which then stand in ``[vary]``.
    """
    if model is None and solar is None and not values:
        raise InputError("--model, --solar, --set: give at least one of them")
    data = config.model_dump(mode="json")
    data["scoring"] |= {"events": False, "muons": False, "heights": False, "gradients": False, "variations": []}
    for name, value in (values or {}).items():
        if CLASS_OF.get(name) not in _OF_PRIMARIES:
            raise InputError("--set", name, "primary:GROUP:norm, primary:GROUP:slope or solar:MV; others need a run")
        data["vary"][name] = value
    primaries = data["primaries"]
    if model is not None:
        if model not in model_names():
            raise InputError("--model", model, ", ".join(model_names()))
        if model != primaries["model"] and (found := calibration_of(config)) is not None:
            data["calibration"] = {"name": NO_CALIBRATION}
            for name, value in found.by_name.items():
                if CLASS_OF[name] not in _OF_PRIMARIES:
                    data["vary"][name] = data["vary"].get(name, 0.0) + value
        primaries["model"] = model
        if not joins(model):
            primaries["join_GeV"] = None
    if solar is not None:
        primaries["solar"] = primaries["solar_potential_MV"] = None
        if solar in NAMED_MONTHS or solar == "date":
            primaries["solar"] = solar
        else:
            try:
                primaries["solar_potential_MV"] = float(solar)
            except ValueError:
                primaries["solar_potential_MV"] = -1.0
            if not 0.0 <= primaries["solar_potential_MV"] <= 3000.0:
                raise InputError("--solar", solar, f"{', '.join(NAMED_MONTHS)}, date, or a potential of 0 to 3000 MV")
    return make_config(data)


def dropped_scores(config: Config) -> list[str]:
    """List the optional scores of a run that its event records do not hold, so that a reweighted result lacks them.

    Parameters
    ----------
    config : Config
        Of the run.

    Returns
    -------
    list of str
        Keys of the table ``[scoring]``.
    """
    scoring = config.scoring
    asked = {
        "muons": scoring.muons,
        "heights": scoring.heights,
        "gradients": scoring.parameters,
        "variations": scoring.variations,
    }
    return [f"scoring.{key}" for key, value in asked.items() if value]


def check_groups(new: PrimaryModel, old: PrimaryModel, energy_GeV: tuple[float, float]) -> None:
    """Raise an error if the old model has no nuclei of a group at an energy at which the new one has some.

    Parameters
    ----------
    new, old : PrimaryModel
    energy_GeV : (float, float)
        Range of kinetic energies per nucleon.

    Raises
    ------
    InputError
        If there is such a group.
    """
    energies = np.geomspace(*energy_GeV, 61)
    for group in GROUPS:
        before, after = old.flux(group, energies), new.flux(group, energies)
        lost = (before < _NOTHING) & (after > _NOTHING)
        if lost.any():
            raise InputError(
                f"--model: {new.name} has {group} nuclei at {energies[lost][0]:.3g} GeV, the run's model {old.name} "
                "has none there that could be given another weight; make a run of its own"
            )


def reweight(
    path: str | Path,
    model: str | None = None,
    solar: str | float | None = None,
    progress: bool = False,
    *,
    values: Mapping[str, float] | None = None,
) -> RunRecord:
    """Compute the result of a run under another primary model from its event records.

    Parameters
    ----------
    path : path
        A result file whose run had ``scoring.events``, with its event file beside it.
    model : str, optional
        As ``primaries.model``; by default the run's.
    solar : str or float, optional
        As ``primaries.solar``, or a potential in MV; by default the run's.
    progress : bool
        Show a progress bar, on a terminal only.
    values : mapping, optional
        Parameters of the primaries, see :func:`changed_config`.

    Returns
    -------
    RunRecord
        For :func:`sim3d.files.result_file.write_result`, or :class:`sim3d.results.result.Result`; it has no event
        records of its own, and no scores of :func:`dropped_scores`. All but the primary model is that of the
        run. The checksum of the run's data is in ``models["reweighted_from_data_sha256"]``.

    Raises
    ------
    InputError
        If there are no event records, they are damaged, or the model is not known.
    """
    path = Path(path)
    record = read_result(path)
    config = changed_config(record.config, model, solar, values)
    store = EventStore.of(path, record)
    source = {
        "reweighted_from_data_sha256": verify_result(path)["data_sha256"],
        "reweighted_from_primary_model": record.models["primary_model"],
        "reweighted_from_solar_potential_MV": record.models["solar_potential_MV"],
    }
    record.models.pop("gradient_columns", None)
    record.tallies = []  # they are as large as the new ones
    old, new = make_primaries(record.config), make_primaries(config)
    check_groups(new, old, config.primaries.energy_GeV)
    _check_same_model(path, record, old)
    sums = _sums(config, record, store, new, old, progress)
    record.provenance |= {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "reweighted_from_file": path.name,
    }
    # what was dropped is not counted either
    counters = record.counters | dict.fromkeys(_MUON_COUNTERS, 0)
    if dropped := dropped_scores(record.config):
        record.provenance["reweighted_without"] = ", ".join(dropped)
    replaced = ["primary_source", "solar_modulation", "muon_"]
    if config.calibration.name == NO_CALIBRATION and config.calibration.file is None:
        replaced.append("calibration")
    record.models = {k: v for k, v in record.models.items() if not k.startswith(tuple(replaced))}
    models = {"primary_model": new.name, **primary_entries(new, config.primaries.solar is not None), **source}
    models["weights_of"] = PRIMARIES
    return RunRecord(
        config=config,
        detectors=record.detectors,
        tallies=sums.tallies,
        counters=counters,
        batches_done=record.batches_done,
        models=record.models | models,
        provenance=record.provenance,
        failure=record.failure,
        outcome=record.outcome,
        lost=record.lost,
        watch_sums=sums.watch.sums,
    )


def _check_same_model(path: Path, record: RunRecord, old: PrimaryModel) -> None:
    """Raise an error if the run's primary model differs from the one that this installation builds."""
    entries = primary_entries(old, record.config.primaries.solar is not None)
    for key, value in entries.items():
        if key in record.models and record.models[key] != value:
            raise InputError(
                f"{path}: its primary model is not what this installation makes of it: "
                f"{key} is {record.models[key]!r} there and {value!r} here"
            )


def _sums(
    config: Config, record: RunRecord, store: EventStore, new: PrimaryModel, old: PrimaryModel, progress: bool
) -> RunSums:
    """Add up the reweighted records over batches, as a run does."""
    sums = RunSums(config, record.detectors)
    shape = (len(record.detectors), N_FLAVOURS, N_ENERGY, N_COS, config.scoring.azimuth_bins)
    scores, hits, weights = np.empty(shape), np.empty(shape, dtype=np.int64), empty_weights(len(record.detectors))
    of_primary, last = empty_sums(len(record.detectors)), np.empty(1, dtype=np.int64)
    nothing = np.zeros(N_COUNTERS, dtype=np.int64)
    bar: Any = tqdm(total=store.n_records, unit=" records", unit_scale=True, disable=None if progress else True)
    with bar:
        for batch, pieces in store:
            scores[:] = 0.0
            hits[:] = 0
            weights[:] = 0
            last[0] = -1
            for records in pieces:
                values = records["score"] * flux_ratio(records, new, old)
                places = ("primary", "site", "flavour", "energy_bin", "cos_zenith_bin", "azimuth_bin")
                p, k, f, e, c, a = (records[name].astype(np.int64) for name in places)
                size = config.run.batch_size
                _add_records(p, k, f, e, c, a, values, size, scores, hits, weights, of_primary, last)
                bar.update(len(records))
            note_primary(weights, of_primary)
            try:
                sums.add_batch(batch, scores, hits, weights, nothing, [])
            except TallyOverflowError as exc:
                raise InputError(
                    f"batch {batch}: the flux under the new model is too large to be kept ({exc})"
                ) from None
    return sums
