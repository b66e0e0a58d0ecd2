"""Interpolated fluxes as a continuous function of energy and direction, from a result file or a Honda table.

:meth:`sim3d.Result.flux` interpolates the same bins linearly; :class:`Flux` draws a spline through them. The
method is described in :mod:`sim3d.flux.spline`, and its use in docs/manual/python.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sim3d.config.calibration import NO_CALIBRATION
from sim3d.errors import InputError
from sim3d.files.calibration_file import named_calibration, read_calibration
from sim3d.files.checksums import is_result_file
from sim3d.files.flux_table import EnergyKind
from sim3d.files.honda import table_of_honda
from sim3d.files.site_flux_file import read_site_flux
from sim3d.flux.interpolation import Extrapolate
from sim3d.flux.point_errors import FluxWithErrors
from sim3d.flux.site_flux import default_calibration, shipped_site, site_tables
from sim3d.flux.smoothing import correlation_of
from sim3d.results.calibrated_run import derivatives_of_result, errors_of_result
from sim3d.results.model_parameters import (
    ParameterErrors,
    ordered_values,
    scaled_table,
)
from sim3d.results.result import Result, load
from sim3d.results.tables import sample_table, table_of_result
from sim3d.results.words import WINDOW_GEV, median_errors


class Flux(FluxWithErrors):
    """Interpolated fluxes of one site.

    Make one with :meth:`site` (a site that ships), :meth:`load` (a file), :meth:`of_result` (a result in memory) or
    from tables.

    Parameters
    ----------
    average : FluxTable
        The azimuth average.
    by_azimuth : FluxTable, optional
        The same with azimuth bins.
    extrapolate : "refuse" or "flag"
        For a point outside the table: raise an :class:`InputError` that names the range, or return NaN.
    derivatives : LogDerivatives, optional
        Derivatives by the model parameters that have errors; without them the flux has no parameters.
    correlation : BinCorrelation, optional
        Of the bins of the azimuth average; by default they are independent.

    Attributes
    ----------
    flavours : tuple of str
    table, azimuth_table : FluxTable (azimuth_table may be None)
        The numbers that are interpolated.
    energy_range_GeV : (float, float)
        Lowest and highest energy of the table; there is no extrapolation beyond.
    """

    def __repr__(self) -> str:
        """Return source, flavours, ranges and kinds of errors in a few lines."""
        table = self.table
        low, high = self.energy_range_GeV
        cells = f"{len(table.energies_GeV)} energies, {len(table.cos_edges) - 1} zenith bins"
        azimuths = "" if self.azimuth_table is None else f", {len(self.azimuth_table.azimuth_edges_deg) - 1} in azimuth"
        kinds = ["statistical"] * self.has_errors + ["model"] * bool(self.parameters)
        lines = [
            f"sim3d flux of {table.name}"
            + (f", from {table.source}" if table.source != table.name else "")
            + (f" ({table.note})" if table.note else ""),
            f"  {', '.join(self.flavours)}; {low:.4g} to {high:.5g} GeV, cos_zenith {table.cos_edges[0]:g} to "
            f"{table.cos_edges[-1]:g}",
            f"  interpolated between {cells}{azimuths or ', averaged over azimuth'}; m^-2 s^-1 sr^-1 GeV^-1",
            f"  errors: {' and '.join(kinds) or 'none'}" + (f", {self._median_error()}" if self.has_errors else ""),
        ]
        return "\n".join(lines)

    def _median_error(self) -> str:
        """State the median statistical error of the bins of the azimuth average, by flavour."""
        table = self.table
        assert table.error is not None
        every = np.ones(len(table.energies_GeV), dtype=bool)
        found = median_errors(table.flux, table.error, table.energies_GeV, every, self.flavours)
        return f"median of a bin, {WINDOW_GEV[0]:g} to {WINDOW_GEV[1]:g} GeV: {', '.join(found)}"

    @classmethod
    def load(
        cls,
        path: str | Path,
        site: str | None = None,
        binning: str = "honda",
        energies: EnergyKind = "points",
        extrapolate: Extrapolate = "refuse",
        errors: ParameterErrors | None = None,
    ) -> Flux:
        """Read a result file of ``sim3d run`` or a Honda table (``.d``), distinguished by their first bytes.

        Parameters
        ----------
        path : str or Path
        site : str, optional
            Of a result file: by default the run's first site.
        binning : str
            Of a result file: honda (the default), fluka, or fine.
        energies : "points" or "bins"
            Whether the numbers of a Honda table are values at energies or means over bins, see
            :func:`sim3d.files.honda.table_of_honda`. Those of a result file are always means over bins.
        extrapolate : "refuse" or "flag"
        errors : ParameterErrors, optional
            Model parameters and their errors; the result must have the gradients by them (``scoring.gradients``). By
            default those of the run's calibration, if it has one.

        Returns
        -------
        Flux

        Raises
        ------
        InputError
            With a message of one line, if the file cannot be used.
        """
        path = Path(path)
        if is_result_file(path):
            return cls.of_result(load(path), site, binning, extrapolate, errors)
        if errors is not None:
            raise InputError(f"errors: {path} is a Honda table, without gradients; give a result file that has them")
        table = table_of_honda(path, energies)
        if site is not None:
            raise InputError("site", site, "none, a Honda table has one site alone")
        return cls(table.azimuth_average(), table if table.has_azimuth else None, extrapolate)

    @classmethod
    def of_result(
        cls,
        result: Result,
        site: str | None = None,
        binning: str = "honda",
        extrapolate: Extrapolate = "refuse",
        errors: ParameterErrors | None = None,
    ) -> Flux:
        """Make the interpolated fluxes of one site of a result; parameters as in :meth:`load`."""
        name = result.default_site(site)
        errors = errors or errors_of_result(result)
        return cls(
            table_of_result(result, name, binning, azimuth=False, errors=errors),
            table_of_result(result, name, binning, azimuth=True, errors=errors),
            extrapolate,
            None if errors is None else derivatives_of_result(result, name, errors),
            correlation_of(result, name, sample_table(result, name, binning, azimuth=False)),
        )

    @classmethod
    def site(
        cls,
        name: str | Path,
        date: str | None = None,
        extrapolate: Extrapolate = "refuse",
        calibration: str | Path | None = None,
        charm: bool = False,
    ) -> Flux:
        """Read the flux of a site that ships with sim3d, for a date; no run is needed.

        The date moves the Sun (its month) and the geomagnetic field. The atmosphere does not follow it: it stays that
        of the simulation, of a day whose air is near the mean of the year. :mod:`sim3d.flux.site_flux` says how.

        Parameters
        ----------
        name : str or Path
            Of a site (``sim3d flux --list``), or a file of ``make site-tables``.
        date : str, optional
            YYYY-MM-DD; by default the flux as it was simulated.
        extrapolate : "refuse" or "flag"
        calibration : str or Path, optional
            Name of a calibration that ships (``sim3d calibrate --list``), or its file: the flux is moved to its centre,
            linearly in its logarithm, and its errors are those of the calibration. ``"none"``: the unchanged models
            with the errors of their priors. By default the calibration that ships for the models of the site's runs.
        charm : bool
            Whether neutrinos of charmed hadrons are added (:mod:`sim3d.flux.site_charm`).

        Returns
        -------
        Flux

        Raises
        ------
        InputError
            For a site without a flux that ships, with the command that makes its table, or a date out of range.
        """
        path = Path(name)
        stored = read_site_flux(path) if path.suffix == ".h5" else shipped_site(str(name))
        found = None
        if calibration is None:
            calibration = default_calibration(stored)
        if str(calibration) != NO_CALIBRATION:
            file = Path(calibration)
            found = read_calibration(file if file.suffix == ".h5" else named_calibration(str(calibration)))
        average, by_azimuth, derivatives = site_tables(stored, date, found)
        if charm:
            from sim3d.flux.site_charm import site_prompt, with_charm

            prompt = site_prompt(stored)
            average, by_azimuth = with_charm(average, prompt), with_charm(by_azimuth, prompt)
        return cls(average, by_azimuth, extrapolate, derivatives)

    def shifted(self, values: Mapping[str, float]) -> Flux:
        """Make the flux for other values of the parameters: flux times exp(sum of value times derivative).

        That agrees to first order with :meth:`sim3d.results.gradients.SiteGradients.vary` and is never negative; for a
        slope of the primaries it is exact. The factor is taken at the centres of the table's bins.

        Parameters
        ----------
        values : mapping
            Values by name, in units of sigma, from this flux's; parameters that are left out stay.

        Returns
        -------
        Flux
            With the same parameters and derivatives.

        Raises
        ------
        InputError
            For a name that is not in :attr:`parameters`, or a value that is not finite.
        """
        changes = ordered_values(self.parameters, values)
        if self._derivatives is None:
            return self
        label = "shifted by " + ", ".join(f"{name} = {value:g} sigma" for name, value in values.items())
        return Flux(
            scaled_table(self.table, self._derivatives, changes, label),
            None if self.azimuth_table is None else scaled_table(self.azimuth_table, self._derivatives, changes, label),
            self.extrapolate,
            self._derivatives,
        )
