"""Fluxes of shipped sites with charm: what is added, in tables and by commands."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim3d.cascade.flux import cascade_fluxes
from sim3d.cascade.prompt import of_charm
from sim3d.cli import main
from sim3d.errors import InputError
from sim3d.files.site_flux_file import shipped_sites
from sim3d.flux.interpolated import Flux
from sim3d.primaries.build import primary_model

SITE = "southpole"
pytestmark = pytest.mark.skipif(SITE not in shipped_sites(), reason="the site's flux does not ship")


@pytest.fixture(scope="module")
def both():
    return [Flux.site(SITE, charm=charm) for charm in (False, True)]


def test_the_difference_is_the_prompt_flux_of_the_cascade(both):
    """Within 2%: the air of the site's runs is not that of the US Standard Atmosphere."""
    without, with_charm = both
    added = with_charm.table.flux - without.table.flux
    edges = with_charm.table.energy_edges_GeV
    high = np.flatnonzero(edges[:-1] > 100.0)
    one = of_charm(
        cascade_fluxes([0.55], primaries=primary_model("gsf:2026.1"), altitude_km=2.835, energy_GeV=(0.5, 1e7),
                       charm=True, bins_per_decade=10)[0]
    )  # fmt: skip
    expected = one.mean_flux("nue", edges[high], edges[high + 1])
    k = int(np.searchsorted(with_charm.table.cos_edges, 0.55)) - 1
    for f in range(4):
        np.testing.assert_allclose(added[f, high, k, 0], expected, rtol=0.02)
    assert with_charm.azimuth_table is not None
    by_azimuth = with_charm.azimuth_table.flux - without.azimuth_table.flux
    np.testing.assert_allclose(by_azimuth[:, high].mean(axis=-1), added[:, high][..., 0], rtol=1e-6)


def test_errors_stay_and_the_note_says_so(both):
    without, with_charm = both
    np.testing.assert_array_equal(without.table.error, with_charm.table.error)
    assert "tau neutrinos zero" in with_charm.table.note
    assert "charm" not in without.table.note
    assert with_charm.flux("nutau", 1e3, 0.5) == 0.0


def test_commands(capsys, tmp_path):
    assert main(["flux", SITE, "--charm", "--energy", "1000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "charm" in found["state"]
    assert main(["tables", SITE, "--charm", "--format", "csv", "-o", str(tmp_path)]) == 0
    path = next(tmp_path.glob("*-aa.csv"))
    assert any("charm" in line for line in path.read_text().splitlines()[:20] if line.startswith("#"))


def test_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "run.h5").write_bytes(b"not a result")
    assert main(["tables", str(tmp_path / "run.h5"), "--charm"]) == 2
    assert '[hadronic] charm = "measured"' in capsys.readouterr().err


def test_an_unknown_site_is_refused():
    with pytest.raises(InputError, match="no flux that ships"):
        Flux.site("nowhere", charm=True)
