"""A large text file in parts of whole lines, so that several processes or machines may read it at
once; and who does the parts' work.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.text import CHUNK, LONGEST_LINE, is_utf8

Job = TypeVar("Job")
Done = TypeVar("Done")


class Spread(Protocol):
    """Does the same work on several things, somewhere, and gives what came out in their order.

    part_bytes : a file of twice as many is worth being cut, into parts of about so many
    """

    part_bytes: int

    def __call__(self, work: Callable[[Job], Done], jobs: Sequence[Job]) -> list[Done]: ...


@dataclass(frozen=True)
class Part:
    """The bytes `start` to `stop` of a text file: whole lines, and not the first, which has the
    heads and ends at `heads_stop`.

    is_utf8 : of the whole file; a part alone may look like either
    """

    heads_stop: int
    start: int
    stop: int
    is_utf8: bool


def cut(raw: RawFile, part_bytes: int) -> list[Part]:
    """A file's parts, each from the start of a line to the end of one; none where it is not worth
    it, or where its lines end otherwise than in \\n.

    In UTF-8 and in GB18030 no other character holds the byte of a line break.
    """
    size = raw.path.stat().st_size
    if size < 2 * part_bytes:
        return []
    with raw.path.open("rb") as source:
        edges = [_next_line(source, 0)]
        for at in range(part_bytes, size, part_bytes):
            edges.append(_next_line(source, max(at, *edges)))
    edges = [edge for edge in dict.fromkeys(edges) if 0 < edge < size]
    if len(edges) < 2:
        return []
    is_plain = is_utf8(raw)
    return [
        Part(edges[0], start, stop, is_plain)
        for start, stop in zip(edges, [*edges[1:], size], strict=True)
    ]


def chunks(path: Path, part: Part | None) -> Iterator[bytes]:
    """A file's bytes in pieces, or those of its heads and then of a part. The first piece holds all
    of a byte-order mark.
    """
    with path.open("rb") as source:
        yield source.read(part.heads_stop if part else len(codecs.BOM_UTF8))
        if part is None:
            while chunk := source.read(CHUNK):
                yield chunk
            return
        source.seek(part.start)
        while chunk := source.read(min(CHUNK, part.stop - source.tell())):
            yield chunk


def _next_line(source: BinaryIO, at: int) -> int:
    """Where the line after this place begins; 0 where there is no break for longer than any line
    is.
    """
    source.seek(at)
    return source.tell() if source.readline(LONGEST_LINE + 2).endswith(b"\n") else 0
