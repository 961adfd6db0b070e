"""The rows of a paper's samples: by hand, as printed, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.papers import PaperError, samples
from analysis.papers.published import FOLDER, read_published
from analysis.papers.samples import COLUMNS, count_samples, load_samples
from analysis.papers.statistics import load_statistics, statistics_names
from analysis.report import compare_statistics
from analysis.report.__main__ import main
from warehouse.settings.config import Config

HEAD = ",".join(COLUMNS) + "\n"
ROWS = {"N", "Observations", "样本量", "观测值", "观测数"}
SINGLE = 'big,4,panel_x,x > 1 and group == "a",y,city,3,2,too few\nall,1,panel_x,,,,4,,\n'


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(samples, "FOLDER", tmp_path)
    (tmp_path / "p").mkdir()
    return tmp_path / "p" / "published_samples.csv"


def test_rows_and_units_by_hand(written: Path) -> None:
    written.write_text(HEAD + SINGLE, encoding="utf-8")
    loaded = load_samples("p")
    assert loaded.needs() == {"panel_x": ["x", "group", "y", "city"]}
    frame = pd.DataFrame(
        {
            "city": ["1", "1", "2", "3", "4"],
            "x": [2, 3, None, 5, 2],
            "y": [1, 1, 1, None, 1],
            "group": ["a", "a", "a", "a", "b"],
        }
    )
    # x is not known in row 3, y not in row 4, and row 5 is of group b
    found = count_samples(loaded, {"panel_x": frame})
    assert found["our_observations"].tolist() == [2, 5]
    assert found["our_units"].tolist()[0] == 1
    assert found["our_units"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("big,4,panel_x,x >,y,city,3,2,", "is not an expression"),
        ("big,4,,,,,3,,", "line 2: a sample, its panel and a number of rows"),
        ("big,4,panel_x,,,,three,,", "line 2: a sample, its panel and a number of rows"),
        ("big,4,panel_x,,,,3,2,", "line 2: units are a number, and need the column"),
    ],
)
def test_what_does_not_hold_together_is_refused(written: Path, line: str, message: str) -> None:
    written.write_text(HEAD + line + "\n", encoding="utf-8")
    with pytest.raises(PaperError, match=message):
        load_samples("p")
    written.write_text("sample\nbig\n", encoding="utf-8")
    with pytest.raises(PaperError, match="columns are sample"):
        load_samples("p")


@pytest.mark.parametrize("slug", statistics_names())
def test_every_sample_was_printed(slug: str) -> None:
    """The rows of a sample stand in the paper; a number of its own that is none says why."""
    cells = read_published(FOLDER / slug / "published.csv")
    printed = {int(float(cell)) for cell in cells[cells["row"].isin(ROWS)]["coefficient"]}
    printed |= set(load_statistics(slug).numbers["observations"].dropna().astype(int))
    loaded = load_samples(slug).rows
    assert len(loaded) >= 5
    odd = loaded[~loaded["observations"].isin(printed)]
    assert odd["reason"].ne("").all(), odd["sample"].tolist()
    assert len(odd) <= 1


def test_inferred_observations_and_reasons_stand_beside_the_numbers() -> None:
    published = load_statistics("digital_export_resilience")
    assert set(published.numbers["observations_are"]) == {"inferred"}
    assert set(load_statistics("ecommerce_resilience").numbers["observations_are"]) == {"printed"}
    frame = pd.DataFrame({name: [0.0, 1.0] for name in published.variables})
    frame.attrs = {"simulated": False}
    counted = pd.DataFrame(
        [["s", "3", "", "", "", "", 10, 2, "because", 9, 2]],
        columns=[*COLUMNS, "our_observations", "our_units"],
    )
    table = compare_statistics(published, frame, counted)
    assert "3,178 i" in table.to_text()
    assert table.to_text().splitlines()[-1].split() == ["s", "3", "9", "10", "2", "2", "because"]
    assert "| s | 3 | 9 | 10 | 2 | 2 | because |" in table.to_markdown()


def test_all_papers_stand_on_one_page(
    small_release: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["all", "statistics", "--markdown", "--config", str(small_release.path)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("| sample | tables |") == len(statistics_names())
    assert "| all, with a lag | 1-3 |" in shown
