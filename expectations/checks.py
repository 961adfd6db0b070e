"""A check as data: what is expected of a table, and what came of it. Nothing here imports Great
Expectations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning"]


@dataclass(frozen=True)
class Check:
    """One expectation of a table.

    kind : not_null | between | in_set | unique | rows
    columns : one column; several for `unique`; none for `rows`
    minimum, maximum : bounds, both included (`between`, `rows`)
    values : what may stand there (`in_set`)
    """

    kind: Literal["not_null", "between", "in_set", "unique", "rows"]
    columns: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str | int, ...] = ()
    severity: Severity = "critical"


@dataclass(frozen=True)
class Suite:
    """The checks of one table, and the columns that name a failing row."""

    name: str
    table: str
    checks: tuple[Check, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class CheckResult:
    """What one check gave.

    is_error : the check itself broke, so that nothing is known about the data; then `observed` is
        the message
    failing_rows : some of the failing rows, with their keys, as one line of text
    """

    stage: str
    suite: str
    table_name: str
    column_name: str
    check_name: str
    severity: str
    success: bool
    is_error: bool
    unexpected_n: int | None
    observed: str
    failing_rows: str

    @property
    def stops(self) -> bool:
        """Whether the data may not go on: a critical failure, or a check that broke."""
        return not self.success and (self.is_error or self.severity == "critical")

    def __str__(self) -> str:
        where = f"{self.table_name}.{self.column_name}" if self.column_name else self.table_name
        if self.is_error:
            return f"{where}: check {self.check_name} could not be run ({self.observed})"
        if self.success:
            return f"{where}: {self.check_name} holds"
        rows = f"; failing rows: {self.failing_rows}" if self.failing_rows else ""
        count = f", {self.unexpected_n:,} rows" if self.unexpected_n is not None else ""
        return (
            f"{where}: {self.check_name} fails"
            f" ({self.severity}{count}){f'; {self.observed}' if self.observed else ''}{rows}"
        )
