"""A short run of what `make bench NAME=contract` does: no server error and no undocumented answer."""

from __future__ import annotations

from pathlib import Path

from benchmarks.contract import run
from tests.local.deployed_api import DeployedApi


def test_the_api_answers_as_its_document_says(deployed_api: DeployedApi, tmp_path: Path) -> None:
    header = f"Authorization: Bearer {deployed_api.back_end}"
    report = run(deployed_api.url, header=header, examples=5, folder=tmp_path)
    assert report["failures"] == []
    assert report["errors"] == []
    assert report["operations"]["tested"] >= 11
    assert report["test_cases"]["generated"] > 300
