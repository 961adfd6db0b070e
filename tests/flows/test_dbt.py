"""dbt as a step: what it built is counted, and what failed is named with its message and rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from flows.refresh import dbt
from tests.conftest import PROJECT
from warehouse.database import limited
from warehouse.errors import ReleaseError
from warehouse.releases.publish import DATABASE, begin_release
from warehouse.settings.config import Config

PANEL = (
    "select '3301' as city_code, year::smallint as year, year * 1.5 as value from range(2003, "
    "2006) t(year)"
)
YAML = """
models:
  - name: city_year
    description: "One row a city and year. More is told here."
    config: {meta: {grain: [city_code, year]}}
    columns: [{name: year, data_tests: [unique]}]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project with one panel, in place of the real one."""
    folder = tmp_path / "dbt_project"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: citytrade\nversion: 0.1.0\nconfig-version: 2\nprofile: citytrade\n", encoding="utf-8"
    )
    (folder / "profiles.yml").write_text(
        (PROJECT / "dbt_project" / "profiles.yml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (folder / "models" / "city_year.sql").write_text(PANEL, encoding="utf-8")
    (folder / "models" / "models.yml").write_text(YAML, encoding="utf-8")
    monkeypatch.setattr(dbt, "PROJECT", folder)
    return folder


def build(config: Config) -> tuple[dbt.Built, Path, list[str]]:
    told: list[str] = []
    folder = begin_release(config.home, "20260101T000000Z-abcdef")
    return dbt.build(config, config.lake / "sets" / "x", folder, told.append), folder, told


def test_a_build_is_counted_and_its_panels_are_known(tiny_config: Config, project: Path) -> None:
    built, folder, told = build(tiny_config)
    assert (built.models_n, built.tests_n) == (1, 1)
    assert built.panels == (
        dbt.PanelModel(
            "city_year", ("city_code", "year"), "One row a city and year. More is told here."
        ),
    )
    assert told[-1] == "  1 models, 1 tests"
    with duckdb.connect(str(folder / DATABASE)) as connection:
        assert connection.execute("select count(*) from city_year").fetchone() == (3,)
    assert sorted(file.name for file in (folder / "dbt").iterdir()) == [
        "manifest.json",
        "run_results.json",
    ]
    assert not (project / "target").exists()


def test_models_are_built_within_the_limit_of_memory(tiny_config: Config, project: Path) -> None:
    models = project / "models"
    limit = "select current_setting('memory_limit') as memory"
    (models / "in_sql.sql").write_text(
        "{{ config(materialized='table', schema='other') }}\n" + limit, encoding="utf-8"
    )
    (models / "in_python.py").write_text(
        "def model(dbt, session):\n    dbt.config(schema='other')\n"
        f'    return session.sql("{limit}").df()\n',
        encoding="utf-8",
    )
    with limited("500MB", tiny_config.spill):
        _, folder, _ = build(tiny_config)
    with duckdb.connect(str(folder / DATABASE)) as connection:
        for name in ("in_sql", "in_python"):
            found = connection.sql(f"select memory from main_other.{name}").fetchall()
            assert found == [("476.8 MiB",)]


def test_what_dbt_could_not_write_is_told_in_a_line(
    tiny_config: Config, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begin_release(tiny_config.home, "20260101T000000Z-abcdef")
    (folder / "dbt").mkdir()
    (folder / "dbt" / "run_results.json").write_text('{"results": [', encoding="utf-8")
    full = [
        "Encountered an error:\n[Errno 28] No space left on device",
        'Traceback (most recent call last):\n  File "x.py", line 1\nOSError: [Errno 28] No space',
    ]
    monkeypatch.setattr(dbt, "_run", lambda *_: (2, full))
    with pytest.raises(ReleaseError, match="No space left on device") as told:
        dbt.build(tiny_config, tiny_config.lake, folder, lambda _: None)
    assert "Traceback" not in str(told.value)


def test_a_model_that_fails_is_named_with_its_message(tiny_config: Config, project: Path) -> None:
    (project / "models" / "broken.sql").write_text(
        "select no_such_column from {{ ref('city_year') }}", encoding="utf-8"
    )
    with pytest.raises(ReleaseError, match=r"(?s)1 nodes failed.*model broken: .*no_such_column"):
        build(tiny_config)


def test_a_data_test_that_fails_shows_its_rows(tiny_config: Config, project: Path) -> None:
    (project / "models" / "city_year.sql").write_text(
        f"{PANEL} union all select '3302', 2004, 1", encoding="utf-8"
    )
    with pytest.raises(
        ReleaseError,
        match=(
            r'(?s)test unique_city_year_year: Got 1 result.*\{"unique_field": 2004, '
            r'"n_records": 2\}'
        ),
    ):
        build(tiny_config)


def test_a_project_that_does_not_parse_says_why(tiny_config: Config, project: Path) -> None:
    (project / "models" / "city_year.sql").write_text(
        "select * from {{ ref('nowhere') }}", encoding="utf-8"
    )
    with pytest.raises(ReleaseError, match=r"(?s)dbt stopped before it built anything.*nowhere"):
        build(tiny_config)


def test_a_build_of_no_model_is_refused(tiny_config: Config, project: Path) -> None:
    for file in (project / "models").iterdir():
        file.unlink()
    with pytest.raises(ReleaseError, match="dbt ran no model"):
        build(tiny_config)


def test_a_panel_without_a_grain_is_refused(tiny_config: Config, project: Path) -> None:
    (project / "models" / "models.yml").unlink()
    with pytest.raises(ReleaseError, match="Panel city_year does not say its grain"):
        build(tiny_config)
