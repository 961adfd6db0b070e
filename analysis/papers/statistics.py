"""A paper's own table of descriptive statistics (published_statistics.csv), and the same numbers of
a panel.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.papers.published import FOLDER, PaperError, nearest

NUMBERS = ["observations", "mean", "sd", "minimum", "maximum"]
COLUMNS = ["variable", "paper_name", *NUMBERS]
MORE = ["observations_are", "reason", "panel"]  # may be left out, from the right
KINDS = ("printed", "inferred", "")


@dataclass(frozen=True, eq=False)
class PublishedStatistics:
    """What a paper printed of its variables.

    panel : the panel that holds them, as the file says, else `paper.toml` under `panel`, else
        panel_<slug>
    years : the paper's first and last year; None where no paper.toml says
    numbers : one row a variable in the paper's order: variable (the panel's column), paper_name,
        and NUMBERS; NaN where nothing was printed; observations_are: printed in a table of
        statistics, inferred from the rows of the estimates in which the variable stands, or empty;
        reason: why ours differ, in words
    """

    slug: str
    title: str
    panel: str
    years: tuple[int, int] | None
    numbers: pd.DataFrame

    @property
    def variables(self) -> list[str]:
        return self.numbers["variable"].tolist()


def statistics_names() -> list[str]:
    """Slugs of the papers whose statistics are there."""
    return sorted(file.parent.name for file in FOLDER.glob("*/published_statistics.csv"))


def load_statistics(slug: str) -> PublishedStatistics:
    """Read and check one paper's statistics.

    Raises
    ------
    PaperError : a paper without them (the nearest is named), or a file that does not hold together,
        with its place.
    """
    if slug not in statistics_names():
        raise PaperError(
            f"There are no published statistics of {slug!r}. {nearest(slug, statistics_names())}"
        )
    folder = FOLDER / slug
    about = _about(folder / "paper.toml")
    years = about.get("years")
    numbers = _numbers(folder / "published_statistics.csv")
    panels = sorted(set(numbers["panel"]) - {""})
    if len(panels) > 1:
        raise PaperError(f"{folder}: statistics are of one panel, not of {', '.join(panels)}.")
    return PublishedStatistics(
        slug=slug,
        title=str(about.get("title", slug)),
        panel=panels[0] if panels else str(about.get("panel", f"panel_{slug}")),
        years=(int(years[0]), int(years[1])) if isinstance(years, list) else None,
        numbers=numbers,
    )


def describe(frame: pd.DataFrame, variables: list[str]) -> pd.DataFrame:
    """Statistics of a frame's columns, missing values left out.

    Returns
    -------
    pandas.DataFrame : index `variables`; observations, mean, sd (n - 1 below), minimum, maximum;
        true counts as 1

    Raises
    ------
    PaperError : columns that the frame does not have.
    """
    missing = [name for name in variables if name not in frame.columns]
    if missing:
        raise PaperError(
            f"The panel has no column {', '.join(missing)}. {nearest(missing[0], frame.columns)}"
        )
    values = frame[variables].astype("float64")
    return pd.DataFrame(
        {
            "observations": values.count(),
            "mean": values.mean(),
            "sd": values.std(ddof=1),
            "minimum": values.min(),
            "maximum": values.max(),
        },
        index=variables,
    )


def _about(file: Path) -> dict[str, object]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PaperError(f"{file}: not valid TOML ({error}). Mend that line.") from error


def _numbers(file: Path) -> pd.DataFrame:
    frame = pd.read_csv(
        file, dtype=dict.fromkeys(["variable", "paper_name", *MORE], "string"), keep_default_na=True
    )
    heads = list(frame.columns)
    if heads != [*COLUMNS, *MORE][: max(len(heads), len(COLUMNS))]:
        raise PaperError(f"{file}: columns are {', '.join(heads)}; {', '.join(COLUMNS)} expected.")
    more = {name: frame[name].fillna("") if name in heads else "" for name in MORE}
    frame = frame.assign(**more)
    for at, row in enumerate(frame.to_dict("records"), start=2):
        words = [name for name in NUMBERS if isinstance(row[name], str)]
        if pd.isna(row["variable"]) or words:
            expected = f"a number is expected under {', '.join(words)}"
            raise PaperError(f"{file}, line {at}: {expected if words else 'no variable is named'}.")
        if row["observations_are"] not in KINDS:
            raise PaperError(
                f"{file}, line {at}: observations_are is {row['observations_are']!r}; printed or"
                " inferred is expected."
            )
        low, mean, high, spread = row["minimum"], row["mean"], row["maximum"], row["sd"]
        if mean < low or mean > high or spread < 0:
            raise PaperError(
                f"{file}, line {at}: {row['variable']} has mean {mean}, sd {spread}, minimum {low},"
                f" maximum {high}, which cannot be."
            )
    repeated = frame.duplicated("variable")
    if repeated.any():
        raise PaperError(
            f"{file}, line {int(repeated.to_numpy().argmax()) + 2}: the same variable stands there"
            " twice."
        )
    return frame.astype(dict.fromkeys(NUMBERS, "float64"))
