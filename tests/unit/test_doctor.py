"""`citytrade doctor` and the lock: what is wrong is found, named, and said how to mend."""

from __future__ import annotations

import errno
import fcntl
import importlib.metadata
import json
import multiprocessing
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from flows import doctor
from flows.cli import main
from flows.processes import lock
from tests.conftest import PROJECT, MakeRelease, environment
from warehouse.errors import ReleaseError
from warehouse.releases.publish import MANIFEST, read_manifest
from warehouse.settings.config import Config


def run(capsys: pytest.CaptureFixture[str], config: Path) -> tuple[int, str]:
    code = main(["doctor", "--config", str(config)])
    return code, capsys.readouterr().out


def test_doctor_finds_nothing_in_a_new_home(tiny_config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, tiny_config.path)
    assert "none published yet" in out
    assert "none running" in out


def test_a_misspelled_key_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[warehouse]\nhme = 1\n", encoding="utf-8")
    code, out = run(capsys, wrong)
    assert code == 1
    assert "Did you mean 'home'?" in out


def test_an_old_python_is_named(tiny_config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.10.4")
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert "Python: Install Python 3.11 or later." in out


def test_missing_and_other_packages_are_named(tiny_config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name in ("linearmodels", "polars"):  # the second one is a tool of developers only
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.0.1" if name == "openpyxl" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert "linearmodels is missing" in out
    assert "openpyxl 0.0.1 instead of " in out
    assert "polars" not in out
    assert "packages: Run `pip install -c constraints.txt -e .`" in out


def _with_missing(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.modules[{package!r}] = None; from flows.cli import main; sys.exit(main({list(arguments)!r}))"
    return subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("package", ["duckdb", "pandas", "pyarrow"])
def test_a_package_that_cannot_be_imported_is_named_and_is_no_traceback(tiny_config: Config, make_release: MakeRelease, package: str) -> None:
    make_release()
    done = _with_missing(package, "doctor" if package == "duckdb" else "panels", "--config", str(tiny_config.path))
    assert done.returncode == 1
    assert done.stderr == f"citytrade: the package {package} is missing. Run `pip install -c constraints.txt -e .` in the project's folder.\n"


def test_a_python_that_is_too_old_is_named_before_anything_else_fails() -> None:
    code = "import sys; sys.version_info = (3, 10, 4, 'final', 0); import flows.cli"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "citytrade: this is Python 3.10. Install Python 3.11 or later.\n")


def test_a_home_that_cannot_be_written_to_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    config = tmp_path / "citytrade.toml"
    config.write_text('[warehouse]\nhome = "file/home"\n', encoding="utf-8")
    code, out = run(capsys, config)
    assert code == 1
    assert "home: Choose another home in [warehouse], or give yourself the right to write there." in out


def test_a_release_of_another_duckdb_is_named(tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]) -> None:
    name = make_release()
    manifest = replace(read_manifest(tiny_config.home, name), packages={"duckdb": "0.9.2"})
    (tiny_config.builds / name / MANIFEST).write_text(json.dumps(asdict(manifest)), encoding="utf-8")
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert f"{name} was written by DuckDB 0.9.2, and this is DuckDB " in out
    assert "release: Install the pinned packages (duckdb 0.9.2), or run `citytrade refresh`" in out


def test_a_running_refresh_is_seen(tiny_config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    with lock.hold(tiny_config.home):
        _, out = run(capsys, tiny_config.path)
    assert "running (process" in out
    assert "stale" not in out


def _die_holding(home: Path) -> None:
    held = lock.hold(home)
    held.__enter__()
    os._exit(1)


def test_the_lock_of_a_dead_process_is_recognised_and_is_no_lock(tiny_config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die_holding, args=(tiny_config.home,))
    process.start()
    process.join()
    assert process.exitcode == 1
    assert lock.state(tiny_config.home) is None
    left = lock.left_behind(tiny_config.home)
    assert left is not None
    assert left.pid == process.pid
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert f"none running; stale lock of process {process.pid} on " in out
    said: list[str] = []
    with lock.hold(tiny_config.home, said.append):
        assert lock.state(tiny_config.home) is not None
    assert said == [f"The refresh of process {process.pid} on {left.host}, started {left.started}, ended before it was done; what it left is removed."]
    assert lock.left_behind(tiny_config.home) is None


def test_somebody_who_looks_at_the_lock_does_not_stop_a_refresh(tiny_config: Config) -> None:
    tiny_config.home.mkdir()
    looking = (tiny_config.home / lock.LOCK_NAME).open("a+")
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.1, looking.close).start()
    with lock.hold(tiny_config.home):
        assert lock.state(tiny_config.home) is not None


def test_a_full_disk_under_the_lock_is_told_and_frees_it(tiny_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(lock.os, "write", full)
        with pytest.raises(ReleaseError, match=r"cannot be written to \(No space left on device\)\. Free some space there"), lock.hold(tiny_config.home):
            pass
    with lock.hold(tiny_config.home):
        assert lock.state(tiny_config.home) is not None


def test_a_refresh_that_failed_leaves_no_stale_lock(tiny_config: Config) -> None:
    with pytest.raises(RuntimeError), lock.hold(tiny_config.home):
        raise RuntimeError
    assert lock.left_behind(tiny_config.home) is None
