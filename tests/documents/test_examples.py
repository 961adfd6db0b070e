"""The examples run: notebooks in a kernel, R where it is, a client of SQLAlchemy; of Stata and
Docker, which are not here, what their steps name.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import nbformat
import pyreadstat
import pytest

from analysis.estimators import fixed_effects
from examples import client
from examples.notebooks import HERE, NAMES, plan
from flows.doors.export import save, save_all
from tests.conftest import environment
from warehouse import panel
from warehouse.project import PROJECT
from warehouse.settings.config import Config

RSCRIPT = shutil.which("Rscript")
SLOPES = ("resilience_index", ["zone_did", "ln_fdi"])


@pytest.mark.parametrize("file", plan(), ids=lambda file: file.name)
def test_a_notebook_is_what_its_source_says(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == plan()[file], "run `python -m examples.notebooks`"


def test_the_notebooks_run_from_top_to_bottom(
    small_release: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other in one kernel, since each start imports everything again; names are
    cleared between them.
    """
    from nbclient import NotebookClient

    monkeypatch.setenv("CITYTRADE_CONFIG", str(small_release.path))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    pages = [nbformat.read(HERE / f"{name}.ipynb", nbformat.NO_CONVERT) for name in NAMES]
    whole = nbformat.v4.new_notebook(metadata=pages[0].metadata)
    for page in pages:
        whole.cells += [nbformat.v4.new_code_cell("%reset -f"), *page.cells]
    NotebookClient(whole, timeout=600, resources={"metadata": {"path": tmp_path}}).execute()
    for name, page in zip(NAMES, pages, strict=True):
        shown = [output for cell in page.cells for output in cell.get("outputs", [])]
        assert "simulated" in str(shown).lower(), name
        pictures = [one for one in shown if "image/png" in one.get("data", {})]
        assert bool(pictures) == (name != "real_and_simulated"), name


@pytest.mark.skipif(RSCRIPT is None, reason="Rscript is not installed")
def test_r_reads_the_exports_and_finds_the_same_slope(
    small_release: Config, tmp_path: Path
) -> None:
    save_all(small_release, tmp_path / "csv", "csv", lambda _: None)
    sample = panel("panel_ecommerce_resilience", config=small_release)
    file = save(sample, tmp_path / "sample.dta")
    done = subprocess.run(
        [str(RSCRIPT), str(HERE / "city_panel.R"), str(tmp_path / "csv"), str(file)],
        capture_output=True, text=True, env={**environment(), "LC_ALL": "C.UTF-8"}, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stderr
    found = re.search(r"zone_did (\S+)", done.stdout)
    ours = fixed_effects(sample, *SLOPES, effects=["city_code", "year"])
    [slope] = ours.tidy().query("term == 'zone_did'")["estimate"]
    assert found is not None
    assert float(found[1]) == pytest.approx(slope, abs=1e-9)


def test_what_the_do_file_reads_is_there_with_its_variables(
    small_release: Config, tmp_path: Path
) -> None:
    """Stata is not here: the files that it names exist, and hold the variables that it needs."""
    lines = (HERE / "city_panel.do").read_text(encoding="utf-8").splitlines()
    known: set[str] = set()
    read = 0
    for line in lines:
        used = re.search(r"(?:^use|using) \"`folder'/(\w+)\.dta\"", line)
        if used is not None:
            frame = panel(used[1], config=small_release)
            _, meta = pyreadstat.read_dta(
                save(frame, tmp_path / f"{used[1]}.dta"), metadataonly=True
            )
            known |= set(meta.column_names)
            read += 1
        elif line.startswith("confirm variable "):
            assert set(line.split()[2:]) <= known, line
        elif line.startswith(("xtreg ", "reghdfe ")):
            words = set(re.sub(r"i\.", "", line.split(",")[0]).split()[1:])
            assert words <= known, line
    assert read == 2
    assert sum(line.count('"') % 2 + line.count("(") - line.count(")") for line in lines) == 0


def test_a_client_of_sqlalchemy_sees_panels_with_their_comments(
    small_release: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYTRADE_CONFIG", str(small_release.path))
    client.main(["city_year"])
    out = capsys.readouterr().out
    assert "panel_ecommerce_resilience" in out
    assert re.search(r"export_value_usd +NUMERIC\(20, 2\) +Export value \(出口额\), USD\.", out)
    assert "simulated: True" in out


def test_the_steps_of_the_dockerfile_hold() -> None:
    """No image is built here: every step is one that Docker knows, copies what there is, runs
    targets that there are, and ends as somebody other than root.
    """
    text = (HERE / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line[:1].isalpha()]
    names = [name for name, _ in steps]
    assert set(names) <= {"FROM", "RUN", "USER", "WORKDIR", "COPY", "VOLUME", "ENTRYPOINT", "CMD"}
    assert names[0] == "FROM"
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", steps[0][1])
    targets = set(re.findall(r"(?m)^([.\w/]+):", (PROJECT / "Makefile").read_text("utf-8")))
    for name, given in steps:
        if name == "COPY":
            *sources, _ = [word for word in given.split() if not word.startswith("--")]
            assert all((PROJECT / source).exists() for source in sources)
        elif name == "RUN":
            assert set(re.findall(r"\bmake (\S+)", given)) - {"&&"} <= targets
            assert "curl" not in shlex.split(given)
    assert [given for name, given in steps if name == "USER"] == ["citytrade"]
    assert names.index("USER") < names.index("COPY")
    assert steps[-2:] == [["ENTRYPOINT", '["make"]'], ["CMD", '["refresh"]']]
    ignored = (HERE / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {".venv", "data"} <= set(ignored)
