"""`citytrade doctor` and the lock: what is wrong is found, named, and said how to mend."""

from __future__ import annotations

import errno
import fcntl
import importlib.metadata
import json
import multiprocessing
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict, replace
from pathlib import Path

import duckdb
import pytest

from flows import doctor
from flows.cli import main
from flows.processes import lock
from flows.refresh.leftovers import leftovers, remove_leftovers
from tests.conftest import PROJECT, MakeRelease, environment, unseal
from warehouse.errors import ReleaseError
from warehouse.releases.publish import DATABASE, MANIFEST, read_manifest, release_names
from warehouse.releases.seal import broken_seals, remove_tree, seal
from warehouse.settings.config import Config


def run(capsys: pytest.CaptureFixture[str], config: Path) -> tuple[int, str]:
    code = main(["doctor", "--config", str(config)])
    return code, capsys.readouterr().out


def test_doctor_finds_nothing_in_a_new_home(
    tiny_config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = run(capsys, tiny_config.path)
    assert "none published yet" in out
    assert "none running" in out


def test_a_misspelled_key_is_named_with_the_nearest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[warehouse]\nhme = 1\n", encoding="utf-8")
    code, out = run(capsys, wrong)
    assert code == 1
    assert "Did you mean 'home'?" in out


def test_an_old_python_is_named(
    tiny_config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.10.4")
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert "Python: Install Python 3.11 or later." in out


def test_missing_and_other_packages_are_named(
    tiny_config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
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
    code = (
        f"import sys; sys.modules[{package!r}] = None; from flows.cli import main;"
        f" sys.exit(main({list(arguments)!r}))"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("package", ["duckdb", "pandas", "pyarrow"])
def test_a_package_that_cannot_be_imported_is_named_and_is_no_traceback(
    tiny_config: Config, make_release: MakeRelease, package: str
) -> None:
    make_release()
    done = _with_missing(
        package, "doctor" if package == "duckdb" else "panels", "--config", str(tiny_config.path)
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == f"citytrade: the package {package} is missing. Run `pip install -c constraints.txt -e .`"
        " in the project's folder.\n"
    )


def test_a_python_that_is_too_old_is_named_before_anything_else_fails() -> None:
    code = "import sys; sys.version_info = (3, 10, 4, 'final', 0); import flows.cli"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (
        1,
        "citytrade: this is Python 3.10. Install Python 3.11 or later.\n",
    )


def test_a_home_that_cannot_be_written_to_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    config = tmp_path / "citytrade.toml"
    config.write_text('[warehouse]\nhome = "file/home"\n', encoding="utf-8")
    code, out = run(capsys, config)
    assert code == 1
    assert (
        "home: Choose another home in [warehouse], or give yourself the right to write there."
        in out
    )


def test_a_release_of_another_duckdb_is_named(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    name = make_release()
    manifest = replace(read_manifest(tiny_config.home, name), packages={"duckdb": "0.9.2"})
    unseal(tiny_config.builds / name)
    (tiny_config.builds / name / MANIFEST).write_text(
        json.dumps(asdict(manifest)), encoding="utf-8"
    )
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


def test_the_lock_of_a_dead_process_is_recognised_and_is_no_lock(
    tiny_config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_die_holding, args=(tiny_config.home,)
    )
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
    assert said == [
        f"The refresh of process {process.pid} on {left.host}, started {left.started}, ended before"
        " it was done; what it left is removed."
    ]
    assert lock.left_behind(tiny_config.home) is None


def test_somebody_who_looks_at_the_lock_does_not_stop_a_refresh(tiny_config: Config) -> None:
    tiny_config.home.mkdir()
    looking = os.open(tiny_config.home, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.1, os.close, [looking]).start()
    with lock.hold(tiny_config.home):
        assert lock.state(tiny_config.home) is not None


def test_a_full_disk_under_the_lock_is_told_and_frees_it(
    tiny_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(lock.os, "write", full)
        with (
            pytest.raises(
                ReleaseError,
                match=r"cannot be written to \(No space left on device\)\. Free some space there",
            ),
            lock.hold(tiny_config.home),
        ):
            pass
    with lock.hold(tiny_config.home):
        assert lock.state(tiny_config.home) is not None


def test_a_refresh_that_failed_leaves_no_stale_lock(tiny_config: Config) -> None:
    with pytest.raises(RuntimeError), lock.hold(tiny_config.home):
        raise RuntimeError
    assert lock.left_behind(tiny_config.home) is None


def test_a_lock_file_that_is_deleted_while_held_lets_nobody_in(tiny_config: Config) -> None:
    with lock.hold(tiny_config.home):
        (tiny_config.home / lock.LOCK_NAME).unlink()
        assert lock.state(tiny_config.home) is not None
        with pytest.raises(ReleaseError, match="already running"), lock.hold(tiny_config.home):
            pass
    assert lock.state(tiny_config.home) is None


@pytest.mark.parametrize("kind", ["file", "folder", "nowhere"])
def test_a_lock_file_that_is_a_link_is_replaced_and_never_followed(
    tiny_config: Config, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "precious"
    if kind == "file":
        target.write_text("mine", encoding="utf-8")
    elif kind == "folder":
        target.mkdir()
    tiny_config.home.mkdir()
    (tiny_config.home / lock.LOCK_NAME).symlink_to(target)
    with lock.hold(tiny_config.home):
        holder = lock.state(tiny_config.home)
        assert holder is not None
        assert holder.pid == os.getpid()
    assert target.exists() == (kind != "nowhere")
    assert kind != "file" or target.read_text(encoding="utf-8") == "mine"
    assert lock.left_behind(tiny_config.home) is None


LEFT = [
    "lake/.active.0a1b2c3d", "lake/sets/.0123456789ab.0a1b2c3d/",
    "lake/loads/customs/.0123.0a1b2c3d/", "lake/schema/.prices.parquet.0a1b2c3d",
    "home:.current.0a1b2c3d", "home:.published.17", "home:.refresh.lock.17", "home:.alerts.json.17",
    "builds/.20260102T000000Z-abcdef.tmp/", "builds/20260102T000000Z-abcdef/",
    "builds/.spill/", "spark/exports/2015.0a1b2c3d/", "spark/exports/.kept.json.0a1b2c3d",
]  # fmt: skip


def test_what_refreshes_left_is_named_by_doctor_and_removed_by_the_next(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    name = make_release()
    for text in LEFT:
        path = tiny_config.home / text.removeprefix("home:")
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.endswith("/"):
            path.mkdir()
            (path / "warehouse.duckdb").write_bytes(b"half")
            seal(path)
        else:
            path.symlink_to("nowhere")
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert "leftovers: Refreshes that were ended left these." in out
    assert release_names(tiny_config.home) == [name], (
        "a release that no reader ever got is none to go back to"
    )
    assert len(remove_leftovers(tiny_config)) == len(LEFT)
    assert leftovers(tiny_config) == []
    assert release_names(tiny_config.home) == [name]


def test_one_byte_changed_in_a_release_is_found(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hundred single changes: a byte turned, cut off, added; a file removed, renamed, added, made
    a link.
    """
    name = make_release()
    folder = tiny_config.builds / name
    assert broken_seals(folder) == []
    unseal(folder)
    whole = {file.name: file.read_bytes() for file in folder.iterdir()}
    rng = random.Random(5)
    for _ in range(100):
        file = folder / rng.choice(sorted(whole))
        change_one(file, rng)
        assert len(broken_seals(folder)) >= 1, file.name
        for entry in folder.iterdir():
            entry.unlink()
        for kept, content in whole.items():
            (folder / kept).write_bytes(content)
        assert broken_seals(folder) == []
    (folder / "release.json").write_bytes(whole["release.json"] + b" ")
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert (
        f"Release {name} was changed after its publication. Run `citytrade refresh`: it builds it"
        " again." in out
    )


def change_one(file: Path, rng: random.Random) -> None:
    content = bytearray(file.read_bytes())
    at, kind = (
        rng.randrange(len(content)),
        rng.choice(("turn", "turn", "turn", "cut", "add", "remove", "rename", "more", "link")),
    )
    if kind == "turn":
        content[at] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del content[at:]
    elif kind == "add":
        content.insert(at, 32)
    file.unlink()
    if kind == "rename":
        file.with_name(f"{file.name}.old").write_bytes(content)
    elif kind == "link":
        elsewhere = file.parent.parent.parent / "elsewhere"
        elsewhere.write_bytes(content)
        file.symlink_to(elsewhere)
    elif kind != "remove":
        file.write_bytes(content)
    if kind == "more":
        file.with_name("more").write_bytes(b"x")


ANOTHER_PROGRAM = """
import os, sys, duckdb
file = sys.argv[1]
if os.geteuid() == 0:
    os.setuid(65534)  # who may do everything is told nothing
try:
    duckdb.connect(file)
except duckdb.Error as error:
    print("refused:", str(error).splitlines()[0])
"""


def test_a_program_that_opens_for_writing_is_refused_and_locks_nobody_out(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release()
    modes = {
        file.name: stat.S_IMODE(file.stat().st_mode)
        for file in (tiny_config.builds / name).iterdir()
    }
    assert set(modes.values()) == {0o444}
    assert stat.S_IMODE((tiny_config.builds / name).stat().st_mode) == 0o555
    with tempfile.TemporaryDirectory(prefix="citytrade-seal-") as folder:
        os.chmod(folder, 0o755)
        copied = Path(folder) / "release"
        shutil.copytree(tiny_config.builds / name, copied)
        done = subprocess.run(
            [sys.executable, "-c", ANOTHER_PROGRAM, str(copied / DATABASE)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        remove_tree(copied)
    assert done.stdout.startswith("refused: "), done.stderr
    assert "read-only" in done.stdout.lower() or "permission" in done.stdout.lower()


def test_a_value_made_ten_times_as_large_by_another_program_is_found(
    tiny_config: Config, make_release: MakeRelease, capsys: pytest.CaptureFixture[str]
) -> None:
    name = make_release()
    file = tiny_config.builds / name / DATABASE
    unseal(file.parent)
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "update city_year set export_value_usd = export_value_usd * 10 where city_code = "
            "'3301' and year = 2003"
        )
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert f"{name}: {DATABASE} was changed" in out


def test_alerts_that_could_not_be_sent_are_named(
    tiny_config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_config.path.write_text(
        '[alerts]\nservices = ["dingtalk://${CITYTRADE_NO_SUCH}"]\n', encoding="utf-8"
    )
    code, out = run(capsys, tiny_config.path)
    assert code == 1
    assert "alerts: " in out
    assert "the variable CITYTRADE_NO_SUCH is not set" in out
    monkeypatch.setenv("CITYTRADE_NO_SUCH", "token-of-mine")
    _, out = run(capsys, tiny_config.path)
    assert "go to: dingtalk" in out
    assert "token-of-mine" not in out


def test_a_command_of_a_configuration_that_was_found_is_not_said_to_be_run(
    tiny_config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_config.path.write_text('[alerts]\ncommand = ["/bin/true"]\n', encoding="utf-8")
    _, out = run(capsys, tiny_config.path)
    assert "go to: command" in out
    monkeypatch.delenv("CITYTRADE_CONFIG", raising=False)
    monkeypatch.chdir(tiny_config.path.parent)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "go to: command" not in out
    assert "citytrade.toml was found, not named: name it with --config" in out
