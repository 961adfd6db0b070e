"""The whole way from raw files to panels gives back what the simulated world knows of itself, to
the cent.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from warehouse import connect, panel
from warehouse.settings.config import Config


@pytest.fixture(scope="module")
def truth(small_release: Config) -> dict[str, Any]:
    assert small_release.simulate is not None
    return json.loads(
        next(Path(small_release.simulate.directory).glob("*truth.json")).read_text(encoding="utf-8")
    )


def test_city_year_exports_equal_the_truth(small_release: Config, truth: dict[str, Any]) -> None:
    with connect(small_release.path) as connection:
        found = connection.execute(
            """select city_code, year, (export_value_usd * 100)::bigint as export_value_cents,
                   hs6_n, destination_n
               from city_year where export_value_usd is not null order by city_code, year"""
        ).df()
    expected = pd.DataFrame(truth["city_year"])[list(found.columns)].sort_values(
        ["city_code", "year"], ignore_index=True
    )
    assert len(found) > 500
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_every_bad_row_is_set_aside_for_its_reason(
    small_release: Config, truth: dict[str, Any]
) -> None:
    with connect(small_release.path) as connection:
        found = connection.execute("""select f.file_name, a.line, a.reason from meta.set_aside as a
               inner join meta.loads as f using (load_id) where a.source = 'customs'""").fetchall()
    expected = [(Path(row["file"]).name, row["line"], row["reason"]) for row in truth["bad_rows"]]
    assert Counter(found) == Counter(expected)


def test_records_left_out_by_the_models_equal_the_truth(
    small_release: Config, truth: dict[str, Any]
) -> None:
    with connect(small_release.path) as connection:
        found = connection.execute(
            "select fate, sum(records_n)::bigint, "
            "sum(value_cents)::bigint from intermediate.int_trade__reconciliation where fate "
            "<> 'kept' group by fate"
        ).fetchall()
    expected = {
        reason: (row["records"], row["value_cents"])
        for reason, row in truth["left_out"].items()
        if row["records"]
    }
    assert {fate: (records, cents) for fate, records, cents in found} == expected


def test_panels_are_what_they_say(small_release: Config) -> None:
    frame = panel(
        "city_year",
        years=(2003, 2011),
        columns=["export_value_usd", "gdp_cny_2000"],
        config=small_release.path,
    )
    assert list(frame.columns) == ["city_code", "year", "export_value_usd", "gdp_cny_2000"]
    assert frame["year"].between(2003, 2011).all()
    assert frame.attrs["simulated"] is True
    assert frame.attrs["columns"]["gdp_cny_2000"]["unit"] == "CNY of 2000"
