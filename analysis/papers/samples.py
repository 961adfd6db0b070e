"""How many rows and units a paper's estimates stand on (published_samples.csv), and the same of a
release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.papers import FOLDER, PaperError
from analysis.papers.where import WORDS, names_in, rows_of

TEXTS = ["sample", "tables", "panel", "where", "complete", "unit"]
COLUMNS = [*TEXTS, "observations", "units", "reason"]


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of a paper, one row each: COLUMNS.

    sample, tables : what it is, and where its number was printed
    panel, where : its rows in a release, an expression of analysis.papers.where; empty: all
    complete : columns that must be known in a row, parted by blanks; empty: none
    unit, units : the column that counts units, and how many were printed (NaN: none)
    observations : rows that were printed
    reason : why ours are not as many, in words; empty where they are to be as many
    """

    slug: str
    rows: pd.DataFrame

    def needs(self) -> dict[str, list[str]]:
        """Panel -> the columns that its samples are counted by, each once."""
        needed: dict[str, dict[str, None]] = {}
        for row in self.rows.to_dict("records"):
            asked = [name for name in names_in(row["where"] or "true") if name not in WORDS]
            named = [*asked, *row["complete"].split(), *row["unit"].split()]
            needed.setdefault(row["panel"], {}).update(dict.fromkeys(named))
        return {panel: list(names) for panel, names in needed.items()}


def load_samples(slug: str) -> Samples:
    """Read and check one paper's samples; none where it has no published_samples.csv.

    Raises
    ------
    PaperError : other columns, a number that is none, or an expression that cannot be read.
    """
    file = FOLDER / slug / "published_samples.csv"
    if not file.is_file():
        return Samples(slug, pd.DataFrame(columns=COLUMNS))
    rows = pd.read_csv(file, dtype="str", keep_default_na=False)
    if list(rows.columns) != COLUMNS:
        raise PaperError(
            f"{file}: columns are {', '.join(rows.columns)}; {', '.join(COLUMNS)} expected."
        )
    for at, row in enumerate(rows.to_dict("records"), start=2):
        _check(row, f"{file}, line {at}")
    numbers = {name: pd.to_numeric(rows[name]) for name in ("observations", "units")}
    return Samples(slug, rows.assign(**numbers))


def count_samples(samples: Samples, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows and units of each sample in a release.

    Parameters
    ----------
    frames : panel -> its rows, with the columns of `samples.needs()`

    Returns
    -------
    The samples' rows in their order, with `our_observations` and `our_units` (NaN without a unit).
    """
    found = [_counted(row, frames[row["panel"]]) for row in samples.rows.to_dict("records")]
    return samples.rows.assign(
        our_observations=[rows for rows, _ in found], our_units=[units for _, units in found]
    )


def _counted(row: Mapping[Any, Any], frame: pd.DataFrame) -> tuple[int, float]:
    inside = frame[rows_of(row["where"], frame)[0]] if row["where"] else frame
    known = inside.dropna(subset=row["complete"].split()) if row["complete"] else inside
    return len(known), float(known[row["unit"]].nunique()) if row["unit"] else float("nan")


def _check(row: Mapping[Any, Any], place: str) -> None:
    if not row["sample"] or not row["panel"] or not row["observations"].isdigit():
        raise PaperError(f"{place}: a sample, its panel and a number of rows are expected.")
    if (row["units"] and not row["units"].isdigit()) or (row["units"] and not row["unit"]):
        raise PaperError(f"{place}: units are a number, and need the column that counts them.")
    if row["where"]:
        names_in(row["where"])
