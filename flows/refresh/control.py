"""Deliveries against what the configuration says of them: control totals, changes to hold, and how
fresh they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flows.refresh.outcomes import SourceOutcome, former_loads, stopped
from warehouse.database import connect
from warehouse.lake.loads import LoadReport, load_folder, sql_text
from warehouse.releases.meta import STALE
from warehouse.releases.publish import Manifest
from warehouse.settings.config import Config
from warehouse.settings.controls import Controls
from warehouse.sources import lake_tables

SHOWN = 3
VALUES = {"customs": "customs__records"}


@dataclass(frozen=True)
class YearTotal:
    """What a source's loads hold of a year. read_n counts set-aside rows whose year is known too;
    cents likewise.
    """

    accepted_n: int
    read_n: int
    cents: int


def control(
    config: Config,
    outcomes: Sequence[SourceOutcome],
    manifest: Manifest | None,
    confirmed: frozenset[str],
) -> list[SourceOutcome]:
    """Hold every source that misses a control total, or has changed more than its share since the
    former release and is not confirmed.
    """
    told = []
    for outcome in outcomes:
        controls = (
            config.sources[outcome.source].controls
            if outcome.source in config.sources
            else Controls()
        )
        if outcome.status == "loaded":
            problem = missed_totals(config.lake, outcome, controls) or _changed(
                config.lake, outcome, controls, manifest, confirmed
            )
            if problem:
                outcome = stopped(
                    "held", outcome.source, problem, manifest, config.lake, outcome.is_simulated
                )
        told.append(outcome)
    return told


def tell_stale(config: Config, outcomes: Sequence[SourceOutcome]) -> list[SourceOutcome]:
    """Say of every source whose publisher has released later years than the data hold; the clock
    alone says nothing.
    """
    told = []
    for outcome in outcomes:
        through = (
            config.sources[outcome.source].controls.published_through
            if outcome.source in config.sources
            else None
        )
        last = max(
            (load.last_year for load in outcome.loads if load.last_year is not None), default=None
        )
        if through is not None and last is not None and last < through:
            stale = STALE.format(through=through, last=last)
            outcome = replace(
                outcome, message=f"{outcome.message}; {stale}" if outcome.message else stale
            )
        told.append(outcome)
    return told


def missed_totals(lake: Path, outcome: SourceOutcome, controls: Controls) -> str:
    """What is wrong between the control totals and the rows read; empty where all is well."""
    if not controls.totals:
        return ""
    found = year_totals(lake, outcome.loads)
    wrong = []
    for total in controls.totals:
        have = found.get(total.year, YearTotal(0, 0, 0))
        if total.rows is not None and have.read_n != total.rows:
            wrong.append(
                f"{total.year} has {have.read_n:,} rows, {total.rows:,} by the control total"
            )
        if total.value_usd is not None and have.cents != round(total.value_usd * 100):
            wrong.append(
                f"{total.year} has a value of {have.cents / 100:,.2f} USD, {total.value_usd:,.2f}"
                " by the control total"
            )
    return _listed(wrong, "Fetch the files again, or mend the totals in the configuration")


def _changed(
    lake: Path,
    outcome: SourceOutcome,
    controls: Controls,
    manifest: Manifest | None,
    confirmed: frozenset[str],
) -> str:
    share = controls.hold_change_share
    before = former_loads(manifest, outcome.source, lake)
    if share is None or outcome.source in confirmed or not before:
        return ""
    old, new = year_totals(lake, before), year_totals(lake, outcome.loads)
    wrong = []
    for year in sorted(old):
        was, now = old[year].accepted_n, new[year].accepted_n if year in new else 0
        if (
            was and abs(now - was) > share * was
        ):  # a year of which nothing was accepted before is as good as new
            wrong.append(
                f"{year} {'shrinks' if now < was else 'grows'} from {was:,} to {now:,} rows"
                f" ({(now - was) / was:+.0%}, more than {share:.0%})"
            )
    return _listed(
        wrong,
        f"Look at its files; if they are right, run `citytrade refresh --confirm {outcome.source}`",
    )


def year_totals(lake: Path, loads: Sequence[LoadReport]) -> dict[int, YearTotal]:
    """Rows and value by year over all tables of the loads that have years."""
    with connect() as connection:
        parts = []
        for load in loads:
            folder = load_folder(lake, load.source, load.load_id)
            cents = VALUES.get(load.source)
            for table in load.tables:
                if "year" in lake_tables()[table]:
                    value = "sum(value_cents)" if table == cents else "0"
                    parts.append(
                        f"select year, count(*) as good, 0 as bad, {value} as cents from"
                        f" read_parquet({sql_text(folder / f'{table}.parquet')}) group by year"
                    )
            if (folder / "set_aside.parquet").is_file():
                aside = sql_text(folder / "set_aside.parquet")
                parts.append(
                    "select year, 0 as good, count(*) as bad, coalesce(sum(value_cents), 0) as"
                    f" cents from read_parquet({aside}) group by year"
                )
        if not parts:
            return {}
        everything = " union all ".join(parts)
        query = (
            "select year, sum(good)::bigint, sum(good + bad)::bigint, sum(cents)::bigint from"
            f" ({everything}) where year is not null group by year"
        )
        return {
            year: YearTotal(good, read, cents)
            for year, good, read, cents in connection.execute(query).fetchall()
        }


def _listed(wrong: Sequence[str], remedy: str) -> str:
    if not wrong:
        return ""
    more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return f"{'; '.join(wrong[:SHOWN])}{more}. {remedy}"
