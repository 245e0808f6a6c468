"""What every localcloud service needs to know about the cloud it is part of."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# The account that moto answers for.
ACCOUNT_ID = "123456789012"
REQUEST_ID_HEADER = "x-amzn-requestid"


@dataclass
class CloudContext:
    """The running cloud: where it listens, where it keeps files, and what to stop at the end.

    `work_dir` is scratch space that goes with the process; `data_dir` is set only when the user
    asked for state that survives a restart.
    """

    host: str
    port: int
    work_dir: Path
    data_dir: Path | None = None
    _routes: dict[str, WSGIApplication] = field(default_factory=dict)
    _host_routes: list[tuple[Callable[[str], bool], WSGIApplication]] = field(default_factory=list)
    _interceptors: list[Callable[[WSGIEnvironment], WSGIApplication | None]] = field(default_factory=list)
    _stops: list[Callable[[], None]] = field(default_factory=list)

    @property
    def endpoint_url(self) -> str:
        """The URL to give a client as AWS_ENDPOINT_URL."""
        return f"http://{self.host}:{self.port}"

    def client_environment(self, region: str) -> dict[str, str]:
        """Return the environment in which any AWS client talks to this cloud and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "localcloud",
            "AWS_SECRET_ACCESS_KEY": "localcloud",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def serve_path(self, prefix: str, app: WSGIApplication) -> None:
        """Answer every request whose path starts with `prefix` by `app` instead of by moto."""
        self._routes[prefix] = app

    def serve_host(self, accepts: Callable[[str], bool], app: WSGIApplication) -> None:
        """Answer every request whose Host header is accepted by `app` instead of by moto."""
        self._host_routes.append((accepts, app))

    def intercept(self, interceptor: Callable[[WSGIEnvironment], WSGIApplication | None]) -> None:
        """Ask `interceptor` before every request to AWS; what it returns, if anything, answers instead."""
        self._interceptors.append(interceptor)

    def on_stop(self, stop: Callable[[], None]) -> None:
        """Run `stop` when the cloud shuts down; the last one registered runs first."""
        self._stops.append(stop)

    def stop(self) -> None:
        """Stop every service, the last one registered first."""
        while self._stops:
            self._stops.pop()()

    def dispatch(self, fallback: WSGIApplication) -> WSGIApplication:
        """Return the WSGI application that serves the registered routes and leaves the rest to `fallback`."""

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return self._choose(environ, fallback)(environ, with_request_id(start_response))

        return application

    def _choose(self, environ: dict[str, Any], fallback: WSGIApplication) -> WSGIApplication:
        path: str = environ.get("PATH_INFO", "")
        for prefix, app in self._routes.items():
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                return app
        for interceptor in self._interceptors:
            if (answer := interceptor(environ)) is not None:
                return answer
        host: str = environ.get("HTTP_HOST", "")
        for accepts, app in self._host_routes:
            if accepts(host):
                return app
        return fallback


def with_request_id(start_response: StartResponse) -> StartResponse:
    """Give every answer the request id that AWS's have and that Step Functions names in its errors."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        if not any(name.lower() == REQUEST_ID_HEADER for name, _ in headers):
            headers = [*headers, (REQUEST_ID_HEADER, str(uuid.uuid4()))]
        return start_response(status, headers, exc_info)

    return cast(StartResponse, start)
