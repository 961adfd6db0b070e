"""Expressions over columns, and prepared columns, by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.papers import PaperError
from analysis.papers.prepare import prepared, with_operators
from analysis.papers.where import names_in, rows_of, value_of

FRAME = pd.DataFrame(
    {
        "year": [2010, 2011, None, 2013],
        "region": ["east", None, "west", "east"],
        "open": [True, False, True, True],
        "n": [1.0, None, -3.0, 4.0],
    }
)


@pytest.mark.parametrize(
    ("text", "rows", "unknown"),
    [
        ("year > 2010", [1, 3], 1),
        ("2010 < year <= 2011", [1], 1),
        ("not missing(n) and open", [0, 2, 3], 0),
        ('region in ("east", "north")', [0, 3], 1),
        ('region not in ["east"]', [2], 1),
        ("year > 2012 or open", [0, 2, 3], 0),
        ("open == true", [0, 2, 3], 0),
        ("n / 2 + 1 >= 1.5 and n != 4", [0], 1),
        ("not (n > 0)", [2], 1),
        ("abs(-n) == 3", [2], 1),
    ],
)
def test_rows_by_hand(text: str, rows: list[int], unknown: int) -> None:
    """A comparison with a missing value is neither true nor false."""
    found, nobody_knows = rows_of(text, FRAME)
    assert (np.flatnonzero(found).tolist(), nobody_knows) == (rows, unknown)


def test_numbers_by_hand() -> None:
    found = value_of("ln(n) + sqrt(n) ** 2", FRAME)
    assert found[[0, 3]].tolist() == pytest.approx([1.0, math.log(4) + 4])
    assert found[[1, 2]].isna().all()
    assert set(names_in("ln(n) > year and missing(n)")) == {"n", "year"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os')", "there is no function '__import__'"),
        ("n.real > 1", "Attribute is not in this grammar"),
        ("(lambda: 1)() > 0", "there is no function"),
        ("[x for x in n]", "ListComp is not in this grammar"),
        ("n[0] > 1", "Subscript is not in this grammar"),
        ("9**9**9**9 > n", "cannot be worked out"),
        ("region * 9999999999 == region", "cannot be worked out: one cannot reckon with a text"),
        ("year == '2010'", "a text is compared with a number"),
        ("(1, 2) > n", "a list stands behind `in` only"),
        ("n", "is no question"),
        ("nn > 1", "there is no column 'nn'. Nearest: n"),
        ("n >", "is not an expression"),
        ("(" * 500 + "n" + ")" * 500, "1,001 characters"),
        ("f'{n}' == region", "JoinedStr is not in this grammar"),
        ("(n := 3) > 1", "NamedExpr is not in this grammar"),
        ("n if open else n", "IfExp is not in this grammar"),
    ],
)
def test_whatever_is_not_of_the_grammar_is_refused(text: str, message: str) -> None:
    with pytest.raises(PaperError, match=message.replace("(", r"\\(").replace(")", r"\\)")):
        rows_of(text, FRAME)


PANEL = pd.DataFrame(
    {
        "city_code": ["1", "1", "1", "2", "2"],
        "year": [2001, 2002, 2004, 2001, 2002],
        "x": [1.0, 2.0, 4.0, 10.0, 0.0],
        "y": [1.0, 1.0, 3.0, 3.0, 2.0],
    }
)


@pytest.mark.parametrize(
    ("step", "name", "values"),
    [
        ({"lag": "x"}, "lag_x", [None, 1, None, None, 10]),  # 2003 is missing
        ({"lag": "x", "periods": 2, "as": "b"}, "b", [None, None, 2, None, None]),
        ({"log": "x"}, "ln_x", [0, math.log(2), math.log(4), math.log(10), None]),
        ({"interaction": ["x", "y"], "as": "b"}, "b", [1, 2, 12, 30, 0]),
        ({"interaction": ["x", "y"], "as": "b", "centre": True}, "b",
         [2.4 * 1, 1.4 * 1, 0.6 * 1, 6.6 * 1, 0]),
        ({"formula": "x / y", "as": "b"}, "b", [1, 2, 4 / 3, 10 / 3, 0]),
        ({"indicator": "x > 1", "as": "b"}, "b", [0, 1, 1, 1, 0]),
        ({"winsorise": "x", "percent": 20}, "x_winsorised", [1, 2, 4, 7, 0.5]),
        ({"standardise": "y", "only": "y < 3"}, "z_y",
         [(v - 4 / 3) / math.sqrt(1 / 3) for v in (1, 1, 3, 3, 2)]),
    ],
)  # fmt: skip
def test_steps_by_hand(step: dict, name: str, values: list) -> None:
    made, _ = prepared(PANEL, [step], ["city_code"])
    expected = [math.nan if value is None else value for value in values]
    assert made[name].tolist() == pytest.approx(expected, nan_ok=True)
    assert name not in PANEL.columns


def test_operators_make_columns() -> None:
    made = with_operators(PANEL, ["L.x", "F.x", "D.x", "L.nothing", "x"], ["city_code"])
    nan = math.nan
    assert made["L.x"].tolist() == pytest.approx([nan, 1, nan, nan, 10], nan_ok=True)
    assert made["F.x"].tolist() == pytest.approx([2, nan, nan, 0, nan], nan_ok=True)
    assert made["D.x"].tolist() == pytest.approx([nan, 1, nan, nan, -10], nan_ok=True)
    assert "L.nothing" not in made.columns


def test_a_step_says_what_it_cannot_do() -> None:
    for step, message in [
        ({"log": "nothing"}, "there is no column 'nothing'"),
        ({"formula": "x", "as": "y"}, "there is a column 'y' already"),
    ]:
        with pytest.raises(PaperError, match=message):
            prepared(PANEL, [step], ["city_code"])
    twice = pd.concat([PANEL, PANEL])
    with pytest.raises(PaperError, match="name some rows twice"):
        prepared(twice, [{"lag": "x"}], ["city_code"])
