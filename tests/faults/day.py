"""A day of a served schedule in fast motion, on a disk of its own: 24 firings, a failing source, a
webhook that never answers, SIGTERM in the middle, a full disk, and a second server on the port.

python -m tests.faults.day        prints what each firing did, and how many alerts were sent
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.processes import lock
from tests.conftest import PATIENCE_SECONDS, PROJECT, citytrade, environment, write_config
from tests.faults.kills import published_tables
from tests.faults.serving import (
    Deployment,
    free_port,
    left_of,
    served,
    serving_command,
    wait_until_said,
)
from warehouse.releases.publish import current_release, release_names
from warehouse.releases.seal import broken_seals
from warehouse.settings.config import Config, load_config
from warehouse.simulate import simulate

HOURS = 24
DISK = "600m"
NAMESPACE = ("unshare", "--map-root-user", "--mount")
YEARLY = "0 0 1 1 *"  # every firing of the day is started through the server
OVER = "The trouble is over."
BALLAST = "ballast"  # the file that fills the disk
UNRECORDED, UNRECORDED_SECONDS = "UNRECORDED", 180.0


@dataclass(frozen=True)
class Hour:
    """What one firing did: the state of its run, whether readers got a new release, and the
    subjects of the alerts that were sent.
    """

    hour: int
    event: str
    state: str
    is_new: bool
    alerts: tuple[str, ...]


class Day:
    """A served home and the world around it, in which things happen."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self.say = folder, say
        self.log, self.told = folder / "serve.log", folder / "alerts.txt"
        self.world, self.kept = folder / "world", folder / "kept"
        self.port, self.tries = free_port(), list[object]()
        self.hours: list[Hour] = []
        self.config = self._configured()
        self.rates = next((self.world / "prices").glob("*exchange_rates*"))
        shutil.copy(self.rates, self.kept)

    def _configured(self) -> Config:
        """Alerts go to a command that writes them down, and to a web address that never answers."""
        hanging = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._hang, args=(hanging,), daemon=True).start()
        subject = "json.load(sys.stdin)['subject'] + chr(10)"
        code = f"import json, sys; open(sys.argv[1], 'a').write({subject})"
        file = write_config(self.folder / "citytrade.toml", self.world, simulate=False)
        address = f"http://127.0.0.1:{hanging.getsockname()[1]}/hook"
        alerts = (
            f'\n[alerts]\nwebhook = "{address}"\ncommand = '
            f'["{sys.executable}", "-c", "{code}", "{self.told}"]\n'
        )
        file.write_text(file.read_text(encoding="utf-8") + alerts, encoding="utf-8")
        return load_config(file)

    def _hang(self, server: socket.socket) -> None:
        """Take every message, and answer a byte a second for ever."""
        while True:
            connection, _ = server.accept()
            self.tries.append(connection)
            threading.Thread(target=_drip, args=(connection,), daemon=True).start()

    def run(self) -> None:
        """The whole day.

        Raises
        ------
        AssertionError : readers do not have a whole release after an hour, or an hour did not do
            what it should.
        """
        done = citytrade("refresh", "--config", str(self.config.path))
        assert done.returncode == 0, done.stdout + done.stderr
        events: dict[int, Callable[[], str]] = {
            2: self.deliver, 4: self.break_rates, 7: self.mend_rates, 10: self.fill_disk,
            12: self.free_disk, 18: self.start_a_second_server,
        }  # fmt: skip
        with served(self.config, self.log, self.port, YEARLY) as process:
            wait_until_said(self.log, "Stop with Ctrl-C.", process)
            deployment = Deployment(self.config, self.port)
            for hour in range(15):
                self.hour(hour, deployment, events.get(hour))
            self.terminate(deployment, process)
        with served(self.config, self.log, self.port, YEARLY) as process:
            wait_until_said(self.log, "Stop with Ctrl-C.", process)
            deployment = Deployment(self.config, self.port)
            for hour in range(16, HOURS):
                self.hour(hour, deployment, events.get(hour))

    def hour(
        self, hour: int, deployment: Deployment, event: Callable[[], str] | None = None
    ) -> None:
        """Let something happen, fire, and look at what readers have then."""
        happened = event() if event is not None else "nothing"
        before, told = current_release(self.config.home), self.alerts
        state = self.state_of(deployment)
        self.note(hour, happened, state, before, told)

    def state_of(self, deployment: Deployment) -> str:
        """Fire, and wait for the end. On a full disk Prefect cannot write states either: the run
        ends all the same, unrecorded, or is not taken.
        """
        if not (self.config.home / BALLAST).exists():
            return deployment.ended(deployment.fire())
        try:
            return deployment.ended(deployment.fire(), UNRECORDED_SECONDS)
        except (AssertionError, TimeoutError):
            assert lock.state(self.config.home) is None, "a refresh goes on"
            return UNRECORDED

    def note(
        self, hour: int, event: str, state: str, before: str | None, told: tuple[str, ...]
    ) -> None:
        """See that readers have a whole release, and write down what an hour did."""
        published_tables(self.config)
        names = release_names(self.config.home)
        assert [name for name in names if broken_seals(self.config.builds / name)] == []
        is_new = current_release(self.config.home) != before
        alerts = self.alerts[len(told) :]
        self.hours.append(Hour(hour, event, state, is_new, alerts))
        self.say(
            f"{hour:2d}:00  {event:34s} {state.lower():9s}"
            f" {'new release' if is_new else 'same release':12s} {'; '.join(alerts)}"
        )

    @property
    def alerts(self) -> tuple[str, ...]:
        """The subjects of all alerts so far, as the command wrote them down."""
        return tuple(
            self.told.read_text(encoding="utf-8").splitlines() if self.told.exists() else ()
        )

    def deliver(self) -> str:
        shutil.copy(self.rates, self.rates.with_name(f"again_{self.rates.name}"))
        self.rates.unlink()
        self.rates = self.rates.with_name(f"again_{self.rates.name}")
        return "a file has another name"

    def break_rates(self) -> str:
        self.rates.write_bytes(self.rates.read_bytes()[:1000])
        return "a file is cut off"

    def mend_rates(self) -> str:
        shutil.copy(self.kept, self.rates)
        return "the file is whole again"

    def fill_disk(self) -> str:
        """New data come on a disk that has room for a few loads and for no release."""
        self.rates.rename(self.rates.with_name("moved_" + self.rates.name))
        self.rates = self.rates.with_name("moved_" + self.rates.name)
        free = shutil.disk_usage(self.config.home).free - 4_000_000
        with (self.config.home / BALLAST).open("wb") as sink:
            for _ in range(max(free, 0) // 1_000_000):
                sink.write(b"\0" * 1_000_000)
        return "new data, and the disk is full"

    def free_disk(self) -> str:
        (self.config.home / BALLAST).unlink()
        return "the disk has room again"

    def start_a_second_server(self) -> str:
        done = subprocess.run(
            serving_command(self.config, self.port, YEARLY),
            cwd=PROJECT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return "a second server wants the port"

    def terminate(self, deployment: Deployment, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM while models are built: all of it ends within seconds, and nothing is changed."""
        self.rates.rename(self.rates.with_name("last_" + self.rates.name))
        self.rates = self.rates.with_name("last_" + self.rates.name)
        before, told = current_release(self.config.home), self.alerts
        spoken = self.log.read_text(encoding="utf-8").count("Building models")
        deployment.fire()
        while self.log.read_text(encoding="utf-8").count("Building models") == spoken:
            assert process.poll() is None
            time.sleep(0.2)
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        while left_of(self.config):
            assert time.monotonic() < start + 30, left_of(self.config)
            time.sleep(0.1)
        seconds = time.monotonic() - start
        self.note(15, f"SIGTERM while models are built ({seconds:.0f} s)", "ended", before, told)

    def expected(self) -> None:
        """See that each event did what it should, and nothing else did anything."""
        did = {hour.hour: hour for hour in self.hours}
        assert [*did] == [*range(HOURS)]
        new = {hour for hour, one in did.items() if one.is_new}
        assert new == {2, 4, 7, 12, 16}, new
        failed = {hour for hour, one in did.items() if one.state in ("FAILED", UNRECORDED)}
        assert failed == {4, 5, 6, 10, 11}, failed
        told = {hour: one.alerts for hour, one in did.items() if one.alerts}
        assert [*told] == [4, 7, 10, 12], told
        assert all(len(subjects) == 1 for subjects in told.values())
        assert told[7] == told[12] == (OVER,)


def _drip(connection: socket.socket) -> None:
    try:
        while True:
            connection.send(b"H")
            time.sleep(1)
    except OSError:
        connection.close()


def report(day: Day) -> str:
    """The day in two lines."""
    states = Counter(hour.state.lower() for hour in day.hours)
    return (
        f"{len(day.hours)} firings: {', '.join(f'{n} {state}' for state, n in states.items())};"
        f" {sum(hour.is_new for hour in day.hours)} new releases; readers had a whole release after"
        f" each\n{len(day.alerts)} alerts sent by command:"
        f" {sum(subject != OVER for subject in day.alerts)} of trouble,"
        f" {sum(subject == OVER for subject in day.alerts)} of its end; {len(day.tries)} tries at"
        " the webhook that never answers"
    )


@contextmanager
def a_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="citytrade-day-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def outside(start: Path | None, settings: Mapping[str, str]) -> int:
    """Start the day again in a mount namespace of its own."""
    if shutil.which("unshare") is None:
        print("A day needs a disk of its own: `unshare` is not here.", file=sys.stderr)
        return 2
    with a_folder() as folder:
        if start is None:
            simulate(folder / "world", "small", 7, lambda _: None)
        else:
            for name in ("world", "home"):
                shutil.copytree(start / name, folder / f"former_{name}", symlinks=True)
            (folder / "former_world").rename(folder / "world")
        command = [*NAMESPACE, sys.executable, "-m", "tests.faults.day", "--inside", str(folder)]
        return subprocess.run(command, env=dict(settings), check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--start", type=Path, help="a folder with a small world and its home")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside is None:
        return outside(given.start, os.environ)
    home = given.inside / "home"
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(home)], check=True)
    former = given.inside / "former_home"
    if former.is_dir():
        shutil.copytree(former, home, symlinks=True, dirs_exist_ok=True)
    day = Day(given.inside, lambda text: print(text, flush=True))
    day.run()
    day.expected()
    print(report(day))
    return 0


if __name__ == "__main__":
    sys.exit(main())
