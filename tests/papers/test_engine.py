"""A paper's folder from specification to cells: levels, variants, what is refused, what is kept."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from analysis.estimators import fixed_effects
from analysis.papers import PaperError, Release, load_paper, paper_names, read_paper
from analysis.papers.cells import Cell, cells_of, verdict
from analysis.papers.run import Estimated, estimate_tables
from analysis.report import CELLS, PAGES, page_of
from analysis.report.formats import to_text
from flows.doors.sql import run_sql
from tests.papers.conftest import START
from warehouse.errors import CitytradeError
from warehouse.query.limits import Limits
from warehouse.settings.config import SimulateSettings

Write = Callable[..., Path]


def run(folder: Path, release: Release, variant: str = "", **options) -> Estimated:
    [done] = estimate_tables(read_paper(folder, variant), release, ["1"], **options)
    return done


def cell(done: Estimated, column: str, row: str):
    [found] = [one for one in done.cells if (one.column, one.row) == (column, row)]
    return found


def test_a_column_is_what_the_estimator_gives(demo: Release, write_paper: Write) -> None:
    folder = write_paper('[tables.t1]\ntitle = "T"\ncovariance = { cluster = ["city_code"] }\n')
    frame = demo.frame("main.demo", ["x", "z", "outcome"]).query("year >= 2002")
    direct = fixed_effects(frame, "outcome", ["x", "z"], covariance={"cluster": ["city_code"]})
    found = cell(run(folder, demo), "1", "X")
    assert found.ours == direct.coefficients["x"]
    assert found.std_error == direct.standard_errors["x"]
    assert cell(run(folder, demo), "1", "N").ours == 40 * 11


def test_a_column_says_anything_that_differs(demo: Release, write_paper: Write) -> None:
    """Outcome, regressors, rows, years, estimator: each column has its own, and the others keep
    the table's.
    """
    done = run(
        write_paper(
            """[tables.t1]
title = "T"
[[tables.t1.columns]]
where = 'region == "east"'
[[tables.t1.columns]]
outcome = "w"
regressors = ["x"]
[[tables.t1.columns]]
years = [2005, 2012]
regressors = ["L4.x", "z"]
rows = { X = "L4.x" }
[[tables.t1.columns]]
estimator = "instrumental_variables"
endogenous = ["w"]
instruments = ["x"]
controls = ["z"]
rows = { X = { term = "x", equation = "first stage of w" }, Z = "w" }
[[tables.t1.columns]]
from = "4"
equation = "first stage of w"
"""
        ),
        demo,
    )
    assert [cell(done, str(at), "N").ours for at in range(1, 6)] == [220, 440, 320, 440, 440]
    assert cell(done, "2", "X").ours == pytest.approx(1, abs=0.25)
    assert np.isfinite(cell(done, "3", "X").ours)  # lags reach before 2002
    assert cell(done, "4", "X").ours == cell(done, "5", "X").ours == pytest.approx(1, abs=0.25)
    assert done.estimates["4"] is done.estimates["5"]


def test_an_estimate_that_is_refused_says_why(demo: Release, write_paper: Write) -> None:
    done = run(
        write_paper(
            """[tables.t1]
title = "T"
[[tables.t1.columns]]
regressors = ["x", "nothing"]
[[tables.t1.columns]]
reason = "no firm occurs in both sources"
[[tables.t1.columns]]
where = "year > 2050"
[[tables.t1.columns]]
panel = "panel_of_nowhere"
""",
            *(f"1,{at},X,0.5,0.1,se,***," for at in range(1, 5)),
        ),
        demo,
    )
    reasons = [cell(done, str(at), "X").reason for at in range(1, 5)]
    assert "nothing" in reasons[0]
    assert reasons[1] == "no firm occurs in both sources"
    assert reasons[2]
    assert "panel_of_nowhere" in reasons[3]
    assert {cell(done, str(at), "X").verdict for at in range(1, 5)} == {"cannot be run"}


def test_a_variant_overrides_parts(demo: Release, write_paper: Write) -> None:
    folder = write_paper(
        """[variants.real]
where = "is_even"
[tables.t1]
title = "T"
[tables.t1.variants.strict]
regressors = ["x"]
[[tables.t1.columns]]
[[tables.t1.columns]]
[tables.t1.columns.variants.strict]
where = 'region == "west"'
"""
    )
    assert cell(run(folder, demo, "real"), "1", "N").ours == 220
    strict = run(folder, demo, "strict")
    assert [cell(strict, c, "N").ours for c in "12"] == [440, 220]
    assert [one.row for one in strict.cells if one.column == "1"] == ["X", "N"]
    with pytest.raises(PaperError, match=r"no table has a variant 'stric'. Nearest: strict"):
        read_paper(folder, "stric")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Demo"', 'titel = "Demo"', "the file: unknown key 'titel'. Nearest: title"),
        ("[defaults]", "[defaults]\npanle = 1", r"\[defaults\]: unknown key 'panle'.*panel"),
        ('title = "T"', 'title = "T"\neffekts = ["year"]', r"\[tables.t1\]: unknown key 'effekts'"),
        ("#column", 'outcom = "x"', r"column 1: unknown key 'outcom'. Nearest: outcome"),
        ("#column", "neighbours = 3", "column 1: unknown key 'neighbours'"),
        ("#column", "options = { smal = 1 }", "options: fixed_effects has no 'smal'.*small"),
        ("#column", 'small = "HC9"', "small = 'HC9' is not known"),
        ("#column", 'estimator = "fixed_efects"', "unknown estimator 'fixed_efects'.*fixed_eff"),
        ("#column", 'estimator = "psm_did"', "psm_did needs treatment, unit, time, covariates"),
        ("#column", 'prepare = [{ lagg = "x" }]', "a step has one verb of lag, log"),
        ("#column", 'prepare = [{ lag = "x", period = 2 }]', "unknown key 'period'.*periods"),
        ("#column", "where = 'open(\"x\")'", "there is no function 'open'"),
        ("#column", 'from = "0"', "from = '0' is no column before it"),
        ("#column", "years = [2012, 2002]", "years = "),
        ("#column", 'variants = { a = { tittle = "x" } }', "variant a: unknown key 'tittle'"),
        ("#column", 'rows = { X = { trem = "x" } }', "row X: unknown key 'trem'. Nearest: term"),
        ("#column", 'then = { estimator = "aggregate_effects", kin = "x" }', "has no 'kin'"),
        ("#figure", '[figures.f1]\ntitle = "F"\nkind = "placebo"\ndrwas = 1', "key 'drwas'"),
        ('title = "T"', "", "a title, and columns"),
        ("X = ", "Y = ", "line 2: table 1, column 1, X does not fit"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    write_paper: Write, old: str, new: str, message: str
) -> None:
    text = START + '[tables.t1]\ntitle = "T"\n[[tables.t1.columns]]\n#column\n#figure\n'
    assert old in text
    folder = write_paper("", "1,1,X,0.5,,,,", start=text.replace(old, new, 1))
    with pytest.raises(PaperError, match=message) as raised:
        read_paper(folder)
    assert str(folder) in str(raised.value)


def test_what_is_kept_is_not_estimated_again(demo: Release, write_paper: Write) -> None:
    """The same specification is taken from before; a changed column alone is estimated anew."""
    table = '[tables.t1]\ntitle = "T"\n[[tables.t1.columns]]\n[[tables.t1.columns]]\n'
    first = run(write_paper(table + 'where = "is_even"\n'), demo)
    again = run(write_paper(table + 'where = "is_even"\n'), Release(demo.config))
    assert (first.fresh, again.fresh) == (("1", "2"), ())
    assert again.cells == first.cells
    assert again.estimates["1"].note == first.estimates["1"].note
    assert again.estimates["1"].warnings == first.estimates["1"].warnings
    changed = run(write_paper(table + 'where = "not is_even"\n'), Release(demo.config))
    assert changed.fresh == ("2",)
    assert run(write_paper(table), demo, fresh=True).fresh == ("1", "2")


def test_estimates_are_rows_beside_the_release(demo: Release, write_paper: Write) -> None:
    import duckdb

    before = sorted((demo.config.home / "builds").rglob("*"))
    run(write_paper('[tables.t1]\ntitle = "T"\n'), demo)
    assert sorted((demo.config.home / "builds").rglob("*")) == before
    with duckdb.connect(str(demo.config.home / "estimates" / f"{demo.name}.duckdb")) as there:
        rows = there.execute(
            "select world, paper, table_name, column_name, term, estimate from"
            " estimates.estimates where kind = 'term' order by term"
        ).fetchall()
    assert [row[:5] for row in rows] == [
        ("simulated", "demo_paper", "1", "1", term) for term in ("constant", "x", "z")
    ]
    assert not list((demo.config.home / "estimates").glob(".*"))


def test_estimates_are_read_beside_the_release_by_sql(
    demo: Release, write_paper: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    statement = (
        "select term, count(*) as n from estimates.estimates join demo on true where kind = 'term'"
        " and year = 2005 group by term order by term"
    )
    limits = Limits(30, "1GB")
    with pytest.raises(CitytradeError, match="estimates"):
        run_sql(demo.config, statement, "csv", 9, limits)
    run(write_paper('[tables.t1]\ntitle = "T"\n'), demo)
    run_sql(demo.config, statement, "csv", 9, limits)
    assert capfd.readouterr().out.split() == ["term,n", "constant,40", "x,40", "z,40"]
    with pytest.raises(CitytradeError):
        run_sql(demo.config, "delete from estimates.estimates", "csv", 9, limits)


def test_every_paper_of_the_project_can_be_read() -> None:
    for slug in paper_names():
        paper = load_paper(slug)
        printed = set(paper.published["table"])
        assert printed <= set(paper.tables), slug
    with pytest.raises(PaperError, match="no paper 'ecommerce_resiliense'. Nearest: ecommerce"):
        load_paper("ecommerce_resiliense")


def test_doubts_and_warnings_stand_below_their_table(demo: Release, write_paper: Write) -> None:
    folder = write_paper(
        """[tables.t1]
title = "T"
covariance = { cluster = ["region"] }
""",
        "1,1,X,0.51,0.02,se,***,a digit lost",
        "1,1,N,440,,,,",
    )
    done = run(folder, demo)
    page = page_of(done)
    assert "(1) X, published: a digit lost." in page.notes
    said = [f"(1) Warning: {sentence}" for _, sentence in done.estimates["1"].warnings]
    assert said and [note for note in page.notes if "Warning" in note] == said
    text = to_text(page)
    assert text.startswith("SIMULATED DATA")
    assert done.estimates["1"].note in text
    assert len({len(line) for line in text.splitlines() if set(line) == {"-"}}) == 1


@pytest.mark.parametrize(
    ("ours", "p", "printed", "stars", "expected"),
    [
        (0.5, 0.001, "0.4", "***", "same sign and star"),
        (0.5, 0.03, "0.4", "***", "same sign"),
        (-0.5, 0.001, "0.4", "***", "differs"),
        (math.nan, math.nan, "0.4", "***", "cannot be run"),
        (0.5, 0.5, "", "", "not printed"),
        (2480.0, math.nan, "2480", "", "equal as printed"),
        (0.4349, math.nan, "0.43", "", "equal as printed"),
        (0.4351, math.nan, "0.43", "", "within 10 %"),
        (2300.0, math.nan, "2480", "", "within 10 %"),
        (1000.0, math.nan, "2480", "", "differs"),
    ],
)
def test_verdicts_by_hand(ours: float, p: float, printed: str, stars: str, expected: str) -> None:
    bracket = "0.1" if stars else ""
    found = Cell("1", "1", "X", ours=ours, p_value=p, printed=printed, printed_stars=stars,
                 printed_bracket=bracket)  # fmt: skip
    assert verdict(found) == expected


def test_the_truth_stands_beside_its_cell(demo: Release, write_paper: Write) -> None:
    """0.5 is the slope of x in the hand-made panel."""
    folder = write_paper('[tables.t1]\ntitle = "T"\n')
    done = run(folder, demo)
    truths = {
        "slope": {"value": 0.5, "table": "1", "column": "1", "row": "X"},
        "other": {"value": 9.0, "table": "1", "column": "1", "term": "z"},
    }
    found = {
        cell.row: cell.holds for cell in cells_of(done.paper, done.table, done.estimates, truths)
    }
    assert found == {"X": True, "Z": False, "N": None}


def test_every_format_says_whose_numbers_and_shows_names_as_text(
    demo: Release, write_paper: Write
) -> None:
    folder = write_paper('[tables.t1]\ntitle = "<b>T_1</b>"\n')
    done = run(folder, demo)
    page = page_of(done)
    for name, write in PAGES.items():
        if name == "docx":
            with zipfile.ZipFile(io.BytesIO(write(page))) as archive:
                written = archive.read("word/document.xml").decode("utf-8")
            ElementTree.fromstring(written)
        else:
            written = write(page)
        assert "SIMULATED DATA" in written, name
        assert ("<b>" in written) == (name in ("text", "md", "latex")), name
    rows = list(csv.DictReader(io.StringIO(CELLS["csv"]([done]))))
    assert {row["world"] for row in rows} == {"simulated"}
    assert float(rows[0]["ours"]) == done.cells[0].ours
    assert json.loads(CELLS["json"]([done]))[0]["cells"][0]["row"] == done.cells[0].row


def test_another_worlds_truth_stands_beside_no_release(
    demo: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world that was written again after the release has truths of its own."""
    world = tmp_path / "world"
    world.mkdir()
    file = world / "truth.json"
    file.write_text('{"headlines": {"demo_paper": {"slope": {"value": 0.5}}}}', encoding="utf-8")
    settings = SimulateSettings(directory=world, scale="small", seed=1)
    monkeypatch.setattr(demo, "config", dataclasses.replace(demo.config, simulate=settings))
    before = demo.created.timestamp() - 60
    os.utime(file, (before, before))
    assert demo.truths("demo_paper") == {"slope": {"value": 0.5}}
    assert demo.truths("another") == {}
    os.utime(file, (before + 120, before + 120))
    assert demo.truths("demo_paper") == {}
