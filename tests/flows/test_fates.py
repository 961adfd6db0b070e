"""Customs value that leaves is said: records and value by fate, a warning above a share, and the
likely cause.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from flows.refresh.fates import CustomsFates, customs_fates, fate_lines, left_out_lines
from warehouse import connect
from warehouse.errors import ConfigError
from warehouse.releases.publish import DATABASE, current_release
from warehouse.settings.config import Config, load_config

YEARS = (2000, 2021)
ALL = ("customs", "concordance", "divisions", "postcodes", "prices")


def fates(*rows: tuple[int, str, int, float], unmatched: tuple[int, ...] = ()) -> CustomsFates:
    names = ("year", "fate", "records_n", "value_usd")
    return CustomsFates(tuple(dict(zip(names, row, strict=True)) for row in rows), unmatched)


def test_records_and_value_by_fate_add_up_over_the_years() -> None:
    found = fates(
        (2000, "kept", 7, 700.0),
        (2001, "kept", 1, 100.0),
        (2001, "county_firm", 1, 150.0),
        (2001, "unknown_hs", 1, 50.0),
    )
    assert fate_lines(found, ALL, YEARS, 0.1) == [
        "customs: of 10 export records, 1,000 USD: kept 8 records, 800 USD (80.0%), county_firm 1"
        " records, 150 USD (15.0%), unknown_hs 1 records, 50 USD (5.0%) (from meta.customs_fates)."
    ]


@pytest.mark.parametrize(
    ("fate", "filled", "unmatched", "cause"),
    [
        (
            "unknown_hs",
            ("customs",),
            (2007,),
            "there are no data of concordance; add [sources.concordance]",
        ),
        (
            "unknown_hs",
            ALL,
            (2007, 2012),
            (
                "no file of concordance leads from HS2007, HS2012 to HS2002; add UNSD's table to"
                " [sources.concordance]"
            ),
        ),
        ("unknown_hs", ALL, (), "are these codes of another revision?"),
        (
            "unknown_postcode",
            ("customs", "concordance"),
            (),
            "no data of postcodes and divisions; add [sources.postcodes] and [sources.divisions]",
        ),
        (
            "unknown_postcode",
            ("customs", "divisions"),
            (),
            "no data of postcodes; add [sources.postcodes].",
        ),
        ("no_exchange_rate", ("customs",), (), "no data of prices"),
        ("a_new_reason", ALL, (), "see intermediate.int_trade__reconciliation"),
    ],
)
def test_what_leaves_above_the_share_is_warned_of_with_its_cause(
    fate: str, filled: tuple[str, ...], unmatched: tuple[int, ...], cause: str
) -> None:
    found = fates((2008, "kept", 8, 80.0), (2008, fate, 2, 20.0), unmatched=unmatched)
    _, warning = fate_lines(found, filled, YEARS, 0.1)
    assert warning.startswith(
        f"warning: customs: 20.0% of the exports' value leaves as {fate} (more than 10%): "
    )
    assert cause in warning
    assert len(fate_lines(found, filled, YEARS, 0.2)) == 1


def test_records_without_a_known_value_are_counted() -> None:
    _, warning, nothing = fate_lines(
        fates((2008, "no_exchange_rate", 3, 0.0)), ("customs",), YEARS, 0.1
    )
    assert "100.0% of the exports' value leaves as no_exchange_rate" in warning
    assert nothing == "warning: customs: no export record is kept, so every trade column is null."


def test_nothing_exported_is_never_silent() -> None:
    assert fate_lines(fates(), ("customs",), (2000, 2003), 0.1) == [
        "warning: customs: no export record between 2000 and 2003 was accepted, so nothing is"
        " exported. Check flow and years."
    ]
    assert fate_lines(fates(), ("yearbook",), YEARS, 0.1) == []


def test_the_release_keeps_every_record_s_fate(small_release: Config) -> None:
    release = current_release(small_release.home)
    assert release is not None
    found = customs_fates(small_release.builds / release / DATABASE)
    with connect(small_release) as connection:
        kept = connection.execute(
            "select year, fate, records_n, value_usd from meta.customs_fates order by all"
        ).fetchall()
        exports = connection.execute(
            "select sum(export_value_usd)::double from city_year"
        ).fetchone()
    assert kept == [tuple(row.values()) for row in found.rows]
    assert found.unmatched == ()
    assert exports == (
        pytest.approx(sum(value for _, fate, _, value in kept if fate == "kept"), rel=1e-12),
    )


def test_values_left_out_are_counted_by_problem(tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "create schema intermediate; create table intermediate.int_city__values_left_out"
            " (problem varchar); create table intermediate.int_city__doubtful_values"
            " (problem varchar)"
        )
    assert left_out_lines(database) == []
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "insert into intermediate.int_city__values_left_out values ('out_of_bounds'),"
            " ('interpolated'), ('interpolated'); insert into"
            " intermediate.int_city__doubtful_values values ('power_of_ten'), ('printed_alike')"
        )
    assert left_out_lines(database) == [
        "yearbook: 3 values are left out: interpolated 2, out_of_bounds 1"
        " (from int_city__values_left_out).",
        "yearbook: 1 values jump by a power of ten and are used, for three editions print them"
        " alike (from int_city__doubtful_values).",
    ]


@pytest.mark.parametrize("value", ["-0.1", "1.5", "true", '"much"'])
def test_the_share_is_a_share(tiny_config: Config, value: str) -> None:
    tiny_config.path.write_text(
        f'[sources.customs]\nfiles = ["x"]\nwarn_left_share = {value}\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="is no share between 0 and 1"):
        load_config(tiny_config.path)


def test_only_customs_has_the_share(tiny_config: Config) -> None:
    tiny_config.path.write_text(
        '[sources.customs]\nfiles = ["x"]\nwarn_left_share = 0.05\n', encoding="utf-8"
    )
    customs = load_config(tiny_config.path).sources["customs"]
    assert customs.controls.warn_left_share == 0.05
    assert "warn_left_share" not in customs.options
    tiny_config.path.write_text(
        '[sources.yearbook]\nfiles = ["x"]\nwarn_left_share = 0.05\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="unknown key 'warn_left_share'"):
        load_config(tiny_config.path)
