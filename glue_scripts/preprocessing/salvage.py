"""Compressed files that end too soon or are no gzip: what is readable is read, the rest is a marked line.

gzip is the one compression of raw files. Hadoop would take others by their name, some only where a native
library is installed: such a file is one marked line, alike everywhere.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from preprocessing import storage
from preprocessing.storage import StoredFile, join

# Starts the line that stands for the unreadable rest of a file; no sound line starts with a NUL.
BROKEN_MARK = "\u0000broken\u0000"
SHOWN_BYTES = 4096
CHUNK_BYTES = 1024 * 1024
OTHER_COMPRESSIONS = (".bz2", ".deflate", ".lz4", ".snappy", ".zst")


@dataclass(frozen=True)
class Salvage:
    """A file's readable lines, as a file of their own; `original` is what the reports call it."""

    original: str
    file: StoredFile


def set_aside(files: list[StoredFile], folder: str) -> list[Salvage]:
    """Write a marked line below `folder` for each file compressed otherwise than by gzip."""
    others = [file for file in files if file.uri.endswith(OTHER_COMPRESSIONS)]
    return [_salvage(file, b"", folder) for file in others]


def salvage_broken(files: list[StoredFile], folder: str) -> list[Salvage]:
    """Write the readable lines of each broken .gz file below `folder`; sound files are left alone."""
    salvaged = []
    for file in files:
        if not file.uri.endswith(".gz") or file.size == 0:
            continue
        content, is_whole = decompressed(storage.read_bytes(file.uri))
        if not is_whole:
            salvaged.append(_salvage(file, content, folder))
    return salvaged


def _salvage(file: StoredFile, content: bytes, folder: str) -> Salvage:
    lines, newline, rest = content.rpartition(b"\n")
    if not content and file.size:
        rest = storage.read_bytes(file.uri, SHOWN_BYTES)
    body = lines + newline + BROKEN_MARK.encode() + re.sub(rb"[\r\n]", b" ", rest[:SHOWN_BYTES])
    uri = join(folder, hashlib.sha256(file.uri.encode()).hexdigest()[:32] + ".txt")
    storage.write_bytes(uri, body)
    return Salvage(file.uri, StoredFile(uri, len(body), file.fingerprint))


def decompressed(data: bytes) -> tuple[bytes, bool]:
    """Return what decompresses, and whether that is all of it; a file may hold several gzip members."""
    parts: list[bytes] = []
    while data:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        for start in range(0, len(data), CHUNK_BYTES):
            chunk, before = data[start : start + CHUNK_BYTES], member.copy()
            try:
                parts.append(member.decompress(chunk))
            except zlib.error:
                return b"".join([*parts, *_up_to_the_fault(before, chunk)]), False
        if not member.eof:
            return b"".join(parts), False
        data = member.unused_data
    return b"".join(parts), True


def _up_to_the_fault(member: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """Yield what the bytes before the first bad one decompress to."""
    for place in range(len(chunk)):
        try:
            yield member.decompress(chunk[place : place + 1])
        except zlib.error:
            return
