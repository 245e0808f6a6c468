"""personalize-runtime: recommendations and rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.personalize.action_serving import ActionServer
from localcloud.personalize.avro import INTERACTIONS
from localcloud.personalize.candidates import ItemCandidates
from localcloud.personalize.catalogue import find_recipe
from localcloud.personalize.errors import InvalidInputError, NotBuiltError
from localcloud.personalize.filter_resources import parsed
from localcloud.personalize.filters import FilterExpression, parameters_of
from localcloud.personalize.objective import objective_of
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import RECOMMENDATIONS
from localcloud.personalize.recipes import Exploration
from localcloud.personalize.recipes.next_best_action import NextBestActionModel
from localcloud.personalize.region import Region
from localcloud.personalize.resources import ACTIVE, Campaign, Filter, SolutionVersion
from localcloud.personalize.serving import Float32s, Scored, Server

_DEFAULT_RESULTS = 25
_DEFAULT_ACTIONS = 5
_TRENDING = "aws-trending-now"
_MOST_ACTIONS = 100
_RANKING_INPUTS = 500
_RESULTS_WITH_METADATA = 50
# By recipe type; GetRecommendations and ItemID for the others.
_CALLS = {
    "PERSONALIZED_RANKING": "GetPersonalizedRanking",
    "PERSONALIZED_ACTIONS": "GetActionRecommendations",
}
_SUBJECTS = {"USER_SEGMENTATION": "UserID", "PERSONALIZED_ACTIONS": "ActionID"}


@operation("GetRecommendations", "campaigns of custom solutions")
def get_recommendations(region: Region, request: Request) -> Answer:
    """Return recommended items for a user, or items like an item."""
    if "recommenderArn" in request:
        raise NotBuiltError("GetRecommendations: recommenderArn (domain recommenders)")
    if "campaignArn" not in request:
        raise InvalidInputError("A campaignArn is needed.")
    campaign, version = _in_service(region, request["campaignArn"])
    _refuse_other_calls(campaign, version, "GetRecommendations")
    server = server_of(region, version)
    needed = "itemId" if server.recipe.recipe_type == "RELATED_ITEMS" else "userId"
    # Trending-Now is the same for everybody: a user is needed by filters only.
    if server.recipe.name != _TRENDING and not request.get(needed):
        raise InvalidInputError(f"The recipe {server.recipe.name} needs {needed}.")
    count = request.get("numResults", _DEFAULT_RESULTS)
    if not 1 <= count <= RECOMMENDATIONS:
        raise InvalidInputError(f"numResults is {count}; it must lie in [1, {RECOMMENDATIONS}].")
    columns = _metadata_columns(campaign, request)
    if columns and count > _RESULTS_WITH_METADATA:
        raise InvalidInputError(
            f"numResults is {count}; with metadata it is at most {_RESULTS_WITH_METADATA}."
        )
    _check_context(region, version, request)
    candidates = server.candidates(request.get("userId"), request.get("itemId"))
    expression = filter_of(region, version, request)
    mask = server.mask(expression, candidates, request.get("filterValues", {}))
    exploration = exploration_of(campaign.campaign_config or {})
    logits = server.logits(candidates, request.get("context"))
    items = server.recommend(candidates, logits, mask, count, exploration)
    for promotion in request.get("promotions", []):
        items = _promoted(
            server,
            candidates,
            items,
            logits=logits,
            expression=filter_of(region, version, promotion),
            promotion=promotion,
            count=count,
        )
    recommendation_id = region.recommendations.record(campaign.arn)
    return {"itemList": _item_list(server, items, columns), "recommendationId": recommendation_id}


def _promoted(
    server: Server,
    candidates: ItemCandidates,
    items: list[Scored],
    *,
    logits: Float32s,
    expression: FilterExpression | None,
    promotion: dict[str, Any],
    count: int,
) -> list[Scored]:
    """Give a share of the places to the items of the promotion's filter."""
    if "filterArn" not in promotion or "percentPromotedItems" not in promotion:
        raise InvalidInputError("A promotion needs a filterArn and percentPromotedItems.")
    mask = server.mask(expression, candidates, promotion.get("filterValues", {}))
    places = count * promotion["percentPromotedItems"] // 100
    promoted = server.recommend(candidates, logits, mask, places) if places else []
    return server.promote(items, promoted, promotion.get("name", "promotion"), count)


def exploration_of(config: Mapping[str, Any]) -> Exploration:
    """Return the exploration of a campaign's or batch job's configuration, AWS's default without one."""
    given = config.get("itemExplorationConfig", {})
    default = Exploration()
    return Exploration(
        weight=float(given.get("explorationWeight", default.weight)),
        item_age_cut_off_days=float(given.get("explorationItemAgeCutOff", default.item_age_cut_off_days)),
    )


@operation("GetPersonalizedRanking")
def get_personalized_ranking(region: Region, request: Request) -> Answer:
    """Return a list of items in the order of a user's interest."""
    campaign, version = _in_service(region, request["campaignArn"])
    _refuse_other_calls(campaign, version, "GetPersonalizedRanking")
    server = server_of(region, version)
    item_ids: list[str] = request["inputList"]
    if not 1 <= len(item_ids) <= _RANKING_INPUTS:
        raise InvalidInputError(f"inputList has {len(item_ids)} items; it must have 1 to {_RANKING_INPUTS}.")
    _check_context(region, version, request)
    candidates = server.candidates(request["userId"], None)
    expression = filter_of(region, version, request)
    mask = server.mask(expression, candidates, request.get("filterValues", {}))
    items = server.rank(server.logits(candidates, request.get("context")), mask, item_ids)
    columns = _metadata_columns(campaign, request)
    recommendation_id = region.recommendations.record(campaign.arn)
    return {"personalizedRanking": _item_list(server, items, columns), "recommendationId": recommendation_id}


@operation("GetActionRecommendations")
def get_action_recommendations(region: Region, request: Request) -> Answer:
    """Return the actions that a user will most likely take."""
    for member in ("campaignArn", "userId"):
        if not request.get(member):
            raise InvalidInputError(f"A {member} is needed.")
    campaign, version = _in_service(region, request["campaignArn"])
    _refuse_other_calls(campaign, version, "GetActionRecommendations")
    count = request.get("numResults", _DEFAULT_ACTIONS)
    if not 1 <= count <= _MOST_ACTIONS:
        raise InvalidInputError(f"numResults is {count}; it must lie in [1, {_MOST_ACTIONS}].")
    model = region.models.load(version.arn)
    assert isinstance(model, NextBestActionModel)  # noqa: S101 - the recipe's model
    schemas = region.schemas_of(version.dataset_group_arn)
    server = ActionServer(model, region.data.of(version.dataset_group_arn), schemas)
    expression = filter_of(region, version, request)
    actions = server.recommend(request["userId"], expression, request.get("filterValues", {}), count)
    return {"actionList": actions, "recommendationId": region.recommendations.record(campaign.arn)}


def _refuse_other_calls(campaign: Campaign, version: SolutionVersion, call: str) -> None:
    recipe = find_recipe(version.recipe_arn)
    right = _CALLS.get(recipe.recipe_type, "GetRecommendations")
    if call != right:
        raise InvalidInputError(f"The campaign {campaign.arn} serves the recipe {recipe.name}: use {right}.")


def server_of(region: Region, version: SolutionVersion) -> Server:
    """Return what answers from a solution version, made once."""
    with region.lock:
        if version.arn not in region.servers:
            region.servers[version.arn] = Server(
                region.models.load(version.arn),
                find_recipe(version.recipe_arn),
                region.data.of(version.dataset_group_arn),
                region.schemas_of(version.dataset_group_arn),
                objective_of(version.solution_config),
            )
        return region.servers[version.arn]


def filter_of(
    region: Region, version: SolutionVersion, request: Mapping[str, Any]
) -> FilterExpression | None:
    """Return the filter that a request names, None without one.

    Raises PersonalizeError when it is not an ACTIVE filter of the version's dataset group, or a value has no
    parameter.
    """
    if "filterArn" not in request:
        if request.get("filterValues"):
            raise InvalidInputError("filterValues are given without a filterArn.")
        return None
    found = region.get_active(Filter, request["filterArn"])
    if found.dataset_group_arn != version.dataset_group_arn:
        raise InvalidInputError(f"The filter {found.arn} belongs to another dataset group.")
    expression = parsed(found.filter_expression)
    recipe = find_recipe(version.recipe_arn)
    subject = _SUBJECTS.get(recipe.recipe_type, "ItemID")
    if expression.subject != subject.upper():
        raise InvalidInputError(
            f"The filter {found.arn} is not about {subject}, which the recipe {recipe.name} needs."
        )
    unknown = set(request.get("filterValues", {})) - parameters_of(expression)
    if unknown:
        raise InvalidInputError(f"The filter {found.arn} has no parameter {', '.join(sorted(unknown))}.")
    return expression


def _check_context(region: Region, version: SolutionVersion, request: Request) -> None:
    """Refuse context that is not a column of the interactions."""
    if "context" in request:
        schema = region.schemas_of(version.dataset_group_arn)[INTERACTIONS]
        for name in request["context"]:
            if name not in {column.name for column in schema.metadata}:
                raise InvalidInputError(
                    f"The context {name} is not a metadata column of the Interactions schema."
                )


def _in_service(region: Region, campaign_arn: str) -> tuple[Campaign, SolutionVersion]:
    campaign = region.get(Campaign, campaign_arn)
    if campaign.status != ACTIVE:
        raise InvalidInputError(
            f"The campaign {campaign.arn} is not ACTIVE; its status is {campaign.status}."
        )
    return campaign, region.get(SolutionVersion, campaign.solution_version_arn)


def _metadata_columns(campaign: Campaign, request: Request) -> Sequence[str]:
    columns: list[str] = request.get("metadataColumns", {}).get("ITEMS", [])
    if columns and not (campaign.campaign_config or {}).get("enableMetadataWithRecommendations"):
        raise InvalidInputError(
            f"metadataColumns need campaignConfig.enableMetadataWithRecommendations on {campaign.arn}."
        )
    return columns


def _item_list(server: Server, items: Sequence[Scored], columns: Sequence[str]) -> list[dict[str, Any]]:
    # AWS gives scores with seven digits, and none for SIMS and Popularity-Count.
    with_scores = server.recipe.recipe_type not in {"RELATED_ITEMS", "POPULAR_ITEMS"}
    listed = []
    for item in items:
        record: dict[str, Any] = {"itemId": item.item_id}
        if with_scores:
            record["score"] = round(item.score, 7)
        if item.promotion is not None:
            record["promotionName"] = item.promotion
            if server.recipe.name.endswith("-v2"):
                record["reason"] = ["Promoted item"]
        if columns:
            record["metadata"] = server.metadata(item.item_id, columns)
        listed.append(record)
    return listed
