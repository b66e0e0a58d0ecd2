"""The manual is short and its sentences are, too: words and sentences of the pages behind the first four tiles.

Counted are the pages of the first four parts of the menu in mkdocs.yml, README.md and the notebook among them. The
references of commands, formats and functions are in other parts, or have no prose.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Get a table", "Python", "Cutoffs", "Clusters")
MOST_WORDS = 12_000
LONGEST_SENTENCE = 30
OUTSIDE = {"readme.md": "README.md", "manual/quickstart.md": "docs/manual/quickstart.ipynb"}


def parts_of_the_menu():
    """Pages of the menu by part."""
    text = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    parts = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"  - ([\w ]+):", line):
            pages = parts.setdefault(match[1], [])
        elif match := re.fullmatch(r" {4,}- [^:]+: (\S+\.md)", line):
            pages.append(match[1])
    return parts


def text_of(page):
    """Markdown of a page of the menu."""
    path = ROOT / OUTSIDE.get(page, f"docs/{page}")
    if path.suffix != ".ipynb":
        return path.read_text()
    cells = json.loads(path.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def prose(text):
    """The text without blocks of code and formulas, comments of HTML, pictures and targets of links."""
    for block in (r"^```.*?^```[ ]*$", r"^\$\$.*?^\$\$[ ]*$", r"<!--.*?-->"):
        text = re.sub(block, "\n\n", text, flags=re.M | re.S)
    text = re.sub(r"(?:^(?: {4,}|\t)[^\s:-].*\n?)+", "\n\n", text, flags=re.M)
    text = re.sub(r"^:::.*$", "", text, flags=re.M)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"<[^>]*>|^[|\s:-]+$", " ", text, flags=re.M)


def passages(text):
    """Paragraphs, entries of lists, headings and cells of tables, each on one line."""
    for block in re.split(r"\n\s*\n", text):
        lines = []
        for line in map(str.strip, block.splitlines()):
            if line.startswith("|"):
                yield from (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            elif re.match(r"([-*:]|\d+\.)\s|#", line):
                yield " ".join(lines)
                lines = [re.sub(r"^([-*:]|\d+\.|#+)\s+", "", line)]
            else:
                lines.append(line)
        yield " ".join(lines)


def sentences(text):
    """Sentences: they end in a full stop, a question mark or an exclamation mark; inline code is one word."""
    for passage in passages(prose(text)):
        words = re.sub(r"`[^`]*`", "Code", passage)
        yield from re.split(r"(?<=[.!?])[\"')*_]*\s+(?=[\"'(*_]*[A-Z0-9])", words)


MENU = parts_of_the_menu()
PAGES = [page for part in PARTS for page in MENU[part]]


def test_menu():
    """The parts are there, and the references are not among them."""
    assert all(MENU[part] for part in PARTS)
    assert not {"manual/cli.md", "manual/formats.md"} & set(PAGES)


def test_counting():
    """Code, formulas and link targets do not count; cells and entries of lists are passages of their own."""
    text = "# One two\n\nThree [four](five six.md), `seven eight`. Nine?\n\n    sim3d run\n\n```\nten\n```\n\n"
    text += "| a b | c |\n|---|---|\n"
    words = ["#", "One", "two", "Three", "four,", "`seven", "eight`.", "Nine?", "|", "a", "b", "|", "c", "|"]
    assert prose(text).split() == words
    found = [sentence for sentence in sentences(text) if sentence]
    assert found == ["One two", "Three four, Code.", "Nine?", "a b", "c"]


@pytest.mark.parametrize("page", PAGES)
def test_sentences(page):
    """No sentence is longer than thirty words."""
    long = [sentence for sentence in sentences(text_of(page)) if len(sentence.split()) > LONGEST_SENTENCE]
    assert not long


def test_words():
    """All pages together have at most 12,000 words."""
    words = {page: len(prose(text_of(page)).replace("|", " ").split()) for page in PAGES}
    assert sum(words.values()) <= MOST_WORDS, words
