"""Large csv files as a fast parser takes them: UTF-8, one record a line, nothing that swallows what
comes after it.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from warehouse.errors import SourceError
from warehouse.sources.reading.parts import Part, chunks
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.text import BLANKS, LONGEST_LINE, REPLACEMENT, is_utf8

BLANK_LINE = "\x1e"  # a record separator: no field of a text file holds one
BREAK, COMMA, QUOTE, MARK = b'\n,"\x1e'
WIDE_BLANK = BLANKS[-1].encode()
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Transcoded:
    """What `transcode` saw: lines with text on them, lines in all, whether the last one was ended
    by a line break, and whether a field may have one of BLANKS around its text.
    """

    lines_n: int
    all_n: int
    is_ended: bool
    has_blanks: bool


def transcode(raw: RawFile, target: Path, header: str, part: Part | None = None) -> Transcoded:
    """Write a large csv, or its heads and a part of it, as UTF-8 with one record a line, in pieces.

    The caller has read the first line, and says what stands in its place: a parser that stumbles
    over a name such as `"code"=1` would take no row after it.

    Line breaks become \\n; an empty line becomes `BLANK_LINE`, so that line numbers stay those of
    the file, and goes at the end, where people's programs leave any number of them. A line with an
    odd number of quotes loses them: a quote that is opened and never closed would swallow every row
    after it. Names are sometimes cut in the middle of a character; those become U+FFFD, and the
    caller decides about the rows.

    Raises
    ------
    SourceError : neither UTF-8 nor GB18030 (of a piece more than one character in a hundred cannot
        be decoded), or a line longer than any.
    """
    rest, lines = b"", None
    with target.open("wb") as sink:
        for piece in _pieces(raw, part):
            rest += piece
            cut = rest.rfind(b"\n")
            if cut >= 0:
                if lines is None:
                    first = rest[:cut].partition(b"\n")[0]
                    lines = _Lines(sink, first.count(b","))
                    rest = header.encode() + rest[len(first) :]
                    cut += len(header) - len(first)
                lines.write(rest[:cut])
                rest = rest[cut + 1 :]
            if len(rest) > LONGEST_LINE:
                raise SourceError(
                    raw.name,
                    f"line {(lines.filled_n if lines else 0) + 1}",
                    f"is longer than {LONGEST_LINE:,} bytes",
                    "Check that the file is a csv with one record a line",
                )
        lines = lines or _Lines(sink, -1)
        if rest:
            lines.write(rest)
    return Transcoded(lines.filled_n, lines.all_n, not rest, lines.has_blanks)


def _pieces(raw: RawFile, part: Part | None) -> Iterator[bytes]:
    """A file in UTF-8 whatever it was in, without a byte-order mark, its line breaks \\n."""
    lost = REPLACEMENT.encode()  # also in a file that somebody saved after reading it wrong
    for piece in _unchecked(raw, part):
        lost_n = piece.count(lost)
        if lost_n and lost_n * 100 > len(piece.decode(errors="ignore")) + 1000:
            raise SourceError(
                raw.name,
                "",
                "is neither UTF-8 nor GB18030: too many characters cannot be decoded",
                "Save it as UTF-8 or GB18030 and refresh again",
            )
        yield piece


def _unchecked(raw: RawFile, part: Part | None) -> Iterator[bytes]:
    if not (part.is_utf8 if part is not None else is_utf8(raw)):
        decoder = codecs.getincrementaldecoder("gb18030")(errors="replace")
        breaks = io.IncrementalNewlineDecoder(decoder, translate=True)
        for chunk in chunks(raw.path, part):
            yield breaks.decode(chunk).encode()
        yield breaks.decode(b"", final=True).encode()
        return
    held, mark = b"", codecs.BOM_UTF8
    for chunk in chunks(raw.path, part):
        piece = held + chunk.removeprefix(mark)
        held, mark = _begun(piece), b""
        yield _breaks(piece[: len(piece) - len(held)])
    # A file that is cut off may end within a character.
    yield _breaks(held).decode(errors="replace").encode()


def _begun(piece: bytes) -> bytes:
    """The end of a piece of which what follows says what it is: half of a break, or a part of a
    character.
    """
    if piece.endswith(b"\r"):
        return piece[-1:]
    last = piece[-3:]
    return last[codecs.utf_8_decode(last, "replace", False)[1] :]


def _breaks(piece: bytes) -> bytes:
    if b"\r" not in piece:
        return piece
    return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class _Lines:
    """Writes lines as a csv parser can only take them: each as one record, or as a broken one.

    Nearly all are, so that they are looked at by the million and touched by the one.

    commas : in a line as the header has them
    """

    def __init__(self, sink: BinaryIO, commas: int) -> None:
        self._sink, self._commas, self._held = sink, commas, 0
        self.filled_n, self.all_n, self.has_blanks = 0, 0, False

    def write(self, lines: bytes) -> None:
        """Write complete lines; empty ones at their end are held back until others follow."""
        self.all_n += lines.count(b"\n") + 1
        content = lines.rstrip(b"\n")
        if not content:
            self._held += len(lines) + 1
            return
        self._sink.write((BLANK_LINE + "\n").encode() * self._held)
        self._held = len(lines) - len(content)
        signs = np.frombuffer(content, np.uint8)
        ends = np.append(np.flatnonzero(signs == BREAK), len(content))
        starts = np.append(0, ends[:-1] + 1)
        is_blank = (starts == ends) | ((ends - starts == 1) & (signs[starts] == MARK))
        doubtful = np.flatnonzero(is_blank | self._doubtful(signs, starts, ends))
        if len(doubtful):
            parted = content.split(b"\n")
            for at in doubtful:
                parted[at] = _mended(parted[at], self._commas)
            content = b"\n".join(parted)
        self._sink.write(content + b"\n")
        self.filled_n += len(ends) - int(is_blank.sum())
        self.has_blanks = self.has_blanks or _has_blanks(signs, content)

    def _doubtful(self, signs: npt.NDArray[np.uint8], starts: Numbers, ends: Numbers) -> np.ndarray:
        """Which lines `_mended` may change: with a quote too many, or a comma at their end."""
        doubtful = signs[ends - 1] == COMMA
        if doubtful.any():
            doubtful &= _count(signs == COMMA, starts, ends) > self._commas
        is_quote = signs == QUOTE
        return doubtful | (_count(is_quote, starts, ends) % 2 == 1) if is_quote.any() else doubtful


def _count(marked: np.ndarray, starts: Numbers, ends: Numbers) -> Numbers:
    """How many signs of each line are marked."""
    at = np.flatnonzero(marked)
    return np.asarray(np.searchsorted(at, ends) - np.searchsorted(at, starts), dtype=np.int64)


def _has_blanks(signs: npt.NDArray[np.uint8], content: bytes) -> bool:
    """Whether a blank stands beside a comma, a quote or the end of a line."""
    if WIDE_BLANK in content:
        return True
    at = np.flatnonzero((signs == 32) | (signs == 9))
    beside = np.concatenate([signs[at - 1], signs[np.minimum(at + 1, len(signs) - 1)]])
    is_at_end = len(at) > 0 and (at[0] == 0 or at[-1] == len(signs) - 1)
    return bool(is_at_end or np.isin(beside, (BREAK, COMMA, QUOTE)).any())


def _mended(line: bytes, commas: int) -> bytes:
    """A line that a csv parser can only take as one record, or as a broken one.

    A stray quote goes, if the fields then are as many as the header's. A line with one field too
    many and nothing in its last one would pass with every field after the surplus comma in its
    neighbour's place: it becomes one field, and so broken. A line of stray quotes alone is no blank
    one, which a parser would pass over: it becomes broken too.
    """
    if not line:
        return BLANK_LINE.encode()
    if b'"' in line:
        if line.count(b'"') % 2 == 0:
            return line
        line = line.replace(b'"', b"")
        if line in (b"", BLANK_LINE.encode()):
            return b";"
        return line if line.count(b",") == commas else line.replace(b",", b";")
    is_longer = line.endswith(b",") and line.count(b",") > commas
    return line.replace(b",", b";") if is_longer else line
