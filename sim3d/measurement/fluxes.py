"""Fluxes at simulated events, and the components of a model made of them.

The weight of an event is w = weight x flux(event) / generated flux (s^-1), times the livetime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from sim3d.cascade.flux import MARGIN, cascade_fluxes
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.flux_units import CM2_PER_M2
from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.flux.interpolated import Flux
from sim3d.measurement.model import Component, Factor, Slopes
from sim3d.measurement.parameters import Parameter, Prior
from sim3d.measurement.samples import Sample

PIVOT_GEV = 1.0e5
"""Energy at which the norm of a power law is its flux: 100 TeV."""


class EventFlux(Protocol):
    """Flux at events, with the arguments of :class:`sim3d.Flux`."""

    def flux(self, flavour: Any, energy_GeV: Any, cos_zenith: Any, azimuth_deg: Any = None) -> Any:
        """Compute the flux, m^-2 s^-1 sr^-1 GeV^-1."""


def flux_at_events(flux: EventFlux | Callable[[Sample], Any], sample: Sample, azimuth: bool | None = None) -> Array:
    """Compute a flux at every event.

    Parameters
    ----------
    flux : EventFlux, or a function of the sample
        A :class:`sim3d.Flux` (run, shipped table, Honda file), an oscillated flux, or a function that gives the flux of
        every event in m^-2 s^-1 sr^-1 GeV^-1.
    sample : Sample
        With ``energy_GeV``, ``cos_zenith``, ``pdg`` and, for azimuths, ``azimuth_deg``.
    azimuth : bool, optional
        Whether azimuths are used; by default where both the flux and the sample have them.

    Returns
    -------
    float64 array (n,)
        m^-2 s^-1 sr^-1 GeV^-1.

    Raises
    ------
    InputError
        For events outside the table of the flux (with the row of the first), or a result that is no flux.
    """
    method = getattr(flux, "flux", None)
    if method is not None:
        _inside(flux, sample)
        given = method(*_points(flux, sample, azimuth))
    elif callable(flux):
        given = flux(sample)
    else:
        raise InputError("flux", type(flux).__name__, "a flux, or a function of the sample")
    try:
        found: Array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise InputError(f"flux of {sample.source}: gives no numbers ({problem})") from None
    if found.shape != (len(sample),):
        raise InputError(f"flux: has {found.shape} values for {len(sample)} events")
    bad = ~(np.isfinite(found) & (found >= 0.0))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"flux of row {row + 1} of {sample.source}", float(found[row]), "0 or more, finite")
    return found


def _inside(flux: Any, sample: Sample) -> None:
    """Refuse the first event whose energy is outside the range of the flux, with its row."""
    allowed = getattr(flux, "energy_range_GeV", None)
    if allowed is None or getattr(flux, "extrapolate", "refuse") != "refuse":
        return
    energy, (low, high) = sample.role("energy_GeV"), allowed
    bad = ~((energy >= low * (1.0 - 1e-9)) & (energy <= high * (1.0 + 1e-9)))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{sample.source}: energy_GeV of row {row + 1}", float(energy[row]),
            f"{low:.5g} to {high:.5g}, the range of the flux ({int(bad.sum())} of {len(energy)} events are outside)",
        )  # fmt: skip


def _points(flux: Any, sample: Sample, azimuth: bool | None) -> tuple[Any, ...]:
    """Arguments of ``flux`` at the events."""
    known = getattr(flux, "azimuth_table", None) is not None
    if azimuth is None:
        azimuth = known and sample.has("azimuth_deg")
    if azimuth and not known:
        raise InputError("azimuth: this flux is averaged over azimuth")
    point = (sample.role("pdg"), sample.role("energy_GeV"), sample.role("cos_zenith"))
    return (*point, sample.role("azimuth_deg")) if azimuth else point


def atmospheric(
    name: str,
    sample: Sample,
    flux: EventFlux | Callable[[Sample], Any],
    livetime_s: float,
    *,
    norm: str | None = None,
    tilts: Mapping[str, float] | None = None,
    nuisances: bool = True,
    azimuth: bool | None = None,
    factor: Factor | None = None,
) -> Component:
    """Make the component of an atmospheric flux, with the parameters of its model as nuisances.

    Parameters
    ----------
    name : str
    sample : Sample
        With ``generated``.
    flux : EventFlux or function
        See :func:`flux_at_events`.
    livetime_s : float
    norm : str, optional
        Name of a parameter that multiplies the flux; by default ``N_`` and the name.
    tilts : mapping, optional
        Parameters of a factor (E / pivot)^(-value), by name the pivot in GeV.
    nuisances : bool
        Whether the parameters of the flux (``flux.parameters``: those of a calibration, in units of their sigma) are
        nuisances with its covariance as prior.
    azimuth : bool, optional
        See :func:`flux_at_events`.
    factor : Factor, optional
        Factor on each event that depends on parameters, such as an oscillation.

    Returns
    -------
    Component
    """
    weights = sample.per_flux() * flux_at_events(flux, sample, azimuth) * _livetime(livetime_s)
    norm = norm or f"N_{name}"
    parameters = [Parameter(norm, 1.0, low=0.0)]
    exponents = {}
    for tilt, pivot in (tilts or {}).items():
        _positive(f"pivot of {tilt}", pivot)
        parameters.append(Parameter(tilt, 0.0, step=0.05))
        exponents[tilt] = -np.log(sample.role("energy_GeV") / pivot)
    slopes, priors = None, []
    names = tuple(getattr(flux, "parameters", ())) if nuisances else ()
    if names:
        point: Any = _points(flux, sample, False)

        def at(rows: slice) -> Array:
            return np.asarray(flux.derivatives(*(values[rows] for values in point)))  # type: ignore[union-attr]

        slopes = Slopes(names, at)
        parameters += [Parameter(each, 0.0, unit="sigma", step=0.5) for each in names]
        priors.append(Prior.of(names, np.zeros(len(names)), flux.parameter_covariance))  # type: ignore[union-attr]
    return Component(name, sample, weights, tuple(parameters), (norm,), exponents, factor, slopes, tuple(priors))


def power_law(
    name: str,
    sample: Sample,
    livetime_s: float,
    *,
    flux_at_pivot: float,
    index: float,
    pivot_GeV: float = PIVOT_GEV,
    share: float = 1.0,
    norm: str | None = None,
    index_name: str | None = "gamma",
) -> Component:
    """Make the component of a flux norm x flux_at_pivot x (E / pivot)^-index, equal in all directions.

    Parameters
    ----------
    name : str
    sample : Sample
        With ``generated``.
    livetime_s : float
    flux_at_pivot : float
        In **cm^-2** s^-1 sr^-1 GeV^-1, as such fluxes are published (for example 2.06e-18 with index 2.46).
    index : float
        Nominal index.
    pivot_GeV : float
    share : float
        Part of the flux that each event stands for: 1/2 where the flux is of neutrinos and antineutrinos together and
        the generated flux of each alone.
    norm, index_name : str, optional
        Names of the parameters; the norm's is ``N_`` and the name by default. No index is fitted with ``None``.

    Returns
    -------
    Component
    """
    for what, value in (("flux_at_pivot", flux_at_pivot), ("share", share)):
        if not (np.isfinite(value) and value >= 0.0):
            raise InputError(what, value, "0 or more")
    _positive("pivot_GeV", pivot_GeV)
    if not np.isfinite(index):
        raise InputError("index", index, "a finite number")
    energy = sample.role("energy_GeV")
    flux = share * flux_at_pivot * CM2_PER_M2 * (energy / pivot_GeV) ** -index
    weights = sample.per_flux() * flux * _livetime(livetime_s)
    return reweighted_power_law(
        name, sample, weights, index=index, pivot_GeV=pivot_GeV, norm=norm, index_name=index_name
    )


def reweighted_power_law(
    name: str,
    sample: Sample,
    weights: Array,
    *,
    index: float,
    pivot_GeV: float = PIVOT_GEV,
    norm: str | None = None,
    index_name: str | None = "gamma",
) -> Component:
    """Make the component of a power law from given weights: w x (E / pivot)^-gamma / (E / pivot)^-index.

    Parameters
    ----------
    name, sample, index, pivot_GeV, norm, index_name
        As for :func:`power_law`; ``index`` is that of the weights.
    weights : float64 array (n,)
        Expected events of each event at the nominal index.

    Returns
    -------
    Component
    """
    norm = norm or f"N_{name}"
    _positive("pivot_GeV", pivot_GeV)
    parameters, exponents = [Parameter(norm, 1.0, low=0.0)], {}
    if index_name is not None:
        parameters.append(Parameter(index_name, index, step=0.1))
        exponents[index_name] = -np.log(sample.role("energy_GeV") / pivot_GeV)
    return Component(name, sample, weights, tuple(parameters), (norm,), exponents)


def cascade_flux(
    cos_zenith: Sequence[float] | None = None,
    energy_GeV: tuple[float, float] = (1e3, 1e7),
    points: int = 81,
    **models: Any,
) -> Flux:
    """Compute atmospheric fluxes up to 10 PeV by the cascade equations, as a flux that is interpolated.

    In one dimension and without azimuth (docs/methods/cascade.md): below some 10 GeV a run is needed. Neutrinos of
    charmed hadrons are missing unless ``charm=True`` is given; vertical nue have 10% of them at a few TeV already.

    Parameters
    ----------
    cos_zenith : sequence of float, optional
        Edges of zenith bins, ascending, in each of which the equations are solved at two angles; by default 20 from
        -1 to 1.
    energy_GeV : (float, float)
        Range of neutrino energies; at most a tenth of the highest energy of the primary model, since fluxes closer to
        it lack their parents. The default needs a model with a knee, such as ``gsf:2026.1`` or ``crflux:H3a``.
    points : int
        Energies, equally spaced in the logarithm.
    **models
        Of :func:`sim3d.cascade.flux.cascade_fluxes`: ``hadronic``, ``primaries``, ``air``, ``charm`` and so on.

    Returns
    -------
    Flux
        Without statistical errors and parameters.

    Raises
    ------
    InputError
        For an energy beyond those of the primary model.
    """
    edges = np.linspace(-1.0, 1.0, 21) if cos_zenith is None else np.asarray(cos_zenith, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or not (np.all(np.diff(edges) > 0.0) and np.all(np.abs(edges) <= 1.0)):
        raise InputError("cos_zenith: needs two or more edges that rise, from -1 to 1")
    if not (0.0 < energy_GeV[0] < energy_GeV[1] < np.inf and points >= 4):
        raise InputError("energy_GeV", (*energy_GeV, points), "two energies that rise, above 0, and 4 points or more")
    # two Gauss-Legendre nodes in each bin; the same flux arrives from above and from below: one solution for both signs
    half = 0.5 * np.diff(edges)
    nodes = (edges[:-1] + half)[:, None] + half[:, None] * np.array([-1.0, 1.0]) / np.sqrt(3.0)
    energies = np.geomspace(*energy_GeV, points)
    sizes, where = np.unique(np.abs(nodes).round(12), return_inverse=True)
    found = cascade_fluxes(sizes.tolist(), **models)
    highest = found[0].grid.edges_GeV[-1] / MARGIN
    if energy_GeV[1] > highest * (1.0 + 1e-9):
        raise InputError("energy_GeV", energy_GeV[1], f"at most {highest:g}, a tenth of the highest primary energy")
    values = np.array([[one.flux(flavour, energies) for one in found] for flavour in FLAVOURS])
    values = values[:, where.reshape(nodes.shape)].mean(axis=2)
    logs = np.log(energies)
    halfway = np.exp(np.concatenate([logs[:1], 0.5 * (logs[1:] + logs[:-1]), logs[-1:]]))
    note = f"one-dimensional cascade equations, {'with' if models.get('charm') else 'no'} charm"
    table = FluxTable(
        values.transpose(0, 2, 1)[..., None], None, energies, halfway, "points", edges, np.array([0.0, 360.0]),
        "cascade", "cascade equations", note,
    )  # fmt: skip
    return Flux(table)


def _livetime(seconds: float) -> float:
    return _positive("livetime_s", seconds)


def _positive(name: str, value: float) -> float:
    if not (np.isfinite(value) and value > 0.0):
        raise InputError(name, value, "above 0")
    return float(value)
