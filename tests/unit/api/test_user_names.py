"""Personalize knows users by pseudonyms where the deployment has a key, and by nothing else."""

from __future__ import annotations

import hashlib
import hmac
import sys
from types import ModuleType

import pytest

from tests.unit.api.conftest import Api, Aws, load
from tests.unit.api.test_events import archived, failures, record

PSEUDONYM = hmac.new(b"key", b"u", hashlib.sha256).hexdigest()


@pytest.fixture
def aws_with_key(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("PSEUDONYM_KEY_SECRET_ARN", "arn:secret")
    return aws


@pytest.fixture
def events(aws_with_key: Aws, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load("events")
    for name in ("check_outs", "delivery", "waiting"):
        monkeypatch.setattr(sys.modules[name], "client", aws_with_key.client)
    monkeypatch.setattr(module, "client", aws_with_key.client)
    return module


def users_told(aws: Aws) -> set[str]:
    named = {parameters["userId"] for _, parameters in aws.calls if "userId" in parameters}
    return named | {user["userId"] for _, parameters in aws.calls for user in parameters.get("users", ())}


def test_a_read_asks_for_the_pseudonym_and_reads_the_key_once(
    aws_with_key: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(aws_with_key, monkeypatch)
    for _ in range(2):
        status, answer = api.call("GET", "/users/{userId}/recommendations", {"userId": "u"})
        assert (status, answer["source"]) == (200, "personalize")
    status, _ = api.call("POST", "/users/{userId}/rankings", {"userId": "u"}, body={"itemIds": ["i1", "i2"]})
    assert status == 200
    assert users_told(aws_with_key) == {PSEUDONYM}
    assert aws_with_key.count("get_secret_value") == 1


def test_without_the_key_a_page_is_popular_and_no_id_goes_out(
    aws_with_key: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_with_key.broken = {"get_secret_value"}
    aws_with_key.open_items |= {f"p{n}" for n in range(10)}
    status, answer = Api(aws_with_key, monkeypatch).call(
        "GET", "/users/{userId}/recommendations", {"userId": "u"}
    )
    assert (status, answer["source"]) == (200, "popular")
    assert users_told(aws_with_key) == set()


def test_events_and_users_are_told_by_pseudonym_and_archived_by_id(
    events: ModuleType, aws_with_key: Aws
) -> None:
    assert failures(events, record(1), record(2, kind="user", properties={"tier": "gold"})) == []
    assert users_told(aws_with_key) == {PSEUDONYM}
    assert [event["userId"] for event in archived(aws_with_key)] == ["u"]


def test_what_is_about_users_comes_again_until_the_key_can_be_read(
    events: ModuleType, aws_with_key: Aws
) -> None:
    aws_with_key.broken = {"get_secret_value"}
    item = record(3, kind="item", properties={"origin": "DEL"})
    assert failures(events, record(1), record(2, kind="user", properties={}), item) == ["m1", "m2"]
    assert users_told(aws_with_key) == set()
    aws_with_key.broken = set()
    assert failures(events, record(1)) == []
