"""Domain recommenders: there can be none, since domain dataset groups are not built."""

from __future__ import annotations

from localcloud.personalize.listing import page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.region import Region


@operation("ListRecommenders", "always empty: domain dataset groups are not built")
def list_recommenders(_region: Region, request: Request) -> Answer:
    """Return no recommenders."""
    return page("ListRecommenders", "recommenders", request, [])
