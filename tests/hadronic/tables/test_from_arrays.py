"""Files of yields from arrays: what is given comes back, the rest is that of a model that ships, mistakes are named."""

import numpy as np
import pytest

from hadronic.errors import HadronicInputError
from hadronic.models import load_model
from hadronic.species import KP, PIM, PIP, P
from hadronic.tables.from_arrays import Spectra, yield_file_of_spectra
from hadronic.tables.yield_file import read_yield_file, write_yield_file

X_EDGES = np.geomspace(1e-5, 1.0, 301)
T_GEV = np.array([2.0, 100.0, 1e5])


def protons(**changes):
    """Two pi+ and one pi- with dn/dx = n 4 (1 - x)^3, and one proton with dn/dx = 2 x."""
    survival = (1.0 - X_EDGES) ** 4
    pion = -np.diff(survival) / np.diff(X_EDGES)
    proton = np.diff(X_EDGES**2) / np.diff(X_EDGES)
    rows = {"pi+": 2.0 * pion, "pi-": pion, "p leading": proton}
    parts = {"T_GeV": T_GEV, "dn_dx": {row: np.tile(one, (3, 1)) for row, one in rows.items()}}
    return Spectra(**(parts | {"sigma_mb": np.full(3, 280.0)} | changes))


def test_moments_are_those_of_the_arrays(tmp_path):
    """Numbers to rounding of float32; the means of x, 1/5 and 2/3, and of x^1.7 in closed form."""
    from scipy.special import beta

    content = yield_file_of_spectra("mine", X_EDGES, {"p": protons()}, description="a test", provenance={"from": "me"})
    write_yield_file(tmp_path / "mine.h5", content)
    read = read_yield_file(tmp_path / "mine.h5")
    assert (read.name, read.description, read.provenance["from"]) == ("mine", "a test", "me")
    assert read.provenance["projectiles_of_urqmd-sibyll"] == ["pi+", "K+", "K-"]
    model = load_model(table=tmp_path / "mine.h5")
    for T in (5.0, 100.0, 3e4):
        plus, minus, proton = (model.moments(P, code, T) for code in (PIP, PIM, P))
        assert plus.multiplicity == pytest.approx(2.0, rel=1e-4)
        assert minus.multiplicity == pytest.approx(1.0, rel=1e-4)
        assert proton.multiplicity == pytest.approx(1.0, rel=1e-4)
        assert plus.F_TT == pytest.approx(0.4, rel=0.01)
        assert proton.F_TT == pytest.approx(2.0 / 3.0, rel=0.01)
        assert minus.Z_TT == pytest.approx(4.0 * beta(2.7, 4.0), rel=0.01)


def test_other_projectiles_are_those_of_the_model_that_ships(tmp_path):
    write_yield_file(tmp_path / "mine.h5", yield_file_of_spectra("mine", X_EDGES, {"p": protons()}))
    mine, shipped = load_model(table=tmp_path / "mine.h5"), load_model("urqmd-sibyll")
    for projectile in (PIP, KP):
        for T in (10.0, 1e3):
            for code in (PIP, PIM, KP):
                got, wanted = mine.moments(projectile, code, T), shipped.moments(projectile, code, T)
                assert got.multiplicity == pytest.approx(wanted.multiplicity, rel=0.01)
                assert got.F_TT == pytest.approx(wanted.F_TT, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"spectra": {}}, "spectra: projectile none; allowed: p, pi"),
        ({"spectra": {"n": protons()}}, "spectra: projectile 'n'; allowed: p, pi"),
        ({"x_edges": [0.0, 0.5, 1.0]}, "x_edges: must be three numbers or more"),
        ({"others": "fluka-z"}, "others: 'fluka-z' is no model that ships as a file"),
        ({"spectra": {"p": protons(sigma_mb=np.ones(2))}}, "p: sigma_mb: shape"),
        ({"spectra": {"p": protons(dn_dx={"eta": np.ones((3, 300))})}}, "p: dn_dx: row 'eta' is not known; allowed"),
        ({"spectra": {"p": protons(dn_dx={"pi+": np.ones((3, 7))})}}, "must be"),
    ],
)
def test_mistakes_are_named_in_one_line(arguments, words):
    with pytest.raises(HadronicInputError) as error:
        yield_file_of_spectra(**({"name": "mine", "x_edges": X_EDGES, "spectra": {"p": protons()}} | arguments))
    assert words in str(error.value)
    assert "\n" not in str(error.value)
