"""Schemathesis reads the deployed API's own OpenAPI document and sends what it allows, and what it does not.

No answer may be a server error, nor one that the document does not have: status, media type, headers, body.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.api_functions.deployment import deployed_api, store_catalogue
from benchmarks.report import Figure, write_results

BUILD = Path(__file__).parent.parent / "build" / "contract"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
)
EXAMPLES = 650
SEED = 20


def main() -> None:
    """Deploy the API, run schemathesis against it, and record what it found."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with deployed_api(BUILD) as (_, deployment):
        store_catalogue(deployment, [f"DEL|GOI|train|{n}" for n in range(100)])
        path, host = deployment.api_address
        api_id = host.split(".")[0]
        url = path.replace("/v1", f"/_localcloud/execute-api/{api_id}/v1")
        report = run(url, header=f"x-api-key: {deployment.api_key}", examples=EXAMPLES, folder=BUILD)
    failures = report["failures"]
    write_results(
        "contract",
        [
            Figure("requests", report["test_cases"]["generated"], "requests", ">= 5000"),
            Figure("server errors and undocumented answers", len(failures), "findings", "== 0"),
            Figure("operations", report["operations"]["tested"], "operations"),
            Figure("time", report["running_time"], "s"),
        ],
        packages=("schemathesis", "moto"),
        checks=CHECKS,
        failures=failures[:10],
    )


def run(url: str, *, header: str, examples: int, folder: Path) -> dict[str, Any]:
    """Run schemathesis on the document that a stage serves; return its report."""
    report = folder / "schemathesis.json"
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/openapi.json", "--url", url,
        "--header", header, "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing",
        "--max-examples", str(examples), "--seed", str(SEED), "--generation-database", "none",
        "--continue-on-failure", "--no-color", "--suppress-health-check", "all", "--report", "json",
        "--report-json-path", str(report),
    ]  # fmt: skip
    with (folder / "schemathesis.log").open("w", encoding="utf-8") as log:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
