"""What may lie around a publisher's file: a zip archive, a Parquet file, or a kind that has to be
converted by hand.

An archive is unpacked member by member into the load's own folder, under names made here, and never
as a whole. What it says of itself is checked before a byte is unpacked, and what comes out is
counted while it is unpacked.
"""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import SourceError
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.separators import refuse_web_page

GIB = 1024**3
MAX_MEMBERS = 1_000
MAX_MEMBER_BYTES = 8 * GIB
MAX_TOTAL_BYTES = 32 * GIB
MAX_RATIO = 250  # text of customs records packs 10 to 40 times
RATIO_COUNTS_FROM_BYTES = 64 * 1024**2
PIECE = 1024 * 1024

ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
ACCESS_MARKS = (b"Standard Jet DB", b"Standard ACE DB")
FOREIGN_MARKS = {
    b"Rar!\x1a\x07": "a rar archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
}
DOCUMENTS = {
    ".pdf",
    ".doc",
    ".docx",
    ".rtf",
    ".htm",
    ".html",
    ".url",
    ".md",
    ".txt",
}  # what publishers pack beside the data
NEVER_DATA = {".pdf", ".doc", ".docx", ".rtf", ".url"}
SYSTEM_NAMES = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini"}
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
DAMAGED = (
    ValueError,
    struct.error,
    OverflowError,
)  # what numbers that make no sense lead zipfile to


@dataclass(frozen=True)
class Member:
    """A member of an archive that may hold data: its entry, and its name as the user knows it (`/`
    between folders).
    """

    entry: zipfile.ZipInfo
    name: str

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix.lower()

    @property
    def is_document(self) -> bool:
        return self.suffix in DOCUMENTS


def refuse_foreign(raw: RawFile) -> None:
    """
    Raises
    ------
    SourceError : an Access database, a web page, or a packed file of a kind that is not read, with
        what to do about it.
    """
    if raw.head[4:19] in ACCESS_MARKS:
        name = raw.path.name
        problem = "is an Access database, which is not read directly"
        remedy = (
            f"Convert it with mdbtools: `mdb-tables -1 {name}` lists its tables, `mdb-export -D"
            f" %Y-%m-%d -T %Y-%m-%d {name} TABLE > TABLE.csv` writes one; then name the csv in the"
            " configuration"
        )
        raise SourceError(raw.name, "", problem, remedy)
    refuse_web_page(raw)
    for mark, kind in FOREIGN_MARKS.items():
        if raw.head.startswith(mark):
            raise SourceError(
                raw.name,
                "",
                f"is {kind}, which is not read directly",
                "Unpack it, or pack it again as zip, and refresh",
            )


def is_archive(raw: RawFile) -> bool:
    """Whether a file is a zip archive and not a workbook, which is one inside.

    Raises
    ------
    SourceError : a zip that is cut off or has no list of members.
    """
    if not raw.head.startswith(ZIP_MARKS):
        return False
    try:
        with zipfile.ZipFile(raw.path) as archive:
            names = {name.lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, OSError, *DAMAGED) as error:
        if _looks_like_workbook(raw):
            return False  # the reader of workbooks says what is wrong with it
        raise SourceError(
            raw.name, "", f"is cut off or not a zip archive ({error})", "Fetch the file again"
        ) from error
    return not names & {"[content_types].xml", "xl/workbook.xml", "mimetype"}


def _looks_like_workbook(raw: RawFile) -> bool:
    return (
        b"[Content_Types].xml" in raw.head[:4096]
        or b"xl/" in raw.head[:4096]
        or raw.path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".ods")
    )


def members(raw: RawFile) -> list[Member]:
    """The members of an archive that may hold data, in the order of their names.

    Raises
    ------
    SourceError : an archive without members, or one that breaks a limit: members, bytes, ratio,
        passwords, links,
        archives inside, names that lead out of a folder, two members of one name.
    """
    with zipfile.ZipFile(raw.path) as archive:
        entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        raise _refused(
            raw,
            "",
            f"holds {len(entries):,} members, more than the {MAX_MEMBERS:,} allowed",
            "Unpack it and name the files themselves",
        )
    found = []
    for entry in entries:
        name = _decoded_name(entry)
        _refuse_outside(raw, name)
        if not entry.is_dir() and not _is_system(name):
            _refuse_kind(raw, entry, name)
            found.append(Member(entry, name))
    _refuse_size(raw, found)
    data = [member for member in found if member.suffix not in NEVER_DATA]
    if not data:
        raise _refused(
            raw, "", "is an archive without a data file", "Check that the right file is named"
        )
    twice = {member.name for member in data if sum(other.name == member.name for other in data) > 1}
    if twice:
        raise _refused(
            raw,
            min(twice),
            "is there twice in the archive",
            "Pack the files again, each under a name of its own",
        )
    return sorted(data, key=lambda member: member.name)


def _refused(raw: RawFile, member: str, problem: str, remedy: str) -> SourceError:
    return SourceError(f"{raw.name}/{shown(member)}" if member else raw.name, "", problem, remedy)


def shown(name: str) -> str:
    """A member's name, fit to be printed."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:200]


def _decoded_name(entry: zipfile.ZipInfo) -> str:
    """A member's name: UTF-8 if its flag says so or its bytes are; else GB18030, as Chinese Windows
    packs; else as it stands.
    """
    name = entry.orig_filename
    if not entry.flag_bits & UTF8_FLAG:
        octets = name.encode("cp437", errors="replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = octets.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return unicodedata.normalize("NFC", name).replace("\\", "/")


def _refuse_outside(raw: RawFile, name: str) -> None:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or re.match(r"^[A-Za-z]:", name) or "\x00" in name:
        raise _refused(
            raw,
            name,
            "has a name that leads out of the archive's folder",
            "Do not use this archive: ask its publisher for another",
        )


def _is_system(name: str) -> bool:
    parts = [part.lower() for part in name.split("/")]
    return parts[-1].startswith("._") or bool(SYSTEM_NAMES & set(parts))


def _refuse_kind(raw: RawFile, entry: zipfile.ZipInfo, name: str) -> None:
    if entry.flag_bits & ENCRYPTED_FLAG:
        raise _refused(
            raw,
            name,
            "is encrypted",
            "Unpack the archive with its password, and name the files themselves",
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _refused(raw, name, "is a link and not a file", "Pack the file itself")


def _refuse_size(raw: RawFile, found: list[Member]) -> None:
    """Refuse what unpacks to too much, by what the archive says of itself."""
    for member in found:
        if member.entry.file_size > MAX_MEMBER_BYTES:
            problem = (
                f"unpacks to {member.entry.file_size:,} bytes, more than the {MAX_MEMBER_BYTES:,}"
                " allowed"
            )
            raise _refused(
                raw, member.name, problem, "Unpack it yourself if it is genuine, and name the file"
            )
    total, packed = sum(member.entry.file_size for member in found), raw.path.stat().st_size
    if total > MAX_TOTAL_BYTES:
        problem = f"unpacks to {total:,} bytes, more than the {MAX_TOTAL_BYTES:,} allowed"
        raise _refused(raw, "", problem, "Unpack it yourself if it is genuine, and name the files")
    if total > RATIO_COUNTS_FROM_BYTES and total > MAX_RATIO * packed:
        problem = (
            f"unpacks to {total:,} bytes, {total // max(packed, 1):,} times its size; at most"
            f" {MAX_RATIO} times are allowed"
        )
        raise _refused(raw, "", problem, "Unpack it yourself if it is genuine, and name the files")


def unpacked(raw: RawFile, found: list[Member], folder: Path) -> Iterator[tuple[Member, RawFile]]:
    """Each member as a raw file of its own; it lies in `folder` until the next one is asked for.

    Raises
    ------
    SourceError : a member that is damaged, is an archive itself, is larger than the archive says,
        or finds no room on the disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for member in found:
        path = folder / safe_name(member.name)
        try:
            fingerprint = _unpack(raw, member, path)
            inner = RawFile(path, fingerprint, raw.options, f"{raw.name}/{shown(member.name)}")
            if inner.head.startswith(ZIP_MARKS) and is_archive(inner):
                raise _refused(
                    raw,
                    member.name,
                    "is an archive inside an archive",
                    "Unpack the outer one and name what lies in it",
                )
            yield member, inner
        finally:
            path.unlink(missing_ok=True)


def safe_name(name: str) -> str:
    """A file name made of a member's: its last part, letters, digits and a few signs only, at most
    100 characters before the ending.
    """
    last = Path(name.split("/")[-1])
    stem = re.sub(r"[^\w.\-()\[\]]+", "_", last.stem).lstrip(".")
    suffix = re.sub(r"[^\w.]+", "", last.suffix)[:10]
    return (stem.encode("utf-8")[:100].decode("utf-8", errors="ignore") or "member") + suffix


def _unpack(raw: RawFile, member: Member, target: Path) -> str:
    """Write a member's bytes and return their SHA-256; never more bytes than the archive states."""
    stated, free = member.entry.file_size, shutil.disk_usage(target.parent).free
    if stated > free:
        raise _refused(
            raw,
            member.name,
            f"takes {stated:,} bytes unpacked, but {free:,} are free on the disk",
            "Free some room and refresh again",
        )
    try:
        digest, size = _written(raw, member, target)
    except NotImplementedError as error:  # Deflate64, as Windows packs what is larger than 2 GB
        raise _refused(
            raw,
            member.name,
            f"is packed in a way that is not read ({error})",
            "Unpack it yourself, and name the file",
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, *DAMAGED) as error:
        raise _refused(
            raw,
            member.name,
            f"is damaged and cannot be unpacked ({error})",
            "Fetch the archive again",
        ) from error
    except OSError as error:
        # A header may lie before the archive's first byte; a full disk is another matter.
        if error.errno != errno.EINVAL:
            raise
        raise _refused(
            raw, member.name, "is damaged and cannot be unpacked", "Fetch the archive again"
        ) from error
    if size != stated:
        raise _refused(
            raw,
            member.name,
            f"holds {size:,} bytes, {stated:,} expected: it is damaged",
            "Fetch the archive again",
        )
    return digest


def _written(raw: RawFile, member: Member, target: Path) -> tuple[str, int]:
    """The SHA-256 and the number of the bytes that were written."""
    digest, size = hashlib.sha256(), 0
    with (
        zipfile.ZipFile(raw.path) as archive,
        archive.open(member.entry) as packed,
        target.open("wb") as sink,
    ):
        while piece := packed.read(PIECE):
            size += len(piece)
            if size > member.entry.file_size:
                raise zipfile.BadZipFile("it holds more than its archive says")
            digest.update(piece)
            sink.write(piece)
    return digest.hexdigest(), size
