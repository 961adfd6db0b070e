"""dbt's graph as nodes whose code has a digest, read from the manifest that dbt writes after it has
compiled.

Compiled code shows what a variable, a macro or the graph came to, so nothing has to be attributed
to the models that use it. What compiled code does not show is told apart here: a macro that
changes how dbt itself works, code that asks the database or the world outside, Python's imports.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flows.refresh.record import Node, digest, digest_of_files
from warehouse import closure

LAKE = "<lake>"
LAKE_TABLE = re.compile(rf"{LAKE}/(\w+)/\*\.parquet'")
# Jinja whose outcome depends on what is in the database while it is compiled.
ASKS = re.compile(
    r"adapter\.(?!dispatch\b)|\brun_query\b|\bstatement\b|\bis_incremental\b"
    r"|\b(load|list|check|get)_\w*(result|relation|schema|column)\w*\s*\("
)
# SQL whose outcome depends on more than the tables that it names.
VOLATILE = re.compile(
    r"\b(random|uuid\w*|gen_random_uuid|setseed|now|today|getenv|current_setting|nextval"
    r"|transaction_timestamp|get_current_timestamp|read_\w+|parquet_scan|glob|query|query_table)"
    r"\s*\(|\bcurrent_(date|time|timestamp)\b|\b(?<!distinct\s)(from|join)\s+'",
    re.IGNORECASE,
)
SKIPPED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
QUALIFIED = re.compile(r"\b(\w+\.\w+)\b")
# Modules by which a Python model could see more than its arguments.
OUTSIDE = {
    "os", "sys", "io", "pathlib", "glob", "random", "secrets", "uuid", "datetime", "socket",
    "subprocess", "importlib", "requests", "urllib", "duckdb", "tempfile", "shutil", "platform",
}  # fmt: skip
OPENS = {"open", "exec", "eval", "__import__", "compile", "globals", "vars"}
DESCRIBED = ("resource_type", "language", "columns", "description", "config", "constraints",
             "contract", "access", "primary_key", "latest_version", "version")  # fmt: skip
PACKAGE, MEASURES = "analysis", "analysis.measures"


def nodes_of(manifest: Mapping[str, Any], lake: str, project: Path) -> dict[str, Node]:
    """Every node of a manifest that dbt compiled.

    Parameters
    ----------
    lake : the address of the lake's set, as it stands in compiled code
    project : the folder of the dbt project
    """
    known = _Known(manifest)
    return {
        name: _node(node, known, lake, project)
        for name, node in manifest["nodes"].items()
        if node.get("config", {}).get("enabled", True)
    }


def macros_digest(manifest: Mapping[str, Any]) -> str:
    """Digest of the project's macros that take the place of dbt's own, by whatever engine's name:
    they may change how any table is made.
    """
    ours, theirs = [], set()
    for macro in manifest["macros"].values():
        if _is_own(macro, manifest):
            ours.append(macro)
        else:
            theirs.add(_plain(macro["name"]))
    return digest(sorted(m["macro_sql"] for m in ours if _plain(m["name"]) in theirs))


def _is_own(macro: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Whether a macro, and not a generic test, is the project's."""
    return bool(macro["package_name"] == manifest["metadata"]["project_name"])


def _plain(name: str) -> str:
    """A macro's name without the engine that it is for."""
    return name.rpartition("__")[2]


class _Known:
    """What stands around a node: the macros that it may run, and the tables of all others."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._macros = manifest["macros"]
        self._project = manifest["metadata"]["project_name"]
        self.own = digest(
            sorted(m["macro_sql"] for m in self._macros.values() if _is_own(m, manifest))
        )
        self._relations = {
            f"{node['schema']}.{node['alias'] or node['name']}": name
            for name, node in manifest["nodes"].items()
            if node["resource_type"] != "test"
        }

    def asks(self, node: Mapping[str, Any]) -> bool:
        """Whether rendering a node depends on what is in the database."""
        seen: set[str] = set()
        waiting = list(node["depends_on"].get("macros", ()))
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self._macros:
                continue
            if not name.startswith(f"macro.{self._project}."):
                continue  # dbt's own: those that ask are known by their names
            seen.add(name)
            waiting += self._macros[name]["depends_on"].get("macros", ())
        texts = [node["raw_code"], *(self._macros[name]["macro_sql"] for name in seen)]
        return any(ASKS.search(text) for text in texts)

    def unnamed(self, node: Mapping[str, Any], sql: str) -> bool:
        """Whether SQL names a table that dbt does not know its node to read."""
        named = {self._relations.get(pair) for pair in QUALIFIED.findall(sql)} - {None}
        return bool(named - {node["unique_id"], *node["depends_on"].get("nodes", ())})


def _node(node: Mapping[str, Any], known: _Known, lake: str, project: Path) -> Node:
    kind, config = node["resource_type"], node.get("config", {})
    stored = "" if kind == "test" else "table" if kind == "seed" else config.get("materialized", "")
    code, tables = _code(node, known, lake, project)
    if kind == "model" and stored not in ("table", "view"):
        code = ""
    if config.get("pre-hook") or config.get("post-hook"):
        code = ""
    relation = "" if kind == "test" else f"{node['schema']}.{node['alias'] or node['name']}"
    name = node["unique_id"].split(".")[2]
    reads = tuple(sorted(set(node["depends_on"].get("nodes", ()))))
    return Node(kind, name, code, reads, tables, relation, stored)


def _code(
    node: Mapping[str, Any], known: _Known, lake: str, project: Path
) -> tuple[str, tuple[str, ...]]:
    """A node's digest, empty where its outcome cannot be told from it, and its lake tables."""
    described: dict[str, Any] = {name: node.get(name) for name in DESCRIBED}
    if node["resource_type"] == "seed":
        file = project / node["original_file_path"]
        return digest([described, digest_of_files([file], project)]), ()
    is_python = node.get("language") == "python"
    if not is_python and known.asks(node):
        if node["resource_type"] != "test":
            return "", ()
        # What a test sees of the database is the table that it is of, whose recipe counts too.
        return digest([described, node["raw_code"], node.get("test_metadata"), known.own]), ()
    compiled = node.get("compiled_code")
    if not compiled:
        return "", ()
    compiled = compiled.replace(lake, LAKE)
    if is_python:
        return _python(described, node["raw_code"], compiled), ()
    tables = tuple(sorted(set(LAKE_TABLE.findall(compiled))))
    lake_free = _run_part(re.sub(rf"read_parquet\('{LAKE_TABLE.pattern}", "(", compiled))
    is_sure = not (
        LAKE in lake_free
        or "$$" in compiled
        or VOLATILE.search(lake_free)
        or known.unnamed(node, lake_free)
    )
    return digest([described, compiled]) if is_sure else "", tables


def _run_part(sql: str) -> str:
    """SQL without comments, texts and the quotes of names: a word in a text runs nothing. A text
    after `from` or `join`, which names a file, stays.
    """

    def part(found: re.Match[str]) -> str:
        token = found.group()
        if token.startswith('"'):
            return token[1:-1]
        before = sql[: found.start()].rstrip().lower()
        is_file = before.endswith(("from", "join")) and not before.endswith("distinct from")
        return " " if token[0] != "'" else token if is_file else "''"

    return SKIPPED.sub(part, sql)


def _python(described: Mapping[str, Any], raw: str, compiled: str) -> str:
    """Digest of a Python model: its code, and that of the measures which it imports."""
    modules = closure.modules_of_code(raw, PACKAGE)
    if any(not f"{name}.".startswith(f"{MEASURES}.") for name in modules - {PACKAGE}):
        return ""
    files = {name: closure.source_file(name) for name in modules}
    sources = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    if any(_looks_outside(source) for source in (raw, *sources.values())):
        return ""
    return digest([described, compiled, sorted(sources.items())])


def _looks_outside(source: str) -> bool:
    """Whether Python code may see more than its arguments: files, the clock, chance, a module that
    is named while it runs.
    """
    tree = ast.parse(source)
    return any(_names_outside(node) for node in ast.walk(tree))


def _names_outside(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return _are_outside(alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.level == 0 and _are_outside([node.module or ""])
    # What is read by another way than dbt.ref is no node that dbt knows.
    return isinstance(node, ast.Name) and node.id in {*OPENS, "session"}


def _are_outside(modules: Iterable[str]) -> bool:
    return any(module.split(".")[0] in OUTSIDE for module in modules)
