"""API Gateway: moto's API with deployed stages really served."""

from __future__ import annotations

import re
from typing import Any

from moto.apigateway import models

from localcloud.apigateway.gateway import PATH_PREFIX, Gateway
from localcloud.apigateway.routing import snapshot
from localcloud.context import CloudContext

HOST = re.compile(r"^[a-z0-9]+\.execute-api\.")


def install(context: CloudContext) -> None:
    """Keep what each deployment holds, and serve the stages by host name and by path."""
    api: Any = models.RestAPI
    by_moto = api.create_deployment

    def create_deployment(self: Any, *arguments: Any, **settings: Any) -> Any:
        deployment = by_moto(self, *arguments, **settings)
        deployment.routes = snapshot(self)
        return deployment

    api.create_deployment = create_deployment
    api.update_integration_mocks = lambda _self, _stage_name: None
    gateway = Gateway()
    context.serve_path(PATH_PREFIX, gateway)
    context.serve_host(lambda host: HOST.match(host) is not None, gateway)
