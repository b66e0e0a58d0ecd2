"""Write docs/developers/modules.md: every module of the packages with the first sentence of its docstring.

    python scripts/docs/make_module_map.py            write the page
    python scripts/docs/make_module_map.py --check    status 1 if the page is not what would be written

Nothing is imported; docstrings are read from the sources.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "developers" / "modules.md"
PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")
HEAD = """# All modules

Every module of the four packages, folder by folder, with the first sentence of its docstring. What a folder may
import, and the way of a primary through the folders, is in [architecture.md](architecture.md).

This page is written by `python scripts/docs/make_module_map.py`; do not edit it.
"""


def modules() -> list[Path]:
    """List all modules of the packages, relative to the root, in the order of the page.

    Returns
    -------
    list of Path
    """
    found: list[Path] = []
    for package in PACKAGES:
        paths = sorted(path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py"))
        found += sorted(paths, key=lambda path: (path.parts[:-1], path.name != "__init__.py", path.name))
    return found


def first_sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring in Markdown; empty without a docstring.

    Parameters
    ----------
    path : Path
        Relative to the root.

    Returns
    -------
    str
    """
    text = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    sentence = re.split(r"(?<!\bal)(?<!\be\.g)(?<!\bi\.e)\.\s+(?=[A-Z`:])", paragraph)[0].rstrip(".")
    sentence = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", sentence).replace("``", "`")
    return sentence.replace("|", r"\|")


def page() -> str:
    """Write the text of the page.

    Returns
    -------
    str
    """
    lines, folder = [HEAD.rstrip()], None
    for path in modules():
        if path.parent != folder:
            folder = path.parent
            lines.append(f"\n## `{folder.as_posix()}/`\n")
            lines.append("| Module | What it holds |\n|---|---|")
        lines.append(f"| `{path.as_posix()}` | {first_sentence(path)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or compare it with the existing one; return the exit status."""
    parser = argparse.ArgumentParser(description="Write docs/developers/modules.md, the list of all modules.")
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 if the page is out of date")
    text = page()
    if not parser.parse_args().check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is out of date: run python scripts/docs/make_module_map.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
