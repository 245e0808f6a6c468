"""A small client of the deployment's REST API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

from ops.deployment import Deployment
from ops.errors import OperatorError

HTTP_ERROR = 400


@dataclass(frozen=True)
class ApiClient:
    """Calls the API with the deployment's API key."""

    url: str
    host: str
    api_key: str
    _pool: urllib3.PoolManager

    @classmethod
    def of(cls, deployment: Deployment) -> ApiClient:
        """Return a client of the deployment's own API."""
        url, host = deployment.api_address
        return cls(url=url, host=host, api_key=deployment.api_key, _pool=urllib3.PoolManager())

    def call(self, method: str, path: str, body: object | None = None, **query: Any) -> Any:
        """Send one request and return the decoded JSON answer.

        Raises OperatorError with the API's own problem document when it refuses.
        """
        query_string = "?" + urlencode(query, doseq=True) if query else ""
        response = self._pool.request(
            method,
            f"{self.url}{path}{query_string}",
            headers={"Host": self.host, "x-api-key": self.api_key, "Content-Type": "application/json"},
            body=None if body is None else json.dumps(body),
            timeout=urllib3.Timeout(connect=5, read=60),
        )
        if response.status >= HTTP_ERROR:
            raise OperatorError(f"{method} {path} answered {response.status}: {response.data.decode()}")
        return response.json()
