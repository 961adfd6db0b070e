"""Build one world's release under each kernel of OpenBLAS and number of threads: every table is to
be the same.

python -m tests.faults.kernels                          prints which kernels the processor can run,
                                                        and what each release holds
python -m tests.faults.kernels --scale paper --kernels Haswell Zen --threads 1 4
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PROJECT, environment, write_config
from warehouse.releases.contents import table_contents
from warehouse.releases.publish import DATABASE, current_release
from warehouse.settings.config import load_config

KERNELS = ("Haswell", "SkylakeX", "Zen", "Prescott")
# What OpenBLAS itself calls the kernel that it runs; Prescott's answers to the oldest of its names.
SAME_KERNEL = {"Katmai": "Prescott"}
LOOK = """
import numpy, scipy.linalg, threadpoolctl
numpy.ones((99, 99)) @ numpy.ones((99, 99))
scipy.linalg.cholesky(numpy.eye(99))
found = threadpoolctl.threadpool_info()
print(*sorted({one["architecture"] for one in found if one["internal_api"] == "openblas"}))
"""


@dataclass(frozen=True)
class Kernel:
    """A kernel that was asked for, the one that OpenBLAS runs then, and why that is another."""

    name: str
    in_force: str
    problem: str


@dataclass(frozen=True)
class Built:
    """A release: under which kernel and threads, in how many seconds, and table -> [rows, hash]."""

    kernel: Kernel
    threads: int
    seconds: float
    tables: dict[str, list[object]]


def under(kernel: str | None, threads: int) -> dict[str, str]:
    """The environment of a process with this kernel (None: the processor's own) and so many
    threads.
    """
    chosen = {} if kernel is None else {"OPENBLAS_CORETYPE": kernel}
    plain = {name: value for name, value in environment().items() if name != "OPENBLAS_CORETYPE"}
    return {
        **plain,
        **chosen,
        "OPENBLAS_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
    }


def look_at(name: str) -> Kernel:
    """Try a kernel in a process of its own: one that the processor lacks instructions for
    ends it.
    """
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env=under(name, 1),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode < 0:
        return Kernel(name, "", "the processor lacks its instructions")
    if done.returncode > 0:
        raise RuntimeError(f"the kernel {name} could not be tried:\n{done.stderr}")
    found = done.stdout.strip()
    in_force = SAME_KERNEL.get(found, found)
    if not in_force:
        return Kernel(name, "", "numpy and scipy do not use OpenBLAS here")
    return Kernel(
        name, in_force, "" if in_force == name else f"OpenBLAS runs {in_force} for it here"
    )


def build(kernel: Kernel, threads: int, folder: Path, scale: str = "small") -> Built:
    """A whole refresh in a home of its own, the simulated world written anew too.

    Raises
    ------
    AssertionError : the refresh did not publish.
    """
    folder.mkdir()
    file = write_config(folder / "citytrade.toml", folder / "world")
    small = 'scale = "small"'
    assert small in file.read_text(encoding="utf-8")
    file.write_text(
        file.read_text(encoding="utf-8").replace(small, f'scale = "{scale}"'), encoding="utf-8"
    )
    config = load_config(file)
    start = time.monotonic()
    command = [sys.executable, "-m", "flows.cli", "refresh", "--config", str(config.path)]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=under(kernel.name, threads),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    release = current_release(config.home)
    assert release is not None
    return Built(
        kernel,
        threads,
        time.monotonic() - start,
        table_contents(config.builds / release / DATABASE),
    )


def differing(one: Built, other: Built) -> list[str]:
    """Tables that are not the same in both releases."""
    names = sorted({*one.tables, *other.tables})
    return [name for name in names if one.tables.get(name) != other.tables.get(name)]


def compare(
    kernels: Sequence[str],
    threads: Sequence[int],
    folder: Path,
    say: Callable[[str], None],
    scale: str = "small",
) -> list[str]:
    """Build under each, print a line for each, and name the tables that are not the same in all."""
    first: Built | None = None
    differ: set[str] = set()
    for kernel in (look_at(name) for name in kernels):
        if not kernel.in_force:
            say(f"{kernel.name:10s} not run: {kernel.problem}")
            continue
        for count in threads:
            built = build(kernel, count, folder / f"{kernel.name}-{count}", scale)
            shutil.rmtree(folder / f"{kernel.name}-{count}")
            first = first or built
            found = differing(first, built)
            differ.update(found)
            note = f" ({kernel.problem})" if kernel.problem else ""
            named = f"; {len(found)} differ: {', '.join(found)}" if found else ""
            say(
                f"{kernel.name:10s} {count} threads  {built.seconds:6.1f} s  {len(built.tables)}"
                f" tables{named}{note}"
            )
    if first is None:
        raise RuntimeError("none of the kernels can be run here.")
    return sorted(differ)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--kernels", nargs="+", default=list(KERNELS), help="OpenBLAS's names (OPENBLAS_CORETYPE)"
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--scale", choices=("small", "paper"), default="small")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="citytrade-kernels-"))
    try:
        differ = compare(
            given.kernels,
            given.threads,
            folder,
            lambda text: print(text, flush=True),
            given.scale,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{len(differ)} tables differ: {', '.join(differ)}"
        if differ
        else "every table is the same under all of them"
    )
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
