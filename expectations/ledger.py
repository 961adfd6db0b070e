"""Suites that hold: a suite of which every check held on a table holds on the same table again, and
need not be asked.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from expectations.checks import CheckResult, Suite

JUDGES = ("checks.py", "duckdb_engine.py", "judging.py", "ledger.py", "run.py", "tally.py")
PACKAGES = ("duckdb", "great-expectations", "sqlalchemy", "duckdb-engine", "pandas")


class Ledger:
    """What held before, and what holds now: stage and suite -> a fingerprint of the suite, of what
    its table was made from and of the code that judges, and the rows of the table.

    It is written to on its way through the steps of a refresh, so it is no dataclass, which Prefect
    may hand on as a copy.
    """

    __slots__ = ("before", "now")

    def __init__(self, before: Mapping[str, Sequence[Any]] | None = None) -> None:
        self.before: Mapping[str, Sequence[Any]] = before or {}
        self.now: dict[str, list[Any]] = {}

    def rows(self, stage: str, suite: Suite, made_from: str) -> int | None:
        """The rows of a suite's table, if all its checks held on just this table; else None.

        Parameters
        ----------
        made_from : what says which table this is, such as the loads that it consists of
        """
        found = self.before.get(f"{stage} {suite.name}")
        if not made_from or found is None or list(found[:1]) != [_print(suite, made_from)]:
            return None
        return int(found[1])

    def note(
        self, stage: str, suite: Suite, made_from: str, rows: int, results: Sequence[CheckResult]
    ) -> None:
        """Write down a suite that holds; one with a warning is asked again next time."""
        if made_from and all(result.success and not result.is_error for result in results):
            self.now[f"{stage} {suite.name}"] = [_print(suite, made_from), rows]


def _print(suite: Suite, made_from: str) -> str:
    text = f"{suite!r}\0{made_from}\0{_judges()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _judges() -> str:
    """The code and the packages that judge."""
    digest = hashlib.sha256()
    for name in JUDGES:
        digest.update((Path(__file__).parent / name).read_bytes())
    for package in PACKAGES:
        digest.update(f"{package} {importlib.metadata.version(package)}".encode())
    return digest.hexdigest()
