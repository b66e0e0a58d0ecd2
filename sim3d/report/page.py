"""Render the HTML page of ``sim3d report`` from the Jinja templates that ship with sim3d.

``templates/report.html`` is the page. ``templates/report_parts.html`` has its tables and pictures as macros, which
:data:`html` offers as functions (``html.table(head, rows)``). Autoescape is on: every text from a file or a user is
escaped. Only :class:`markupsafe.Markup`, which the macros return, goes into the page unescaped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_ENVIRONMENT = Environment(
    loader=PackageLoader("sim3d", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)

html: Any = _ENVIRONMENT.get_template("report_parts.html").module
"""Macros of the page's parts, each returns :class:`markupsafe.Markup`."""

FLAVOURS = {
    "numu": Markup("ν<sub>µ</sub>"),
    "numubar": Markup('<span class="over">ν</span><sub>µ</sub>'),
    "nue": Markup("ν<sub>e</sub>"),
    "nuebar": Markup('<span class="over">ν</span><sub>e</sub>'),
}
"""HTML symbols of the flavours."""


@dataclass(frozen=True)
class Section:
    """Chapter of the page: its anchor, its title and its HTML."""

    anchor: str
    title: str
    body: Markup


def join(pieces: Iterable[str]) -> Markup:
    """Join pieces of HTML, one below the other; what is not Markup is escaped.

    Parameters
    ----------
    pieces : iterable of str

    Returns
    -------
    Markup
    """
    return Markup("\n").join(pieces)


def picture(png: bytes, alt: str, caption: Any = "") -> Markup:
    """Embed a PNG in the page.

    Parameters
    ----------
    png : bytes
        The file's contents.
    alt : str
        Description for readers who do not see the picture.
    caption : str or Markup

    Returns
    -------
    Markup
    """
    # a PNG begins with its signature and the header's chunk, in which width and height are bytes 16 to 23
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    data = base64.b64encode(png).decode("ascii")
    figure: Markup = html.picture(data, width, height, alt, caption)
    return figure


def page(title: str, lead: Markup, sections: Sequence[Section], version: str) -> str:
    """Render the whole page.

    Parameters
    ----------
    title : str
    lead : Markup
        Text under the title.
    sections : sequence of Section
        In order; they are listed in the page's contents.
    version : str
        Version of sim3d.

    Returns
    -------
    str
        HTML.
    """
    template = _ENVIRONMENT.get_template("report.html")
    return template.render(title=title, lead=lead, sections=sections, version=version)
