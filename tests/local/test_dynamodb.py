"""Attribute values come back as they were written, whichever call reads them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.conftest import LocalCloudServer

TABLE = "every-type"
ITEM: dict[str, Any] = {
    "id": {"S": "à la carte"},
    "number": {"N": "3.14"},
    "bytes": {"B": b"\x00\xff"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "words": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "blobs": {"BS": [b"\x01", b"\x02"]},
    "list": {"L": [{"S": ""}, {"B": b"\x03"}, {"L": []}]},
    "map": {"M": {"inner": {"M": {"deep": {"N": "0"}}}, "empty": {"M": {}}}},
}


@pytest.fixture(scope="module")
def table(localcloud_server: LocalCloudServer) -> Any:
    dynamodb = localcloud_server.client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName=TABLE, Item=ITEM)
    return dynamodb


def test_every_type_is_read_as_written(table: Any) -> None:
    key = {"id": ITEM["id"]}
    assert table.get_item(TableName=TABLE, Key=key)["Item"] == ITEM
    assert table.batch_get_item(RequestItems={TABLE: {"Keys": [key]}})["Responses"] == {TABLE: [ITEM]}
    assert table.scan(TableName=TABLE)["Items"] == [ITEM]
    found = table.query(
        TableName=TABLE,
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": ITEM["id"]},
    )
    assert found["Items"] == [ITEM]


def test_other_answers_keep_their_shapes(table: Any) -> None:
    described = table.describe_table(TableName=TABLE)["Table"]
    assert described["CreationDateTime"].year >= 2026
    assert described["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
