"""Put a campaign where it is found: whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from preprocessing import storage
from preprocessing.catalog import Catalog
from preprocessing.storage import join
from pyarrow import csv, parquet

from targeting.campaign_tables import SENT

PAIRS, SEGMENTS = "campaign_coupons", "campaign_segments"
PARTITION_KEY = "campaign_run"
FILE_COLUMNS = ["user_id", "coupon_id", "segment", "probability", "organic_probability", "cost"]
HIVE_TYPES = {pa.string(): "string", pa.float64(): "double", pa.int32(): "int"}


def publish(
    pairs: pa.Table,
    users: pa.Table,
    report: dict[str, Any],
    *,
    campaigns_uri: str,
    campaign_run: str,
    catalog: Catalog | None,
) -> None:
    """Write a campaign below `campaigns_uri`/`campaign_run`/: segments, the campaign file, the report.

    Each file appears whole or not at all, the report as the last one: a campaign without it is none. Where
    there is a catalog, the tables get their partitions after that. May be repeated.
    """
    run_uri = join(campaigns_uri, campaign_run + "/")
    for folder in ("report/", "campaign/", "segments/"):
        storage.delete_prefix(join(run_uri, folder))
    for name, table in ((PAIRS, pairs), (SEGMENTS, users)):
        storage.write_bytes(_table_file(campaigns_uri, name, campaign_run), _as(table, parquet.write_table))
    storage.write_bytes(join(run_uri, "segments", "segments.csv"), _as(users, csv.write_csv))
    sent = pairs.filter(pc.equal(pairs["treatment"], SENT)).select(FILE_COLUMNS)
    storage.write_bytes(join(run_uri, "campaign", "campaign-0000.csv"), _as(sent, csv.write_csv))
    storage.write_text(join(run_uri, "report", "report.json"), json.dumps(report, indent=2))
    if catalog is None:
        return
    for name, table in ((PAIRS, pairs), (SEGMENTS, users)):
        columns = {one.name: HIVE_TYPES[one.type] for one in table.schema}
        catalog.register(name, join(campaigns_uri, "tables", name + "/"), columns, PARTITION_KEY)
        catalog.add_partition(
            name, join(campaigns_uri, "tables", name + "/"), columns, PARTITION_KEY, campaign_run
        )


def _table_file(campaigns_uri: str, table: str, campaign_run: str) -> str:
    return join(campaigns_uri, "tables", table, f"{PARTITION_KEY}={campaign_run}", "part-0000.parquet")


def _as(table: pa.Table, write: Callable[[pa.Table, io.BytesIO], None]) -> bytes:
    file = io.BytesIO()
    write(table, file)
    return file.getvalue()
