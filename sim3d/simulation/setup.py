"""Build a run's field, atmosphere, hadronic model, primary spectrum and kernel arguments from its configuration."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from atmosphere.layers import LayeredAtmosphere, linsley
from atmosphere.msis import DEFAULT_AP, DEFAULT_F107, from_msis
from atmosphere.profile import from_csv
from geomag.field.igrf import FieldModel
from geomag.geodesy import geodetic_to_geocentric
from geomag.sites import SITES
from geomag.sites import site as known_site
from geomag.trajectories.sharper_verdicts import horizontal_table
from geomag.trajectories.tracing import trace_params
from hadronic.models import HadronicModel
from sim3d.config.schema import Config
from sim3d.config.sites import SiteTable
from sim3d.disk_cache import kept
from sim3d.errors import InputError
from sim3d.files.event_journal import BatchRecorder
from sim3d.primaries.build import primary_model
from sim3d.primaries.model import PrimaryModel
from sim3d.sampling.aim_settings import Aim, make_aim
from sim3d.sampling.allocation import Allocation, favoured, part_of_table
from sim3d.sampling.analog import analog_batch
from sim3d.sampling.batch import BatchScores, BatchTask
from sim3d.sampling.coarse_field import coarse_field
from sim3d.sampling.counters import C_PRIMARIES
from sim3d.sampling.lost import Lost, indices
from sim3d.sampling.muons import NO_SLOPES, Overhead, check_levels, make_overhead, muon_world, overhead_batch
from sim3d.sampling.rotated import rotated_batch
from sim3d.sampling.run_energies import run_energies
from sim3d.sampling.source import Source
from sim3d.sampling.targeted import FOLLOWED_BELOW, targeted_batch
from sim3d.scoring.detectors import Detector
from sim3d.scoring.event_records import NO_RECORDS, RecordBuffer
from sim3d.scoring.heights import NO_HEIGHTS
from sim3d.scoring.optional_sums import make_optional_sums
from sim3d.scoring.surface import read_surface, site_rows
from sim3d.shower.gradients import Gradients
from sim3d.shower.weight_sharing import NEUTRINO_SHARING, WITHOUT_ROULETTE
from sim3d.shower.world import World, build_world
from sim3d.simulation.calibrated import run_values
from sim3d.simulation.gradients import make_gradients
from sim3d.simulation.provenance import model_entries
from sim3d.simulation.variation import pion_sharpness, run_hadronic, varied_primaries


class BatchFunction(Protocol):
    """Function that simulates one batch of primaries and adds its contributions to ``scores``.

    Event records go to the recorder, if there is one. Primaries in ``lost`` are left out; with ``only`` all others are
    left out. ``extras`` are the arrays of :meth:`Setup.empty_extras`; without them the optional statistics are not
    scored.
    """

    def __call__(
        self,
        batch: int,
        scores: BatchScores,
        recorder: BatchRecorder | None = None,
        extras: Mapping[str, np.ndarray] | None = None,
        *,
        lost: Sequence[Lost] = (),
        only: int = -1,
    ) -> None:
        """Simulate a batch."""


@dataclass(frozen=True)
class Setup:
    """Models and kernel arguments of a run, from which batches are simulated.

    Attributes
    ----------
    config : Config
    detectors : tuple of Detector
    field : geomag.field.igrf.FieldModel
    atmosphere : atmosphere.layers.LayeredAtmosphere
    hadronic : hadronic.models.HadronicModel
    primaries : PrimaryModel
    world, source, sites, surfaces, trace, bounds
        Kernel arguments: models of the transport, primary spectrum, rows of the detectors, parameters of the
        back-tracking and bounds on the field.
    overhead : Overhead, optional
        Kernel argument of ``scoring.muons``; None without it.
    gradients : Gradients, optional
        Kernel argument of the gradients, without scores; None if there are none.
    models : dict
        Names, dates and numbers of the models for the result file
        (:func:`sim3d.simulation.provenance.model_entries`).
    allocation : Allocation, optional
        Of the survey that has chosen the density in ``source``; None for the default density.
    """

    config: Config
    detectors: tuple[Detector, ...]
    field: FieldModel
    atmosphere: LayeredAtmosphere
    hadronic: HadronicModel
    primaries: PrimaryModel
    world: World
    source: Source
    sites: np.ndarray
    surfaces: np.ndarray
    trace: np.ndarray
    bounds: np.ndarray
    overhead: Overhead | None
    gradients: Gradients | None
    models: dict[str, Any]
    allocation: Allocation | None = None

    def with_allocation(self, allocation: Allocation | None) -> Setup:
        """Take the density of the primaries' energies from an allocation.

        Parameters
        ----------
        allocation : Allocation or None
            None leaves the density as it is.

        Returns
        -------
        Setup
        """
        if allocation is None:
            return self
        usual = self.source.law
        source = self.source._replace(law=allocation.law(usual), usual_law=usual)
        return replace(self, source=source, allocation=allocation)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the gradients."""
        return self.config.scoring.columns

    @property
    def n_azimuth(self) -> int:
        """Number of azimuth bins."""
        return self.config.scoring.azimuth_bins

    def empty_extras(self) -> dict[str, np.ndarray]:
        """Make arrays of zeros for the optional statistics of a batch (:mod:`sim3d.scoring.optional_sums`).

        Returns
        -------
        dict of float64 arrays (sites, ...)
            By name.
        """
        return {
            name: np.zeros((len(self.detectors), *sums.exponents.shape))
            for name, sums in make_optional_sums(self.config, self.detectors[0]).items()
        }

    @property
    def aim(self) -> Aim:
        """Settings of the rotations of targeted sampling."""
        table = self.config.sampling
        aim = make_aim(table.effort, table.margin_deg, self.config.scoring.energy_min_GeV, coarse_field(self.field))
        if not self.config.allocates or self.config.allocation.whole:
            return aim
        by_energy, by_zenith = favoured(part_of_table(self.config.allocation))
        return aim._replace(by_energy=aim.by_energy * by_energy, by_zenith=by_zenith)

    def batch_task(self, batch: int, lost: Sequence[Lost] = (), only: int = -1) -> BatchTask:
        """Make the inputs of a batch kernel.

        Parameters
        ----------
        batch : int
            Index of the batch.
        lost : sequence of Lost
            Primaries to leave out.
        only : int
            Index of the only primary to simulate; -1 for all.

        Returns
        -------
        BatchTask
        """
        size = self.config.run.batch_size
        return BatchTask(
            world=self.world,
            source=self.source,
            seed=np.uint64(self.config.run.seed),
            first_index=batch * size,
            batch_size=size,
            sites=self.sites,
            surfaces=self.surfaces,
            cutoff=self.config.field.cutoff,
            trace=self.trace,
            left_out=indices(lost),
            only=only,
            singles=self.world.gauss.astype(np.float32),
            bounds=self.bounds,
        )

    def optional_arguments(self, extras: Mapping[str, np.ndarray] | None) -> tuple[Gradients | None, np.ndarray]:
        """Return the arguments of a batch kernel for gradients and heights, in which a batch adds up.

        Parameters
        ----------
        extras : mapping of float64 arrays, optional
            From :meth:`empty_extras`.

        Returns
        -------
        gradients : Gradients or None
        heights : float64 array
        """
        if extras is None:
            return None, NO_HEIGHTS
        scored = None if self.gradients is None else self.gradients._replace(scores=extras["gradients"])
        return scored, extras.get("heights", NO_HEIGHTS)

    def batch_function(self) -> BatchFunction:
        """Make the function that simulates one batch in the run's sampling mode.

        Returns
        -------
        BatchFunction
        """
        config = self.config
        size = config.run.batch_size
        overhead, gradients = self.overhead, self.gradients
        muons = None if overhead is None else muon_world(self.world, config.muons.momentum_GeV[0])

        def simulate(
            batch: int,
            scores: BatchScores,
            recorder: BatchRecorder | None = None,
            extras: Mapping[str, np.ndarray] | None = None,
            *,
            lost: Sequence[Lost] = (),
            only: int = -1,
        ) -> None:
            task = self.batch_task(batch, lost, only)
            if overhead is not None and muons is not None and extras:
                slopes = extras.get("muon_gradients", NO_SLOPES)
                overhead_batch(task._replace(world=muons), scores, overhead, extras["muons"], gradients, slopes)
            if not config.scoring.neutrinos:
                scores.counters[C_PRIMARIES] += size
                return
            # numba compiles a separate version of a kernel for None, without the branches of what is not asked for
            scored, heights = self.optional_arguments(extras)

            def kernel(events: RecordBuffer) -> tuple[Any, int, int]:
                table = config.sampling
                if table.mode == "rotated":
                    energy, index = float(table.roulette_energy_GeV), float(table.roulette_index)
                    return rotated_batch(task, scores, energy, index, events, scored, heights)
                if table.mode == "targeted":
                    pilot_world = self.world._replace(bending=False)
                    return targeted_batch(task, scores, pilot_world, self.aim, events, scored, heights)
                return analog_batch(task, scores, events, scored, heights)

            if recorder is None:
                kernel(NO_RECORDS)
                return
            recorder.begin(batch)
            place = 0
            while True:
                rows, n, place = kernel(recorder.buffer(place))
                recorder.take(rows, n)
                if place >= size:
                    return

        return simulate


def coordinates(table: SiteTable) -> tuple[float, float]:
    """Find the coordinates of a [[sites]] entry: its own, or those of a known name.

    Parameters
    ----------
    table : SiteTable

    Returns
    -------
    lat, lon : float
        Geodetic degrees.

    Raises
    ------
    geomag.errors.GeomagInputError
        For an unknown name without coordinates.
    """
    if table.lat is None or table.lon is None:
        known = known_site(table.name)
        return known.lat, known.lon
    return table.lat, table.lon


def at_depth(table: SiteTable, atmosphere: LayeredAtmosphere) -> SiteTable:
    """Give a site with a depth the altitude at which the atmosphere of the run has that depth.

    Parameters
    ----------
    table : SiteTable
    atmosphere : LayeredAtmosphere

    Returns
    -------
    SiteTable
        With ``altitude_m``; unchanged without a depth.

    Raises
    ------
    InputError
        For a depth below the ground.
    """
    if table.depth_g_cm2 is None:
        return table
    deepest = float(atmosphere.depth(0.0))
    if table.depth_g_cm2 > deepest:
        allowed = f"1 to {deepest:.1f}, that of sea level in {atmosphere.name}"
        raise InputError(f"sites.{table.name}.depth_g_cm2", table.depth_g_cm2, allowed)
    altitude_m = 1e3 * float(atmosphere.height(table.depth_g_cm2))
    return table.model_copy(update={"altitude_m": altitude_m})


def make_detector(table: SiteTable, field: FieldModel) -> Detector:
    """Make the detector of a [[sites]] entry: coordinates of a known name, geocentric latitude, declination.

    Parameters
    ----------
    table : SiteTable
    field : geomag.field.igrf.FieldModel
        Gives the declination.

    Returns
    -------
    Detector

    Raises
    ------
    geomag.errors.GeomagInputError
        For an unknown name without coordinates.
    """
    lat, lon = coordinates(table)
    altitude_m = table.altitude_m
    if altitude_m is None:
        raise ValueError(f"sites: {table.name} has no altitude (a surface or a depth gives it, see make_setup)")
    geocentric, _ = geodetic_to_geocentric(lat, altitude_m * 1e-3)
    patch = table.patch
    if patch is None:
        raise ValueError(f"sites: {table.name} has no patch (a checked configuration gives every site one)")
    return Detector(
        name=table.name,
        lat_deg=float(lat),
        lon_deg=float(lon),
        altitude_m=float(altitude_m),
        geocentric_lat_deg=float(geocentric),
        declination_deg=float(field.declination_deg(geocentric, lon, altitude_m * 1e-3)),
        ns_deg=patch.ns_deg or 0.0,
        ew_deg=patch.ew_deg or 0.0,
        radius_deg=patch.radius_deg or 0.0,
    )


def make_atmosphere(config: Config) -> LayeredAtmosphere:
    """Build the atmosphere of a run.

    NRLMSIS is evaluated at the coordinates or the place of the configuration, else at the only site.

    Parameters
    ----------
    config : Config

    Returns
    -------
    LayeredAtmosphere

    Raises
    ------
    InputError, geomag.errors.GeomagInputError
        For an unknown place or site.
    """
    table = config.atmosphere
    if table.profile is not None:
        return from_csv(table.profile)
    if table.model != "nrlmsis":
        return linsley()
    if table.lat is not None and table.lon is not None:
        lat, lon = table.lat, table.lon
    else:
        name = config.sites[0].name if table.place is None else table.place.lower()
        known = {site.name: coordinates(site) for site in config.sites}
        if name not in known and name not in SITES:
            allowed = ", ".join(sorted({*known, *SITES}))
            raise InputError("atmosphere.place", table.place, allowed)
        lat, lon = known[name] if name in known else (SITES[name].lat, SITES[name].lon)
    date = None if table.month is not None else table.date or config.field.date
    f107 = DEFAULT_F107 if table.f107 is None else table.f107
    ap = DEFAULT_AP if table.ap is None else table.ap
    return from_msis(lat, lon, month=table.month, date=date, f107=f107, ap=ap).atmosphere


def make_primaries(config: Config) -> PrimaryModel:
    """Build the primary model of a run, with the changes of its calibration and of the table ``[vary]``.

    Parameters
    ----------
    config : Config

    Returns
    -------
    PrimaryModel
    """
    table = config.primaries
    model = primary_model(table.model, table.potential, config.field.date, table.join_GeV)
    return varied_primaries(model, run_values(config))


@functools.lru_cache(maxsize=4)
def _field_and_bounds(date: str, degree: int) -> tuple[FieldModel, np.ndarray, np.ndarray]:
    """Field of a date, and the parameters and bounds of the back-tracking in it; kept for the next run."""
    field = FieldModel(date, degree)
    trace = kept("trace", (field.gauss.tobytes(), degree), lambda: trace_params(field))
    return field, trace, horizontal_table(field, trace)


def make_setup(config: Config) -> Setup:
    """Build all models of a run and the arguments of its batch kernels.

    A run does this once, before its first batch. It reads none of the user's files afterwards.

    Parameters
    ----------
    config : Config

    Returns
    -------
    Setup

    Raises
    ------
    ValueError
        A subclass whose name ends in InputError, with a message of one line, if the configuration names something that
        does not exist (site, model, profile) or a file is wrong.
    """
    field, trace, bounds = _field_and_bounds(config.field.date, config.field.degree)
    read = [None if one.surface is None else read_surface(one.surface, one.altitude_m) for one in config.sites]
    tables = (
        table if found is None else table.model_copy(update={"altitude_m": found[1]})
        for table, found in zip(config.sites, read, strict=True)
    )
    atmosphere = make_atmosphere(config)
    detectors = tuple(make_detector(at_depth(table, atmosphere), field) for table in tables)
    values = run_values(config)
    hadronic = run_hadronic(config.hadronic.model, config.hadronic.definition, config.hadronic.table, values)
    primaries = make_primaries(config)
    low, high = config.primaries.energy_GeV
    index, law, roulette = run_energies(config)
    world = build_world(
        atmosphere.layers,
        atmosphere.top_km,
        field.gauss,
        hadronic.tables,
        step_km=config.transport.step_km,
        energy_min_GeV=config.scoring.energy_min_GeV * (FOLLOWED_BELOW if config.sampling.mode == "targeted" else 1.0),
        bending=config.transport.bending,
        transverse=config.transport.transverse,
        nuclei=config.transport.nuclei,
        thinning_ratio=config.thinning,
        roulette=roulette,
        sharing=NEUTRINO_SHARING if config.thinning > 0.0 else WITHOUT_ROULETTE,
        pion_sharpness=pion_sharpness(values),
        albedo=config.transport.albedo == "follow",
    )
    overhead = None
    if config.scoring.muons:
        overhead = make_overhead(config, detectors, world.layers)
        check_levels(overhead, atmosphere.top_km)
    sites, surfaces = site_rows(detectors, [None if found is None else found[0] for found in read])
    source = Source(primaries.spectrum, low, high, index, law, sphere_km=float(sites[0]["radius_km"]))
    return Setup(
        config=config,
        detectors=detectors,
        field=field,
        atmosphere=atmosphere,
        hadronic=hadronic,
        primaries=primaries,
        world=world,
        source=source,
        sites=sites,
        surfaces=surfaces,
        trace=trace.copy(),
        bounds=bounds.copy(),
        overhead=overhead,
        gradients=make_gradients(config, hadronic.tables),
        models=model_entries(config, field, atmosphere, hadronic, primaries, overhead),
    )
