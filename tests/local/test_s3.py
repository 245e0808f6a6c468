"""S3 on localcloud: objects are files, and what S3 promises of versions, parts and conditions holds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.s3 import models
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response

from localcloud.context import ACCOUNT_ID, CloudContext
from localcloud.s3 import ObjectTree, install, object_tree, pull_direct_writes

# What localcloud.s3 replaces in moto.
PATCHED: dict[Any, tuple[str, ...]] = {
    models.FakeKey: ("value", "etag", "dispose", "__deepcopy__"),
    models.FakeMultipart: ("complete",),
    models.FakeBucket: ("__init__", "get_permission"),
    models.S3Backend: ("delete_bucket", "list_objects"),
    S3Response: ("setup_class",),
}
PART = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def bucket(localcloud_server: Any) -> tuple[Any, str]:
    s3 = localcloud_server.client("s3")
    s3.create_bucket(Bucket="on-disk.tests", CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    s3.put_bucket_versioning(Bucket="on-disk.tests", VersioningConfiguration={"Status": "Enabled"})
    return s3, "on-disk.tests"


def test_every_version_keeps_its_bytes(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    first = s3.put_object(Bucket=name, Key="a/b.txt", Body=b"one")["VersionId"]
    second = s3.put_object(Bucket=name, Key="a/b.txt", Body=b"two")["VersionId"]
    assert s3.get_object(Bucket=name, Key="a/b.txt")["Body"].read() == b"two"
    assert s3.get_object(Bucket=name, Key="a/b.txt", VersionId=first)["Body"].read() == b"one"
    listed = s3.list_object_versions(Bucket=name, Prefix="a/b.txt")["Versions"]
    assert [(v["VersionId"], v["Size"], v["IsLatest"]) for v in listed] == [
        (second, 3, True),
        (first, 3, False),
    ]
    marker = s3.delete_object(Bucket=name, Key="a/b.txt")["VersionId"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=name, Key="a/b.txt")
    s3.delete_object(Bucket=name, Key="a/b.txt", VersionId=marker)
    assert s3.get_object(Bucket=name, Key="a/b.txt")["Body"].read() == b"two"
    s3.delete_object(Bucket=name, Key="a/b.txt", VersionId=second)
    assert s3.get_object(Bucket=name, Key="a/b.txt")["Body"].read() == b"one"


def test_a_multipart_upload_is_its_parts_in_order(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    parts = [os.urandom(PART), os.urandom(PART), b"the end"]
    upload = s3.create_multipart_upload(Bucket=name, Key="big")["UploadId"]
    names = {"Bucket": name, "Key": "big", "UploadId": upload}
    etags = {
        number: s3.upload_part(**names, PartNumber=number, Body=parts[number - 1])["ETag"]
        for number in (3, 1, 2)
    }
    listed = [{"PartNumber": number, "ETag": etags[number]} for number in (1, 2, 3)]
    done = s3.complete_multipart_upload(**names, MultipartUpload={"Parts": listed})
    digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
    assert done["ETag"] == f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-3"'
    assert s3.get_object(Bucket=name, Key="big")["Body"].read() == b"".join(parts)
    ranged = s3.get_object(Bucket=name, Key="big", Range=f"bytes={2 * PART}-")["Body"].read()
    assert ranged == b"the end"
    s3.copy({"Bucket": name, "Key": "big"}, name, "copy/of/big")
    s3.delete_object(Bucket=name, Key="big")
    assert s3.get_object(Bucket=name, Key="copy/of/big")["Body"].read() == b"".join(parts)


def test_a_folder_whose_keys_are_all_deleted_is_not_listed(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    for key in ("folders/one/a", "folders/two/b"):
        s3.put_object(Bucket=name, Key=key, Body=b"")
    s3.delete_object(Bucket=name, Key="folders/one/a")
    for list_objects in (s3.list_objects, s3.list_objects_v2):
        listed = list_objects(Bucket=name, Prefix="folders/", Delimiter="/")
        assert [folder["Prefix"] for folder in listed["CommonPrefixes"]] == ["folders/two/"]


def test_an_upload_with_a_wrong_part_is_refused(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    upload = s3.create_multipart_upload(Bucket=name, Key="bad")["UploadId"]
    s3.upload_part(Bucket=name, Key="bad", UploadId=upload, PartNumber=1, Body=b"x")
    with pytest.raises(ClientError) as refused:
        s3.complete_multipart_upload(
            Bucket=name,
            Key="bad",
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"0"'}]},
        )
    assert refused.value.response["Error"]["Code"] == "InvalidPart"


@pytest.mark.parametrize(
    "key", ["folder/", "a//b", "../up", "x" * 300, "name", "name/below", "sp ace/ü?%.txt"]
)
def test_any_key_can_be_stored_whether_or_not_a_file_can_have_its_name(
    bucket: tuple[Any, str], key: str
) -> None:
    s3, name = bucket
    body = key.encode()
    s3.put_object(Bucket=name, Key=key, Body=body)
    assert s3.get_object(Bucket=name, Key=key)["Body"].read() == body
    assert key in [entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]]


def test_conditional_requests_are_honoured(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    etag = s3.put_object(Bucket=name, Key="cond", Body=b"1")["ETag"]
    with pytest.raises(ClientError, match="Not Modified"):
        s3.get_object(Bucket=name, Key="cond", IfNoneMatch=etag)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=name, Key="cond", Body=b"2", IfNoneMatch="*")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectTree]:
    """Install S3 on disk in this process; moto ends as it was."""
    for patched, names in PATCHED.items():
        for name in names:
            monkeypatch.setattr(patched, name, getattr(patched, name, None), raising=False)
    backend = s3_backends[ACCOUNT_ID]["aws"]
    backend.reset()
    install(CloudContext(host="127.0.0.1", port=0, work_dir=tmp_path))
    backend.create_bucket("plain", "ap-south-1")
    yield object_tree()
    backend.reset()


def test_the_newest_version_of_a_key_is_a_file(tree: ObjectTree) -> None:
    backend = s3_backends[ACCOUNT_ID]["aws"]
    backend.put_object("plain", "t/1.csv", b"old")
    backend.put_object("plain", "t/1.csv", b"new")
    file = tree.bucket_path("plain") / "t" / "1.csv"
    assert file.read_bytes() == b"new"
    backend.delete_object("plain", "t/1.csv")
    assert not file.parent.exists(), "a prefix without keys is no folder, as Spark would take it for a table"


def test_files_written_into_the_tree_become_objects(tree: ObjectTree) -> None:
    backend = s3_backends[ACCOUNT_ID]["aws"]
    backend.put_bucket_versioning("plain", "Enabled")
    backend.put_object("plain", "t/old.csv", b"old")
    backend.put_object("plain", "t/changed.csv", b"before")
    folder = tree.bucket_path("plain") / "t"
    (folder / "old.csv").unlink()
    (folder / "_temporary").mkdir()
    (folder / "_temporary" / "part").write_bytes(b"unfinished")
    for name, text in (("new.csv", b"new"), ("changed.csv", b"after!")):
        written = folder / f".{name}"
        written.write_bytes(text)
        written.replace(folder / name)
    pull_direct_writes(["plain"])
    keys = backend.get_bucket("plain").keys
    newest = {key: keys.get(key) for key in keys}
    assert {key: version.value for key, version in newest.items() if hasattr(version, "value")} == {
        "t/new.csv": b"new",
        "t/changed.csv": b"after!",
    }
    assert [type(version).__name__ for version in keys.getlist("t/old.csv")] == [
        "FakeKey",
        "FakeDeleteMarker",
    ]
    assert [version.value for version in keys.getlist("t/changed.csv")] == [b"before", b"after!"]
    assert newest["t/new.csv"].etag == f'"{hashlib.md5(b"new", usedforsecurity=False).hexdigest()}"'


def test_a_file_put_as_an_object_is_not_copied(tree: ObjectTree, tmp_path: Path) -> None:
    source = tmp_path / "result"
    source.write_bytes(b"rows")
    tree.put_file("plain", "r.csv", source)
    assert (tree.bucket_path("plain") / "r.csv").stat().st_ino == source.stat().st_ino
    assert s3_backends[ACCOUNT_ID]["aws"].get_object("plain", "r.csv").value == b"rows"
