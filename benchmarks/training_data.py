"""What the prepare-data machine wrote, to be trained on again: as it is, enlarged, or made worse."""

from __future__ import annotations

import json
import random

from ops.deployment import Deployment

Objects = dict[str, bytes]
OF_USERS = ("/users/", "/interactions/")


def read_objects(deployment: Deployment) -> Objects:
    """Return all objects of the datasets bucket that hold data versions, by key."""
    s3, bucket = deployment.client("s3"), deployment.output("DatasetsBucket")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="personalize/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def write_objects(deployment: Deployment, objects: Objects) -> None:
    """Put objects into the datasets bucket."""
    s3, bucket = deployment.client("s3"), deployment.output("DatasetsBucket")
    for key, body in objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def renamed(objects: Objects, manifest_uri: str, version: str) -> tuple[Objects, str]:
    """Return the data version of a manifest under another name, and its manifest's URI."""
    bucket, key = manifest_uri.removeprefix("s3://").split("/", 1)
    manifest = json.loads(objects[key])
    old = manifest["dataVersion"]
    moved = {
        name.replace(f"/{old}/", f"/{version}/"): body for name, body in objects.items() if f"/{old}/" in name
    }
    new_key = key.replace(f"/{old}/", f"/{version}/")
    moved[new_key] = json.dumps(manifest).replace(old, version).encode()
    return moved, f"s3://{bucket}/{new_key}"


def enlarged(objects: Objects, times: int) -> Objects:
    """Return the data with so many times the users, who all do the same as the ones there were."""
    return {
        key: _repeated(body, times) if key.endswith(".csv") and _is_of_users(key) else body
        for key, body in objects.items()
    }


def shuffled(objects: Objects, seed: int) -> Objects:
    """Return the data with every interaction's item drawn from all: nothing is left to be learnt from it."""
    return {
        key: _with_shuffled_items(body, seed) if key.endswith(".csv") and "/interactions/" in key else body
        for key, body in objects.items()
    }


def _is_of_users(key: str) -> bool:
    return any(part in key for part in OF_USERS)


def _repeated(body: bytes, times: int) -> bytes:
    """The user id is the first column."""
    header, *lines = body.decode().splitlines(keepends=True)
    return (header + "".join(f"{count}x{line}" for count in range(times) for line in lines)).encode()


def _with_shuffled_items(body: bytes, seed: int) -> bytes:
    """The item id is the second column; no value of the sample data holds a comma."""
    header, *lines = body.decode().splitlines()
    rows = [line.split(",") for line in lines]
    items = [row[1] for row in rows]
    random.Random(seed).shuffle(items)  # noqa: S311 - repeatable, and no secret
    mixed = [",".join([row[0], item, *row[2:]]) for row, item in zip(rows, items, strict=True)]
    return "\n".join([header, *mixed, ""]).encode()
