"""A release made again from its manifest: the same tables, and the same bytes in every export."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from flows.doors.export import save_all
from flows.refresh.rebuild import _altered, rebuild
from tests.conftest import citytrade, unseal, write_config
from warehouse.errors import ReleaseError
from warehouse.releases.publish import (
    DATABASE,
    MANIFEST,
    current_release,
    make_current,
    read_manifest,
    read_manifest_file,
    release_names,
)
from warehouse.releases.seal import broken_seals, remove_tree
from warehouse.settings.config import Config, load_config


@pytest.fixture
def published(small_release: Config, tmp_path: Path) -> Config:
    for name in ("world", "home"):
        shutil.copytree(small_release.home.parent / name, tmp_path / name, symlinks=True)
    return load_config(
        write_config(tmp_path / "citytrade.toml", tmp_path / "world", simulate=False)
    )


def _prints(config: Config, folder: Path) -> dict[str, str]:
    save_all(config, folder, "parquet", lambda _: None)
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.glob("*.parquet")
    }


def test_a_release_is_rebuilt_to_the_same_tables_and_the_same_bytes(
    published: Config, tmp_path: Path
) -> None:
    name = current_release(published.home)
    assert name is not None
    before = _prints(published, tmp_path / "before")
    kept = tmp_path / "kept.json"
    shutil.copy(published.builds / name / MANIFEST, kept)
    remove_tree(published.builds / name)  # as it is when five newer ones were published
    published.current.unlink()
    done = citytrade("rebuild", str(kept), "--config", str(published.path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Release {name} rebuilt and put back: " in done.stdout
    assert release_names(published.home) == [name]
    assert current_release(published.home) is None  # putting back is not publishing
    _assert_an_altered_one_is_put_back(published, name, kept)
    make_current(published.home, name)
    assert _prints(published, tmp_path / "after") == before
    assert read_manifest(published.home, name).years == [2000, 2021]
    _assert_what_readers_get_is_left_to_a_refresh(published, name)


def _assert_what_readers_get_is_left_to_a_refresh(config: Config, name: str) -> None:
    """Nothing can take the place of an altered release that readers have open; it is told."""
    unseal(config.builds / name)
    with (config.builds / name / DATABASE).open("ab") as handle:
        handle.write(b"more")
    with pytest.raises(ReleaseError, match=r"is the one that readers get, and it was changed"):
        rebuild(config, name, lambda _: None)


def _assert_an_altered_one_is_put_back(config: Config, name: str, kept: Path) -> None:
    """As doctor says of a broken seal, unless the manifest itself may have been changed."""
    folder = config.builds / name
    unseal(folder)
    with (folder / DATABASE).open("ab") as handle:
        handle.write(b"more")
    said: list[str] = []
    rebuild(config, name, said.append)
    assert said[-1].startswith(f"Release {name} rebuilt and put back: ")
    assert broken_seals(folder) == []
    assert list(config.builds.iterdir()) == [folder]
    unseal(folder)
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes() + b" ")
    with pytest.raises(ReleaseError, match=r"release\.json was changed, so its manifest"):
        rebuild(config, name, said.append)
    # From a copy kept elsewhere it would be: one that was removed was put back so above.
    assert _altered(config, read_manifest_file(kept), str(kept))


def test_what_keeps_a_release_from_being_rebuilt_is_named(
    published: Config, tmp_path: Path
) -> None:
    name = current_release(published.home)
    assert name is not None
    written = json.loads((published.builds / name / MANIFEST).read_text(encoding="utf-8"))
    kept = tmp_path / "kept.json"

    def refused(**changes: object) -> str:
        kept.write_text(json.dumps({**written, **changes}), encoding="utf-8")
        with pytest.raises(ReleaseError) as told:
            rebuild(published, str(kept), lambda _: None)
        return str(told.value)

    assert "was made by other code than this (commit abc)" in refused(
        code_fingerprint="0" * 64, code_version="abc"
    )
    assert "was made with other packages: duckdb 0.1 (here " in refused(
        packages={**written["packages"], "duckdb": "0.1"}
    )
    assert "holds 2003-2011, and" in refused(years=[2003, 2011])
    assert "before manifests said what its tables hold" in refused(tables={})
    assert "was changed by hand" in refused(set_id="0" * 12)
    load = written["loads"][0]
    shutil.rmtree(published.lake / "loads" / load["source"] / load["load_id"])
    told = refused()
    assert f"1 of {len(written['loads'])} loads of release {name} are no longer in the lake" in told
    assert f"{load['source']}: {load['file_name']} (SHA-256 {load['fingerprint']})" in told
