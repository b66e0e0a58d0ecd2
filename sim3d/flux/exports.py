"""Fluxes exported as the initial state of nuSQuIDS, and as a labelled data set (xarray, netCDF).

xarray is imported only when it is needed; nuSQuIDS itself is not needed to write its arrays.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import ArrayLike

import sim3d
from sim3d.conventions.arrays import Array
from sim3d.conventions.words import EXPORT_CONVENTIONS, export_conventions
from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes
from sim3d.files.flux_table import ERROR_KINDS, FluxTable
from sim3d.files.hdf5_writing import hdf5_image
from sim3d.flux.interpolated import Flux
from sim3d.flux.point_errors import ErrorKind

if TYPE_CHECKING:
    import xarray

NUSQUIDS_FLAVOURS = (("nue", "numu", None), ("nuebar", "numubar", None))
"""Axes (neutrino or antineutrino, flavour) of nuSQuIDS' arrays; None: tau neutrinos, which sim3d does not make."""

_ERROR_NOTES = {
    "statistical": "one standard deviation; where the flux is 0 nothing was hit and this is the 90% upper limit",
    "model": "error of the model's parameters, one standard deviation, common to neighbouring bins",
    "total": "statistical and model error in quadrature",
}

NUSQUIDS_NODES_PER_DECADE = 40
NUSQUIDS_COS_NODES = 81


@dataclass(frozen=True)
class NusquidsState:
    """Fluxes on nodes of energy and zenith, the initial state of nuSQuIDS' ``nuSQUIDSAtm``.

    Attributes
    ----------
    cos_zenith : float64 array (n_cos,)
        Nodes, ascending; -1 is up-going, the convention of nuSQuIDS.
    energy_GeV : float64 array (n_E,)
        Nodes, ascending; multiply by nuSQuIDS' ``units.GeV``.
    flux : float64 array (n_cos, n_E, 2, 3)
        [node, node, neutrino or antineutrino, e mu tau], m^-2 s^-1 sr^-1 GeV^-1, for ``Set_initial_state(flux,
        Basis.flavor)``. The fluxes that nuSQuIDS returns (``EvalFlavor``) have the same unit.
    errors : dict of float64 arrays, shape of ``flux``
        Errors of the fluxes at the nodes, by :data:`sim3d.files.flux_table.ERROR_SOURCES`, as far as they are known.
    """

    cos_zenith: Array
    energy_GeV: Array
    flux: Array
    errors: dict[ErrorKind, Array] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Write the three arrays as HDF5, with their units as attributes.

        Parameters
        ----------
        path : Path

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        return write_bytes(path, hdf5_image(self._fill))

    def _fill(self, file: h5py.File) -> None:
        file.attrs["format"] = "sim3d-nusquids"
        file.attrs["sim3d"] = sim3d.__version__
        file.attrs["convention_cos_zenith"] = EXPORT_CONVENTIONS["convention_cos_zenith"]
        for name, values, unit in (
            ("cos_zenith", self.cos_zenith, "1"),
            ("energy_GeV", self.energy_GeV, "GeV"),
            ("flux", self.flux, "m^-2 s^-1 sr^-1 GeV^-1"),
            *((f"error_{kind}", values, "m^-2 s^-1 sr^-1 GeV^-1") for kind, values in self.errors.items()),
        ):
            file[name] = values
            file[name].attrs["units"] = unit
        file["flux"].attrs["axes"] = "cos_zenith, energy_GeV, (neutrino, antineutrino), (e, mu, tau)"


def nusquids_state(
    flux: Flux, cos_zenith: ArrayLike | None = None, energy_GeV: ArrayLike | None = None
) -> NusquidsState:
    """Evaluate a flux on nodes of energy and zenith, as the initial state of nuSQuIDS.

    Parameters
    ----------
    flux : Flux
    cos_zenith : array_like, optional
        Nodes, ascending; by default 81 from -1 to 1 (or the table's range).
    energy_GeV : array_like, optional
        Nodes, ascending; by default 40 per decade, between the lowest and the highest bin in which the table has a
        flux of some flavour in some direction.

    Returns
    -------
    NusquidsState
        The interpolated flux at the nodes (nuSQuIDS interpolates between them); 0 in empty bins.

    Raises
    ------
    InputError
        For nodes that are not ascending or are outside the table.
    """
    table = flux.table
    if cos_zenith is None:
        cos_zenith = np.linspace(table.cos_edges[0], table.cos_edges[-1], NUSQUIDS_COS_NODES)
    if energy_GeV is None:
        filled = np.flatnonzero(table.hit.any(axis=(0, 2, 3)))
        if filled.size == 0:
            raise InputError(f"{table.source}: has no flux anywhere")
        low, high = table.energy_edges_GeV[filled[0]], table.energy_edges_GeV[filled[-1] + 1]
        energy_GeV = np.geomspace(low, high, 1 + max(1, round(NUSQUIDS_NODES_PER_DECADE * np.log10(high / low))))
        # the ends of geomspace are subject to rounding
        energy_GeV = np.clip(energy_GeV, low, high * (1.0 - 1e-12))
    cos, energy = _nodes("cos_zenith", cos_zenith), _nodes("energy_GeV", energy_GeV)
    state = np.zeros((len(cos), len(energy), 2, 3))
    errors: dict[ErrorKind, Array] = {kind: np.zeros_like(state) for kind in flux.error_kinds}
    for i, row in enumerate(NUSQUIDS_FLAVOURS):
        for j, flavour in enumerate(row):
            if flavour is not None:
                state[:, :, i, j] = flux.flux(flavour, energy, cos[:, None])
                for kind, values in errors.items():
                    values[:, :, i, j] = flux.error(flavour, energy, cos[:, None], kind=kind)
    return NusquidsState(cos, energy, state, errors)


def dataset(*tables: FluxTable) -> xarray.Dataset:
    """Convert flux tables to an xarray data set with named axes and units.

    Parameters
    ----------
    *tables : FluxTable
        Of one site with the same bins: the azimuth average, the table with azimuth, or both.

    Returns
    -------
    xarray.Dataset
        ``flux`` and ``flux_error`` (flavour, energy, cos_zenith, azimuth) and ``flux_average``,
        ``flux_average_error`` (flavour, energy, cos_zenith), as far as the tables have them; bin edges as CF bounds
        (``energy_bounds`` and so on). Errors are one standard deviation, or the upper limit where the flux is 0; they
        are statistical. Where the model has errors there are ``flux_model_error`` and ``flux_total_error``, too.

    Raises
    ------
    InputError
        If xarray is not installed.
    """
    xarray = _xarray()
    first = tables[0]
    unit = "m-2 s-1 sr-1 GeV-1"
    conventions = export_conventions(first.azimuth_frame)
    coordinates: dict[str, Any] = {"flavour": list(first.flavours)}
    attributes: dict[str, dict[str, str]] = {}
    variables: dict[str, Any] = {}

    def axis(name: str, centres: Array, edges: Array, **about: str) -> None:
        coordinates[name] = centres
        attributes[name] = {**about, "bounds": f"{name}_bounds"}
        variables[f"{name}_bounds"] = ((name, "edge"), np.stack([edges[:-1], edges[1:]], axis=1))

    axis(
        "energy",
        first.energies_GeV,
        first.energy_edges_GeV,
        units="GeV",
        long_name="neutrino energy, log centre of the bin" if first.energy_kind == "bins" else "neutrino energy",
    )
    middle = 0.5 * (first.cos_edges[1:] + first.cos_edges[:-1])
    about = conventions["convention_cos_zenith"]
    axis("cos_zenith", middle, first.cos_edges, units="1", long_name=f"cosine of zenith angle; {about}")
    for table in tables:
        dims, name, cut = ("flavour", "energy", "cos_zenith"), "flux_average", np.s_[..., 0]
        if table.has_azimuth:
            edges = table.azimuth_edges_deg
            about = conventions["convention_azimuth"]
            axis("azimuth", 0.5 * (edges[1:] + edges[:-1]), edges, units="degree", long_name=about)
            dims, name, cut = (*dims, "azimuth"), "flux", np.s_[...]  # type: ignore[assignment]
        what = "differential flux" + ("" if table.has_azimuth else ", averaged over azimuth")
        cells = f"energy: {'mean' if table.energy_kind == 'bins' else 'point'} cos_zenith: mean azimuth: mean"
        variables[name] = (dims, table.flux[cut], {"units": unit, "long_name": what, "cell_methods": cells})
        for source, error in table.errors().items():
            ending = "error" if source == "statistical" else f"{source}_error"
            variables[f"{name}_{ending}"] = (dims, error[cut], {"units": unit, "long_name": _ERROR_NOTES[source]})
        if table.kind is not None:
            flags = np.arange(len(ERROR_KINDS), dtype=np.int8)
            about_kind = {"long_name": "kind of error", "flag_values": flags, "flag_meanings": " ".join(ERROR_KINDS)}
            variables[f"{name}_error_kind"] = (dims, table.kind[cut], about_kind)
    title = f"atmospheric neutrino fluxes, {first.name}"
    about_all = {"Conventions": "CF-1.8", "title": title, "source": f"sim3d {sim3d.__version__}", **conventions}
    if first.note:
        about_all["comment"] = first.note
    out = xarray.Dataset(variables, coords=coordinates, attrs=about_all)
    for name, values in attributes.items():
        out[name].attrs.update(values)
    return out


def write_netcdf(path: Path, *tables: FluxTable) -> Path:
    """Write flux tables as a netCDF-4 file, with the contents of :func:`dataset`.

    Parameters
    ----------
    path : Path
    *tables : FluxTable
        See :func:`dataset`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If xarray or h5netcdf is not installed, or the file cannot be written.
    """
    data = dataset(*tables)
    try:
        import h5netcdf
        from xarray.backends import H5NetCDFStore
    except ImportError:
        raise InputError("netcdf: needs h5netcdf; pip install 'sim3d[netcdf]'") from None

    # in memory: the library does not survive a disk that fills up
    image = io.BytesIO()
    with h5netcdf.File(image, "w") as file:
        data.dump_to_store(H5NetCDFStore(file))
    return write_bytes(path, image.getbuffer())


def _xarray() -> Any:
    try:
        import xarray
    except ImportError:
        raise InputError("netcdf: needs xarray; pip install 'sim3d[netcdf]'") from None
    return xarray


def _nodes(name: str, values: ArrayLike) -> Array:
    nodes = np.asarray(values, dtype=float)
    if nodes.ndim != 1 or len(nodes) < 2 or not np.all(np.diff(nodes) > 0.0):
        raise InputError(f"{name}: needs two or more nodes that rise")
    return nodes
