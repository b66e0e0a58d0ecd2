"""Fluxes and their statistical errors at every site of a finished run, in bins of energy, zenith and azimuth.

The flux of a bin is the mean of its batch values, and its error is the standard error of that mean. For derived
quantities (sums over bins, asymmetries, ratios), errors come from the jackknife over groups of batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim3d.config.schema import NO_CHARM
from sim3d.conventions.binning import BINNINGS, COS_EDGES, ENERGY_EDGES_GEV, N_COS, Binning
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.words import result_conventions
from sim3d.errors import InputError
from sim3d.files.record import RunRecord
from sim3d.files.result_file import read_result
from sim3d.results.bin_errors import POISSON_LIMIT_90, BinErrors, bin_errors, neutrino_grid, with_prompt
from sim3d.results.gradients import SiteGradients
from sim3d.results.point_fluxes import PointFluxes
from sim3d.results.words import median_errors, result_lines
from sim3d.scoring.exact_sums import N_GROUPS, ExactSums
from sim3d.scoring.precision import Watch, describe_observable
from sim3d.scoring.tally import SiteTally, rebin

if TYPE_CHECKING:
    from hist import Hist

_SLACK = 1e-9
"""Relative tolerance at the ends of the energies, for their rounding."""

_NOT_MADE = {
    "muons": "scoring.muons: this run scored no muons; set it to true and run again",
    "muon_gradients": "gradients of muons: this run made none; add to [scoring] muons = true and gradients = true",
    "heights": "scoring.heights: this run counted no heights of production; set it to true and run again",
    "gradients": "gradients: this run made none; add to its configuration [scoring] gradients = true, or a variation",
}
"""Error messages for optional sums that a run did not make."""


@dataclass(frozen=True)
class SiteInfo:
    """Geodetic position (degrees), altitude (m), declination (degrees), patch and its area (m2) of a site."""

    name: str
    lat_deg: float
    lon_deg: float
    altitude_m: float
    declination_deg: float
    patch: str
    area_m2: float


class Result(PointFluxes):
    """Fluxes of a finished run, with their statistical errors.

    Parameters
    ----------
    record : RunRecord
        From a run or a file; use :func:`sim3d.load` or :func:`sim3d.run`.
    path : Path, optional
        The result file. Its event records, if the run made any, are in files beside it.

    Attributes
    ----------
    sites : dict of SiteInfo
        By name, in the order of the configuration.
    flavours : tuple of str
    energy_edges_GeV, cos_zenith_edges, azimuth_edges_deg : float64 arrays
        Edges of the fine bins.
    config : dict
        The configuration as nested dicts.
    attributes : dict
        Numbers of the run: primaries, batches, models, dates, versions, wall time.
    """

    flavours = FLAVOURS

    def __init__(self, record: RunRecord, path: Path | None = None) -> None:
        if record.config.hadronic.charm != NO_CHARM and not record.prompt:
            raise InputError(
                "hadronic.charm: this record has no prompt fluxes; sim3d.simulation.reweight.reweight leaves "
                "record.prompt to sim3d.cascade.prompt.prompt_of_run, as `sim3d reweight` calls it"
            )
        self.record = record
        self.path = path
        self._gradients: dict[str, SiteGradients] = {}
        self._errors: dict[tuple[str, str], BinErrors] = {}
        self.sites = {
            d.name: SiteInfo(d.name, d.lat_deg, d.lon_deg, d.altitude_m, d.declination_deg, d.patch, d.area_m2)
            for d in record.detectors
        }
        self.energy_edges_GeV = ENERGY_EDGES_GEV
        self.cos_zenith_edges = COS_EDGES
        self.azimuth_edges_deg = np.linspace(0.0, 360.0, record.config.scoring.azimuth_bins + 1)
        self.config: dict[str, Any] = record.config.model_dump(mode="json")
        run = record.config.run
        self.attributes: dict[str, Any] = {
            "primaries": record.counters["primaries"],
            "batches": self.n_batches,
            "batch_size": run.batch_size,
            "batches_total": len(record.batches_done),
            "complete": record.complete,
            "lost": len(record.lost),
            "seed": run.seed,
            **{k: v for k, v in record.counters.items() if k != "primaries"},
            **record.models,
            **result_conventions(record.azimuth_frame),
            **record.provenance,
        }

    def __repr__(self) -> str:
        """Return sites, ranges, errors, dates and models of the run in a few lines."""
        errors = {}
        if self.record.config.scoring.neutrinos and self.n_batches:
            energies, edges = self.binning_energies("honda_aa"), self.binning_energy_edges("honda_aa")
            scored = edges[:-1] >= self.record.config.scoring.energy_min_GeV * (1.0 - _SLACK)
            for site in self.sites:
                flux, error = self.binned(site, "honda_aa")[0], self.errors(site, "honda_aa").error
                errors[site] = median_errors(flux, error, energies, scored, self.flavours)
        azimuths = len(self.azimuth_edges_deg) - 1
        return "\n".join(result_lines(self.record, errors, azimuths, self.n_batches))

    @property
    def n_batches(self) -> int:
        """Number of batches in the sums."""
        return int(self.record.batches_done.sum())

    @property
    def complete(self) -> bool:
        """Whether the run is finished: all batches are done, or its ``target_error`` was reached."""
        return self.record.complete

    @property
    def azimuth_frame(self) -> str:
        """Frame in which azimuths are counted (:data:`sim3d.conventions.words.AZIMUTH_FRAMES`)."""
        return self.record.azimuth_frame

    @property
    def target(self) -> str | None:
        """Relative error reached, compared with the run's ``target_error``, in words; None if it has none."""
        run = self.record.config.run
        if run.target_error is None:
            return None
        watch = Watch(self.record.config, [tally.exponents for tally in self.record.tallies])
        watch.add(self.record.watch_sums)
        error = watch.error(self.n_batches, self.record.tallies)
        verdict = "reached" if error <= run.target_error else "not reached"
        return f"target_error {run.target_error:g} {verdict}: {error:.3g} ({describe_observable(self.record.config)})"

    @property
    def group_weights(self) -> np.ndarray:
        """Number of batches in each group, int (N_GROUPS,); a group without batches has weight 0."""
        done = np.flatnonzero(self.record.batches_done)
        return np.bincount(done % N_GROUPS, minlength=N_GROUPS)

    def _tally(self, site: str) -> SiteTally:
        if site not in self.sites:
            raise InputError(f"site: {site!r} is not in this result; it has {', '.join(self.sites)}")
        if not self.record.config.scoring.neutrinos:
            raise InputError("scoring.neutrinos: this run scored muons alone, no neutrinos; see `sim3d muons`")
        return self.record.tallies[list(self.sites).index(site)]

    def extra(self, name: str, site: str | None = None) -> ExactSums:
        """Return the exact sums of an optional statistic at a site.

        Parameters
        ----------
        name : str
            ``muons``, ``muon_gradients``, ``gradients`` or ``heights``.
        site : str, optional
            By default the run's first site.

        Raises
        ------
        InputError
            If the run has no such site, or did not make these sums.
        """
        chosen = self.default_site(site)
        if chosen not in self.sites:
            raise InputError(f"site: {chosen!r} is not in this result; it has {', '.join(self.sites)}")
        sums = self.record.tallies[list(self.sites).index(chosen)].extras
        if name not in sums:
            raise InputError(_NOT_MADE[name])
        return sums[name]

    def hit_weights(self, site: str) -> np.ndarray:
        """Return the histogram of the statistical weights of the primaries (:mod:`sim3d.scoring.hit_weights`).

        In results of earlier versions it is that of the hits; :attr:`RunRecord.weights_of` says which.

        Returns
        -------
        int64 array (flavour, decade of energy, weight)

        Raises
        ------
        InputError
            If the run has no such site, or scored no neutrinos.
        """
        return self._tally(site).weights

    def events(self, chunk: int = 2**16) -> Iterator[np.ndarray]:
        """Iterate over the event records of a run with ``scoring.events``, in the order of batches and primaries.

        Parameters
        ----------
        chunk : int
            Records in an array; only the last one has fewer.

        Yields
        ------
        structured array (n,) of :data:`sim3d.scoring.event_records.RECORD_DTYPE`
            Fields and units are in docs/manual/formats.md; ``site`` and ``flavour`` are positions in
            ``list(result.sites)`` and ``result.flavours``.

        Raises
        ------
        InputError
            If the run made no records, they are not beside the result file, or they are damaged.
        """
        from sim3d.files.event_file import EventStore, chunks

        if isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1:
            raise InputError("chunk", chunk, "a whole number from 1")
        if self.path is None:
            raise InputError("events: this result is not from a file; records are beside a result file only")
        return chunks(EventStore.of(self.path, self.record).pieces(), chunk)

    @staticmethod
    def binning(name: str) -> Binning:
        """Return the binning of a name ("fine", "honda", "fluka", each also averaged over azimuth, "_aa")."""
        if name not in BINNINGS:
            raise InputError(f"binning: {name!r} is not one of {', '.join(BINNINGS)}")
        return BINNINGS[name]

    def binning_energies(self, name: str) -> np.ndarray:
        """Return the logarithmic centres of a binning's energy bins (GeV)."""
        return self.binning(name).energies_GeV

    def binning_energy_edges(self, name: str) -> np.ndarray:
        """Return the edges of a binning's energy bins (GeV)."""
        return self.binning(name).energy_edges_GeV

    def binning_cos_edges(self, name: str) -> np.ndarray:
        """Return the edges of a binning's zenith bins, ascending."""
        return self.binning(name).cos_edges

    def _phase_space(self, binning: Binning) -> np.ndarray:
        """Return the size of each bin in GeV sr, shape (1, energy, cos, azimuth)."""
        energy = np.diff(binning.energy_edges_GeV)
        cos = np.diff(binning.cos_edges)
        azimuth = np.radians(np.diff(self.azimuth_edges_deg)) if binning.azimuth else np.array([2.0 * np.pi])
        return (energy[:, None, None] * cos[None, :, None] * azimuth[None, None, :])[None]

    def _rebinned(self, values: np.ndarray, binning: Binning) -> np.ndarray:
        return rebin(
            values,
            binning.energy_start,
            binning.energy_group,
            binning.n_energy,
            binning.cos_group,
            binning.azimuth,
        )

    def binned(self, site: str, binning: str = "fine") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute the flux, its statistical error and the number of hits in every bin.

        Parameters
        ----------
        site : str
        binning : str
            See :meth:`binning`.

        Returns
        -------
        flux, error : float64 arrays (flavour, energy, cos, azimuth), without the last axis for "_aa"
            m^-2 s^-1 sr^-1 GeV^-1; a bin without hits has 0 and 0 (see :meth:`upper_limit`), or the prompt flux alone
            in a run with charm. The error is the standard error of the mean of the batches. It is too small where hits
            are few; :meth:`errors` is not.
        hits : int64 array, same shape
            Number of neutrino crossings of the patch.

        Raises
        ------
        InputError
            For an unknown site or binning, or if the run scored no neutrinos.
        """
        flux, error, hits = self.sampled(site, binning)
        return (flux + self.prompt(site, binning) if self.record.prompt else flux), error, hits

    def prompt(self, site: str, binning: str = "fine") -> np.ndarray:
        """Return the flux of the neutrinos of charm, which is in :meth:`binned`; 0 without ``charm`` of ``[hadronic]``.

        It is computed by the cascade equations and has no statistical error (:mod:`sim3d.cascade.prompt`).

        Parameters
        ----------
        site : str
        binning : str
            See :meth:`binning`.

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1 GeV^-1, in the shape of :meth:`binned`.

        Raises
        ------
        InputError
            As :meth:`binned`.
        """
        chosen = self.binning(binning)
        shape = self._tally(site).hits.shape
        fine = self.record.prompt.get(site, np.zeros(shape[:3]))
        values = np.broadcast_to(fine[..., None], shape) * self._phase_space(self.binning("fine"))
        flux = self._rebinned(values, chosen) / self._phase_space(chosen)
        return flux if chosen.azimuth else flux[..., 0]

    def sampled(self, site: str, binning: str = "fine") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute what :meth:`binned` does from the simulated showers alone, without prompt neutrinos.

        Parameters, shapes, unit and errors raised as there.
        """
        chosen = self.binning(binning)
        tally = self._tally(site)
        # a run without a finished batch has sums of 0; do not divide by 0
        n = max(self.n_batches, 1)
        total = self._rebinned(tally.plain_sum(), chosen)
        squares = tally.square_sum(binning)
        space = self._phase_space(chosen)
        hits = np.rint(self._rebinned(tally.hits.astype(float), chosen)).astype(np.int64)
        flux = total / n / space
        variance = np.maximum(0.0, squares - total**2 / n) / (n * max(n - 1, 1))
        error = np.sqrt(variance) / space
        return (flux, error, hits) if chosen.azimuth else (flux[..., 0], error[..., 0], hits[..., 0])

    def upper_limit(self, site: str, binning: str = "fine") -> np.ndarray:
        """Compute the 90% upper limit of the flux in bins without hits; elsewhere return the flux itself.

        See :mod:`sim3d.results.bin_errors`; the limit is infinite at a site without a single hit.
        Parameters, shape and unit as in :meth:`binned`.
        """
        flux, _, hits = self.binned(site, binning)
        return np.where(hits > 0, flux, self.errors(site, binning).limit + self.prompt(site, binning))

    def errors(self, site: str, binning: str = "fine") -> BinErrors:
        """Compute the errors that tables have: expected errors where hits are few, upper limits where there are none.

        Parameters
        ----------
        site : str
        binning : str
            See :meth:`binning`.

        Returns
        -------
        BinErrors
            ``error``, ``kind`` and ``limit`` in the shape of :meth:`binned`. Its ``error`` is never 0.

        Raises
        ------
        InputError
            As :meth:`binned`.
        """
        if found := self._errors.get((site, binning)):
            return found
        chosen = self.binning(binning)
        flux, error, _ = self.sampled(site, binning)
        azimuths = self.azimuth_edges_deg if chosen.azimuth else np.array([0.0, 360.0])
        shape = (*flux.shape[:3], len(azimuths) - 1)
        grid = neutrino_grid(chosen.energies_GeV, chosen.cos_edges, azimuths)
        found = bin_errors(flux.reshape(shape), error.reshape(shape), grid, self.n_batches).reshaped(flux.shape)
        if self.record.prompt:
            found = with_prompt(found, self.prompt(site, binning))
        return self._errors.setdefault((site, binning), found)

    def groups_east_west(self, site: str) -> np.ndarray:
        """Compute the mean flux of each group of batches in the eastern and western halves of azimuth at a site.

        Returns
        -------
        float64 array (N_GROUPS, flavour, N_ENERGY, N_COS, 2)
            m^-2 s^-1 sr^-1 GeV^-1; last index 0 = arriving from the east (0-180 degrees), 1 = from the west.
            A group without batches is 0 (its weight in :attr:`group_weights` is 0).
        """
        sums, _ = self._tally(site).group_sums()
        space = np.diff(ENERGY_EDGES_GEV)[:, None, None] * np.diff(COS_EDGES)[None, :, None] * np.pi
        return self._per_group(sums) / space[None, None] + self._prompt_of_groups(site, 1)

    def groups_azimuth(self, site: str) -> np.ndarray:
        """Compute the mean flux of each group of batches in azimuth bins at a site, for four zenith bands.

        Returns
        -------
        float64 array (N_GROUPS, flavour, N_ENERGY, 4, azimuth)
            m^-2 s^-1 sr^-1 GeV^-1; edges of the bands in cos_zenith are -1, -0.5, 0, 0.5, 1.
        """
        _, sums = self._tally(site).group_sums()
        width = np.radians(np.diff(self.azimuth_edges_deg))
        space = np.diff(ENERGY_EDGES_GEV)[:, None, None] * 0.5 * width[None, None, :]
        return self._per_group(sums) / space[None, None] + self._prompt_of_groups(site, N_COS // 4)

    def _prompt_of_groups(self, site: str, cosines: int) -> np.ndarray:
        """Prompt flux for every group that has batches, the mean of so many fine zenith bins: (group, ..., 1)."""
        if not self.record.prompt:
            return np.zeros((1, 1, 1, 1, 1))
        fine = self.record.prompt[site]
        mean = fine.reshape(*fine.shape[:2], -1, cosines).mean(axis=-1)
        return np.asarray((self.group_weights > 0)[:, None, None, None, None] * mean[..., None])

    def _per_group(self, sums: np.ndarray) -> np.ndarray:
        weights = self.group_weights
        return sums / np.maximum(weights, 1)[:, None, None, None, None]

    def default_site(self, site: str | None) -> str:
        """Return ``site``, or if that is None the run's first site."""
        return next(iter(self.sites)) if site is None else site

    def gradients(self, site: str | None = None) -> SiteGradients:
        """Return the derivatives of the flux of a site with respect to the model parameters.

        They also give the flux under other parameters, and errors propagated from those of the parameters.

        Parameters
        ----------
        site : str, optional
            By default the run's first site.

        Raises
        ------
        InputError
            For an unknown site, or a run without gradients.
        """
        name = self.default_site(site)
        if name not in self._gradients:
            config = self.record.config
            groups = self.extra("gradients", name).group_sums()
            groups /= np.maximum(self.group_weights, 1).reshape(N_GROUPS, 1, 1, 1, 1)
            points = {point.name: point.parameters for point in config.scoring.variations}
            self._gradients[name] = SiteGradients(name, groups, self.group_weights, config.scoring.columns, points)
        return self._gradients[name]

    def hist(self, site: str | None = None) -> Hist:
        """Return the fluxes of a site integrated over the fine bins, with their variances, as a histogram object (UHI).

        Parameters
        ----------
        site : str, optional
            By default the run's first site.

        Returns
        -------
        hist.Hist
            See :func:`sim3d.results.hist.flux_hist`.

        Raises
        ------
        InputError
            If the library hist is not installed, or the site is unknown.
        """
        from sim3d.results.hist import flux_hist

        flux, error, _ = self.binned(self.default_site(site), "fine")
        return flux_hist(flux, error, self.azimuth_edges_deg)


def load(path: str | Path) -> Result:
    """Read a result file.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    InputError
        With a message of one line, if the file is missing, truncated, of another kind, or of a newer format.
    """
    return Result(read_result(path), Path(path))


__all__ = ["POISSON_LIMIT_90", "Result", "SiteInfo", "load"]
