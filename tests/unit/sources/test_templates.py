"""A template is a promise: its file is recognised and its row read by the very source it is for."""

from __future__ import annotations

import pytest

from warehouse.errors import CitytradeError
from warehouse.sources import SOURCES, get_source
from warehouse.sources.templates import MARK_HEAD, WITHOUT, template, templates, write_template

QUANTITY = {"q"}  # BACI has it, and nothing here needs it
ALL = [(source, one.layout) for source in SOURCES for one in templates(source)]


def test_every_source_has_a_template_or_says_why_not():
    assert {source for source, _ in ALL} | set(WITHOUT) == set(SOURCES)
    assert not {source for source, _ in ALL} & set(WITHOUT)


@pytest.mark.parametrize(("source", "layout"), ALL, ids=[f"{a}-{b}" for a, b in ALL])
def test_a_template_is_read_by_its_source(load, tmp_path, source, layout):
    chosen = template(source, layout)
    file = tmp_path / chosen.file
    write_template(chosen, file)
    report, tables, aside = load(source, file)
    assert report.layout == layout
    assert len(aside) == 0
    assert sum(map(len, tables.values())) == report.read_n > 0
    unread = {column["head"] for column in report.columns if column["indicator"] is None}
    if chosen.heads:
        assert unread - QUANTITY == {MARK_HEAD}
        assert len(report.columns) > len(unread)


@pytest.mark.parametrize(("source", "layout"), ALL, ids=[f"{a}-{b}" for a, b in ALL])
def test_no_other_source_reads_more_of_a_template(tmp_path, source, layout):
    from warehouse.sources.inspection.examine import opened, readings

    chosen = template(source, layout)
    write_template(chosen, tmp_path / chosen.file)
    with opened(tmp_path / chosen.file) as (raw, folder):
        assert readings(raw, folder)[0][0].source == source


def test_a_layout_is_one_of_its_source():
    for source, layout in ALL:
        assert layout in [one.name for one in get_source(source).layouts]


def test_a_template_is_never_written_over_a_file(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("mine")
    with pytest.raises(CitytradeError, match=r"mine\.csv: is there already"):
        write_template(template("customs"), file)
    assert file.read_text() == "mine"


def test_unknown_names_are_answered():
    with pytest.raises(CitytradeError, match="Did you mean postcodes"):
        template("postcode")
    with pytest.raises(CitytradeError, match="no layout 'x'. There are: seats, ports_csv"):
        template("geography", "x")
    with pytest.raises(CitytradeError, match="there is none: an input-output table is a matrix"):
        template("input_output")
