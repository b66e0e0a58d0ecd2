"""Figures of models beside measured particle production."""

from hadronic.measurements import angle_data, pion_spectra, proton_spectra
from hadronic.models import load_model
from hadronic.observables.measured import compare_angles, compare_spectrum
from sim3d.plots.hadronic_production import by_angle, harp, spectra


def test_panels_have_their_measurements_and_labels():
    model = load_model("fluka-z", "printed")
    few = [*proton_spectra()[:3], *pion_spectra()[:2]]
    angles = [data for data in angle_data() if (data.projectile, data.secondary) in (("p", "pi+"), ("pi+", "pi-"))]
    channels = [compare_spectrum(model, data) for data in few] + [compare_angles(model, data) for data in angles]
    for figure, panels, word in (
        (spectra([channels], "p"), 3, "beam"),
        (harp([channels]), 7, "GeV/c"),
        (by_angle([channels]), 6, "mrad"),
    ):
        shown = [ax for ax in figure.axes if ax.get_visible()]
        assert len(shown) == panels
        assert all(len(ax.lines) >= 2 and ax.get_title() for ax in shown)
        assert word in shown[-1].get_xlabel()
        assert figure.legends
