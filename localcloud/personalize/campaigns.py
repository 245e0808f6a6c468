"""Campaigns: deployed solution versions."""

from __future__ import annotations

import time
from typing import Any

from localcloud.personalize.catalogue import find_recipe
from localcloud.personalize.errors import InvalidInputError, NotBuiltError, ResourceInUseError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import CAMPAIGNS_IN_GROUP, check_active
from localcloud.personalize.region import Region, refuse_if_changing
from localcloud.personalize.resources import (
    ACTIVE,
    FAILED,
    IN_PROGRESS,
    PENDING,
    Campaign,
    Json,
    SolutionVersion,
)
from localcloud.personalize.solution_config import number
from localcloud.personalize.tags import initial_tags

_LATEST = "/$LATEST"


@operation("CreateCampaign")
def create_campaign(region: Region, request: Request) -> Answer:
    """Deploy a solution version."""
    config = request.get("campaignConfig", {})
    version = _version(region, request["solutionVersionArn"], config)
    _check_config(config, version)
    in_group = [
        one
        for one in region.all(Campaign)
        if region.get(SolutionVersion, one.solution_version_arn).dataset_group_arn
        == version.dataset_group_arn
    ]
    check_active(in_group, CAMPAIGNS_IN_GROUP)
    campaign = Campaign(
        arn=region.arn(Campaign, request["name"]),
        name=request["name"],
        solution_version_arn=version.arn,
        min_provisioned_tps=request.get("minProvisionedTPS", 1),
        campaign_config=config or None,
        tags=initial_tags(request),
    )
    region.create(campaign, lambda: region.models.warm(version.arn))
    return {"campaignArn": campaign.arn}


@operation("UpdateCampaign")
def update_campaign(region: Region, request: Request) -> Answer:
    """Deploy another solution version or configuration; the campaign serves the old one until then."""
    campaign = region.get_active(Campaign, request["campaignArn"])
    _refuse_while_updated(campaign)
    config = request.get("campaignConfig", campaign.campaign_config or {})
    version = _version(region, request.get("solutionVersionArn", campaign.solution_version_arn), config)
    _check_config(config, version)
    deploy(region, campaign, version, request.get("minProvisionedTPS", campaign.min_provisioned_tps), config)
    return {"campaignArn": campaign.arn}


def deploy(
    region: Region,
    campaign: Campaign,
    version: SolutionVersion,
    min_provisioned_tps: int | None,
    config: Json,
) -> None:
    """Bring a version into service in the background, told by latestCampaignUpdate."""
    now = time.time()
    update: Json = {
        "solutionVersionArn": version.arn,
        "minProvisionedTPS": min_provisioned_tps,
        "campaignConfig": config or None,
        "status": PENDING,
        "creationDateTime": now,
        "lastUpdatedDateTime": now,
    }
    campaign.latest_campaign_update = update
    region.save()

    def bring_into_service() -> None:
        with region.lock:
            update.update(status=IN_PROGRESS, lastUpdatedDateTime=time.time())
            region.save()
        try:
            region.models.warm(version.arn)
        except Exception as error:
            with region.lock:
                reason = f"The solution version cannot be loaded: {error}"
                update.update(status=FAILED, failureReason=reason, lastUpdatedDateTime=time.time())
                region.save()
            raise
        with region.lock:
            campaign.solution_version_arn = version.arn
            campaign.min_provisioned_tps = min_provisioned_tps
            campaign.campaign_config = config or None
            campaign.last_updated_date_time = time.time()
            update.update(status=ACTIVE, lastUpdatedDateTime=campaign.last_updated_date_time)
            region.save()

    region.in_background(bring_into_service)


def follow_latest_version(region: Region, version: SolutionVersion) -> None:
    """Update the campaigns that want their solution's latest version (syncWithLatestSolutionVersion)."""
    for campaign in region.all(Campaign):
        serves = region.get(SolutionVersion, campaign.solution_version_arn)
        config = campaign.campaign_config or {}
        if serves.solution_arn == version.solution_arn and config.get("syncWithLatestSolutionVersion"):
            deploy(region, campaign, version, campaign.min_provisioned_tps, config)


@operation("DescribeCampaign")
def describe_campaign(region: Region, request: Request) -> Answer:
    """Return a campaign with its latest update."""
    return describe("DescribeCampaign", "campaign", region.get(Campaign, request["campaignArn"]))


@operation("ListCampaigns")
def list_campaigns(region: Region, request: Request) -> Answer:
    """Return the campaigns of a solution, or all, page by page."""
    solution_arn = request.get("solutionArn")
    campaigns = [
        campaign
        for campaign in region.all(Campaign)
        if solution_arn is None or campaign.solution_version_arn.startswith(f"{solution_arn}/")
    ]
    return page("ListCampaigns", "campaigns", request, campaigns)


@operation("DeleteCampaign")
def delete_campaign(region: Region, request: Request) -> Answer:
    """Take a campaign out of service."""
    campaign = region.get(Campaign, request["campaignArn"])
    refuse_if_changing(campaign)
    _refuse_while_updated(campaign)
    region.delete(campaign)
    return {}


def _refuse_while_updated(campaign: Campaign) -> None:
    if (campaign.latest_campaign_update or {}).get("status") in {PENDING, IN_PROGRESS}:
        raise ResourceInUseError(f"{campaign.arn} is being updated; try again later.")


def _version(region: Region, arn: str, config: dict[str, Any]) -> SolutionVersion:
    """Return the ACTIVE version that an ARN names; `<solution ARN>/$LATEST` is the newest one."""
    if not arn.endswith(_LATEST):
        return region.get_active(SolutionVersion, arn)
    if not config.get("syncWithLatestSolutionVersion"):
        raise InvalidInputError("$LATEST needs campaignConfig.syncWithLatestSolutionVersion to be true.")
    solution_arn = arn.removesuffix(_LATEST)
    versions = region.all(SolutionVersion, solution_arn=solution_arn, status=ACTIVE)
    if not versions:
        raise InvalidInputError(f"{solution_arn} has no ACTIVE solution version.")
    return versions[-1]


def _check_config(config: dict[str, Any], version: SolutionVersion) -> None:
    recipe = find_recipe(version.recipe_arn)
    if recipe.recipe_type == "USER_SEGMENTATION":
        raise InvalidInputError(
            f"The recipe {recipe.name} makes user segments in batch segment jobs only: it has no campaigns."
        )
    if config.get("rankingInfluence"):
        raise NotBuiltError("campaignConfig.rankingInfluence")
    check_exploration(config.get("itemExplorationConfig", {}), version)


def check_exploration(config: dict[str, str], version: SolutionVersion) -> None:
    """Check an itemExplorationConfig.

    Raises InvalidInputError.
    """
    recipe = find_recipe(version.recipe_arn)
    if config and not recipe.explores:
        raise InvalidInputError(
            f"The recipe {recipe.name} does not explore: itemExplorationConfig must be left out."
        )
    for name, text in config.items():
        value = number(name, text)
        if name == "explorationWeight":
            if not 0 <= value <= 1:
                raise InvalidInputError(f"explorationWeight is {text}; it must lie in [0, 1].")
        elif name == "explorationItemAgeCutOff":
            if value <= 0:
                raise InvalidInputError(
                    f"explorationItemAgeCutOff is {text}; it must be a positive number of days."
                )
        else:
            raise InvalidInputError(
                f"itemExplorationConfig has no member {name}; "
                "it has explorationWeight and explorationItemAgeCutOff."
            )
