"""Table 4 of ecommerce_resilience: the printed numbers, the printed table, and the whole way from
raw files to estimates.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import papers
from analysis.estimators import largest_difference, panel_ols_slopes
from analysis.papers import PaperError, estimate_table, load_paper
from analysis.report import compare
from analysis.report.__main__ import main
from warehouse import panel
from warehouse.settings.config import Config

SLUG = "ecommerce_resilience"
REGRESSORS = ["zone_did", "agglomeration", "openness_share", "fdi_share", "science_share", "ln_fdi"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """A panel drawn here, with the columns of the published one: 30 cities, 2011-2021, effect of a
    zone 0.03.
    """
    draw = np.random.default_rng(11)
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(30), np.arange(2011, 2022), indexing="ij")
    )
    made = pd.DataFrame({name: draw.normal(size=len(city)) for name in REGRESSORS[1:]})
    made.insert(0, "zone_did", ((city < 10) & (year >= 2015 + city % 3)).astype(int))
    made["city_code"], made["year"] = [f"{3300 + c}" for c in city], year
    made["resilience_index"] = (
        0.1
        + 0.03 * made["zone_did"]
        + 0.01 * made["ln_fdi"]
        + 0.005 * city
        + 0.002 * draw.normal(size=len(city))
    )
    made.attrs = {
        "simulated": True,
        "release": "drawn-here",
        "columns": {"zone_did": {"label_en": "E-commerce zone in force"}},
    }
    return made


def test_published_numbers_are_the_papers() -> None:
    published = load_paper(SLUG).published.set_index(["row", "column"])
    zone = published.loc["zone_did"]
    assert zone["coefficient"].tolist() == [0.029, 0.017, 0.017, 0.016, 0.016, 0.016]
    assert zone["bracket"].tolist() == [7.508, 4.406, 4.473, 4.461, 4.592, 4.614]
    assert published.loc["constant", "coefficient"].tolist() == [
        0.078,
        0.060,
        0.061,
        0.063,
        0.061,
        0.044,
    ]
    assert published.loc["r2_adjusted", "coefficient"].tolist() == [
        0.440,
        0.543,
        0.543,
        0.545,
        0.550,
        0.552,
    ]
    assert published.loc["n", "coefficient"].tolist() == [2480] * 6
    last = published.xs(6, level="column").loc[REGRESSORS]
    assert last["coefficient"].tolist() == [0.016, 0.064, -0.004, -0.230, 0.264, 0.002]
    assert last["bracket"].tolist() == [4.614, 4.812, -0.240, -2.747, 2.152, 2.587]
    assert last["stars"].tolist() == ["***", "***", "", "***", "**", "**"]
    assert set(published["bracket_kind"]) == {"t", ""}


def test_every_column_has_its_regressors_and_printed_numbers() -> None:
    paper = load_paper(SLUG)
    table = paper.table("t4")
    for column, regressors in table.columns.items():
        assert list(regressors) == REGRESSORS[:column]
        rows = set(paper.published.loc[paper.published["column"] == column, "row"])
        assert rows == {*regressors, "constant", "n", "r2_adjusted"}
    assert (table.effects, table.cluster, table.constant) == (
        ("city_code", "year"),
        "city_code",
        "first_period",
    )


def test_printed_constants_are_of_the_first_year() -> None:
    """notes.md, 2: a constant at the mean of the effects would be further from the printed one than
    rounding allows.
    """
    mean_index, mean_zone, mean_agglomeration = 0.097, 0.113, 0.348
    printed = load_paper(SLUG).published.set_index(["row", "column"])["coefficient"]
    one = mean_index - mean_zone * printed["zone_did", 1]
    two = (
        mean_index
        - mean_zone * printed["zone_did", 2]
        - mean_agglomeration * printed["agglomeration", 2]
    )
    assert one - printed["constant", 1] > 0.015
    assert two - printed["constant", 2] > 0.009


def test_years_outside_the_papers_are_left_out(frame: pd.DataFrame) -> None:
    results = estimate_table(SLUG, "t4", frame, columns=[6, 1])
    assert list(results) == [6, 1]
    assert results[6].n == 300
    assert results[6].groups == {"city_code": 30, "year": 10}
    assert (
        abs(results[6].coefficients["zone_did"] - 0.03)
        < 4 * results[6].standard_errors["zone_did"]
        < 0.01
    )


def test_table_shows_both_sides_and_says_simulated(frame: pd.DataFrame) -> None:
    results = estimate_table(SLUG, "t4", frame, columns=[1, 6])
    table = compare(load_paper(SLUG), "t4", results, frame)
    text = table.to_text()
    lines = text.splitlines()
    assert lines[0].startswith("SIMULATED DATA")
    assert "drawn-here" in lines[0]
    zone = next(line for line in lines if line.startswith("E-commerce zone in force"))
    assert re.findall(r"-?\d\.\d{3}\**", zone) == [
        f"{results[1].coefficients['zone_did']:.3f}***",
        "0.029***",
        f"{results[6].coefficients['zone_did']:.3f}***",
        "0.016***",
    ]
    brackets = lines[lines.index(zone) + 1]
    assert f"({results[6].t_statistics['zone_did']:.3f})" in brackets
    assert "(4.614)" in brackets
    assert re.search(r"^Observations +300 +2,480 +300 +2,480$", text, flags=re.MULTILINE)
    assert results[6].note() in text
    assert len({len(line) for line in lines if set(line) == {"-"}}) == 1

    numbers = table.to_frame()
    assert numbers.loc["ln_fdi", (6, "published")] == 0.002
    assert numbers.loc["ln_fdi", (6, "ours")] == results[6].coefficients["ln_fdi"]
    assert np.isnan(numbers.loc["ln_fdi", (1, "published")])
    assert numbers.index.tolist() == [*REGRESSORS, "constant", "n", "r2_adjusted"]
    assert "| E-commerce zone in force |" in table.to_markdown()
    assert table.to_markdown().startswith("**SIMULATED DATA")


@pytest.mark.parametrize(
    ("attrs", "start"),
    [({"simulated": False}, "Estimated on published files"), ({}, "DATA OF UNKNOWN ORIGIN")],
)
def test_origin_is_never_guessed(frame: pd.DataFrame, attrs: dict, start: str) -> None:
    other = frame.copy()
    other.attrs = attrs
    results = estimate_table(SLUG, "t4", other, columns=[1])
    assert compare(load_paper(SLUG), "t4", results, other).to_text().startswith(start)


def test_what_is_not_there_is_named(frame: pd.DataFrame) -> None:
    with pytest.raises(
        PaperError, match="no paper 'ecommerce_resiliense'. Nearest: ecommerce_resilience"
    ):
        load_paper("ecommerce_resiliense")
    with pytest.raises(PaperError, match="no table 't5'"):
        estimate_table(SLUG, "t5", frame)
    with pytest.raises(PaperError, match="no column 7. It has 1, 2, 3, 4, 5, 6"):
        estimate_table(SLUG, "t4", frame, columns=[7])
    with pytest.raises(
        PaperError,
        match=(
            "t4, column 2, on panel_ecommerce_resilience: column 'agglomeration' is not in the "
            "frame"
        ),
    ):
        estimate_table(SLUG, "t4", frame.drop(columns="agglomeration"), columns=[2])


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "paper.toml",
            "outcome =",
            "outcom =",
            r"\[tables.t4\]: unknown key 'outcom'. Nearest: outcome",
        ),
        (
            "paper.toml",
            'estimator = "fixed_effects"',
            'estimator = "fixed_efects"',
            "unknown estimator 'fixed_efects'",
        ),
        (
            "paper.toml",
            'r2 = "r2_first_within_adjusted"',
            'r2 = "r2_guess"',
            "r2 = 'r2_guess' is not a number",
        ),
        ("paper.toml", 'title = "Cross', "title = Cross", "not valid TOML"),
        (
            "paper.toml",
            'DID = "zone_did"',
            'DID = "n"',
            r"\[tables.t4\]: two printed rows have one name",
        ),
        ("paper.toml", '"常数项" = "constant"', "", "line 55: t4, column 1, 常数项 does not"),
        (
            "published.csv",
            "\n4,2,经济集聚水平",
            "\n4,1,经济集聚水平",
            "column 1, 经济集聚水平 does not fit",
        ),
        ("published.csv", "\n4,2,DID", "\n4,7,DID", "line 58: t4, column 7, DID does not fit"),
    ],
)
def test_a_paper_that_does_not_hold_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, message: str
) -> None:
    folder = tmp_path / SLUG
    folder.mkdir()
    for name in ("paper.toml", "published.csv"):
        text = (papers.FOLDER / SLUG / name).read_text(encoding="utf-8")
        assert name != file or old in text
        (folder / name).write_text(
            text.replace(old, new, 1) if name == file else text, encoding="utf-8"
        )
    monkeypatch.setattr(papers, "FOLDER", tmp_path)
    with pytest.raises(PaperError, match=message):
        load_paper(SLUG)


def test_from_raw_files_to_the_printed_table(
    small_release, capsys: pytest.CaptureFixture[str]
) -> None:
    """Simulated raw files, published panel, estimate: every column, and columns 1 and 6 as a reader
    prints them.
    """
    paper = load_paper(SLUG)
    table = paper.table("t4")
    published = panel(table.panel, columns=table.variables, config=small_release)
    results = estimate_table(SLUG, "t4", published)
    for column, result in results.items():
        assert result.n == len(published), result.note()
        assert result.groups["year"] == 10
        assert np.isfinite([result.coefficients, result.standard_errors]).all(), column
    capsys.readouterr()
    assert main([SLUG, "t4", "--columns", "1", "6", "--config", str(small_release.path)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("SIMULATED DATA")
    for result in (results[1], results[6]):
        assert f"({result.t_statistics['zone_did']:.3f})" in shown
    assert "(7.508)" in shown
    assert "(4.614)" in shown


def test_a_command_that_fails_says_why_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([SLUG, "t9"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "no table 't9'" in shown.err


def test_linearmodels_estimates_the_same_slopes(small_release: Config) -> None:
    """Table 4, columns 1 and 6, off the published panel, by linearmodels' PanelOLS."""
    paper = load_paper("ecommerce_resilience")
    frame = panel("panel_ecommerce_resilience", years=paper.years, config=small_release.path)
    for column, result in estimate_table("ecommerce_resilience", "t4", frame, [1, 6]).items():
        slopes = panel_ols_slopes(frame, result)
        assert list(slopes.index) == list(paper.table("t4").columns[column])
        assert largest_difference(frame, result) < 1e-9
