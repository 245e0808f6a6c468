"""What is new since the last export is what an incremental import adds: no more, no less."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from export import _write_csv, _write_delta
from preprocessing.datasets import Dataset
from preprocessing.delta import base_of, new_rows
from pyspark.sql import DataFrame, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], DataFrame]
COLUMNS = (
    "USER_ID string, ITEM_ID string, TIMESTAMP long, EVENT_TYPE string, EVENT_VALUE double, SOURCE string"
)
SEEN = ("u1", 'DEL|"Goa, GOI"', 10, "view", 1.0, "web")
TWICE = ("u2", "DEL|BOM", 11, "view", 0.5, None)
EMPTY = ("u3", "DEL|BOM", 12, "view", 1.0, "")


def dataset(frame: Frame, rows: list[tuple[Any, ...]], columns: str = COLUMNS) -> Dataset:
    return Dataset("main", "interactions", frame(columns, rows))


def exported(folder: Path, what: Dataset) -> dict[str, Any]:
    """Write a data version as the job does; return its manifest."""
    target = f"{folder.as_uri()}/personalize/run-1/main/interactions/"
    _write_csv(what.rows, 3, target)
    entry = {"location": target, "rows": 3, "schema": what.schema}
    return {"dataVersion": "run-1", "datasetGroups": {"main": {"interactions": entry}}}


def test_new_and_changed_rows_are_new_and_each_as_often_as_it_came(
    spark: SparkSession, frame: Frame, tmp_path: Path
) -> None:
    before = exported(tmp_path, dataset(frame, [SEEN, TWICE, TWICE, EMPTY]))
    changed = (*SEEN[:4], 2.0, "web")
    now = dataset(frame, [SEEN, changed, TWICE, TWICE, TWICE, EMPTY, EMPTY])
    new = new_rows(spark, now, before)
    assert new is not None
    assert sorted(tuple(row) for row in new.collect()) == sorted([changed, TWICE, (*EMPTY[:5], None)])


def test_without_an_export_before_or_with_other_columns_there_is_no_delta(
    spark: SparkSession, frame: Frame, tmp_path: Path
) -> None:
    first = dataset(frame, [SEEN])
    before = exported(tmp_path, first)
    assert new_rows(spark, first, None) is None
    wider = dataset(frame, [(*SEEN, "low")], COLUMNS + ", PRICE_BAND string")
    assert new_rows(spark, wider, before) is None


def test_a_delta_says_where_it_lies_how_large_it_is_and_what_it_follows_on(
    frame: Frame, tmp_path: Path
) -> None:
    target = f"{tmp_path.as_uri()}/personalize/run-2/main/interactions/"
    entry = _write_delta(frame(COLUMNS, [SEEN, TWICE]), target)
    assert entry["location"] == f"{tmp_path.as_uri()}/personalize/run-2/main/interactions-new/"
    assert entry["rows"] == 2
    assert entry["bytes"] == sum(
        path.stat().st_size for path in (tmp_path / "personalize/run-2/main/interactions-new").glob("*.csv")
    )
    before = exported(tmp_path, dataset(frame, [SEEN]))
    assert base_of(before) == f"{tmp_path.as_uri()}/personalize/run-1/"
