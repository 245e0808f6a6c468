"""Files in S3, through the cloud's own endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class S3Error(Exception):
    """A location cannot be read or written; the message is fit for a failureReason."""


@dataclass(frozen=True)
class Location:
    """`s3://bucket/key`, where the key may be a prefix."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Location:
        """Read an S3 URI.

        Raises S3Error.
        """
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket:
            raise S3Error(f"Invalid Data location: {uri} must have the form s3://<bucket>/<path>.")
        return cls(bucket, key)


@dataclass(frozen=True)
class StoredFile:
    """An object in a bucket."""

    bucket: str
    key: str
    size: int

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rsplit("/", 1)[-1]


class Bucket:
    """Reads and writes S3 for one region."""

    def __init__(self, endpoint_url: str, region: str, scratch: Path) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._scratch = scratch

    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self._endpoint_url,
            region_name=self._region,
            aws_access_key_id="localcloud",
            aws_secret_access_key="localcloud",  # noqa: S106 - the emulator takes any credentials
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def find(self, uri: str) -> list[StoredFile]:
        """Return the object at a location, or the objects below it, by key.

        Raises S3Error when there is none or the bucket cannot be read.
        """
        location = Location.parse(uri)
        try:
            pages = (
                self._client()
                .get_paginator("list_objects_v2")
                .paginate(Bucket=location.bucket, Prefix=location.key)
            )
            listed = [found for page in pages for found in page.get("Contents", [])]
        except (ClientError, BotoCoreError) as error:
            raise S3Error(f"Insufficient privileges for accessing data in S3: {uri}: {error}") from error
        folder = location.key if location.key.endswith("/") or not location.key else f"{location.key}/"
        files = [
            StoredFile(location.bucket, found["Key"], found["Size"])
            for found in listed
            if found["Key"] == location.key or found["Key"].startswith(folder)
        ]
        files = [file for file in files if file.name]
        if not files:
            raise S3Error(f"There is no data at {uri}.")
        return sorted(files, key=lambda file: file.key)

    @contextmanager
    def local_copies(self, files: list[StoredFile]) -> Iterator[list[Path]]:
        """Yield local copies of objects, in their order; they go when the block ends.

        Raises S3Error.
        """
        with TemporaryDirectory(dir=self._scratch, prefix="s3-") as folder:
            paths = []
            client = self._client()
            for number, file in enumerate(files):
                path = Path(folder) / str(number) / file.name
                path.parent.mkdir()
                try:
                    client.download_file(file.bucket, file.key, str(path))
                except (ClientError, BotoCoreError) as error:
                    raise S3Error(f"s3://{file.bucket}/{file.key} cannot be read: {error}") from error
                paths.append(path)
            yield paths

    def upload(self, path: Path, uri: str) -> None:
        """Write a local file to an S3 URI.

        Raises S3Error.
        """
        location = Location.parse(uri)
        try:
            self._client().upload_file(str(path), location.bucket, location.key)
        except (ClientError, BotoCoreError, boto3.exceptions.S3UploadFailedError) as error:
            raise S3Error(f"{uri} cannot be written: {error}") from error

    def write(self, body: bytes, uri: str) -> None:
        """Write a small object.

        Raises S3Error.
        """
        location = Location.parse(uri)
        try:
            self._client().put_object(Bucket=location.bucket, Key=location.key, Body=body)
        except (ClientError, BotoCoreError) as error:
            raise S3Error(f"{uri} cannot be written: {error}") from error

    @contextmanager
    def scratch_folder(self) -> Iterator[Path]:
        """Yield a folder for files in the making."""
        with TemporaryDirectory(dir=self._scratch, prefix="s3-") as folder:
            yield Path(folder)
