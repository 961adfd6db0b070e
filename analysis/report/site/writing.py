"""The folder that a site is: built aside, put in its place in one step, and never over anything
that is not a site.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import CitytradeError

MARK = ".citytrade-site"  # lies in every folder that was made here
MARK_TEXT = "Made by `citytrade site`, which replaces this folder whole.\n"


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to build in, which takes the place of `out` when all went well; else `out` stays as
    it was.

    Raises
    ------
    CitytradeError : `out` is there and is no site, or cannot be written.
    """
    out = Path(out).absolute()
    refuse_others(out)
    aside = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    try:
        aside.mkdir(parents=True)
        (aside / MARK).write_text(MARK_TEXT, encoding="utf-8")
        yield aside
        refuse_others(out)  # somebody may have put something there meanwhile
        _replace(out, aside)
    except OSError as error:
        raise CitytradeError(
            f"{out}: cannot be written ({error.strerror}). Check that the folder above it may be"
            " written to and that the disk has room; --out names another one."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def refuse_others(out: Path) -> None:
    """
    Raises
    ------
    CitytradeError : something is there that is neither an empty folder nor a site made here.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise CitytradeError(
            f"{out}: is there and is no folder. Name a folder that is not there yet: --out DIR."
        )
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise CitytradeError(
            f"{out}: holds files that `citytrade site` did not make, and would be replaced whole."
            " Name a folder that is empty or not there yet: --out DIR."
        )


def _replace(out: Path, aside: Path) -> None:
    """Put the new folder in the old one's place: two renames, nothing is copied."""
    former = out.with_name(f"{aside.name}.former")
    if out.exists():
        out.rename(former)
    try:
        aside.rename(out)
    except OSError:
        if former.exists():
            former.rename(out)
        raise
    shutil.rmtree(former, ignore_errors=True)
