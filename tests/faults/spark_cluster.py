"""A standalone cluster of Spark on this machine, from the pyspark package: one master, some
workers, each machine proving itself with a secret, on loopback only.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

STARTS_WITHIN_SECONDS = 180.0
LOOPBACK = "127.0.0.1"
SPARKS_SECRET = "_SPARK_AUTH_SECRET"  # where a master and a worker look for it
# What every machine of a cluster is told; docs/scaling.md prints the same lines.
DEFAULTS = """\
spark.authenticate true
spark.network.crypto.enabled true
spark.master.rest.enabled false
spark.ui.killEnabled false
"""


class Cluster:
    """Started by `with`, gone with all its processes afterwards.

    folder : for the configuration and what the processes say
    """

    def __init__(self, folder: Path, workers: int = 2, cores: int = 1, memory: str = "1g") -> None:
        self.folder, self.cores, self.memory = folder, cores, memory
        self.secret = secrets.token_hex(32)
        self.port = _free_port()
        self.master: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self._wanted = workers

    @property
    def address(self) -> str:
        return f"spark://{LOOPBACK}:{self.port}"

    def __enter__(self) -> Cluster:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "spark-defaults.conf").write_text(DEFAULTS, encoding="utf-8")
        try:
            self.master = self._start(
                "master", "master.Master", "--host", LOOPBACK, "--port", str(self.port)
            )
            self._wait_for_master()
            for number in range(self._wanted):
                self.workers.append(self._worker(number))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self.workers, *([self.master] if self.master else [])):
            _end(process)

    def lose(self, number: int) -> None:
        """End a worker and its executors at once, as a machine that goes dark."""
        _end(self.workers[number])

    def replace(self, number: int) -> None:
        """Start a worker in the place of one that was lost."""
        self.workers[number] = self._worker(number)

    def listening(self) -> set[str]:
        """The addresses on which the processes of the cluster listen."""
        groups = {process.pid for process in (*self.workers, self.master) if process is not None}
        told = subprocess.run(
            ["ss", "-Hltnp"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        found = set()
        for line in told.splitlines():
            pids = [int(part.split(",")[0]) for part in line.split("pid=")[1:]]
            if any(_group(pid) in groups for pid in pids):
                found.add(line.split()[3])
        return found

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        return self._start(
            f"worker{number}", "worker.Worker", "--host", LOOPBACK, "--cores", str(self.cores),
            "--memory", self.memory, "--work-dir", str(self.folder / f"work{number}"), self.address,
        )  # fmt: skip

    def _start(self, name: str, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        import pyspark

        program = Path(pyspark.__file__).parent / "bin" / "spark-class"
        environment = {
            **os.environ,
            SPARKS_SECRET: self.secret,
            "SPARK_CONF_DIR": str(self.folder),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_LOCAL_DIRS": str(self.folder / "tmp"),
            "SPARK_DAEMON_MEMORY": "256m",
            "LC_ALL": "C.UTF-8",
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [program, f"org.apache.spark.deploy.{module}", "--webui-port", "0", *arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_for_master(self) -> None:
        assert self.master is not None
        end = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < end and self.master.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((LOOPBACK, self.port)) == 0:
                    return
            time.sleep(0.3)
        log = (self.folder / "master.log").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"Spark's master did not start:\n{log[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
