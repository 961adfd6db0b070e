"""Open the one session of Spark of a process, before dbt or whoever else asks for one there.

The session comes first because a JVM keeps the working directory that it was started in, where its
metastore and its logs go; dbt moves to its project's folder, which nothing may be written to.
Whoever starts this process gives it a working directory of its own.

    CITYTRADE_SPARK          JSON, property -> value, of the session
    CITYTRADE_SPARK_SECRET   what proves this machine to those of a cluster
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROPERTIES = "CITYTRADE_SPARK"
SECRET = "CITYTRADE_SPARK_SECRET"


def begin(properties: Mapping[str, str], secret: str = "") -> Any:
    """The session that whoever asks Spark for one in this process gets from now on."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = SparkConf(loadDefaults=False)
    for name, value in {**properties, "spark.sql.catalogImplementation": "hive"}.items():
        conf.set(name, value)
    # What the JVM is started with stands in its command line, which others may read. So it gets
    # the secret when it is there already.
    gateway = launch_gateway(conf)
    if secret:
        conf.set("spark.authenticate.secret", secret)
    SparkContext(gateway=gateway, conf=conf)
    return SparkSession.builder.getOrCreate()
