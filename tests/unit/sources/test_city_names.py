"""Every source that names cities knows them by the same names, and mends the same misprints."""

from __future__ import annotations

import csv

import pytest

from warehouse.dictionary.places import CORRECTIONS, city_name, city_names, corrected_names
from warehouse.sources.templates import CITY, templates, write_template

NAMES = ("毫州市", "浙江杭州", "杭州市①")
MEANT = ("亳州市", "杭州", "杭州市")
COLUMNS = ("city_name", "name_2018", "name")
NAMING = [
    (source, one.layout)
    for source in ("yearbook", "digital_finance", "postcodes", "geography", "prices", "policies",
                   "history", "innovation")
    for one in templates(source)
    if not isinstance(one.rows, str) and any(CITY in row for row in one.rows)
]  # fmt: skip


def test_a_correction_names_a_city_and_replaces_none():
    with CORRECTIONS.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len({row["name_printed"] for row in rows}) == len(rows) == len(corrected_names())
    for row in rows:
        assert row["city_name"] in city_names()
        assert row["name_printed"] not in city_names()
        assert row["reason"]
        assert city_name(f" {row['name_printed']}① ") == row["city_name"]


@pytest.mark.parametrize(("source", "layout"), NAMING, ids=[f"{a}-{b}" for a, b in NAMING])
@pytest.mark.parametrize(("printed", "meant"), list(zip(NAMES, MEANT, strict=True)))
def test_every_source_accepts_them(load, tmp_path, source, layout, printed, meant):
    from dataclasses import replace

    chosen = next(one for one in templates(source) if one.layout == layout)
    rows = [[printed if cell == CITY else cell for cell in row] for row in chosen.rows]
    write_template(replace(chosen, rows=rows), tmp_path / chosen.file)
    _, tables, aside = load(source, tmp_path / chosen.file)
    assert aside.empty, aside["detail"].tolist()
    (frame,) = tables.values()
    found = next(column for column in COLUMNS if column in frame)
    assert set(frame[found]) == {meant}
