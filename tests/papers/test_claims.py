"""What the papers say of their own tables: every claim can be computed, and some fail."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.papers import FOLDER, PUBLISHED_COLUMNS, PaperError, read_published
from analysis.papers.claims import CLAIM_COLUMNS, Claim, read_claims

SLUGS = sorted(file.parent.name for file in FOLDER.glob("*/claims.csv"))
PRINTED = [  # table, column, row, coefficient, stars
    ("1", "1", "x", "0.30", "***"),
    ("1", "2", "x", "0.25", "*"),
    ("1", "1", "y", "-0.10", "**"),
    ("1", "2", "y", "-0.10", ""),
    ("1", "1", "N", "60", ""),
    ("1", "2", "N", "41", ""),
    ("1", "3", "x", "0.56", ""),
]


def published() -> pd.DataFrame:
    lines = [[*cell[:4], "", "", cell[4], ""] for cell in PRINTED]
    return pd.DataFrame(lines, columns=PUBLISHED_COLUMNS, dtype="string")


def claims_of(
    folder: Path,
    column: str,
    row: str,
    relation: str,
    table: str = "1",
) -> list[Claim]:
    file = folder / "claims.csv"
    line = ",".join(["here", "a claim", table, column, row, relation])
    file.write_text(",".join(CLAIM_COLUMNS) + f"\n{line}\n", encoding="utf-8")
    return read_claims(file, published())


def printed_claims(slug: str) -> list[Claim]:
    folder = FOLDER / slug
    return read_claims(folder / "claims.csv", read_published(folder / "published.csv"))


@pytest.mark.parametrize("slug", SLUGS)
def test_every_claim_can_be_computed(slug: str) -> None:
    claims = printed_claims(slug)
    assert len(claims) > 20
    assert len({(claim.claim, claim.cells) for claim in claims}) == len(claims)
    held = [claim for claim in claims if not claim.contradicted()]
    assert len(claims) / 2 < len(held) < len(claims)


def test_a_text_that_swaps_two_numbers_is_found() -> None:
    claims = printed_claims("agglomeration_exports")
    numbers = {part for claim in claims for part in claim.contradicted() if part.startswith("=")}
    assert numbers == {"= 0.0395", "= 0.0895", "= 286"}


@pytest.mark.parametrize(
    ("column", "row", "holds", "fails"),
    [
        ("1;2", "x", "positive", "negative"),
        ("1", "y", "negative", "positive"),
        ("1", "x;y", "significant at 5%", "significant at 1%"),
        ("2", "y", "not significant", "significant at 10%"),
        ("1", "x", "= 0.3", "= -0.3"),
        ("1", "y", "size = 0.1", "= 0.1"),
        ("2", "x", "similar to 0.3", "similar to 0.2"),
        ("1;2", "x", "similar over columns", "similar over columns; positive; = 0.3"),
        ("1;2", "x", "decreasing over columns", "in column 1"),
        ("2;1", "x", "in table 1", "decreasing over columns"),
        ("1;2", "x;y", "decreasing over rows", "similar over rows"),
        ("1", "x;y", "stars decreasing over rows", "sum to 0.22 over rows"),
        ("1;2", "N", "sum to 101 over columns", "sum to 100 over columns"),
        ("3;1;2", "x", "first is the sum over columns", "similar over columns"),
        ("1;2", "N", "decreasing over columns", "first is the sum over columns"),
    ],
)
def test_relations_by_hand(tmp_path: Path, column: str, row: str, holds: str, fails: str) -> None:
    assert claims_of(tmp_path, column, row, holds)[0].contradicted() == []
    assert claims_of(tmp_path, column, row, fails)[0].contradicted() == [fails.split("; ")[-1]]


@pytest.mark.parametrize(("whole", "holds"), [("0.56", True), ("0.57", False)])
def test_a_sum_may_be_off_by_rounding(tmp_path: Path, whole: str, holds: bool) -> None:
    """0.30 + 0.25 is 0.55: two numbers of two decimals may be off by 0.01."""
    claim = claims_of(tmp_path, "1;2", "x", f"sum to {whole} over columns")[0]
    assert (claim.contradicted() == []) == holds


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        ("positiv", "'positiv': no such relation. Nearest: positive"),
        ("significant at 7%", "no level of 1, 5 or 10%"),
        ("= ", "no such relation"),
        ("=", "a number is missing"),
        ("positive 3", "one too many"),
        ("decreasing", "along rows or columns"),
        ("positive over rows", "along rows or columns"),
        ("decreasing over tables", "along rows or columns"),
        ("no cell", "it needs cells, or must have none"),
        ("", "no such relation"),
    ],
)
def test_a_relation_without_meaning_is_refused(tmp_path: Path, relation: str, message: str) -> None:
    with pytest.raises(PaperError, match=message):
        claims_of(tmp_path, "1", "x", relation)


def test_a_cell_that_was_not_printed_is_named(tmp_path: Path) -> None:
    with pytest.raises(PaperError, match="line 2: table 1, 3, y was not printed"):
        claims_of(tmp_path, "1;3", "x;y", "positive")


def test_a_claim_without_cells_is_kept(tmp_path: Path) -> None:
    claim = claims_of(tmp_path, "", "", "no cell", table="")[0]
    assert (claim.cells, claim.contradicted()) == ((), [])
    with pytest.raises(PaperError, match="it needs cells"):
        claims_of(tmp_path, "", "", "positive", table="")
