"""Make the yields of the model `accelerator`: measured ones where there are measurements, of a generator elsewhere.

The generator (`urqmd-sibyll`) is multiplied by the ratio of measurements to it (`data_ratio`), in every bin of x and at
every energy. Then energy and baryon number are closed (`closure`). Projectiles are protons and pi+; kaons stay as the
generator has them. docs/reports/accelerator.md states the choices.
"""

import datetime
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hadronic.arrays import Array
from hadronic.builders.base_yields import BaseYields, row_sum
from hadronic.builders.closure import Closed, Freedom, close
from hadronic.builders.data_points import CARRIED_ERROR, angle_ratios, spectrum_ratios, summed_kaons
from hadronic.builders.data_ratio import DataRatio, Prior, Ratios
from hadronic.fluka.fluka_z import LG_T_NODES
from hadronic.measurements import angle_data, kinetic, mirrored, pion_spectra, proton_spectra
from hadronic.models import TABLE_DEFINITION, HadronicModel
from hadronic.observables.production import numbers_in_bins
from hadronic.species import species_code
from hadronic.tables.table_model import build_table_model
from hadronic.tables.yield_file import ProjectileYields, YieldFile
from hadronic.tables.yield_rows import LEADING_SUFFIX, ROWS

# Between these energies [GeV] the generator is interpolated: UrQMD and Sibyll, which meet there, differ by 16 %.
GENERATOR_GAP_GEV: Final = (30.0, 150.0)
# Energies of the measurements: nodes of the table.
PROTON_NODES_GEV: Final = (kinetic("p", 12.0), kinetic("p", 31.0), kinetic("p", 158.0))
PION_NODES_GEV: Final = tuple(kinetic("pi+", p) for p in (12.0, 60.0, 158.0, 350.0))
# More nodes between measurements, so that yields are interpolated at fixed x and not along quantiles.
BETWEEN_GEV: Final = {"p": (18.0, 50.0, 90.0), "pi+": (18.0, 30.0, 90.0, 230.0)}
# Ranges of momentum [GeV/c] in which measurements by angle are added up.
HARP_PROTON_GEV: Final = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.5, 8.0)
HARP_PION_GEV: Final = (0.5, 1.5, 2.5, 3.5, 5.0, 6.5, 8.0)
NA61_PION_GEV: Final = (0.4, 0.8, 1.5, 2.5, 3.8, 5.0, 7.0, 9.0, 12.0, 15.0, 19.0, 25.0, 33.0)
SCALED, GENERATED = "scaling", "generator"
"""Above the measured energies: yields scale in x, or have the generator's own dependence."""
MEASURED: Final = {"p": ("pi+", "pi-", "K+", "K-", "p", "n"), "pi+": ("pi+", "pi-", "K+", "K-", "K0", "p", "n")}
# Nucleons below this x at the highest measured energy are fragments of the target at higher ones.
TARGET_X: Final = 0.1


@dataclass(frozen=True)
class Options:
    """Choices of the model.

    Attributes
    ----------
    above : str
        `SCALED` or `GENERATED`.
    harp : bool
        Whether measurements of HARP count.
    """

    above: str = SCALED
    harp: bool = True


def bases(generator: YieldFile, options: Options) -> dict[str, BaseYields]:
    """Prepare the generator's yields of protons and pi+.

    Parameters
    ----------
    generator : YieldFile
        `urqmd-sibyll`.
    options : Options
        Choices.

    Returns
    -------
    dict of BaseYields
        By projectile.
    """
    last = {"p": PROTON_NODES_GEV[-1], "pi+": PION_NODES_GEV[-1]}
    return {
        name: BaseYields(
            name, generator.projectiles[name], generator.x_edges, GENERATOR_GAP_GEV,
            last[name] if options.above == SCALED else np.inf,
        )
        for name in last
    }  # fmt: skip


def node_energies(base: BaseYields) -> Array:
    """Kinetic energies of the table's nodes.

    Parameters
    ----------
    base : BaseYields
        The generator's yields.

    Returns
    -------
    float[nodes]
        GeV, ascending.
    """
    own = base.content.T_GeV
    low, high = GENERATOR_GAP_GEV
    measured = PROTON_NODES_GEV if base.projectile == "p" else PION_NODES_GEV
    kept = [T for T in own if (low >= T or high < T) and np.min(np.abs(np.log(T / np.array(measured)))) > 0.05]
    return np.array(sorted({*kept, *measured, *BETWEEN_GEV[base.projectile]}))


def _table(base: BaseYields, yields: Array, T: Array, sources: tuple[str, ...]) -> ProjectileYields:
    events = np.array([base.events(one) for one in T])
    return ProjectileYields(
        T_GeV=T,
        events=events,
        counts=yields * events[:, :, None],
        sigma_T_GeV=base.content.sigma_T_GeV,
        sigma_mb=base.content.sigma_mb,
        angle_counts=np.array([base.angle_counts(one) for one in T]),
        other=np.array([base.other(one) for one in T]),
        sources=sources,
    )


def _model(generator: YieldFile, tables: dict[str, ProjectileYields]) -> HadronicModel:
    content = YieldFile(
        generator.name, "", generator.x_edges, generator.s_edges, {**generator.projectiles, **tables}
    )  # fmt: skip
    return HadronicModel(generator.name, TABLE_DEFINITION, "", build_table_model(content, LG_T_NODES))


def measured_ratios(generator: YieldFile, base: dict[str, BaseYields], options: Options) -> dict[str, list[Ratios]]:
    """Collect the ratios of all measurements to the generator.

    Parameters
    ----------
    generator : YieldFile
        `urqmd-sibyll`.
    base : dict of BaseYields
        By projectile.
    options : Options
        Choices.

    Returns
    -------
    dict of list of Ratios
        By projectile.
    """
    out: dict[str, list[Ratios]] = {"p": [], "pi+": []}
    for one in proton_spectra():
        out["p"].append(spectrum_ratios(base["p"], one, one.secondary))
    kaons: dict[tuple[float, str], Any] = {}
    for one in pion_spectra():
        if one.secondary in ("K+", "K-"):
            kaons[one.T_GeV, one.secondary] = one
        else:
            out["pi+"].append(spectrum_ratios(base["pi+"], one, mirrored("pi-", one.secondary)[1]))
            if one.secondary == "p":
                # Slow ones come from the nucleus, which has as many protons as neutrons.
                out["pi+"].append(spectrum_ratios(base["pi+"], one, "p", CARRIED_ERROR))
    for T in sorted({T for T, _ in kaons}):
        for name in ("K0", "K+", "K-"):
            out["pi+"].append(summed_kaons(base["pi+"], kaons[T, "K+"], kaons[T, "K-"], name))
    plain = {name: node_energies(one) for name, one in base.items()}
    tables = {
        name: _table(one, np.array([one.yields(T) for T in plain[name]]), plain[name], ())
        for name, one in base.items()
    }  # fmt: skip
    model = _model(generator, tables)
    for data in angle_data():
        if data.secondary == "p" or (data.experiment.startswith("HARP") and not options.harp):
            continue
        projectile, secondary = mirrored(data.projectile, data.secondary)
        edges: tuple[float, ...] = NA61_PION_GEV if data.experiment.startswith("NA61") else HARP_PION_GEV
        edges = HARP_PROTON_GEV if data.experiment == "HARP p+C" else edges

        def numbers(name: str, T: float, p: Array, theta: Array, code: int = species_code(projectile)) -> Array:
            return numbers_in_bins(model, code, species_code(name), T, p, theta)

        out[projectile].append(angle_ratios(numbers, data, secondary, np.array(edges))[0])
    return out


def _factors(ratio: DataRatio, base: BaseYields, yields: Array, T: float, top: float) -> dict[str, Array]:
    """Measurement over generator in the bins of x of every species."""
    ln_T = float(np.log(min(T, top)))
    out = {}
    for name in MEASURED[base.projectile]:
        out[name] = np.exp(ratio.mean((name, ln_T, np.log(_measured_x(name, base, base.centres(), T, top)))))
    if base.projectile == "p":
        for made, (a, b) in {"pi0": ("pi+", "pi-"), "K0": ("K+", "K-")}.items():
            shares = _shares(a, row_sum(yields, a), b, row_sum(yields, b))
            out[made] = shares[a] * out[a] + shares[b] * out[b]
    else:
        out["pi0"] = np.sqrt(out["pi+"] * out["pi-"])
    return out


# Relative error of pi0 beyond that of charged pions: isospin of pions from eta and other decays.
PI0_ERROR: Final = {"p": 0.03, "pi+": 0.10}
# Width in ln(x/(1 - x)) of the groups in which closure moves yields.
GROUP_WIDTH: Final = 0.25


def freedom(ratio: DataRatio, base: BaseYields, yields: Array, T: float, top: float) -> Freedom:
    """Covariance of all yields at an energy, for the closure.

    Parameters
    ----------
    ratio : DataRatio
        Measurements over generator.
    base : BaseYields
        The generator's yields.
    yields : float[ROWS, bins]
        Mean numbers.
    T, top : float
        Kinetic energy, and the highest of the measurements, GeV.

    Returns
    -------
    Freedom
        Covariance of the yields.
    """
    x = base.centres()
    logit = np.log(x / (1.0 - np.minimum(x, 1.0 - 1e-6)))
    groups = np.clip(np.floor((logit + 12.0) / GROUP_WIDTH), 0, None).astype(np.int64)
    _, groups = np.unique(groups, return_inverse=True)
    middle = np.bincount(groups, np.log(x)) / np.bincount(groups)
    ln_T = float(np.log(min(T, top)))
    names = MEASURED[base.projectile]
    places = [(name, ln_T, np.log(_measured_x(name, base, np.exp(middle), T, top))) for name in names]
    plus, minus = row_sum(yields, "pi+"), row_sum(yields, "pi-")
    if base.projectile == "p":
        kaon, anti = row_sum(yields, "K+"), row_sum(yields, "K-")
        tied = {"pi0": _shares("pi+", plus, "pi-", minus), "K0": _shares("K+", kaon, "K-", anti)}
    else:
        half = np.full(x.size, 0.5)
        tied = {"pi0": {"pi+": half, "pi-": half}}
    return Freedom(names, groups, ratio.covariance(places), tied, {"pi0": PI0_ERROR[base.projectile]})


def _shares(a: str, first: Array, b: str, second: Array) -> dict[str, Array]:
    """Shares of two species in their sum, halves where there are none."""
    total = first + second
    share = np.where(total > 1e-9, first / np.maximum(total, 1e-12), 0.5)
    return {a: share, b: 1.0 - share}


def _measured_x(name: str, base: BaseYields, x: Array, T: float, top: float) -> Array:
    """x = E/E at which the ratio of a species is taken, of x = T_sec/T."""
    total = np.minimum(base.total_x(name, T, x), 1.0)
    if name in ("p", "n") and top < T:
        # Slow nucleons are fragments of the target: of the same energy, not of the same x.
        total = np.maximum(total, np.minimum(total * T / top, TARGET_X))
    return total


@dataclass(frozen=True)
class Made:
    """Tables of a projectile, with the closures and ratios that made them.

    Attributes
    ----------
    table : ProjectileYields
        For the file.
    closed : list of Closed
        At each node.
    ratio : DataRatio
        Measurements over generator.
    """

    table: ProjectileYields
    closed: list[Closed]
    ratio: DataRatio


def make_projectile(base: BaseYields, ratios: list[Ratios], priors: dict[str, Prior] | None = None) -> Made:
    """Multiply a generator's yields by the measurements' ratio to it, and close energy and baryon number.

    Parameters
    ----------
    base : BaseYields
        The generator's yields.
    ratios : list of Ratios
        The measurements.
    priors : dict of Prior, optional
        Those of `data_ratio.PRIORS` if not given.

    Returns
    -------
    Made
        The table.
    """
    ratio = DataRatio(ratios, priors)
    top = (PROTON_NODES_GEV if base.projectile == "p" else PION_NODES_GEV)[-1]
    T, closed = node_energies(base), []
    for one in T:
        yields = base.yields(one)
        changed = yields.copy()
        for name, factor in _factors(ratio, base, yields, one, top).items():
            for i in (ROWS.index(row) for row in (name, name + LEADING_SUFFIX) if row in ROWS):
                changed[i] *= factor
        _one_leading(changed, yields)
        free = freedom(ratio, base, changed, one, top)
        target = base.own_yields(one)
        closed.append(close(changed, target, base.centres(), one, free, base.projectile == "p"))
        _one_leading(closed[-1].yields, yields)
    nearest = [int(np.argmin(np.abs(np.log(base.content.T_GeV / one)))) for one in T]
    names = tuple(f"{base.content.sources[i]} with measurements" for i in nearest)
    return Made(_table(base, np.array([one.yields for one in closed]), T, names), closed, ratio)


def _one_leading(yields: Array, before: Array) -> None:
    """Move leading particles beyond the number there was to those that do not lead, in place."""
    leading = [i for i, row in enumerate(ROWS) if row.endswith(LEADING_SUFFIX)]
    for i in leading:
        excess = yields[i].sum() / max(before[i].sum(), 1e-300)
        if excess > 1.0:
            plain = ROWS.index(ROWS[i].removesuffix(LEADING_SUFFIX))
            yields[plain] += yields[i] * (1.0 - 1.0 / excess)
            yields[i] /= excess


def make_file(generator: YieldFile, options: Options, provenance: dict[str, Any]) -> tuple[YieldFile, dict[str, Made]]:
    """Make the content of the file of yields.

    Parameters
    ----------
    generator : YieldFile
        `urqmd-sibyll`.
    options : Options
        Choices.
    provenance : dict
        Added to what is recorded.

    Returns
    -------
    content : YieldFile
        Ready to be written.
    made : dict of Made
        By projectile, "p" and "pi+".
    """
    base = bases(generator, options)
    ratios = measured_ratios(generator, base, options)
    made = {name: make_projectile(base[name], ratios[name]) for name in base}
    content = YieldFile(
        name="accelerator",
        description=(
            "yields of NA61, NA49 and HARP on carbon carried to air, urqmd-sibyll where nothing is measured; "
            + ("scaling in x above the measurements" if options.above == SCALED else "its energy dependence above them")
        ),
        x_edges=generator.x_edges,
        s_edges=generator.s_edges,
        projectiles={**generator.projectiles, **{name: one.table for name, one in made.items()}},
        provenance={
            "created": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "target": "air; measurements on carbon carried by A^alpha(x), the generator on N14",
            "measurements": "NA61 31, 60, 158, 350 GeV/c; NA49 158 GeV/c; HARP 12 GeV/c (hadronic/reference)",
            "above_the_measurements": options.above,
            "harp": options.harp,
            "generator_sha256": generator.sha256,
            "generators": generator.provenance.get("generators", {}),
            **provenance,
        },
    )
    return content, made
