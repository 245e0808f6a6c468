"""The Glue context: here no more than a Spark session."""

from __future__ import annotations

import logging

from pyspark import SparkContext
from pyspark.sql import SparkSession


class GlueContext:
    """Give a script the Spark session and a logger."""

    def __init__(self, sparkContext: SparkContext) -> None:  # noqa: N803 - AWS's name
        self.spark_session = SparkSession(sparkContext)

    def get_logger(self) -> logging.Logger:
        """Return the job's logger."""
        return logging.getLogger("awsglue")
