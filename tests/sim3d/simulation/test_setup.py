"""One setup for a run: made once, and nothing of a user's is read after it."""

import hashlib
from collections import Counter

import numpy as np
import pytest

import sim3d
from sim3d.config.load import make_config
from sim3d.files import result_file
from sim3d.simulation import checkpoint, engine
from sim3d.simulation import setup as setup_run
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.setup import make_setup

ROTATED = {
    "run": {"seed": 1, "primaries": 600, "batch_size": 200, "checkpoint_minutes": 0.0},
    "primaries": {"energy_GeV": [2.0, 100.0]},
    "transport": {"bending": False},
    "sampling": {"mode": "rotated"},
    "sites": [{"name": "kamioka"}],
}


@pytest.fixture
def calls(monkeypatch):
    """Counts the calls of what builds a run."""
    counts = Counter()

    def count(module, name):
        function = getattr(module, name)

        def counted(*arguments, **keywords):
            counts[name] += 1
            return function(*arguments, **keywords)

        monkeypatch.setattr(module, name, counted)

    count(engine, "make_setup")
    for name in ("from_csv", "run_hadronic", "make_overhead", "make_gradients", "model_entries"):
        count(setup_run, name)
    return counts


def air(path):
    path.write_text("height_km,density_g_cm3\n" + "".join(f"{h},{1.2e-3 * np.exp(-h / 8)}\n" for h in range(0, 101, 5)))
    return path


def test_a_profile_that_goes_away_during_a_run(tmp_path, monkeypatch, calls):
    """It was read before; every checkpoint and the end state its checksum. A resumed run reads it once, too."""
    profile, path = air(tmp_path / "air.csv"), tmp_path / "run.h5"
    digest = hashlib.sha256(profile.read_bytes()).hexdigest()
    write, written = result_file.write_result, []

    def write_and_remove(record, target):
        write(record, target)
        written.append(record.models["atmosphere_profile_sha256"])
        profile.unlink(missing_ok=True)

    config = make_config({**ROTATED, "atmosphere": {"model": "csv", "profile": str(profile)}})
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_result", write_and_remove)
        assert run_to_file(config, path, threads=1) == "complete"
    assert written
    assert set(written) == {digest}
    assert not profile.exists()
    assert sim3d.load(path).attributes["atmosphere_profile_sha256"] == digest
    once = {"make_setup": 1, "from_csv": 1, "run_hadronic": 1, "make_gradients": 1, "model_entries": 1}
    assert calls == once
    air(profile)
    longer = make_config(config.model_dump() | {"run": {**ROTATED["run"], "primaries": 1000}})
    calls.clear()
    assert run_to_file(longer, path, threads=1, resume=True) == "complete"
    assert calls == once
    assert sim3d.load(path).n_batches == 5


def test_levels_and_gradients_are_made_once(calls):
    """Batches and checkpoints take them from the setup."""
    scoring = {"muons": True, "gradients": ["solar:MV"]}
    setup = make_setup(make_config({**ROTATED, "scoring": scoring}))
    setup.batch_function()
    assert calls == {"run_hadronic": 1, "make_overhead": 1, "make_gradients": 1, "model_entries": 1}
    assert setup.columns == ("flux", "solar:MV")
    assert setup.models["gradient_columns"] == "flux, solar:MV"
    assert setup.models["muon_altitudes_km"] == [1.37]  # the surface above Kamioka
    # what merging and going on compare, so that azimuths of two frames are not added up
    assert setup.models["azimuth_frame"] == "site"
    assert setup.overhead is not None
    assert setup.gradients is not None


def test_a_site_by_its_depth():
    """The altitude at which the run's atmosphere has the depth; depth and altitude exclude each other."""
    site = {"name": "lynn-lake", "lat": 56.5, "lon": -101.0, "depth_g_cm2": 1000.0}
    setup = make_setup(make_config({**ROTATED, "sites": [site]}))
    (detector,) = setup.detectors
    assert float(setup.atmosphere.depth(detector.altitude_m * 1e-3)) == pytest.approx(1000.0, rel=1e-9)
    assert detector.altitude_m == pytest.approx(
        297.0, abs=15.0
    )  # the barometric formula at 15 degrees: 8.43 km ln 1.0355
    for more in ({"altitude_m": 300.0}, {"surface": "hill.csv"}):
        with pytest.raises(ValueError, match="one of depth_g_cm2, altitude_m and surface"):
            make_config({**ROTATED, "sites": [{**site, **more}]})
    with pytest.raises(ValueError, match=r"sites\.lynn-lake\.depth_g_cm2: 1090.*1 to 1036"):
        make_setup(make_config({**ROTATED, "sites": [{**site, "depth_g_cm2": 1090.0}]}))
