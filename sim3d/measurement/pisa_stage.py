"""A flux service for PISA: fluxes with azimuth at every event, with the errors of the calibration as parameters.

PISA looks for a service by the name of its file and class. Put a file ``sim3d_flux.py`` with the line ``from
sim3d.measurement.pisa_stage import sim3d_flux`` into ``pisa/stages/flux``, and name it in a pipeline as
``[flux.sim3d_flux]``, with the parameters that :func:`configuration` writes.

PISA has no correlated priors. The parameters of the stage are therefore the modes u of the calibration's covariance:
the nuisances are nu = R u with R R^T = C, and every u has mean 0 and standard deviation 1, independent of the others.

What a stage costs: the fluxes and their derivatives at the events are computed once, in ``setup``. A step of a fit is
the product of the matrix of derivatives with the parameters, and an exponential.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.flux.interpolated import Flux

PREFIX = "sim3d_mode_"
KEYS = ("true_energy", "true_coszen", "nubar")
"""What a container of events must hold: GeV, +1 for down-going, +1 for neutrinos and -1 for antineutrinos."""

SMALLEST_MODE = 1e-12
"""Modes whose variance is below this share of the largest are left out: they move nothing."""

FLAVOURS = {1: ("nue", "numu"), -1: ("nuebar", "numubar")}
"""Flavours of the two columns of PISA's ``nu_flux``, by ``nubar``."""


class EventFluxes:
    """Fluxes of nue and numu at the events of one container, as functions of the modes.

    Parameters
    ----------
    flux : Flux
    energy_GeV, cos_zenith : float64 arrays (n,)
    nubar : int
        1 for neutrinos, -1 for antineutrinos.
    azimuth_deg : float64 array (n,), optional
        From south through east; without it the azimuth average is used.

    Attributes
    ----------
    nominal : float64 array (n, 2)
        m^-2 s^-1 sr^-1 GeV^-1.
    slopes : float64 array (n, 2, modes)
        d ln(flux) / d u.
    """

    def __init__(
        self, flux: Flux, energy_GeV: Array, cos_zenith: Array, nubar: int, azimuth_deg: Array | None = None
    ) -> None:
        if nubar not in FLAVOURS:
            raise InputError("nubar", nubar, "1 for neutrinos, -1 for antineutrinos")
        root = modes(flux)
        names = FLAVOURS[nubar]
        point = (np.asarray(energy_GeV, dtype=float), np.asarray(cos_zenith, dtype=float))
        with_azimuth = point if azimuth_deg is None else (*point, np.asarray(azimuth_deg, dtype=float))
        self.nominal = np.stack([flux.flux(name, *with_azimuth) for name in names], axis=1)
        self.slopes = np.stack([flux.derivatives(name, *point) @ root for name in names], axis=1)

    def at(self, values: Array) -> Array:
        """Compute the fluxes (n, 2) for values (modes,) of the modes."""
        return np.asarray(self.nominal * np.exp(self.slopes @ values))

    def gradient(self, values: Array) -> Array:
        """Compute the derivatives of the fluxes by the modes, (n, 2, modes)."""
        return np.asarray(self.at(values)[..., None] * self.slopes)


def modes(flux: Flux) -> Array:
    """Compute the matrix R from independent modes to the parameters of a flux, R R^T = C.

    Parameters
    ----------
    flux : Flux

    Returns
    -------
    float64 array (parameters, modes)
        Parameters in units of their sigma; modes of large variance first.
    """
    size, vectors = np.linalg.eigh(flux.parameter_covariance)
    kept = np.flatnonzero(size > SMALLEST_MODE * max(size.max(initial=0.0), 1e-300))[::-1]
    # the sign of an eigenvector is arbitrary: its largest component is positive
    root = vectors[:, kept] * np.sqrt(size[kept])
    if root.size:
        root = root * np.sign(root[np.abs(root).argmax(axis=0), np.arange(root.shape[1])])
    return np.asarray(root)


def mode_names(flux: Flux) -> list[str]:
    """Return the names of the stage's parameters: ``sim3d_mode_00`` and so on."""
    return [f"{PREFIX}{i:02d}" for i in range(modes(flux).shape[1])]


def configuration(flux: Flux, flux_file: str | Path, azimuth_key: str | None = None) -> str:
    """Write the section of a PISA pipeline for the stage.

    Parameters
    ----------
    flux : Flux
    flux_file : str or Path
        The file that the stage is to read.
    azimuth_key : str, optional
        Key of the containers with the azimuth of arrival, degrees from south through east.

    Returns
    -------
    str
        Each parameter has the prior 0 +- 1 and the range of 5 standard deviations.
    """
    lines = ["[flux.sim3d_flux]", "calc_mode = events", "apply_mode = events", f"flux_file = {flux_file}"]
    if azimuth_key is not None:
        lines.append(f"azimuth_key = {azimuth_key}")
    root, names = modes(flux), flux.parameters
    for k, name in enumerate(mode_names(flux)):
        largest = names[int(np.abs(root[:, k]).argmax())]
        lines += [
            f"# mostly {largest}",
            f"param.{name} = 0.0 +/- 1.0 * units.dimensionless",
            f"param.{name}.fixed = False",
            f"param.{name}.range = nominal + [-5.0, +5.0] * sigma",
        ]
    return "\n".join(lines) + "\n"


def make_stage(stage: Any) -> Any:
    """Make the class of the service from PISA's ``Stage``, or from one with the same interface.

    Parameters
    ----------
    stage : class
        ``pisa.core.stage.Stage``: ``__init__(expected_params=, expected_container_keys=, **kwargs)``, attributes
        ``data``, ``params``, ``calc_mode``, methods ``setup_function`` and ``compute_function`` to override.

    Returns
    -------
    class
        ``sim3d_flux``.
    """

    class Sim3dFlux(stage):  # type: ignore[misc]
        """Fluxes of sim3d with azimuth and calibrated errors, see :mod:`sim3d.measurement.pisa_stage`.

        Parameters
        ----------
        flux_file : str or Flux
            Result of ``sim3d run`` with its calibration, or a Honda table (without parameters).
        azimuth_key : str, optional
            Key of the azimuths in the containers, degrees from south through east.
        site : str, optional
        **std_kwargs
            Of PISA's ``Stage``.
        """

        def __init__(
            self,
            flux_file: str | Flux | None = None,
            azimuth_key: str | None = None,
            site: str | None = None,
            **std_kwargs: Any,
        ) -> None:
            if flux_file is None:
                raise InputError("flux_file: give a result file or a Honda table")
            self.flux_obj = flux_file if isinstance(flux_file, Flux) else Flux.load(flux_file, site)
            self.azimuth_key, self.mode_names = azimuth_key, mode_names(self.flux_obj)
            self.events: dict[Any, EventFluxes] = {}
            keys = KEYS if azimuth_key is None else (*KEYS, azimuth_key)
            super().__init__(expected_params=tuple(self.mode_names), expected_container_keys=keys, **std_kwargs)

        def setup_function(self) -> None:
            """Compute nominal fluxes and derivatives at all events."""
            self.data.representation = self.calc_mode
            for container in self.data:
                azimuth = None if self.azimuth_key is None else np.asarray(container[self.azimuth_key])
                energy, cos = np.asarray(container["true_energy"]), np.asarray(container["true_coszen"])
                kinds = np.unique(np.sign(np.asarray(container["nubar"], dtype=float)))
                if len(kinds) > 1:
                    raise InputError(f"container {container.name}: holds neutrinos and antineutrinos; divide it")
                nubar = int(kinds[0]) if len(kinds) else 1  # a container without events
                self.events[container.name] = EventFluxes(self.flux_obj, energy, cos, nubar, azimuth)
                container["nu_flux"] = self.events[container.name].nominal.copy()

        def _values(self) -> Array:
            return np.array([getattr(self.params, name).value.m_as("dimensionless") for name in self.mode_names])

        def compute_function(self) -> None:
            """Compute the fluxes for the values of the parameters."""
            self.data.representation = self.calc_mode
            values = self._values()
            for container in self.data:
                container["nu_flux"][:] = self.events[container.name].at(values)
                container.mark_changed("nu_flux")

        def gradient(self, name: Any) -> Array:
            """Derivatives of ``nu_flux`` of a container, by its name, by the parameters: (n, 2, modes)."""
            return self.events[name].gradient(self._values())

    Sim3dFlux.__name__ = Sim3dFlux.__qualname__ = "sim3d_flux"
    return Sim3dFlux


def _from_pisa() -> Any:
    try:
        from pisa.core.stage import Stage
    except ImportError:
        raise InputError("pisa_stage: needs PISA (github.com/icecube/pisa), which is not installed") from None
    return make_stage(Stage)


_MADE: dict[str, Callable[[], Any]] = {"sim3d_flux": _from_pisa}
_CLASSES: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    """Make the class on first use: PISA is not needed to import this module."""
    if name not in _MADE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _CLASSES:
        _CLASSES[name] = _MADE[name]()
    return _CLASSES[name]


def nuisances_of(values: Mapping[str, float], flux: Flux) -> dict[str, float]:
    """Convert values of the modes, by name, to those of the flux's parameters in units of sigma.

    Parameters
    ----------
    values : mapping
        Modes that are left out are 0.
    flux : Flux

    Returns
    -------
    dict of float

    Raises
    ------
    InputError
        For an unknown mode.
    """
    names = mode_names(flux)
    for name in values:
        if name not in names:
            raise InputError("mode", name, ", ".join(names) or "none")
    return dict(zip(flux.parameters, (modes(flux) @ [values.get(name, 0.0) for name in names]).tolist(), strict=True))
