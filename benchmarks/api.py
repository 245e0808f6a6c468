"""What the API's handler costs itself: Personalize and DynamoDB are stubbed, so what is measured is our code.

Beside it, in the same run, the smallest powertools handler that only forwards the call
(api_functions/smallest.py).
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from benchmarks.report import Figure, peak_memory_gib, write_results

ROOT = Path(__file__).parent.parent
API = ROOT / "lambdas" / "api"
SMALLEST = Path(__file__).parent / "api_functions"
CALLS = 5000
IMPORTS = 7
ITEMS = 100
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "ap-south-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "POWERTOOLS_SERVICE_NAME": "api",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "CAMPAIGN_USER_PERSONALIZATION": "arn:aws:personalize:ap-south-1:1:campaign/up",
    "FILTERS": "{}",
    "AVAILABILITY_TABLE": "availability",
    "UNKNOWN_AVAILABILITY": "unavailable",
    "FALLBACK_TABLE": "fallback",
    "EVENT_QUEUE_URL": "https://queue",
    "LATEST_DATASETS_URI": "s3://datasets/latest.json",
    "DEFAULT_RESULTS": "25",
    "MAXIMUM_RESULTS": "100",
    "AUTHORIZATION": "api_key",
    "TOKENS": "{}",
    "EXPERIMENT": "null",
    "TIME_BUDGET_SECONDS": "1.0",
    "CONTEXT": "[]",
    "CACHE_SECONDS": "{}",
    "PSEUDONYM_KEY_SECRET_ARN": "",
    "POWERTOOLS_METRICS_NAMESPACE": "travel",
}
IMPORT = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"


class Stub:
    """Answers as Personalize and DynamoDB would, at once."""

    def __init__(self, metadata: bool, sold_out_of_four: int) -> None:
        rows: list[dict[str, Any]] = [{"itemId": f"DEL|GOI|flight|{n}", "score": 0.01} for n in range(ITEMS)]
        if metadata:
            rows = [{**row, "metadata": {"ORIGIN": "DEL", "TRAVEL_CLASS": "economy"}} for row in rows]
        self._answer = {"recommendationId": "RID", "itemList": rows}
        self._records = [
            {
                "item_id": {"S": row["itemId"]},
                "available": {"BOOL": n % 4 >= sold_out_of_four},
                "seats": {"N": "3"},
            }
            for n, row in enumerate(rows)
        ]

    def get_recommendations(self, **_: Any) -> Any:
        return self._answer

    def batch_get_item(self, **_: Any) -> Any:
        return {"Responses": {"availability": self._records}, "UnprocessedKeys": {}}

    def put_item(self, **_: Any) -> Any:
        return {}

    def describe_campaign(self, **_: Any) -> Any:
        return {"campaign": {"solutionVersionArn": "arn:version"}}


def main() -> None:
    """Measure imports and first calls in fresh processes, then warm calls in this one."""
    os.environ.update(ENVIRONMENT)
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(_first_call(sys.argv[1])))
        return
    first, first_smallest = _in_a_fresh_process("handler"), _in_a_fresh_process("smallest")
    ours, smallest = _import_seconds("handler", API), _import_seconds("smallest", SMALLEST)
    filtered = _warm(_our_handler(Stub(metadata=False, sold_out_of_four=3)), {"numResults": "25"})
    forwarded = _warm(
        _our_handler(Stub(metadata=True, sold_out_of_four=0)), {"numResults": "100", "metadata": "true"}
    )
    forwarding = _warm(_smallest_handler(Stub(metadata=False, sold_out_of_four=0)), {})
    write_results(
        "api",
        [
            Figure("warm p50, 25 of 100 left by availability", filtered[0], "ms", "<= 0.4"),
            Figure("warm p99, 25 of 100 left by availability", filtered[1], "ms", "<= 1.0"),
            Figure("warm p50, 100 items with metadata", forwarded[0], "ms", "<= 0.2"),
            Figure("warm p99, 100 items with metadata", forwarded[1], "ms"),
            Figure("warm p50, smallest powertools handler", forwarding[0], "ms"),
            Figure("cold import", ours, "s"),
            Figure("cold import, smallest powertools handler", smallest, "s"),
            Figure("cold import beside the smallest", ours / smallest, "times", "<= 1.5"),
            Figure("first call after the import", first["milliseconds"], "ms"),
            Figure(
                "first call after the import, smallest powertools handler",
                first_smallest["milliseconds"],
                "ms",
            ),
            Figure("memory after the first call", first["mebibytes"], "MiB"),
            Figure(
                "memory after the first call, smallest powertools handler", first_smallest["mebibytes"], "MiB"
            ),
            Figure("package size without the shared layer", _package_kib(), "KiB"),
        ],
        packages=("boto3", "aws-lambda-powertools"),
        calls=CALLS,
        imports=IMPORTS,
    )


def _import_seconds(module: str, folder: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT / 'lambdas'}"}
    command = [sys.executable, "-c", IMPORT.format(module=module)]
    runs = [
        float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
        for _ in range(IMPORTS)
    ]
    return statistics.median(runs)


def _first_call(name: str) -> dict[str, float]:
    """Import one of the handlers here, call it once, and return how long that took, and the memory."""
    stub = Stub(metadata=False, sold_out_of_four=0)
    handler = _our_handler(stub) if name == "handler" else _smallest_handler(stub)
    started = time.perf_counter()
    assert handler(_event({"numResults": "100"}), None)["statusCode"] == 200
    return {
        "milliseconds": (time.perf_counter() - started) * 1000,
        "mebibytes": peak_memory_gib() * 1024,
    }


def _in_a_fresh_process(name: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.api", name]
    lines = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.splitlines()
    found: dict[str, float] = json.loads(lines[-1])
    return found


def _our_handler(stub: Stub) -> Callable[[Any, Any], Any]:
    for path in API.glob("*.py"):
        sys.modules.pop(path.stem, None)
    sys.path[:0] = [str(API), str(ROOT / "lambdas")]
    import availability  # noqa: PLC0415 - the function's own modules, imported as Lambda does
    import fallback  # noqa: PLC0415
    import handler  # noqa: PLC0415
    import recommender  # noqa: PLC0415

    for module in (availability, fallback, recommender):
        module.client = module.within = lambda *_, **__: stub
    catalogue = handler.api().catalogue
    # What S3 would have given it.
    catalogue._popular = [{"itemId": "p", "score": 1.0, "origin": "DEL", "travel_class": "economy"}]  # noqa: SLF001
    catalogue._read_next = float("inf")  # noqa: SLF001
    return handler.handler


def _smallest_handler(stub: Stub) -> Callable[[Any, Any], Any]:
    sys.path.insert(0, str(SMALLEST))
    import smallest  # noqa: PLC0415

    smallest.runtime = stub
    return smallest.handler


def _warm(handler: Callable[[Any, Any], Any], query: dict[str, str]) -> tuple[float, float]:
    """Return the p50 and p99 of a call in milliseconds; its log lines go where Lambda's would: a pipe."""
    event = _event(query)
    answer = handler(event, None)
    assert answer["statusCode"] == 200, answer
    wanted = int(query.get("numResults", ITEMS))
    assert len(json.loads(answer["body"])["items"]) == wanted, answer["body"]
    for _ in range(200):
        handler(event, None)
    gc.collect()
    taken = []
    for _ in range(CALLS):
        started = time.perf_counter_ns()
        handler(event, None)
        taken.append((time.perf_counter_ns() - started) / 1e6)
    taken.sort()
    return taken[CALLS // 2], taken[CALLS * 99 // 100]


def _event(query: dict[str, str]) -> dict[str, Any]:
    return {
        "httpMethod": "GET",
        "resource": "/users/{userId}/recommendations",
        "headers": {"Accept": "*/*", "Host": "api", "User-Agent": "back-end/1", "x-api-key": "k"},
        "pathParameters": {"userId": "u1"},
        "queryStringParameters": query or None,
    }


def _package_kib() -> float:
    """Return the size of the function's own files and of what it requires."""
    required = Path(orjson.__file__).parent.rglob("*")
    return sum(path.stat().st_size for path in (*API.iterdir(), *required) if path.is_file()) / 1024


if __name__ == "__main__":
    main()
