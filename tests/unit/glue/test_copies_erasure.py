"""Copies made before a user was forgotten are gone: exports, query results, rows of campaigns."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import delete_copies
import pyarrow as pa
import pytest
from moto import mock_aws
from preprocessing import storage
from preprocessing.results_erasure import erase_from_results
from pyarrow import parquet

USER = "u1 \u00e9"
ROWS_OF_OTHERS = b'{"input": {"userId": "u11"}, "output": {"recommendedItems": ["u1"]}}\n'


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """Data versions of before (r1, with what was new in it) and after (r2) the user was forgotten."""
    root = tmp_path / "personalize"
    for place in ("r1/main/users", "r1/main/interactions-new", "r1/coupons/users", "r2/main/users"):
        (root / place).mkdir(parents=True)
        (root / place / "part-0.csv").write_text("USER_ID\nu2\n" + ("u1\n" if "r1" in place else ""))
    (root / "r1" / "manifest.json").write_text("{}")
    (root / "r2" / "manifest.json").write_text("{}")
    (root / "latest.json").write_text(json.dumps({"dataVersion": "r2", "manifestUri": "r2"}))
    return root


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_of_the_exports_only_the_version_made_afterwards_stays(exports: Path) -> None:
    for _ in ("once", "again"):
        delete_copies.delete_exports(exports.parent.as_uri(), "r2")
        assert files(exports) == ["latest.json", "r2/main/users/part-0.csv", "r2/manifest.json"]
    assert (exports / "r2" / "main" / "users" / "part-0.csv").read_text() == "USER_ID\nu2\n"


def test_nothing_is_deleted_when_data_was_prepared_meanwhile(exports: Path) -> None:
    before = files(exports)
    with pytest.raises(delete_copies.OtherDataError, match=r"'r2', not 'r1'.*forget them again"):
        delete_copies.delete_exports(exports.parent.as_uri(), "r1")
    assert files(exports) == before


@mock_aws
def test_in_s3_query_results_and_files_of_dropped_tables_go_and_those_of_the_tables_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    monkeypatch.setattr(storage, "_s3", lambda: s3)
    glue = boto3.client("glue", region_name="us-east-1")
    s3.create_bucket(Bucket="results")
    keys = ["athena/q1.csv", "athena/tables/q2/part", "athena/tables/q22/part", "campaigns/c/report.json"]
    for key in keys:
        s3.put_object(Bucket="results", Key=key, Body=b"u1")
    glue.create_database(DatabaseInput={"Name": "travel"})
    table = {"Name": "users", "StorageDescriptor": {"Location": "s3://results/athena/tables/q2"}}
    glue.create_table(DatabaseName="travel", TableInput=table)
    glue.create_table(DatabaseName="travel", TableInput={"Name": "view", "TableType": "VIRTUAL_VIEW"})
    for _ in ("once", "again"):
        delete_copies.delete_query_results("s3://results/", delete_copies.Catalog("travel", glue).locations())
        left = [found["Key"] for found in s3.list_objects_v2(Bucket="results")["Contents"]]
        assert left == ["athena/tables/q2/part", "campaigns/c/report.json"]


def test_the_users_rows_leave_campaigns_and_comparisons_and_the_rest_stays(tmp_path: Path) -> None:
    run = tmp_path / "campaigns" / "c1"
    texts = {
        run / "input" / "part=0" / "a": json.dumps({"userId": USER}, ensure_ascii=False) + "\n",
        run / "ranking" / "part=0" / "a.out": json.dumps({"input": {"userId": USER}, "error": None}) + "\n",
        run / "campaign" / "campaign-0000.csv": f'"{USER}","c1",0.5\n',
        tmp_path / "comparisons" / "r1" / "users.json": json.dumps({"userId": USER}) + "\n",
    }
    others = dict.fromkeys(texts, "")
    others[run / "ranking" / "part=0" / "a.out"] = ROWS_OF_OTHERS.decode()
    others[run / "campaign" / "campaign-0000.csv"] = '"user_id","coupon_id","probability"\n"u2","u1",0.5\n'
    for path, text in texts.items():
        path.parent.mkdir(parents=True)
        path.write_text(others[path] + text, encoding="utf-8")
    table = tmp_path / "campaigns" / "tables" / "campaign_coupons" / "campaign_run=c1" / "part-0000.parquet"
    table.parent.mkdir(parents=True)
    parquet.write_table(pa.table({"user_id": [USER, "u2", USER], "cost": [1.0, 2.0, None]}), table)
    erased = erase_from_results(tmp_path.as_uri(), {USER})
    assert sorted(found.rows for found in erased) == [1, 1, 1, 1, 2]
    assert {path: path.read_text(encoding="utf-8") for path in texts} == others
    left = parquet.read_table(table.as_posix(), partitioning=None)
    assert left.to_pydict() == {"user_id": ["u2"], "cost": [2.0]}
    assert erase_from_results(tmp_path.as_uri(), {USER}) == []
