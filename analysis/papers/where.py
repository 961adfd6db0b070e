"""Expressions of a paper.toml over a frame's columns: which rows, and what a new column holds.

    year > 2012 and region in ("east", "middle")
    not missing(fdi_share)
    ln(gdp_cny / population_resident_n)

Columns, numbers, texts in quotes, true and false; + - * / **, comparisons (also chained), `in` a
list, and, or, not; the functions of FUNCTIONS. Python parses the text and nothing of it is ever
run: whatever is not in this list is refused.

A comparison with a missing value is neither true nor false, as in SQL; a row of which an expression
is not known to be true is left out, and counted.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis.papers.published import PaperError, nearest

LONGEST = 1000  # characters
FUNCTIONS: dict[str, Callable[[pd.Series], Any]] = {
    "missing": lambda x: x.isna(),
    "ln": lambda x: np.log(_plain(x).where(_plain(x) > 0)),
    "exp": lambda x: np.exp(_plain(x)),
    "sqrt": lambda x: np.sqrt(_plain(x).where(_plain(x) >= 0)),
    "abs": lambda x: _plain(x).abs(),
}
ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
WORDS = {"true": True, "false": False}


def parse(text: str) -> ast.expr:
    """The tree of an expression.

    Raises
    ------
    PaperError : something that is not of this grammar, with the place.
    """
    if len(text) > LONGEST:
        raise PaperError(f"An expression of {len(text):,} characters; at most {LONGEST:,}.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PaperError(f"{text!r} is not an expression ({error}).") from error
    _check(tree, text)
    return tree


def names_in(text: str) -> list[str]:
    """Columns that an expression names, each once.

    Raises
    ------
    PaperError : see `parse`.
    """
    tree = parse(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(node.id for node in named if id(node) not in called))


def value_of(text: str, frame: pd.DataFrame) -> pd.Series:
    """The numbers of an expression, one a row (float, missing where something in it is).

    Raises
    ------
    PaperError : an unknown column, or an expression that is no number.
    """
    found = _worked_out(text, frame)
    if not pd.api.types.is_numeric_dtype(found):
        raise PaperError(f"{text!r} is no number: it gives {found.dtype}.")
    return found.astype("float64")


def rows_of(text: str, frame: pd.DataFrame) -> tuple[np.ndarray, int]:
    """The rows of which an expression is true (n,) bool, and how many it says neither of.

    Raises
    ------
    PaperError : an unknown column, or an expression that is no question.
    """
    found = _worked_out(text, frame)
    if not pd.api.types.is_bool_dtype(found):
        raise PaperError(f"{text!r} is no question: it gives {found.dtype}. Compare it.")
    known = found.astype("boolean")
    return known.fillna(False).to_numpy(dtype=bool), int(known.isna().sum())


def _worked_out(text: str, frame: pd.DataFrame) -> pd.Series:
    names = [name for name in names_in(text) if name not in WORDS]
    if unknown := [name for name in names if name not in frame.columns]:
        raise PaperError(
            f"{text!r}: there is no column {unknown[0]!r}. {nearest(unknown[0], frame.columns)}"
        )
    try:
        found = _value(parse(text), {name: _nullable(frame[name]) for name in names})
    except (TypeError, ValueError, OverflowError) as error:
        raise PaperError(f"{text!r} cannot be worked out: {error}.") from error
    if isinstance(found, list | complex):
        raise PaperError(f"{text!r} is neither a number nor a question.")
    return found if isinstance(found, pd.Series) else pd.Series(found, index=frame.index)


def _check(tree: ast.expr, text: str) -> None:
    """Refuse whatever is not of the grammar."""
    for node in ast.walk(tree):
        if reason := _refused(node):
            raise PaperError(f"{text!r}: {reason}.")


def _refused(node: ast.AST) -> str:
    """Why a part of the tree is not of the grammar; "" if it is."""
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            return f"there is no function {name or ast.unparse(node.func)!r}; there are " + (
                ", ".join(FUNCTIONS)
            )
        return "a function takes one value" if len(node.args) != 1 or node.keywords else ""
    if isinstance(node, ast.Constant):
        plain = isinstance(node.value, bool | int | float | str)
        return "" if plain else f"{node.value!r} is no number and no text"
    known = (ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Tuple, ast.List)
    more = (ast.Load, ast.And, ast.Or, ast.Not, ast.USub, ast.In, ast.NotIn)
    if isinstance(node, (*known, *more, *ARITHMETIC, *COMPARISONS)):
        return ""
    return f"{type(node).__name__} is not in this grammar"


def _nullable(column: pd.Series) -> pd.Series:
    """A column in whose comparisons a missing value stays missing."""
    if pd.api.types.is_bool_dtype(column):
        return column.astype("boolean")
    if pd.api.types.is_numeric_dtype(column):
        return column.astype("Float64")
    return column.astype(pd.StringDtype())


def _value(node: ast.expr, columns: dict[str, pd.Series]) -> Any:
    if isinstance(node, ast.Name):
        return WORDS[node.id] if node.id in WORDS else columns[node.id]
    if isinstance(node, ast.Constant):
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return float(node.value)  # a power of integers never ends
        return node.value
    if isinstance(node, ast.Tuple | ast.List):
        return [_value(part, columns) for part in node.elts]
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        found = FUNCTIONS[node.func.id](_series(_value(node.args[0], columns)))
        return found if pd.api.types.is_bool_dtype(found) else _nullable(found)
    if isinstance(node, ast.BinOp):
        left, right = (_number(_value(part, columns)) for part in (node.left, node.right))
        return ARITHMETIC[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, columns)
        return ~_question(inner) if isinstance(node.op, ast.Not) else -_number(inner)
    if isinstance(node, ast.BoolOp):
        return _joined(node, [_question(_value(part, columns)) for part in node.values])
    assert isinstance(node, ast.Compare)
    return _compared(node, columns)


def _joined(node: ast.BoolOp, parts: list[Any]) -> Any:
    joined = parts[0]
    for part in parts[1:]:
        joined = joined & part if isinstance(node.op, ast.And) else joined | part
    return joined


def _compared(node: ast.Compare, columns: dict[str, pd.Series]) -> Any:
    """a < b <= c is a < b and b <= c."""
    left, joined = _value(node.left, columns), None
    for sign, right_node in zip(node.ops, node.comparators, strict=True):
        right = _value(right_node, columns)
        found = _one(sign, left, right)
        joined = found if joined is None else joined & found
        left = right
    return joined


def _one(sign: ast.cmpop, left: Any, right: Any) -> Any:
    if isinstance(sign, ast.In | ast.NotIn):
        if not isinstance(right, list):
            raise TypeError("what stands behind `in` is no list, such as (1, 2)")
        series = _series(left)
        found = series.isin(right).astype("boolean").where(series.notna())
        return ~found if isinstance(sign, ast.NotIn) else found
    if isinstance(left, list) or isinstance(right, list):
        raise TypeError("a list stands behind `in` only")
    kinds = {_kind(left), _kind(right)}
    if kinds == {"text", "number"}:
        raise TypeError("a text is compared with a number; put quotes round codes")
    return COMPARISONS[type(sign)](left, right)


def _kind(value: Any) -> str:
    if isinstance(value, pd.Series):
        return "number" if pd.api.types.is_numeric_dtype(value) else "text"
    return "text" if isinstance(value, str) else "number"


def _number(value: Any) -> Any:
    if _kind(value) == "text" or isinstance(value, list):
        raise TypeError("one cannot reckon with a text or a list")
    return value.astype("Float64") if isinstance(value, pd.Series) else value


def _question(value: Any) -> Any:
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, pd.Series) and pd.api.types.is_bool_dtype(value):
        return value.astype("boolean")
    raise TypeError("and, or, not join questions, such as year > 2012")


def _plain(value: pd.Series) -> pd.Series:
    """Numbers as numpy has them, missing ones as NaN."""
    if _kind(value) == "text":
        raise TypeError("one cannot reckon with a text")
    return pd.Series(value.to_numpy(dtype=float, na_value=np.nan), index=value.index)


def _series(value: Any) -> pd.Series:
    if not isinstance(value, pd.Series):
        raise TypeError("a column is needed there")
    return value
