"""The report in a real browser: no script errors, no missing picture, nothing wider than a phone, a screenshot.

A headless Chromium opens a copy of the page with a probe in it; what the probe found is read from the document that the
browser prints. Chromium is found on the PATH; without one these tests are skipped.
"""

import html
import json
import os
import re
import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest

from sim3d.plots.papers.plan import MapOptions
from sim3d.report import build as report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason=f"no headless browser on the PATH (looked for {', '.join(NAMES)})"),
]

PROBE = """<script>
const problems = [];
window.addEventListener("error", (event) => problems.push(String(event.message || event.target.outerHTML)), true);
window.addEventListener("securitypolicyviolation", (event) => problems.push("blocked: " + event.blockedURI));
window.addEventListener("load", () => {
  const images = Array.from(document.images);
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  parent.postMessage(JSON.stringify({
    problems: problems,
    images: images.length,
    missing: images.filter((one) => !one.complete || one.naturalWidth === 0).map((one) => one.alt),
    tooWide: images.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length,
    width: innerWidth,
    pageWidth: document.documentElement.scrollWidth,
    fetched: performance.getEntriesByType("resource").map((one) => one.name).filter((one) => !one.startsWith("data:")),
    letters: parseFloat(getComputedStyle(document.body).fontSize),
    background: getComputedStyle(document.body).backgroundColor,
  }), "*");
});
</script>"""

# A window is never narrower than 500 points, a frame may be; what a frame measures is told to the page around it.
FRAME = """<!DOCTYPE html><html><head><style>body { margin: 0 } iframe { border: 0; display: block }</style><script>
window.addEventListener("message", (event) => { document.body.dataset.probe = event.data; });
</script></head><body><iframe width="%d" height="%d" srcdoc="%s"></iframe></body></html>"""


def browse(folder, *arguments):
    """Run the browser without a window, with a profile of its own; its stdout and stderr."""
    command = [BROWSER, "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    command += ["--force-device-scale-factor=1", f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium refuses to be root inside its sandbox
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=900, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def page(tmp_path_factory, fake_result):

    folder = tmp_path_factory.mktemp("report")
    text, _ = report.build(fake_result(), folder / "run.h5", MapOptions(sky_cell_deg=45.0, step_GV=5.0))
    (folder / "report.html").write_text(text, encoding="utf-8")
    return folder, text


def probe(folder, text, width, *arguments):
    """What the probe found on the page in a frame of a width."""
    watched = re.sub(r"<meta http-equiv[^>]*>", "", text)
    assert watched != text
    watched = watched.replace("<head>", "<head>" + PROBE, 1)
    path = folder / "probed.html"
    path.write_text(FRAME % (width, 844, html.escape(watched, quote=True)), encoding="utf-8")
    dom, log = browse(folder, "--window-size=1300,900", *arguments, "--dump-dom", path.as_uri())
    found = json.loads(html.unescape(re.search(r'data-probe="([^"]*)"', dom).group(1)))
    return found | {"console": [line for line in log.splitlines() if "CONSOLE" in line]}


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_missing_or_too_wide(page, width):
    folder, text = page
    found = probe(folder, text, width)
    assert found["problems"] == found["console"] == []
    assert found["missing"] == []
    assert found["fetched"] == []
    assert found["images"] == text.count("<img ") > 10
    assert found["width"] == width
    assert found["tooWide"] == 0
    assert found["pageWidth"] <= width
    assert found["letters"] >= 15


def test_the_probe_sees_faults(page):
    folder, text = page
    first = text.index("base64,") + 7
    broken = text[:first] + "AAAA" + text[first + 400 :]
    broken = broken.replace("</main>", '<div style="width: 900px">wide</div><script>nothing.here()</script></main>')
    found = probe(folder, broken, 390)
    assert len(found["missing"]) == 1
    assert any("nothing is not defined" in problem for problem in found["problems"])
    assert len(found["console"]) == 1
    assert found["pageWidth"] > 900


def test_dark_screens_get_a_dark_page(page):
    folder, text = page
    assert probe(folder, text, 390)["background"] == "rgb(255, 255, 255)"
    dark = probe(folder, text, 390, "--blink-settings=preferredColorScheme=0")
    assert dark["background"] == "rgb(20, 24, 29)"


def test_the_page_itself_breaks_no_rule_of_its_own(page):
    folder, _ = page
    _, log = browse(folder, "--dump-dom", (folder / "report.html").as_uri())
    assert "Content Security Policy" not in log
    assert "CONSOLE" not in log


def coloured_rows(folder, text, size):
    """Rows of a screenshot with a strong colour, which pictures have and texts but for links have not."""
    path, target = folder / "shown.html", folder / "shown.png"
    path.write_text(text, encoding="utf-8")
    browse(folder, f"--window-size={size[0]},{size[1]}", f"--screenshot={target}", path.as_uri())
    pixels = matplotlib.image.imread(target)[..., :3]
    assert pixels.shape[:2] == (size[1], size[0])
    return (np.ptp(pixels, axis=-1) > 0.5).any(axis=1)


@pytest.mark.parametrize("size", [(390, 11000), (1280, 13000)])
def test_screenshot_shows_every_picture(page, size):
    folder, text = page
    shown = coloured_rows(folder, text, size)
    blank = coloured_rows(folder, re.sub(r'src="data:image/png[^"]*"', 'src="data:,"', text), size)
    pictures = text.count("<img ")
    # stretches of at least ten rows: each picture has one or more, lines of text have none
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shown.astype(int), [0]])))
    stretches = int((edges[1::2] - edges[::2] >= 10).sum())
    assert stretches >= pictures
    assert shown.sum() > 50 * pictures + blank.sum()


def test_it_prints(page):
    folder, _ = page
    target = folder / "page.pdf"
    browse(folder, f"--print-to-pdf={target}", "--no-pdf-header-footer", (folder / "report.html").as_uri())
    data = target.read_bytes()
    assert data.startswith(b"%PDF")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page/") > 3 or len(data) > 100_000
