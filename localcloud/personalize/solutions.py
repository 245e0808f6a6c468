"""Solutions: a recipe with its configuration."""

from __future__ import annotations

import time

from localcloud.personalize.catalogue import find_recipe
from localcloud.personalize.errors import InvalidInputError, NotBuiltError, ResourceInUseError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import SOLUTIONS_IN_GROUP, check_active
from localcloud.personalize.recipes import Recipe
from localcloud.personalize.region import Region, refuse_if_changing
from localcloud.personalize.resources import (
    ACTIVE,
    BatchInferenceJob,
    BatchSegmentJob,
    Campaign,
    DatasetGroup,
    Solution,
    SolutionVersion,
)
from localcloud.personalize.solution_config import check_config
from localcloud.personalize.tags import initial_tags
from localcloud.personalize.wire import render, service_model


@operation("CreateSolution", "no performAutoML; an optimizationObjective has no average_rewards_at_k metric")
def create_solution(region: Region, request: Request) -> Answer:
    """Create a solution; with performAutoTraining (AWS's default) it is trained every so often by itself."""
    group = region.get_active(DatasetGroup, request["datasetGroupArn"])
    if request.get("performAutoML"):
        raise NotBuiltError("CreateSolution: performAutoML (deprecated by AWS)")
    if "recipeArn" not in request:
        raise InvalidInputError("A recipeArn is needed.")
    recipe = find_recipe(request["recipeArn"])
    _check_incremental(request, recipe)
    config = request.get("solutionConfig", {})
    schemas = region.schemas_of(group.arn)
    check_config(config, recipe, schemas)
    if "eventType" in request and config.get("eventsConfig"):
        raise InvalidInputError("Give eventType or solutionConfig.eventsConfig, not both.")
    if request.get("performHPO") and not any(one.tunable for one in recipe.hyperparameters):
        raise InvalidInputError(
            f"The recipe {recipe.name} has no hyperparameter to tune: performHPO must be false."
        )
    check_active(region.all(Solution, dataset_group_arn=group.arn), SOLUTIONS_IN_GROUP)
    solution = Solution(
        arn=region.arn(Solution, request["name"]),
        name=request["name"],
        dataset_group_arn=group.arn,
        recipe_arn=request["recipeArn"],
        perform_hpo=request.get("performHPO", False),
        perform_auto_training=request.get("performAutoTraining", True),
        event_type=request.get("eventType"),
        solution_config=config,
        columns={kind: [column.name for column in schema.metadata] for kind, schema in schemas.items()},
        tags=initial_tags(request),
    )
    region.create(solution)
    return {"solutionArn": solution.arn}


@operation("UpdateSolution")
def update_solution(region: Region, request: Request) -> Answer:
    """Change the automatic training or the event weights of a solution."""
    solution = region.get_active(Solution, request["solutionArn"])
    changes = {name: value for name, value in request.items() if name != "solutionArn"}
    if not changes:
        raise InvalidInputError("UpdateSolution needs something to change.")
    recipe = find_recipe(solution.recipe_arn)
    _check_incremental(request, recipe)
    update = request.get("solutionUpdateConfig", {})
    config = solution.solution_config | update
    check_config(config, recipe, region.schemas_of(solution.dataset_group_arn))
    if solution.event_type and config.get("eventsConfig"):
        raise InvalidInputError(
            f"{solution.arn} has the eventType {solution.event_type}: it cannot have an eventsConfig too."
        )
    solution.solution_config = config
    if "performAutoTraining" in request:
        solution.perform_auto_training = request["performAutoTraining"]
    now = time.time()
    solution.last_updated_date_time = now
    solution.latest_solution_update = {
        **changes,
        "status": ACTIVE,
        "creationDateTime": now,
        "lastUpdatedDateTime": now,
    }
    region.save()
    return {"solutionArn": solution.arn}


def _check_incremental(request: Request, recipe: Recipe) -> None:
    """Refuse performIncrementalUpdate: AWS has it for its Semantic-Similarity recipe only."""
    if request.get("performIncrementalUpdate"):
        raise InvalidInputError(f"performIncrementalUpdate is not supported by the recipe {recipe.name}.")


@operation("DescribeSolution")
def describe_solution(region: Region, request: Request) -> Answer:
    """Return a solution with its latest version."""
    solution = region.get(Solution, request["solutionArn"])
    answer = describe("DescribeSolution", "solution", solution)
    if versions := region.all(SolutionVersion, solution_arn=solution.arn):
        shape = service_model("personalize").shape_for("SolutionVersionSummary")
        answer["solution"]["latestSolutionVersion"] = render(versions[-1], shape)
    return answer


@operation("ListSolutions")
def list_solutions(region: Region, request: Request) -> Answer:
    """Return the solutions of a dataset group, or all, page by page."""
    return page("ListSolutions", "solutions", request, region.listed(Solution, request, "dataset_group_arn"))


@operation("DeleteSolution")
def delete_solution(region: Region, request: Request) -> Answer:
    """Delete a solution and its versions; not while one is in training or serves a campaign."""
    solution = region.get(Solution, request["solutionArn"])
    refuse_if_changing(solution)
    versions = region.all(SolutionVersion, solution_arn=solution.arn)
    for version in versions:
        refuse_if_changing(version)
        if campaigns := region.all(Campaign, solution_version_arn=version.arn):
            raise ResourceInUseError(
                f"{solution.arn} is in use by {campaigns[0].arn}; delete the campaign first."
            )
        jobs = [
            *region.all(BatchInferenceJob, solution_version_arn=version.arn),
            *region.all(BatchSegmentJob, solution_version_arn=version.arn),
        ]
        if running := [job for job in jobs if job.is_changing]:
            raise ResourceInUseError(f"{solution.arn} is in use by {running[0].arn}.")

    def remove_versions() -> None:
        with region.lock:
            for version in versions:
                region.remove(version)
                region.servers.pop(version.arn, None)
        region.models.drop(solution.arn)

    region.delete(solution, remove_versions)
    return {}
