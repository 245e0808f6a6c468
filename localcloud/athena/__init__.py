"""Athena whose queries run: Trino SQL parsed by sqlglot, run by DuckDB over the Glue catalog's tables."""

from __future__ import annotations

from localcloud.athena.api import patch_moto
from localcloud.context import CloudContext
from localcloud.s3 import object_tree


def install(context: CloudContext) -> None:
    """Run queries from now on; stop what still runs when the cloud stops."""
    context.on_stop(patch_moto(context, object_tree()))
