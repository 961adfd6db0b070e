"""House sizes: functions and modules that read at one sitting, calls that one remembers."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import analysis.estimators  # noqa: F401  the families register their calls
from analysis.estimators.core.registry import registered
from analysis.measures import envelopment, frontier, productivity

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("analysis", "warehouse", "flows", "expectations", "dbt_project/models")
LINES, MODULE, PARAMETERS = 40, 400, 8


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    first = function.body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = first.end_lineno - first.lineno + 1 if text else 0
    return function.end_lineno - function.lineno + 1 - docstring


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    asked = function.args
    listed = [*asked.posonlyargs, *asked.args, *asked.kwonlyargs]
    return len([one for one in listed if one.arg not in ("self", "cls")])


def public_calls() -> set[tuple[Path, str]]:
    """Calls that people make with options by name: those of the registry, and the measures behind
    them.
    """
    measures = (
        envelopment.envelopment,
        frontier.stochastic_frontier,
        productivity.production_function,
    )
    calls = [found.function for found in registered().values()] + list(measures)
    return {(Path(inspect.getfile(call)).resolve(), call.__name__) for call in calls}


def too_large() -> list[str]:
    found, public = [], public_calls()
    for path in modules():
        text = path.read_text(encoding="utf-8")
        place = str(path.relative_to(ROOT))
        if len(text.splitlines()) > MODULE:
            found.append(f"{place}: {len(text.splitlines())} lines")
        for function in functions(ast.parse(text)):
            if lines_of(function) > LINES:
                found.append(f"{place}: {function.name} has {lines_of(function)} lines")
            many = parameters_of(function) > PARAMETERS
            if many and (path.resolve(), function.name) not in public:
                found.append(f"{place}: {function.name} has {parameters_of(function)} parameters")
    return found


def test_functions_and_modules_are_of_house_size() -> None:
    assert too_large() == []


def test_sizes_are_counted_without_the_docstring() -> None:
    body = "\n".join(f"    x = {number}" for number in range(LINES - 1))
    within = f'def f(a, *, b):\n    """One\n    two."""\n{body}\n'
    exact, over = (ast.parse(text).body[0] for text in (within, f"{within}    x = 0\n"))
    assert lines_of(exact) == LINES and lines_of(over) == LINES + 1
    assert parameters_of(exact) == 2
    assert [one.name for one in functions(ast.parse("class A:\n    async def g(self): ..."))] == [
        "g"
    ]
