"""scripts/yields/build_yields.py: its command line without a generator, and with one where chromo is installed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hadronic.models import load_model
from hadronic.species import PIP, P
from hadronic.tables.yield_rows import PROJECTILES

sys.path.insert(0, str(next(folder for folder in Path(__file__).parents if (folder / "synthetic.py").exists())))
import synthetic


def save(script, path, source, generator, projectile, T, seed, target="N14"):
    """A file as the command `run` writes it."""
    histogram = script.fill(source, projectile, T, 300, np.random.default_rng(1))
    arrays = ("counts", "angle_counts", "moment_sums", "moment_squares", "other_sums")
    np.savez(
        path,
        generator=generator,
        version=f"{generator}-1",
        chromo="0.11.0",
        projectile=projectile,
        target=target,
        T_GeV=T,
        seed=seed,
        events=histogram.events,
        cross_section_mb=200.0,
        **{name: getattr(histogram, name) for name in arrays},
    )
    return str(path)


@pytest.fixture
def files(tmp_path):
    """Runs that the recipe urqmd-sibyll wants, of the synthetic generator."""
    script = synthetic.load_script()
    paths, number = [], 0
    energies = {
        "UrQMD34": (5.0, 10.0, 60.0),
        "Sibyll23d": (80.0, 1e3),
        "Pythia8Cascade": (1.0, 2.0, 3.0, 5.0, 10.0, 1e3),
    }
    for generator, nodes in energies.items():
        for projectile in PROJECTILES:
            for T in nodes:
                number += 1
                source = synthetic.SyntheticSource(number)
                paths.append(save(script, tmp_path / f"{number}.npz", source, generator, projectile, T, 1))
    return script, paths


def test_join_writes_a_table_that_a_run_takes(files, tmp_path, capsys):
    script, paths = files
    out = tmp_path / "joined.h5"
    # Strange secondaries at 10 GeV are what Pythia's are scaled by; the synthetic generator makes none.
    assert script.main(["join", *paths, "--recipe", "pythia8", "--name", "mine", "-o", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    model = load_model(table=out)
    assert model.name == "mine"
    assert model.moments(P, PIP, 3.0).multiplicity == pytest.approx(synthetic.MEAN_PI_PLUS, rel=0.2)
    assert "Pythia8Cascade: Pythia8Cascade-1" in model.provenance["hadronic_table_provenance"]
    assert "UrQMD" not in model.provenance["hadronic_table_provenance"]


def test_urqmd_and_sibyll_are_joined_and_kaons_are_pythia_s(files, tmp_path):
    from hadronic.tables.yield_file import read_yield_file

    script, paths = files
    out = tmp_path / "joined.h5"
    assert script.main(["join", *paths, "--recipe", "urqmd-sibyll", "-o", str(out)]) == 0
    content = read_yield_file(out)
    assert content.projectiles["p"].T_GeV.tolist() == [5.0, 10.0, 60.0, 80.0, 1000.0]
    assert content.projectiles["K-"].T_GeV.tolist() == [1.0, 2.0, 3.0, 5.0, 10.0, 60.0, 80.0, 1000.0]
    assert content.projectiles["K-"].sources[3:5] == ("Pythia8Cascade-1", "UrQMD34-1")
    np.testing.assert_allclose(content.projectiles["p"].sigma_mb, 1.023 * 200.0)


def test_cross_sections_are_joined_between_two_energies():
    """The whole factor from 80 GeV, none below 3 GeV, half of it at the geometric mean."""
    from hadronic.builders.yield_join import joined_cross_section

    T = np.array([1.0, 3.0, np.sqrt(240.0), 80.0, 200.0])
    joined = joined_cross_section(T, np.full(5, 250.0), 1.04)
    np.testing.assert_allclose(joined, [250.0, 250.0, 255.0, 260.0, 260.0])


def test_shipped_cross_sections_are_those_that_the_recipe_makes():
    """urqmd-sibyll's below 80 GeV are Pythia's of pythia8.h5, from the same runs, joined to its own from there.

    The join was changed after the tables were made, and the generators' runs are not kept: the cross sections in both
    files were replaced by what the recipe gives. Files hold float32.
    """
    from hadronic.builders.yield_join import JOIN_GEV, both_cross_sections
    from hadronic.tables.yield_file import read_yield_file

    tables = Path(__file__).parents[3] / "hadronic" / "tables"
    joined, pythia, accelerator = (
        read_yield_file(tables / f"{name}.h5").projectiles for name in ("urqmd-sibyll", "pythia8", "accelerator")
    )
    for projectile, shipped in joined.items():
        high = shipped.sigma_T_GeV >= JOIN_GEV[1]
        low = pythia[projectile]
        T, sigma = both_cross_sections(
            low.sigma_T_GeV, low.sigma_mb, shipped.sigma_T_GeV[high], shipped.sigma_mb[high]
        )  # fmt: skip
        np.testing.assert_array_equal(shipped.sigma_T_GeV, T)
        np.testing.assert_allclose(shipped.sigma_mb, sigma, rtol=2e-7)
        np.testing.assert_array_equal(accelerator[projectile].sigma_T_GeV, T)
        np.testing.assert_allclose(accelerator[projectile].sigma_mb, sigma, rtol=2e-7)


def test_scratch_files_of_a_generator_stay_out_of_the_current_folder(tmp_path, monkeypatch):
    """UrQMD writes tables.dat where it runs; a relative output folder is still that of the caller."""
    script = synthetic.load_script()

    class Scratching(synthetic.SyntheticSource):
        version = "1"

        def __init__(self, *arguments):
            super().__init__(1)
            Path("tables.dat").write_text("scratch")

        def cross_section_mb(self, T_GeV):
            return 200.0

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(script, "ChromoSource", Scratching)
    monkeypatch.setattr(script.importlib.metadata, "version", lambda name: "0.11.0")
    arguments = ["run", "--generator", "UrQMD34", "--projectile", "p", "--energy", "10", "--events", "50", "-o", "raw"]
    assert script.main(arguments) == 0
    assert Path.cwd() == tmp_path
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["UrQMD34_p_10_N14_1.npz", "raw"]


def test_join_refuses_in_one_line(files, tmp_path, capsys):
    script, paths = files
    oxygen = save(script, tmp_path / "o.npz", synthetic.SyntheticSource(1), "Sibyll23d", "p", 80.0, 1, "O16")
    text = tmp_path / "text.npz"
    text.write_text("hello")
    for given, words in (
        ([oxygen], "tables are made of N14"),
        ([*paths, paths[-1]], "seed 1 is there twice"),
        ([paths[0]], "no runs of Pythia8Cascade with p"),
        ([str(text)], "text.npz: not a file that run wrote"),
        ([str(tmp_path / "none.npz")], "none.npz: not a file that run wrote"),
    ):
        assert script.main(["join", *given, "--recipe", "pythia8", "-o", str(tmp_path / "x.h5")]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        assert words in lines[0]
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.skipif(importlib.util.find_spec("chromo") is None, reason="chromo (extra generators) is not installed")
def test_sibyll_through_chromo(tmp_path):
    """chromo in a process of its own, one generator each; moments of docs/reports/hadronic-inputs.md section 8."""
    arguments = ["run", "--generator", "Sibyll23d", "--projectile", "p", "--energy", "1000", "--events", "1000"]
    command = [sys.executable, str(synthetic.SCRIPT), *arguments, "-o", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    run, version = synthetic.load_script().read_run(str(next(tmp_path.glob("*.npz"))))
    mean, error = run.histogram.moments()
    assert version.startswith("0.")
    assert run.sigma_mb == pytest.approx(277.2, abs=0.5)
    assert mean[2, 4] == pytest.approx(0.0372, abs=4.0 * error[2, 4])
    assert mean[2, 0] == pytest.approx(6.06, abs=4.0 * error[2, 0])
