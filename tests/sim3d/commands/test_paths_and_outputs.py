"""Every output of every command is written as a whole, follows links, and never replaces an input.

Each command that writes is called in this process, on results that are made from formulas. What takes long and is not
writing is replaced: simulations, fits, scans of cutoffs, the drawing of figures to bytes.
"""

import base64
import dataclasses
import functools
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from made_site_flux import made

from sim3d import cli
from sim3d.commands.paths import FileCommand, InputPath, OutputPath
from sim3d.files import atomic_files
from sim3d.files.result_file import verify_result, write_result
from sim3d.files.site_flux_file import write_site_flux
from sim3d.flux import smoothing
from sim3d.flux.bin_correlation import NO_CORRELATION
from sim3d.results.tables import table_of_result
from sim3d.studies import run_shape

OLD = b"old\n"
TOML = """
[run]
primaries = 1000
batch_size = 125
[atmosphere]
model = "csv"
profile = "profile.csv"
[[sites]]
name = "kamioka"
"""

CALIBRATION = """
name = "mine"
measurements = ["mine.toml"]
parameters = ["pi+@158", "sigma:pion"]
[responses.mine]
file = "special.h5"
sha256 = "SHA"
"""
MEASUREMENT = """
name = "mine"
title = "Mine"
citation = "none"
[conditions]
lat = 36.0
lon = 137.0
date = "2010-06-01"
month = 6
[[acceptance]]
cos_zenith = [0.9, 1.0]
[[observables]]
name = "ratio"
quantity = "ratio"
file = "mine.csv"
at = "p"
value = "ratio"
statistical = "error"
"""

# one grey point: reports reduce the colours of their pictures
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)

CASES = {
    "make-tables": "make-tables --site kamioka --precision 50% --force --quiet -o {out}",
    "run": "run {in}/config.toml -o {out}/x.h5 --force",
    "merge": "merge {in}/first.h5 {in}/second.h5 -o {out}/x.h5 --force",
    "reweight": "reweight {in}/first.h5 --model ghls2001-low -o {out}/x.h5 --force",
    "replay": "replay {in}/config.toml 7 --png {out}/x.png",
    "vary": "vary {in}/special.h5 --set pi+@158=0.1 --errors {in}/errors.csv -o {out}",
    "calibrate": "calibrate {in}/calibration.toml -o {out}/x.h5 --quiet",
    "tables honda": "tables {in}/result.h5 -o {out}",
    "tables csv": "tables {in}/result.h5 --format csv -o {out}",
    "tables smooth": "tables {in}/result.h5 --smooth -o {out}",
    "tables smooth csv": "tables {in}/result.h5 --smooth --format csv -o {out}",
    "export nusquids": "export {in}/result.h5 --to nusquids -o {out}",
    "export netcdf": "export {in}/result.h5 --to netcdf -o {out}",
    "export csv": "export {in}/result.h5 --to csv -o {out}",
    "export honda": "export {in}/result.h5 --to honda --binning fluka -o {out}",
    "export heights": "export {in}/special.h5 --to heights -o {out}",
    "flux": "flux {in}/site.h5 --range 1 10 -o {out}",
    "muons": "muons {in}/special.h5 -o {out}",
    "leptons": "leptons {in}/result.h5 -o {out}",
    "plot": "plot {in}/result.h5 -o {out}",
    "figures": "figures {in}/result.h5 --only paper-energy -o {out}",
    "report": "report {in}/result.h5 -o {out}",
    "compare": "compare {in}/result.h5 {in}/first.h5 -o {out}",
    "dimensions": "dimensions {in}/config.toml -o {out}",
    "cascade": "cascade --cutoff none --bins 5 -o {out}",
    "cutoff map": "cutoff --site sno --map --step 10 -o {out}",
    "cutoff intensity": "cutoff --intensity 20 --cell 45 --directions 1 -o {out}",
    "cutoff world": "cutoff --world --cell 45 --step 5 -o {out}",
    "cutoff world dates": "cutoff --world --dates 1900:2000:100 --cell 45 --step 5 -o {out}",
    "cutoff dates": "cutoff --site sno --dates 2000:2005:5 --step 5 -o {out}",
    "cutoff penumbra": "cutoff --site kamioka --penumbra --step 5 -o {out}",
    "cutoff latitude": "cutoff --curve latitude --rigidity 4 --step 10 -o {out}",
    "cutoff azimuth": "cutoff --site kamioka --zenith 60 --curve azimuth --step 10 -o {out}",
    "cutoff places": "cutoff --places {in}/places.csv --step 5 -o {out}",
    "asymptotic": "asymptotic --site kamioka --rigidity 20 -o {out}",
    "trajectory": "trajectory --site kamioka --rigidity 20 --spacing 5000 -o {out}",
    "primaries": "primaries --model ghls2001-low -o {out}",
    "primaries latitudes": "primaries --model ghls2001-low --latitudes --samples 20 -o {out}",
    "atmosphere": "atmosphere --site kamioka --month 1 -o {out}",
    "zfactors": "zfactors --energy 10 --interactions 100 -o {out}",
    "zfactors all": "zfactors --all --energy 10 --interactions 100 -o {out}",
}
"""Calls that write, by command and kind of output; {in} holds the inputs of the fixture ``inputs``."""


def options(command, kind):
    return [p for p in command.params if isinstance(p.type, kind)]


def test_every_command_with_an_output_is_walked_through():
    """A new command, or a new format of an old one, needs a line in CASES."""
    context = click.Context(cli.cli)
    commands = {name: cli.cli.get_command(context, name) for name in cli.COMMANDS}
    writers = {name for name, command in commands.items() if options(command, OutputPath)}
    assert {name.split()[0] for name in CASES} == writers
    for name, command in commands.items():
        assert isinstance(command, FileCommand), name
        for one in options(command, click.Path):
            assert isinstance(one.type, InputPath | OutputPath), (name, one.name)
        for one in options(command, click.Choice):
            if name in writers and one.name in ("target", "file_format"):
                calls = " ".join(call + " " for call in CASES.values() if call.startswith(f"{name} "))
                assert all(f"{one.opts[0]} {choice} " in calls or choice == one.default for choice in one.type.choices)


@pytest.fixture(scope="module")
def inputs(fake_result, tmp_path_factory):
    """A folder with results, parts of one, a configuration, a profile and a table of errors."""
    folder = tmp_path_factory.mktemp("inputs")
    write_site_flux(folder / "site.h5", made())
    kept = {"sites": ("kamioka",), "batches": 8}
    record = fake_result.record(**kept)
    write_result(record, folder / "result.h5")
    for name, batches in (("first", np.arange(8) < 4), ("second", np.arange(8) >= 4)):
        write_result(dataclasses.replace(record, batches_done=batches), folder / f"{name}.h5")
    scoring = {"gradients": True, "heights": True, "muons": True}
    special = fake_result.record(**kept, scoring=scoring)
    special.models.update(muon_altitudes_km=[0.0], muon_depths_g_cm2=[1033.0])
    rng = np.random.default_rng(1)
    for sums in special.tallies[0].extras.values():
        for batch in range(8):
            sums.add(rng.uniform(0.5, 1.0, sums.total.shape), batch)
    write_result(special, folder / "special.h5")
    (folder / "config.toml").write_text(TOML)
    digest = verify_result(folder / "special.h5")["data_sha256"]
    (folder / "calibration.toml").write_text(CALIBRATION.replace("SHA", digest))
    (folder / "mine.toml").write_text(MEASUREMENT)
    (folder / "mine.csv").write_text("p,ratio,error\n5,1.2,5\n50,1.3,5\n")
    heights = np.arange(0.0, 80.0, 1.0)
    rows = "".join(f"{h},{1.2e-3 * np.exp(-h / 7.5):.6e}\n" for h in heights)
    (folder / "profile.csv").write_text("height_km,density_g_cm3\n" + rows)
    (folder / "errors.csv").write_text("parameter,error\npi+@158,0.1\n")
    (folder / "places.csv").write_text("name\nkamioka\n")
    return folder


def once(function):
    """Remember the value of the first call; in a test all calls have the same arguments."""
    known = []

    @functools.wraps(function)
    def remembered(*arguments, **keywords):
        if not known:
            known.append(function(*arguments, **keywords))
        return known[0]

    return remembered


@pytest.fixture
def quick(fake_result, monkeypatch):
    """Replace what takes long."""
    from matplotlib.figure import Figure

    import geomag.cutoffs.curves
    import geomag.cutoffs.cutoff
    import geomag.cutoffs.intensity
    import geomag.cutoffs.world
    import hadronic.models
    import hadronic.observables.zfactors
    import sim3d.analysis.dimensions
    import sim3d.analysis.leptons
    import sim3d.plots.dimensions
    import sim3d.report.build
    import sim3d.simulation.engine
    import sim3d.simulation.replay
    import sim3d.simulation.reweight
    import sim3d.studies.hadronic_models
    import sim3d.studies.latitude_bands
    from sim3d.plots import style

    record = fake_result.record(sites=("kamioka",), batches=8)
    compute_ratios = sim3d.analysis.dimensions.ratios

    def smooth_result(result, site, binning, azimuth_bins=None, shape=None):
        pairs = []
        for azimuth in (False, True):
            table = table_of_result(result, site, binning, azimuth)
            zero = np.zeros_like(table.flux)
            pairs.append((smoothing.Smoothed(table, zero, zero, NO_CORRELATION, zero, np.zeros((4, 2))), table))
        return pairs

    def replayed(*_):
        points = np.array([[6400.0, 0.0, 1.0], [6371.2, 0.0, 0.0]])
        path = sim3d.simulation.replay.ParticlePath("p", 10.0, 1.0, "reaches the ground", 1.0, points, -1)
        numbers = ("energy_GeV", "rigidity_GV", "height_km", "lat_deg", "lon_deg", "zenith_deg")
        primary = dict.fromkeys(("index", "batch", "seed"), 7) | dict.fromkeys(numbers, 10.0)
        primary |= {"group": "p", "mode": "targeted", "starts": "the top"}
        return sim3d.simulation.replay.Replay(primary, paths=[path])

    def savefig(_, target, **__):
        # a caller that gives a path is found out: the file is not one of those that were renamed
        if hasattr(target, "write"):
            target.write(PICTURE)
        else:
            Path(target).write_bytes(PICTURE)

    class NoSetup:
        models, detectors = record.models, record.detectors

    monkeypatch.setattr(sim3d.simulation.engine, "make_setup", lambda _: NoSetup)
    monkeypatch.setattr(sim3d.simulation.engine, "simulate", lambda *_, **__: record)
    monkeypatch.setattr(sim3d.simulation.engine, "resume_point", lambda *_: None)
    monkeypatch.setattr(sim3d.simulation.replay, "replay", replayed)
    monkeypatch.setattr(sim3d.simulation.reweight, "reweight", lambda *_, **__: record)
    monkeypatch.setattr(smoothing, "smooth_result", smooth_result)
    monkeypatch.setattr(run_shape, "shape_of_result", lambda *_: None)
    for module, name in (
        (geomag.cutoffs.cutoff, "sky_map"),
        (geomag.cutoffs.intensity, "intensity_map"),
        (geomag.cutoffs.world, "world_cutoffs"),
        (geomag.cutoffs.curves, "latitude_curve"),
        (geomag.cutoffs.curves, "azimuth_curve"),
        (sim3d.analysis.dimensions, "bending_asymmetries"),
        (sim3d.analysis.leptons, "leptons"),
        (sim3d.studies.latitude_bands, "latitude_bands"),
        (sim3d.studies.hadronic_models, "survey"),
        (hadronic.observables.zfactors, "compare_protons"),
    ):
        monkeypatch.setattr(module, name, once(getattr(module, name)))
    ratios = once(lambda *given: list(compute_ratios(*given)))
    monkeypatch.setattr(sim3d.analysis.dimensions, "ratios", ratios)
    monkeypatch.setattr(
        sim3d.plots.dimensions, "draw", lambda _, site, folder: style.save(style.new_figure((1, 1)), folder, site)
    )
    monkeypatch.setattr(hadronic.models, "model_names", lambda: ("fluka-z",))
    monkeypatch.setattr(sim3d.report.build, "build", lambda *_, **__: ("<html></html>", []))
    monkeypatch.setattr(Figure, "savefig", savefig)
    # so is their layout, which takes as long as drawing
    monkeypatch.setattr(style, "_settle", lambda _: None)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def call(inputs, quick, capsys):
    """``call(name, folder)`` of one of :data:`CASES`; gives status, error lines."""

    def call(name, folder):
        arguments = CASES[name].replace("{in}", str(inputs)).replace("{out}", str(folder)).split()
        status = cli.main(arguments)
        return status, [line for line in capsys.readouterr().err.splitlines() if "error" in line.lower()]

    return call


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_outputs(name, call, inputs, tmp_path, monkeypatch):
    before, out = content(inputs), tmp_path / "out"
    out.mkdir()
    renamed, replace = [], os.replace
    with monkeypatch.context() as watched:
        watched.setattr(os, "replace", lambda a, b: (renamed.append(Path(b)), replace(a, b)))
        assert call(name, out) == (0, [])
    names = {path.name for path in out.iterdir()}
    assert names
    assert names == {path.name for path in renamed if path.parent == out}  # all were written beside and renamed
    for path in out.iterdir():
        if name != "dimensions" or path.suffix != ".h5":  # it goes on with its runs
            path.write_bytes(OLD)
    old = content(out)

    # a full disk: the system ends every write at the size of the old files
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(OLD), limit[1]))
        status, lines = call(name, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert status == 2
    assert len(lines) == 1
    assert lines[0].startswith(f"sim3d: error: output: cannot write {out}")
    assert lines[0].partition(" (")[0].rpartition("/")[2] in names
    assert "(File too large)" in lines[0]
    assert content(out) == old

    # killed in the middle, after the new content was written
    def interrupt(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(atomic_files, "_flush", interrupt)
        assert call(name, out)[0] == 130
    assert content(out) == old

    # a folder that cannot be written; nobody writes into /sys, not even root
    closed = Path("/sys/kernel")
    if os.getuid() != 0 or not closed.is_dir():
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o555)
    status, lines = call(name, closed)
    assert status == 2
    assert len(lines) == 1
    assert str(closed) in lines[0]

    # links stay links
    links, targets = tmp_path / "links", tmp_path / "targets"
    links.mkdir()
    targets.mkdir()
    for one in names:
        (targets / one).write_bytes(old[one])
        (links / one).symlink_to(targets / one)
    assert call(name, links) == (0, [])
    assert {path.name for path in links.iterdir()} == {path.name for path in targets.iterdir()} == names
    assert all(path.is_symlink() for path in links.iterdir())
    assert all(data != OLD for data in content(targets).values())
    assert content(inputs) == before


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        ("run {in}/config.toml -o {in}/config.toml --force", "config.toml is an input of this command"),
        ("run {in}/config.toml -o {in}/profile.csv --force", "profile.csv is an input of this command"),
        ("run {in}/config.toml -o {in}/config.link --force", "config.link is an input of this command"),
        ("run {in}/config.toml -o {in}/device.png --force", "device.png is a device"),
        ("run {in}/config.toml -o {in}/folder.png --force", "folder.png: is a folder"),
        ("merge {in}/first.h5 {in}/second.h5 -o {in}/second.h5 --force", "second.h5 is an input of this command"),
        ("reweight {in}/first.h5 -o {in}/first.h5 --force", "first.h5 is an input of this command"),
        ("reweight {in}/first.h5 -o {in}/device.png --force", "device.png is a device"),
        ("replay {in}/picture.png 7 --png {in}/picture.png", "picture.png is an input of this command"),
        ("replay {in}/config.toml 7 --png {in}/folder.png", "folder.png is a folder"),
        ("replay {in}/config.toml 7 --png {in}/device.png", "device.png is a device"),
        ("compare {in}/result.h5 {in}/compare.csv -o {in}", "compare.csv is an input of this command"),
        ("vary {in}/special.h5 --errors {in}/kamioka-varied-aa.csv --set pi+@158=0.1 -o {in}", "-aa.csv is an input"),
        ("cutoff --places {in}/flight.csv --step 10 -o {in}", "flight-cutoffs.csv is an input of this command"),
        ("dimensions {in}/dimensions.toml -o {in}", "dimensions.csv is an input of this command"),
        ("export {in}/x-nusquids.h5 --to nusquids -o {in}", "kamioka-nusquids.h5 is an input of this command"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_inputs_are_never_replaced(arguments, refused, inputs, quick, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in inputs.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "picture.png").write_text(TOML)
    (folder / "config.link").symlink_to("config.toml")
    (folder / "device.png").symlink_to("/dev/null")
    (folder / "folder.png").mkdir()
    (folder / "kamioka-varied-aa.csv").write_bytes((folder / "errors.csv").read_bytes())
    (folder / "flight-cutoffs.csv").write_text("name\nkamioka\n")
    (folder / "flight.csv").symlink_to("flight-cutoffs.csv")
    (folder / "dimensions.csv").write_bytes((folder / "profile.csv").read_bytes())
    (folder / "dimensions.toml").write_text(TOML.replace("profile.csv", "dimensions.csv"))
    (folder / "kamioka-nusquids.h5").write_bytes((folder / "result.h5").read_bytes())
    (folder / "x-nusquids.h5").symlink_to("kamioka-nusquids.h5")
    table = "# unit: m^-2 s^-1 sr^-1 GeV^-1\nflavour,energy_GeV,cos_zenith,flux\nnumu,1.0,0.5,100.0\n"
    (folder / "compare.csv").write_text(table)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert cli.main(arguments.replace("{in}", str(folder)).split()) == 2
    lines = capsys.readouterr().err.splitlines()
    assert refused in lines[-1]
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert {name: after[name] for name in before} == before


KILLED = """
import os, signal, sys
from pathlib import Path
from sim3d.files.atomic_files import text_writer
with text_writer(Path(sys.argv[1])) as stream:
    stream.write("new " * 100_000)
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_leaves_the_old_file(tmp_path):
    """What it leaves beside is removed when the file is written again."""
    path = tmp_path / "table.csv"
    path.write_bytes(OLD)
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD
    assert len(list(tmp_path.iterdir())) == 2
    atomic_files.write_bytes(path, b"new")
    assert content(tmp_path) == {"table.csv": b"new"}


def test_standard_output_on_a_full_disk():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "sim3d.cli", "--help"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "sim3d: error: standard output: cannot be written (No space left on device)\n"


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    from sim3d.cli import main

    assert main(["ctoff", "x.toml"]) == 2
    assert capsys.readouterr().err == "sim3d: error: command 'ctoff' is unknown; did you mean 'cutoff'?\n"
    assert main(["zzz"]) == 2
    assert "`sim3d --help` lists them" in capsys.readouterr().err
