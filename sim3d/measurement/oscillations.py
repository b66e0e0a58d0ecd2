"""Oscillated fluxes, and oscillations whose parameters are fitted.

Two ways: probabilities on a grid from nuSQuIDS (three flavours, matter of the Earth) at fixed parameters, which make an
oscillated flux; and a factor on each event that depends on parameters, in closed form for two flavours in vacuum or
from a function of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import RegularGridInterpolator

from sim3d.conventions.arrays import Array
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.flavours import FLAVOURS, flavour_indices, flavour_name
from sim3d.errors import InputError
from sim3d.measurement.parameters import Parameter
from sim3d.measurement.samples import Sample

PHASE = 1.266932679815373
"""Phase of an oscillation over dm^2 L / E: 1 / (4 hbar c) in eV^-2 km^-1 GeV; hbar c = 197.3269804 MeV fm (CODATA)."""

HEIGHT_KM = 15.0
"""Production height that is assumed where no run has counted heights."""

_ORDER = {"nue": (0, 0), "numu": (0, 1), "nutau": (0, 2), "nuebar": (1, 0), "numubar": (1, 1), "nutaubar": (1, 2)}
"""[antineutrino, flavour] of nuSQuIDS' arrays."""


def baseline_km(cos_zenith: ArrayLike, height_km: ArrayLike = HEIGHT_KM, depth_km: float = 0.0) -> Array:
    """Compute the distance from the production point to the detector on a spherical Earth.

    Parameters
    ----------
    cos_zenith : array_like
    height_km : array_like
        Height of production above the surface.
    depth_km : float
        Depth of the detector below the surface.

    Returns
    -------
    float64 array
        km.

    Examples
    --------
    >>> baseline_km([1.0, -1.0], 20.0).round(6).tolist()
    [20.0, 12762.4]
    """
    cos = np.asarray(cos_zenith, dtype=float)
    detector, top = EARTH_RADIUS_KM - depth_km, EARTH_RADIUS_KM + np.asarray(height_km, dtype=float)
    if not (np.all(top >= detector) and detector > 0.0):
        raise InputError("baseline_km: needs heights above the detector, and a detector inside the Earth")
    return np.asarray(np.sqrt(top**2 - detector**2 * (1.0 - cos**2)) - detector * cos)


def mean_heights(heights: Any, sample: Sample) -> Array:
    """Compute the mean production height of every event from a run that counted heights.

    Parameters
    ----------
    heights : sim3d.results.heights.ProductionHeights
    sample : Sample
        With ``pdg``, ``energy_GeV`` and ``cos_zenith``.

    Returns
    -------
    float64 array (n,)
        km: the mean of the event's bin; of empty bins and outside the mean of the nearest bin in energy that has one.

    Raises
    ------
    InputError
        If a flavour has no heights at a zenith at all, or for tau neutrinos.
    """
    mean = np.array(heights.mean_km)
    for f, c in np.ndindex(mean.shape[0], mean.shape[2]):
        known = np.flatnonzero(np.isfinite(mean[f, :, c]))
        if len(known) == 0:
            raise InputError(f"heights: {FLAVOURS[f]} has none in zenith bin {c + 1}; simulate more")
        nearest = known[np.abs(np.arange(mean.shape[1])[:, None] - known).argmin(axis=1)]
        mean[f, :, c] = mean[f, nearest, c]
    pdg = sample.role("pdg")
    if np.any(np.abs(pdg) == 16):
        raise InputError("heights: tau neutrinos are not produced in the air; select the others")
    index = flavour_indices(pdg)

    def places(edges: Array, values: Array) -> Any:
        return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)

    energy = places(heights.energy_edges_GeV, sample.role("energy_GeV"))
    return np.asarray(mean[index, energy, places(heights.cos_zenith_edges, sample.role("cos_zenith"))])


class TwoFlavours:
    """Survival of muon neutrinos in vacuum, 1 - sin^2(2 theta) sin^2(1.267 dm^2 L / E), with exact derivatives.

    Electron neutrinos are left as they are.

    Parameters
    ----------
    sample : Sample
        With ``pdg`` and ``energy_GeV``; ``cos_zenith`` unless the distances are given.
    distance_km : array_like (n,), optional
        By default :func:`baseline_km` with its default height.
    sin2_2theta, dm2_eV2 : float
        Nominal values.

    Attributes
    ----------
    parameters : tuple of Parameter
        ``sin2_2theta`` and ``dm2`` (in 1e-3 eV^2).
    """

    def __init__(
        self,
        sample: Sample,
        distance_km: ArrayLike | None = None,
        sin2_2theta: float = 0.99,
        dm2_eV2: float = 2.5e-3,
    ) -> None:
        distance = (
            baseline_km(sample.role("cos_zenith")) if distance_km is None else np.asarray(distance_km, dtype=float)
        )
        if distance.shape != (len(sample),) or not np.all(np.isfinite(distance) & (distance >= 0.0)):
            raise InputError(f"distance_km: needs a number of 0 or more for each of {len(sample)} events")
        self._phase = 1e-3 * PHASE * distance / sample.role("energy_GeV")
        self._muon = (np.abs(sample.role("pdg")) == 14).astype(float)
        self.parameters = (
            Parameter("sin2_2theta", sin2_2theta, low=0.0, high=1.2, step=0.02),
            Parameter("dm2", 1e3 * dm2_eV2, low=0.0, unit="1e-3 eV^2", step=0.05),
        )

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Compute the probability (n,) and its derivatives (n, 2) at (sin^2(2 theta), dm^2 / 1e-3 eV^2)."""
        amplitude, dm2 = values
        phase = self._phase * dm2
        loss = self._muon * np.sin(phase) ** 2
        slopes = np.stack([-loss, -amplitude * self._muon * np.sin(2.0 * phase) * self._phase], axis=1)
        return 1.0 - amplitude * loss, slopes


class UserFactor:
    """Factor on each event from a function of the user, with derivatives by central differences.

    Parameters
    ----------
    parameters : sequence of Parameter
        Their ``step`` times 1e-3 is the half width of the differences.
    function : callable
        ``function(values)`` gives the factors (n,), 0 or more; values by name.
    """

    def __init__(self, parameters: Sequence[Parameter], function: Callable[[Mapping[str, float]], ArrayLike]) -> None:
        self.parameters, self._function = tuple(parameters), function

    def _at(self, values: Array) -> Array:
        names = [one.name for one in self.parameters]
        found = np.asarray(self._function(dict(zip(names, values.tolist(), strict=True))), dtype=float)
        if found.ndim != 1 or not np.all(np.isfinite(found) & (found >= 0.0)):
            raise InputError("factor: the function must give a finite number of 0 or more for each event")
        return found

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Compute the factor (n,) and its derivatives (n, parameters)."""
        factor = self._at(values)
        slopes = np.empty((len(factor), len(self.parameters)))
        for i, one in enumerate(self.parameters):
            half = 1e-3 * one.step * np.eye(len(values))[i]
            slopes[:, i] = (self._at(values + half) - self._at(values - half)) / (2e-3 * one.step)
        return factor, slopes


class Probabilities:
    """Oscillation probabilities on a grid of energy and zenith, linear between its nodes in ln E and cos_zenith.

    Parameters
    ----------
    energy_GeV, cos_zenith : array_like
        Nodes, ascending.
    values : float64 array (cos_zenith, energy, 2, 3, 3)
        [node, node, neutrino or antineutrino, flavour produced, flavour detected], flavours e, mu, tau.
    """

    def __init__(self, energy_GeV: ArrayLike, cos_zenith: ArrayLike, values: Array) -> None:
        energy, cos = np.asarray(energy_GeV, dtype=float), np.asarray(cos_zenith, dtype=float)
        nodes = (len(cos), len(energy), 2, 3, 3)
        if np.shape(values) != nodes or not (np.all(np.diff(energy) > 0.0) and np.all(np.diff(cos) > 0.0)):
            raise InputError(
                f"probabilities: {np.shape(values)} values; nodes that rise and an array {nodes} are needed"
            )
        self._grid = RegularGridInterpolator((cos, np.log(energy)), values)
        self._range = (energy[0], energy[-1], cos[0], cos[-1])

    @classmethod
    def of_nusquids(
        cls,
        energy_GeV: ArrayLike,
        cos_zenith: ArrayLike,
        angles_deg: Mapping[tuple[int, int], float],
        splittings_eV2: Mapping[int, float],
        delta_cp_deg: float = 0.0,
    ) -> Probabilities:
        """Compute the probabilities with nuSQuIDS, in the Earth of :mod:`sim3d.flux.prem`.

        Parameters
        ----------
        energy_GeV, cos_zenith : array_like
            Nodes, ascending.
        angles_deg : mapping
            Mixing angles by pair: (0, 1), (0, 2), (1, 2).
        splittings_eV2 : mapping
            1: dm^2_21, 2: dm^2_31.
        delta_cp_deg : float

        Returns
        -------
        Probabilities

        Raises
        ------
        InputError
            If nuSQuIDS is not installed.
        """
        try:
            from sim3d.flux import prem

            prem.provide_nusquids_earth()
            import nuSQuIDS as nsq
        except ImportError:
            raise InputError("oscillations: needs nuSQuIDS; pip install 'sim3d[nusquids]'") from None
        energy, cos = np.asarray(energy_GeV, dtype=float), np.asarray(cos_zenith, dtype=float)
        gev = nsq.Const().GeV
        values = np.zeros((len(cos), len(energy), 2, 3, 3))
        values[..., 2, 2] = 1.0
        for produced in (0, 1):  # the equations are linear without interactions: one flavour at a time
            earth = nsq.nuSQUIDSAtm(cos, energy * gev, 3, nsq.NeutrinoType.both, False)
            for (i, j), angle in angles_deg.items():
                earth.Set_MixingAngle(i, j, float(np.radians(angle)))
            earth.Set_CPPhase(0, 2, float(np.radians(delta_cp_deg)))
            for i, splitting in splittings_eV2.items():
                earth.Set_SquareMassDifference(i, splitting)
            earth.Set_rel_error(1e-5)
            earth.Set_abs_error(1e-5)
            earth.Set_ProgressBar(False)
            state = np.zeros((len(cos), len(energy), 2, 3))
            state[..., produced] = 1.0
            earth.Set_initial_state(state, nsq.Basis.flavor)
            earth.EvolveState()
            for c, e, kind, seen in np.ndindex(len(cos), len(energy), 2, 3):
                values[c, e, kind, produced, seen] = earth.EvalFlavor(seen, cos[c], energy[e] * gev, kind)
        return cls(energy, cos, np.clip(values, 0.0, 1.0))

    def at(self, energy_GeV: Array, cos_zenith: Array) -> Array:
        """Interpolate all probabilities at points.

        Parameters
        ----------
        energy_GeV, cos_zenith : float64 arrays (n,)

        Returns
        -------
        float64 array (n, 2, 3, 3)

        Raises
        ------
        InputError
            For a point outside the grid.
        """
        low, high, down, up = self._range
        for name, x, a, b in (("energy_GeV", energy_GeV, low, high), ("cos_zenith", cos_zenith, down, up)):
            bad = ~((x >= a * (1 - 1e-12 * np.sign(a))) & (x <= b * (1 + 1e-12 * np.sign(b))))
            if bad.any():
                raise InputError(name, float(x[bad][0]), f"{a:.5g} to {b:.5g}, the nodes of the probabilities")
        point = np.stack([np.clip(cos_zenith, down, up), np.log(np.clip(energy_GeV, low, high))], axis=-1)
        return np.asarray(self._grid(point))


class OscillatedFlux:
    """Flux at the detector after oscillation: the sum over the flavours produced, in every direction.

    It has the methods of :class:`sim3d.Flux` that a component needs, with the parameters of the flux that oscillates.

    Parameters
    ----------
    flux : sim3d.Flux
        Fluxes produced.
    probabilities : Probabilities
    """

    def __init__(self, flux: Any, probabilities: Probabilities) -> None:
        self._flux, self._probabilities = flux, probabilities
        self.azimuth_table = getattr(flux, "azimuth_table", None)
        self.parameters = list(getattr(flux, "parameters", []))
        self.parameter_covariance = getattr(flux, "parameter_covariance", np.zeros((0, 0)))

    def _produced(self, pdg: Array, energy: Array, cos: Array, *azimuth: Array) -> list[tuple[Array, Array]]:
        """Ids of the flavours produced (e, then mu) and their contributions to the flux, each (n,)."""
        index = np.array([_ORDER[str(flavour_name(int(one)))] for one in np.unique(pdg)])
        kind, seen = index[np.searchsorted(np.unique(pdg), pdg)].T
        chance = self._probabilities.at(energy, cos)
        rows = np.arange(len(pdg))
        out = []
        for flavour, lepton in ((0, 12), (1, 14)):
            ids = np.where(kind == 1, -lepton, lepton)
            out.append((ids, chance[rows, kind, flavour, seen] * self._flux.flux(ids, energy, cos, *azimuth)))
        return out

    def flux(self, flavour: Any, energy_GeV: Any, cos_zenith: Any, azimuth_deg: Any = None) -> Array:
        """Compute the flux at the detector at points (n,), m^-2 s^-1 sr^-1 GeV^-1; tau neutrinos too."""
        azimuth = () if azimuth_deg is None else (np.asarray(azimuth_deg, dtype=float),)
        point = (np.asarray(flavour), np.asarray(energy_GeV, dtype=float), np.asarray(cos_zenith, dtype=float))
        return np.asarray(sum(part for _, part in self._produced(*point, *azimuth)))

    def derivatives(self, flavour: Any, energy_GeV: Any, cos_zenith: Any) -> Array:
        """Compute d ln(flux) / d(parameter) of the flux at the detector, (n, parameters)."""
        point = (np.asarray(flavour), np.asarray(energy_GeV, dtype=float), np.asarray(cos_zenith, dtype=float))
        parts = self._produced(*point)
        total = parts[0][1] + parts[1][1]
        slopes = sum(part[:, None] * self._flux.derivatives(ids, *point[1:]) for ids, part in parts)
        return np.divide(slopes, total[:, None], out=np.zeros_like(slopes), where=total[:, None] > 0.0)
