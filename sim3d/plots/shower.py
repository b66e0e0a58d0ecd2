"""Draw the particle tracks of one shower in three dimensions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, RC, VERMILION, new_figure, save_as
from sim3d.simulation.replay import Replay, local_frame

_KINDS = {
    "protons and neutrons": (("p", "n", "Lambda"), BLACK),
    "pions": (("pi+", "pi-"), ORANGE),
    "kaons": (("K+", "K-", "KL", "KS"), VERMILION),
    "muons": (("mu+", "mu-"), BLUE),
}
_MOST_NEUTRINOS = 300


def draw(replay: Replay, path: Path) -> None:
    """Draw the tracks of a shower, and the places of birth of its neutrinos, to a PNG.

    Axes: km to the east and north of where the first particle ends, and height above the sphere.

    Parameters
    ----------
    replay : Replay
    path : Path
        Replaced if it exists.
    """
    frame = local_frame(replay.paths)

    def local(points: np.ndarray) -> np.ndarray:
        height = np.linalg.norm(points, axis=1) - EARTH_RADIUS_KM
        return np.column_stack([points @ frame[0], points @ frame[1], height])

    with rc_context(RC):
        figure = new_figure((7.0, 6.0))
        axes = figure.add_subplot(projection="3d")
        for label, (species, colour) in _KINDS.items():
            chosen = [local(p.points) for p in replay.paths if p.species in species]
            for k, line in enumerate(chosen):
                axes.plot(*line.T, color=colour, linewidth=0.8, label=f"{label} ({len(chosen)})" if k == 0 else None)
        births = replay.neutrinos[:_MOST_NEUTRINOS]
        if births:
            points = local(np.array([_position(birth) for birth in births]))
            label = f"neutrinos born ({len(replay.neutrinos)})"
            axes.scatter(*points.T, color=GREEN, s=6, label=label, depthshade=False)
        low, high = axes.get_xlim(), axes.get_ylim()
        corners = np.array([[low[i], high[j]] for i, j in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))])
        axes.plot(corners[:, 0], corners[:, 1], np.zeros(5), color=GREY, linewidth=0.8, label="sea level")
        axes.minorticks_off()
        axes.locator_params(nbins=5)
        axes.set_xlabel("east (km)")
        axes.set_ylabel("north (km)")
        axes.set_zlabel("height (km)")
        first = replay.primary
        axes.set_title(f"primary {first['index']}: {first['group']}, {first['energy_GeV']:.4g} GeV per nucleon")
        axes.legend(loc="upper left", fontsize=8)
        save_as(figure, path)


def _position(birth: dict[str, float]) -> np.ndarray:
    r = EARTH_RADIUS_KM + birth["height_km"]
    lat, lon = np.radians(birth["lat_deg"]), np.radians(birth["lon_deg"])
    return r * np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
