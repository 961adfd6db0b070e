"""Published numbers against themselves: rules that know nothing of a particular paper and need no
data, only published.csv (and claims.csv for text against table).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from analysis.papers.claims import read_claims
from analysis.papers.published import read_published
from analysis.report.audit import cells, columns
from analysis.report.audit.findings import WEIGHTS, Finding
from analysis.report.audit.numbers import PrintedPaper, read_numbers

__all__ = ["RULES", "Finding", "audit_file", "audit_folder"]

RULES: tuple[Callable[[PrintedPaper], Iterator[Finding]], ...] = (
    cells.stars_against_bracket,
    cells.sign_of_bracket,
    cells.negative_error,
    cells.shares_and_probabilities,
    cells.moments,
    cells.lost_decimals,
    columns.rows_of_units,
    columns.parts_of_a_whole,
    columns.rows_the_wrong_way,
    columns.shares_that_fall,
    columns.repeated_columns,
    columns.repeated_shares,
    columns.outlying_coefficient,
    columns.first_stage,
    columns.sobel,
)


def audit_folder(folder: Path) -> list[Finding]:
    """A paper's folder: published.csv, the years of paper.toml, and claims.csv where they are.

    Raises
    ------
    PaperError : a file that does not hold together.
    """
    years = None
    if (folder / "paper.toml").is_file():
        raw = tomllib.loads((folder / "paper.toml").read_text(encoding="utf-8"))
        years = raw.get("years")
    found = audit_file(folder / "published.csv", years)
    if (folder / "claims.csv").is_file():
        found += list(_claims(folder))
    return found


def audit_file(file: Path, years: list[int] | None = None) -> list[Finding]:
    """A published.csv, whoever's it is; the heaviest findings first.

    Raises
    ------
    PaperError : a file that does not hold together.
    """
    paper = read_numbers(read_published(file), years)
    found = [finding for rule in RULES for finding in rule(paper)]
    return sorted(found, key=lambda finding: WEIGHTS.index(finding.weight))


def _claims(folder: Path) -> Iterator[Finding]:
    """What the text says of a cell, and the cell does not."""
    for claim in read_claims(folder / "claims.csv", read_published(folder / "published.csv")):
        for part in claim.contradicted():
            places = [f"table {cell.table} ({cell.column})" for row in claim.cells for cell in row]
            said = f"the text ({claim.place}): {claim.claim}; the cells are not: {part}."
            where = ", ".join(dict.fromkeys(places)) or "the text"
            yield Finding("text", where, said, "likely", "inconsistent")
