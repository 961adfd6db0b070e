"""A raw file as its readers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

SAMPLE_BYTES = 65_536


@dataclass(frozen=True)
class RawFile:
    """A raw file as it lies in the user's folder, or a member unpacked from an archive there, and a
    first look into it.

    path : where its bytes are; its name may be read (a year in it), nothing else about where it
        lies
    label : what the user knows a member as, `archive.zip/folder/member.csv`; empty for a file of
        its own
    """

    path: Path
    fingerprint: str
    options: Mapping[str, str] = field(default_factory=dict)
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or self.path.name

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB."""
        with self.path.open("rb") as handle:
            return handle.read(SAMPLE_BYTES)

    @property
    def file_id(self) -> str:
        return self.fingerprint[:12]
