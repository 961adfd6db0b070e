"""The database of Prefect's server, migrated once for all homes: its hundred migrations take a new
home longer than all else that the server does.

python -m flows.processes.server_database        makes it, in the environment of this Python
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from importlib.metadata import version
from pathlib import Path

NAME = "prefect.db"
# Where a user's own database is named, nothing is done for it.
NAMED_BY = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")


def migrated() -> Path:
    """Where set-up leaves a migrated database without a row in it, for this version of Prefect."""
    return Path(sys.prefix) / "share" / "citytrade" / f"prefect-{version('prefect')}.db"


def begin(folder: Path) -> None:
    """Give a home that has no database the migrated one; without it, or where nothing can be copied
    to, the server migrates its own and says itself what is wrong with its folder.

    Parameters
    ----------
    folder : PREFECT_HOME
    """
    own, fresh = folder / NAME, folder / f".{NAME}.{uuid.uuid4().hex[:8]}"
    if own.exists() or not migrated().is_file() or any(map(os.environ.get, NAMED_BY)):
        return
    try:
        shutil.copyfile(migrated(), fresh)
        # A link never takes the place of a file that another server has begun meanwhile.
        os.link(fresh, own)
    except OSError:
        return
    finally:
        fresh.unlink(missing_ok=True)


def main() -> int:
    """Migrate a database and put it in its place in one step."""
    target = migrated()
    if target.is_file():
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        unset = {key: text for key, text in os.environ.items() if not key.startswith("PREFECT_")}
        command = ["server", "database", "upgrade", "-y"]
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *command],
            env={**unset, "PREFECT_HOME": name, "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            print(f"A home's first server will take longer: {done.stderr}", file=sys.stderr)
            return 0
        os.replace(Path(name) / NAME, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
