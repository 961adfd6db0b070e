"""A reader's version is its code: every module that it imports counts, and so does every list that
these name.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from warehouse import closure
from warehouse.sources import SOURCES, get_source

PROJECT = Path(closure.__file__).parents[1]
LOAD = """
import sys
from pathlib import Path
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file
print(load_file(get_source("geography"), Path(sys.argv[1]), Path(sys.argv[2]))[1])
"""


@pytest.fixture(scope="module")
def graph():
    """The imports as another program finds them."""
    return grimp.build_graph("warehouse", cache_dir=None)


@pytest.mark.parametrize("source", SOURCES)
def test_every_import_of_a_source_is_in_its_version(graph, source):
    module = SOURCES[source]
    starts = {
        module,
        *(graph.find_descendants(module) if (PROJECT / module.replace(".", "/")).is_dir() else ()),
    }
    expected = starts.union(*(graph.find_upstream_modules(start) for start in starts))
    found = set().union(
        *(
            closure.modules_of(layout.read.__module__)
            | closure.modules_of(layout.recognise.__module__)
            for layout in get_source(source).layouts
        )
    )
    packages = {name for name in expected if (PROJECT / name.replace(".", "/")).is_dir()}
    assert expected - packages - found == set()


def test_a_list_that_a_reader_names_is_in_its_version():
    names = {file.name for file in closure.files_of("warehouse.sources.policies")}
    assert {"city_names.csv", "cities.csv", "divisions.csv", "policies.py"} <= names


def test_data_files_of_a_folder_count():
    names = {file.name for file in closure.files_of("warehouse.simulate.world")}
    assert {"ports.csv", "division_successors.csv", "headers.py"} <= names


def test_a_file_is_read_again_when_a_function_that_its_reader_imports_is_edited(tmp_path):
    """The geography reader takes a bound from the module of postcodes, which is neither its own nor
    shared by all.
    """
    copy = tmp_path / "project"
    shutil.copytree(
        PROJECT / "warehouse", copy / "warehouse", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(PROJECT / "dbt_project" / "seeds", copy / "dbt_project" / "seeds")
    ports = tmp_path / "ports.csv"
    shutil.copy(next((PROJECT / "warehouse" / "reference").glob("ports.csv")), ports)

    def is_read() -> bool:
        command = [sys.executable, "-c", LOAD, str(ports), str(tmp_path / "lake")]
        answer = subprocess.run(
            command,
            cwd=copy,
            env={"PYTHONPATH": str(copy), "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        return answer.stdout.strip() == "True"

    assert is_read()
    assert not is_read()
    edited = next(copy.rglob("sources/postcodes.py"))
    edited.write_text(
        edited.read_text(encoding="utf-8").replace(
            "def outside_china(", "def outside_china(  # edited\n    "
        ),
        encoding="utf-8",
    )
    assert "# edited" in edited.read_text(encoding="utf-8")
    assert is_read()
    assert not is_read()
