"""Run the Python blocks of a page of the documentation, one after the other, in one namespace.

    python scripts/docs/run_page.py docs/manual/telescope.md -o DIR

Files that the blocks write are in DIR.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any


def blocks(page: Path) -> list[str]:
    """Return the Python blocks of a page, in their order."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def run(
    page: Path, folder: Path, changes: dict[str, str] | None = None, given: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Run the blocks of a page in a folder, with texts in them changed and names given, and return their names."""
    codes = blocks(page)
    for old, new in (changes or {}).items():
        if not any(old in code for code in codes):
            raise ValueError(f"{page}: no block has {old!r}")
        codes = [code.replace(old, new) for code in codes]
    names: dict[str, Any] = {"__name__": "page", **(given or {})}
    before = Path.cwd()
    os.chdir(folder)
    try:
        for i, code in enumerate(codes, 1):
            exec(compile(code, f"{page.name}, block {i}", "exec"), names)
    finally:
        os.chdir(before)
    return names


def main() -> None:
    """Read the command line and run the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path())
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    run(options.page.resolve(), options.output)


if __name__ == "__main__":
    main()
