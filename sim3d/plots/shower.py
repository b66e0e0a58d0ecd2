"""Draw the particle tracks of one shower in three dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import MaxNLocator

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.plots.axes import legend_below
from sim3d.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, RC, VERMILION, add_context, new_figure, save_as
from sim3d.simulation.replay import Replay, local_frame

_KINDS = {
    "protons and neutrons": (("p", "n", "Lambda"), BLACK, "-"),
    "pions": (("pi+", "pi-"), ORANGE, "-"),
    "kaons": (("K+", "K-", "KL", "KS"), VERMILION, "--"),
    "muons": (("mu+", "mu-"), BLUE, "-"),
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
        figure = new_figure((7.2, 6.4))
        axes = figure.add_subplot(projection="3d")
        every = np.concatenate([local(p.points) for p in replay.paths])
        for label, (species, colour, line) in _KINDS.items():
            chosen = [local(p.points) for p in replay.paths if p.species in species]
            for k, points in enumerate(chosen):
                axes.plot(
                    *points.T, line, color=colour, linewidth=1.3, label=f"{label} ({len(chosen)})" if k == 0 else None
                )
        births = replay.neutrinos[:_MOST_NEUTRINOS]
        if births:
            points = local(np.array([_position(birth) for birth in births]))
            every = np.concatenate([every, points])
            label = f"neutrinos born ({len(replay.neutrinos)})"
            axes.scatter(*points.T, color=GREEN, s=14, label=label, depthshade=False)
        # equal scales across, so that angles in the plan are true; a shower is far higher than wide
        middle = 0.5 * (every.max(axis=0) + every.min(axis=0))
        half = max(0.55 * float(np.ptp(every[:, :2], axis=0).max()), 1.0)
        axes.set_xlim(middle[0] - half, middle[0] + half)
        axes.set_ylim(middle[1] - half, middle[1] + half)
        axes.set_zlim(0.0, 1.2 * float(every[:, 2].max()))
        moving = [path for path in replay.paths if np.ptp(path.points, axis=0).any()]
        if moving:
            # a targeted shower starts at its first interaction: the fastest secondary flies on like its primary
            fastest = local(max(moving, key=lambda path: path.kinetic_GeV).points[:2])
            _draw_way_in(axes, np.array([fastest[0], fastest[1]]), middle, half)
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * half + middle[:2]
        axes.plot(corners[:, 0], corners[:, 1], np.zeros(5), color=GREY, linewidth=0.8, label="sea level")
        axes.minorticks_off()
        for axis in (axes.xaxis, axes.yaxis):
            # the last label of one axis and the first of the other would meet in the corner
            axis.set_major_locator(MaxNLocator(4, prune="both"))
        axes.zaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel("East (km)", labelpad=14)
        axes.set_ylabel("North (km)", labelpad=14)
        axes.set_zlabel("Height (km)", labelpad=9)
        axes.set_box_aspect((1.0, 1.0, 1.2), zoom=0.9)
        first = replay.primary
        axes.set_title(f"Primary {first['index']}: {first['group']}, {first['energy_GeV']:.4g} GeV per nucleon")
        legend_below(figure, axes, columns=3)
        add_context(
            figure, ["secondaries are drawn independently: energy is conserved on average, not in each collision"]
        )
        save_as(figure, path)


def _draw_way_in(axes: Any, points: np.ndarray, middle: np.ndarray, half: float) -> None:
    """Draw the straight way of the primary to its first collision, from the rim of the picture."""
    along = points[-1] - points[0]
    if not along.any():
        return
    back = -along / np.linalg.norm(along)
    low = np.array([middle[0] - half, middle[1] - half, 0.0])
    high = np.array([middle[0] + half, middle[1] + half, axes.get_zlim()[1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        lengths = np.where(back > 0.0, (high - points[0]) / back, (low - points[0]) / back)
    reach = float(np.min(lengths[np.isfinite(lengths) & (lengths > 0.0)], initial=np.inf))
    if np.isfinite(reach):
        start = points[0] + reach * back
        axes.plot(*np.array([start, points[0]]).T, color=BLACK, linewidth=1.0, linestyle=":", label="way in")


def _position(birth: dict[str, float]) -> np.ndarray:
    r = EARTH_RADIUS_KM + birth["height_km"]
    lat, lon = np.radians(birth["lat_deg"]), np.radians(birth["lon_deg"])
    return r * np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
