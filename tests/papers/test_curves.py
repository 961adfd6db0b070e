"""Specification curves and power: their specifications and numbers by hand, and what is refused."""

from __future__ import annotations

import math
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.estimators import fixed_effects
from analysis.papers import PaperError, Release, read_paper
from analysis.papers.curves import estimate_curve, summary_of
from analysis.papers.power import power_of, power_rows
from analysis.papers.run import estimate_tables
from analysis.report.curves import write_curves

Write = Callable[..., Path]
CURVE = """
[tables.t1]
title = "T"
where = "year > 2002"
[[tables.t1.columns]]
[[tables.t1.columns]]
prepare = [{ formula = "x * 2", as = "double" }]
regressors = ["double", "z"]
rows = { X = "double" }
[curves.slope]
title = "Slope of x"
table = "1"
column = "1"
row = "X"
[curves.slope.choices.controls]
"z" = {}
"none" = { regressors = ["x"] }
[curves.slope.choices.sample]
"all" = {}
"even" = { where = "is_even" }
"east" = { where = 'region == "east"' }
[curves.slope.beside]
"clusters" = { covariance = { cluster = ["city_code"] } }
[curves.slope.beside."another name"]
prepare = [{ formula = "x + 0", as = "same" }]
regressors = ["same", "z"]
term = "same"
[curves.slope.beside."no column"]
regressors = ["x", "nothing"]
"""


def test_every_combination_is_estimated_once(demo: Release, write_paper: Write) -> None:
    paper = read_paper(write_paper(CURVE, "1,1,X,0.5,0.02,se,***,"))
    curve = paper.curves["slope"]
    found = estimate_curve(paper, curve, demo)
    assert len(found) == 2 * 3 + 3 and list(found["is_paper"]) == [True] + [False] * 8
    assert found.loc[3, ["controls", "sample"]].tolist() == ["none", "all"]
    frame = demo.frame("main.demo", ["x", "z", "outcome", "is_even"]).query("year > 2002")
    direct = fixed_effects(frame, "outcome", ["x"], where=frame["is_even"].to_numpy(dtype=bool))
    assert found.loc[4, "estimate"] == direct.coefficients["x"]
    assert found.loc[4, "std_error"] == direct.standard_errors["x"]
    assert found["n"].tolist()[:6] == [400, 200, 200] * 2  # the column's own `where` is narrowed
    assert found.loc[6, "estimate"] == found.loc[0, "estimate"]
    assert found.loc[6, "std_error"] != found.loc[0, "std_error"]
    assert found.loc[7, "estimate"] == pytest.approx(found.loc[0, "estimate"])
    assert math.isnan(found.loc[8, "estimate"]) and "nothing" in found.loc[8, "reason"]
    said = summary_of(found)
    assert said.startswith("8 specifications (1 could not be estimated): median 0.")
    assert "8 above zero, 8 above and 0 below zero at 5 %." in said
    again = estimate_curve(paper, curve, Release(demo.config))
    np.testing.assert_array_equal(again["estimate"], found["estimate"])


def test_a_curve_is_written_as_numbers_and_the_same_picture_twice(
    demo: Release, write_paper: Write, tmp_path: Path
) -> None:
    paper = read_paper(write_paper(CURVE, "1,1,X,0.5,0.02,se,***,"))
    out = tmp_path / "out"
    lines = list(write_curves(paper, demo, out))
    assert "not estimated: no column: " in "\n".join(lines)
    stem = out / "simulated_demo_paper_curve_slope"
    numbers = stem.with_suffix(".csv").read_bytes()
    assert numbers.startswith(BOM_UTF8) and numbers.count(b"\n") == 10
    assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    picture = stem.with_suffix(".svg").read_bytes()
    assert b"SIMULATED DATA" in picture and b"sample: even" in picture
    assert b"published 0.5" in picture
    list(write_curves(paper, demo, out))
    assert stem.with_suffix(".svg").read_bytes() == picture


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('row = "X"', 'row = "Y"', "no row 'Y'"),
        ('row = "X"', "", "a row is needed"),
        ('column = "1"', 'column = "9"', "no column '9'"),
        ('table = "1"', 'table = "7"', "no table '7'"),
        ('"none" = { regressors', '"none" = { regresors', "none, all: unknown key 'regresors'"),
        ('"even" = { where = "is_even" }', '"even" = { where = "f(x)" }', "z, even: "),
        ('title = "Slope of x"', 'titel = "x"', "unknown key 'titel'. Nearest: title"),
    ],
)
def test_what_is_no_curve_is_refused(write_paper: Write, old: str, new: str, message: str) -> None:
    assert old in CURVE
    with pytest.raises(PaperError, match=message):
        read_paper(write_paper(CURVE.replace(old, new, 1)))


def test_too_many_specifications_are_refused(write_paper: Write) -> None:
    labels = "\n".join(f'"{at}" = {{}}' for at in range(200))
    more = CURVE.replace(
        "[curves.slope.beside]", f"[curves.slope.choices.more]\n{labels}\n[curves.slope.beside]"
    )
    with pytest.raises(PaperError, match="1200 specifications; at least a choice, at most 300"):
        read_paper(write_paper(more))


def test_detectable_effects_and_power_by_hand(demo: Release, write_paper: Write) -> None:
    """2.8 standard errors; an effect of 1.96 is found in half of samples, one of zero in 5 %."""
    assert power_of(1.959964, 1.0) == pytest.approx(0.5 + stats.norm.cdf(-2 * 1.959964), abs=1e-6)
    assert power_of(0.0, 1.0) == pytest.approx(0.05)
    assert power_of(2.8015852, 1.0) == pytest.approx(0.8, abs=1e-4)
    assert power_of(-2.0, 1.0, 12.0) == power_of(2.0, 1.0, 12.0) < power_of(2.0, 1.0)
    assert math.isnan(power_of(math.nan, 1.0)) and power_of(500.0, 1.0, 247.0) == 1.0
    paper = read_paper(write_paper(CURVE, "1,1,X,0.5,0.02,se,***,"))
    [row] = power_rows(estimate_tables(paper, demo, ["1"])[0]).to_dict("records")
    assert (row["column"], row["row"], row["printed"]) == ("1", "X", 0.5)
    assert row["detectable"] == pytest.approx(2.8 * row["std_error"], rel=0.01)
    assert row["share"] == pytest.approx(row["estimate"] / row["detectable"])
    assert row["power_at_printed"] == pytest.approx(1, abs=1e-6)
    assert math.isnan(row["truth"]) and math.isnan(row["power_at_truth"])
