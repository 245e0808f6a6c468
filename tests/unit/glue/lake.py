"""A raw folder in the travel deployment's formats, and the datasets that the curate job makes of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from preprocessing.curation import Curation
from preprocessing.settings import Settings
from pyspark.sql import SparkSession

AS_OF = 1_790_000_000
START = 1_780_000_000
DAY = 86400
BOOKINGS = (
    "booking_ref,customer_id,from_city,to_city,mode,class,operator,fare_inr,departs_at,duration_min,"
    "booked_at,status"
)


class Lake:
    """A raw folder and the datasets made of it."""

    def __init__(
        self, folder: Path, spark: SparkSession, settings: Settings, key: bytes | None = None
    ) -> None:
        self.raw, self.datasets = folder / "raw", folder / "datasets"
        self._spark, self._settings, self._key, self._runs = spark, settings, key, 0

    def put(self, name: str, content: str) -> Path:
        """Write a raw file, compressed where its name says so."""
        data = content.encode()
        return self.write(name, gzip.compress(data) if name.endswith(".gz") else data)

    def write(self, name: str, data: bytes) -> Path:
        """Write a raw file's bytes as they are."""
        path = self.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def curate(self) -> dict[str, Any]:
        self._runs += 1
        run_id = f"run{self._runs}"
        Curation(
            spark=self._spark,
            settings=self._settings,
            raw_uri=self.raw.as_uri() + "/",
            datasets_uri=self.datasets.as_uri() + "/",
            run_id=run_id,
            glue_database=None,
            as_of=AS_OF,
            key=self._key,
        ).run()
        sources: dict[str, Any] = self.report("counts.json")["sources"]
        return sources

    def kept(self) -> list[tuple[Any, ...]]:
        rows = self._spark.read.parquet(f"{self.datasets.as_uri()}/curated/interactions/outcome=kept")
        columns = ["event_id", "user_id", "event_type", "timestamp", "origin", "source", "price_band", "dt"]
        return sorted(tuple(row) for row in rows.select(*columns).collect())

    def quarantine(self) -> list[tuple[str, int, str]]:
        rows = self._spark.read.parquet((self.datasets / "quarantine").as_uri()).collect()
        return sorted((Path(row["file"]).name, row["line"], row["reason"]) for row in rows)

    def report(self, name: str) -> dict[str, Any]:
        """Return a JSON report of the last run."""
        found: dict[str, Any] = json.loads(self.report_text(name))
        return found

    def report_text(self, name: str) -> str:
        """Return a report of the last run as it is written."""
        return (self.datasets / "reports" / f"run{self._runs}" / name).read_text()


def click(number: int, **values: Any) -> str:
    trip = {"from": "DEL", "to": "GOI", "mode": "flight", "cabin": "economy", "fare": 4000 + number}
    row = {
        "id": f"i{number}",
        "name": "screen_view",
        "ts": (START + number * 977) * 1000,
        "user": {"id": f"u{number % 40}"},
        "device": {"idfv": f"d{number % 40}"},
        "trip": {**trip, "departs": "2026-06-02T22:45:00", "minutes": 150},
    }
    return json.dumps(row | values)


def day(first: int, count: int = 400) -> str:
    return "\n".join(click(number) for number in range(first, first + count)) + "\n"
