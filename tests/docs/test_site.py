"""The documentation as a site: tables, links, formulas, search and the API, in the pages that mkdocs builds.

The site is built once, strictly, into a folder of its own. Pages are read with the parser of the standard library.
"""

import importlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("mkdocs", reason="the extra docs is not installed")
pytest.importorskip("latex2mathml", reason="the extra docs is not installed")

ROOT = Path(__file__).resolve().parents[2]
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "embed": "src"}


class Page(HTMLParser):
    """What the tests need of a page: anchors, links, what it loads, and the text outside of code."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loads, self.text, self.open = set(), [], [], [], []
        self.math = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Remember anchors, links and loads; keep the stack of open elements."""
        attributes = dict(attrs)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if (
            tag in LOADING
            and attributes.get(LOADING[tag])
            and attributes.get("rel") not in ("canonical", "next", "prev")
        ):
            self.loads.append(attributes[LOADING[tag]])
        if "srcset" in attributes:
            self.loads.append(attributes["srcset"])
        self.math += tag == "math"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Close the element."""
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        """Keep text that a reader sees as prose."""
        if not {"pre", "code", "script", "style", "math", "svg"} & set(self.open):
            self.text.append(data)


def external(target):
    """Whether a browser would leave the folder of the site for a target."""
    return bool(urlsplit(target).scheme not in ("", "data") or urlsplit(target).netloc)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Parsed pages by their path in the site."""
    return {path.relative_to(site).as_posix(): Page(path.read_text()) for path in sorted(site.rglob("*.html"))}


def test_no_raw_markdown(pages):
    """Tables, links, emphasis and formulas were understood: no page shows their Markdown."""
    raw = {
        "table": r"^\s*\|.*\|\s*$|\|\s*:?---",
        "link": r"\[[^\]\n]+\]\([^)\s]+\)",
        "bold": r"\*\*\w",
        "fence": r"```",
        "formula": r"\\\(|\\\[|\$\$|\\frac",
        "role": r":(func|class|mod|meth|data|attr):",
    }
    wrong = []
    for name, page in pages.items():
        text = "".join(page.text)
        wrong += [(name, kind, m[0][:80]) for kind, form in raw.items() for m in re.finditer(form, text, re.M)]
    assert not wrong


def test_links_of_the_site(site, pages):
    """Every link inside the site has a file, and every anchor an element."""
    dead = []
    for name, page in pages.items():
        if name == "404.html":  # its links begin at the root of a server
            continue
        for link in page.links + page.loads:
            if external(link) or link.startswith("data:"):
                continue
            path, _, anchor = link.partition("#")
            target = (site / name).parent / unquote(path) if path else site / name
            target = Path(os.path.normpath(target))
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                dead.append((name, link))
            elif anchor and target.suffix == ".html":
                known = pages[target.relative_to(site).as_posix()].anchors
                dead += [(name, link)] * (unquote(anchor) not in known)
    assert not dead


def test_nothing_from_elsewhere(site, pages):
    """No page and no style sheet loads anything from another place."""
    assert {(name, load) for name, page in pages.items() for load in page.loads if external(load)} == set()
    for path in site.rglob("*.css"):
        urls = re.findall(r"url\(\s*[\"']?([^\"')]+)", path.read_text()) + re.findall(
            r"@import\s+([^;]+)", path.read_text()
        )
        assert not [url for url in urls if external(url)], path
    for path in [*site.glob("*.html"), *site.glob("*/*.html")]:
        text = path.read_text()
        assert "fonts.googleapis" not in text
        assert "unpkg" not in text
        assert "jsdelivr" not in text


def test_formulas(pages):
    """Formulas are MathML; as many as there are in the sources."""
    wanted = {"methods/field.html": 2, "methods/sampling.html": 1, "methods/interactions.html": 4}
    for name, number in wanted.items():
        assert pages[name].math >= number, name
    for path in sorted((ROOT / "docs").rglob("*.md")):
        blocks = len(re.findall(r"^\$\$$", path.read_text(), re.M)) // 2
        page = pages[path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()]
        assert page.math >= blocks, path


def test_formulas_are_whole(site):
    """MathML is well formed, and no command of TeX is left in it."""
    from xml.etree import ElementTree

    for path in sorted(site.rglob("*.html")):
        for formula in re.findall(r"<math.*?</math>", path.read_text(), re.S):
            root = ElementTree.fromstring(formula)
            assert not re.search(r"[\\&]", "".join(root.itertext())), path


def test_search_from_files(site, pages):
    """The index is a script, and every page has the worker that runs where pages are opened as files."""
    text = (site / "search" / "search_index.js").read_text()
    assert text.startswith("var __index = ")
    index = json.loads(text.removeprefix("var __index = "))
    assert any("Cutoff" in entry["title"] for entry in index["docs"])
    assert {entry["location"].partition("#")[0] for entry in index["docs"]} >= {
        "manual/python.html",
        "manual/glossary.html",
    }
    for name, page in pages.items():
        if name != "404.html":
            assert any(load.endswith("assets/iframe-worker.js") for load in page.loads), name
    assert (site / "assets" / "iframe-worker.js").is_file()


def test_home_page(site):
    """Six tiles, each with links to pages."""
    text = (site / "index.html").read_text()
    tiles = re.search(r'<div class="tiles">(.*?)</div>\s*</div>', text, re.S)[1].split("<h2")[1:]
    assert len(tiles) == 6
    assert all("href=" in tile.partition("</h2>")[2] for tile in tiles)


PUBLIC = [
    *(("sim3d", name) for name in importlib.import_module("sim3d").__all__),
    *(
        (package, name)
        for package in ("geomag", "atmosphere", "hadronic")
        for name in importlib.import_module(package).__all__
    ),
]


@pytest.mark.parametrize(("package", "name"), PUBLIC, ids=[f"{package}.{name}" for package, name in PUBLIC])
def test_api_page(pages, package, name):
    """Every public name is on the API page."""
    if name == "__version__":
        return
    anchors = pages["manual/api.html"].anchors
    owner = getattr(getattr(importlib.import_module(package), name), "__module__", None)
    assert {f"{owner}.{name}"} & anchors or any(anchor.endswith(f".{name}") for anchor in anchors)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Flux.flux",
            "Flux.integral",
            "HondaFluxService.get_flux",
            "get_flux_maps",
            "smooth_average",
            "smooth_azimuth",
        ),
        *("write_netcdf", "nusquids_state", "pair", "open_source", "merge_files", "reweight", "flux_ratio"),
        *("write_honda_tables", "world_cutoffs", "trace", "asymptotic_directions", "register_model"),
    ],
)
def test_api_page_has(pages, name):
    """Fluxes, services, smoothing, exports, comparison, merging, reweighting and geomagnetic functions are on it."""
    assert any(anchor.endswith(f".{name}") for anchor in pages["manual/api.html"].anchors)
