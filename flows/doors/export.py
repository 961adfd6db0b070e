"""Panels as files that others read: one, or all of them with their dictionary."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from flows.doors.export_files import WRITERS, XLSX_ROWS, write_csv_file, write_sidecar
from flows.telling.lines import Say
from warehouse.errors import CitytradeError
from warehouse.settings.config import Config

if TYPE_CHECKING:
    import pandas as pd

README = """{title}

{n} panels of citytrade, release {release}.
{note}
dictionary.csv has one row a panel and column: unit, labels and definitions in English and
Chinese, source, share of rows with a value.
Keys stand first in each file, in the order that dictionary.csv gives.
"""
SIMULATED = (
    "SIMULATED WORLD - 模拟数据. These numbers come from a simulation; they say nothing about "
    "real cities. Do not publish them as facts.\n"
)


def save(frame: pd.DataFrame, file: Path, labels: str = "en") -> Path:
    """Write a panel as .parquet, .csv, .dta or .xlsx, with labels and units, whole or not at all;
    returns the file's name.

    A csv can say nothing of itself: FILE.csv.json beside it does, and of simulated numbers its own
    name, FILE.simulated.csv.

    Parameters
    ----------
    labels : "en" or "zh", the language of a .dta's labels and an .xlsx's heads

    Raises
    ------
    CitytradeError : another ending, more rows or greater numbers than the format holds, or a folder
        that cannot be written to.
    """
    if file.suffix not in WRITERS:
        raise CitytradeError(
            f"{file}: a panel is saved as {', '.join(WRITERS)}. Choose one of these endings."
        )
    beside = file.suffix == ".csv"
    if beside and frame.attrs.get("simulated") and "simulated" not in file.stem.lower():
        file = file.with_name(f"{file.stem}.simulated.csv")
    partial = file.with_name(f".{file.stem}.{uuid.uuid4().hex[:8]}{file.suffix}")
    try:
        WRITERS[file.suffix](frame, partial, labels)
        if beside:
            write_sidecar(frame, file.with_name(f"{file.name}.json"))
        partial.replace(file)
    except OSError as error:
        raise CitytradeError(
            f"{file}: cannot be written ({error.strerror or error}). Check that its folder is there"
            " and may be written to."
        ) from error
    except ValueError as error:
        told = " ".join(str(error).split())
        raise CitytradeError(
            f"{file}: the format does not hold this panel ({told}). Save it as .parquet."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return file


def save_all(
    config: Config,
    folder: Path,
    form: str,
    say: Say,
    labels: str = "en",
    release: str | None = None,
) -> list[str]:
    """Write every panel of a release into a new folder, with a data dictionary and a README, all or
    nothing; returns the names of the panels.

    Parameters
    ----------
    release : the current one if none is named

    Raises
    ------
    CitytradeError : a folder that is there already, or cannot be written to, or a panel that the
        format does not hold.
    """
    from warehouse.store import panel, panels, release_folder

    if folder.exists():
        raise CitytradeError(
            f"{folder}: is there already. Name a folder that is not, so that no file of another"
            " release stays in it."
        )
    # All panels are from one release, also while another one is published.
    release = release_folder(config, release).name
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    names = _names(panels(config, release), form)
    simulated = False
    try:
        partial.mkdir(parents=True)
        for name in names:
            frame = panel(name, config=config, release=release)
            simulated = simulated or bool(frame.attrs["simulated"])
            saved = save(frame, partial / f"{name}.{form}", labels)
            say(f"  {saved.name}: {len(frame):,} rows, {len(frame.columns)} columns")
        _dictionary(config, release, names, partial / "dictionary.csv")
        _readme(partial, release, len(names), simulated)
        partial.rename(folder)
    except OSError as error:
        raise CitytradeError(
            f"{folder}: cannot be written ({error.strerror}). Check that the folder above it is"
            " there and may be written to."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return names


def _dictionary(config: Config, release: str, names: list[str], file: Path) -> None:
    """One row a panel and column; no file where there is no panel."""
    import pandas as pd

    from warehouse.store import describe

    described = [describe(name, config, release) for name in names]
    for name, about in zip(names, described, strict=True):
        about.insert(0, "panel", name)
    if described:
        write_csv_file(pd.concat(described, ignore_index=True), file)


def _names(listed: pd.DataFrame, form: str) -> list[str]:
    """The panels' names; one that is too long is refused before the first file is written, since it
    may be the last.
    """
    long = list(listed.loc[listed["rows"] >= XLSX_ROWS, "panel"]) if form == "xlsx" else []
    if long:
        raise CitytradeError(
            f"{', '.join(long)}: a sheet holds {XLSX_ROWS - 1:,} rows and there are more. Use --as"
            " parquet, dta or csv."
        )
    return list(listed["panel"])


def _readme(folder: Path, release: str, panels_n: int, simulated: bool) -> None:
    title = "SIMULATED DATA - 模拟数据" if simulated else "Panels of Chinese cities"
    (folder / "README.txt").write_text(
        README.format(
            title=title, n=panels_n, release=release, note=SIMULATED if simulated else ""
        ),
        encoding="utf-8",
    )
