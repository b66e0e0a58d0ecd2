"""Atmospheric neutrinos at Kamioka with oscillations in the Earth over those without, in energy and zenith.

    pip install 'sim3d[nusquids]'
    python examples/oscillated_kamioka.py mysite.h5 -o plots

FILE is a result or a Honda table; a smooth one (sim3d tables --smooth) gives the smoother picture. nuSQuIDS propagates
the fluxes through the Earth of Dziewonski and Anderson (1981) from the top of the 22 km of air it puts around it.
"""

import argparse
import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import sim3d
from sim3d.flux import exports, prem
from sim3d.plots import style
from sim3d.plots.axes import outer_labels, plain_ticks

# NuFIT 6.0, normal ordering, with Super-Kamiokande's atmospheric data: Esteban et al., JHEP 12 (2024) 216, table 1.
ANGLES_DEG = {(0, 1): 33.68, (0, 2): 8.56, (1, 2): 43.3}
DELTA_CP_DEG = 212.0
MASS_SPLITTINGS_EV2 = {1: 7.49e-5, 2: 2.513e-3}

ENERGY_GeV = np.geomspace(0.5, 100.0, 201)
COS_ZENITH = np.linspace(-1.0, 1.0, 201)

PANELS = (("nue", 0, 0), ("nuebar", 0, 1), ("numu", 1, 0), ("numubar", 1, 1))
"""Flavour, and its two indices in nuSQuIDS."""


def oscillate(state: exports.NusquidsState) -> np.ndarray:
    """Fluxes at the detector, in the shape and unit of ``state.flux``."""
    prem.provide_nusquids_earth()
    import nuSQuIDS as nsq

    gev = nsq.Const().GeV
    earth = nsq.nuSQUIDSAtm(state.cos_zenith, state.energy_GeV * gev, 3, nsq.NeutrinoType.both, False)
    for (i, j), angle in ANGLES_DEG.items():
        earth.Set_MixingAngle(i, j, np.radians(angle))
    earth.Set_CPPhase(0, 2, np.radians(DELTA_CP_DEG))
    for i, splitting in MASS_SPLITTINGS_EV2.items():
        earth.Set_SquareMassDifference(i, splitting)
    earth.Set_rel_error(1e-5)
    earth.Set_abs_error(1e-5)
    earth.Set_ProgressBar(False)
    earth.Set_initial_state(state.flux, nsq.Basis.flavor)
    earth.EvolveState()
    after = np.empty_like(state.flux)
    for (c, e, kind, flavour), _ in np.ndenumerate(after):
        after[c, e, kind, flavour] = earth.EvalFlavor(flavour, state.cos_zenith[c], state.energy_GeV[e] * gev, kind)
    return after


def draw(state: exports.NusquidsState, after: np.ndarray, title: str) -> plt.Figure:
    """Maps of after over before."""
    figure, axes = plt.subplots(2, 2, figsize=(7.2, 6.0), sharex=True, sharey=True)
    for ax, (flavour, i, kind) in zip(axes.flat, PANELS, strict=True):
        before = state.flux[:, :, kind, i]
        ratio = np.divide(after[:, :, kind, i], before, out=np.full_like(before, np.nan), where=before > 0.0)
        image = ax.pcolormesh(
            state.energy_GeV, state.cos_zenith, ratio, cmap="RdBu_r", vmin=0.0, vmax=2.0, shading="gouraud"
        )
        ax.set(xscale="log", title=style.LABELS[flavour], xlim=(ENERGY_GeV[0], ENERGY_GeV[-1]), ylim=(-1, 1))
        plain_ticks(ax)
    outer_labels(axes, "Neutrino energy (GeV)", r"$\cos\theta_{\rm zenith}$ (+1: down-going)")
    figure.suptitle(title, fontsize=10)
    figure.colorbar(image, ax=axes, label="Flux with oscillations / without", aspect=40)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, propagate, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="result (.h5) or Honda table (.d)")
    parser.add_argument("-o", "--output", type=Path, default=Path(), help="folder for the picture")
    chosen = parser.parse_args(arguments)
    flux = sim3d.Flux.load(chosen.file)
    state = exports.nusquids_state(flux, COS_ZENITH, ENERGY_GeV)
    after = oscillate(state)
    chosen.output.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(style.RC):
        site = re.sub(r"(-smooth)?-honda.*", "", flux.table.name)
        figure = draw(state, after, f"{style.title(site)}: neutrinos with oscillations in the Earth over those without")
        about = [f"flux: {Path(chosen.file).name}", "oscillations: nuSQuIDS, NuFIT 6.0, normal ordering, PREM"]
        for path in style.save(figure, chosen.output, f"oscillated-{flux.table.name}", about):
            print(path)
        plt.close(figure)
    muons = {name: values[:, :, :, 1].sum(axis=2) for name, values in (("before", state.flux), ("after", after))}
    up = state.cos_zenith < -0.2
    window = (state.energy_GeV > 1.0) & (state.energy_GeV < 10.0)
    cut = np.ix_(up, window)
    # equal steps of ln E: the flux times E is what an integral over energy sums
    share = np.sum((muons["after"] * state.energy_GeV)[cut]) / np.sum((muons["before"] * state.energy_GeV)[cut])
    print(f"muon neutrinos left of those from below (cos < -0.2) between 1 and 10 GeV: {share:.2f}")


if __name__ == "__main__":
    main()
