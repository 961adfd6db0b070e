"""Run a program's entry point in a process that ends when the one that started it ends, also when
that one is killed.

python -m flows.processes.supervised PARENT_PID MODULE:FUNCTION [ARGUMENTS...]
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time

from warehouse.project import PROJECT

LOOK_EVERY_SECONDS = 0.5


def die_with(parent: int) -> None:
    """From now on, end this process at once when `parent` is no longer its parent."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY_SECONDS)
        os._exit(70)

    threading.Thread(target=watch, name="supervision", daemon=True).start()


def command(entry: str, *arguments: str) -> list[str]:
    """The command line that runs an entry point, such as "dbt.cli.main:cli", under supervision of
    this process.
    """
    return [sys.executable, "-m", "flows.processes.supervised", str(os.getpid()), entry, *arguments]


def environment() -> dict[str, str]:
    """This process's environment, in which the started one finds the project's own modules wherever
    it runs.
    """
    inherited = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(PROJECT), *([inherited] if inherited else [])]),
    }


def main() -> None:
    parent, (module, function) = int(sys.argv[1]), sys.argv[2].split(":")
    die_with(parent)
    sys.argv = [module, *sys.argv[3:]]
    sys.exit(getattr(importlib.import_module(module), function)())


if __name__ == "__main__":
    main()
