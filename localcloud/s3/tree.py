"""The folder tree of buckets: where each key's newest bytes lie, and what others changed there."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from moto.s3.models import s3_backends

from localcloud.context import ACCOUNT_ID

# What Spark and Hadoop keep in a table's folder while they write; never an object.
SCRATCH_NAMES = ("_temporary", ".spark-staging", ".hive-staging")
LONGEST_NAME_BYTES = 255


@dataclass(frozen=True)
class StoredBytes:
    """An object's bytes in a file of the version store; stands for `bytes` where moto passes a value on."""

    path: Path

    def __len__(self) -> int:
        return self.path.stat().st_size


@dataclass(frozen=True)
class FileState:
    """What tells a changed file from an unchanged one."""

    inode: int
    size: int
    modified_ns: int


class ObjectTree:
    """`<root>/<bucket>/<key>` for every key that can be a file's name; older versions in a version store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._versions = root / ".versions"
        self._versions.mkdir(parents=True, exist_ok=True)
        self._writers = 0
        self.lock = threading.RLock()

    def bucket_path(self, bucket: str) -> Path:
        """Return the folder of a bucket."""
        return self.root / bucket

    def bucket_names(self) -> list[str]:
        """Return the buckets that have a folder."""
        return sorted(entry.name for entry in self.root.iterdir() if not entry.name.startswith("."))

    def total_bytes(self) -> int:
        """Return the size of all objects together, older versions included."""
        total = 0
        for entry in os.scandir(self._versions):
            with suppress(FileNotFoundError):
                total += entry.stat().st_size
        return total

    def key_path(self, bucket: str, key: str) -> Path | None:
        """Return the file of a key, or None when no file can have its name (`a//b`, `../x`, `folder/`)."""
        parts = key.split("/")
        if any(part in {"", ".", ".."} or "\0" in part or _too_long(part) for part in parts):
            return None
        return self.bucket_path(bucket).joinpath(*parts)

    def new_version(self) -> Path:
        """Return the path for a new object's bytes; nothing is there yet."""
        return self._versions / uuid.uuid4().hex

    def adopt(self, file: Path) -> StoredBytes:
        """Take the bytes of `file`, on the tree's disk, into the version store without copying."""
        version = self.new_version()
        os.link(file, version)
        return StoredBytes(version)

    def put_file(self, bucket: str, key: str, file: Path) -> None:
        """Put `file` (on the tree's disk) as an object, without copying it. Raises moto's MissingBucket."""
        s3_backends[ACCOUNT_ID]["aws"].put_object(bucket, key, cast(Any, self.adopt(file)))

    @contextmanager
    def direct_writes(self) -> Iterator[None]:
        """While open, others may write into bucket folders: every S3 request looks for changes first."""
        with self.lock:
            self._writers += 1
        try:
            yield
        finally:
            with self.lock:
                self._writers -= 1

    @property
    def has_writers(self) -> bool:
        """Whether a process other than S3 may be writing into the tree."""
        return self._writers > 0

    def publish(self, bucket: str, key: str, version: Path | None) -> FileState | None:
        """Make the key's file the given version, or remove it; return its state, None if there is no file."""
        path = self.key_path(bucket, key)
        if path is None:
            return None
        if version is None:
            self._remove(bucket, path)
            return None
        link = self._versions / f"{version.name}.link"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not (path.exists() and path.samefile(version)):
                os.link(version, link)
                link.replace(path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            # Both `a` and `a/b` are keys: only one can be a file; the other is served from the version store.
            link.unlink(missing_ok=True)
            return None
        return file_state(path.stat())

    def remove_bucket(self, bucket: str) -> None:
        """Remove a bucket's folder."""
        shutil.rmtree(self.bucket_path(bucket), ignore_errors=True)

    def scan(self, bucket: str) -> dict[str, FileState]:
        """Return the state of every file in the bucket's folder, by key."""
        return dict(_files(str(self.bucket_path(bucket)), ""))

    def _remove(self, bucket: str, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except (IsADirectoryError, NotADirectoryError, PermissionError):
            return
        top = self.bucket_path(bucket)
        for folder in path.parents:
            if folder == top:
                return
            try:
                folder.rmdir()
            except OSError:
                # Not empty, or gone already.
                return


def file_state(found: os.stat_result) -> FileState:
    """Return what `scan` compares."""
    return FileState(found.st_ino, found.st_size, found.st_mtime_ns)


def _too_long(part: str) -> bool:
    return len(part.encode("utf-8", "surrogateescape")) > LONGEST_NAME_BYTES


def _files(folder: str, prefix: str) -> Iterator[tuple[str, FileState]]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith(SCRATCH_NAMES):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}", file_state(entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            # Removed or renamed while we look: the next scan sees it where it is.
            continue
