"""A user who asks to be forgotten is gone from the raw files, and nobody else is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import delete_user
import pytest
from preprocessing.erasure import UnreadableFileError

from config import load
from config.data import settings_json

OTHERS = b'{"id":"2","user":{"id":"u11"}}\nnot json u1\n'


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    config = load("travel")
    (tmp_path / "settings.json").write_text(settings_json(config.name, config.data))
    (tmp_path / "ids.txt").write_text("u1\n\n")
    ios = tmp_path / "raw" / "clickstream" / "ios"
    ios.mkdir(parents=True)
    (ios / "a.jsonl.gz").write_bytes(gzip.compress(b'{"id":"1","user":{"id":"u1"}}\n' + OTHERS))
    (ios / "b.jsonl").write_bytes(OTHERS)
    (tmp_path / "raw" / "customers").mkdir()
    (tmp_path / "raw" / "customers" / "c.csv").write_text('home_city,customer_id\nDEL,u2\n"GOI, u1",u1\n')
    (tmp_path / "datasets" / "parsed").mkdir(parents=True)
    (tmp_path / "datasets" / "parsed" / "x.parquet").write_bytes(b"rows of u1")
    given = {
        "settings_uri": tmp_path / "settings.json",
        "raw_uri": tmp_path / "raw",
        "datasets_uri": tmp_path / "datasets",
        "results_uri": tmp_path / "results",
        "run_id": "e1",
        "user_ids_uri": tmp_path / "ids.txt",
    }
    return [
        part
        for name, value in given.items()
        for part in (f"--{name}", value.as_uri() if isinstance(value, Path) else value)
    ]


def test_only_the_users_rows_go_and_the_rest_stays_byte_for_byte(
    arguments: list[str], tmp_path: Path
) -> None:
    delete_user.main(arguments)
    raw = tmp_path / "raw"
    assert gzip.decompress((raw / "clickstream" / "ios" / "a.jsonl.gz").read_bytes()) == OTHERS
    assert (raw / "clickstream" / "ios" / "b.jsonl").read_bytes() == OTHERS
    assert (raw / "customers" / "c.csv").read_text() == "home_city,customer_id\nDEL,u2\n"
    assert not (tmp_path / "datasets" / "parsed").exists()
    assert (tmp_path / "datasets" / "privacy" / "e1" / "users.csv").read_text() == "USER_ID\nu1\n"
    assert json.loads((tmp_path / "datasets" / "privacy" / "e1" / "report.json").read_text())["rows"] == 2
    delete_user.main(arguments)
    assert json.loads((tmp_path / "datasets" / "privacy" / "e1" / "report.json").read_text())["rows"] == 0


def test_a_file_that_cannot_be_searched_stops_the_job(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "raw" / "clickstream" / "ios" / "cut.jsonl.gz").write_bytes(gzip.compress(OTHERS * 99)[:30])
    with pytest.raises(UnreadableFileError, match=r"cut.jsonl.gz cannot be decompressed"):
        delete_user.main(arguments)
    assert (tmp_path / "datasets" / "parsed").exists()
