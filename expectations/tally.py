"""What checks find, counted in one query a table.

A validator asks the data anew for every expectation, several times; nearly all of them hold. Here
one query counts for all checks of a table at once, and Great Expectations judges the counts
(`judging`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from expectations.checks import Check, Suite
from warehouse.database import connect


@dataclass(frozen=True)
class Count:
    """What one check found, and within which bounds it holds.

    found : the rows of the table (`rows`), or those that break the check
    lowest, highest : the bounds, both included; None where there is none
    """

    found: int
    lowest: float | None
    highest: float | None


def tally(connection: duckdb.DuckDBPyConnection, suite: Suite) -> list[Count]:
    """The counts of a suite's checks, in their order.

    Raises
    ------
    duckdb.Error : where a check asks for what the table does not have
    """
    selected, bound = [], []
    for check in suite.checks:
        expression, values = _counted(check, suite.table)
        selected.append(expression)
        bound += values
    row = connection.execute(
        f"select {', '.join(selected)} from {_quoted(suite.table)}", bound
    ).fetchone()
    assert row is not None  # an aggregate without groups has one row
    return [
        Count(int(found), check.minimum, check.maximum)
        if check.kind == "rows"
        else Count(int(found), None, 0)
        for check, found in zip(suite.checks, row, strict=True)
    ]


def repeated_rows(
    database: Path, table: str, columns: tuple[str, ...], keys: tuple[str, ...], n: int
) -> list[str]:
    """The first rows of a key that more than one row has, with the columns that name them, as lines
    of JSON.
    """
    names = tuple(dict.fromkeys((*keys, *columns)))
    listed, by = (", ".join(map(_quoted, these)) for these in (names, columns))
    with connect(database, read_only=True) as connection:
        rows = connection.execute(
            f"select {listed} from {_quoted(table)} qualify count(*) over (partition by {by}) > 1"
            f" order by all limit {n}"
        ).fetchall()
    return [
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=str)
        for row in rows
    ]


def _counted(check: Check, table: str) -> tuple[str, list[object]]:
    """The aggregate of one check, with the values for its question marks. A missing value breaks
    `not_null` and nothing else.
    """
    if check.kind == "rows":
        return "count(*)", []
    if check.kind == "unique":
        return _repeated(check.columns, table), []
    column = _quoted(check.columns[0])
    if check.kind == "not_null":
        return f"count(*) filter (where {column} is null)", []
    if check.kind == "in_set":
        marks = ", ".join("?" for _ in check.values)
        return f"count(*) filter (where {column} not in ({marks}))", list(check.values)
    bounds = [
        (f"{column} {sign} ?", value)
        for sign, value in (("<", check.minimum), (">", check.maximum))
        if value is not None
    ]
    broken = " or ".join(comparison for comparison, _ in bounds)
    return f"count(*) filter (where {broken})", [value for _, value in bounds]


def _repeated(columns: tuple[str, ...], table: str) -> str:
    """All rows of a key that more than one row has. Of one column, missing values are no key; of
    several, they are a value like another.
    """
    listed = ", ".join(map(_quoted, columns))
    kept = f" where {listed} is not null" if len(columns) == 1 else ""
    return (
        "(select coalesce(sum(n), 0) from (select count(*) as n"
        f" from {_quoted(table)}{kept} group by {listed} having count(*) > 1))"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
