"""Hooks of mkdocs: pages that lie outside the folder docs, the notebook as a page, and formulas as MathML.

Pages link to files by their place in the repository, so that the links also work where pages are read without the site.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PAGES = {name: name.lower() for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md") if (ROOT / name).is_file()}
NOTEBOOKS = {"manual/quickstart.ipynb": "manual/quickstart.md"}


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages that lie outside the folder docs, and the notebooks.

    Parameters
    ----------
    files : Files
        Files of the site.
    config : MkDocsConfig

    Returns
    -------
    Files
    """
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        # links of the repository's root, seen from the folder docs; files that are no pages stay as names
        text = re.sub(r"\]\(docs/", "](", text)
        text = re.sub(r"\[([^\]]+)\]\((?:LICENSE|CITATION\.cff|changelog\.d/README\.md)\)", r"`\1`", text)
        for other, its_page in PAGES.items():
            text = text.replace(f"]({other}", f"]({its_page}")
        text = text.replace("#010---unreleased", "#010-unreleased")  # headings get other anchors than in the repository
        files.append(File.generated(config, page, content=text))
    for name, page in NOTEBOOKS.items():
        text = notebook_page((ROOT / "docs" / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    return files


def notebook_page(text: str) -> str:
    """Turn a notebook into a page: its text as it is, its code as blocks.

    Parameters
    ----------
    text : str
        The notebook, JSON of nbformat 4.

    Returns
    -------
    str
        Markdown.
    """
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        parts.append(f"```python\n{source}\n```" if cell["cell_type"] == "code" else source)
    return "\n\n".join(parts) + "\n"


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Point links at the pages that were added; a page in a folder reaches them by one ``../`` more.

    Parameters
    ----------
    markdown : str
        Text of the page.
    page : Page

    Returns
    -------
    str
    """
    folder = page.file.src_uri.rpartition("/")[0]
    up = "../" * page.file.src_uri.count("/")
    for name, target in PAGES.items():
        markdown = markdown.replace(f"]({up}../{name}", f"]({up}{target}")
    for name, target in NOTEBOOKS.items():
        for start in (f"{up}{name}", name.removeprefix(f"{folder}/")):
            markdown = markdown.replace(f"]({start})", f"]({start.removesuffix('ipynb')}{target.rpartition('.')[2]})")
    return markdown


def on_page_content(content: str, **_: Any) -> str:
    """Replace formulas by MathML, which browsers draw without a script.

    Parameters
    ----------
    content : str
        The page as HTML, with formulas as pymdownx.arithmatex leaves them.

    Returns
    -------
    str
    """
    content = re.sub(r":(?:func|class|mod|meth|data|attr|exc|obj):<code>~?", "<code>", content)  # of docstrings
    return re.sub(r'<(div|span) class="arithmatex">\\[\[(](.*?)\\[\])]</\1>', _mathml, content, flags=re.S)


def _mathml(match: re.Match[str]) -> str:
    block = match[1] == "div"
    return str(convert(html.unescape(match[2]).strip(), display="block" if block else "inline"))
