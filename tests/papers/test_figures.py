"""Figures: their numbers by hand, and pictures that are the same twice."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.papers import PaperError, Release, read_paper
from analysis.papers import figures as papers_figures
from analysis.papers.figures import Drawn, numbers_of
from analysis.report import figures as report_figures
from analysis.report.figures import pictures, write_figures
from flows.commands import papers
from tests.papers.conftest import START

FIGURES = """
[figures.f1]
title = "Curves"
kind = "curves"
draw = { tail = [1, 2], least = 1 }
[figures.f2]
title = "Event study"
kind = "event_study"
estimator = "event_study"
cohort = "cohort"
unit = "city_code"
time = "year"
first = -2
last = 2
missing_cohort = "never"
[figures.f3]
title = "Placebo"
kind = "placebo"
estimator = "placebo"
treatment = "treated"
draws = 20
[figures.f4]
title = "Coefficients"
kind = "coefficients"
draw = { terms = ["x", "z"] }
[figures.f5]
title = "Nothing"
kind = "placebo"
reason = "no data"
"""

MORAN = """
[figures.f1]
title = "Moran"
kind = "moran"
estimator = "moran"
variable = "z"
weights = "queen"
"""


def test_curves_by_hand(demo: Release, write_paper: Callable[..., Path]) -> None:
    """F(2) = 1 - (1/2)^k and f(2) = k / 2^(k + 1)."""
    figures = read_paper(write_paper(FIGURES)).figures
    table = numbers_of(figures["f1"], demo).numbers
    at_two = table[(table["x"] - 2).abs() < 1e-9].set_index("tail")
    assert at_two["distribution"].tolist() == pytest.approx([0.5, 0.75])
    assert at_two["density"].tolist() == pytest.approx([0.25, 0.25])


def test_every_kind_writes_numbers_and_the_same_pictures_twice(
    demo: Release, write_paper: Callable[..., Path], tmp_path: Path
) -> None:
    paper = read_paper(write_paper(FIGURES))
    out = tmp_path / "out"
    said = list(write_figures(paper, demo, out))
    assert "demo_paper, figure f5: cannot be drawn: no data" in said
    for at in (1, 2, 3, 4):
        stem = out / f"simulated_demo_paper_figure_{at}"
        numbers = stem.with_suffix(".csv").read_bytes()
        assert numbers.startswith(BOM_UTF8) and numbers.count(b"\n") > 2
        assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        assert b"SIMULATED DATA" in stem.with_suffix(".svg").read_bytes()
    drawn = numbers_of(paper.figures["f2"], demo)
    assert drawn.numbers["event_time"].tolist() == [-2, -1, 0, 1, 2]
    assert drawn.numbers.set_index("event_time").loc[-1, "estimate"] == 0
    assert pictures(drawn, "here") == pictures(drawn, "here")
    terms = numbers_of(paper.figures["f4"], demo).numbers
    assert terms["term"].tolist() == ["x", "z"]
    assert (terms["low"] < 0.5).iloc[0] and (terms["high"] > 0.4).iloc[0]


def test_a_table_as_csv_opens_with_its_chinese_in_a_spreadsheet(tmp_path: Path) -> None:
    for name, mark in (("a.csv", BOM_UTF8), ("a.json", b"")):
        papers._write(tmp_path, name, "城市")
        assert (tmp_path / name).read_bytes() == mark + "城市".encode()


def test_a_scatter_names_its_variable_and_its_outliers(
    demo: Release, write_paper: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a Chinese font by English names, and never by codes."""
    monkeypatch.setattr(report_figures, "chinese_font", lambda: None)
    figure = read_paper(write_paper(MORAN)).figures["f1"]
    rows = {"city_code": ["3301", "1100"], "z": [2.0, -2.0], "w_z": [1.0, -1.0]}
    table = pd.DataFrame(rows | {"name": ["杭州市", ""], "name_en": ["Hangzhou", ""]})
    drawn = Drawn(figure, table, {"slope": 0.5, "p": 0.01}, "", "")
    picture = pictures(drawn, "here")["svg"]
    assert b"Hangzhou" in picture and b"3301" not in picture
    assert b"z, standardised" in picture and b"its mean among neighbours" in picture


def test_a_map_has_a_point_a_city_that_lies_somewhere(
    demo: Release, write_paper: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """[figures.f1]
title = "Map"
kind = "map"
estimator = "values"
term = "city_code"
value = "x"
where = "year == 2005"
"""
    places = {"longitude": [116.4, 121.5], "latitude": [39.9, 31.2]}
    names = {"city_name_zh": ["北京市", "上海市"], "city_name_en": ["Beijing", "Shanghai"]}
    cities = pd.DataFrame(places | names, index=pd.Index(["0001", "0002"], name="city_code"))
    monkeypatch.setattr(papers_figures, "_cities", lambda release: cities)
    drawn = numbers_of(read_paper(write_paper(text)).figures["f1"], demo)
    table = drawn.numbers.set_index("city_code")
    frame = demo.frame("main.demo", ["x"]).query("year == 2005").set_index("city_code")
    assert list(table.index) == ["0001", "0002"] and drawn.marks == {"cities": 2}
    assert table.loc["0002", ["value", "longitude", "name"]].tolist() == [
        frame.loc["0002", "x"], 121.5, "上海市",
    ]  # fmt: skip
    assert b"no boundaries" in pictures(drawn, "here")["svg"]


def test_a_kind_that_there_is_not_is_refused(demo: Release, write_paper) -> None:
    folder = write_paper('[figures.f1]\ntitle = "F"\nkind = "placeboo"\n', start=START)
    with pytest.raises(PaperError, match="no kind 'placeboo'. Nearest: placebo"):
        numbers_of(read_paper(folder).figures["f1"], demo)
