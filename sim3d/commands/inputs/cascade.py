"""``sim3d cascade``: compute muons and neutrinos of a place and direction in one dimension, without a simulation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand, InputPath
from sim3d.conventions.text_tables import text_table
from sim3d.errors import InputError
from sim3d.files.atomic_files import protect

if TYPE_CHECKING:
    from atmosphere.layers import LayeredAtmosphere
    from sim3d.cascade.flux import CascadeFlux
    from sim3d.cascade.primaries import Cutoff
    from sim3d.config.calibration import CalibrationKeys
    from sim3d.primaries.model import PrimaryModel

NOTE = (
    "one-dimensional: no transverse momenta, no bending, no scattering; down-going fluxes below some GeV differ from "
    "those of a run"
)
NO_CHARM = "no charm (--charm adds it), no tau neutrinos"
_SOLAR = ("fit", "min", "max", "date")
_DEFAULT_DATE = "2020-01-01"


@click.command(cls=FileCommand)
@click.option("--site", metavar="NAME", help="A site known by name (`sim3d sites` lists them).")
@click.option("--lat", type=float, metavar="DEG", help="Geodetic latitude; with --lon.")
@click.option("--lon", type=float, metavar="DEG", help="Longitude, east positive.")
@click.option(
    "--altitude",
    type=float,
    metavar="M",
    help="Of the observer above sea level.  [default: the surface at --site, else 0]",
)
@click.option("--depth", type=float, metavar="G/CM2", help="Vertical depth of the observer, instead of an altitude.")
@click.option(
    "--cos-zenith",
    "cosines",
    type=float,
    multiple=True,
    metavar="C",
    help="Of the arrival, +1 down-going; may be given several times.  [default: 1]",
)
@click.option("--model", metavar="NAME", help="Hadronic model.  [default: that of a run]")
@click.option("--definition", metavar="NAME", help="Definition of x, of models that have one.")
@click.option("--table", type=InputPath(), metavar="FILE.h5", help="File of yields, instead of --model.")
@click.option("--primaries", metavar="NAME", help="Primary model.  [default: that of a run]")
@click.option("--calibration", metavar="NAME", help="Of the models to muons, or none.  [default: that of a run]")
@click.option("--solar", metavar="WORD|MV", help="fit, min, max, date or MV.  [default: date]")
@click.option("--date", metavar="YYYY-MM-DD", help=f"Of the Sun, the field and NRLMSIS.  [default: {_DEFAULT_DATE}]")
@click.option(
    "--atmosphere", default="us-standard", show_default=True, metavar="NAME|FILE.csv", help="Or nrlmsis, or a profile."
)
@click.option("--month", type=WholeNumber(), metavar="1-12", help="Of NRLMSIS, instead of --date.")
@click.option(
    "--cutoff",
    metavar="WORD|GV",
    help="none, vertical, sky (mean over azimuth) or GV.  [default: vertical with a place, else none]",
)
@click.option(
    "--bins", type=WholeNumber(), default=20, show_default=True, metavar="N", help="Energy bins per decade, 5 to 60."
)
@click.option("--charm", is_flag=True, help="Add neutrinos of charmed hadrons, from measured cross sections.")
@folder_option("Write cascade.csv there and draw the spectra.")
@json_option
def command(
    site: str | None,
    lat: float | None,
    lon: float | None,
    altitude: float | None,
    depth: float | None,
    cosines: tuple[float, ...],
    model: str | None,
    definition: str | None,
    table: Path | None,
    primaries: str | None,
    calibration: str | None,
    solar: str | None,
    date: str | None,
    atmosphere: str,
    month: int | None,
    cutoff: str | None,
    bins: int,
    charm: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compute muons, nucleons and neutrinos by the cascade equations, in one dimension and without a simulation.

    Up to a tenth of the highest primary energy, 10 PeV for models with a knee. Energies are those of neutrinos (GeV)
    and momenta of muons and nucleons (GeV/c), fluxes per m2 s sr GeV. From below the horizon only neutrinos arrive.

    \b
    Examples:
      sim3d cascade --site kamioka --cos-zenith 1 --cos-zenith 0.1
      sim3d cascade --depth 1000 --model muon-tuned --primaries gsf:2026.1 --cutoff none -o vertical
    """
    from hadronic.models import load_model
    from sim3d.cascade.charm import WORDS
    from sim3d.cascade.flux import Place, grid_of, solve_places
    from sim3d.cascade.solver import CascadeSolver
    from sim3d.simulation.variation import varied_hadronic, varied_primaries

    cosines = cosines or (1.0,)
    place = _place(site, lat, lon)
    if altitude is None and depth is None:
        altitude = _surface_m(site)
    hadronic = load_model(model, definition, table)
    spectrum = _primaries(primaries, solar, date)
    keys, values = _calibration(calibration, "table" if table is not None else hadronic.name, spectrum.name)
    calibrated = keys.in_words(hadronic.name, spectrum.name)
    hadronic, spectrum = varied_hadronic(hadronic, values), varied_primaries(spectrum, values)
    air = _air(atmosphere, place, date, month)
    height_km = _height_km(air, altitude, depth)
    grid = grid_of([spectrum], bins)
    day = date or _DEFAULT_DATE
    places = [Place(c, air, spectrum, height_km, _cutoff(cutoff, place, day, c)) for c in cosines]
    target = None if folder is None else output_folder(folder, Path())
    fluxes = solve_places(CascadeSolver(hadronic.tables, grid), places, charm=charm)
    about = {
        "hadronic_model": hadronic.name,
        "definition": hadronic.definition,
        "primaries": spectrum.name,
        "calibration": keys.name,
        "calibration_reason": calibrated,
        "solar_potential_MV": spectrum.solar_potential_MV,
        "solar_modulation": spectrum.solar,
        "atmosphere": air.name,
        "place": place[0] if place else None,
        "altitude_m": 1000.0 * height_km,
        "depth_g_cm2": float(air.depth(height_km)),
        "cutoff": [one.cutoff.words for one in places],
        "note": NOTE,
        "charm": WORDS if charm else NO_CHARM,
    }
    files: list[Path] = []
    if target is not None:
        from sim3d.plots.cascade import draw

        files = [_write_csv(target / "cascade.csv", about, fluxes), *draw(fluxes, _title(about), target)]
    if as_json:
        records = [record for one in fluxes for record in one.records(_energies(one, 10))]
        crossings = [_crossings(one) for one in fluxes] if charm else None
        print_json({**about, "charm_crossing_GeV": crossings, "fluxes": records, "files": files})
        return
    _print(about, fluxes)
    for path in files:
        click.echo(path)


def _place(site: str | None, lat: float | None, lon: float | None) -> tuple[str, float, float] | None:
    """Name and coordinates of the place, if one was given."""
    if site is not None and (lat is not None or lon is not None):
        raise InputError("give either --site or --lat and --lon, not both")
    if (lat is None) != (lon is None):
        raise InputError("give both --lat and --lon")
    if site is not None:
        from geomag.sites import site as known_site

        known = known_site(site)
        return known.name, known.lat, known.lon
    if lat is None or lon is None:
        return None
    if not (-90.0 <= lat <= 90.0 and -360.0 <= lon <= 360.0):
        raise InputError("--lat, --lon", (lat, lon), "-90 to 90 and -360 to 360")
    return f"{lat:g}, {lon:g}", lat, lon


def _surface_m(site: str | None) -> float:
    """Altitude of the surface above a site known by name, which is where a run has it; 0 without one."""
    if site is None:
        return 0.0
    from geomag.sites import site as known_site

    return known_site(site).surface_m


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _primaries(name: str | None, solar: str | None, date: str | None) -> PrimaryModel:
    from sim3d.config.schema import PrimariesTable
    from sim3d.primaries.build import primary_model

    table = PrimariesTable()
    potential: float | str = table.potential
    if solar is not None:
        number = _number(solar)
        if number is None and solar not in _SOLAR:
            raise InputError("--solar", solar, f"{', '.join(_SOLAR)} or a number of MV")
        potential = solar if number is None else number
    return primary_model(name or table.model, potential, date or _DEFAULT_DATE)


def _calibration(name: str | None, hadronic: str, primaries: str) -> tuple[CalibrationKeys, dict[str, float]]:
    """Name of the calibration, as a run of these models has it, and the values of its parameters."""
    from sim3d.config.calibration import AUTOMATIC, CalibrationKeys
    from sim3d.files.calibration_file import named_calibration
    from sim3d.simulation.calibrated import stated_calibration

    if name not in (None, "none"):
        named_calibration(name)
    keys = CalibrationKeys(name=name or AUTOMATIC).stated(hadronic, primaries)
    found = stated_calibration(keys, hadronic, primaries)
    return keys, {} if found is None else found.by_name


def _air(name: str, place: tuple[str, float, float] | None, date: str | None, month: int | None) -> LayeredAtmosphere:
    from atmosphere import from_csv, from_msis, linsley

    if month is not None and name != "nrlmsis":
        raise InputError("--month", month, "with --atmosphere nrlmsis only")
    if name == "us-standard":
        return linsley()
    if name == "nrlmsis":
        if place is None or (month is None and date is None):
            raise InputError("--atmosphere", name, "with a place (--site, or --lat and --lon) and --month or --date")
        return from_msis(place[1], place[2], month=month, date=None if month is not None else date).atmosphere
    if not name.endswith(".csv"):
        raise InputError("--atmosphere", name, "us-standard, nrlmsis or a file FILE.csv")
    protect(Path(name))
    return from_csv(Path(name))


def _height_km(air: LayeredAtmosphere, altitude: float | None, depth: float | None) -> float:
    if altitude is not None and depth is not None:
        raise InputError("give either --altitude or --depth, not both")
    if depth is None:
        return 0.001 * (altitude or 0.0)
    deepest = float(air.depth(0.0)) + 50.0
    if not 0.1 <= depth <= deepest:
        raise InputError("--depth", depth, f"0.1 to {deepest:.0f} g/cm2")
    return float(air.height(depth))


def _cutoff(text: str | None, place: tuple[str, float, float] | None, date: str, cos_zenith: float) -> Cutoff:
    from sim3d.cascade.primaries import no_cutoff, sharp_cutoff, sky_cutoff, vertical_cutoff

    word = ("none" if place is None else "vertical") if text is None else text
    if word == "none":
        return no_cutoff()
    if word in ("vertical", "sky"):
        if place is None:
            raise InputError("--cutoff", word, "with a place (--site, or --lat and --lon)")
        return vertical_cutoff(*place[1:], date) if word == "vertical" else sky_cutoff(*place[1:], date, cos_zenith)
    number = _number(word)
    if number is None:
        raise InputError("--cutoff", word, "none, vertical, sky or a number of GV")
    return sharp_cutoff(number)


def _energies(flux: CascadeFlux, per_decade: int) -> list[float]:
    """Energies of a table (GeV): from 0.1 GeV to the highest that the primaries support."""
    from sim3d.cascade.flux import LOWEST_SHOWN_GEV, MARGIN

    decades = math.log10(float(flux.grid.edges_GeV[-1]) / MARGIN / LOWEST_SHOWN_GEV)
    return [LOWEST_SHOWN_GEV * 10.0 ** (k / per_decade) for k in range(math.floor(decades * per_decade + 1e-6) + 1)]


def _title(about: dict[str, Any]) -> str:
    return f"{about['hadronic_model']}, {about['primaries']}, {about['depth_g_cm2']:.0f} g/cm$^2$"


def _words(about: dict[str, Any]) -> list[str]:
    cutoffs = dict.fromkeys(about["cutoff"])
    return [
        f"hadronic model {about['hadronic_model']} ({about['definition']})",
        f"primaries {about['primaries']}, {about['solar_potential_MV']:.0f} MV: {about['solar_modulation']}",
        f"{about['atmosphere']}; observer at {about['altitude_m']:.0f} m, {about['depth_g_cm2']:.1f} g/cm2",
        about["calibration_reason"],
        "; ".join(cutoffs),
        about["note"],
        about["charm"],
    ]


def _crossings(flux: CascadeFlux) -> dict[str, float | None]:
    """Energies above which charm prevails (GeV), by flavour; None where it does not within the primaries."""
    from sim3d.conventions.flavours import FLAVOURS

    found = {flavour: flux.charm_crossing_GeV(flavour) for flavour in FLAVOURS}
    return {flavour: energy if math.isfinite(energy) else None for flavour, energy in found.items()}


def _print(about: dict[str, Any], fluxes: list[CascadeFlux]) -> None:
    from sim3d.cascade.flux import PARTICLES

    for line in _words(about):
        click.echo(line)
    for one in fluxes:
        click.echo(f"cos_zenith {one.cos_zenith:g}, slant depth {one.depth_g_cm2:.0f} g/cm2 (m^-2 s^-1 sr^-1 GeV^-1)")
        rows = [
            [f"{record['energy_GeV']:.4g}", *(f"{record[name]:.4e}" for name in PARTICLES)]
            for record in one.records(_energies(one, 2))
        ]
        for flavour, energy in _crossings(one).items():
            if energy is not None:
                click.echo(f"above {energy:.3g} GeV more {flavour} come from charm than from all other parents")
        click.echo("\n".join(text_table(["E, p", *PARTICLES], rows, "r" * (len(PARTICLES) + 1))))


def _write_csv(path: Path, about: dict[str, Any], fluxes: list[CascadeFlux]) -> Path:
    from sim3d.files.csv_files import write_records

    comments = [
        *_words(about),
        "fluxes in m^-2 s^-1 sr^-1 GeV^-1 at an energy (neutrinos) or a momentum (others, GeV/c)",
    ]
    return write_records(path, comments, [record for one in fluxes for record in one.records(_energies(one, 10))])
