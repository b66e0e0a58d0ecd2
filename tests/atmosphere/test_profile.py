"""A user's CSV: it gives back what went in, and every kind of bad file gets one clear line."""

import gzip

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from atmosphere import AtmosphereInputError, from_csv, linsley
from atmosphere.kernels import density, top_height_km, vertical_depth
from atmosphere.profile import _STEEPEST_EXPONENT, _THINNEST_EXPONENT, layers_from_densities

HEADER = "height_km,density_g_cm3\n"


def write(tmp_path, text):
    path = tmp_path / "profile.csv"
    path.write_text(text)
    return path


def test_linsleys_own_densities_give_linsley_back(tmp_path):
    us = linsley()
    # Linsley's density jumps UP by 2% at 10 km; no profile may rise, so each jump is spread over 250 m.
    bounds = us.layers[1:, 0]
    heights = np.unique(np.concatenate([np.arange(0.0, 113.0, 5.0), [112.0], bounds, bounds - 0.25]))
    rows = "".join(f"{h:.8f},{us.density(h):.12e}\n" for h in heights)
    ours = from_csv(write(tmp_path, "# from Linsley\n" + HEADER + rows), top_km=us.top_km)
    h = np.linspace(0.0, 112.5, 500)
    away = np.all((h[:, None] < bounds - 0.25) | (h[:, None] > bounds), axis=1)
    assert ours.density(h[away]) == pytest.approx(us.density(h[away]), rel=1e-9)
    assert ours.depth(h[h < 90]) == pytest.approx(us.depth(h[h < 90]), rel=2e-3)
    assert ours.depth(0.0) == pytest.approx(us.depth(0.0), rel=5e-4)


def test_columns_may_come_in_any_order_with_others_and_comments(tmp_path):
    text = "# mine\n\nnote,density_g_cm3, height_km\n# more\nx,1.2e-3,0\ny,4e-4,10\nz,1e-4,20\n"
    ours = from_csv(write(tmp_path, text))
    assert ours.name == "profile.csv"
    assert ours.density([0.0, 10.0, 20.0]) == pytest.approx([1.2e-3, 4e-4, 1e-4])
    # Log-linear between rows.
    assert ours.density(15.0) == pytest.approx(2e-4)
    # The last exponential goes on to the default top.
    assert ours.density(30.0) == pytest.approx(2.5e-5)
    assert ours.top_km == pytest.approx(112.8292, abs=1e-3)
    assert ours.depth(113.0) == 0.0


def test_constant_density_makes_a_linear_layer(tmp_path):
    ours = from_csv(write(tmp_path, HEADER + "-1,1e-3\n5,1e-3\n10,1e-4\n"), top_km=20.0)
    assert ours.layers[0, 3] == 0.0
    assert ours.depth(0.0) - ours.depth(5.0) == pytest.approx(500.0)
    assert ours.top_km == pytest.approx(20.0)


@settings(max_examples=60)
@given(
    widths=st.lists(st.floats(0.05, 9.0), min_size=1, max_size=25),
    falls=st.lists(st.floats(0.0, 2.5), min_size=25, max_size=25),
    above=st.floats(0.0, 40.0),
)
def test_any_profile_goes_through_its_points(widths, falls, above):
    heights = [0.0, *np.cumsum(widths).tolist()]
    rho = (1.2e-3 * np.exp(-np.concatenate([[0.0], np.cumsum(falls[: len(widths)])]))).tolist()
    # a fall that is steeper still, far up, would overflow and keeps only its depth
    top = heights[-1] + above
    assume(all(f * h <= _STEEPEST_EXPONENT * w for f, h, w in zip(falls, heights, widths, strict=False)))
    layers = layers_from_densities(heights, rho, top)
    last = falls[len(widths) - 1]
    highest = _THINNEST_EXPONENT * widths[-1] / last if last >= 1e-6 else top
    assert top_height_km(layers) == pytest.approx(min(top, highest), rel=1e-6, abs=1e-6)
    for h, r in zip(heights[:-1], rho[:-1], strict=True):
        assert density(h, layers) == pytest.approx(r, rel=1e-5)
    for h in heights[1:-1]:
        below, at = vertical_depth(h - 1e-9, layers), vertical_depth(h, layers)
        assert below == pytest.approx(at, rel=1e-6, abs=1e-6)


def test_a_steep_last_layer_far_below_the_top():
    """Its density would be 0 before the top: the air ends after 700 scale heights, not at an infinite height."""
    layers = layers_from_densities([0.0, 1.0, 2.0, 6.0, 6.0625], [1.2e-3, 1.2e-3, 1.2e-3, 1.2e-3, 1.6e-4], 23.0625)
    top = top_height_km(layers)
    assert top == pytest.approx(700.0 * 0.0625 / np.log(1.2e-3 / 1.6e-4), rel=1e-6)
    assert vertical_depth(top, layers) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("# only comments\n", "empty"),
        ("height_km,rho\n0,1\n1,1\n", "no column 'density_g_cm3'"),
        ("0,1.2e-3\n5,6e-4\n", "no column 'height_km'"),
        (HEADER + "0,1.2e-3\n", "1 row"),
        (HEADER + "0,1.2e-3\n5,7e-4\n4,8e-4\n", "must rise, 4 km comes after 5 km"),
        (HEADER + "0,1.2e-3\n5,7e-4\n5,7e-4\n", "must rise"),
        (HEADER + "1,1.2e-3\n5,7e-4\n", "gap at the ground"),
        (HEADER + "0,1.2e-3\n15,7e-4\n", "gap from 0 to 15 km"),
        (HEADER + "0,1.2e-3\n5,\n9,1e-4\n", "line 3: density_g_cm3 is blank"),
        (HEADER + "0,1.2e-3\n5\n", "line 3: density_g_cm3 is blank"),
        (HEADER + "0,1.2e-3\n5,nan\n", "line 3: density_g_cm3 is 'nan'"),
        (HEADER + "0,1.2e-3\nfive,6e-4\n", "line 3: height_km is 'five'"),
        (HEADER + "0,1.2e-3\n5,0\n", "must be positive"),
        (HEADER + "0,1.2e-3\n5,-6e-4\n", "must be positive"),
        (HEADER + "0,1e-3\n5,2e-3\n", "density rises with height from 0 to 5 km"),
    ],
)
def test_bad_files(tmp_path, text, message):
    with pytest.raises(AtmosphereInputError, match=message) as caught:
        from_csv(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "profile.csv" in str(caught.value)


def test_missing_file_binary_file_and_low_top(tmp_path):
    with pytest.raises(AtmosphereInputError, match="cannot be read"):
        from_csv(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(AtmosphereInputError, match="not a text file"):
        from_csv(tmp_path / "b.csv")
    with pytest.raises(AtmosphereInputError, match="top_km"):
        from_csv(write(tmp_path, HEADER + "0,1.2e-3\n5,7e-4\n"), top_km=4.0)


US_STANDARD_1976 = ((0, 1.225e-3), (5, 7.364e-4), (10, 4.135e-4), (20, 8.891e-5), (30, 1.841e-5))
"""Heights in km and densities in g/cm3."""


def profile_of(height=1.0, density=1.0, header=HEADER):
    """The standard atmosphere with its numbers in other units."""
    return header + "".join(f"{h * height:g},{rho * density:g}\n" for h, rho in US_STANDARD_1976)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (profile_of(density=1e3), "density 1.225 g/cm3 at sea level, .*likely kg/m3; name the column density_kg_m3"),
        (profile_of(density=1e6), "density 1225 g/cm3 at sea level, .*likely g/m3; name the column density_g_m3"),
        (profile_of(height=1e3), "a height of 30000 km, .*likely metres, name the column height_m"),
        (HEADER + "0,1013.25\n5,540\n10,265\n", "likely a pressure in hPa"),
        (HEADER + "0,101325\n5,54000\n10,26500\n", "likely a pressure in Pa"),
        (HEADER + "0,101.3\n5,54\n10,26.5\n", "likely a pressure in kPa"),
        (HEADER + "0,288.15\n5,255.7\n10,223.3\n", "likely a temperature in K"),
        (HEADER + "0,15\n5,12\n", "likely a temperature in degrees Celsius"),
        (HEADER + "0,2.55e19\n5,1.53e19\n", "likely a number of molecules"),
        (
            HEADER + "0,0.1\n5,0.05\n",
            r"density 0\.1 g/cm3 at sea level, allowed: 0\.0005 to 0\.0025 \(air has 0\.0012\)$",
        ),
        (profile_of(height=1e-3), r"1\..* g/cm2 of air above sea level, allowed: 500 to 2000 .*heights in km"),
    ],
)
def test_other_units_and_quantities_are_refused_by_name(tmp_path, text, message):
    with pytest.raises(AtmosphereInputError, match=message) as caught:
        from_csv(write(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("height", "density", "header"),
    [
        (1.0, 1e3, "height_km,density_kg_m3\n"),
        (1e3, 1e3, "height_m,density_kg_m3\n"),
        (1e3, 1e6, "height_m,density_g_m3\n"),
        (1e5, 1.0, "height_cm,density_g_cm3\n"),
    ],
)
def test_units_in_the_header_are_converted(tmp_path, height, density, header):
    ours = from_csv(write(tmp_path, profile_of(height, density, header)))
    plain = from_csv(write(tmp_path, profile_of()))
    h = np.linspace(0.0, 60.0, 40)
    assert ours.density(h) == pytest.approx(plain.density(h), rel=1e-9)
    assert ours.depth(0.0) == pytest.approx(1033.0, rel=0.01)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gzip"])
def test_any_marks_and_line_ends(tmp_path, ends, encoding):
    """As Notepad, Excel, PowerShell and gzip write them."""
    text = profile_of().replace("\n", ends)
    path = tmp_path / "profile.csv"
    path.write_bytes(gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding))
    assert from_csv(path).density(5.0) == pytest.approx(7.364e-4)


def test_a_damaged_gzip_file(tmp_path):
    path = tmp_path / "profile.csv"
    path.write_bytes(gzip.compress(profile_of().encode())[:-12])
    with pytest.raises(AtmosphereInputError, match=r"profile\.csv: cannot be read \(Compressed file ended"):
        from_csv(path)
