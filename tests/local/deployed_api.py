"""The API alone, deployed to a localcloud of its own with tokens as what authorises."""

from __future__ import annotations

import json
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
import urllib3
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from benchmarks.api_functions.deployment import make_tracker
from ops.local_cloud import ACCOUNT_ID, LocalCloud, run_logged, running

NAME = "travel"
AUDIENCE = "travel-app"
BACK_ENDS = "back-ends"
# Longer than the default: tests share the processor with all of the cloud.
TIME_BUDGET_SECONDS = 3.0
PROGRAM = """
    import sys
    import aws_cdk as cdk
    from config import load
    from config.serving import EventDelivery, Jwt
    from stacks.inference import InferenceStack
    from stacks.storage import StorageStack

    project = load("travel", "localcloud")
    jwt = Jwt(issuer=sys.argv[1], audience=["travel-app"], user_claim="customer_id")
    events = EventDelivery(timeout_seconds=15, first_retry_seconds=1, receives=3)
    budget = float(sys.argv[3])
    changed = {"authorization": "jwt", "jwt": jwt, "events": events, "time_budget_seconds": budget}
    serving = project.serving.model_copy(update=changed)
    project = project.model_copy(update={"serving": serving})
    app = cdk.App(outdir=sys.argv[2])
    storage = StorageStack(app, "travel-storage", project=project)
    InferenceStack(app, "travel-inference", project=project, storage=storage, pseudonym_key=None)
    app.synth()
"""


class Issuer:
    """An issuer of tokens: a key, and a server that publishes it."""

    def __init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "one"})
        published = json.dumps(KeySet([self._key]).as_dict(private=False)).encode()

        class Published(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(published)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Published)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def token(self, user_id: str, scope: str = "", **changed: Any) -> str:
        """Return a token of a user, or of a back end."""
        claims = {
            "iss": self.url, "aud": AUDIENCE, "exp": int(time.time()) + 3600, "customer_id": user_id,
            "scope": scope, **changed,
        }  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()


@dataclass
class DeployedApi:
    """The API's address, and whose tokens it takes."""

    cloud: LocalCloud
    issuer: Issuer
    outputs: dict[str, str]
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=8, retries=False))

    @property
    def name(self) -> str:
        return "travel"

    @property
    def faults_url(self) -> str:
        return f"{self.cloud.endpoint_url}/_localcloud/faults"

    def output(self, key: str) -> str:
        return self.outputs[key]

    @property
    def back_end(self) -> str:
        return self.issuer.token("app", BACK_ENDS)

    @property
    def url(self) -> str:
        api_id = self.outputs["ApiUrl"].split("//")[1].split(".")[0]
        return f"{self.cloud.endpoint_url}/_localcloud/execute-api/{api_id}/v1"

    def client(self, service: str) -> Any:
        return boto3.client(
            service, region_name=self.cloud.region, endpoint_url=self.cloud.endpoint_url,
            aws_access_key_id="localcloud", aws_secret_access_key="localcloud",
        )  # fmt: skip

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        sent = None if body is None else json.dumps(body)
        answer = self.pool.request(method, f"{self.url}{path}", body=sent, headers=headers)
        return answer.status, json.loads(answer.data)


@pytest.fixture(scope="session")
def deployed_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedApi]:
    """The API with popular items to fall back on, and no campaign."""
    folder, issuer = tmp_path_factory.mktemp("api"), Issuer()
    program = folder / "app.py"
    program.write_text(textwrap.dedent(PROGRAM))
    assembly = folder / "cdk.out"
    run_logged(
        [sys.executable, str(program), issuer.url, str(assembly), str(TIME_BUDGET_SECONDS)],
        folder / "synth.log",
        {},
    )
    with running(port=0, region="ap-south-1", log_dir=folder) as cloud:
        cloud.cdk("bootstrap", f"aws://{ACCOUNT_ID}/{cloud.region}", "--app", str(assembly), log="bootstrap")
        cloud.cdk("deploy", "--all", "--app", str(assembly), "--require-approval", "never", log="deploy")
        api = DeployedApi(cloud, issuer, {})
        for stack in api.client("cloudformation").describe_stacks()["Stacks"]:
            api.outputs |= {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        _store_popular(api)
        yield api
    issuer.stop()


@pytest.fixture(scope="session")
def interactions(deployed_api: DeployedApi) -> str:
    """The ARN of the dataset that the API's events go to, with its event tracker."""
    return make_tracker(deployed_api)


def _store_popular(api: DeployedApi) -> None:
    s3, bucket = api.client("s3"), api.outputs["DatasetsBucket"]
    items = [
        {
            "itemId": f"DEL|GOI|flight|{n}",
            "score": 1 / (n + 1),
            "transport_mode": "flight" if n % 2 else "train",
        }
        for n in range(30)
    ]
    documents = {
        "personalize/popular_items.json": items,
        "personalize/manifest.json": {
            "popularItemsUri": f"s3://{bucket}/personalize/popular_items.json",
            "datasetGroups": {},
        },
        "personalize/latest.json": {"manifestUri": f"s3://{bucket}/personalize/manifest.json"},
    }
    for key, document in documents.items():
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())
    records = [{"itemId": item["itemId"], "available": True} for item in items]
    assert api.call("POST", "/availability", {"items": records}, token=api.back_end)[0] == 200
