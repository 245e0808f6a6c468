"""The quotas of Amazon Personalize that bite in practice, at AWS's defaults.

Source: developer guide, "Amazon Personalize endpoints and quotas".
"""

from __future__ import annotations

from collections.abc import Iterable

from localcloud.personalize.errors import LimitExceededError
from localcloud.personalize.resources import Resource

SCHEMAS = 500
DATASET_GROUPS = 5
SOLUTIONS_IN_GROUP = 10
CAMPAIGNS_IN_GROUP = 5
FILTERS_IN_GROUP = 10
FIELDS_IN_FILTER = 5
FIELDS_IN_GROUP = 10
PENDING_IMPORTS = 5
PENDING_BATCH_JOBS = 5
PENDING_SOLUTION_VERSIONS = 20
PENDING_EXPORTS = 5
PENDING_DELETIONS = 5
TAGS = 50
BATCH_INPUT_FILES = 1000
BATCH_INPUT_BYTES = 1 << 30
# Queries in an input file of a batch segment job, by recipe.
SEGMENT_QUERIES = {"aws-item-affinity": 500, "aws-item-attribute-affinity": 10}
INCREMENTAL_IMPORT_BYTES = 1 << 30
MIN_INTERACTIONS = 1000
MIN_USERS_WITH_TWO = 25
EVENT_TYPES_AND_METADATA = 10
METRICS_IN_ATTRIBUTION = 10
EVENT_BYTES = 10 * 1024
RECOMMENDATIONS = 500


def check_active(present: Iterable[Resource], limit: int) -> None:
    """Raise LimitExceededError when `limit` resources exist already."""
    if sum(1 for _ in present) >= limit:
        raise LimitExceededError(
            f"More than {limit} resources in ACTIVE state. Please delete some and try again."
        )


def check_pending(present: Iterable[Resource], limit: int) -> None:
    """Raise LimitExceededError when `limit` resources are being created."""
    if sum(resource.status in {resource.WAITING, resource.WORKING} for resource in present) >= limit:
        raise LimitExceededError(f"More than {limit} resources with PENDING or IN_PROGRESS status.")
