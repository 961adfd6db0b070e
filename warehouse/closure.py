"""What code is made of: the files of ours that a module may run or read, found by following its
imports inside its own package.

A reader's version, and the simulator's, is a hash over these files. They are found, not listed: a
list kept by hand forgets the function that somebody imports next, and a changed reader then goes on
serving stale rows.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path


def version_of(modules: Iterable[str]) -> str:
    """Eight hex digits over the names and bytes of all files that the modules may run or read."""
    digest = hashlib.sha256()
    files = {file for module in modules for file in files_of(module)}
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


@cache
def files_of(module: str) -> frozenset[Path]:
    """The module's file, those of the modules it leads to inside its package, and the data files
    that these name.

    A data file is named by a constant of its module that is a Path (or a tuple of them); a folder
    stands for the csv files in it. A package's `__init__` counts where something is imported from
    it that is no module.
    """
    files: set[Path] = set()
    for name in modules_of(module):
        loaded = importlib.import_module(name)
        assert loaded.__file__ is not None
        files.add(Path(loaded.__file__))
        files.update(_data_files(vars(loaded).values()))
    return frozenset(files)


@cache
def modules_of(module: str) -> frozenset[str]:
    """The module and every module of its package that it imports, directly or through others, at
    whatever depth of its code.
    """
    return _led_to([module])


def modules_of_code(code: str, package: str) -> frozenset[str]:
    """Every module of a package that a piece of code imports, directly or through others, with the
    packages that they lie in, which Python runs first.
    """
    modules = _led_to(_named_in(ast.parse(code), "", package))
    above = {name.rsplit(".", depth)[0] for name in modules for depth in range(name.count(".") + 1)}
    return modules | above


def source_file(module: str) -> Path:
    """The file of a module, found without running it."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {module!r}")
    return Path(spec.origin)


def _led_to(modules: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_imports(name))
    return frozenset(found)


@cache
def _imports(module: str) -> frozenset[str]:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return frozenset()
    source = Path(spec.origin).read_bytes()
    parent = module if spec.submodule_search_locations is not None else module.rpartition(".")[0]
    return _named_in(ast.parse(source), parent, module.split(".")[0])


def _named_in(tree: ast.AST, parent: str, package: str) -> frozenset[str]:
    """The modules of a package that the import statements of a tree run."""
    return frozenset(
        name
        for node in ast.walk(tree)
        for name in _names(node, parent, package)
        if name.split(".")[0] == package
    )


def _names(node: ast.AST, parent: str, package: str) -> Iterator[str]:
    """The modules that an import statement runs."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = parent.rsplit(".", node.level - 1)[0] if node.level else ""
        base = ".".join(part for part in (above, node.module) if part)
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            is_ours = base.split(".")[0] == package
            yield inner if is_ours and _is_module(inner) else base


@cache
def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False  # its parent is a module, not a package


def _data_files(values: Iterable[object]) -> Iterator[Path]:
    for value in values:
        for path in value if isinstance(value, tuple) else (value,):
            if isinstance(path, Path):
                yield from sorted(path.glob("*.csv")) if path.is_dir() else [path]
