"""Amazon Personalize's three services for all regions, plugged into moto in place of its backend."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from localcloud.context import ACCOUNT_ID
from localcloud.personalize import operations
from localcloud.personalize.automatic_training import keep_trained
from localcloud.personalize.call_metrics import CallMetrics
from localcloud.personalize.errors import InternalServerError, PersonalizeError
from localcloud.personalize.region import Region
from localcloud.personalize.training import stop_trainings
from localcloud.personalize.wire import (
    SERVICES,
    Call,
    decode,
    encode_answer,
    encode_error,
    render,
    rest_paths,
)

logger = logging.getLogger(__name__)

Response = tuple[int, dict[str, str], bytes]
_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/")
_DEFAULT_REGION = "us-east-1"


class HttpRequest(Protocol):
    """What is needed of moto's request."""

    method: str
    path: str
    headers: Mapping[str, str]

    def get_data(self) -> bytes:
        """Return the body."""


class Personalize:
    """All regions, made when first used; folders left by an earlier localcloud are taken up."""

    def __init__(self, folder: Path, endpoint_url: str) -> None:
        self._folder = folder
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._regions: dict[str, Region] = {}
        self._metrics: dict[str, CallMetrics] = {}
        self._stopped = threading.Event()
        # Regions with resources go on at once: their solutions may be due for training.
        for left in sorted(folder.glob("*/resources.json")):
            self.region(left.parent.name)

    def region(self, name: str) -> Region:
        """Return the state of a region."""
        with self._lock:
            if name not in self._regions:
                region = Region(name, ACCOUNT_ID, self._folder / name, self._endpoint_url)
                self._metrics[name] = CallMetrics(region)
                self._metrics[name].keep_reporting(self._stopped)
                keep_trained(region, self._stopped)
                self._regions[name] = region
            return self._regions[name]

    def serve(self, request: HttpRequest, _full_url: str, _headers: object) -> Response:
        """Answer a request: moto's form of a handler."""
        scope = _CREDENTIAL_SCOPE.search(request.headers.get("Authorization", ""))
        region = self.region(scope.group(1) if scope else _DEFAULT_REGION)
        target = request.headers.get("X-Amz-Target", "")
        return self.answer(region, request.method, request.path, target, request.get_data())

    def answer(self, region: Region, method: str, path: str, target: str, body: bytes) -> Response:
        """Answer a request in one of the two JSON protocols."""
        started = time.perf_counter()
        try:
            call = decode(method, path, target, body)
        except PersonalizeError as error:
            return encode_error(error)
        response = self._answered(region, call)
        milliseconds = (time.perf_counter() - started) * 1000
        self._metrics[region.name].record(call.operation.name, call.body, response[0], milliseconds)
        return response

    def _answered(self, region: Region, call: Call) -> Response:
        try:
            if call.service == SERVICES[0]:
                with region.lock:
                    result = operations.answer(region, call)
            else:
                result = operations.answer(region, call)
            shape = call.operation.output_shape
            content = encode_answer(render(result, shape) if shape else {})
        except PersonalizeError as error:
            return encode_error(error, call.service)
        except Exception as error:
            logger.exception("%s failed", call.operation.name)
            return encode_error(InternalServerError(f"{type(error).__name__}: {error}"))
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, content

    def stop(self) -> None:
        """Stop the work of all regions."""
        self._stopped.set()
        for region in self._regions.values():
            region.stop()
            stop_trainings(region)


def plug_into_moto(personalize: Personalize) -> None:
    """Answer all paths of the three services in moto's place."""
    from moto.backend_index import backend_url_patterns  # noqa: PLC0415 - moto reads its settings when imported
    from moto.personalize import urls  # noqa: PLC0415

    handler: Any = personalize.serve
    urls.url_bases[:] = [rf"https?://{service}\.(.+)\.amazonaws\.com" for service in SERVICES]
    urls.url_paths.clear()
    for path in ["/", *rest_paths()]:
        urls.url_paths[f"{{0}}{path}$"] = handler
    backend_url_patterns.extend(("personalize", re.compile(base)) for base in urls.url_bases[1:])
