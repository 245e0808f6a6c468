"""The targeting job on 1 million users x 50 coupons: batch output in, campaign out.

The batch output and the curated tables are generated; the job runs in processes of its own on two cores,
whose resident memory is summed every tenth of a second.

    python -m benchmarks.targeting [--users 1000000] [--coupons 50]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.processes import CPUS, Measured, run_measured
from benchmarks.report import Figure, write_results

HEAP = "3g"
SEED = 7
FILES = 8
USERS_AT_ONCE = 20_000
PAST_COUPONS = 200
SETTINGS = {"cost_per_coupon": 100.0, "coupons_per_user": 2, "control_share": 0.1, "seed": SEED}
JOB = """
import json, sys
from preprocessing.session import open_session
from target_coupons import target
from targeting.limits import CampaignSettings
places = json.loads(sys.argv[1])
target(open_session("target_coupons"), CampaignSettings.from_json(sys.argv[2]), catalog=None, **places)
"""
# Users have had 7 coupons and bought 5 times; a few redeem much, most seldom. Coupons cover kinds.
TABLES = {
    "curated/coupons": """
        SELECT prefix || lpad(CAST(n AS VARCHAR), 4, '0') AS coupon_id,
            'M' || CAST(n // 10 AS VARCHAR) AS campaign_id,
            'flat' AS discount_type, CAST(5 + n % 20 AS DOUBLE) AS discount_value,
            CAST(50 + 10 * (n % 20) AS DOUBLE) AS cost, 'k' || CAST(n % 40 AS VARCHAR) AS category,
            DATE '1970-01-01' + CAST(10 * (n // 10) AS INTEGER) + shift AS valid_from,
            DATE '1970-01-01' + CAST(10 * (n // 10) AS INTEGER) + shift + 14 AS valid_until
        FROM (SELECT n, 'P' AS prefix, 0 AS shift FROM range({past}) AS t(n)
              UNION ALL SELECT n, 'C' AS prefix, 300 AS shift FROM range({coupons}) AS t(n))""",
    "curated/coupon_scope": """
        SELECT prefix || lpad(CAST(n AS VARCHAR), 4, '0') AS coupon_id, 'kind' AS attribute,
            'k' || CAST(n % 40 AS VARCHAR) AS value
        FROM (SELECT n, 'P' AS prefix FROM range({past}) AS t(n)
              UNION ALL SELECT n, 'C' AS prefix FROM range({coupons}) AS t(n))""",
    "curated/coupon_events": """
        WITH sent AS (SELECT n // 7 AS user, hash(n) % {past} AS coupon, n FROM range(7 * {users}) AS t(n)),
        events AS (
            SELECT *, 'issued' AS event_type, 0 AS later FROM sent UNION ALL
            SELECT *, 'redeemed' AS event_type, 1 + hash(n, 1) % 13 AS later FROM sent
            WHERE hash(n, 2) % 100 < CASE WHEN hash(user) % 10 = 0 THEN 40 ELSE 3 END
        )
        SELECT 'U' || lpad(CAST(user AS VARCHAR), 7, '0') AS user_id,
            'P' || lpad(CAST(coupon AS VARCHAR), 4, '0') AS coupon_id, event_type,
            CAST(86400 * (10 * (coupon // 10) + later) AS BIGINT) AS timestamp
        FROM events""",
    "curated/interactions/outcome=kept": """
        SELECT 'U' || lpad(CAST(n // 5 AS VARCHAR), 7, '0') AS user_id, 'purchase' AS event_type,
            'k' || CAST(hash(n) % 40 AS VARCHAR) AS kind,
            CAST(86400 * (hash(n, 3) % 300) AS BIGINT) AS timestamp
        FROM range(5 * {users}) AS t(n)""",
    "coupon_users": """
        SELECT 'U' || lpad(CAST(n AS VARCHAR), 7, '0') AS user_id,
            CASE WHEN hash(n) % 10 = 0 THEN 'frequent' ELSE 'never' END AS coupon_habit
        FROM range({users}) AS t(n)""",
}


def main() -> None:
    """Run the benchmark and record its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--coupons", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="targeting-") as scratch:
        folder = Path(scratch)
        write_tables(folder, options.users, options.coupons)
        write_rankings(folder, options.users, options.coupons)
        job = _target(folder, options.users)
        report = json.loads((folder / "campaigns" / "bench" / "report" / "report.json").read_text())
    label = f"{options.users:,} users x {options.coupons} coupons"
    is_judged = options.users >= 1_000_000
    figures = [
        Figure(f"targeting job, {label}", job.seconds, "s", "<= 300" if is_judged else None),
        Figure(f"targeting job, {label}, CPU time", job.cpu_seconds, "s"),
        Figure(f"targeting job, {label}, peak memory", job.peak_gib, "GiB", "<= 6" if is_judged else None),
        Figure("proven distance from the best choice", report["optimality"]["gap"], "", "<= 0.01"),
        Figure("spent / budget", report["cost"] / report["budget"], "", "<= 1.000000001"),
        Figure("coupons issued", report["issued"], ""),
        Figure("users in the audience", report["audience"], "", f"== {options.users}"),
    ]
    write_results("targeting", figures, cpus=CPUS, heap=HEAP, load_average=os.getloadavg()[0])


def write_tables(folder: Path, users: int, coupons: int) -> None:
    """Write the curated tables and the users' segments as Parquet."""
    with duckdb.connect() as connection:
        for name, statement in TABLES.items():
            path = folder / name
            path.mkdir(parents=True)
            select = statement.format(users=users, coupons=coupons, past=PAST_COUPONS)
            connection.execute(f"COPY ({select}) TO '{path}/part-0.parquet' (FORMAT parquet)")


def write_rankings(folder: Path, users: int, coupons: int) -> None:
    """Write batch output as Personalize does, in several files, and of each input file its first line."""
    random = np.random.default_rng(SEED)
    ids = np.array([f'"C{coupon:04d}"' for coupon in range(coupons)])
    attraction = random.normal(size=coupons)
    listed = ",".join(ids)
    for number, chunk in enumerate(np.array_split(np.arange(users), FILES)):
        inputs, output = folder / "input" / f"part={number}", folder / "ranking" / f"part={number}"
        for path in (inputs, output):
            path.mkdir(parents=True)
        (inputs / "data").write_text(f'{{"userId":"U{chunk[0]:07d}","itemList":[{listed}]}}\n')
        with (output / "data.out").open("w") as file:
            for start in range(0, len(chunk), USERS_AT_ONCE):
                of = chunk[start : start + USERS_AT_ONCE]
                scores = np.exp(attraction + random.normal(size=(len(of), coupons)))
                scores /= scores.sum(axis=1, keepdims=True)
                order = np.argsort(-scores, axis=1)
                texts = np.char.mod("%.7f", np.take_along_axis(scores, order, axis=1))
                file.writelines(
                    f'{{"input":{{"userId":"U{user:07d}","itemList":[{listed}]}},"output":{{"recommendedItems":'
                    f'[{",".join(names)}],"scores":[{",".join(row)}]}},"error":null}}\n'
                    for user, names, row in zip(of.tolist(), ids[order].tolist(), texts.tolist(), strict=True)
                )


def _target(folder: Path, users: int) -> Measured:
    places = {
        "input_uri": (folder / "input").as_uri() + "/",
        "ranking_uri": (folder / "ranking").as_uri() + "/",
        "datasets_uri": folder.as_uri() + "/",
        "campaigns_uri": (folder / "campaigns").as_uri() + "/",
        "campaign_run": "bench",
        "coupon_users_uri": (folder / "coupon_users").as_uri(),
    }
    settings = {**SETTINGS, "budget": 20.0 * users, "stock_per_coupon": users // 100}
    return run_measured([sys.executable, "-c", JOB, json.dumps(places), json.dumps(settings)], heap=HEAP)


if __name__ == "__main__":
    main()
