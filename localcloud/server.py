"""Start moto's server with localcloud's services plugged in."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from localcloud.context import CloudContext

# Each is a module or package of localcloud with `install(context)`; the order is the order of installation.
SERVICES: tuple[str, ...] = (
    "faults",
    "s3",
    "dynamodb",
    "glue",
    "athena",
    "cloudtrail",
    "cloudwatch",
    "embedded_metrics",
    "cloudformation",
    "stepfunctions",
    "aws_lambda",
    "queues",
    "event_sources",
    "scheduler",
    "event_rules",
    "topics",
    "apigateway",
    "personalize",
)


class Service(Protocol):
    """A plug-in: called once, before the server accepts its first request."""

    def install(self, context: CloudContext) -> None:
        """Plug the service's executors into moto."""


def install_services(context: CloudContext) -> None:
    """Plug every service into moto, in order."""
    for name in SERVICES:
        cast(Service, import_module(f"localcloud.{name}")).install(context)


def health_application(context: CloudContext) -> WSGIApplication:
    """Answer GET /_localcloud/health with the services that are up."""

    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = json.dumps({"status": "ok", "endpoint": context.endpoint_url, "services": list(SERVICES)})
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body.encode()]

    return application


def run(host: str, port: int, data_dir: Path | None) -> None:
    """Serve until SIGTERM or SIGINT; print one line when ready.

    Port 0 takes a free port. Raises OSError when the port is taken.
    """
    os.environ["MOTO_PORT"] = str(port)
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    # Imported late: moto reads its settings from the environment when it is imported.
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    class QuietRequestHandler(MotoRequestHandler):
        """Logs no requests, and speaks HTTP/1.1: clients that ask before sending a body are told to go on."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing: a deployment makes thousands of requests."""

    with tempfile.TemporaryDirectory(prefix="localcloud-") as work_dir:
        context = CloudContext(host=host, port=port, work_dir=Path(work_dir), data_dir=data_dir)
        moto_app = cast(WSGIApplication, DomainDispatcherApplication(create_backend_app))
        server = make_server(
            host, port, context.dispatch(moto_app), threaded=True, request_handler=QuietRequestHandler
        )
        context.port = server.port
        os.environ["MOTO_PORT"] = str(server.port)
        context.serve_path("/_localcloud/health", health_application(context))
        install_services(context)

        def shut_down(_signal: int, _frame: object) -> None:
            threading.Thread(target=server.shutdown, daemon=True).start()

        signal.signal(signal.SIGTERM, shut_down)
        signal.signal(signal.SIGINT, shut_down)
        sys.stdout.write(f"localcloud ready at {context.endpoint_url}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        finally:
            context.stop()
            server.server_close()
