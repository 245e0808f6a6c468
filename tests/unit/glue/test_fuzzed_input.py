"""Whatever bytes arrive under whatever name, the curate job ends, and every row of them is accounted for.

`FUZZ_EXAMPLES=200 pytest tests/unit/glue/test_fuzzed_input.py` looks longer than the suite does.
"""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import json
import os
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from preprocessing.settings import Settings
from pyspark.sql import SparkSession

from tests.unit.glue.lake import BOOKINGS, Lake, click

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))
FILES = 14
MARK = b"\xef\xbb\xbf"
ODD_VALUES = [
    None,
    "",
    " ",
    -1,
    0,
    1e308,
    -(2**70),
    253402300800000,
    99999999999999999999,
    "NaN",
    "Infinity",
    "1e400",
    "soon",
    "2026-13-45T99:00:00",
    "2026-06-02",
    "31/02/2026 10:00:00",
    "9999-12-31 23:59:59",
    True,
    [1, {"a": 2}],
    {"x": {}},
    "x" * 300,
    "y" * 100_000,
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202e\u0007",
    '"quoted, ""twice"""',
    "a|b|c|d|e",
    "DEL",
]
BOOKING = "B1,u1,DEL,GOI,flight,economy,SkyHop,4000,2026-06-02 10:00:00,150,2026-06-01 10:00:00,CONFIRMED"
ODD_LINES = [
    b"",
    b"   ",
    b"\x00\x00",
    b"\xff\xfe\x00",
    b"not json",
    b"[]",
    b"null",
    b"{}",
    b"1" * 5000,
    b'{"a":' * 3000,
    b"," * 25_000,
    b'"',
    b'"unclosed, ""nested"" quote',
    MARK,
    BOOKINGS.encode(),
    b"a,b;c\td",
    b"{" + b" " * 70_000 + b"}",
    click(1).encode() + click(2).encode(),
    click(3).encode() + b"  " + click(4).encode(),
    click(3).encode() + b", " + click(4).encode(),
    click(3).encode() + b"and" + click(4).encode(),
    b"[" + click(5).encode() + b"]",
    click(6).encode()[:-7],
    click(7).encode() + b" rubbish",
    click(8).replace("GOI", "G\xd6I").encode("latin-1"),
]

odd_values = st.sampled_from(ODD_VALUES) | st.text(max_size=20) | st.integers() | st.floats()


@st.composite
def clicks(draw: st.DrawFn) -> bytes:
    """Draw a click, sound or with some fields swapped for what no one meant."""
    row: dict[str, Any] = json.loads(click(draw(st.integers(0, 500))))
    for name in draw(st.lists(st.sampled_from(["id", "name", "ts", "user", "device", "trip"]), max_size=2)):
        row[name] = draw(odd_values)
    if isinstance(row["trip"], dict):
        for name in draw(st.lists(st.sampled_from([*row["trip"], "carrier"]), max_size=2)):
            row["trip"][name] = draw(odd_values)
    return json.dumps(row).encode()


@st.composite
def bookings(draw: st.DrawFn) -> bytes:
    """Draw a booking, sound or with columns swapped, missing or odd."""
    fields = draw(st.permutations(BOOKING.split(","))) if draw(st.booleans()) else BOOKING.split(",")
    for place in draw(st.lists(st.integers(0, len(fields) - 1), max_size=2)):
        fields[place] = str(draw(odd_values))
    return ",".join(fields).encode("utf-8", errors="surrogatepass")


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a raw file's name below the raw folder, and its bytes."""
    folder, header = draw(
        st.sampled_from(
            [
                ("clickstream/ios", b""),
                ("clickstream/web", b""),
                ("transactions", BOOKINGS.encode()),
                (
                    "transactions",
                    draw(st.sampled_from([b"", b'"a""b",a,a,,', BOOKINGS.replace(",", ";").encode()])),
                ),
                ("coupon_scope", b"coupon_code,attribute,value"),
            ]
        )
    )
    rows = bookings() if header else clicks()
    lines = draw(st.lists(rows | st.sampled_from(ODD_LINES) | st.binary(max_size=40), max_size=12))
    data = draw(st.sampled_from([b"\n", b"\r\n", b"\r"])).join([header, *lines] if header else lines)
    data = draw(st.sampled_from([b"", b"", MARK])) + data + draw(st.sampled_from([b"", b"\n"]))
    if draw(st.integers(0, 9)) == 0:
        data = data.decode("utf-8", errors="replace").encode(draw(st.sampled_from(["utf-16", "utf-32-be"])))
    packed = gzip.compress(data, mtime=0)
    data, suffix = draw(
        st.sampled_from(
            [
                (data, ""),
                (packed, ".gz"),
                (packed, ".gz"),
                (data, ".gz"),
                (packed, ""),
                (bz2.compress(data), ".bz2"),
                (data, ".zst"),
                (packed[: draw(st.integers(0, len(packed)))], ".gz"),
                (packed + b"tail", ".gz"),
                (packed + packed, ".gz"),
                (_flipped(packed, draw(st.integers(10, len(packed) - 1))), ".gz"),
            ]
        )
    )
    name = draw(
        st.sampled_from(["a", "b c", "d%41e", "f[1]", "g{2}", "h+i", "\u00fc", "q?", "k#1", "l\\m", "dt=1/n"])
    )
    return f"{folder}/{name}{draw(st.integers(0, 99))}.jsonl{suffix}", data


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


def readable(name: str, data: bytes) -> tuple[bytes, int]:
    """Return the text that can be read of a file, and the number of rows standing for what cannot."""
    if name.endswith((".bz2", ".zst")):
        return b"", 1
    if not name.endswith(".gz") or not data:
        return data, 0
    text, rest = b"", data
    while rest:
        member = zlib.decompressobj(wbits=31)
        try:
            for place in range(len(rest)):
                text += member.decompress(rest[place : place + 1])
        except zlib.error:
            return _whole_lines(text), 1
        if not member.eof:
            return _whole_lines(text), 1
        rest = member.unused_data
    return text, 0


def _whole_lines(text: bytes) -> bytes:
    return text[: text.rfind(b"\n") + 1]


def lines_of(name: str, data: bytes) -> int:
    """Count a file's rows: its lines, without a CSV file's header, and one for what cannot be read."""
    text, unreadable = readable(name, data)
    lines = text.removeprefix(MARK).splitlines()
    is_csv = name.startswith(("transactions", "coupon_scope"))
    if is_csv and text.strip() and lines and lines[0]:
        lines = [line for line in lines if line != lines[0]]
    return len(lines) + unreadable


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(files(), min_size=FILES, max_size=FILES, unique_by=lambda file: file[0]))
def test_no_bytes_crash_the_job_and_no_row_is_lost_uncounted(
    spark: SparkSession, travel: Settings, drawn: list[tuple[str, bytes]]
) -> None:
    anything_goes = dataclasses.replace(
        travel.quality, minimum_interactions=0, minimum_users=0, maximum_quarantined_share=1.0
    )
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder), spark, dataclasses.replace(travel, quality=anything_goes))
        lake.write("clickstream/ios/sound.jsonl", click(1).encode())
        for name, data in drawn:
            lake.write(name, data)
        lake.curate()
        counts = lake.report("counts.json")
        found = counts["sources"] | counts["references"]
        expected = Counter({"ios": 1})
        for name, data in drawn:
            expected[
                {"clickstream/ios": "ios", "clickstream/web": "web"}.get(name[:15], name.split("/")[0])
            ] += lines_of(name, data)
        assert {name: source["rows"] for name, source in found.items() if source["rows"]} == +expected
        for source in found.values():
            assert source["rows"] == source["curated"] + source["duplicates"] + source["quarantined"]
        places = [(name, line) for name, line, _ in lake.quarantine()]
        assert len(places) == sum(source["quarantined"] for source in found.values())
