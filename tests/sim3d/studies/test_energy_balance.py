"""Where the energy of showers goes: sums, a closed form without interactions, the tables' means, and the command."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from atmosphere.kernels import vertical_depth
from atmosphere.layers import linsley
from hadronic.interaction.kernels import sample_x, slot_survival
from hadronic.models import load_model, rest_energy
from sim3d.cli import main
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import LAMBDA, MASS_GEV, NEUTRON, PI0, PIP, PROTON
from sim3d.shower.energy_loss import bethe
from sim3d.studies.energy_account import CATEGORIES, expected, tail_means
from sim3d.studies.energy_balance import balance_world, default_showers, energy_balance, entry


@pytest.fixture(scope="module")
def model():
    return load_model("fluka-z", "printed")


@pytest.mark.parametrize(("energy", "cosine", "showers"), [(10.0, 1.0, 3000), (100.0, 0.5, 1000)])
def test_all_energy_is_accounted_for(model, energy, cosine, showers):
    balance = energy_balance(model, energy, cosine, showers, seed=5)
    assert list(balance.shares) == list(CATEGORIES)
    assert balance.total == pytest.approx(sum(balance.shares.values()), abs=1e-12)
    assert 0.0 < balance.total_error < 0.03
    assert abs(balance.total - 1.0) < 4.0 * balance.total_error
    # every particle's energy is filed exactly once
    assert balance.largest_gap < 1e-10
    assert all(share >= 0.0 for name, share in balance.shares.items() if name != "not in the model")
    assert min(balance.shares[name] for name in ("neutrinos", "electromagnetic", "ionisation")) > 0.05
    assert balance.interaction == pytest.approx(model.energy_balance(0, energy))


def test_the_same_seed_gives_the_same(model):
    first, again, other = (energy_balance(model, 10.0, 1.0, 20, seed) for seed in (1, 1, 2))
    assert first == again
    assert first.shares != other.shares


def test_without_interactions_a_proton_loses_what_the_air_takes(model):
    """All energy is ionisation and a proton at the ground; the loss is that of Bethe's formula over the whole air."""
    never = model.tables._replace(interaction_length=np.full_like(model.tables.interaction_length, 1e30))
    balance = energy_balance(model, 10.0, 1.0, 2, 1, world=balance_world(never))
    shares = balance.shares
    assert balance.total == pytest.approx(1.0, abs=1e-12)
    assert shares["ionisation"] + shares["nucleons at ground"] == pytest.approx(1.0, abs=1e-12)
    kinetic, mass, steps = 10.0, float(MASS_GEV[PROTON]), 2000
    depth = vertical_depth(0.0, linsley().layers)
    for _ in range(steps):
        beta_gamma = math.sqrt(kinetic * (kinetic + 2.0 * mass)) / mass
        kinetic -= float(bethe(np.array(beta_gamma), mass)) * depth / steps
    # steps of 1 km take the density of their middle: (1 / 6.5)^2 / 24 = 0.1%
    assert shares["nucleons at ground"] == pytest.approx(kinetic / 10.0, abs=5e-4)


def test_an_entry_aims_at_its_point_of_the_ground():
    start = entry(0.5, 100.0)
    assert np.linalg.norm(start[:3]) == pytest.approx(EARTH_RADIUS_KM + 100.0, abs=1e-9)
    ground = np.array([0.0, 0.0, EARTH_RADIUS_KM])
    way = ground - start[:3]
    assert way / np.linalg.norm(way) == pytest.approx(start[3:6], abs=1e-12)
    assert -start[5] == 0.5
    assert start[3:6] @ start[6:9] == 0.0


@pytest.mark.parametrize("projectile", [PROTON, PIP, LAMBDA])
@pytest.mark.parametrize("kinetic", [1.0, 37.0, 2000.0])
def test_means_of_interactions_add_up_to_the_tables(model, projectile, kinetic):
    world = balance_world(model.tables)
    parts = expected(model.tables, tail_means(model.tables.ln_x), world.kinetic_min, projectile, kinetic)
    available = kinetic + rest_energy(projectile)
    assert sum(parts) == pytest.approx(model.energy_balance(projectile, kinetic) * available, rel=1e-9)
    pi0 = model.moments(projectile, PI0, kinetic).F_ET * kinetic
    assert parts[2] == pytest.approx(pi0, rel=1e-9)
    assert 0.0 <= parts[1] < parts[0]


def test_energy_below_the_threshold_is_that_of_the_kernels_draws(model):
    """Neutrons of a proton at a node of the tables, with the quantiles that the kernel draws by."""
    tables, node = model.tables, 40
    kinetic = math.exp(tables.ln_T[node])
    world = balance_world(tables)
    least = np.zeros_like(world.kinetic_min)
    least[NEUTRON] = 0.28
    below = expected(tables, tail_means(tables.ln_x), least, PROTON, kinetic)[1]
    wanted = 0.0
    for slot in range(tables.slot_offset[PROTON], tables.slot_offset[PROTON + 1]):
        if tables.slot_species[slot] == NEUTRON:
            tail = 1.0 - slot_survival(tables, slot, node, 0.28 / kinetic)
            u = (np.arange(20000) + 0.5) / 20000 * tail
            wanted += (
                tables.slot_mean[slot, node] * tail * kinetic * np.mean([sample_x(tables, slot, node, v) for v in u])
            )
    assert wanted > 0.0
    assert below == pytest.approx(wanted, rel=1e-4)


def test_default_number_of_showers():
    assert [default_showers(T) for T in (10.0, 1e2, 1e4)] == [10000, 10000, 1000]


def test_command_prints_and_writes_json(capsys):
    arguments = ["zfactors", "--balance", "--energy", "10", "--showers", "40"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "accelerator" in out
    assert "sum" in out
    assert main([*arguments, "--all", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    rows = document["balances"]
    assert [row["model"] for row in rows[::2]] == ["fluka-z", "muon-tuned", "urqmd-sibyll", "pythia8", "accelerator"]
    assert [row["cos_zenith"] for row in rows[:2]] == [1.0, 0.5]
    for row in rows:
        assert list(row["shares"]) == document["categories"]
        assert row["largest_gap"] < 1e-10


@pytest.mark.parametrize(
    "arguments",
    [
        ["--balance", "--showers", "1"],
        ["--showers", "10"],
        ["--balance", "-o", "somewhere"],
        ["--balance", "--energy", "1e9"],
    ],
)
def test_wrong_input_is_one_line_and_status_2(arguments, capsys):
    assert main(["zfactors", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
