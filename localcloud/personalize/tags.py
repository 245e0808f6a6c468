"""Tags of resources."""

from __future__ import annotations

from localcloud.personalize.errors import InvalidInputError, TooManyTagsError
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import TAGS
from localcloud.personalize.region import Region


def initial_tags(request: Request) -> dict[str, str]:
    """Return the tags of a Create request.

    Raises InvalidInputError for a repeated key or a key that starts with aws:, TooManyTagsError.
    """
    tags: dict[str, str] = {}
    for tag in request.get("tags", []):
        key = tag["tagKey"]
        if key.lower().startswith("aws:"):
            raise InvalidInputError(f"The tag key {key} starts with aws:, which is reserved.")
        if key in tags:
            raise InvalidInputError(f"The tag key {key} is given twice.")
        tags[key] = tag["tagValue"]
    if len(tags) > TAGS:
        raise TooManyTagsError(f"There are {len(tags)} tags; {TAGS} is the limit.")
    return tags


@operation("TagResource")
def tag_resource(region: Region, request: Request) -> Answer:
    """Add tags to a resource or change their values."""
    resource = region.by_arn(request["resourceArn"])
    tags = resource.tags | initial_tags(request)
    if len(tags) > TAGS:
        raise TooManyTagsError(f"{resource.arn} would have {len(tags)} tags; {TAGS} is the limit.")
    resource.tags = tags
    region.save()
    return {}


@operation("UntagResource")
def untag_resource(region: Region, request: Request) -> Answer:
    """Remove tags from a resource."""
    resource = region.by_arn(request["resourceArn"])
    resource.tags = {key: value for key, value in resource.tags.items() if key not in request["tagKeys"]}
    region.save()
    return {}


@operation("ListTagsForResource")
def list_tags_for_resource(region: Region, request: Request) -> Answer:
    """Return the tags of a resource."""
    tags = region.by_arn(request["resourceArn"]).tags
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]}
