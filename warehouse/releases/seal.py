"""A published release is sealed: its files lose their write bits, and a list of their hashes lies
among them.

A program that opens the warehouse file for writing is told that it is read-only, and whoever
changes a byte all the same is found: `SHA256SUMS` is what `sha256sum --check SHA256SUMS` reads.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

SUMS = "SHA256SUMS"
FILE_MODE, FOLDER_MODE = 0o444, 0o555


def seal(folder: Path) -> None:
    """Write down what every file of a folder holds, and take the write bits from all of it."""
    text = _listed({name: _digest(folder / name) for name in _names(folder)})
    (folder / SUMS).write_bytes(text.encode("utf-8"))
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            (Path(place) / name).chmod(FILE_MODE)
        Path(place).chmod(FOLDER_MODE)


def broken_seals(folder: Path) -> list[str]:
    """What is no longer as it was sealed, one sentence a file; empty where all is well."""
    list_file = folder / SUMS
    if list_file.is_symlink() or not list_file.is_file():
        return [f"{SUMS} is gone, so nothing says what the files held"]
    try:
        text = list_file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return [f"{SUMS} cannot be read ({error})"]
    lines = (line.partition("  ") for line in text.split("\n") if line)
    sealed = {name: digest for digest, _, name in lines}
    here = {name: _digest(folder / name) for name in _names(folder)}
    found = [f"{name!r} is gone" for name in sorted(set(sealed) - set(here))]
    found += [f"{name} was added" for name in sorted(set(here) - set(sealed))]
    found += [
        f"{name} was changed"
        for name in sorted(set(here) & set(sealed))
        if here[name] != sealed[name]
    ]
    return found or ([] if text == _listed(here) else [f"{SUMS} was changed"])


def unlike_sealed(folder: Path, files: Mapping[str, Path]) -> str:
    """Which of some files is not as a folder was sealed, or nothing.

    Parameters
    ----------
    files : name in the folder -> the file to look at, there or a copy elsewhere
    """
    list_file = folder / SUMS
    if list_file.is_symlink() or not list_file.is_file():
        return f"{SUMS} is gone, so nothing says what its files held"
    text = list_file.read_bytes().decode("utf-8", errors="replace")
    lines = (line.partition("  ") for line in text.split("\n") if line)
    sealed = {name: digest for digest, _, name in lines}
    for name, file in files.items():
        if sealed.get(name) != _digest(file):
            return f"{name} was changed after its publication"
    return ""


def _listed(digests: dict[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def remove_tree(folder: Path) -> None:
    """Remove a folder, sealed or not; what cannot be removed stays for the next time."""
    for place, _, _ in os.walk(folder):
        try:
            os.chmod(place, 0o755)
        except OSError:
            continue  # another user's: rmtree leaves it too
    shutil.rmtree(folder, ignore_errors=True)


def _names(folder: Path) -> list[str]:
    """Every file but the list itself, as paths from the folder on; a link counts as a file and is
    never followed.
    """
    found = [
        (Path(place) / name).relative_to(folder).as_posix()
        for place, folders, files in os.walk(folder)
        for name in [*files, *(name for name in folders if (Path(place) / name).is_symlink())]
    ]
    return sorted(name for name in found if name != SUMS)


def _digest(file: Path) -> str:
    if file.is_symlink():
        return f"link to {os.readlink(file)}"
    try:
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable: {error.strerror}"
