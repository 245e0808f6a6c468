"""Schema drift: fields that sources send and nobody mapped, mapped fields that they no longer send."""

from __future__ import annotations

import json
import zlib
from typing import Any

from preprocessing import storage
from preprocessing.raw_files import group_by_header
from preprocessing.settings import Source
from preprocessing.storage import StoredFile

LOOKED_AT_BYTES = 256 * 1024


def source_drift(source: Source, files: list[StoredFile]) -> dict[str, list[str]]:
    """Return `unmapped` and `absent` fields of the source's newest file (JSON) or of all headers (CSV).

    Fields of JSON are looked for in the first rows alone: a report, not a proof.
    """
    if not files:
        return {"unmapped": [], "absent": []}
    if source.format == "csv":
        headers = [set(group.fields) for group in group_by_header(files)]
        seen = set().union(*headers)
        return {
            "unmapped": sorted(seen - set(source.raw_fields)),
            "absent": sorted({field for field in source.raw_fields if any(field not in h for h in headers)}),
        }
    seen = _json_fields(files[-1])
    return {
        "unmapped": sorted(seen - set(source.raw_fields)),
        "absent": sorted(set(source.raw_fields) - seen) if seen else [],
    }


def _json_fields(file: StoredFile) -> set[str]:
    start = storage.read_bytes(file.uri, LOOKED_AT_BYTES) if file.size else b""
    if file.uri.endswith(".gz"):
        try:
            start = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(start)
        except zlib.error:
            return set()
    fields: set[str] = set()
    for line in start.decode("utf-8", errors="replace").split("\n")[:-1]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            fields |= _leaves(row, "")
    return fields


def _leaves(row: dict[str, Any], path: str) -> set[str]:
    found: set[str] = set()
    for name, value in row.items():
        found |= _leaves(value, f"{path}{name}.") if isinstance(value, dict) else {path + name}
    return found
