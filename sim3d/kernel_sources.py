"""Find the source files that compiled kernels depend on, by parsing the sources (nothing is imported).

A kernel depends on its own file and on every file that defines a name used in it: functions, and constants, which numba
compiles into the code by value. Names are traced through imports and through the definitions of constants. Names that
only ordinary functions use are not traced. So a file with kernels may import the reader of result files without making
its kernels depend on that reader.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Modules whose decorators make no kernels.
_PLAIN_DECORATORS = frozenset(
    {"abc", "builtins", "click", "contextlib", "dataclasses", "enum", "functools", "pydantic", "typing"}
)
_COMPILERS = ("numba", "llvmlite")


@dataclass
class _Module:
    """Imports, definitions and kernels of one source file.

    Attributes
    ----------
    imports : dict
        Local name -> (module, name in it); the name is None if the module itself is imported.
    definitions : dict
        Top-level name -> the statements that define it.
    always : list
        Statements that have an effect at import or make kernels; their names are always traced.
    makes_kernels : bool
        Whether numba compiles anything in it.
    """

    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    always: list[ast.stmt] = field(default_factory=list)
    makes_kernels: bool = False


def module_files(folders: Mapping[str, Path]) -> dict[str, Path]:
    """List the source files of packages.

    Parameters
    ----------
    folders : dict of pathlib.Path
        Folder of each package, by its name.

    Returns
    -------
    dict of pathlib.Path
        File of each module by its dotted name, subpackages included; the file of a package is its ``__init__.py``.
    """
    files = {}
    for package, folder in folders.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            files[".".join((package, *parts))] = path
    return files


def kernel_files(files: Mapping[str, Path]) -> dict[str, Path]:
    """Select the files that hold kernels, and those that kernels depend on.

    Parameters
    ----------
    files : dict of pathlib.Path
        Files of all modules, from :func:`module_files`.

    Returns
    -------
    dict of pathlib.Path
        The selected files, in the order of the modules' names.
    """
    modules: dict[str, _Module] = {}

    def module(name: str) -> _Module:
        if name not in modules:
            modules[name] = _read(ast.parse(files[name].read_bytes()), files)
        return modules[name]

    waiting: list[tuple[str, str | None]] = []
    for name, path in files.items():
        if any(word.encode() in path.read_bytes() for word in _COMPILERS) and module(name).makes_kernels:
            waiting.append((name, None))
    seen: set[tuple[str, str | None]] = set()
    used: set[str] = set()
    while waiting:
        name, wanted = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += ((name, one) for one in _names(module(name).always))
        if wanted is None or (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        own = module(name)
        waiting += ((name, one) for one in _names(own.definitions.get(wanted, ())))
        if wanted in own.imports:
            source, attribute = own.imports[wanted]
            if source in files:
                # a module that is imported as a whole may be used by any of its names
                everything = (*module(source).definitions, *module(source).imports)
                waiting += ((source, one) for one in ((attribute,) if attribute else everything))
                waiting.append((source, None))
    return {name: files[name] for name in sorted(used)}


def _read(tree: ast.Module, files: Mapping[str, Path]) -> _Module:
    """Collect the imports, definitions and statements to trace of one module."""
    found = _Module()
    statements = list(_statements(tree.body))
    for node in statements:
        if isinstance(node, ast.Import):
            for alias in node.names:
                # `import a.b` binds a, and any name of a.b may be used through it
                local = alias.asname or alias.name.split(".")[0]
                found.imports[local] = (alias.name, None)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                whole = inner in files
                found.imports[alias.asname or alias.name] = (inner, None) if whole else (node.module, alias.name)
    for node in statements:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        compiles = _compiles(node, found.imports)
        found.makes_kernels |= compiles
        targets = list(_targets(node))
        for name in targets:
            found.definitions.setdefault(name, []).append(node)
        if compiles or not targets:
            found.always.append(node)
    return found


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported, without those for type checkers only."""
    for node in body:
        if isinstance(node, ast.If):
            checking = "TYPE_CHECKING" in ast.unparse(node.test)
            yield from _statements(node.orelse if checking else [*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            handlers = [statement for handler in node.handlers for statement in handler.body]
            yield from _statements([*node.body, *handlers, *node.orelse, *node.finalbody])
        else:
            yield node


def _targets(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            for one in ast.walk(target):
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                    yield one.id


def _compiles(node: ast.stmt, imports: Mapping[str, tuple[str, str | None]]) -> bool:
    """Test whether numba compiles something in a statement, by a decorator or by a call at the top level."""

    def from_compiler(expression: ast.AST) -> bool:
        names = (one.id for one in ast.walk(expression) if isinstance(one, ast.Name))
        return any(imports.get(name, ("", None))[0].split(".")[0] in _COMPILERS for name in names)

    def plain(decorator: ast.expr) -> bool:
        root: ast.expr = decorator
        while isinstance(root, ast.Call | ast.Attribute):
            root = root.func if isinstance(root, ast.Call) else root.value
        source = imports.get(root.id, ("builtins", None))[0] if isinstance(root, ast.Name) else "builtins"
        return source.split(".")[0] in _PLAIN_DECORATORS

    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        definitions = (one for one in ast.walk(node) if isinstance(one, ast.FunctionDef | ast.ClassDef))
        return any(not plain(decorator) for one in definitions for decorator in one.decorator_list)
    return any(isinstance(one, ast.Call) and from_compiler(one.func) for one in ast.walk(node))


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    """Collect all names in statements, except in the argument `cache` of decorators, which changes no code."""
    found = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif not (isinstance(node, ast.keyword) and node.arg == "cache"):
            waiting += ast.iter_child_nodes(node)
    return found
