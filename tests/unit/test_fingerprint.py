"""A raw file is hashed once in a process, and again as soon as it may be another."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from flows.refresh import reading
from flows.refresh.reading import Reader
from warehouse.lake import loads
from warehouse.lake.loads import fingerprint
from warehouse.sources.templates import template


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for every time that a file's bytes are hashed."""
    told: list[str] = []
    true = hashlib.file_digest

    def counted(handle, name):
        told.append(name)
        return true(handle, name)

    monkeypatch.setattr(loads.hashlib, "file_digest", counted)
    return told


def age(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a file had been written a while ago; nobody can set the time of its last change."""
    monkeypatch.setattr(loads, "SETTLED_NS", -(10**12))


def test_a_file_is_hashed_once(tmp_path, hashed, monkeypatch) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"one")
    age(file, monkeypatch)
    assert fingerprint(file) == fingerprint(file) == hashlib.sha256(b"one").hexdigest()
    assert len(hashed) == 1
    assert fingerprint(file, anew=True) == hashlib.sha256(b"one").hexdigest()
    assert len(hashed) == 2


def test_another_file_of_the_same_size_and_time_is_another(tmp_path, hashed, monkeypatch) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"one")
    age(file, monkeypatch)
    fingerprint(file)
    about = file.stat()
    other = tmp_path / "b.csv"
    other.write_bytes(b"two")
    os.utime(other, ns=(about.st_atime_ns, about.st_mtime_ns))
    os.replace(other, file)
    assert fingerprint(file) == hashlib.sha256(b"two").hexdigest()
    file.write_bytes(b"six")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert fingerprint(file) == hashlib.sha256(b"six").hexdigest()


def test_what_was_written_just_now_is_hashed_again(tmp_path, hashed) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"one")
    fingerprint(file), fingerprint(file)
    assert len(hashed) == 2


def test_known_files_start_no_process(tmp_path, monkeypatch) -> None:
    form = template("prices")
    files = [tmp_path / f"exchange_rates_{at}.csv" for at in range(2)]
    for at, file in enumerate(files):
        lines = [form.heads, *(form.rows * (at + 1))]
        file.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding="utf-8")
    with Reader(tmp_path / "lake", lambda _: None) as reader:
        first = reader.read("prices", files, {})
        assert reader._pool is None
    monkeypatch.setattr(reading, "BIG_BYTES", 1)
    with Reader(tmp_path / "lake", lambda _: None) as reader:
        assert reader.read("prices", files, {}) == first
        assert reader._pool is None
