"""One Spark session for all tests of the jobs, and the travel deployment's settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "glue_scripts"))
# Spark's Python workers import the jobs' packages too.
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "glue_scripts"), os.environ.get("PYTHONPATH", "")])

from preprocessing.session import SESSION_SETTINGS, size_session  # noqa: E402
from preprocessing.settings import Settings, parse_settings  # noqa: E402

from config import load  # noqa: E402
from config.data import settings_json  # noqa: E402


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    builder = SparkSession.builder.master("local[2]").appName("tests")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "1g",
        # small jobs are over before the second compiler and parallel collection pay for themselves
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    for key, value in SESSION_SETTINGS.items():
        session.conf.set(key, value)
    size_session(session, 0)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def travel() -> Settings:
    config = load("travel")
    return parse_settings(settings_json(config.name, config.data))


@pytest.fixture
def frame(spark: SparkSession) -> Callable[[str, list[tuple[Any, ...]]], DataFrame]:
    return lambda schema, rows: spark.createDataFrame(rows, schema)
