"""Each block of every document does what it says: python, SQL and shell on the small release, and
the commands of transcripts by their arguments.
"""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.documents.blocks import READ, RUN, SHOWN, Block, Session, blocks, look_at
from tests.unit.test_documents import documents
from warehouse.errors import ConfigError
from warehouse.project import PROJECT
from warehouse.settings.config import Config, load_config

ELSEWHERE = PROJECT / "docs" / "elsewhere.md"
# It needs spreg, which is no dependency: tests/estimators/test_spreg.py runs it where that is.
SPATIAL = PROJECT / "docs" / "estimators" / "systems.md"
PAGES = documents()
RUNNABLE = [
    page
    for page in PAGES
    if page not in (ELSEWHERE, SPATIAL) and {block.language for block in blocks(page)} & RUN
]


@pytest.fixture(scope="module")
def home(small_release: Config, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The small release in a home of its own, by links: some blocks write beside a release."""
    folder = tmp_path_factory.mktemp("readers")
    shutil.copytree(small_release.home, folder / "home", symlinks=True, copy_function=os.link)
    shutil.copy(small_release.path, folder / "citytrade.toml")
    return load_config(folder / "citytrade.toml")


@pytest.fixture
def session(home: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("CITYTRADE_CONFIG", str(home.path))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return Session(tmp_path)


def by_name(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


@pytest.mark.parametrize("page", RUNNABLE, ids=by_name)
def test_the_blocks_of_a_page_run(page: Path, session: Session) -> None:
    for block in blocks(page):
        if block.language in RUN:
            session.run(block)


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_what_is_not_run_names_what_there_is(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        assert block.language in RUN | READ | SHOWN, f"{block.place}: language {block.language!r}?"
        look_at(block, tmp_path)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a line on the terminal."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def addresses(home: Config, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Puts a web server of this machine, which has the release, in the place of the page's
    addresses; that buckets are read alike is tried in tests/unit/test_elsewhere.py.
    """
    from flows.doors.publishing import publish

    folder = tmp_path / "published"
    release = publish(home, str(folder), lambda _: None)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_address[1]}"

    def given(text: str) -> str:
        text = text.replace("'https://data.example.org/citytrade/", f"'{folder}/")
        for name in ("https://data.example.org/citytrade", "s3://bucket/citytrade"):
            text = text.replace(name, here)
        return text.replace("20261130T120055Z-3fa9c1", release)

    yield given
    server.shutdown()
    server.server_close()


def test_the_page_on_other_machines_reads_what_is_published(
    addresses: Callable[[str], str], session: Session
) -> None:
    import duckdb

    languages = set()
    for block in blocks(ELSEWHERE):
        given = Block(block.page, block.line, block.language, addresses(block.text))
        languages.add(block.language)
        if block.language == "python":
            session.run(given)
        elif block.language == "sql":
            assert duckdb.sql(given.text).fetchall()
    assert {"python", "sql"} <= languages


@pytest.mark.parametrize(
    ("language", "text", "error"),
    [
        ("python", "from warehouse import panel\npanel('city_year', columns=['gdp_cn'])", "gdp_cn"),
        ("sql", "select 1;\nselect gdp_cn from city_year", "gdp_cn"),
        ("sh", "citytrade describe city_yaer", "ended with 1"),
        ("sh", "echo 1 \\\n  | false", "ended with 1"),
        ("sh", "cat <<END\n$(false\nEND", "ended with"),
    ],
)
def test_a_block_that_does_not_run_is_told(
    language: str, text: str, error: str, session: Session
) -> None:
    with pytest.raises(Exception, match=error):
        session.run(Block(Path("page.md"), 1, language, text + "\n"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("console", "$ citytrade panel city_year --yaers 2003"),
        ("console", "$ .venv/bin/citytrade refresh && citytrade pubish x   # and so on"),
        ("console", "$ make refrehs"),
        ("console", "$ python -m analysis.reprot all"),
        ("toml", '[warehouse]\nhom = "data"'),
    ],
)
def test_a_transcript_that_names_what_is_not_there_is_told(
    language: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((AssertionError, ConfigError, ModuleNotFoundError)):
        look_at(Block(Path("page.md"), 1, language, text + "\n"), tmp_path)


def test_blocks_are_found_with_their_lines(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n```sh\necho 1\n```\ntext `x`\n\n```python\na = 1\n```\n")
    assert [(b.language, b.line, b.text) for b in blocks(page)] == [
        ("sh", 4, "echo 1\n"), ("python", 9, "a = 1\n"),
    ]  # fmt: skip
