"""What a customs file's columns become: the select list of the common table of texts, and what a
file states of all its rows.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from functools import partial

from warehouse.errors import SourceError
from warehouse.lake.loads import sql_text
from warehouse.sources.customs.judging import Stated
from warehouse.sources.customs.layouts import CustomsLayout
from warehouse.sources.reading.base import RawFile

PLAIN = (
    "hs_text",
    "quantity_text",
    "quantity_unit",
    "firm_code",
    "firm_name",
    "postcode",
    "telephone",
    "production_place",
)
# The lake's column that a field fills, where it has another name; and the fields because of which
# another is not read.
FILLS = {
    "date_text": "year", "year_text": "year", "month_text": "month", "flow_text": "flow",
    "hs_text": "hs8", "value_text": "value_cents",
    "value_cny_text": "value_cents", "quantity_text": "quantity", "trade_mode_code": "trade_mode",
    "trade_mode_name": "trade_mode",
}  # fmt: skip
BETTER = {
    "year_text": ("date_text",),
    "month_text": ("date_text",),
    "value_cny_text": ("value_text",),
}
MONTH_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d{2})[-_.年]?(0[1-9]|1[0-2])(?!\d)")
YEAR_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")


class Selection:
    """The select list that turns a file's columns into the common table of texts.

    Where a file has no date or no flow in its rows, the date comes from its name and the flow from
    the configuration.
    """

    def __init__(self, spec: CustomsLayout, raw: RawFile, fields: dict[str, str]) -> None:
        self.spec, self.fields = spec, fields
        given = {"date_text", "year_text", "flow_text"} & set(fields)
        self._date = _date_in_name(spec, raw) if not given & {"date_text", "year_text"} else ""
        self._flow = _flow_given(raw) if "flow_text" not in given else ""
        self.stated = Stated(
            has_months=bool({"date_text", "month_text"} & set(fields)) or "-" in self._date,
            has_places="production_place" in fields,
            has_partners=bool({"partner_code", "partner_name"} & set(fields)),
            currency="USD" if "value_text" in fields else "CNY",
        )

    def fates(self, heads: tuple[str, ...]) -> tuple[dict[int, str], dict[int, str]]:
        """Position of a head -> the lake's column that it fills, and for the others that are known
        why they are not read.
        """
        taken, reasons = {}, {}
        for field, head in self.fields.items():
            better = next((other for other in BETTER.get(field, ()) if other in self.fields), None)
            if better is None:
                taken[heads.index(head)] = FILLS.get(field, field)
            else:
                reasons[heads.index(head)] = f"{self.fields[better]} is read instead"
        return taken, reasons

    def sql(self, column: Callable[[str], str]) -> str:
        """The list, without `line`; `column` gives the SQL for a field that the file has."""
        of = partial(self._text, column)
        parts = {
            "date_text": self._date_text(of),
            "flow_text": sql_text(self._flow) if self._flow else of("flow_text"),
            "value_text": of("value_text" if "value_text" in self.fields else "value_cny_text"),
            "partner_text": self._first_of(of, "partner_code", "partner_name"),
            "trade_mode": self._first_of(of, "trade_mode_code", "trade_mode_name"),
            **{field: of(field) for field in PLAIN},
        }
        return ", ".join(f"{expression} as {name}" for name, expression in parts.items())

    def _text(self, column: Callable[[str], str], field: str) -> str:
        """A field's text, null where the file lacks the field or has the layout's missing text."""
        if field not in self.fields:
            return "null::varchar"
        return (
            f"nullif({column(field)}, {sql_text(self.spec.missing)})"
            if self.spec.missing
            else column(field)
        )

    def _first_of(self, of: Callable[[str], str], *names: str) -> str:
        there = [f"nullif({of(name)}, '')" for name in names if name in self.fields]
        return (
            f"coalesce({', '.join(there)})"
            if len(there) > 1
            else there[0]
            if there
            else "null::varchar"
        )

    def _date_text(self, of: Callable[[str], str]) -> str:
        if self._date:
            return sql_text(self._date)
        if "date_text" in self.fields:
            return of("date_text")
        year, month = (
            f"regexp_replace({of(field)}, '(年|月|\\.0*)$', '')"
            for field in ("year_text", "month_text")
        )
        return f"{year} || '-' || coalesce({month}, '')"


def _date_in_name(spec: CustomsLayout, raw: RawFile) -> str:
    """`2006-01` from a file's name, or `2006` where a layout allows it."""
    stem = raw.path.stem
    months = {f"{year}-{month}" for year, month in MONTH_IN_NAME.findall(stem)}
    years = set(YEAR_IN_NAME.findall(stem)) if spec.is_yearly and not months else set()
    if len(months | years) == 1:
        (date,) = months | years
        return date if months else f"{date}/"
    remedy = "Name the file after its month, for example customs_200601.csv" + (
        ", or after its year" if spec.is_yearly else ""
    )
    raise SourceError(
        raw.name, "line 1", "has no column with a date, and its name does not say one month", remedy
    )


def _flow_given(raw: RawFile) -> str:
    """The flow that the configuration gives for a file without such a column: export | import."""
    name = raw.path.name
    named = {
        flow
        for flow in ("export", "import")
        for pattern in raw.options.get(f"{flow}_files", "").split("\n")
        if pattern
        and (fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(raw.name, pattern))
    }
    if len(named) > 1:
        raise SourceError(
            raw.name,
            "",
            "is named by both export_files and import_files",
            "Leave it in one of the two lists of [sources.customs]",
        )
    flow = next(iter(named), raw.options.get("flow", ""))
    if not flow:
        remedy = (
            'Say it in the configuration, under [sources.customs]: flow = "export", '
            "or export_files = [...] and import_files = [...]"
        )
        raise SourceError(
            raw.name, "line 1", "has no column that tells exports from imports", remedy
        )
    return flow
