"""Maps of cutoffs: north, east, south, west, north from left to right; every cell at its place."""

import matplotlib
import numpy as np
import pytest

from geomag.cutoffs.cutoff import SkyMap
from geomag.cutoffs.whole_sky import WholeSky
from geomag.plots import COMPASS_LABELS, sky_map_figure, whole_sky_figure

matplotlib.use("Agg")

BEARINGS = np.arange(5.0, 360.0, 10.0)


def east_high(zeniths):
    """Cutoffs highest from the east (bearing 90), rising to the horizon."""
    return 10.0 + np.outer(np.sin(np.radians(zeniths)), 5.0 * np.sin(np.radians(BEARINGS)))


def cells(mesh):
    """Centres across and values of a mesh, a row each."""
    edges = mesh.get_coordinates()[0, :, 0]
    return 0.5 * (edges[1:] + edges[:-1]), np.asarray(mesh.get_array()).reshape(-1, len(edges) - 1)


def compass_is_kept(axis):
    assert axis.get_xlim() == (0.0, 360.0)
    assert [text.get_text() for text in axis.get_xticklabels()] == COMPASS_LABELS
    assert axis.get_xticks().tolist() == [0, 90, 180, 270, 360]


@pytest.mark.parametrize("shift", [0, 7])
def test_sky_map(shift):
    """Whatever the order of the azimuths in the map."""
    zeniths = np.array([20.0, 45.0, 60.0, 80.0])
    values = east_high(zeniths)
    rolled = np.roll(values, shift, axis=1)
    none = np.zeros(rolled.shape, dtype=int)
    sky = SkyMap(zeniths, np.roll(BEARINGS, shift), rolled + 1.0, rolled - 1.0, rolled, none)
    figure = sky_map_figure(sky, "A place")
    top, bottom = figure.axes[:2]
    figure.draw_without_rendering()
    at, shown = cells(top.collections[0])
    np.testing.assert_allclose(at, BEARINGS)
    np.testing.assert_allclose(shown, values, rtol=1e-12)
    np.testing.assert_allclose(cells(bottom.collections[0])[1], 2.0)
    compass_is_kept(bottom)
    # the horizon is below
    assert top.get_ylim()[0] > top.get_ylim()[1]
    assert figure.get_suptitle() == "A place"


def test_whole_sky():
    cosines = np.array([-0.75, -0.25, 0.25, 0.75])
    values = east_high(np.degrees(np.arccos(cosines)))
    sky = WholeSky(cosines, BEARINGS, values, values, values, 0, 0.1)
    figure = whole_sky_figure([("One", sky), ("Two", sky)], "")
    figure.draw_without_rendering()
    for axis in figure.axes[:2]:
        at, shown = cells(axis.collections[0])
        np.testing.assert_allclose(at, BEARINGS)
        np.testing.assert_allclose(shown, values, rtol=1e-12)
        assert axis.get_ylim() == (-1.0, 1.0)
    compass_is_kept(figure.axes[1])
