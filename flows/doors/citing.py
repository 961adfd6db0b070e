"""What somebody who uses a panel cites: citytrade, the release, and the publishers behind it."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from typing import Any

TITLE = "citytrade: panels of the trade of Chinese cities"
MAKERS = "The citytrade maintainers"
SIMULATED = (
    "This release is SIMULATED: no number in it is any publisher's, and none may be cited as"
    " such. The sources below are those whose formats were imitated."
)
BIBTEX_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "&%$#_{}"})


def as_text(frame: pd.DataFrame) -> str:
    """Sentences for a paper's list of data: citytrade with its release, then a line a source.

    Parameters
    ----------
    frame : of `warehouse.citations`
    """
    lines = [f"{MAKERS}. {TITLE}. {_edition(frame)}."]
    lines += [SIMULATED] if frame.attrs["simulated"] else []
    for row in frame.to_dict("records"):
        lines.append(f"- {row['source']}{_years(row)}: {row['citation'].rstrip('.')}.")
        lines.append(f"  Licence: {row['licence'].rstrip('.')}.")
    return "\n".join(lines)


def as_bibtex(frame: pd.DataFrame) -> str:
    """The same for BibTeX, an entry a source."""
    entries = [_entry("citytrade", TITLE, MAKERS, _edition(frame))]
    for row in frame.to_dict("records"):
        note = f"{row['citation'].rstrip('.')}. Licence: {row['licence'].rstrip('.')}."
        note = f"SIMULATED in the format of: {note}" if row["is_simulated"] else note
        title = f"{row['title']}{_years(row)}"
        entries.append(_entry(f"citytrade_{row['source']}", title, row["publisher"], note))
    return "\n\n".join(entries)


def _edition(frame: pd.DataFrame) -> str:
    kind = "simulated release" if frame.attrs["simulated"] else "release"
    return (
        f"Version {version('citytrade')}, {kind} {frame.attrs['release']}, panel"
        f" {frame.attrs['panel']}"
    )


def _years(row: Mapping[Hashable, Any]) -> str:
    first, last = row["first_year"], row["last_year"]
    if pd.isna(first):
        return ""
    return f", {first}" if first == last else f", {first}-{last}"


def _entry(key: str, title: str, author: str, note: str) -> str:
    given = {"title": title, "author": author, "note": note}
    # Two pairs of braces: neither capitals nor names are taken apart.
    lines = [f"  {name} = {{{{{text.translate(BIBTEX_SIGNS)}}}}}," for name, text in given.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}"])
