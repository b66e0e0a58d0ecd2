"""Leptons from neutrinos: the response on the sphere, the fold with a flux, its error, the command."""

import json

import numpy as np
import pytest

from sim3d import cli
from sim3d.analysis import asymmetry, lepton_response
from sim3d.analysis import leptons as lepton_asymmetry
from sim3d.analysis import quasielastic as qe
from sim3d.conventions.binning import ENERGY_EDGES_GEV
from sim3d.errors import InputError
from sim3d.results.jackknife import jackknife

COS_EDGES = np.linspace(-1, 1, 41)


@pytest.fixture(scope="module")
def band():
    """The response of the default band with 12 azimuth bins."""
    return lepton_response.sky_response(COS_EDGES, 12, 0.5)


def test_unturned_directions_stay(band):
    inside = np.abs(0.5 * (COS_EDGES[1:] + COS_EDGES[:-1])) < 0.5
    assert band[0, inside, 0] == pytest.approx(np.ones(inside.sum()))
    assert np.all(band[0, ~inside] == 0.0)
    assert band[0, :, 1:] == pytest.approx(np.zeros((40, 11)), abs=1e-12)


def test_turned_by_180_degrees_is_the_other_side(band):
    assert band[-1, 20, 6] == pytest.approx(1.0)


def test_nothing_is_lost_in_the_whole_sky():
    assert lepton_response.sky_response(COS_EDGES, 13, 1.0).sum(axis=2) == pytest.approx(np.ones((181, 40)))


def test_isotropic_neutrinos_give_isotropic_leptons(band):
    into_band = band.sum(axis=2).mean(axis=1)
    assert into_band == pytest.approx(np.full(181, 0.5), abs=2e-3)


def test_response_against_random_directions(band):
    rng = np.random.default_rng(1)
    n, angle = 200_000, 36
    cosine, azimuth = rng.uniform(0.30, 0.35, n), rng.uniform(0, np.pi / 6, n)
    sine = np.sqrt(1 - cosine**2)
    arrival = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    # A second direction at the angle: any vector, made perpendicular.
    other = rng.normal(size=(3, n))
    other -= arrival * np.sum(arrival * other, axis=0)
    other /= np.linalg.norm(other, axis=0)
    turned = np.cos(np.radians(angle)) * arrival + np.sin(np.radians(angle)) * other
    bins = (np.arctan2(turned[1], turned[0]) % (2 * np.pi) / (np.pi / 6)).astype(int)
    found = np.bincount(bins[np.abs(turned[2]) < 0.5], minlength=12) / n
    assert band[angle, 26] == pytest.approx(found, abs=4e-3)


def test_resolution_keeps_probability_and_widens():
    matrix = lepton_response.blur(3.0)
    assert matrix.sum(axis=1) == pytest.approx(np.ones(181))
    assert matrix[0, :4].sum() > 0.68
    assert matrix[36] @ lepton_response.ANGLES_DEG == pytest.approx(36.0, abs=0.1)
    assert lepton_response.blur(1e-6)[50, 50] == pytest.approx(1.0, abs=1e-4)


def test_yield_is_the_cross_section_of_the_window():
    edges = np.array([0.9, 0.95, 1.0])
    everything = lepton_response.angular_yield("numu", edges, (0.106, 3.0), pauli=False)
    assert everything.sum(axis=1) == pytest.approx(qe.total("numu", [0.925, 0.975]), rel=2e-3)
    part = lepton_response.angular_yield("numu", edges, (0.4, 0.6), pauli=False)
    assert np.all(part.sum(axis=1) < 0.6 * everything.sum(axis=1))
    fine = lepton_response.Resolution(0.01, 1e-4, 0.0)
    smeared = lepton_response.angular_yield("numu", np.array([0.9, 1.0]), (0.4, 0.6), pauli=False, resolution=fine)
    assert smeared.sum() == pytest.approx(part.sum(axis=1).mean(), rel=0.1)
    angle = part @ lepton_response.ANGLES_DEG / part.sum(axis=1)
    assert np.all((angle > 30) & (angle < 120))


def _direct(result, batches, species):
    """Asymmetry by the lepton's direction and its error, from the full flux of every group."""
    edges = result.energy_edges_GeV
    sky = lepton_response.sky_response(result.cos_zenith_edges, 12, 0.5)
    out = np.zeros((len(batches), 12))
    for flavour in lepton_asymmetry.SPECIES[species]:
        flux = batches[:, result.flavours.index(flavour)]
        turned = np.einsum("ep,pcm->ecm", lepton_response.angular_yield(flavour, edges, (0.4, 3.0), pauli=True), sky)
        turned = turned * np.diff(edges)[:, None, None]
        for m in range(12):
            out += np.roll(np.einsum("geck,ec->gk", flux, turned[..., m]), m, axis=1)
    return jackknife(lambda n: (n[6:].sum() - n[:6].sum()) / n.sum(), out, np.ones(len(batches)))


@pytest.mark.parametrize("species", ["e", "mu"])
def test_value_and_error_are_those_of_the_full_groups(fake_result, species):
    result = fake_result(sites=("kamioka",), noise=0.3, batches=24)
    value, error = _direct(result, np.array(list(fake_result.fluxes(noise=0.3, batches=24))), species)
    ours = {one.species: one for one in lepton_asymmetry.leptons(result, "kamioka")}[species]
    assert ours.asymmetry["lepton"] == pytest.approx(float(value), rel=1e-9)
    assert ours.asymmetry_error["lepton"] == pytest.approx(float(error), rel=0.1)


def test_asymmetry_goes_down_with_the_scattering(known):
    rows = lepton_asymmetry.leptons(known.result, "kamioka")
    assert [one.species for one in rows] == ["e", "mu", "nue", "numubar", "numu", "nuebar"]
    electron, muon = rows[:2]
    by_flavour = {one.species: one for one in rows[2:]}
    assert by_flavour["nue"].sky_rate + by_flavour["nuebar"].sky_rate == pytest.approx(electron.sky_rate)
    assert by_flavour["nue"].mean_angle_deg > by_flavour["nuebar"].mean_angle_deg
    assert by_flavour["numubar"].asymmetry["neutrino"] == pytest.approx(known.asymmetry["numubar"], abs=0.01)
    for one, least, most in ((electron, "nuebar", "nue"), (muon, "numu", "numubar")):
        assert known.asymmetry[least] < one.asymmetry["neutrino"] < known.asymmetry[most]
        assert 0.5 < one.asymmetry["lepton"] / one.asymmetry["neutrino"] < 0.85
        assert one.asymmetry["detector"] == pytest.approx(one.asymmetry["lepton"], rel=0.01)
        assert 30 < one.mean_angle_deg < 45
        assert 0.15 < one.antineutrino_share < 0.35
        for stage in lepton_asymmetry.STAGES:
            assert one.azimuth_rate[stage].mean() == pytest.approx(one.rate[stage])
            assert 0 < one.asymmetry_error[stage] < 0.01


def test_rate_of_a_flux_by_hand(fake_result):
    """Isotropic flux without noise: rate per sr = flux x cross section x targets x time, the same everywhere."""
    isotropic = np.ones((4, 1, 40, 12)) * 1e3 * ENERGY_EDGES_GEV[:-1, None, None] ** -3.0
    result = fake_result(sites=("ino",), noise=0.0, flux=isotropic)
    electron, muon = lepton_asymmetry.leptons(result, "ino", pauli=False)[:2]
    edges = result.energy_edges_GeV
    flux = 1e3 * edges[:-1] ** -3.0
    for one, flavours in ((electron, ("nue", "nuebar")), (muon, ("numu", "numubar"))):
        sigma = sum(lepton_response.angular_yield(f, edges, (0.4, 3.0), pauli=False).sum(axis=1) for f in flavours)
        targets = 1e9 / 18.015 * 6.02214e23 * 8
        wanted = np.sum(flux * np.diff(edges) * sigma) * 1e-4 * targets * 3.15576e7
        assert one.sky_rate == pytest.approx(wanted, rel=1e-4)
        assert one.rate["lepton"] == pytest.approx(wanted, rel=5e-3)
        assert one.rate["neutrino"] == pytest.approx(wanted, rel=1e-4)
        assert one.asymmetry["lepton"] == pytest.approx(0.0, abs=1e-9)


def test_options(known):
    default = lepton_asymmetry.leptons(known.result, "kamioka")[0]
    free = lepton_asymmetry.leptons(known.result, "kamioka", pauli=False)[0]
    water = lepton_asymmetry.leptons(known.result, "kamioka", hydrogen=True)[0]
    assert free.sky_rate > 1.05 * default.sky_rate
    assert 1.04 * default.sky_rate < water.sky_rate < 1.12 * default.sky_rate
    assert water.antineutrino_share > default.antineutrino_share


def test_odd_numbers_of_azimuth_bins(fake_result):
    """A bin that straddles south or north counts half for either side."""
    result = fake_result(sites=("ino",), azimuth_bins=13, noise=0.0)
    even = lepton_asymmetry.leptons(fake_result(sites=("ino",), noise=0.0), "ino")[0]
    odd = lepton_asymmetry.leptons(result, "ino")[0]
    assert odd.asymmetry["lepton"] == pytest.approx(even.asymmetry["lepton"], rel=0.03)


@pytest.mark.parametrize("window", [(3.0, 0.4), (0.05, 1.0), (0.4, 1e4), (float("nan"), 3.0)])
def test_bad_windows(known, window):
    with pytest.raises(InputError, match="energy"):
        lepton_asymmetry.leptons(known.result, "kamioka", window)


@pytest.mark.parametrize("cos_max", [0.0, -0.5, 1.5, float("nan")])
def test_bad_cosines(known, cos_max):
    with pytest.raises(InputError, match="cos-max"):
        lepton_asymmetry.leptons(known.result, "kamioka", cos_max=cos_max)


def test_published_values():
    sk = lepton_asymmetry.published_leptons("kamioka")
    assert sk["e"] == lepton_asymmetry.PublishedLeptons(0.32, 0.224, 0.21, 0.04)
    assert lepton_asymmetry.published_leptons("sno")["mu"] == lepton_asymmetry.PublishedLeptons(0.05, 0.046, None, None)
    assert lepton_asymmetry.published_leptons("ino") == {}
    assert set(asymmetry.published("kamioka")) == {"nue", "nuebar", "numu", "numubar"}


def test_command(known, capsys, tmp_path, monkeypatch):
    from sim3d.plots import style

    monkeypatch.setitem(style.RC, "savefig.dpi", 40)
    assert cli.main(["leptons", str(known.path), "--json", "-o", str(tmp_path / "figures")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["sites"]) == {"kamioka", "sno"}
    muon = document["sites"]["kamioka"]["mu"]
    assert (muon["paper"], muon["data"], muon["data_error"]) == (0.23, 0.08, 0.04)
    assert len(muon["lepton"]["azimuth_rate"]) == 12
    assert len(document["files"]) == 8
    assert all(path.stat().st_size > 2000 for path in (tmp_path / "figures").glob("*.png"))
    assert cli.main(["leptons", str(known.path), "--free", "--hydrogen"]) == 0
    text = capsys.readouterr().out
    assert "+0.21 +- 0.04" in text
    assert "water's nucleons, no Pauli blocking" in text


def test_published_values_only_for_their_window(known, capsys):
    assert cli.main(["leptons", str(known.path), "--cos-max", "0.3"]) == 0
    assert "Lipari" not in capsys.readouterr().out
    assert cli.main(["leptons", str(known.path), "--energy", "3", "0.4"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("sim3d: error: energy: ")
    assert captured.err.count("\n") == 1


def test_a_run_without_the_soft_neutrinos_is_said_to_be_one(fake_result, tmp_path, capsys):
    path = fake_result.write(tmp_path / "run.h5", scoring={"energy_min_GeV": 0.5})
    assert cli.main(["leptons", str(path)]) == 0
    assert "no neutrinos below 0.5 GeV" in capsys.readouterr().err
    assert cli.main(["leptons", str(path), "--energy", "0.6", "3"]) == 0
    assert capsys.readouterr().err == ""


def test_no_hits_is_no_crash(fake_result, capsys, tmp_path):
    fake_result.write(tmp_path / "run.h5", sites=("ino",), empty_above=0.2)
    assert cli.main(["leptons", str(tmp_path / "run.h5"), "--json", "-o", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["sites"]["ino"]["e"]["lepton"]["asymmetry"] is None
    assert cli.main(["leptons", str(tmp_path / "run.h5")]) == 0
    assert "no hits" in capsys.readouterr().out
