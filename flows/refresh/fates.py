"""What left on the way to the panels: customs' export records and value by fate, and the yearbooks'
values beyond bounds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.database import connect

KEPT = "kept"
# Firms outside the municipal districts leave because the papers study the districts: no warning is
# due.
BY_DESIGN = frozenset({KEPT, "county_firm"})
# Of records that leave for this reason, the sources that may be missing, and what else it may be.
CAUSES: dict[str, tuple[tuple[str, ...], str]] = {
    "missing_place": (
        (),
        (
            "their files do not say where the goods were made (a column of the layout is missing or"
            " empty)"
        ),
    ),
    "unknown_place": (
        (),
        (
            "their production places name no city of seeds/geography/city_names"
            " (intermediate.int_geography__place lists them)"
        ),
    ),
    "outside_spine": (
        (),
        "they were made in leagues, prefectures and counties outside the 297 cities",
    ),
    "missing_partner": ((), "their files do not say where the goods went"),
    "unknown_partner": (
        (),
        (
            "their partners are in neither seeds/geography/countries nor country_names"
            " (intermediate.int_trade__partner lists them)"
        ),
    ),
    "no_hs_revision": (
        (),
        "seeds/judgments/hs_revisions does not say which HS revision customs used in these years",
    ),
    "unknown_hs": (
        ("concordance",),
        (
            "their codes are in no table of their year's HS revision: are these codes of another"
            " revision?"
        ),
    ),
    "no_exchange_rate": (
        ("prices",),
        "they are in CNY, and no file of prices has an exchange rate of these years",
    ),
    "value_out_of_bounds": (
        (),
        "their value is beyond what one record can have (100 billion USD): is their unit another?",
    ),
    "no_postcode": (
        (),
        "their firms have no postcode in any year (a column of the layout is missing or empty)",
    ),
    "unknown_postcode": (
        ("postcodes", "divisions"),
        (
            "their postcodes lead to no district: are there lists of postcodes and divisions of"
            " these years?"
        ),
    ),
}


@dataclass(frozen=True)
class CustomsFates:
    """
    rows : year, fate, records_n, value_usd: each accepted export record of the years asked for is
        in one of them
    unmatched : HS revisions that records were filed under and that no concordance leads from
    """

    rows: tuple[dict[str, Any], ...] = ()
    unmatched: tuple[int, ...] = ()


def customs_fates(database: Path) -> CustomsFates:
    """What the models of a built file made of export records."""
    fates = (
        "select year, fate, records_n, (value_cents::decimal(38, 2) / 100)::double as value_usd"
        " from intermediate.int_trade__reconciliation order by all"
    )
    unmatched = (
        "select distinct y.hs_revision from intermediate.int_trade__reconciliation as r inner join"
        " intermediate.int_time__year as y on r.year = y.year where r.fate = 'unknown_hs' and"
        " y.hs_revision not in (select revision from intermediate.int_concordance__hs2002) order"
        " by all"
    )
    with connect(database, read_only=True) as connection:
        cursor = connection.execute(fates)
        names = [column[0] for column in cursor.description or []]
        rows = tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
        return CustomsFates(
            rows, tuple(revision for (revision,) in connection.execute(unmatched).fetchall())
        )


def fate_lines(
    fates: CustomsFates, filled: Collection[str], years: tuple[int, int], warned_share: float
) -> list[str]:
    """Records and value by fate, the largest first, and a warning with its likely cause for each
    that takes too much.

    Parameters
    ----------
    filled : the sources that have data; without customs there is nothing to say
    warned_share : of the exports' value, or of their records where no value is known; a fate that
        takes more is warned of
    """
    if "customs" not in filled:
        return []
    if not fates.rows:
        return [
            f"warning: customs: no export record between {years[0]} and {years[1]} was accepted, so"
            " nothing is exported. Check flow and years."
        ]
    records, values = _sums(fates.rows)
    all_n, all_usd = sum(records.values()), sum(values.values())
    shares = {
        fate: values[fate] / all_usd if all_usd else records[fate] / all_n for fate in records
    }
    ranked = sorted(shares, key=lambda fate: (fate != KEPT, -shares[fate], fate))
    told = ", ".join(
        f"{fate} {records[fate]:,} records, {values[fate]:,.0f} USD ({shares[fate]:.1%})"
        for fate in ranked
    )
    lines = [
        f"customs: of {all_n:,} export records, {all_usd:,.0f} USD: {told} (from"
        " meta.customs_fates)."
    ]
    for fate in ranked:
        if fate not in BY_DESIGN and shares[fate] > warned_share:
            cause = _cause(fate, fates.unmatched, filled)
            lines.append(
                f"warning: customs: {shares[fate]:.1%} of the exports' value leaves as {fate} (more"
                f" than {warned_share:.0%}): {cause}."
            )
    if KEPT not in records:
        lines.append("warning: customs: no export record is kept, so every trade column is null.")
    return lines


def _sums(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, int], dict[str, float]]:
    records: dict[str, int] = defaultdict(int)
    values: dict[str, float] = defaultdict(float)
    for row in rows:
        records[row["fate"]] += row["records_n"]
        values[row["fate"]] += row["value_usd"] or 0.0
    return records, values


def _cause(fate: str, unmatched: Sequence[int], filled: Collection[str]) -> str:
    """The likely cause: a source that is missing, a revision without its table, or what the fate
    itself says.
    """
    wanted, otherwise = CAUSES.get(fate, ((), "see intermediate.int_trade__reconciliation"))
    missing = [source for source in wanted if source not in filled]
    if missing:
        return (
            f"there are no data of {' and '.join(missing)}; add"
            f" {' and '.join(f'[sources.{source}]' for source in missing)}"
        )
    if fate == "unknown_hs" and unmatched:
        revisions = ", ".join(f"HS{revision}" for revision in unmatched)
        return (
            f"no file of concordance leads from {revisions} to HS2002; add UNSD's table to"
            " [sources.concordance]"
        )
    return otherwise


def left_out_lines(database: Path) -> list[str]:
    """How many values of the yearbooks are left out for which problem, and how many jump and are
    used; no line where none.
    """
    query = (
        "select problem, count(*) from intermediate.int_city__values_left_out group by all order"
        " by count(*) desc, problem"
    )
    with connect(database, read_only=True) as connection:
        found = connection.execute(query).fetchall()
        (jumps,) = connection.execute(
            "select count(*) from intermediate.int_city__doubtful_values where problem ="
            " 'printed_alike'"
        ).fetchone() or (0,)
    lines = []
    if found:
        named = ", ".join(f"{problem} {count:,}" for problem, count in found)
        total = sum(count for _, count in found)
        lines.append(
            f"yearbook: {total:,} values are left out: {named} (from int_city__values_left_out)."
        )
    if jumps:
        lines.append(
            f"yearbook: {jumps:,} values jump by a power of ten and are used, for three editions"
            " print them alike (from int_city__doubtful_values)."
        )
    return lines
