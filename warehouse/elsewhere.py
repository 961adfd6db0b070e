"""Releases that were published elsewhere, read from any machine: a folder, a web server, an object
store.

ADDRESS/latest.json                        the release that readers get now
ADDRESS/releases/<release>/manifest.json   its panels: file, rows, bytes, SHA-256, keys, columns
ADDRESS/releases/<release>/<panel>.parquet units and labels in its own head

`citytrade publish ADDRESS` writes them, latest.json last, so that a reader gets a whole release or
the former one. What comes from there is foreign: names are held to their patterns, sizes to what
the manifest says, contents to their hashes.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from warehouse.errors import ReleaseError
from warehouse.releases.publish import RELEASE_PATTERN
from warehouse.store import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

LATEST, RELEASES, MANIFEST = "latest.json", "releases", "manifest.json"
FILE_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,99}\.parquet")
WEB = ("http", "https")
# Scheme -> the packages that it needs beside fsspec, in the extra `elsewhere` or to be chosen.
STORES = {"": "", "file": "", "memory": "", "s3": "s3fs", "gs": "gcsfs", "abfs": "adlfs"}
SECONDS = 300.0
CONNECT_SECONDS, SILENT_SECONDS = 10.0, 30.0
JSON_BYTES, PANEL_BYTES = 16_000_000, 4_000_000_000


@dataclass(frozen=True)
class Place:
    """Where releases are published: its address, and what reads and writes there (None: a web
    server, which is only read).
    """

    address: str
    files: Any
    root: str

    def path(self, *parts: str) -> str:
        return "/".join((self.root, *parts))

    def read(self, *parts: str, limit: int) -> bytes | None:
        """The bytes of a file, or None where there is none.

        Raises
        ------
        ReleaseError : more than `limit` bytes, more than SECONDS, or a place that fails.
        """
        path = self.path(*parts)
        try:
            content = (
                _downloaded(path, limit)
                if self.files is None
                else within_time(self.files, "cat_file", path, start=0, end=limit + 1)
            )
        except FileNotFoundError:
            return None
        except Exception as error:  # each store raises its own kinds
            raise self.failed("read", "/".join(parts), error) from error
        if len(content) > limit:
            raise ReleaseError(
                f"{'/'.join(parts)} in {self.address} is larger than the {limit:,} bytes that it"
                " should have: somebody has changed it. Publish the release again."
            )
        return bytes(content)

    def failed(self, verb: str, name: str, error: BaseException) -> ReleaseError:
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        return ReleaseError(
            f"{name} cannot be {verb} in {self.address} ({told}). Check the address, the network"
            " and who may go there."
        )


def open_place(address: str) -> Place:
    """The place behind an address: a folder, or s3://, gs://, abfs://, http(s)://.

    Raises
    ------
    ReleaseError : an address of another kind, with a secret in it, or whose package is missing.
    """
    import fsspec

    parts = urlsplit(address)
    if re.search(r"[\x00-\x1f\x7f]|::", address) or parts.scheme not in (*STORES, *WEB):
        raise ReleaseError(
            f"{address!r} is no address to publish at or to read from: name a folder, or"
            " s3://BUCKET/FOLDER, gs://, abfs:// or, for reading, https://."
        )
    if parts.scheme and ("@" in parts.netloc or parts.query or parts.fragment):
        raise ReleaseError(
            "An address carries no name, key or token: it would stand in logs. Give them in the"
            " environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    bare = address.rstrip("/")
    if parts.scheme in WEB:
        return Place(bare, None, bare)
    try:
        files, root = fsspec.core.url_to_fs(address, skip_instance_cache=True, **_options(parts[0]))
    except (ImportError, ValueError) as error:
        package = STORES[parts.scheme] or "fsspec"
        raise ReleaseError(
            f"{parts.scheme}:// needs the package {package} ({error}): pip install {package}"
        ) from error
    return Place(bare, files, root.rstrip("/"))


def _options(scheme: str) -> dict[str, Any]:
    if scheme != "s3":
        return {}
    patience = {"connect_timeout": CONNECT_SECONDS, "read_timeout": SILENT_SECONDS}
    return {"config_kwargs": {**patience, "retries": {"max_attempts": 2}}}


def within_time(files: Any, action: str, *arguments: Any, **options: Any) -> Any:
    """Do one thing in a file system, in SECONDS at most where it is a remote one.

    Raises
    ------
    FileNotFoundError, OSError, or what the store's own package raises
    """
    from fsspec.asyn import AsyncFileSystem, sync

    if isinstance(files, AsyncFileSystem):
        remote = getattr(files, f"_{action}")
        return sync(files.loop, remote, *arguments, timeout=SECONDS, **options)
    return getattr(files, action)(*arguments, **options)


def _downloaded(url: str, limit: int) -> bytes:
    """What a web server sends, up to one byte more than `limit`."""
    import httpx

    ends = time.monotonic() + SECONDS
    patience = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS)
    content = bytearray()
    plain = {"Accept-Encoding": "identity"}
    with httpx.stream("GET", url, headers=plain, timeout=patience, follow_redirects=True) as answer:
        if answer.status_code in (404, 410):
            raise FileNotFoundError(url)
        answer.raise_for_status()
        for chunk in answer.iter_raw():  # as they come, unpacked by nobody
            content += chunk
            if len(content) > limit:
                break
            if time.monotonic() > ends:
                raise TimeoutError(f"not all of it came in {SECONDS:g} s")
    return bytes(content)


def manifest(place: Place, release: str | None = None) -> dict[str, Any]:
    """What a published release says of itself; of the newest if none is named.

    Raises
    ------
    ReleaseError : nothing is published there, not this release, or what is there is no manifest.
    """
    name = release if release is not None else _object(place, LATEST)["release"]
    if not isinstance(name, str) or not RELEASE_PATTERN.fullmatch(name):
        raise ReleaseError(f"{name!r} in {place.address} is no release's name.")
    told = _object(place, RELEASES, name, MANIFEST)
    listed = told.get("panels")
    if told.get("release") != name or not _are_panels(listed):
        raise ReleaseError(
            f"The manifest of {name} in {place.address} is not as it was published. Publish again."
        )
    return told


def _are_panels(listed: Any) -> bool:
    return isinstance(listed, list) and all(map(_is_panel, listed))


def _is_panel(told: Any) -> bool:
    """Whether an entry of a manifest can be relied on to name one file and its size."""
    kinds = {"panel": str, "file": str, "rows": int, "bytes": int, "sha256": str, "keys": list}
    return (
        isinstance(told, dict)
        and all(isinstance(told.get(name), kind) for name, kind in kinds.items())
        and all(isinstance(each, dict) and "name" in each for each in told.get("columns", [{}]))
        and FILE_PATTERN.fullmatch(told["file"]) is not None
        and told["bytes"] <= PANEL_BYTES
    )


def _object(place: Place, *parts: str) -> dict[str, Any]:
    content = place.read(*parts, limit=JSON_BYTES)
    if content is None:
        raise ReleaseError(
            f"There is no {'/'.join(parts)} in {place.address}: `citytrade publish` writes it."
        )
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ReleaseError(f"{'/'.join(parts)} in {place.address} is no JSON.") from error
    if not isinstance(told, dict):
        raise ReleaseError(f"{'/'.join(parts)} in {place.address} is not what publishing writes.")
    return told


def panels(address: str, release: str | None = None) -> pd.DataFrame:
    """The panels of a release published at `address`, the newest if none is named: panel, keys,
    rows, bytes, release, simulated.
    """
    import pandas as pd

    told = manifest(open_place(address), release)
    rows = [
        [each["panel"], ", ".join(each["keys"]), each["rows"], each["bytes"]]
        for each in told["panels"]
    ]
    frame = pd.DataFrame(rows, columns=["panel", "keys", "rows", "bytes"])
    return frame.assign(release=told["release"], simulated=told["simulated"])


def panel(
    address: str, name: str, columns: Iterable[str] | None = None, release: str | None = None
) -> pd.DataFrame:
    """A panel of a release published at `address`: the same frame, with the same attrs, as
    `warehouse.panel` gives where the release was made.

    Parameters
    ----------
    columns : the columns wanted besides the keys; all if not given
    release : the newest if none is named

    Raises
    ------
    ReleaseError : no such release or panel, or a file that is not the one that was published.
    """
    place = open_place(address)
    told = manifest(place, release)
    by_name = {each["panel"]: each for each in told["panels"]}
    if name not in by_name:
        raise ReleaseError(
            f"There is no panel {name} in {told['release']}: there are {', '.join(by_name)}."
        )
    about = by_name[name]
    content = place.read(RELEASES, told["release"], about["file"], limit=about["bytes"])
    if content is None or hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise ReleaseError(
            f"{about['file']} in {place.address} is not the file that was published with"
            f" {told['release']}: it was changed, or cut off. Publish the release again."
        )
    return _frame(content, about, told, columns)


def _frame(
    content: bytes, about: dict[str, Any], told: dict[str, Any], columns: Iterable[str] | None
) -> pd.DataFrame:
    import pyarrow.parquet as pq

    chosen = None
    if columns is not None:
        wanted = list(dict.fromkeys([*about["keys"], *columns]))
        chosen = list(_known(wanted, about))
    table = pq.read_table(BytesIO(content), columns=chosen)
    frame = frame_of(table)
    frame.attrs = {
        "panel": about["panel"],
        "release": told["release"],
        "simulated": told["simulated"],
        "columns": {field.name: labels(field) for field in table.schema if labels(field)},
    }
    return frame


def labels(field: Any) -> dict[str, str]:
    """A Parquet column's unit, labels and definitions, as they were written with it."""
    return {
        key.decode(): text.decode()
        for key, text in (field.metadata or {}).items()
        if not key.startswith(b"PARQUET:")
    }


def _known(wanted: list[str], about: dict[str, Any]) -> Iterator[str]:
    there = {each["name"] for each in about["columns"]}
    for name in wanted:
        if name not in there:
            raise ReleaseError(f"{about['panel']} has no column {name}.")
        yield name
