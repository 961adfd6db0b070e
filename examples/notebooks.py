"""The notebooks, written from the .py files of the same names: cells begin with `# %%`.

    python -m examples.notebooks           # write them
    python -m examples.notebooks --check   # end with 1 if one is not what its .py file says

They are written without results: no number of somebody's release stands in the repository.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import jupytext
import nbformat

from warehouse.written import write_or_show

HERE = Path(__file__).resolve().parent
NAMES = ("city_panel", "difference_in_differences", "real_and_simulated")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(name: str) -> str:
    """A notebook's text; the same source gives the same bytes."""
    made = jupytext.reads((HERE / f"{name}.py").read_text(encoding="utf-8"), fmt="py:percent")
    made.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for at, cell in enumerate(made.cells):
        cell.id = f"{name}-{at}"[-64:].replace("_", "-")
    nbformat.validate(made)
    return nbformat.writes(made, version=nbformat.NO_CONVERT) + "\n"


def plan() -> dict[Path, str]:
    """Each notebook's file, with what it should hold."""
    return {HERE / f"{name}.ipynb": notebook(name) for name in NAMES}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the notebooks from their .py files.")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if anything would")
    check = parser.parse_args(arguments).check
    differing = write_or_show(plan(), check)
    print(f"{differing} notebooks {'would change' if check else 'written'}")
    return int(check and differing > 0)


if __name__ == "__main__":
    sys.exit(main())
