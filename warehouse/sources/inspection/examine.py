"""What a source's own reader makes of a file, found by letting it read into a folder that is thrown
away: the same recognition, the same limits, the same reasons as in a refresh.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from warehouse.errors import SourceError
from warehouse.lake.loads import ColumnFate
from warehouse.sources import SOURCES, get_source
from warehouse.sources.inspection.excerpt import excerpt
from warehouse.sources.reading import containers
from warehouse.sources.reading.base import Delivery, Source
from warehouse.sources.reading.encodings import is_plain_path, shown_name
from warehouse.sources.reading.loading import linked, prepared, read_delivery, recognise
from warehouse.sources.reading.rawfile import RawFile

ROWS, WHOLE_BYTES = 20_000, 32 * 1024 * 1024
# Tables that only their whole tells right from wrong: a part of a matrix is no matrix.
UNDIVIDED = {"input_output"}
LARGEST_UNDIVIDED = 64 * 1024 * 1024
CITY_COLUMNS = ("city_name", "name_2018")
UNKNOWN_CITY = ("unknown_city", "missing_city", "not_a_prefecture_city")
EXAMPLES = 2  # of each reason


@dataclass(frozen=True)
class Aside:
    """Rows that would be set aside for one reason, with what stood in the first of them."""

    reason: str
    rows_n: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Examination:
    """What one reader makes of one file, or of one member of an archive.

    taken : "" for the whole file, else in words which part of it was read
    cities_n : distinct names of cities among the accepted rows; None where the source has none
    lost : names that match no city, with the nearest ones
    refusal : why the file would be refused
    """

    name: str
    source: str
    layout: str = ""
    taken: str = ""
    read_n: int = 0
    tables: Mapping[str, int] = field(default_factory=dict)
    aside: tuple[Aside, ...] = ()
    columns: tuple[ColumnFate, ...] = ()
    factors: Mapping[tuple[str, str], float] = field(default_factory=dict)
    years: tuple[int, int] | None = None
    cities_n: int | None = None
    lost: tuple[str, ...] = ()
    refusal: SourceError | None = None

    @property
    def columns_n(self) -> int:
        return sum(column.indicator is not None for column in self.columns)

    @property
    def aside_n(self) -> int:
        return sum(part.rows_n for part in self.aside)


@contextmanager
def opened(path: Path, options: Mapping[str, str] | None = None) -> Iterator[tuple[RawFile, Path]]:
    """A file as its readers see it, and a folder that lasts as long as it is looked at.

    Its fingerprint is made of its place and time, for nothing is kept of it.

    Raises
    ------
    SourceError : no such file, a folder, or one that may not be read.
    """
    name = shown_name(path)
    try:
        said = path.stat()
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "no file that can be read from its start"
            remedy = f"Name the files in it, such as {name}/*" if path.is_dir() else "Name a file"
            raise SourceError(name, "", f"is {kind}", remedy)
        with path.open("rb"):
            pass
    except OSError as error:
        raise SourceError(
            name, "", f"cannot be opened ({error.strerror})", "Check its name and its permissions"
        ) from error
    key = f"{path.absolute()}|{said.st_size}|{said.st_mtime_ns}".encode(errors="surrogateescape")
    raw = RawFile(
        path,
        hashlib.sha256(key).hexdigest(),
        dict(options or {}),
        "" if name == path.name else name,
    )
    folder = Path(tempfile.mkdtemp(prefix="citytrade-look-"))
    try:
        yield raw if is_plain_path(path) else linked(raw, folder / "named"), folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sources_of(raw: RawFile, folder: Path) -> list[str]:
    """The sources of which a layout recognises a file, in their order.

    Raises
    ------
    SourceError : an empty file, or one of which no reader can see anything.
    """
    found: list[str] = []
    ready: dict[tuple[bool, bool], RawFile] = {}
    for name in SOURCES:
        source = get_source(name)
        clothes = source.reads_parquet, source.reads_prose
        if clothes not in ready:
            place = folder / "recognised" / str(len(ready))
            ready[clothes] = prepared(source, raw, place)
        if _is_recognised(source, ready[clothes]):
            found.append(name)
    return found


def readings(raw: RawFile, folder: Path, names: Sequence[str] = ()) -> list[list[Examination]]:
    """What every source that recognises a file makes of it, the one that reads most of its columns
    first; with `names`, what these sources make of it, in their order.

    An archive is recognised by its first member that is.
    """
    if names:
        return [examine(name, raw, folder / name) for name in names]
    found = _recognising(raw, folder)
    made = [examine(name, raw, folder / name) for name in found]
    return sorted(made, key=lambda parts: -sum(part.columns_n for part in parts))


def _recognising(raw: RawFile, folder: Path) -> list[str]:
    if not raw.head or not containers.is_archive(raw):
        return sources_of(raw, folder)
    for _, inner in containers.unpacked(raw, containers.members(raw), folder / "first"):
        try:
            if found := sources_of(inner, folder / "first_recognised"):
                return found
        except SourceError:
            continue  # a document beside the data, or one that its own reading will name
        finally:
            shutil.rmtree(folder / "first_recognised", ignore_errors=True)
    return []


def _is_recognised(source: Source, raw: RawFile) -> bool:
    containers.refuse_foreign(raw)
    return any(layout.recognise(raw) for layout in source.layouts)


def examine(
    source: str,
    raw: RawFile,
    folder: Path,
    rows_n: int = ROWS,
    whole_bytes: int = WHOLE_BYTES,
    members_n: int = containers.MAX_MEMBERS,
) -> list[Examination]:
    """What the source's reader makes of a file, or of each of an archive's first members that is no
    document; a large one's first rows stand for it.
    """
    try:
        if not raw.head or not containers.is_archive(raw):
            return [_examined(source, raw, folder / "file", rows_n, whole_bytes)]
        found = []
        members = containers.members(raw)[:members_n]
        for at, (member, inner) in enumerate(containers.unpacked(raw, members, folder / "members")):
            if member.is_document and source not in sources_of(inner, folder / f"{at}"):
                continue
            found.append(_examined(source, inner, folder / f"member_{at}", rows_n, whole_bytes))
            shutil.rmtree(folder / f"member_{at}", ignore_errors=True)
        if not found:
            problem = "holds documents and no data file"
            raise SourceError(raw.name, "", problem, "Check that the right archive is named")
        return found
    except SourceError as error:
        return [Examination(raw.name, source, refusal=error)]


def _examined(name: str, raw: RawFile, folder: Path, rows_n: int, whole_bytes: int) -> Examination:
    source = get_source(name)
    place = folder / "read"
    place.mkdir(parents=True, exist_ok=True)
    size = raw.path.stat().st_size
    try:
        if name in UNDIVIDED and size > LARGEST_UNDIVIDED:
            layout = recognise(source, prepared(source, raw, folder / "converted"))
            return Examination(raw.name, name, layout.name, "nothing but its heads")
        limit = size if name in UNDIVIDED else whole_bytes
        part, taken = excerpt(raw, folder / "excerpt", rows_n, limit)
    except SourceError as error:
        return Examination(raw.name, name, refusal=error)
    delivery = Delivery(part, "look", place, source.tables)
    refusal: SourceError | None = None
    try:
        read_delivery(source, delivery)
    except SourceError as error:
        refusal = error
    except Exception as error:  # a fault of a reader is told of like a fault of the file
        told = f"the reader broke ({type(error).__name__}: {error})"
        refusal = SourceError(raw.name, "", told, "Please report it with the file's first lines")
    return _of_delivery(delivery, raw.name, name, taken, refusal)


def _of_delivery(
    delivery: Delivery, name: str, source: str, taken: str, refusal: SourceError | None
) -> Examination:
    cities_n, lost = _cities(delivery)
    first, last = delivery.first_year, delivery.last_year
    return Examination(
        name=name,
        source=source,
        layout=delivery.layout,
        taken=taken,
        read_n=delivery.read_n,
        tables=dict(delivery.tables),
        aside=_asides(delivery),
        columns=tuple(delivery.columns.values()),
        factors=dict(delivery.factors),
        years=None if first is None or last is None else (first, last),
        cities_n=cities_n,
        lost=lost,
        refusal=refusal,
    )


def _aside_rows(delivery: Delivery) -> pd.DataFrame:
    file = delivery.folder / "set_aside.parquet"
    if not file.is_file():
        return pd.DataFrame({"line": [], "reason": [], "detail": []})
    return pd.read_parquet(file, columns=["line", "reason", "detail"])


def _asides(delivery: Delivery) -> tuple[Aside, ...]:
    rows = _aside_rows(delivery)
    found = []
    for reason, part in rows.groupby("reason", sort=False):
        told = [
            f"line {int(line)}: {detail}" if pd.notna(line) else f"{detail}"
            for line, detail in part[["line", "detail"]].head(EXAMPLES).itertuples(index=False)
        ]
        found.append(Aside(str(reason), len(part), tuple(told)))
    return tuple(sorted(found, key=lambda aside: -aside.rows_n))


def _cities(delivery: Delivery) -> tuple[int | None, tuple[str, ...]]:
    """How many cities the accepted rows name, and the names that match none."""
    known: set[str] = set()
    has_names = False
    for table in delivery.tables:
        columns = list(delivery.source_tables[table])
        column = next((name for name in CITY_COLUMNS if name in columns), None)
        file = delivery.folder / f"{table}.parquet"
        if column is not None and file.is_file():
            has_names = True
            known.update(pd.read_parquet(file, columns=[column])[column].dropna().unique())
    rows = _aside_rows(delivery)
    lost = rows.loc[rows["reason"].isin(UNKNOWN_CITY), "detail"].dropna().astype(str).unique()
    return (len(known) if has_names else None), tuple(lost)
