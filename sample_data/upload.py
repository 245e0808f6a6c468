"""Put a folder of raw files under an S3 prefix."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlparse

import boto3

PARALLEL_UPLOADS = 4


def upload_folder(folder: Path, destination: str) -> int:
    """Upload every file below `folder` to `destination` (s3://bucket/prefix/), keys by relative path.

    Return the number of files. Raises ValueError when the destination is no S3 address.
    """
    address = urlparse(destination)
    if address.scheme != "s3" or not address.netloc:
        raise ValueError(f"not an S3 address: {destination!r}; write s3://bucket/ or s3://bucket/prefix/")
    prefix = address.path.strip("/")
    client = boto3.client("s3")

    def put(path: Path) -> None:
        key = "/".join(part for part in (prefix, path.relative_to(folder).as_posix()) if part)
        client.upload_file(str(path), address.netloc, key)

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(PARALLEL_UPLOADS) as pool:
        list(pool.map(put, files))
    return len(files)
