"""moto's S3 objects kept in the object tree: what is patched, and how direct writes become versions."""

from __future__ import annotations

import copy
import hashlib
import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import moto.s3.models
import moto.s3.responses
from moto.s3.utils import _VersionedKeyStore

from localcloud.context import ACCOUNT_ID
from localcloud.s3.tree import FileState, ObjectTree, StoredBytes

# moto's classes are patched here, which their types do not foresee.
models: Any = moto.s3.models
responses: Any = moto.s3.responses
BLOCK_BYTES = 16 * 1024 * 1024


class TreeKeyStore(_VersionedKeyStore):
    """A bucket's keys; whatever changes the newest version of one changes its file."""

    def __init__(self, tree: ObjectTree, bucket: str) -> None:
        super().__init__()
        self._tree = tree
        self._bucket = bucket
        self._published: dict[str, FileState] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        with self._tree.lock:
            super().__setitem__(key, value)
            self._publish(key)

    def setlist(self, key: str, list_: Any) -> None:
        """Replace the versions of a key."""
        with self._tree.lock:
            super().setlist(key, list_)
            self._publish(key)

    def pop(self, key: str) -> None:  # type: ignore[override]
        """Remove a key with all its versions."""
        with self._tree.lock:
            super().pop(key)
            self._publish(key)

    def pull_direct_writes(self) -> None:
        """Make versions of files written into the bucket's folder; delete keys whose file is gone."""
        backend = models.s3_backends[ACCOUNT_ID]["aws"]
        bucket = backend.get_bucket(self._bucket)
        events = models.notifications.S3NotificationEvent
        happened: list[tuple[Any, Any]] = []
        with self._tree.lock:
            found = self._tree.scan(self._bucket)
            for key in [key for key, state in found.items() if self._published.get(key) != state]:
                stored = self._adopted(key)
                if stored is not None:
                    put = backend.put_object(self._bucket, key, stored, disable_notification=True)
                    happened.append((events.OBJECT_CREATED_PUT_EVENT, put))
            for key in [key for key in self._published if key not in found]:
                happened.append((events.OBJECT_REMOVED_DELETE_EVENT, self[key]))
                if bucket.is_versioned:
                    self[key] = models.FakeDeleteMarker(key=self[key])
                else:
                    self.pop(key)
        # What hears of a change may make requests of its own, so it is told without the lock.
        for event, version in happened:
            models.notifications.send_event(ACCOUNT_ID, event, bucket, version)

    def _adopted(self, key: str) -> StoredBytes | None:
        path = self._tree.key_path(self._bucket, key)
        if path is None:
            return None
        try:
            return self._tree.adopt(path)
        except FileNotFoundError:
            # Its writer has removed or renamed it since the scan; the next scan sees what became of it.
            return None

    def _publish(self, key: str) -> None:
        newest = self.get(key)
        version = newest.stored.path if isinstance(newest, models.FakeKey) else None
        state = self._tree.publish(self._bucket, key, version)
        if state is None:
            self._published.pop(key, None)
        else:
            self._published[key] = state


def pull_direct_writes(bucket_names: Iterable[str] | None = None) -> None:
    """Bring the files written directly into the tree (of all buckets if none are named) into S3."""
    buckets = models.s3_backends[ACCOUNT_ID]["aws"].buckets
    for name in list(buckets) if bucket_names is None else bucket_names:
        if name in buckets:
            buckets[name].keys.pull_direct_writes()


def patch_moto(tree: ObjectTree) -> None:
    """Make moto keep objects in `tree`."""
    _patch_keys(tree)
    _patch_multipart(tree)
    _patch_buckets(tree)
    _patch_requests(tree)
    _patch_lists()


def _patch_keys(tree: ObjectTree) -> None:
    """Keep a key's value in a file instead of a temporary buffer."""

    def read(key: Any) -> bytes:
        path: Path = key.stored.path
        return path.read_bytes()

    def write(key: Any, value: bytes | str | StoredBytes) -> None:
        if not isinstance(value, StoredBytes):
            content = value.encode() if isinstance(value, str) else value
            value = StoredBytes(tree.new_version())
            value.path.write_bytes(content)
        key.stored = value
        key.contentsize = len(value)

    def etag(key: Any) -> str:
        if key._etag is None:
            key._etag = _md5(key.stored.path)
        return f'"{key._etag}"'

    def dispose(key: Any, garbage: bool = False) -> None:  # noqa: ARG001 - moto's signature
        if not key.disposed and hasattr(key, "stored"):
            key.stored.path.unlink(missing_ok=True)
        if key.multipart:
            key.multipart.dispose()
        key.disposed = True

    def deep_copy(key: Any, _memo: dict[int, Any]) -> Any:
        # moto copies keys to list versions: the copy shares the bytes and does not own them.
        copied = object.__new__(type(key))
        copied.__dict__.update(key.__dict__, disposed=True)
        return copied

    models.FakeKey.__deepcopy__ = deep_copy
    models.FakeKey.value = property(read, write)
    models.FakeKey.etag = property(etag)
    models.FakeKey.dispose = dispose


def _patch_multipart(tree: ObjectTree) -> None:
    """Join the parts of an upload on disk, block by block, and let go of them."""

    def complete(upload: Any, body: Iterable[tuple[int, str]]) -> tuple[Any, str, tuple[str, str, int]]:
        joined = StoredBytes(tree.new_version())
        digests = b""
        chosen: list[Any] = []
        with joined.path.open("wb") as target:
            for number, etag in body:
                part = upload.parts.get(number)
                if part is None or part.etag.strip('"') != etag.strip('"'):
                    raise models.InvalidPart
                if chosen and chosen[-1].contentsize < models.S3_UPLOAD_PART_MIN_SIZE:
                    raise models.EntityTooSmall
                digests += bytes.fromhex(part.etag.strip('"'))
                _append(target, part.stored.path)
                chosen.append(part)
        if not chosen:
            raise models.MalformedXML
        checksum = _checksum(upload.metadata, joined, chosen)
        for part in upload.parts.values():
            part.dispose()
        etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(chosen)}"
        return joined, etag, checksum

    models.FakeMultipart.complete = complete


def _checksum(metadata: Any, joined: StoredBytes, parts: list[Any]) -> tuple[str, str, int]:
    builder = models.MultipartChecksumBuilder(
        metadata.get("x-amz-checksum-algorithm"), metadata.get("x-amz-checksum-type")
    )
    if builder.checksum_type == "COMPOSITE":
        for part in parts:
            builder.addPart(part.value)
        built: tuple[str, str, int] = builder.build()
        return built
    with joined.path.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if len(joined) else b""
        checksum = models.compute_checksum(content, builder.checksum_algorithm).decode()
    return builder.checksum_type, checksum, len(parts)


def _patch_buckets(tree: ObjectTree) -> None:
    """Give every bucket its folder."""
    create, delete = models.FakeBucket.__init__, models.S3Backend.delete_bucket

    def create_with_folder(bucket: Any, name: str, *arguments: Any, **options: Any) -> None:
        create(bucket, name, *arguments, **options)
        tree.bucket_path(name).mkdir(parents=True, exist_ok=True)
        bucket.keys = TreeKeyStore(tree, name)

    def delete_with_folder(backend: Any, bucket_name: str) -> Any:
        deleted = delete(backend, bucket_name)
        if deleted is not None and bucket_name not in backend.buckets:
            tree.remove_bucket(bucket_name)
        return deleted

    models.FakeBucket.__init__ = create_with_folder
    models.S3Backend.delete_bucket = delete_with_folder


def _patch_requests(tree: ObjectTree) -> None:
    """Look for direct writes before a request reads its bucket, as long as someone may write."""
    set_up = responses.S3Response.setup_class

    def set_up_with_look(response: Any, *arguments: Any, **options: Any) -> None:
        set_up(response, *arguments, **options)
        if tree.has_writers:
            pull_direct_writes([response.bucket_name] if response.bucket_name else None)

    responses.S3Response.setup_class = set_up_with_look


def _patch_lists() -> None:
    """List no folder of which every key is deleted, as moto does where keys have versions."""
    list_objects = models.S3Backend.list_objects

    def list_living(backend: Any, bucket: Any, prefix: Any, delimiter: Any, **options: Any) -> Any:
        if delimiter:
            keys = bucket.keys.items()
            bucket = copy.copy(bucket)
            bucket.keys = {name: key for name, key in keys if not isinstance(key, models.FakeDeleteMarker)}
        return list_objects(backend, bucket, prefix, delimiter, **options)

    models.S3Backend.list_objects = list_living


def _append(target: Any, source: Path) -> None:
    with source.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            target.write(block)


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
