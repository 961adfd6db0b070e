"""Spark as a second engine: what its configuration may say, what its session is told, and how a
machine without it hears of that.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flows.refresh import engine
from warehouse.errors import ConfigError, ReleaseError
from warehouse.settings.config import Config, load_config
from warehouse.settings.spark import SparkSettings

CLUSTER = SparkSettings(master="spark://127.0.0.1:7077", settings={"spark.cores.max": "4"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('master = "sprak://a:1"', "master = 'sprak://a:1' is not such as"),
        ("memory = 2", "memory = 2 is not such as"),
        ('lake = "lake"', "lake = 'lake' is not such as"),
        ('mastre = "local"', "unknown key 'mastre'. Did you mean 'master'"),
        ("settings = 3", "settings = 3 is not a table"),
        (
            'settings = { "spark.authenticate.secret" = "x" }',
            "secrets do not belong into a configuration",
        ),
        ('settings = { "spark.hadoop.fs.s3a.access.key" = "x" }', "secrets do not belong"),
        ('settings = { "spark.authenticate" = false }', "one that citytrade sets itself"),
        ('settings = { "java.home" = "x" }', "no property of Spark"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "citytrade.toml"
    file.write_text(f"[spark]\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_config(file)


def test_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "citytrade.toml"
    file.write_text(
        '[spark]\nmaster = "spark://10.0.0.5:7077"\naddress = "10.0.0.4"\nmemory = "4g"\n'
        'lake = "s3a://bucket/lake"\nsettings = { "spark.sql.shuffle.partitions" = 400 }\n',
        encoding="utf-8",
    )
    assert load_config(file).spark == SparkSettings(
        master="spark://10.0.0.5:7077",
        memory="4g",
        address="10.0.0.4",
        lake="s3a://bucket/lake",
        settings={"spark.sql.shuffle.partitions": "400"},
    )


def test_a_session_is_closed_to_others_and_keeps_to_its_folder(tmp_path: Path) -> None:
    told = engine.properties(CLUSTER, tmp_path)
    assert told["spark.authenticate"] == told["spark.network.crypto.enabled"] == "true"
    assert told["spark.driver.bindAddress"] == "127.0.0.1"
    assert told["spark.ui.enabled"] == "false"
    assert told["spark.local.dir"].startswith(str(tmp_path))
    assert told["spark.cores.max"] == "4"
    assert "secret" not in " ".join(told)


@pytest.mark.parametrize(
    ("lake", "address"),
    [
        ("", r"/home/数据 o'b/\[1\]`` \*/sets/abc"),
        ("/mnt/lake/", "/mnt/lake/sets/abc"),
        ("s3a://bucket/a b/lake", "s3a://bucket/a b/lake/sets/abc"),
        ("hdfs://name:8020/lake", "hdfs://name:8020/lake/sets/abc"),
    ],
)
def test_the_lake_has_an_address_without_wildcards(
    tiny_config: Config, lake: str, address: str
) -> None:
    config = replace(tiny_config, spark=SparkSettings(lake=lake))
    assert engine.lake_address(config, Path("/home/数据 o'b/[1]` */sets/abc")) == address


def test_what_is_missing_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_is_there", lambda module: module != "pyspark")
    monkeypatch.setattr(engine, "_java_version", lambda: 11)
    with pytest.raises(ReleaseError, match=r"needs pyspark and Java 17 \(there is 11\): run `apt"):
        engine.refuse_absent(SparkSettings())


def test_a_cluster_is_not_joined_without_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "missing", list)
    monkeypatch.delenv(engine.SECRET, raising=False)
    with pytest.raises(ReleaseError, match="CITYTRADE_SPARK_SECRET is not set"):
        engine.refuse_absent(CLUSTER)
    engine.refuse_absent(SparkSettings())


def test_java_that_is_not_there_is_version_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert engine._java_version() == 0


def test_a_build_folder_with_wildcards_is_refused(
    tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "missing", list)
    with pytest.raises(ReleaseError, match=r"holds \[, which Spark takes for a wildcard"):
        engine.build_on_spark(tiny_config, tmp_path, tmp_path / "a [1]", print)
