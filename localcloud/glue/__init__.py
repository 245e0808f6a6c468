"""Glue whose jobs run: a job run is the job's script in a PySpark process, its states those of the process.

The catalog (databases, tables, partitions) is moto's; `localcloud.athena` queries it.
"""

from __future__ import annotations

from localcloud.context import CloudContext
from localcloud.glue.jobs import patch_moto
from localcloud.s3 import object_tree


def install(context: CloudContext) -> None:
    """Run job scripts from now on; stop what still runs when the cloud stops."""
    context.on_stop(patch_moto(context, object_tree()))
