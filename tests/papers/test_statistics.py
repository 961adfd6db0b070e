"""Descriptive statistics beside a paper's own: by hand, as printed, and from a release."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import papers
from analysis.papers import PaperError, statistics
from analysis.papers.statistics import describe, load_statistics, statistics_names
from analysis.report import compare_statistics
from analysis.report.__main__ import main
from warehouse.settings.config import Config

SLUG = "ecommerce_resilience"


@pytest.mark.parametrize("slug", statistics_names())
def test_every_papers_file_holds_together(slug: str) -> None:
    published = load_statistics(slug)
    assert published.panel.startswith("panel_")
    assert len(published.variables) >= 2
    assert published.numbers["variable"].is_unique


def test_published_numbers_are_those_of_table_3() -> None:
    numbers = load_statistics(SLUG).numbers.set_index("paper_name")
    assert numbers.index.to_list() == ["Resi", "DID", "Agg", "Open", "Invest", "Tec", "Market"]
    assert (numbers["observations"] == 2480).all()
    assert numbers.loc["Resi", ["mean", "sd", "minimum", "maximum"]].to_list() == [
        0.097,
        0.051,
        0.05,
        0.37,
    ]
    assert numbers.loc["Market", ["mean", "sd", "minimum", "maximum"]].to_list() == [
        11.963,
        1.967,
        6.61,
        15.97,
    ]


def test_statistics_by_hand() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 6, None], "dummy": [True, False, True, True]})
    found = describe(frame, ["dummy", "x"])
    assert found.loc["x"].to_list() == [
        3,
        3.0,
        pytest.approx(7**0.5),
        1,
        6,
    ]  # deviations -2, -1, 3: 14 over 2
    assert found.loc["dummy"].to_list() == [4, 0.75, 0.5, 0, 1]
    with pytest.raises(PaperError, match="no column dumy. Nearest: dummy"):
        describe(frame, ["dumy"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x,X,10,1,1,0,0.5", "line 2: x has mean 1"),
        ("x,X,10,one,1,0,2", "line 2: a number is expected under mean"),
        (",X,10,1,1,0,2", "line 2: no variable is named"),
        ("x,X,10,1,1,0,2\nx,Y,10,1,1,0,2", "line 3: the same variable stands there twice"),
        ("x,X,10,1,-1,0,2", "line 2: x has mean 1, sd -1"),
    ],
)
def test_a_file_that_does_not_hold_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    folder = tmp_path / "a_paper"
    folder.mkdir()
    (folder / "published_statistics.csv").write_text(
        "variable,paper_name,observations,mean,sd,minimum,maximum\n" + line + "\n"
    )
    monkeypatch.setattr(papers, "FOLDER", tmp_path)
    monkeypatch.setattr(statistics, "FOLDER", tmp_path)
    with pytest.raises(PaperError, match=message):
        load_statistics("a_paper")


def test_without_paper_toml_the_panel_has_the_papers_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a_paper"
    folder.mkdir()
    (folder / "published_statistics.csv").write_text(
        "variable,paper_name,observations,mean,sd,minimum,maximum\nx,,10,1,,,\n"
    )
    monkeypatch.setattr(statistics, "FOLDER", tmp_path)
    published = load_statistics("a_paper")
    assert (published.panel, published.years) == ("panel_a_paper", None)
    frame = pd.DataFrame({"x": [0.0, 4.0]})
    frame.attrs = {"simulated": False}
    text = compare_statistics(published, frame).to_text()
    assert text.startswith("Estimated on published files")
    (folder / "paper.toml").write_text('title = "T"\npanel = "city_year"\nyears = [2000, 2001]\n')
    published = load_statistics("a_paper")
    assert (published.panel, published.years, published.title) == ("city_year", (2000, 2001), "T")


def test_the_release_beside_the_paper(
    small_release: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main([SLUG, "statistics", "--config", str(small_release.path)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("SIMULATED DATA")
    row = next(line for line in shown.splitlines() if "[Agg]" in line)
    assert row.split()[-5:] == ["2,480", "0.348", "0.557", "0.010", "3.520"]
    assert row.split()[-10].replace(",", "").isdigit()
    assert "ours" in shown
    assert "published" in shown
    assert main([SLUG, "statistics", "--markdown", "--config", str(small_release.path)]) == 0
    assert capsys.readouterr().out.startswith("**SIMULATED DATA")
    assert main(["ecommerce_resiliense", "statistics"]) == 1
    assert (
        "There are no published statistics of 'ecommerce_resiliense'. Nearest: ecommerce_resilience"
        in capsys.readouterr().err
    )
