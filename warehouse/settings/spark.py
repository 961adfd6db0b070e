"""What a configuration says of the Spark that `citytrade refresh --engine spark` builds with.

Secrets are never written there: what machines prove to each other comes from the environment
(CITYTRADE_SPARK_SECRET), and so do the keys of object stores, under their own names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from warehouse.errors import ConfigError

MASTER = re.compile(
    r"local(\[(\*|[1-9]\d*)\])?|spark://[\w.-]+:\d+(,[\w.-]+:\d+)*|yarn|k8s://[^\s]+"
)
MEMORY = re.compile(r"[1-9]\d*[mg]")
ADDRESS = re.compile(r"[\w.:-]+")
LAKE = re.compile(r"(/|[a-z][a-z0-9+.-]*://)[^\0\n]*")
SECRET = re.compile(r"secret|password|token|credential|access\.key|\bkey\b", re.IGNORECASE)
OURS = ("spark.master", "spark.authenticate", "spark.driver.", "spark.sql.warehouse.dir")


@dataclass(frozen=True)
class SparkSettings:
    """
    master : local[N], spark://HOST:PORT, yarn or k8s://…
    memory : of the driver, such as 2g
    executor_memory : of each executor
    address : of this machine, as the workers reach it; loopback unless said
    lake : the address under which the workers see the folder `lake` of the home; empty where it is
        the same path
    settings : any other property of Spark
    """

    master: str = "local[*]"
    memory: str = "2g"
    executor_memory: str = "2g"
    address: str = "127.0.0.1"
    lake: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        return self.master.startswith("local")


def parse_spark(where: str, given: Mapping[str, Any]) -> SparkSettings:
    """The table [spark], whose keys are known already.

    Raises
    ------
    ConfigError : a value that Spark could not use, or a secret among them.
    """
    expected = (
        ("master", MASTER, '"local[2]" or "spark://10.0.0.5:7077"'),
        ("memory", MEMORY, '"2g"'),
        ("executor_memory", MEMORY, '"2g"'),
        ("address", ADDRESS, '"10.0.0.4"'),
        ("lake", LAKE, '"s3a://bucket/lake"'),
    )
    for key, pattern, example in expected:
        value = given.get(key)
        if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
            raise ConfigError(f"{where}: {key} = {value!r} is not such as {example}.")
    texts = {key: str(given[key]) for key, _, _ in expected if key in given}
    return SparkSettings(**texts, settings=_settings(where, given.get("settings", {})))


def _settings(where: str, given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        raise ConfigError(
            f"{where}: settings = {given!r} is not a table. Write for example settings ="
            ' { "spark.sql.shuffle.partitions" = 400 }.'
        )
    for key, value in given.items():
        if SECRET.search(key):
            raise ConfigError(
                f"{where}: settings holds {key}, and secrets do not belong into a configuration."
                " Give it in the environment (docs/scaling.md says how)."
            )
        if not key.startswith("spark.") or key.startswith(OURS):
            raise ConfigError(
                f"{where}: settings holds {key}, which is no property of Spark or one that"
                " citytrade sets itself. Take it out."
            )
        if not isinstance(value, (str, int, float, bool)) or "\n" in str(value):
            raise ConfigError(f"{where}: settings: {key} = {value!r} is not one line of text.")
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in given.items()
    }
