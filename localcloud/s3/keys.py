"""moto's keys with their bytes in the object tree, and the tree's files as keys."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any, ClassVar

from moto.s3 import models
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend
from moto.s3.utils import _VersionedKeyStore

from localcloud.s3.tree import ObjectTree

CHUNK_BYTES = 1024 * 1024


class DiskKey(FakeKey):  # type: ignore[misc]
    """One version of an object, its bytes in a file of its own."""

    tree: ClassVar[ObjectTree]

    @property
    def value(self) -> bytes:
        """The object's bytes."""
        return self.path.read_bytes()

    @value.setter
    def value(self, content: bytes | str) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.path = self.tree.new_version()
        self.path.write_bytes(data)
        self.contentsize = len(data)

    def adopt(self, file: Path) -> None:
        """Take the bytes of a file an engine wrote, without copying them."""
        self.path.unlink()
        self.path = self.tree.new_version()
        os.link(file, self.path)
        self.contentsize = self.path.stat().st_size

    @property
    def etag(self) -> str:
        """The quoted MD5 of the bytes, or of the parts of a multipart upload."""
        if self._etag is None:
            digest = hashlib.md5(usedforsecurity=False)
            with self.path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
            self._etag = digest.hexdigest()
        return f'"{self._etag}"'

    def dispose(self, garbage: bool = False) -> None:  # noqa: FBT001, FBT002 - moto's signature
        """Give up the bytes."""
        if not self.disposed and hasattr(self, "path"):
            self.path.unlink(missing_ok=True)
        super().dispose(garbage=garbage and False)


class MirroredKeys(_VersionedKeyStore):  # type: ignore[misc]
    """A bucket's keys, each one's current version shown in the tree."""

    def __init__(self, bucket: str, tree: ObjectTree) -> None:
        super().__init__()
        self._bucket = bucket
        self._tree = tree
        self._inodes: dict[str, int] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        with self._tree.lock:
            super().__setitem__(key, value)
            self._mirror(key)

    def setlist(self, key: str, list_: Any) -> None:
        """Set all versions of a key."""
        with self._tree.lock:
            super().setlist(key, list_)
            self._mirror(key)

    def pop(self, key: str) -> None:
        """Remove a key with all its versions."""
        with self._tree.lock:
            super().pop(key)
            self._mirror(key)

    def take_in(self, bucket: FakeBucket) -> None:
        """Make the keys what the tree shows: new and changed files become versions, vanished ones are deleted."""
        with self._tree.lock:
            present = dict(self._tree.files(self._bucket))
            for key, status in present.items():
                if self._inodes.get(key) != status.st_ino:
                    self._add(bucket, key)
            for key in [key for key in self._inodes if key not in present]:
                del self._inodes[key]
                if bucket.is_versioned:
                    super().__setitem__(key, FakeDeleteMarker(key=self[key]))
                else:
                    super().pop(key)

    def _add(self, bucket: FakeBucket, key: str) -> None:
        version = DiskKey(
            name=key,
            value=b"",
            account_id=bucket.account_id,
            region_name=bucket.region_name,
            bucket_name=bucket.name,
            is_versioned=bucket.is_versioned,
            version_id=str(uuid.uuid4()) if bucket.is_versioned else "null",
        )
        file = self._tree.bucket_folder(self._bucket) / key
        version.adopt(file)
        self._inodes[key] = file.stat().st_ino
        if bucket.is_versioned:
            super().__setitem__(key, version)
        else:
            super().setlist(key, [version])

    def _mirror(self, key: str) -> None:
        versions = self.getlist(key, [])
        current = versions[-1] if versions else None
        self._inodes.pop(key, None)
        if isinstance(current, DiskKey):
            if self._tree.show(self._bucket, key, current.path):
                self._inodes[key] = current.path.stat().st_ino
        else:
            self._tree.hide(self._bucket, key)


def plug_into_moto(tree: ObjectTree) -> None:
    """Make moto keep its S3 objects in `tree`, and take in what engines write there."""
    DiskKey.tree = tree
    models.FakeKey = DiskKey
    make_bucket, get_bucket, delete_bucket = (
        FakeBucket.__init__,
        S3Backend.get_bucket,
        S3Backend.delete_bucket,
    )

    def init_bucket(bucket: FakeBucket, name: str, *args: Any, **kwargs: Any) -> None:
        make_bucket(bucket, name, *args, **kwargs)
        tree.bucket_folder(name)
        bucket.keys = MirroredKeys(name, tree)

    def found_bucket(backend: S3Backend, bucket_name: str) -> FakeBucket:
        bucket = get_bucket(backend, bucket_name)
        if tree.is_watched and isinstance(bucket.keys, MirroredKeys):
            bucket.keys.take_in(bucket)
        return bucket

    def removed_bucket(backend: S3Backend, bucket_name: str) -> FakeBucket | None:
        removed = delete_bucket(backend, bucket_name)
        if removed is not None:
            tree.remove_bucket(bucket_name)
        return removed

    def reconcile(bucket_name: str) -> None:
        location = models.s3_backends.bucket_accounts.get(bucket_name)
        if location:
            partition, account_id = location
            found_bucket(models.s3_backends[account_id][partition], bucket_name)

    FakeBucket.__init__ = init_bucket
    S3Backend.get_bucket = found_bucket
    S3Backend.delete_bucket = removed_bucket
    tree.reconcile = reconcile
