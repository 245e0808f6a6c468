"""A campaign is whole or not there, keeps to its settings, and says what it should bring."""

from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from target_coupons import target
from targeting import selection
from targeting.blocks import NO_COUPON, Block, block_of, draws, joined, packed
from targeting.limits import CampaignError, CampaignSettings
from targeting.offers import Offers, Worth
from targeting.selection import select

COUPONS = {"C1": 50.0, "C2": 100.0, "C3": None}
COUPON_COLUMNS = (
    "coupon_id string, cost double, campaign_id string, discount_type string, "
    "valid_from date, valid_until date"
)
USERS = 60
DAY = 86_400
SETTINGS = {"budget": 1000.0, "cost_per_coupon": 80.0, "control_share": 0.25, "seed": 5}


def settings(**changed: Any) -> CampaignSettings:
    return CampaignSettings.from_json(json.dumps({**SETTINGS, **changed}))


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Curated tables, coupon users, and batch input and output in two parts."""
    folder = tmp_path_factory.mktemp("campaign")
    tables = {
        "curated/coupons": (
            COUPON_COLUMNS,
            [("C0", 9.0, "past", "flat", datetime.date(1970, 1, 2), datetime.date(1970, 1, 3))]
            + [
                (*one, "next", "flat", datetime.date(1970, 1, 4), datetime.date(1970, 1, 20))
                for one in COUPONS.items()
            ],
        ),
        "curated/coupon_scope": ("coupon_id string, attribute string, value string", [("C1", "city", "GOI")]),
        "curated/coupon_events": (
            "user_id string, coupon_id string, event_type string, timestamp long",
            [(f"u{n:02d}", "C0", "issued", DAY) for n in range(USERS)]
            + [(f"u{n:02d}", "C0", "redeemed", DAY + 5) for n in range(0, USERS, 4)],
        ),
        "curated/interactions/outcome=kept": (
            "user_id string, event_type string, city string, price double, timestamp long",
            [("u01", "purchase", "GOI", 4000.0, 2 * DAY), ("u02", "purchase", "GOI", 2000.0, DAY)],
        ),
        "coupon_users": (
            "user_id string, coupon_habit string",
            [(f"u{n:02d}", "occasional" if n % 4 == 0 else "never") for n in range(USERS)],
        ),
    }
    for name, (schema, rows) in tables.items():
        spark.createDataFrame(rows, schema).write.parquet(f"{folder}/{name}")
    for part in range(2):
        inputs = [{"userId": f"u{n:02d}", "itemList": list(COUPONS)} for n in range(part, USERS, 2)]
        write_lines(folder / "input" / f"part={part}" / "data", inputs)
        outputs = [{"input": one, "output": ranking(one["userId"]), "error": None} for one in inputs]
        write_lines(folder / "ranking" / f"part={part}" / "data.out", outputs)
    return folder


def ranking(user: str) -> dict[str, Any]:
    number = int(user[1:])
    scores = np.roll([0.6, 0.3, 0.1], number % 3) + number / 1000
    return {"recommendedItems": list(COUPONS), "scores": (scores / scores.sum()).tolist()}


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def run(
    spark: SparkSession, world: Path, out: Path, asked: CampaignSettings, **places: str
) -> dict[str, Any]:
    given = {
        "input_uri": (world / "input").as_uri() + "/",
        "ranking_uri": (world / "ranking").as_uri() + "/",
        "datasets_uri": world.as_uri() + "/",
        "campaigns_uri": out.as_uri() + "/",
        "campaign_run": "r1",
        "coupon_users_uri": (world / "coupon_users").as_uri(),
    }
    target(spark, asked, catalog=None, **{**given, **places})  # type: ignore[arg-type]
    return dict(json.loads((out / "r1" / "report" / "report.json").read_text()))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_campaign_keeps_to_its_settings_and_its_report_adds_up(
    spark: SparkSession, world: Path, tmp_path: Path
) -> None:
    report = run(spark, world, tmp_path, settings(stock={"C1": 3}))
    sent = rows_of(tmp_path / "r1" / "campaign" / "campaign-0000.csv")
    users = {row["user_id"]: row for row in rows_of(tmp_path / "r1" / "segments" / "segments.csv")}
    assert 900 < sum(float(row["cost"]) for row in sent) == report["cost"] <= 1000
    assert {row["coupon_id"]: float(row["cost"]) for row in sent} == {"C1": 50, "C2": 100, "C3": 80}
    assert sum(row["coupon_id"] == "C1" for row in sent) == 3
    assert len({row["user_id"] for row in sent}) == len(sent) == report["issued"]
    assert all(users[row["user_id"]]["treatment"] == "sent" for row in sent)
    assert len(users) == report["audience"] == USERS
    assert sum(row["treatment"] == "control" for row in users.values()) == report["controlUsers"] > 5
    assert sum(int(row["coupons"]) for row in users.values()) == len(sent)
    assert {row["segment"]: row["users"] for row in report["bySegment"]} == {"never": 45, "occasional": 15}
    assert report["costOfSendingAll"] == USERS * 230
    assert report["expectedRedemptions"] == pytest.approx(sum(float(row["probability"]) for row in sent))
    assert report["optimality"]["method"] == "exact"
    assert report["asOf"] == 2 * DAY + 1
    curve = report["liftCurve"]
    assert curve[-1]["coupons"] == USERS * 3
    assert curve[-1]["expectedRedemptions"] == pytest.approx(report["expectedRedemptionsOfSendingAll"])
    rates = [point["expectedRedemptions"] / point["coupons"] for point in curve[1:]]
    assert rates == sorted(rates, reverse=True)


def test_the_control_group_has_a_record_of_what_it_would_have_got_and_gets_nothing(
    spark: SparkSession, world: Path, tmp_path: Path
) -> None:
    report = run(spark, world, tmp_path, settings(budget=100_000.0))
    table = pq.read_table(tmp_path / "tables" / "campaign_coupons" / "campaign_run=r1" / "part-0000.parquet")
    rows = table.to_pylist()
    control = {row["user_id"] for row in rows if row["treatment"] == "control"}
    sent = {row["user_id"] for row in rows if row["treatment"] == "sent"}
    users = rows_of(tmp_path / "r1" / "segments" / "segments.csv")
    likely = {row["user_id"]: row["treatment"] for row in users if row["segment"] == "occasional"}
    assert control >= {user for user, treatment in likely.items() if treatment == "control"} != set()
    assert sent >= {user for user, treatment in likely.items() if treatment == "sent"}
    assert control.isdisjoint(sent)
    assert report["control"]["coupons"] == len(control)
    assert {row["user_id"] for row in rows_of(tmp_path / "r1" / "campaign" / "campaign-0000.csv")} == sent


def test_the_same_settings_make_the_same_campaign_again(
    spark: SparkSession, world: Path, tmp_path: Path
) -> None:
    files = []
    for _ in range(2):
        run(spark, world, tmp_path, settings())
        files.append((tmp_path / "r1" / "campaign" / "campaign-0000.csv").read_text())
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("missing part", r"1 of 2 parts of the batch inference output are missing: .*part=1/data\.out"),
        ("no audience", "is the audience empty"),
        ("nothing ranked", "no user has a ranked coupon"),
        ("unknown coupon", "the coupons table does not have the ranked coupons C9"),
    ],
)
def test_bad_input_stops_before_anything_is_written(
    spark: SparkSession, world: Path, tmp_path: Path, broken: str, says: str
) -> None:
    inputs, ranked = tmp_path / "in", tmp_path / "out"
    for part in range(2):
        if broken != "no audience":
            coupons = ["C9"] if broken == "unknown coupon" else list(COUPONS)
            write_lines(inputs / f"part={part}" / "data", [{"userId": "u1", "itemList": coupons}])
        if not (broken == "missing part" and part == 1):
            failed = {"input": {"userId": "u1"}, "output": None, "error": "no"}
            write_lines(ranked / f"part={part}" / "data.out", [failed])
    places = {"input_uri": inputs.as_uri(), "ranking_uri": ranked.as_uri()}
    with pytest.raises(CampaignError, match=says):
        run(spark, world, tmp_path / "campaigns", settings(), **places)
    assert not (tmp_path / "campaigns").exists()


def test_a_failure_while_writing_leaves_no_campaign(
    spark: SparkSession, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from preprocessing import storage  # noqa: PLC0415

    run(spark, world, tmp_path, settings())
    write = storage.write_bytes

    def full(uri: str, content: bytes) -> None:
        if uri.endswith("campaign-0000.csv"):
            raise OSError("disk full")
        write(uri, content)

    monkeypatch.setattr(storage, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        run(spark, world, tmp_path, settings(budget=500.0))
    assert not (tmp_path / "r1" / "report").exists(), "nor the report of the run before it"
    assert not (tmp_path / "r1" / "campaign").exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"budget": -1}, "budget must be above 0, not -1"),
        ({"control_share": 1.5}, "control_share must be between 0 and 1"),
        ({"stock": {"C1": 0}}, "the stock of C1 must be at least 1"),
        ({"objective": "clicks"}, "objective must be one of redemptions, margin, not 'clicks'"),
        ({"objective": "margin"}, "needs coupon_campaign.margin"),
    ],
)
def test_senseless_settings_are_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(CampaignError, match=says):
        settings(**changed)


def worth(asked: CampaignSettings, coupons: int = 2) -> Worth:
    ids = [f"C{n}" for n in range(coupons)]
    return Worth(asked, Offers.of(ids, dict.fromkeys(ids, 100.0), asked))


def block(probability: list[list[float]], organic: list[list[float]] | None = None) -> Block:
    shape = np.array(probability, dtype=np.float32)
    coupon = np.tile(np.arange(shape.shape[1], dtype=np.int16), (len(shape), 1))
    by_nature = np.zeros_like(shape) if organic is None else np.array(organic, dtype=np.float32)
    return Block([f"u{n}" for n in range(len(shape))], np.full(len(shape), 0.5), coupon, shape, by_nature)


def test_who_would_buy_anyway_or_hardly_redeems_is_left_out_where_the_settings_say_so() -> None:
    users = block([[0.9, 0.5], [0.2, 0.05]], organic=[[0.95, 0.3], [0.1, 0.1]])
    everyone = worth(settings(control_share=0)).of(users)
    assert np.isfinite(everyone).all()
    fewer = worth(settings(control_share=0, leave_out_organic_above=0.9, minimum_probability=0.1)).of(users)
    assert np.isfinite(fewer).tolist() == [[False, True], [True, False]]


def test_margin_is_what_redemptions_earn_less_what_the_coupon_costs() -> None:
    asked = settings(objective="margin", margin={"per_redemption": 300.0, "of_coupon": {"C1": 900.0}})
    value = worth(asked).of(block([[0.5, 0.5], [0.2, 0.1]]))
    assert value.tolist() == [[pytest.approx(50.0), pytest.approx(350.0)], [-np.inf, -np.inf]]


def test_margins_can_come_from_the_prices_of_what_a_coupon_covers(
    spark: SparkSession, world: Path, tmp_path: Path
) -> None:
    by_price = {"per_redemption": 0.0, "price": {"attribute": "price", "rate": 0.2}}
    run(spark, world, tmp_path, settings(objective="margin", margin=by_price))
    rows = rows_of(tmp_path / "r1" / "campaign" / "campaign-0000.csv")
    assert {row["coupon_id"] for row in rows} == {"C1"}, "no purchase tells a price for the others"
    table = pq.read_table(tmp_path / "tables" / "campaign_coupons" / "campaign_run=r1" / "part-0000.parquet")
    first = table.to_pylist()[0]
    assert first["value"] == pytest.approx(first["probability"] * 0.2 * 3000 - 50, rel=1e-4)


def test_draws_depend_on_the_seed_and_the_user_alone_and_are_even() -> None:
    users = [f"user-{n}" for n in range(4000)]
    first, other = draws(users, 1), draws(users, 2)
    assert np.array_equal(first[::-1], draws(users[::-1], 1))
    assert 0.08 < np.mean(first < 0.1) < 0.12
    assert 0.005 < np.mean((first < 0.1) & (other < 0.1)) < 0.015


def test_a_block_comes_back_from_bytes_and_users_of_blocks_stay_apart() -> None:
    one, two = block([[0.1, 0.2]]), block([[0.3], [0.4]])
    again = Block.from_bytes(one.to_bytes())
    assert again.users == one.users
    assert np.array_equal(again.probability, one.probability)
    whole = joined([one, two])
    assert whole.coupon.tolist() == [[0, 1], [0, NO_COUPON], [0, NO_COUPON]]
    assert whole.pairs == 4


def test_many_pairs_are_chosen_from_in_parts_as_well_as_together(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part prunes by the prices of a sample; the bound is proved against all that was pruned, too."""
    random = np.random.default_rng(3)
    liking = random.normal(size=(3000, 1)) + random.normal(size=(3000, 20))
    pairs = spark.createDataFrame(
        [
            (f"u{user:04d}", f"C{coupon:02d}", float(1 / (1 + np.exp(3 - liking[user, coupon]))), 0.0)
            for user in range(3000)
            for coupon in range(20)
        ],
        "user_id string, coupon_id string, probability double, organic_probability double",
    ).repartition(3, "user_id")
    ids = [f"C{n:02d}" for n in range(20)]
    asked = settings(budget=60_000.0, stock_per_coupon=80, control_share=0.1)
    priced = Worth(asked, Offers.of(ids, dict.fromkeys(ids, 100.0), asked))
    blocks = packed(pairs, ids, asked.seed).persist()
    together = select(blocks, priced)
    monkeypatch.setattr(selection, "SAMPLE_PAIRS", 20_000)
    apart = select(blocks, priced, together_pairs=1000)
    assert together.block.coupon.shape[1] == 20
    assert apart.block.coupon.shape[1] == 1 + selection.SPARE_SLOTS
    assert apart.allocation.gap < 0.005
    assert apart.allocation.worth >= 0.995 * together.allocation.worth
    assert apart.allocation.bound >= together.allocation.worth * (1 - 1e-6)
    assert apart.totals.users == together.totals.users == 3000
    assert np.array_equal(apart.totals.counts, together.totals.counts)
    issued = np.bincount(apart.block.coupon[apart.sent], minlength=20)
    assert issued.max() <= 80
    assert issued.sum() * 100 <= 60_000


def test_pairs_of_a_user_are_gathered_whatever_their_order() -> None:
    import pyarrow as pa  # noqa: PLC0415

    table = pa.table(
        {
            "user_id": ["b", "a", "b", "a"],
            "coupon_id": ["C1", "C1", "C0", "C2"],
            "probability": [0.1, 0.2, 0.3, 0.4],
            "organic_probability": [0.0, 0.0, 0.5, 0.0],
        }
    )
    found = block_of(table, ["C0", "C1", "C2"], 1)
    assert found.users == ["a", "b"]
    assert found.coupon.tolist() == [[1, 2], [0, 1]]
    assert found.probability.tolist() == [
        [pytest.approx(0.2), pytest.approx(0.4)],
        [pytest.approx(0.3), pytest.approx(0.1)],
    ]
    with pytest.raises(CampaignError, match="ranked, but not among"):
        block_of(table, ["C0"], 1)
