"""Releases published elsewhere: a folder, a web server, an object store, and their faults."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import warehouse
from flows.doors import publishing
from flows.doors.publishing import publish
from tests.conftest import MakeRelease
from warehouse import elsewhere
from warehouse.errors import CitytradeError, ReleaseError
from warehouse.settings.config import Config


def silent(_: str) -> None:
    """Say nothing."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket in an object store on this machine."""
    s3fs = pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = f"panels-{port}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(bucket)
    yield f"s3://{bucket}/citytrade"
    server.stop()


Serve = Callable[[type[http.server.BaseHTTPRequestHandler]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a web server with a handler of requests; returns its address."""
    servers = []

    def start(handler: Any) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a line on the terminal."""

    def log_message(self, *_: Any) -> None:
        pass


def same(frame: pd.DataFrame, config: Config, release: str | None = None) -> None:
    here = warehouse.panel("city_year", config=config, release=release)
    pd.testing.assert_frame_equal(frame, here)
    assert frame.attrs == here.attrs


def test_a_folder_gives_the_panel_that_is_here(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    name = make_release()
    assert publish(tiny_config, str(tmp_path / "数据 #1?"), silent) == name
    same(elsewhere.panel(str(tmp_path / "数据 #1?"), "city_year"), tiny_config)
    listed = elsewhere.panels(str(tmp_path / "数据 #1?"))
    assert listed[["panel", "keys", "rows", "release", "simulated"]].values.tolist() == [
        ["city_year", "year, city_code", 5, name, True]
    ]
    folder = tmp_path / "数据 #1?" / "releases" / name
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.txt", "city_year.parquet", "dictionary.csv", "manifest.json",
    ]  # fmt: skip
    assert "SIMULATED" in (folder / "README.txt").read_text(encoding="utf-8")


def test_an_object_store_and_a_web_server_give_it_too(
    tiny_config: Config, make_release: MakeRelease, store: str, serve: Serve, tmp_path: Path
) -> None:
    first = make_release()
    publish(tiny_config, store, silent)
    publish(tiny_config, str(tmp_path / "web"), silent)
    web = serve(partial(Quiet, directory=str(tmp_path / "web")))  # type: ignore[arg-type]
    for address in (store, web):
        same(elsewhere.panel(address, "city_year"), tiny_config)
    second = make_release(change="delete from city_year where year > 2003", marker=2)
    publish(tiny_config, store, silent)
    same(elsewhere.panel(store, "city_year"), tiny_config, second)
    same(elsewhere.panel(store, "city_year", release=first), tiny_config, first)


def test_a_database_reads_the_file_by_its_manifest(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    make_release()
    publish(tiny_config, str(tmp_path / "out"), silent)
    newest = json.loads((tmp_path / "out" / "latest.json").read_text())["release"]
    row = duckdb.sql(
        f"select count(*) from '{tmp_path}/out/releases/{newest}/city_year.parquet'"
    ).fetchone()
    assert row == (5,)


def test_columns_come_with_the_keys(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    make_release()
    publish(tiny_config, str(tmp_path / "out"), silent)
    frame = elsewhere.panel(str(tmp_path / "out"), "city_year", columns=["is_open"])
    assert list(frame.columns) == ["year", "city_code", "is_open"]
    with pytest.raises(ReleaseError, match="no column gdp"):
        elsewhere.panel(str(tmp_path / "out"), "city_year", columns=["gdp"])
    with pytest.raises(ReleaseError, match=r"no panel city\b.*there are city_year"):
        elsewhere.panel(str(tmp_path / "out"), "city")


def test_publishing_again_writes_nothing_but_the_newest_name(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path
) -> None:
    name = make_release()
    publish(tiny_config, str(tmp_path / "out"), silent)
    before = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    said: list[str] = []
    publish(tiny_config, str(tmp_path / "out"), said.append)
    after = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert (said, after) == ([], before)
    manifest = tmp_path / "out" / "releases" / name / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"rows": 5', '"rows": 6'))
    with pytest.raises(ReleaseError, match="already, with other contents"):
        publish(tiny_config, str(tmp_path / "out"), silent)


def test_readers_keep_the_former_release_when_publishing_breaks(
    tiny_config: Config,
    make_release: MakeRelease,
    store: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = make_release()
    publish(tiny_config, store, silent)
    former = elsewhere.panel(store, "city_year")
    make_release(change="delete from city_year where year > 2003", marker=2)
    real, written = publishing.within_time, []

    def breaks(files: Any, action: str, path: str, *rest: Any, **options: Any) -> Any:
        if action == "pipe_file":
            written.append(path)
            if path.endswith("manifest.json"):
                raise OSError("the network is gone")
        return real(files, action, path, *rest, **options)

    monkeypatch.setattr(publishing, "within_time", breaks)
    with pytest.raises(ReleaseError, match=r"manifest.json cannot be written in s3://panels"):
        publish(tiny_config, store, silent)
    assert len(written) == 4
    still = elsewhere.panel(store, "city_year")
    pd.testing.assert_frame_equal(still, former)
    assert still.attrs["release"] == first


def test_a_release_that_comes_meanwhile_is_not_mixed_in(
    tiny_config: Config,
    make_release: MakeRelease,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, save_all = make_release(), publishing.save_all

    def while_another_is_published(*arguments: Any, **options: Any) -> list[str]:
        make_release(change="delete from city_year where year > 2003", marker=2)
        return save_all(*arguments, **options)

    monkeypatch.setattr(publishing, "save_all", while_another_is_published)
    assert publish(tiny_config, str(tmp_path / "out"), silent) == first
    same(elsewhere.panel(str(tmp_path / "out"), "city_year"), tiny_config, first)


@pytest.mark.parametrize("damage", ["changed", "cut", "longer", "gone"])
def test_a_file_that_is_not_the_published_one_is_refused(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path, damage: str
) -> None:
    name = make_release()
    publish(tiny_config, str(tmp_path / "out"), silent)
    file = tmp_path / "out" / "releases" / name / "city_year.parquet"
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(
            {"changed": content[:50] + b"x" + content[51:], "cut": content[:-9]}.get(
                damage, content + b"x"
            )
        )
    with pytest.raises(ReleaseError, match=r"city_year\.parquet"):
        elsewhere.panel(str(tmp_path / "out"), "city_year")


@pytest.mark.parametrize(
    ("latest", "told"),
    [
        ('{"release": "../../home"}', "no release's name"),
        ('{"release": 5}', "no release's name"),
        ("[]", "not what publishing writes"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_hostile_pointer_is_refused(tmp_path: Path, latest: str, told: str) -> None:
    (tmp_path / "latest.json").write_text(latest)
    with pytest.raises(ReleaseError, match=told):
        elsewhere.panels(str(tmp_path))


@pytest.mark.parametrize(
    "change", [{"file": "../../x.parquet"}, {"bytes": 10**15}, {"keys": None}, {"columns": [3]}]
)
def test_a_hostile_manifest_is_refused(
    tiny_config: Config, make_release: MakeRelease, tmp_path: Path, change: dict[str, Any]
) -> None:
    name = make_release()
    publish(tiny_config, str(tmp_path / "out"), silent)
    file = tmp_path / "out" / "releases" / name / "manifest.json"
    told = json.loads(file.read_text())
    told["panels"][0] |= change
    file.write_text(json.dumps(told))
    with pytest.raises(ReleaseError, match="not as it was published"):
        elsewhere.panel(str(tmp_path / "out"), "city_year")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ftp://example.org/x", "no address"),
        ("simplecache::s3://x/y", "no address"),
        ("s3://key:secret@bucket/x", "carries no name, key or token"),
        ("https://example.org/x?sig=secret", "carries no name, key or token"),
        ("a\nb", "no address"),
    ],
)
def test_other_addresses_are_refused_and_secrets_not_repeated(address: str, told: str) -> None:
    with pytest.raises(ReleaseError, match=told) as refused:
        elsewhere.open_place(address)
    assert "secret" not in str(refused.value)


def test_a_web_server_is_not_published_to(tiny_config: Config, make_release: MakeRelease) -> None:
    make_release()
    with pytest.raises(CitytradeError, match="only gives files out"):
        publish(tiny_config, "https://example.org/x", silent)


class Failing(Quiet):
    """Says that it is broken."""

    def do_GET(self) -> None:
        self.send_error(503)


class Dripping(Quiet):
    """Sends a byte now and then, for ever."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            pass


class Endless(Quiet):
    """Sends as much as anybody takes."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 1_000_000)
        except OSError:
            pass


@pytest.mark.parametrize(
    ("handler", "told"),
    [(Failing, "503"), (Dripping, "not all of it came"), (Endless, "larger than the 16,000,000")],
)
def test_failing_slow_and_endless_servers_end_in_a_sentence(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    handler: type[http.server.BaseHTTPRequestHandler],
    told: str,
) -> None:
    monkeypatch.setattr(elsewhere, "SECONDS", 1.0 if handler is Dripping else 60.0)
    with pytest.raises(ReleaseError, match=told):
        elsewhere.panels(serve(handler))


def test_nobody_there_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tiny_config: Config, make_release: MakeRelease
) -> None:
    pytest.importorskip("s3fs")
    make_release()
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "hidden-word",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ReleaseError, match="s3://nobody") as refused:
        publish(tiny_config, "s3://nobody/x", silent)
    assert "hidden-word" not in str(refused.value)
