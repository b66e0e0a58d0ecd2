"""Shared by the tests of sim3d: a result in memory whose fluxes are known, a world, and showers in it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from numba import njit

from sim3d.hit_weights import empty_weights
from sim3d.jit_cache import CACHE
from sim3d.neutrino_list import NEUTRINO_COLUMNS
from sim3d.random_streams import primary_key
from sim3d.sampling import draw_entry
from sim3d.shower import shower
from sim3d.shower_stack import new_stack

FLAVOURS = ("numu", "numubar", "nue", "nuebar")
# What goes in: asymmetries (towards the east positive) of the four flavours.
ASYMMETRY = {"numu": 0.22, "numubar": 0.32, "nue": 0.39, "nuebar": 0.15}


@dataclasses.dataclass(frozen=True)
class FakeSite:
    name: str
    lat_deg: float
    lon_deg: float
    altitude_m: float = 0.0
    declination_deg: float = -7.0
    patch: str = "rectangle, 10 deg (magnetic north) x 40 deg"
    area_m2: float = 4.8e12


class FakeResult:
    """The parts of ``sim3d.results.Result`` that tables, plots and asymmetries use, from a formula.

    ``phi = scale_f E^-2 / (1 + E)  (1.2 - 0.4 |cos|)  (1 - a sin(azimuth))``, with ``a = pi/2`` times the
    asymmetry; every bin of every group scatters around it by ``noise``.
    """

    flavours = FLAVOURS

    def __init__(self, sites=("kamioka", "sno"), azimuth_bins=12, noise=0.02, groups=8, empty_above=np.inf):
        self.sites = {name: FakeSite(name, 36.4, 137.3) for name in sites}
        self.energy_edges_GeV = 10 ** (np.arange(203) / 40 - 1.025)
        self.cos_zenith_edges = np.linspace(-1, 1, 41)
        self.azimuth_edges_deg = np.linspace(0, 360, azimuth_bins + 1)
        self.config = {"run": {"seed": 1, "primaries": 1000}, "sites": [{"name": s} for s in sites]}
        self.attributes = {"primaries": np.int64(1000), "seed": 1, "field": "IGRF-14", "wall_time_s": 1.5}
        self.group_weights = np.full(groups, 4)
        self.group_weights[0] = 5
        self.n_batches = int(self.group_weights.sum())
        self._groups = {s: self._make(groups, azimuth_bins, noise, empty_above, i) for i, s in enumerate(sites)}

    def truth(self, energy, cosine, azimuth_mean_of_sine):
        """phi on the grids, [flavour, energy, cos, azimuth]."""
        scale = np.array([280.0, 270.0, 140.0, 125.0])
        a = np.array([ASYMMETRY[f] for f in FLAVOURS]) * np.pi / 2
        angle = 1 - a[:, None, None, None] * azimuth_mean_of_sine
        zenith = (1.2 - 0.4 * np.abs(cosine))[:, None]
        return scale[:, None, None, None] * (energy**-2 / (1 + energy))[:, None, None] * zenith * angle

    def default_site(self, site):
        return site or next(iter(self.sites))

    def _make(self, groups, azimuth_bins, noise, empty_above, seed):
        e = np.sqrt(self.energy_edges_GeV[:-1] * self.energy_edges_GeV[1:])
        c = 0.5 * (self.cos_zenith_edges[:-1] + self.cos_zenith_edges[1:])
        edges = np.radians(self.azimuth_edges_deg)
        sine = -np.diff(np.cos(edges)) / np.diff(edges)
        phi = self.truth(e, c, sine)
        phi[:, e > empty_above] = 0.0
        scatter = np.random.default_rng(seed).normal(1.0, noise, (groups, *phi.shape))
        return phi * scatter

    def _binned(self, groups, binning):
        if binning.endswith("_aa"):
            groups, binning = groups.mean(axis=-1), binning[:-3]
        if binning != "fine":
            first = 0 if binning == "honda" else 1
            width = np.diff(self.energy_edges_GeV).reshape((-1,) + (1,) * (groups.ndim - 3))
            n = 101 if binning == "honda" else 100

            def pairs(x, axis):
                x = np.moveaxis(x, axis, 0)[first : first + 2 * n]
                return np.moveaxis(x.reshape(n, 2, *x.shape[1:]).sum(axis=1), 0, axis)

            groups = pairs(groups * width, 2) / pairs(width, 0)
        if binning == "honda":
            groups = groups.reshape(*groups.shape[:3], 20, 2, *groups.shape[4:]).mean(axis=4)
        return groups

    def binned(self, site, binning):
        groups = self._binned(self._groups[site], binning)
        w = self.group_weights / self.group_weights.sum()
        flux = np.tensordot(w, groups, axes=1)
        error = groups.std(axis=0, ddof=1) / np.sqrt(len(w))
        return flux, np.where(flux > 0, error, 0.0), np.where(flux > 0, 100, 0)

    def hit_weights(self, site):
        counts = empty_weights()
        counts[:, :2, 100] = 1000
        return counts

    def upper_limit(self, site, binning):
        return np.full(self.binned(site, binning)[0].shape, 1e-9)

    def groups_east_west(self, site):
        g = self._groups[site]
        half = g.shape[-1] // 2
        return np.stack([g[..., :half].mean(axis=-1), g[..., half:].mean(axis=-1)], axis=-1)

    def groups_azimuth(self, site):
        g = self._groups[site]
        return g.reshape(*g.shape[:3], 4, 10, g.shape[-1]).mean(axis=4)

    def binning_energy_edges(self, binning):
        first = {"fine": 0, "honda": 0, "fluka": 1}[binning.removesuffix("_aa")]
        if binning.startswith("fine"):
            return self.energy_edges_GeV
        return self.energy_edges_GeV[first::2][: 102 - first]

    def binning_energies(self, binning):
        edges = self.binning_energy_edges(binning)
        return np.sqrt(edges[:-1] * edges[1:])

    def binning_cos_edges(self, binning):
        return self.cos_zenith_edges[::2] if binning.startswith("honda") else self.cos_zenith_edges


@pytest.fixture(scope="session")
def fake_result():
    """Makes a :class:`FakeResult`; keywords as its own."""
    return FakeResult


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A result file that ``sim3d.load`` opens as a :class:`FakeResult`: ``known.path``, ``known.result``."""
    import sim3d

    result = FakeResult()
    path = tmp_path / "run.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    # Into its dictionary: sim3d gives "load" on demand, and asking for the old one imports the real one.
    monkeypatch.setitem(vars(sim3d), "load", lambda _: result)
    return SimpleNamespace(path=path, result=result, asymmetry=ASYMMETRY)


@njit(nogil=True, cache=CACHE)
def _entries(n, top_km, seed):
    """Isotropic entries (n, 9) through the top of the atmosphere and their weights."""
    starts = np.empty((n, 9))
    weights = np.empty(n)
    rng = np.empty(1, dtype=np.uint64)
    for i in range(n):
        rng[0] = primary_key(seed, i)
        weights[i] = draw_entry(top_km, starts[i], rng)
    return starts, weights


@njit(nogil=True, cache=CACHE)
def _follow(world, starts, kinetic, z_over_a, seed):
    """Neutrinos of a list of showers: rows of shower number and the kernel's columns."""
    stack = new_stack(32768)
    neutrinos = np.empty((1024, NEUTRINO_COLUMNS))
    rows = np.empty((4096, NEUTRINO_COLUMNS + 1))
    total = 0
    for i in range(starts.shape[0]):
        n, neutrinos, stack = shower(
            world, starts[i], kinetic[i], z_over_a, primary_key(seed, i), stack, neutrinos, False
        )
        while total + n > rows.shape[0]:
            more = np.empty((2 * rows.shape[0], NEUTRINO_COLUMNS + 1))
            more[:total] = rows[:total]
            rows = more
        for j in range(n):
            rows[total, 0] = i
            rows[total, 1:] = neutrinos[j]
            total += 1
    return rows[:total].copy()


@pytest.fixture(scope="session")
def entries():
    """``entries(n, top_km, seed)``: isotropic entries (n, 9) and their weights (n,)."""

    def draw(n, top_km, seed=1):
        return _entries(n, float(top_km), np.uint64(seed))

    return draw


@pytest.fixture(scope="session")
def make_world():
    """``make_world(**options)`` of :func:`sim3d.world.build_world`, in Linsley's air with the field of 2020."""
    from atmosphere.layers import linsley
    from geomag.igrf import FieldModel
    from hadronic.models import load_model
    from sim3d.world import build_world

    air = linsley()
    gauss = FieldModel("2020-01-01", 10).gauss
    tables = load_model("fluka-z", None).tables

    def make(**options):
        return build_world(air.layers, air.top_km, gauss, tables, **options)

    return make


@pytest.fixture(scope="session")
def follow():
    """``follow(world, starts, kinetic, z_over_a=1, seed=1)``: neutrinos (n, 10), the first column the shower."""

    def run(world, starts, kinetic, z_over_a=1.0, seed=1):
        energies = np.broadcast_to(np.asarray(kinetic, dtype=float), (len(starts),)).copy()
        return _follow(world, np.ascontiguousarray(starts), energies, float(z_over_a), np.uint64(seed))

    return run


def _contents(path):
    """All datasets and attributes of a result file outside /provenance."""
    out = {}

    def visit(name, item):
        if name.startswith("provenance"):
            return
        out.update({f"{name}@{key}": value for key, value in item.attrs.items()})
        if isinstance(item, h5py.Dataset):
            out[name] = item[()]

    with h5py.File(path) as file:
        out.update({f"@{key}": value for key, value in file.attrs.items()})
        file.visititems(visit)
    return out


@pytest.fixture(scope="session")
def differences():
    """``differences(one, two)``: names of datasets and attributes outside /provenance that two files differ in."""

    def compare(one, two):
        a, b = _contents(one), _contents(two)
        if a.keys() != b.keys():
            return sorted(a.keys() ^ b.keys())
        return [name for name in a if not np.array_equal(a[name], b[name])]

    return compare
