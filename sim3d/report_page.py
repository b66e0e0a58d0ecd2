"""HTML by hand: tables, pictures and the page of ``sim3d report``.

Every text that comes from a file or a user goes through :func:`escape`; what is already HTML is of type :class:`Html`.
"""

from __future__ import annotations

import base64
import html
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any


class Html(str):
    """Text that is HTML and is not escaped again."""


FLAVOURS = {
    "numu": Html("ν<sub>µ</sub>"),
    "numubar": Html('<span class="over">ν</span><sub>µ</sub>'),
    "nue": Html("ν<sub>e</sub>"),
    "nuebar": Html('<span class="over">ν</span><sub>e</sub>'),
}


@dataclass(frozen=True)
class Section:
    """A chapter of the page: its anchor, its title and its HTML."""

    anchor: str
    title: str
    body: Html


def escape(value: Any) -> Html:
    """HTML of a plain value; HTML stays as it is."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def join(parts: Iterable[str]) -> Html:
    """Several pieces of HTML one below the other."""
    return Html("\n".join(parts))


def paragraph(text: Any, kind: str = "") -> Html:
    """A paragraph, of a CSS class if one is named."""
    return Html(f"<p{_class(kind)}>{escape(text)}</p>")


def heading(text: Any) -> Html:
    """A heading inside a section."""
    return Html(f"<h3>{escape(text)}</h3>")


def warning(title: str, lines: Sequence[str]) -> Html:
    """A box with what a reader should know first; nothing without lines."""
    if not lines:
        return Html("")
    points = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return Html(f'<div class="warn" role="note"><strong>{escape(title)}</strong><ul>{points}</ul></div>')


def facts(values: Mapping[str, Any]) -> Html:
    """Short facts side by side."""
    cells = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in values.items())
    return Html(f'<dl class="facts">{cells}</dl>')


def table(head: Sequence[Any], rows: Iterable[Sequence[Any]], caption: str = "", text_columns: int = 1) -> Html:
    """A table that scrolls sideways where it does not fit.

    Parameters
    ----------
    head : sequence
        Titles of the columns.
    rows : iterable of sequences
        The first cell of each is its heading.
    caption : str
    text_columns : int
        So many columns, from the left, are text; the others are numbers and stand to the right.
    """

    def kind(column: int) -> str:
        return _class("text" if column < text_columns else "number")

    # two columns of text: the right one may break anywhere, as a checksum must on a phone
    pairs = _class("pairs" if len(head) == text_columns == 2 else "")
    label = f' aria-label="{html.escape(caption, quote=True)}"' if caption else ""
    # not a <caption>: that would be as wide as the table and scroll away with it
    lines = [paragraph(caption, "note")] if caption else []
    lines.append(Html(f'<div class="wide"><table{pairs}{label}>'))
    titles = "".join(f'<th scope="col"{kind(i)}>{escape(cell)}</th>' for i, cell in enumerate(head))
    lines.append(Html(f"<thead><tr>{titles}</tr></thead><tbody>"))
    for row in rows:
        first, *rest = row
        cells = "".join(f"<td{kind(i)}>{escape(cell)}</td>" for i, cell in enumerate(rest, start=1))
        lines.append(Html(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'))
    lines.append(Html("</tbody></table></div>"))
    return join(lines)


def picture(png: bytes, alt: str, caption: Any = "") -> Html:
    """A picture inside the page, with words for those who do not see it."""
    data = base64.b64encode(png).decode("ascii")
    # width and height keep the page from jumping while pictures are decoded
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    text = html.escape(alt, quote=True)
    lines = [f'<figure><img src="data:image/png;base64,{data}" alt="{text}" width="{width}" height="{height}">']
    if caption:
        lines.append(f"<figcaption>{escape(caption)}</figcaption>")
    return Html("\n".join([*lines, "</figure>"]))


def folded(title: str, body: str) -> Html:
    """Details that open on a click, without a script."""
    return Html(f"<details><summary>{escape(title)}</summary>{body}</details>")


def preformatted(text: str) -> Html:
    """Text as it is."""
    return Html(f"<pre>{escape(text)}</pre>")


def page(title: str, lead: Html, sections: Sequence[Section], version: str) -> str:
    """The whole page, from the template that ships with sim3d."""
    source = (resources.files("sim3d") / "templates" / "report.html").read_text(encoding="utf-8")
    contents = "".join(f'<li><a href="#{one.anchor}">{escape(one.title)}</a></li>' for one in sections)
    bodies = "\n".join(
        f'<section id="{one.anchor}"><h2>{escape(one.title)}</h2>\n{one.body}\n</section>' for one in sections
    )
    return string.Template(source).substitute(
        title=escape(title),
        lead=lead,
        contents=f"<ul>{contents}</ul>",
        sections=bodies,
        version=escape(version),
    )


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
