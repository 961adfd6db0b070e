"""What the papers printed: files that hold together, no number with two values, no broken file."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.papers import FOLDER, PaperError, read_published
from analysis.papers.statistics import load_statistics

HEADER = "table,column,row,coefficient,bracket,bracket_kind,stars,doubtful"
TABLES = {  # the papers' tables that print numbers
    "agglomeration_exports": range(1, 9),
    "agglomeration_resilience": range(1, 11),
    "digital_export_resilience": range(3, 10),
    "ecommerce_resilience": (1, 3, 4, 5, 6, 7),
    "virtual_agglomeration_quality": range(1, 9),
}
DESCRIPTIVE = {  # slug -> printed table, and its heads for observations (none printed), mean, sd
    "agglomeration_resilience": ("1", None, "均值", "标准误"),
    "ecommerce_resilience": ("3", "样本数", "均值", "标准差"),
    "virtual_agglomeration_quality": ("1", "观测值", "均值", "标准差"),
}


def printed(slug: str) -> pd.DataFrame:
    return read_published(FOLDER / slug / "published.csv")


@pytest.mark.parametrize("slug", TABLES)
def test_every_number_is_one_and_has_one_place(slug: str) -> None:
    """Read here by the standard library alone: the reader is what is tested elsewhere."""
    with (FOLDER / slug / "published.csv").open(encoding="utf-8", newline="") as file:
        assert file.readline() == HEADER + "\n"
        cells = list(csv.DictReader(file, HEADER.split(",")))
    assert len({(cell["table"], cell["column"], cell["row"]) for cell in cells}) == len(cells)
    assert {int(cell["table"]) for cell in cells} == set(TABLES[slug])
    for cell in cells:
        assert np.isfinite(float(cell["coefficient"])), cell
        assert cell["bracket_kind"] in ({"t", "se", "p"} if cell["bracket"] else {""}), cell
        assert not cell["bracket"] or np.isfinite(float(cell["bracket"])), cell
        assert re.fullmatch(r"\*{0,3}", cell["stars"]), cell
    assert len(printed(slug)) == len(cells)


def test_every_folder_with_published_numbers_is_a_paper() -> None:
    assert {file.parent.name for file in FOLDER.glob("*/published.csv")} == set(TABLES)


@pytest.mark.parametrize("slug", DESCRIPTIVE)
def test_statistics_are_the_same_numbers(slug: str) -> None:
    table, *heads = *DESCRIPTIVE[slug], "最小值", "最大值"
    cells = printed(slug).set_index("table").loc[table]
    cells = cells.pivot(index="row", columns="column", values="coefficient")
    numbers = load_statistics(slug).numbers.set_index("paper_name")
    assert set(numbers.index) == set(cells.index)
    names = ["observations", "mean", "sd", "minimum", "maximum"]
    for name, head in zip(names, heads, strict=True):
        if head is None:
            assert numbers[name].isna().all()
        else:
            there = cells.loc[numbers.index, head].astype("float64")
            assert numbers[name].tolist() == there.tolist(), name


def test_weights_are_the_same_numbers() -> None:
    slug = "ecommerce_resilience"
    weights = pd.read_csv(FOLDER / slug / "published_weights.csv")["weight"]
    cells = printed(slug).query("table == '1'")["coefficient"].astype("float64")
    assert weights.tolist() == cells.tolist()
    assert weights.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "columns are ; table, "),
        ("table,column\n1,1", "columns are table, column; table, .* doubtful expected"),
        (HEADER + "\n1,1,x,,,,,", r"line 2 \(1, 1, x\): its coefficient is not a number"),
        (HEADER + '\n1,1,x,"1,900",,,,', "line 2 .*: its coefficient is not a number"),
        (HEADER + "\n1,1,x,−0.1,,,,", "line 2 .*: its coefficient is not a number"),
        (HEADER + "\n1,1,x,nan,,,,", "line 2 .*: its coefficient is not a number"),
        (HEADER + "\n1,1,x,1,0..1,t,,", "line 2 .*: its bracket is not a number"),
        (HEADER + "\n1,1,x,1,0.1,,*,", r"line 2 .*: its bracket has no kind \(t, se, p\)"),
        (HEADER + "\n1,1,x,1,0.1,sd,*,", "line 2 .*: its bracket has no kind"),
        (HEADER + "\n1,1,x,1,,t,*,", "line 2 .*: it has a kind and no bracket"),
        (HEADER + "\n1,1,x,1,,,****,", "line 2 .*: its stars are not"),
        (HEADER + "\n1,1,x,1,,,,\n1,1,x,2,,,,", "line 3 .*: the same table, column and row"),
        (HEADER + "\n1,,x,1,,,,", "line 2 .*: it names no table, column or row"),
        (HEADER + "\n1,1,x,1,,,,\n\n1,1,y,1", "line 3: 0 fields; 8 expected"),
        (HEADER + "\n1,1,x,1,,,,,,,", "line 2: 11 fields; 8 expected"),
        (HEADER + '\n1,1,"x,1,,,,', "not a csv file in UTF-8"),
        (HEADER + "\n1,1,\udcff,1,,,,", "not a csv file in UTF-8"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, lines: str, message: str) -> None:
    file = tmp_path / "published.csv"
    file.write_bytes((lines + "\n").encode("utf-8", "surrogateescape"))
    with pytest.raises(PaperError, match=message):
        read_published(file)


def test_numbers_stay_as_printed(tmp_path: Path) -> None:
    file = tmp_path / "published.csv"
    file.write_text(HEADER + "\n3,4,LM,2.4e+04,,,***,\n3,5,NA,-.275,0.10,p,,a digit lost\n")
    first, second = read_published(file).to_numpy().tolist()
    assert first == ["3", "4", "LM", "2.4e+04", "", "", "***", ""]
    assert second == ["3", "5", "NA", "-.275", "0.10", "p", "", "a digit lost"]
