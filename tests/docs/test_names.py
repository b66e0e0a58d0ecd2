"""What the documentation names exists: files, commands, options, keys of the configuration, Python names, modules.

Checked are README.md, CONTRIBUTING.md, docs/, the READMEs of folders, the comments of examples, and the docstrings of
the packages.
"""

import ast
import importlib
import importlib.util
import inspect
import re
import textwrap
import tomllib
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from sim3d.cli import COMMANDS, cli
from sim3d.config.load import load_config, make_config
from sim3d.config.schema import Config
from sim3d.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")
FOLDERS = (*PACKAGES, "scripts", "tests", "docs", "examples", "benchmarks")
SUFFIXES = "py|pyi|md|toml|csv|sh|json|png|html|yml"
ARCHITECTURE = ROOT / "docs" / "developers" / "architecture.md"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md") if (ROOT / name).is_file()),
    *sorted(ROOT.glob("docs/**/*.md")),
    *(ROOT / folder / "README.md" for folder in ("scripts", "benchmarks", "output")),
]
SOURCES = sorted(
    path
    for folder in FOLDERS
    for pattern in ("*.py", "*.toml", "*.sh")
    for path in (ROOT / folder).rglob(pattern)
    if "__pycache__" not in path.parts
)
# Options of other programs that pages name: mpirun, sbatch, qsub, pip, pytest, h5diff, git.
FOREIGN_OPTIONS = {
    *("--bind-to", "--map-by", "--oversubscribe", "--parsable", "--array", "--dependency", "--export"),
    *("--no-binary", "--exclude-path", "--help", "--version"),
}


def relative(path):
    return path.relative_to(ROOT).as_posix()


def of_pages(pages=PAGES):
    """Pages as parameters of a test; architecture.md describes the rooms and is checked where there are rooms."""
    rooms = (ROOT / "sim3d" / "shower").is_dir()
    skip = pytest.mark.skipif(not rooms, reason="the page describes the rooms of sim3d")
    return [pytest.param(path, id=relative(path), marks=[skip] if path == ARCHITECTURE else []) for path in pages]


def blocks(text):
    """Fenced blocks as pairs of language and code, and indented blocks with the language ""."""
    found = [(match[1], match[2]) for match in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)]
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    found += [("", textwrap.dedent(match[0])) for match in re.finditer(r"(?:^ {4,}\S.*\n?)+", rest, re.M)]
    return found


def inline(text):
    """Words in backquotes outside blocks."""
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", rest)


def code_lines(text):
    """Lines of blocks and words in backquotes; lines that end in a backslash are joined."""
    lines = [line for _, block in blocks(text) for line in block.replace("\\\n", " ").splitlines()]
    return lines + inline(text)


# ---- files


def exists(name, base):
    """Whether a path, with * as in a shell, is in the checkout, seen from the root or from the page's folder."""
    for folder in (ROOT, base):
        if "*" in name:
            if next(folder.glob(name), None):
                return True
        elif (folder / name).exists():
            return True
    return False


def paths_in(text):
    """Paths that begin with a folder of the repository and end in a known suffix or a slash."""
    pattern = rf"(?<![\w/.~-])(?:{'|'.join(FOLDERS)})/(?:[\w.*-]+/)*(?:[\w*-]+\.(?:{SUFFIXES})\b|(?=[`\s,;)]))"
    return {match[0] for match in re.finditer(pattern, text)}


def made_by_the_reader(text):
    """Files that a page tells the reader to write."""
    return set(re.findall(r"Write `([\w/.]+\.py)`:", text))


@pytest.mark.parametrize("page", of_pages())
def test_files(page):
    """Every path and every Python file that a page names is in the checkout."""
    text = page.read_text()
    named = paths_in(text)
    words = {word for word in inline(text) if re.fullmatch(rf"[\w-]+(?:/[\w.*-]+)*/[\w*-]+\.(?:{SUFFIXES})", word)}
    named |= {word for word in words if (page.parent / word.split("/")[0]).is_dir()}
    missing = {name for name in named if not exists(name, page.parent)}
    files = {path.name for path in SOURCES}
    missing |= {word for word in inline(text) if re.fullmatch(r"\w+\.py", word) and word not in files}
    missing -= made_by_the_reader(text)
    assert not missing


def test_files_in_sources():
    """So is every page, script, example and test that sources name, in comments, docstrings and messages."""
    missing = {}
    for source in SOURCES:
        if source in (
            Path(__file__).resolve(),
            ROOT / "tests" / "checks" / "test_checks.py",
        ):  # names made up on purpose
            continue
        for name in paths_in(source.read_text()):
            if re.match(r"(docs|scripts|examples|tests|benchmarks)/.*\.\w+$", name) and not exists(name, ROOT):
                missing.setdefault(relative(source), set()).add(name)
    assert not missing


# ---- commands and options


def options_in(text):
    """Options on a line; three spaces begin a remark."""
    return re.findall(r"(?<![\w.-])--?[a-zA-Z][\w-]*", re.sub(r"[][()]", "", text).split("   ")[0])


def commands_in(text):
    """Pairs of command and the options that follow it, of every line ``sim3d COMMAND ...`` of a shell."""
    shell = [block.replace("\\\n", " ") for language, block in blocks(text) if language in ("", "bash")]
    for line in [line for block in shell for line in block.splitlines()] + inline(text):
        for match in re.finditer(r"(?:^|[|&;] *|^mpirun [^|&;]*|/bin/) *sim3d ([a-z][a-z-]*)\b([^#&;>]*)", line):
            yield match[1], options_in(match[2])


def options_of(name):
    """All spellings of the options of a command."""
    command = cli.get_command(click.Context(cli), name)
    given = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    return {"-h", "--help"}.union(*(parameter.opts + parameter.secondary_opts for parameter in given))


def script_options(path):
    """Options that a script adds to its parser."""
    return set(re.findall(r'"(--?[a-zA-Z][\w-]*)"', path.read_text())) | {"-h", "--help"}


@pytest.mark.parametrize("page", of_pages())
def test_commands(page):
    """Commands of sim3d exist and have the options that pages give them; so do scripts."""
    wrong = []
    text = page.read_text()
    for name, options in commands_in(text):
        if name not in COMMANDS:
            wrong.append(f"sim3d {name}")
            continue
        wrong += [f"sim3d {name} {option}" for option in options if option not in options_of(name)]
    for line in code_lines(text):
        for match in re.finditer(r"((?:scripts|benchmarks)/[\w/]+\.py)\b([^#|&;>]*)", line):
            path = ROOT / match[1]
            options = options_in(match[2])
            wrong += [f"{match[1]} {o}" for o in options if path.is_file() and o not in script_options(path)]
    assert not wrong


@pytest.mark.parametrize("page", of_pages())
def test_options(page):
    """An option that a page names alone, in backquotes, is one of a command, of a script or of a known program."""
    known = set(FOREIGN_OPTIONS).union(*(options_of(name) for name in COMMANDS))
    for folder in ("scripts", "benchmarks"):
        known = known.union(*(script_options(path) for path in (ROOT / folder).rglob("*.py")))
    named = {word.split()[0].split("=")[0] for word in inline(page.read_text()) if word.startswith("--")}
    assert named <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_command_page(name):
    """The page of commands has every command with all its options."""
    text = (ROOT / "docs" / "manual" / "cli.md").read_text()
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert section
    command = cli.get_command(click.Context(cli), name)
    spellings = [one.opts for one in command.params if one.param_type_name == "option" and one.name != "as_json"]
    named = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", section[1]))
    missing = [opts for opts in spellings if not named & set(opts)]
    assert not missing


# ---- keys of the configuration


def models_of(annotation):
    """Tables in an annotation such as ``tuple[SiteTable, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_of(part)]


def keys_of(table):
    """Keys of a table such as ``scoring.variations``; None where there is none, () where any key may stand."""
    model = Config
    for part in table.split("."):
        if part not in model.model_fields:
            return None
        inner = models_of(model.model_fields[part].annotation)
        if not inner:
            return ()
        model = inner[0]
    return tuple(model.model_fields)


TABLES = "|".join(Config.model_fields)


def keys_in(text):
    """Triples of table, key and value (as written, or None) that words in backquotes name."""
    for word in inline(text):
        match = re.fullmatch(r"\[+([\w.]+)\]+(?: (\w+))?(?: = (.+))?", word)
        if match and match[1].split(".")[0] in Config.model_fields:
            yield match[1], match[2], match[3]
        match = re.fullmatch(rf"((?:{TABLES})(?:\.variations)?)\.(\w+)(?: = (.+))?", word)
        if match and match[2] not in (*SUFFIXES.split("|"), "h5"):
            yield match.groups()


@pytest.mark.parametrize("page", of_pages())
def test_keys(page):
    """Keys of the configuration exist, and their values are allowed."""
    text = page.read_text()
    wrong = []
    for language, block in blocks(text):
        if language == "toml":
            data = tomllib.loads(block)
            try:
                make_config({"sites": [{"name": "kamioka"}]} | data)
            except InputError as problem:
                wrong.append(str(problem))
    for table, key, value in keys_in(text):
        known = keys_of(table)
        if known is None or (key and known and key not in known):
            # a table and a package may have one name: atmosphere.msis is a module
            if not (table in PACKAGES and value is None and resolves(f"{table}.{key}")):
                wrong.append(f"{table}.{key}")
            continue
        if key and value and known and "." not in table and table != "sites":
            try:
                given = tomllib.loads(f"value = {value}")["value"]
            except tomllib.TOMLDecodeError:
                continue  # words, such as "true or false"
            try:
                make_config({"sites": [{"name": "kamioka"}], table: {key: given}})
            except InputError as problem:
                if str(problem).startswith(f"{table}.{key}: ") and "must be one of" in str(problem):
                    wrong.append(str(problem))
    assert not wrong


def test_configuration_page():
    """The page of the configuration lists exactly the keys that there are."""
    text = (ROOT / "docs" / "manual" / "configuration.md").read_text()
    listed = {}
    for heading, body in re.findall(r"^##+ `\[+([\w.]+)\]+`\n(.*?)(?=^##|\Z)", text, re.M | re.S):
        cells = re.findall(r"^\| (`[^|]+`) \|", body, re.M)
        listed[heading] = {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}
    assert set(Config.model_fields) == {table for table in listed if "." not in table}
    assert "scoring.variations" in listed
    for table, keys in listed.items():
        if keys_of(table):
            assert keys == set(keys_of(table)) - {"variations"}, table


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*.toml")), ids=lambda path: path.name)
def test_examples(path):
    """Examples are valid, commands in their comments exist, and so do keys that are commented out."""
    load_config(path)
    table = ""
    for line in path.read_text().splitlines():
        if match := re.match(r"\[+([\w.]+)\]+", line):
            table = match[1]
        if table and (match := re.match(r"# (\w+) = ", line)):
            assert match[1] in keys_of(table), line
        for match in re.finditer(r"sim3d ([a-z]+) (?=.*\.(?:toml|h5))([^`]*)", line if line.startswith("#") else ""):
            assert match[1] in COMMANDS, line
            options = options_in(match[2])
            assert set(options) <= options_of(match[1]), line


# ---- Python names


def resolves(name):
    """Whether a dotted name is a module, or something in one; attributes of instances count if a class sets them."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        return has(found, parts[n:])
    return False


def has(owner, parts):
    for part in parts:
        if not hasattr(owner, part):
            if not inspect.isclass(owner):
                return False
            fields = {field for base in owner.__mro__ for field in getattr(base, "__annotations__", {})}
            try:
                return part in fields or re.search(rf"self\.{part}\b", inspect.getsource(owner)) is not None
            except (OSError, TypeError):
                return False
        owner = getattr(owner, part)
    return True


@pytest.mark.parametrize("page", of_pages())
def test_python_names(page):
    """Dotted names of the packages, imports in examples, and members of a result exist."""
    from sim3d.results.result import Result

    text = page.read_text()
    names = set(re.findall(r"^::: (\S+)", text, re.M))
    dotted = rf"(?<![\w./-])((?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+)(?![\w/])"
    for word in inline(text):
        match = re.match(dotted, word)
        if match and match[1].split(".")[0] in Config.model_fields and keys_of(match[1].split(".")[0]):
            table, key = match[1].split(".")[:2]
            if key in keys_of(table):
                continue  # a key of the configuration
        if match and not re.search(rf"\.(?:{SUFFIXES}|h5|nc|d|part)$", match[1]):
            names.add(match[1])
    for language, block in blocks(text):
        if language == "python":
            names |= {f"sim3d.{member}" for member in re.findall(r"\bsim3d\.(\w+)\(", block)}
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in PACKAGES:
                    names |= {f"{node.module}.{alias.name}" for alias in node.names}
            missing = {member for member in re.findall(r"\bresult\.(\w+)", block) if not has(Result, [member])}
            assert not missing
        elif language == "":
            for module, imported in re.findall(r"^ *from ([\w.]+) import ([\w, ]+)", block, re.M):
                if module.split(".")[0] in PACKAGES:
                    names |= {f"{module}.{part.split(' as ')[0].strip()}" for part in imported.split(",")}
    to_be_made = tuple(path.removesuffix(".py").replace("/", ".") for path in made_by_the_reader(text))
    missing = {name for name in names if not resolves(name) and not name.startswith(to_be_made)}
    assert not missing


def source_modules():
    return [path for path in SOURCES if path.suffix == ".py" and relative(path).split("/")[0] in PACKAGES]


@pytest.mark.parametrize("package", PACKAGES)
def test_cross_references(package):
    """Targets of ``:func:``, ``:mod:`` and so on in docstrings and comments exist."""
    dead = []
    for path in source_modules():
        if relative(path).split("/")[0] != package:
            continue
        name = relative(path)[: -len(".py")].replace("/", ".").removesuffix(".__init__")
        module = importlib.import_module(name)
        classes = [value for value in vars(module).values() if inspect.isclass(value)]
        text = path.read_text()
        targets = re.findall(r":(?:func|mod|class|meth|data|attr|exc|obj):`~?([\w.]+)`", text)
        targets += re.findall(rf"(?<![:~])`((?:{'|'.join(PACKAGES)})\.[\w.]*[a-zA-Z]\w*)`", text)
        for target in targets:
            if resolves(target) or has(module, target.split(".")):
                continue
            if not any(has(owner, target.split(".")) for owner in classes):
                dead.append(f"{name}: {target}")
    assert not dead


# ---- the list of modules


def test_modules_page():
    """docs/developers/modules.md has every module, as scripts/docs/make_module_map.py writes it."""
    path = ROOT / "scripts" / "docs" / "make_module_map.py"
    spec = importlib.util.spec_from_file_location("make_module_map", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = script.PAGE.read_text()
    assert [
        relative(path) for path in source_modules() if path.suffix == ".py" and f"`{relative(path)}`" not in text
    ] == []
    assert all(script.first_sentence(path) for path in script.modules())
    assert text == script.page(), "run python scripts/docs/make_module_map.py"
