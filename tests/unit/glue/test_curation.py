"""The curate job on files: whatever arrives, in whatever order, every row is accounted for."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from preprocessing.curation import NoDataError, with_neighbours
from preprocessing.quality import QualityError
from preprocessing.settings import Settings
from pyspark.sql import SparkSession

from tests.unit.glue.lake import AS_OF, BOOKINGS, DAY, START, Lake, click, day


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession, travel: Settings) -> Lake:
    lake = Lake(tmp_path, spark, travel)
    lake.put("clickstream/ios/a.jsonl.gz", day(0, 1200))
    return lake


def test_rows_reconcile_and_rejected_ones_are_found_by_file_and_line(lake: Lake) -> None:
    lines = [
        click(5000),
        "not json at all",
        "",
        click(5001, ts=-5),
        click(5002, ts="soon"),
        click(5003, ts=(AS_OF + 10 * DAY) * 1000),
        click(5004, name="teleported"),
        click(5005, trip={"from": "DEL", "mode": "bus"}),
        click(5006, user={"id": None}, device={}),
        click(5007, trip={"from": "A", "to": "B", "mode": "bus", "cabin": "x", "departs": "2026-06-02",
        "fare": -1}),
        click(5008, user={"id": "u" * 300}),
        click(5009)[:40],
    ]  # fmt: skip
    lake.put("clickstream/ios/b.jsonl.gz", "\n".join(lines))
    booking = "B1,u1,DEL,GOI,flight,economy,SkyHop,4000,2026-06-02 10:00:00,150,2026-06-01 10:00:00,CONFIRMED"
    lake.put("transactions/t.csv.gz", f"{BOOKINGS}\n{booking}\nB2,u1,DEL\n")
    counts = lake.curate()
    assert counts["ios"]["rows"] == 1212
    assert counts["ios"]["curated"] == 1201
    assert counts["ios"]["quarantined"] == 11
    assert counts["transactions"] == {
        "rows": 2, "curated": 1, "duplicates": 0, "quarantined": 1, "reasons": {"malformed": 1}
    }  # fmt: skip
    assert lake.quarantine() == [
        ("b.jsonl.gz", 2, "malformed"),
        ("b.jsonl.gz", 3, "empty_line"),
        ("b.jsonl.gz", 4, "time_out_of_range"),
        ("b.jsonl.gz", 5, "unreadable_time"),
        ("b.jsonl.gz", 6, "time_out_of_range"),
        ("b.jsonl.gz", 7, "unknown_event_type"),
        ("b.jsonl.gz", 8, "missing_destination"),
        ("b.jsonl.gz", 9, "no_user_or_device"),
        ("b.jsonl.gz", 10, "price_inr_out_of_range"),
        ("b.jsonl.gz", 11, "id_too_long"),
        ("b.jsonl.gz", 12, "malformed"),
        ("t.csv.gz", 3, "malformed"),
    ]


def test_a_line_of_several_objects_is_malformed_however_they_are_joined(lake: Lake) -> None:
    flat = json.dumps({
        "hit_id": "w1", "action": "product", "at": "02/06/2026 10:00:00", "login": "u1", "q_from": "DEL",
        "q_to": "GOI", "q_mode": "bus", "q_class": "seater", "q_price": 900,
        "q_departure": "2026-06-03T10:00:00",
    })  # fmt: skip
    for name, row in {"ios": click(5000), "web": flat}.items():
        joined = [row + glue + row for glue in ("", "  ", "\t", ",", ", ", " and ")]
        whole = [row, row + "  ", row[:-1] + ', "legs": [{"a": 1}, {"b": {}}]}']
        lake.put(f"clickstream/{name}/b.jsonl", "\n".join([*joined, *whole]))
    counts, others = lake.curate(), {"ios": 1200, "web": 0}
    for name, rows in others.items():
        assert counts[name] == {
            "rows": rows + 9, "curated": rows + 1, "duplicates": 2, "quarantined": 6,
            "reasons": {"malformed": 6},
        }  # fmt: skip


def test_an_ids_length_counts_characters_not_bytes(lake: Lake) -> None:
    longest, too_long = "\u0915" * 256, "\u0915" * 257
    rows = [click(1, user={"id": longest}), click(2, user={"id": too_long})]
    place = {"mode": "flight", "cabin": "economy", "departs": "2026-06-02"}
    rows += [click(3, trip={"from": "\u0915" * 200, "to": "\u0916" * length, **place}) for length in (20, 60)]
    lake.put("clickstream/ios/b.jsonl", "\n".join(rows))
    assert lake.curate()["ios"]["reasons"] == {"id_too_long": 2}


def test_broken_files_lose_only_what_cannot_be_read_and_say_so(lake: Lake) -> None:
    whole = gzip.compress(day(6000, 300).encode(), mtime=0)
    for name, data in {
        "clickstream/ios/cut.jsonl.gz": whole[: len(whole) // 2],
        "clickstream/ios/liar.jsonl.gz": b"this is no gzip\nat all",
        "clickstream/ios/empty.jsonl.gz": b"",
        "clickstream/ios/empty.jsonl": b"",
        "transactions/empty.csv": b"",
        "clickstream/web/utf16.jsonl": click(1).encode("utf-16"),
        "clickstream/web/nul.jsonl": b"\x00\x00\x00\n" + b'{"hit_id":"x\xff\xfe"}\n',
        "clickstream/web/huge.jsonl": b'{"hit_id":"' + b"x" * 2_000_000 + b'"}\n',
        "transactions/swapped.csv": b"customer_id;booking_ref\nu1;B1\n",
    }.items():
        lake.write(name, data)
    counts = lake.curate()
    broken = [row for row in lake.quarantine() if row[2] == "broken_file"]
    salvaged = counts["ios"]["rows"] - 1200 - 2
    assert [row[0] for row in broken] == ["cut.jsonl.gz", "liar.jsonl.gz"]
    assert 0 < salvaged < 300
    assert broken[0][1] == salvaged + 1
    assert counts["ios"]["curated"] == 1200 + salvaged
    assert counts["transactions"]["quarantined"] == counts["transactions"]["rows"] == 1
    assert counts["web"]["quarantined"] == counts["web"]["rows"] == 1 + 2 + 1


def test_a_run_without_news_and_days_out_of_order_give_the_same_tables(
    lake: Lake, tmp_path: Path, spark: SparkSession, travel: Settings
) -> None:
    days = {"clickstream/ios/day1.jsonl.gz": day(3000, 300) + click(9_000) + "\n"}
    # a login that arrives last and tells whose clicks the first file's device-only rows were
    days["clickstream/ios/day0.jsonl.gz"] = "\n".join(
        click(n, user={"id": None}, device={"idfv": "dx"}) for n in range(9000, 9005)
    )
    days["clickstream/ios/day4.jsonl.gz"] = click(9_900, user={"id": "ux"}, device={"idfv": "dx"})
    for name, content in sorted(days.items()):
        lake.put(name, content)
        lake.curate()
    once = lake.kept()
    assert any(row[1] == "ux" and row[3] == START + 9000 * 977 for row in once)
    lake.curate()
    assert lake.kept() == once
    other = Lake(tmp_path / "other", spark, travel)
    other.put("clickstream/ios/a.jsonl.gz", day(0, 1200))
    for name, content in sorted(days.items(), reverse=True):
        other.put(name, content)
    other.curate()
    assert other.kept() == once


def test_a_replaced_and_a_deleted_file_take_their_rows_with_them(lake: Lake) -> None:
    second = lake.put("clickstream/ios/b.jsonl.gz", day(2000, 100))
    third = lake.put("clickstream/ios/c.jsonl.gz", day(4000, 100))
    assert lake.curate()["ios"]["curated"] == 1400
    third.unlink()
    lake.put("clickstream/ios/b.jsonl.gz", day(2000, 30))
    os.utime(second, (AS_OF, AS_OF))
    assert lake.curate()["ios"] == {
        "rows": 1230,
        "curated": 1230,
        "duplicates": 0,
        "quarantined": 0,
        "reasons": {},
    }
    assert len(lake.kept()) == 1230


def test_too_little_or_too_bad_data_stops_the_run(
    tmp_path: Path, spark: SparkSession, travel: Settings
) -> None:
    lake = Lake(tmp_path, spark, travel)
    with pytest.raises(NoDataError, match="no raw files of interactions"):
        lake.curate()
    lake.put("clickstream/ios/a.jsonl.gz", day(0, 500) + "rubbish\n" * 300)
    with pytest.raises(QualityError, match=r"at least 1,000 interactions, found 500(.|\n)*37.5%"):
        lake.curate()
    assert "NOT OK  expected at least 1,000 interactions, found 500" in lake.report_text("quality.txt")
    lake.put("clickstream/ios/a.jsonl.gz", "rubbish\n" * 3)
    with pytest.raises(QualityError, match=r"at least 1,000 interactions, found 0"):
        lake.curate()
    assert lake.report("counts.json")["sources"]["ios"]["rows"] == 3, "the stopped run's rows are gone"
    report = json.loads((lake.datasets / "reports" / "run2" / "quality.json").read_text())
    assert report["passed"] is False
    assert not (lake.datasets / "state" / "passed.json").exists()


def test_drift_is_reported_and_not_fatal(lake: Lake) -> None:
    lake.put("clickstream/ios/new.jsonl.gz", click(7000, campaign="spring") + "\n")
    lake.curate()
    drift = json.loads((lake.datasets / "reports" / "run1" / "counts.json").read_text())["drift"]["ios"]
    assert drift == {"unmapped": ["campaign"], "absent": ["trip.carrier"]}


def test_neighbours_are_beside_in_time() -> None:
    every = ["2026-01", "2026-02", "2026-04", "2026-09"]
    assert with_neighbours(["2026-04"], every) == ["2026-02", "2026-04", "2026-09"]
    assert with_neighbours(["2026-03"], every) == ["2026-03"]
