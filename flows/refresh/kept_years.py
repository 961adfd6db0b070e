"""The years of the fact table that Spark need not write again: kept in the home between refreshes,
each with a digest of all that it was made from (flows/refresh/year_digests.py).

    home/spark/exports/<year>.<eight signs>/*.parquet   the rows of a year, never changed
    home/spark/exports/kept.json                        which of them count: digest, files, hashes

A year whose digest is what it was is linked into the next build instead of being written. What
kept.json does not name counts for nothing: it is written last, so that a refresh which is killed
leaves the former years.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from warehouse.releases.seal import remove_tree

FORM = 1  # of kept.json: years of another form are written anew
KEPT = "kept.json"


@dataclass(frozen=True)
class Year:
    """The rows of a year as they are kept.

    digest : of all that they were made from
    folder : its name beside kept.json
    files : name -> SHA-256; none of a year without rows
    """

    digest: str
    folder: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    """What becomes of each year.

    digests : year -> digest of all that it is made from now
    written : the years that Spark writes
    same : year -> the kept year that is linked
    damaged : year -> why what was kept of it cannot be used, although its digest is the same
    """

    digests: Mapping[int, str]
    written: tuple[int, ...]
    same: Mapping[int, Year] = field(default_factory=dict)
    damaged: Mapping[int, str] = field(default_factory=dict)

    def told(self, table: str) -> list[str]:
        """In lines for a person."""
        lines = [
            f"  {year} of {table} is not as it was kept ({why}), so it is written anew"
            for year, why in self.damaged.items()
        ]
        years_n, written_n = len(self.digests), len(self.written)
        if written_n == years_n:
            return [*lines, f"  Spark writes all {years_n} years of {table}"]
        if not written_n:
            return [*lines, f"  Spark writes no year of {table}: all {years_n} are the same"]
        same = "1 is" if len(self.same) == 1 else f"{len(self.same)} are"
        return [
            *lines,
            f"  Spark writes {written_n} of {years_n} years of {table}:"
            f" {', '.join(map(str, self.written))}; {same} the same",
        ]


def folder_of(home: Path) -> Path:
    return home / "spark" / "exports"


def kept_years(folder: Path) -> dict[int, Year]:
    """The years that count; none where kept.json is not there, of another form or spoilt."""
    try:
        said = json.loads((folder / KEPT).read_text(encoding="utf-8"))
        if said["form"] != FORM:
            return {}
        return {int(year): Year(**fields) for year, fields in said["years"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def decide(folder: Path | None, digests: Mapping[int, str]) -> Decided:
    """Which years are written, and which are linked.

    Parameters
    ----------
    folder : where years are kept; None to write all
    digests : year -> digest of all that it is made from now
    """
    known = kept_years(folder) if folder is not None else {}
    same, damaged = {}, {}
    for year, now in digests.items():
        if folder is None or year not in known or known[year].digest != now:
            continue
        wrong = _damage(folder, known[year])
        if wrong:
            damaged[year] = wrong
        else:
            same[year] = known[year]
    return Decided(dict(digests), tuple(sorted(set(digests) - set(same))), same, damaged)


def link(folder: Path, decided: Decided, table: Path) -> list[int]:
    """Put the files of the same years into a table's folder, beside what was written; returns the
    years that have rows.
    """
    filled = [year for year, kept in decided.same.items() if kept.files]
    for year in filled:
        kept = decided.same[year]
        target = partition(table, year)
        target.mkdir()
        for name in kept.files:
            _link(folder / kept.folder / name, target / name)
    return filled


def partition(table: Path, year: int) -> Path:
    """Where a table that is stored by years has the rows of a year."""
    return table / f"year={year}"


def keep(folder: Path, decided: Decided, table: Path) -> None:
    """Keep the years that were written into a table's folder, and those that are the same; all
    others go.

    Raises
    ------
    OSError : the disk is full, or the like. What was kept before still is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    years = dict(decided.same)
    for year in decided.written:
        name = f"{year}.{uuid.uuid4().hex[:8]}"
        (folder / name).mkdir()
        files = {}
        for file in sorted(partition(table, year).glob("*.parquet")):
            _link(file, folder / name / file.name)
            files[file.name] = _sha256(folder / name / file.name)
        years[year] = Year(decided.digests[year], name, files)
    said = {"form": FORM, "years": {str(year): asdict(kept) for year, kept in years.items()}}
    fresh = folder / f".{KEPT}.{uuid.uuid4().hex[:8]}"
    fresh.write_text(json.dumps(said, indent=1, sort_keys=True), encoding="utf-8")
    os.replace(fresh, folder / KEPT)
    for path in uncounted(folder):
        if path.is_dir():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)


def uncounted(folder: Path) -> list[Path]:
    """What lies beside kept.json and is not named there: halves, and years that are over."""
    if not folder.is_dir():
        return []
    named = {KEPT, *(year.folder for year in kept_years(folder).values())}
    return [path for path in sorted(folder.iterdir()) if path.name not in named]


def _damage(folder: Path, kept: Year) -> str:
    """What is not as it was kept, or nothing. Every byte is read: the table that is published may
    be no other than that of a whole build.
    """
    for name, sha256 in kept.files.items():
        try:
            if _sha256(folder / kept.folder / name) != sha256:
                return f"{name} was changed"
        except FileNotFoundError:
            return f"{name} is gone"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
    return ""


def _link(file: Path, target: Path) -> None:
    """The same file at a second place: a second name of it, or a copy where the disk has no such
    thing.
    """
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
