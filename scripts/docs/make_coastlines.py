"""Write sim3d/reference/coastlines.csv from Natural Earth's land at 1:110 million (public domain).

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python scripts/docs/make_coastlines.py package/land-110m.json

The npm package world-atlas holds Natural Earth 4.1.0 (www.naturalearthdata.com) as TopoJSON.  Coordinates are rounded
to 0.01 degrees; edges along the meridian of 180 degrees, where the data were cut, are left out.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "sim3d" / "reference" / "coastlines.csv"
HEAD = """# Coast lines of the Earth at 1:110 million: Natural Earth 4.1.0 (www.naturalearthdata.com, public domain)
# from land-110m.json of the npm package world-atlas 2.0.2, by scripts/docs/make_coastlines.py
line,lon,lat
"""


def lines(document: dict) -> list[list[tuple[float, float]]]:
    """Return the coast lines of a TopoJSON document as lists of (longitude, latitude), degrees."""
    (sx, sy), (tx, ty) = document["transform"]["scale"], document["transform"]["translate"]
    found = []
    for arc in document["arcs"]:
        x = y = 0
        piece: list[tuple[float, float]] = []
        for dx, dy in arc:  # differences (TopoJSON specification, 2.1.4)
            x, y = x + dx, y + dy
            point = (round(x * sx + tx, 2), round(y * sy + ty, 2))
            if piece and abs(point[0] - piece[-1][0]) > 180.0:
                # across the meridian of 180 degrees: one line ends on it and the next begins there
                side = 180.0 if piece[-1][0] > 0.0 else -180.0
                beyond = point[0] + 2.0 * side
                share = (side - piece[-1][0]) / (beyond - piece[-1][0]) if beyond != piece[-1][0] else 0.0
                lat = round(piece[-1][1] + share * (point[1] - piece[-1][1]), 2)
                found.append([*piece, (side, lat)] if piece[-1] != (side, lat) else piece)
                piece = [(-side, lat)]
            elif piece and abs(piece[-1][0]) > 179.98 and abs(point[0]) > 179.98:
                found.append(piece)
                piece = []
            if not piece or piece[-1] != point:
                piece.append(point)
        found.append(piece)
    return [piece for piece in found if len(piece) > 1]


def main() -> None:
    """Convert the file named on the command line."""
    found = lines(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    rows = (f"{i},{lon:g},{lat:g}\n" for i, piece in enumerate(found) for lon, lat in piece)
    TARGET.write_text(HEAD + "".join(rows), encoding="utf-8")
    print(f"{TARGET}: {len(found)} lines, {sum(map(len, found))} points, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
