"""Small objects and listings at s3:// and file:// addresses; the tables themselves are Spark's business.

Addresses are not URL-encoded: an S3 key or a file's name stands in them as it is.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3

# S3 deletes no more objects at once.
MOST_DELETED = 1000


@dataclass(frozen=True)
class StoredFile:
    """A file or object: its address, size in bytes, and a fingerprint that changes with its content."""

    uri: str
    size: int
    fingerprint: str


def join(base: str, *parts: str) -> str:
    """Join address parts with single slashes; a trailing slash of the last part stays."""
    return "/".join([base.rstrip("/"), *(part.strip("/") for part in parts[:-1]), parts[-1].lstrip("/")])


def list_files(prefix: str) -> list[StoredFile]:
    """List the files below `prefix`, by address; names starting with "_" or "." are not data."""
    found = _list_objects(prefix) if _is_s3(prefix) else _list_local(prefix)
    return sorted((f for f in found if not _is_hidden(f.uri)), key=lambda file: file.uri)


def read_bytes(uri: str, length: int | None = None) -> bytes:
    """Read a whole object, or its first `length` bytes."""
    if not _is_s3(uri):
        with Path(_local(uri)).open("rb") as file:
            return file.read() if length is None else file.read(length)
    bucket, key = _bucket_and_key(uri)
    span = {} if length is None else {"Range": f"bytes=0-{length - 1}"}
    return bytes(_s3().get_object(Bucket=bucket, Key=key, **span)["Body"].read())


def read_text(uri: str) -> str | None:
    """Read a text object; None when there is none."""
    try:
        return read_bytes(uri).decode("utf-8")
    except FileNotFoundError:
        return None
    except _s3().exceptions.NoSuchKey:
        return None


def write_text(uri: str, text: str) -> None:
    """Write a text object, replacing any."""
    write_bytes(uri, text.encode("utf-8"))


def write_bytes(uri: str, content: bytes) -> None:
    """Write an object, replacing any."""
    if _is_s3(uri):
        bucket, key = _bucket_and_key(uri)
        _s3().put_object(Bucket=bucket, Key=key, Body=content)
        return
    path = Path(_local(uri))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def copy(source: str, target: str) -> None:
    """Copy one object within a file system or S3."""
    if _is_s3(source):
        bucket, key = _bucket_and_key(source)
        target_bucket, target_key = _bucket_and_key(target)
        _s3().copy({"Bucket": bucket, "Key": key}, target_bucket, target_key)
        return
    Path(_local(target)).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_local(source), _local(target))


def delete_prefix(prefix: str) -> None:
    """Delete everything below `prefix`; nothing there is no error."""
    if not _is_s3(prefix):
        shutil.rmtree(_local(prefix), ignore_errors=True)
        return
    bucket, key = _bucket_and_key(prefix)
    pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key.rstrip("/") + "/")
    for page in pages:
        _delete_objects(bucket, [found["Key"] for found in page.get("Contents", [])])


def delete_files(uris: list[str]) -> None:
    """Delete files; one that is not there is no error."""
    keys: dict[str, list[str]] = {}
    for uri in uris:
        if _is_s3(uri):
            bucket, key = _bucket_and_key(uri)
            keys.setdefault(bucket, []).append(key)
        else:
            Path(_local(uri)).unlink(missing_ok=True)
    for bucket, found in keys.items():
        for start in range(0, len(found), MOST_DELETED):
            _delete_objects(bucket, found[start : start + MOST_DELETED])


def _delete_objects(bucket: str, keys: list[str]) -> None:
    if not keys:
        return
    objects = [{"Key": key} for key in keys]
    answer = _s3().delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    if refused := answer.get("Errors"):
        first = refused[0]
        raise OSError(
            f"S3 refused to delete {len(refused)} objects, the first s3://{bucket}/{first['Key']}: "
            f"{first['Code']}"
        )


def _list_objects(prefix: str) -> list[StoredFile]:
    bucket, key = _bucket_and_key(prefix)
    pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    return [
        StoredFile(f"s3://{bucket}/{found['Key']}", found["Size"], found["ETag"].strip('"'))
        for page in pages
        for found in page.get("Contents", [])
        if not found["Key"].endswith("/")
    ]


def _list_local(prefix: str) -> list[StoredFile]:
    root = Path(_local(prefix))
    files = (Path(folder) / name for folder, _, names in os.walk(root) for name in names)
    return [
        StoredFile(f"file://{path.absolute()}", path.stat().st_size, str(path.stat().st_mtime_ns))
        for path in files
    ]


def _is_hidden(uri: str) -> bool:
    return uri.rsplit("/", 1)[-1].startswith(("_", "."))


def _is_s3(uri: str) -> bool:
    return uri.startswith("s3://")


def _local(uri: str) -> str:
    return uri.removeprefix("file://")


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


@lru_cache(maxsize=1)
def _s3() -> Any:
    return boto3.client("s3")
