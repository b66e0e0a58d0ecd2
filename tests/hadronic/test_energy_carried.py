"""The energy that secondaries carry: of the models that ship, and of tables that lack particles or count too many."""

import numpy as np
import pytest

from hadronic.energy_carried import LEAST, MOST, energy_carried, range_in_words, warning_of
from hadronic.errors import HadronicInputError
from hadronic.models import HadronicModel, load_model, model_names
from hadronic.tables.from_arrays import Spectra, yield_file_of_spectra
from hadronic.tables.yield_file import write_yield_file

X_EDGES = np.geomspace(1e-4, 1.0, 201)
T_GEV = np.array([10.0, 1e5])


def model_of(tmp_path, share_pions, share_protons):
    """Protons that give shares of their kinetic energy to three pions (flat in x) and to one nucleon (flat)."""
    pions = np.where(X_EDGES[1:] <= 2.0 * share_pions / 3.0, 1.0, 0.0)
    pions *= 3.0 / (pions * np.diff(X_EDGES)).sum()
    nucleon = np.where(X_EDGES[1:] <= 2.0 * share_protons, 1.0, 0.0)
    nucleon /= (nucleon * np.diff(X_EDGES)).sum()
    rows = {"pi+": np.tile(pions, (2, 1)), "p leading": np.tile(nucleon, (2, 1))}
    content = yield_file_of_spectra("flat", X_EDGES, {"p": Spectra(T_GEV, rows, np.full(2, 280.0))})
    write_yield_file(tmp_path / "flat.h5", content)
    return load_model(table=tmp_path / "flat.h5")


@pytest.mark.parametrize("name", model_names())
def test_models_that_ship_carry_the_usual_energy(name):
    rows = energy_carried(load_model(name))
    assert len(rows) == 24
    assert all(row.is_usual for row in rows)
    assert warning_of(rows) is None


def test_share_in_closed_form(tmp_path):
    """Flat spectra: shares of the kinetic energies are half of the upper ends, and pions bring their masses."""
    rows = energy_carried(model_of(tmp_path, 0.45, 0.5), [1e3, 1e4])
    for row in rows[:2]:
        ends = X_EDGES[[np.searchsorted(X_EDGES, 0.3, side="right") - 1, -1]]
        expected = 3.0 * (0.5 * ends[0] + 0.13957 / row.T_GeV) + 0.5 * ends[1]
        assert row.projectile == "p"
        assert row.share == pytest.approx(expected, rel=0.01)
        assert row.is_usual


@pytest.mark.parametrize(("pions", "words"), [(0.2, "missing"), (0.9, "too large")])
def test_warning_names_the_place_and_the_limits(tmp_path, pions, words):
    rows = energy_carried(model_of(tmp_path, pions, 0.5), [1e3])
    text = warning_of(rows)
    assert text.startswith(
        f"secondaries of p at 1000 GeV carry {rows[0].share:.2f} of its energy, usual are 0.85 to 1.1"
    )
    assert words in text
    assert "\n" not in text
    assert f"{rows[0].share:.2f} to {rows[0].share:.2f} (p)" in range_in_words(rows)
    assert not LEAST <= rows[0].share <= MOST


def test_wrong_energies_are_refused():
    with pytest.raises(HadronicInputError, match="at least one"):
        energy_carried(load_model("fluka-z"), [])
    assert isinstance(load_model("fluka-z"), HadronicModel)
