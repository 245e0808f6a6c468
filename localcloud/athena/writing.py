"""Query results as data: the files of CREATE TABLE AS, INSERT INTO and UNLOAD."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from localcloud.athena.catalog import bucket_and_prefix
from localcloud.athena.errors import QueryError
from localcloud.athena.session import Session
from localcloud.athena.tables import JSON, LAZY_SIMPLE, PARQUET, hive_path
from localcloud.athena.types import literal, quoted, widened

MOST_PARTITIONS = 100
SERDES = {"PARQUET": PARQUET, "TEXTFILE": LAZY_SIMPLE, "JSON": JSON[0]}
HADOOP = {
    "PARQUET": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    ),
    "TEXTFILE": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    ),
}
HADOOP["JSON"] = HADOOP["TEXTFILE"]
DEFAULT_COMPRESSION = {"PARQUET": "gzip", "TEXTFILE": "gzip", "JSON": "gzip"}
COMPRESSIONS = {
    "PARQUET": {"none": "uncompressed", "uncompressed": "uncompressed", "snappy": "snappy", "gzip": "gzip",
                "zstd": "zstd", "lz4": "lz4_raw"},
    "TEXTFILE": {"none": "none", "gzip": "gzip", "zstd": "zstd"},
}  # fmt: skip
COMPRESSIONS["JSON"] = COMPRESSIONS["TEXTFILE"]
SUFFIX = {"gzip": ".gz", "zstd": ".zst"}


@dataclass(frozen=True)
class Format:
    """How files are written: Athena's format, the compression as DuckDB calls it, the field separator."""

    name: str
    compression: str
    separator: str = "\x01"

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Format:
        """Read the properties of CTAS and UNLOAD. Raises QueryError for what is not supported."""
        name = str(options.get("format", "PARQUET")).upper()
        if name not in SERDES:
            raise QueryError(
                "NOT_SUPPORTED", f"localcloud's Athena writes {', '.join(SERDES)}, not the format '{name}'"
            )
        old = options.get(f"{name.lower()}_compression")
        asked = options.get("write_compression") or options.get("compression") or old
        wanted = str(asked or DEFAULT_COMPRESSION[name]).lower()
        if wanted not in COMPRESSIONS[name]:
            raise QueryError("INVALID_TABLE_PROPERTY", f"Compression '{wanted}' is not supported for {name}")
        return cls(name, COMPRESSIONS[name][wanted], str(options.get("field_delimiter", "\x01")))

    @property
    def copy_options(self) -> str:
        """The options of DuckDB's COPY."""
        if self.name == "PARQUET":
            return f"FORMAT parquet, COMPRESSION {self.compression}"
        if self.name == "JSON":
            return f"FORMAT json, COMPRESSION {self.compression}"
        return (
            f"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIM {literal(self.separator)}, "
            f"NULLSTR '\\N', COMPRESSION {self.compression}"
        )

    def storage(self, location: str, columns: list[tuple[str, str]]) -> dict[str, Any]:
        """Return Glue's StorageDescriptor of a table in this format."""
        read, write = HADOOP[self.name]
        parameters = {"serialization.format": "1"}
        if self.name == "TEXTFILE":
            parameters = {"field.delim": self.separator, "serialization.format": self.separator}
        return {
            "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
            "Location": location,
            "InputFormat": read,
            "OutputFormat": write,
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {"SerializationLibrary": SERDES[self.name], "Parameters": parameters},
            "StoredAsSubDirectories": False,
        }


@dataclass
class Written:
    """What was written: the files' addresses, and the partitions with their values by key."""

    files: list[str] = field(default_factory=list)
    partitions: list[dict[str, str]] = field(default_factory=list)

    def manifest(self) -> str:
        """Return Athena's data manifest: an address a line."""
        return "".join(f"{address}\n" for address in self.files)


def write_files(
    session: Session, duckdb_sql: str, style: Format, location: str, partitioned_by: list[str]
) -> Written:
    """Run a query into files below `location`, a folder a partition. Raises QueryError."""
    columns = session.described(duckdb_sql)
    chosen = [
        f"CAST({quoted(name)} AS {wide}) AS {quoted(name)}" if (wide := widened(kind)) else quoted(name)
        for name, kind in columns
    ]
    source = f"SELECT {', '.join(chosen)} FROM ({duckdb_sql})"  # noqa: S608 - made by the translator
    folder = session.folder / "written"
    folder.mkdir()
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d_%H%M%S")
    name = f"{stamp}_00001_{uuid.uuid4().hex[:5]}_{uuid.uuid4()}"
    if partitioned_by:
        keys = ", ".join(quoted(key) for key in partitioned_by)
        partition = f", PARTITION_BY ({keys}), WRITE_PARTITION_COLUMNS false, FILENAME_PATTERN '{name}_{{i}}'"
        session.run(f"COPY ({source}) TO '{folder}' ({style.copy_options}{partition})", counted=True)
    else:
        target = folder / (name + ("" if style.name == "PARQUET" else SUFFIX.get(style.compression, "")))
        session.run(f"COPY ({source}) TO '{target}' ({style.copy_options})", counted=True)
    return _publish(session, folder, location, partitioned_by)


def require_empty(session: Session, location: str, what: str) -> None:
    """Raise QueryError when objects lie below a location that must be new."""
    bucket, prefix = bucket_and_prefix(location)
    folder = session.tree.bucket_path(bucket) / prefix
    if folder.is_dir() and any(entry.is_file() for entry in folder.rglob("*")):
        raise QueryError(
            "HIVE_PATH_ALREADY_EXISTS", f"Target directory for {what} already exists: {location}"
        )


def _publish(session: Session, folder: Path, location: str, partitioned_by: list[str]) -> Written:
    """Make the files objects, without copying them."""
    bucket, prefix = bucket_and_prefix(location)
    written = Written()
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    folders = sorted({path.parent for path in files})
    if partitioned_by and len(folders) > MOST_PARTITIONS:
        raise QueryError(
            "HIVE_TOO_MANY_OPEN_PARTITIONS",
            f"Exceeded limit of {MOST_PARTITIONS} open writers for partitions/buckets",
        )
    values = {path: _partition_values(path, folder) for path in folders} if partitioned_by else {}
    for path in files:
        partition = hive_path(values[path.parent]) + "/" if values else ""
        # DuckDB's own extension goes: Athena's files have none but the compression's.
        name = path.name if not values else path.stem.removesuffix(".csv").removesuffix(".json")
        key = "/".join(part for part in (prefix, partition + name) if part)
        session.tree.put_file(bucket, key, path)
        written.files.append(f"s3://{bucket}/{key}")
    written.partitions = [values[path] for path in folders] if values else []
    return written


def _partition_values(path: Path, top: Path) -> dict[str, str]:
    pairs = (part.partition("=") for part in path.relative_to(top).parts)
    return {unquote(key): unquote(value) for key, _, value in pairs}
