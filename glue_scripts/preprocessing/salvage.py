"""Compressed files that end too soon or are no gzip: what is readable is read, the rest is a marked line."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

from preprocessing import storage
from preprocessing.storage import StoredFile, join

# Starts the line that stands for the unreadable rest of a file; no sound line starts with a NUL.
BROKEN_MARK = "\u0000broken\u0000"
SHOWN_BYTES = 4096
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Salvage:
    """A file's readable lines, as a file of their own; `original` is what the reports call it."""

    original: str
    file: StoredFile


def salvage_broken(files: list[StoredFile], folder: str) -> list[Salvage]:
    """Write the readable lines of each broken .gz file below `folder`; sound files are left alone."""
    salvaged = []
    for file in files:
        if not file.uri.endswith(".gz") or file.size == 0:
            continue
        content, is_whole = _decompressed(storage.read_bytes(file.uri))
        if is_whole:
            continue
        text = content or storage.read_bytes(file.uri, SHOWN_BYTES).replace(b"\n", b" ")
        lines, _, partial = text.rpartition(b"\n")
        body = (lines + b"\n" if lines else b"") + BROKEN_MARK.encode() + partial[:SHOWN_BYTES]
        name = hashlib.sha256(file.uri.encode()).hexdigest()[:32] + ".txt"
        uri = join(folder, name)
        storage.write_bytes(uri, body)
        salvaged.append(Salvage(file.uri, StoredFile(uri, len(body), file.fingerprint)))
    return salvaged


def _decompressed(data: bytes) -> tuple[bytes, bool]:
    """Return what decompresses, and whether that is all of it; a file may hold several gzip members."""
    parts: list[bytes] = []
    while data:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        for start in range(0, len(data), CHUNK_BYTES):
            try:
                parts.append(member.decompress(data[start : start + CHUNK_BYTES]))
            except zlib.error:
                return b"".join(parts), False
        if not member.eof:
            return b"".join(parts), False
        data = member.unused_data
    return b"".join(parts), True
