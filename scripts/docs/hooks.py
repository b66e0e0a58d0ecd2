"""Add README.md, CHANGELOG.md and CONTRIBUTING.md to the documentation site as pages, and adapt links to them.

Pages link to files by their place in the repository, so that the links also work where pages are read without the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PAGES = {name: name.lower() for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md") if (ROOT / name).is_file()}


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages that lie outside the folder docs.

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
        text = re.sub(r"\[([^\]]+)\]\((?:LICENSE|CITATION\.cff)\)", r"`\1`", text)
        for other, its_page in PAGES.items():
            text = text.replace(f"]({other}", f"]({its_page}")
        text = text.replace("#010---unreleased", "#010-unreleased")  # headings get other anchors than in the repository
        files.append(File.generated(config, page, content=text))
    return files


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
    up = "../" * page.file.src_uri.count("/")
    for name, target in PAGES.items():
        markdown = markdown.replace(f"]({up}../{name}", f"]({up}{target}")
    return markdown
