"""The columns that every lake table has, and how a source says which tables it delivers.

A source declares its tables beside its reader, column by column, in DuckDB types. Values are in
base units (CNY, USD, persons, km2), never in 万元 or 亿元, except `value_cents` (hundredths of a
USD, or of `currency` where that column stands). Names and codes are as published; the models, not
the readers, say which city or product they mean.
"""

from __future__ import annotations

from collections.abc import Mapping

Columns = Mapping[str, str]  # name -> DuckDB type
Tables = Mapping[str, Columns]

LINEAGE = {"file_id": "varchar", "line": "bigint", "load_id": "varchar"}

SET_ASIDE = {
    "source": "varchar",
    "table_name": "varchar",
    "reason": "varchar",
    "detail": "varchar",
    "value_cents": "bigint",
    "year": "smallint",
    **LINEAGE,
}


def stored(columns: Columns) -> dict[str, str]:
    """The columns of a lake table as they are stored, lineage last."""
    return {**columns, **LINEAGE}


def as_select(columns: Columns, given: Mapping[str, str]) -> str:
    """A select list that casts every column to its type; `given` says what stands for a column that
    is not named after it.
    """
    return ", ".join(f"{given.get(name, name)}::{kind} as {name}" for name, kind in columns.items())
