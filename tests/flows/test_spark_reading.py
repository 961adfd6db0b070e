"""Raw files that are read on Spark give the loads that they give here: the small simulated world's,
and a large csv in parts.

It takes about a minute, and needs Java 17 and citytrade[spark]: `make spark` runs it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from flows.refresh import engine, reading, spark_readers
from flows.refresh.inputs import find_inputs
from tests.unit.sources.test_customs import write_csv
from tests.unit.sources.test_parts import BODY
from warehouse.errors import ReleaseError
from warehouse.lake.loads import load_folder
from warehouse.settings.config import Config, load_config
from warehouse.settings.spark import SparkSettings
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

ABSENT = engine.missing()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(ABSENT), reason=f"not there: {', '.join(ABSENT)} (`make spark`)"),
]
SOURCES = ("customs", "yearbook", "firms")


@pytest.fixture
def config(small_release: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The small world's files of some sources, a larger csv and one that is no table."""
    folder, world = tmp_path / "脏 data's", small_release.path.parent / "world"
    (folder / "raw").mkdir(parents=True)
    write_csv(folder / "raw" / "2005 大.csv", *(BODY * 40))
    (folder / "raw" / "2006.csv").write_text("这不是海关数据\n1\n", encoding="utf-8")
    parts = ['[warehouse]\nhome = "home"\nfirst_year = 2000\nlast_year = 2021\n']
    for name in SOURCES:
        more = ', "raw/*.csv"' if name == "customs" else ""
        parts.append(f'[sources.{name}]\nfiles = ["{world}/{name}/*"{more}]\n')
    (folder / "citytrade.toml").write_text("\n".join(parts), encoding="utf-8")
    monkeypatch.setattr(reading, "BIG_BYTES", 1)
    monkeypatch.setattr(spark_readers, "PART_BYTES", 100_000)
    read = load_config(folder / "citytrade.toml")
    return replace(read, spark=SparkSettings(master="local[2]", memory="1g"))


def test_files_read_on_spark_are_the_loads_that_they_are_here(
    config: Config, tmp_path: Path
) -> None:
    told: list[str] = []
    inputs = find_inputs(config)
    spark_readers.read_on_spark(config, inputs, told.append)
    refused = [line for line in told if "is read here" in line]
    assert len(refused) == 1 and "2006.csv" in refused[0] and "none of the layouts" in refused[0]
    read_n = 0
    for source, files in inputs.files.items():
        for file in files:
            if file.name == "2006.csv":
                continue
            options = config.sources[source].options
            there, is_new = load_file(get_source(source), file, config.lake, options)
            here, _ = load_file(get_source(source), file, tmp_path / "here", options)
            assert not is_new and there == here
            read_n += 1
            ours, theirs = (
                load_folder(lake, source, here.load_id) for lake in (tmp_path / "here", config.lake)
            )
            names = {path.name for path in ours.iterdir()}
            assert {path.name for path in theirs.iterdir()} == names
            for name in names - {"report.json"}:
                pd.testing.assert_frame_equal(
                    pd.read_parquet(theirs / name), pd.read_parquet(ours / name)
                )
    assert read_n == inputs.files_n - 1
    assert not list(config.builds.glob(".*")) and not list((config.lake / "loads").glob("*/.*"))
    told.clear()
    spark_readers.read_on_spark(config, replace(inputs, files={}), told.append)
    assert told == []


def test_spark_that_does_not_start_stops_the_refresh_in_a_sentence(config: Config) -> None:
    broken = replace(config.spark, settings={"spark.driver.port": "no port"})
    with pytest.raises(ReleaseError, match="Spark stopped before it had read the raw files"):
        spark_readers.read_on_spark(replace(config, spark=broken), find_inputs(config), print)
    assert not list(config.builds.glob(".*"))


def test_readers_do_not_write_where_spark_sees_another_lake(config: Config) -> None:
    told: list[str] = []
    elsewhere = replace(config, spark=replace(config.spark, lake="s3a://bucket/lake"))
    spark_readers.read_on_spark(elsewhere, find_inputs(config), told.append)
    assert len(told) == 1 and "elsewhere" in told[0]
    assert not config.lake.exists()
