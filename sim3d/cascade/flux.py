"""Compute the fluxes of muons, nucleons and neutrinos of a place, direction and set of models by the cascade equations.

In one dimension: all particles fly along the line of sight, straight. What that leaves out is in
docs/methods/cascade.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from atmosphere.layers import LayeredAtmosphere, linsley
from hadronic.models import HadronicModel, load_model
from sim3d.cascade.charm import CharmYields, charm_yields, prompt_neutrinos
from sim3d.cascade.energies import BINS_PER_DECADE, HIGHEST_GEV, LOWEST_GEV, EnergyGrid, make_grid
from sim3d.cascade.path import DEPTH_STEP_G_CM2, make_path
from sim3d.cascade.primaries import Cutoff, no_cutoff, nuclei_in_parts, primary_nucleons
from sim3d.cascade.solver import PARENTS, CascadeSolver, Solution
from sim3d.config.schema import PrimariesTable
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.particles import MASS_GEV, MUM, MUP, NEUTRON, PROTON
from sim3d.errors import InputError
from sim3d.primaries.build import primary_model
from sim3d.primaries.catalogue import highest_energy_GeV
from sim3d.primaries.model import PrimaryModel

PARTICLES = (*FLAVOURS, "mu+", "mu-", "p", "n")
"""Particles whose fluxes are computed."""
_MASSIVE = {"mu+": MUP, "mu-": MUM, "p": PROTON, "n": NEUTRON}
_LEAST_POINTS = 4
LOWEST_SHOWN_GEV = 0.1
MARGIN = 10.0
"""Tables end this factor below the highest primary energy: fluxes near it lack their parents."""
ALTITUDE_RANGE_KM = (-0.5, 60.0)


@dataclass(frozen=True)
class CascadeFlux:
    """Fluxes of one direction (or the mean of several), in one dimension.

    Neutrinos are functions of energy (GeV), muons and nucleons of momentum (GeV/c). Fluxes are in
    m^-2 s^-1 sr^-1 GeV^-1 or m^-2 s^-1 sr^-1 (GeV/c)^-1.

    Attributes
    ----------
    cos_zenith : float
        Of the arrival; +1 down-going.
    depth_g_cm2 : float
        Slant depth of the path.
    grid : EnergyGrid
    numbers : dict of float64 arrays (n,)
        Integral of the flux over each bin of kinetic energy (neutrinos: energy), by particle (m^-2 s^-1 sr^-1).
    parents : float64 array (4, 4, n)
        Neutrinos by flavour and kind of parent, as :attr:`sim3d.cascade.solver.Solution.neutrinos`.
    """

    cos_zenith: float
    depth_g_cm2: float
    grid: EnergyGrid
    numbers: dict[str, Array]
    parents: Array

    def _edges(self, particle: str) -> Array:
        """Edges of the bins as the particle's variable: energy or momentum."""
        if particle not in PARTICLES:
            raise InputError("particle", particle, ", ".join(PARTICLES))
        edges = self.grid.edges_GeV
        if particle not in _MASSIVE:
            return edges
        return np.sqrt(edges * (edges + 2.0 * float(MASS_GEV[_MASSIVE[particle]])))

    @cached_property
    def _splines(self) -> dict[str, CubicSpline]:
        return {}

    def _integral(self, particle: str) -> CubicSpline | None:
        """Logarithm of the integral flux above an energy or momentum, by its logarithm; None without particles."""
        if particle not in self._splines:
            edges = self._edges(particle)
            above = np.cumsum(self.numbers[particle][::-1])[::-1]
            # no particles beyond the highest energy of the primaries
            good = int(np.argmax(above <= 0.0)) if (above <= 0.0).any() else above.size
            if good < _LEAST_POINTS:
                return None
            self._splines[particle] = CubicSpline(np.log(edges[:good]), np.log(above[:good]), extrapolate=False)
        return self._splines[particle]

    def integral(self, particle: str, at_GeV: Any) -> Array:
        """Compute the integral flux above energies or momenta.

        Parameters
        ----------
        particle : str
            One of :data:`PARTICLES`.
        at_GeV : array_like
            Energy of neutrinos (GeV), momentum of others (GeV/c).

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1; 0 above the highest energy, not a number below the grid.

        Raises
        ------
        InputError
            For an unknown particle.
        """
        spline = self._integral(particle)
        at = np.log(np.asarray(at_GeV, dtype=float))
        if spline is None:
            return np.zeros_like(at)
        return np.where(at > spline.x[-1], 0.0, np.exp(spline(np.minimum(at, spline.x[-1]))))

    def flux(self, particle: str, at_GeV: Any) -> Array:
        """Compute the differential flux.

        Parameters
        ----------
        particle, at_GeV
            As for :meth:`integral`.

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1 GeV^-1, of muons and nucleons (GeV/c)^-1.

        Raises
        ------
        InputError
            For an unknown particle.
        """
        spline = self._integral(particle)
        at = np.asarray(at_GeV, dtype=float)
        if spline is None:
            return np.zeros_like(at)
        ln = np.log(at)
        inside = np.minimum(ln, spline.x[-1])
        return np.where(ln > spline.x[-1], 0.0, -np.exp(spline(inside)) * spline(inside, 1) / at)

    def mean_flux(self, particle: str, low_GeV: Any, high_GeV: Any) -> Array:
        """Compute the mean of the differential flux over bins.

        Parameters
        ----------
        particle : str
        low_GeV, high_GeV : array_like
            Edges of the bins.

        Returns
        -------
        float64 array
            As :meth:`flux`.

        Raises
        ------
        InputError
            For an unknown particle.
        """
        low, high = np.asarray(low_GeV, dtype=float), np.asarray(high_GeV, dtype=float)
        return (self.integral(particle, low) - self.integral(particle, high)) / (high - low)

    def parent_shares(self, flavour: str) -> dict[str, Array]:
        """Compute the share of neutrinos that come from pions, kaons, muons and charm, in the bins of the grid.

        Parameters
        ----------
        flavour : str

        Returns
        -------
        dict of float64 arrays (n,)
            By the kind of the parent; 0 in bins without neutrinos.
        """
        by_kind = self.parents[FLAVOURS.index(flavour)]
        total = by_kind.sum(axis=0)
        shares = np.divide(by_kind, total, out=np.zeros_like(by_kind), where=total > 0.0)
        return dict(zip(PARENTS, shares, strict=True))

    def charm_crossing_GeV(self, flavour: str) -> float:
        """Find the energy above which more neutrinos come from charm than from all other parents.

        Parameters
        ----------
        flavour : str

        Returns
        -------
        float
            GeV; not a number if there is none.
        """
        share = self.parent_shares(flavour)["charm"]
        above = np.flatnonzero((share[1:] >= 0.5) & (share[:-1] < 0.5))
        if not above.size:
            return float("nan")
        i = int(above[0])
        part = (0.5 - share[i]) / (share[i + 1] - share[i])
        ln = np.log(self.grid.centres_GeV)
        return float(np.exp(ln[i] + part * (ln[i + 1] - ln[i])))

    def records(self, at_GeV: Any) -> list[dict[str, float]]:
        """List the fluxes at energies (momenta), one record each.

        Parameters
        ----------
        at_GeV : array_like
            GeV for neutrinos, GeV/c for muons and nucleons.

        Returns
        -------
        list of dict
            ``cos_zenith``, ``energy_GeV``, and the flux of each particle under its name.
        """
        at = np.asarray(at_GeV, dtype=float)
        columns = {particle: self.flux(particle, at) for particle in PARTICLES}
        return [
            {
                "cos_zenith": self.cos_zenith,
                "energy_GeV": float(energy),
                **{name: float(values[i]) for name, values in columns.items()},
            }
            for i, energy in enumerate(at)
        ]


def mean_over(fluxes: Sequence[CascadeFlux], weights: Sequence[float]) -> CascadeFlux:
    """Average fluxes over directions.

    Parameters
    ----------
    fluxes : sequence of CascadeFlux
        On one grid.
    weights : sequence of float
        They need not sum to 1.

    Returns
    -------
    CascadeFlux
        With the mean cosine and depth.
    """
    share = np.asarray(weights, dtype=float) / np.sum(weights)

    def mean(values: Sequence[Any]) -> Any:
        return sum(w * value for w, value in zip(share, values, strict=True))

    return CascadeFlux(
        float(mean([one.cos_zenith for one in fluxes])),
        float(mean([one.depth_g_cm2 for one in fluxes])),
        fluxes[0].grid,
        {name: mean([one.numbers[name] for one in fluxes]) for name in PARTICLES},
        mean([one.parents for one in fluxes]),
    )


def flux_of(solution: Solution, charm: CharmYields | None = None) -> CascadeFlux:
    """Convert a solution of the equations into fluxes; hadrons and muons behind the Earth are 0.

    Parameters
    ----------
    solution : Solution
    charm : CharmYields, optional
        Adds the neutrinos of charm; by default there are none.

    Returns
    -------
    CascadeFlux
    """
    seen = 1.0 if solution.path.reaches_observer else 0.0
    muons = solution.muons.sum(axis=1) * seen
    parents = solution.neutrinos
    if charm is not None:
        parents = parents.copy()
        parents[:, PARENTS.index("charm")] = prompt_neutrinos(charm, solution.interactions, solution.path)
    numbers = dict(zip(FLAVOURS, parents.sum(axis=1), strict=True))
    numbers |= {"mu+": muons[0], "mu-": muons[1]}
    numbers |= {"p": solution.hadrons[PROTON] * seen, "n": solution.hadrons[NEUTRON] * seen}
    return CascadeFlux(solution.path.cos_zenith, float(solution.path.depth_g_cm2[-1]), solution.grid, numbers, parents)


@dataclass(frozen=True)
class Place:
    """What arrives, and where: a direction, an observer and the models that depend on them.

    Attributes
    ----------
    cos_zenith : float
        -1 to 1.
    air : LayeredAtmosphere
    primaries : PrimaryModel
    altitude_km : float
        Height of the observer.
    cutoff : Cutoff
    """

    cos_zenith: float
    air: LayeredAtmosphere
    primaries: PrimaryModel
    altitude_km: float
    cutoff: Cutoff

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not -1.0 <= self.cos_zenith <= 1.0:
            raise InputError("cos_zenith", self.cos_zenith, "-1 to 1")
        low, high = ALTITUDE_RANGE_KM
        if not low <= self.altitude_km <= high:
            raise InputError("altitude_km", self.altitude_km, f"{low:g} to {high:g}")


def grid_of(models: Sequence[PrimaryModel], bins_per_decade: int = BINS_PER_DECADE) -> EnergyGrid:
    """Make a grid that reaches the highest energy of primary models.

    Parameters
    ----------
    models : sequence of PrimaryModel
    bins_per_decade : int

    Returns
    -------
    EnergyGrid
    """
    highest = max(highest_energy_GeV(model.name) for model in models)
    return make_grid(LOWEST_GEV, min(highest, HIGHEST_GEV), bins_per_decade)


def solve_places(
    solver: CascadeSolver,
    places: Sequence[Place],
    *,
    energy_GeV: tuple[float, float] = (0.0, np.inf),
    depth_step_g_cm2: float = DEPTH_STEP_G_CM2,
    charm: bool = False,
) -> list[CascadeFlux]:
    """Compute the fluxes of several directions and observers under one hadronic model.

    Parameters
    ----------
    solver : CascadeSolver
    places : sequence of Place
    energy_GeV : (float, float)
        Kinetic energies per nucleon of the primaries that are used (GeV), besides the limit of their model.
    depth_step_g_cm2 : float
        Largest step.
    charm : bool
        Whether neutrinos of charmed hadrons are added (:mod:`sim3d.cascade.charm`).

    Returns
    -------
    list of CascadeFlux
        One for each place.
    """
    # directions share models of primaries, whose fluxes are computed once
    models = {id(place.primaries): place.primaries for place in places}
    nuclei = {key: nuclei_in_parts(model, solver.grid) for key, model in models.items()}
    nucleons = []
    for place in places:
        limits = energy_GeV[0], min(energy_GeV[1], highest_energy_GeV(place.primaries.name))
        known = nuclei[id(place.primaries)]
        nucleons.append(primary_nucleons(place.primaries, solver.grid, place.cutoff, limits, known))
    paths = [make_path(place.air, place.cos_zenith, place.altitude_km, depth_step_g_cm2) for place in places]
    found = solver.solve(np.array([one[0] for one in nucleons]), np.array([one[1] for one in nucleons]), paths)
    yields = charm_yields(solver.grid, solver.lengths) if charm else None
    return [flux_of(one, yields) for one in found]


def cascade_fluxes(
    cos_zenith: Sequence[float],
    *,
    hadronic: HadronicModel | str | None = None,
    primaries: PrimaryModel | None = None,
    air: LayeredAtmosphere | None = None,
    altitude_km: float = 0.0,
    cutoff: Cutoff | None = None,
    energy_GeV: tuple[float, float] = (0.0, np.inf),
    bins_per_decade: int = BINS_PER_DECADE,
    depth_step_g_cm2: float = DEPTH_STEP_G_CM2,
    charm: bool = False,
) -> list[CascadeFlux]:
    """Compute the fluxes of muons, nucleons and neutrinos of some directions by the cascade equations.

    Parameters
    ----------
    cos_zenith : sequence of float
        Directions of arrival at the observer, +1 down-going. From below the horizon only neutrinos arrive.
    hadronic : HadronicModel or str, optional
        Model, or its name; by default that of a run.
    primaries : PrimaryModel, optional
        By default that of a run.
    air : LayeredAtmosphere, optional
        By default the US Standard Atmosphere.
    altitude_km : float
        Height of the observer.
    cutoff : Cutoff, optional
        By default none.
    energy_GeV : (float, float)
        Kinetic energies per nucleon of the primaries that are used (GeV), besides the limit of their model.
    bins_per_decade : int
        Of energy.
    depth_step_g_cm2 : float
        Largest step.
    charm : bool
        Whether neutrinos of charmed hadrons are added (:mod:`sim3d.cascade.charm`).

    Returns
    -------
    list of CascadeFlux
        One for each direction.

    Raises
    ------
    InputError, HadronicInputError
        For numbers out of range, or an unknown model.

    Examples
    --------
    >>> vertical, = cascade_fluxes([1.0], bins_per_decade=10)
    >>> above_1_GeV = vertical.integral("mu+", 1.0) + vertical.integral("mu-", 1.0)
    >>> bool(50 < above_1_GeV < 80)
    True
    """
    table = PrimariesTable()
    primaries = primary_model(table.model) if primaries is None else primaries
    model = load_model(hadronic) if hadronic is None or isinstance(hadronic, str) else hadronic
    air = linsley() if air is None else air
    cutoff = no_cutoff() if cutoff is None else cutoff
    places = [Place(cosine, air, primaries, altitude_km, cutoff) for cosine in cos_zenith]
    solver = CascadeSolver(model.tables, grid_of([primaries], bins_per_decade))
    return solve_places(solver, places, energy_GeV=energy_GeV, depth_step_g_cm2=depth_step_g_cm2, charm=charm)
