"""The job files and the site campaign, run without a queue."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sim3d

SCRIPTS = Path(__file__).parents[2] / "scripts" / "campaigns"
FILES = sorted(SCRIPTS.glob("*/*.sh"))
BASE = """
[run]
primaries = 1600
batch_size = 100
{more}
[primaries]
energy_GeV = [2.0, 1000.0]
[transport]
bending = false
[sampling]
mode = "rotated"
"""


@pytest.fixture
def environment(tmp_path):
    """``sim3d`` on the path, no queue, no environment to activate."""
    command = tmp_path / "bin" / "sim3d"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sim3d.cli "$@"\n')
    command.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "PBS"))}
    path = f"{command.parent}:{os.environ['PATH']}"
    return kept | {"PATH": path, "LAUNCH": "", "SIM3D_ENV": "/none", "CONFIG": "run.toml", "OUT": "run.h5"}


def run(script, folder, environment, **more):
    command = ["bash", str(SCRIPTS / script)]
    return subprocess.run(
        command, cwd=folder, env=environment | more, capture_output=True, text=True, check=False, timeout=900
    )


def test_both_queues_have_the_same_files():
    names = [[path.name for path in FILES if path.parent.name == queue] for queue in ("slurm", "pbs")]
    assert names[0] == names[1] == ["array.sh", "chain.sh", "merge.sh", "single.sh"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_syntax_and_queue(path):
    """Valid shell; nothing of the other queue is left in it."""
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    text = path.read_text()
    other, own = ("PBS", "#SBATCH") if path.parent.name == "slurm" else ("SLURM", "#PBS")
    assert own in text
    assert other not in text.upper().replace("SLURM/", "")


@pytest.mark.slow
def test_a_chain_of_single_jobs(tmp_path, environment):
    """Status 3 until it is finished, then 0."""
    (tmp_path / "run.toml").write_text(BASE.format(more="max_minutes = 0.005") + '[[sites]]\nname = "kamioka"\n')
    statuses = []
    while not statuses or statuses[-1]:
        done = run(
            "slurm/single.sh" if len(statuses) % 2 else "pbs/chain.sh", tmp_path, environment, HERE=SCRIPTS / "pbs"
        )
        statuses.append(done.returncode)
        assert done.returncode in (0, 3), done.stderr
        assert len(statuses) < 10
    assert "finished: run.h5" in done.stdout
    assert sim3d.load(tmp_path / "run.h5").complete


def test_an_array_and_its_merge(tmp_path, environment):
    """Two tasks do all batches between them."""
    (tmp_path / "run.toml").write_text(BASE.format(more="") + '[[sites]]\nname = "kamioka"\n')
    for queue, task in (("slurm", "0"), ("pbs", "1")):
        done = run(f"{queue}/array.sh", tmp_path, environment, TASK=task, TASKS="2")
        assert done.returncode == 0, done.stderr
    done = run("slurm/merge.sh", tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert "whole" in done.stdout
    assert sim3d.load(tmp_path / "run.h5").complete


def campaign(folder, sites):
    (folder / "base.toml").write_text(BASE.format(more=""))
    (folder / "sites.csv").write_text(sites)
    command = [sys.executable, str(SCRIPTS / "site_campaign.py"), "base.toml", "sites.csv", "-o", "out"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)


def test_a_site_campaign(tmp_path):
    done = campaign(tmp_path, "# mine\nname, lat, lon, radius_deg\nkamioka,,,\nmylab,-37.05,142.83,5\n")
    assert done.returncode == 0, done.stderr
    result = sim3d.load(tmp_path / "out" / "campaign.h5")
    assert list(result.sites) == ["kamioka", "mylab"]
    assert result.sites["mylab"].lat_deg == -37.05
    assert (tmp_path / "out" / "tables" / "mylab-honda-aa.d").exists()
    assert (tmp_path / "out" / "csv" / "kamioka-aa.csv").exists()
    assert "mylab" in (tmp_path / "out" / "asymmetry.txt").read_text()


@pytest.mark.parametrize(
    ("sites", "message"),
    [("lat,lon\n1,2\n", "column `name`"), ("name,height\nx,3\n", "'height'"), ("name,lat,lon\nx,south,2\n", "'south'")],
)
def test_wrong_lists(tmp_path, sites, message):
    done = campaign(tmp_path, sites)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
