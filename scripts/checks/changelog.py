"""Check the fragments in changelog.d/, or join them into CHANGELOG.md for a release.

    python scripts/checks/changelog.py --check
    python scripts/checks/changelog.py --release 0.2.0 2027-01-31

A fragment is a file ``NAME.KIND.md`` of one or more lines that begin with ``- ``; kinds are in KINDS. ``numbers`` is
for whatever changes a number of a run: it says which, by how much, and why.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "changelog.d"
CHANGELOG = ROOT / "CHANGELOG.md"
KINDS = ("numbers", "added", "changed", "fixed", "deprecated", "removed")


def problems(folder: Path = FOLDER) -> list[str]:
    """A line for each fragment that has another form than the one above."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name == "README.md":
            continue
        match = re.fullmatch(r"[a-z0-9-]+\.([a-z]+)\.md", path.name)
        if match is None or match[1] not in KINDS:
            found.append(f"{path.name}: the name must be NAME.KIND.md with a kind of {', '.join(KINDS)}")
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or not lines[0].startswith("- "):
            found.append(f"{path.name}: must begin with '- '")
        found += [
            f"{path.name}: line {i + 1} must begin with '- ' or two blanks"
            for i, line in enumerate(lines)
            if not line.startswith(("- ", "  "))
        ]
    return found


def section(version: str, date: str, folder: Path = FOLDER) -> str:
    """The changelog's section of a version, from the fragments."""
    lines = [f"## [{version}] - {date}", ""]
    for kind in KINDS:
        texts = [path.read_text(encoding="utf-8").rstrip() for path in sorted(folder.glob(f"*.{kind}.md"))]
        if texts:
            lines += [f"### {kind.capitalize()}", "", *texts, ""]
    return "\n".join(lines)


def released(text: str, version: str, date: str, folder: Path = FOLDER) -> str:
    """The changelog with a version's section on top; a section of it that is there as unreleased gets the date."""
    new = section(version, date, folder)
    first = text.index("\n## [") + 1
    heading = f"## [{version}] - unreleased\n"
    if not text.startswith(heading, first):
        return text[:first] + new + "\n" + text[first:]
    older = text[first + len(heading) :]
    end = older.find("\n## [") + 1 or len(older)
    older, rest = older[:end].strip("\n"), older[end:]
    lead, *parts = re.split(r"^### (\w+)\n+", older, flags=re.MULTILINE)
    entries = dict(zip(parts[::2], (one.strip("\n") for one in parts[1::2]), strict=True))
    _, *parts = re.split(r"^### (\w+)\n+", new, flags=re.MULTILINE)
    for kind, texts in zip(parts[::2], parts[1::2], strict=True):
        entries[kind] = "\n".join(filter(None, (entries.get(kind), texts.strip("\n"))))
    order = [kind.capitalize() for kind in KINDS]
    blocks = [f"### {kind}\n\n{entries[kind]}" for kind in sorted(entries, key=order.index)]
    body = "\n\n".join(filter(None, (f"## [{version}] - {date}", lead.strip("\n"), *blocks)))
    return text[:first] + body + "\n" + ("\n" + rest if rest else "")


def main() -> int:
    """Check or release; 1 if a fragment has a wrong form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--release", nargs=2, metavar=("VERSION", "DATE"))
    options = parser.parse_args()
    found = problems()
    for line in found:
        print(line)
    if found or not options.release:
        return int(bool(found))
    text = CHANGELOG.read_text(encoding="utf-8")
    CHANGELOG.write_text(released(text, *options.release), encoding="utf-8")
    for kind in KINDS:
        for path in FOLDER.glob(f"*.{kind}.md"):
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
