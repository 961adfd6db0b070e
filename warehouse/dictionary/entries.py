"""The dictionary of columns: type, kind, unit, labels, definition, source and bounds, from its one
home in the dbt project.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import CitytradeError
from warehouse.project import SEEDS

COLUMNS = SEEDS / "dictionary" / "columns.csv"
FIELDS = (
    "column_name",
    "data_type",
    "kind",
    "unit",
    "label_en",
    "label_zh",
    "definition",
    "definition_zh",
    "source",
    "minimum",
    "maximum",
    "bound_reason",
)


# What a column is for. `indicator`: a yearbook prints it of a city, and the panels list it in the
# dictionary's order.
KINDS = frozenset({
    "key", "name", "indicator", "measure", "index", "log", "lag", "standardised", "dummy", "flag",
    "group", "instrument", "note",
})  # fmt: skip


@dataclass(frozen=True)
class ColumnEntry:
    """One column's row; a bound is None where none is known."""

    column_name: str
    data_type: str
    kind: str
    unit: str
    label_en: str
    label_zh: str
    definition: str
    definition_zh: str
    source: str
    minimum: float | None
    maximum: float | None
    bound_reason: str


def read_dictionary(file: Path | None = None) -> dict[str, ColumnEntry]:
    """Every entry, by column name.

    Raises
    ------
    CitytradeError : a missing column, a name that stands twice, a kind that is not in KINDS, a
        definition that is missing in a language, or a bound that is not a number.
    """
    file = file or COLUMNS
    entries: dict[str, ColumnEntry] = {}
    with file.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        missing = [name for name in FIELDS if name not in (reader.fieldnames or [])]
        if missing:
            raise CitytradeError(
                f"{file}: column {', '.join(missing)} is missing. Add it to the header."
            )
        for row in reader:
            name = row["column_name"]
            if name in entries:
                raise CitytradeError(
                    f"{file}, line {reader.line_num}: {name} stands twice. Keep one row."
                )
            if row["kind"] not in KINDS:
                raise CitytradeError(
                    f"{file}, line {reader.line_num}: {name} has the kind {row['kind']!r}. Write"
                    f" one of {', '.join(sorted(KINDS))}."
                )
            for field in ("definition", "definition_zh"):
                if not (row[field] or "").strip():
                    raise CitytradeError(
                        f"{file}, line {reader.line_num}: {name} has no {field}. Write what the"
                        " column is, in English and in Chinese."
                    )
            texts = {key: row[key] or "" for key in FIELDS if key not in ("minimum", "maximum")}
            entries[name] = ColumnEntry(
                **texts,
                minimum=_bound(file, reader.line_num, row["minimum"]),
                maximum=_bound(file, reader.line_num, row["maximum"]),
            )
    return entries


def _bound(file: Path, line: int, text: str | None) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise CitytradeError(
            f"{file}, line {line}: the bound {text!r} is not a number. Write e.g. 0 or leave it"
            " empty."
        ) from error
