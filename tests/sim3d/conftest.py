"""Shared by the tests of sim3d: a result in memory whose fluxes are known, a world, and showers in it."""

from __future__ import annotations

import hashlib
import shutil
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from numba import njit

from sim3d.config.load import make_config
from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV
from sim3d.files.record import RunRecord, make_tally
from sim3d.files.result_file import write_result
from sim3d.jit_cache import CACHE
from sim3d.results.result import Result
from sim3d.sampling.counters import COUNTERS
from sim3d.sampling.source import draw_entry
from sim3d.scoring.detectors import Detector
from sim3d.scoring.hit_weights import empty_weights
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS
from sim3d.shower.random_streams import primary_key
from sim3d.shower.stack import new_stack

FLAVOURS = ("numu", "numubar", "nue", "nuebar")
# What goes in: asymmetries (towards the east positive) of the four flavours.
ASYMMETRY = {"numu": 0.22, "numubar": 0.32, "nue": 0.39, "nuebar": 0.15}


BATCH_SIZE = 125


class MadeResults:
    """Makes results whose fluxes follow a formula: real records with exact sums, filled batch by batch.

    ``phi = scale_f E^-2 / (1 + E)  (1.2 - 0.4 |cos|)  (1 - a sin(azimuth))``, with ``a = pi/2`` times the
    asymmetry; every bin of every batch scatters around it by ``noise``. Keywords of all methods:

    sites : tuple of str
    azimuth_bins, batches : int
    noise : float
        Relative standard deviation of a bin in one batch.
    empty_above : float
        Energy (GeV) above which nothing is hit.
    without : tuple of str
        Flavours without a hit.
    flux : float64 array (flavour, energy, cos, azimuth), optional
        Used instead of the formula (not remembered between calls).
    **tables
        Further tables of the configuration, such as ``scoring={"energy_min_GeV": 0.5}``.
    """

    flavours = FLAVOURS

    def __init__(self, folder):
        self.folder = folder
        self._records = {}

    def truth(self, energy, cosine, azimuth_mean_of_sine):
        """phi on the grids, [flavour, energy, cos, azimuth]."""
        scale = np.array([280.0, 270.0, 140.0, 125.0])
        a = np.array([ASYMMETRY[f] for f in FLAVOURS]) * np.pi / 2
        angle = 1 - a[:, None, None, None] * azimuth_mean_of_sine
        zenith = (1.2 - 0.4 * np.abs(cosine))[:, None]
        return scale[:, None, None, None] * (energy**-2 / (1 + energy))[:, None, None] * zenith * angle

    def fluxes(self, seed=0, *, azimuth_bins=12, noise=0.02, batches=8, empty_above=np.inf, without=(), flux=None):
        """Yields the flux of each batch of the site number ``seed``, (flavour, energy, cos, azimuth)."""
        e = np.sqrt(ENERGY_EDGES_GEV[:-1] * ENERGY_EDGES_GEV[1:])
        c = 0.5 * (COS_EDGES[:-1] + COS_EDGES[1:])
        edges = np.linspace(0.0, 2 * np.pi, azimuth_bins + 1)
        phi = self.truth(e, c, -np.diff(np.cos(edges)) / np.diff(edges)) if flux is None else flux
        phi[:, e > empty_above] = 0.0
        phi[[FLAVOURS.index(flavour) for flavour in without]] = 0.0
        rng = np.random.default_rng(seed)
        for _ in range(batches):
            yield phi * rng.normal(1.0, noise, phi.shape) if noise else phi

    def record(self, *, sites=("kamioka", "sno"), azimuth_bins=12, noise=0.02, batches=8, empty_above=np.inf,
               without=(), flux=None, **tables):  # fmt: skip
        """The record; the same object for the same keywords, not to be changed."""
        key = repr((sites, azimuth_bins, noise, batches, empty_above, without, tables))
        if flux is None and key in self._records:
            return self._records[key]
        data = {"run": {"primaries": BATCH_SIZE * batches, "batch_size": BATCH_SIZE, "seed": 1}, **tables}
        # the fluxes are those of the formula, whatever the models
        data.setdefault("calibration", {"name": "none"})
        data["sites"] = [{"name": name, "lat": 36.4, "lon": 137.3} for name in sites]
        data["scoring"] = {"azimuth_bins": azimuth_bins, **tables.get("scoring", {})}
        config = make_config(data)
        detectors = tuple(Detector(name, 36.4, 137.3, 0.0, 36.2, -7.0, ns_deg=10.0, ew_deg=40.0) for name in sites)
        tallies = [make_tally(config, detector) for detector in detectors]
        space = np.diff(ENERGY_EDGES_GEV)[:, None, None] * np.diff(COS_EDGES)[:, None] * 2 * np.pi / azimuth_bins
        for number, tally in enumerate(tallies):
            options = {"azimuth_bins": azimuth_bins, "noise": noise, "batches": batches, "empty_above": empty_above}
            for b, values in enumerate(self.fluxes(number, without=without, flux=flux, **options)):
                hits = np.where(values != 0.0, 10, 0)
                weights = empty_weights()
                weights[:, :2, 100] = 1000 * hits.any(axis=(1, 2, 3))[:, None] / batches
                tally.add_batch(values * space, hits, weights, b)
        record = RunRecord(
            config=config,
            detectors=detectors,
            tallies=tallies,
            counters={**dict.fromkeys(COUNTERS, 0), "primaries": BATCH_SIZE * batches},
            batches_done=np.ones(batches, dtype=bool),
            models={
                "field_generation": "IGRF-14",
                "field_date": config.field.date,
                "field_degree": config.field.degree,
            },
            provenance={"wall_time_s": 1.5},
        )
        if flux is None:
            # each holds 40 MB for a site
            if len(self._records) > 5:
                self._records.pop(next(iter(self._records)))
            self._records[key] = record
        return record

    def __call__(self, **options):
        """The result."""
        return Result(self.record(**options))

    def write(self, path, **options):
        """The result as a file at ``path``; gives the path."""
        kept = self.folder / f"{hashlib.sha256(repr(options).encode()).hexdigest()[:16]}.h5"
        if not kept.exists():
            write_result(self.record(**options), kept)
        shutil.copyfile(kept, path)
        return path


@pytest.fixture(autouse=True)
def blank_pdfs(without_pdfs):
    """No PDFs are drawn; in tests/sim3d/plots they are, but for tests that ask for `without_pdfs`."""


@pytest.fixture
def without_pdfs(monkeypatch):
    """Figures are saved as PNG; the PDF beside each, which takes as long again, is a blank page."""
    from sim3d.plots import style

    draw = style.save_as

    def save_as(figure, path, **options):
        return draw(style.new_figure((1.0, 1.0)) if path.suffix == ".pdf" else figure, path, **options)

    monkeypatch.setattr(style, "save_as", save_as)


@pytest.fixture(scope="session")
def fake_result(tmp_path_factory):
    """``fake_result(**keywords)`` makes a result from a formula, see :class:`MadeResults`."""
    return MadeResults(tmp_path_factory.mktemp("made_results"))


@pytest.fixture
def known(fake_result, tmp_path):
    """A result and its file: ``known.path``, ``known.result``, and the ``known.asymmetry`` that went in."""
    path = fake_result.write(tmp_path / "run.h5")
    return SimpleNamespace(path=path, result=fake_result(), asymmetry=ASYMMETRY)


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
    # the argument types of a run, so that no version of the shower is compiled for the tests alone
    interacts, nucleus = np.bool_(False), np.array([z_over_a, 1.0])
    total = 0
    for i in range(starts.shape[0]):
        n, neutrinos, stack = shower(
            world, starts[i], kinetic[i], z_over_a, primary_key(seed, i), stack, neutrinos, interacts, None, None, None,
            nucleus,
        )  # fmt: skip
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
    """``make_world(**options)`` of :func:`sim3d.shower.world.build_world`, in Linsley's air with the field of 2020."""
    from atmosphere.layers import linsley
    from geomag.field.igrf import FieldModel
    from hadronic.models import load_model
    from sim3d.shower.world import build_world

    air = linsley()
    gauss = FieldModel("2020-01-01", 10).gauss
    tables = load_model("fluka-z", "printed").tables

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


def _stored(item, file):
    """The compressed chunks of a dataset as they stand in the file, with their places; None without chunks."""
    if item.chunks is None:
        return None
    found = []

    def read(chunk):
        file.seek(chunk.byte_offset)
        found.append((chunk.chunk_offset, chunk.filter_mask, file.read(chunk.size)))

    item.id.chunk_iter(read)
    return item.chunks, item.shuffle, item.compression, found


def _parts(file):
    """All groups and datasets of a result file outside /provenance, by name."""
    out = {"": file}
    file.visititems(lambda name, item: None if name.startswith("provenance") else out.update({name: item}))
    return out


@pytest.fixture(scope="session")
def differences():
    """``differences(one, two)``: names of datasets and attributes outside /provenance that two files differ in.

    Equal chunks, as they are stored, have equal values; others are read and compared.
    """

    def compare(one, two):
        with h5py.File(one) as a, h5py.File(two) as b, open(one, "rb") as raw_a, open(two, "rb") as raw_b:
            first, second = _parts(a), _parts(b)
            keys = [
                {f"{name}@{key}" for name, item in parts.items() for key in item.attrs} for parts in (first, second)
            ]
            others = (first.keys() ^ second.keys()) | (keys[0] ^ keys[1])
            if others:
                return sorted(others)
            found = []
            for name, mine in first.items():
                theirs = second[name]
                found += [
                    f"{name}@{k}" for k, value in mine.attrs.items() if not np.array_equal(value, theirs.attrs[k])
                ]
                if isinstance(mine, h5py.Dataset) != isinstance(theirs, h5py.Dataset):
                    found.append(name)
                elif isinstance(mine, h5py.Dataset):
                    same = (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
                    chunks = _stored(mine, raw_a) if same else None
                    if chunks is None or chunks != _stored(theirs, raw_b):
                        same = np.array_equal(mine[()], theirs[()])
                    if not same:
                        found.append(name)
            return found

    return compare
