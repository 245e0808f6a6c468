"""The Glue tables over what the jobs write, so that Athena can query it."""

from __future__ import annotations

from typing import Any

import boto3

PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
BATCH = 100


class Catalog:
    """One Glue database."""

    def __init__(self, database: str, client: Any = None) -> None:
        self._database = database
        self._glue = client or boto3.client("glue")

    def location(self, table: str) -> str:
        """Return where the table's files lie. Raises EntityNotFoundException for an unknown table."""
        found = self._glue.get_table(DatabaseName=self._database, Name=table)["Table"]
        return str(found["StorageDescriptor"]["Location"])

    def locations(self) -> list[str]:
        """Return where the files of all the database's tables lie."""
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=self._database)
        tables = [table for page in pages for table in page["TableList"]]
        found = [table.get("StorageDescriptor", {}).get("Location") for table in tables]
        return [str(location) for location in found if location]

    def register(
        self, table: str, location: str, columns: dict[str, str], partition_key: str | None = None
    ) -> None:
        """Create the table or bring it up to date; `columns` are Spark types, which Hive shares."""
        definition = {
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
            "PartitionKeys": [{"Name": partition_key, "Type": "string"}] if partition_key else [],
            "StorageDescriptor": self._storage(location, columns),
        }
        try:
            self._glue.create_table(DatabaseName=self._database, TableInput=definition)
        except self._glue.exceptions.AlreadyExistsException:
            self._glue.update_table(DatabaseName=self._database, TableInput=definition)

    def add_partition(self, table: str, location: str, columns: dict[str, str], key: str, value: str) -> None:
        """Give the table the partition `value`, at `location`/key=value/; it may be there already."""
        storage = self._storage(f"{location}{key}={value}/", columns)
        answer = self._glue.batch_create_partition(
            DatabaseName=self._database,
            TableName=table,
            PartitionInputList=[{"Values": [value], "StorageDescriptor": storage}],
        )
        refused = [one["ErrorDetail"] for one in answer.get("Errors", [])]
        if any(detail["ErrorCode"] != "AlreadyExistsException" for detail in refused):
            raise ValueError(f"the catalog refused partition {value!r} of {table}: {refused}")

    def set_partitions(
        self, table: str, location: str, columns: dict[str, str], key: str, values: list[str]
    ) -> None:
        """Make the table's partitions exactly `values`, each at `location`/key=value/."""
        names = {"DatabaseName": self._database, "TableName": table}
        pages = self._glue.get_paginator("get_partitions").paginate(**names)
        present = {partition["Values"][0] for page in pages for partition in page["Partitions"]}
        for batch in _batches(sorted(present - set(values))):
            self._glue.batch_delete_partition(**names, PartitionsToDelete=[{"Values": [v]} for v in batch])
        for batch in _batches(sorted(set(values) - present)):
            partitions = [
                {"Values": [v], "StorageDescriptor": self._storage(f"{location}{key}={v}/", columns)}
                for v in batch
            ]
            self._glue.batch_create_partition(**names, PartitionInputList=partitions)

    def _storage(self, location: str, columns: dict[str, str]) -> dict[str, Any]:
        described = [{"Name": name, "Type": kind} for name, kind in columns.items()]
        return {**PARQUET, "Columns": described, "Location": location}


def _batches(values: list[str]) -> list[list[str]]:
    return [values[start : start + BATCH] for start in range(0, len(values), BATCH)]
