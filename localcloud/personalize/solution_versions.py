"""Solution versions: trained models."""

from __future__ import annotations

from localcloud.personalize import training
from localcloud.personalize.avro import ACTIONS
from localcloud.personalize.catalogue import find_recipe
from localcloud.personalize.errors import InvalidInputError, ResourceInUseError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import PENDING_SOLUTION_VERSIONS, check_pending
from localcloud.personalize.region import Region, new_id
from localcloud.personalize.resources import (
    ACTIVE,
    IN_PROGRESS,
    PENDING,
    STOPPED,
    STOPPING,
    Dataset,
    Solution,
    SolutionVersion,
)
from localcloud.personalize.tags import initial_tags


@operation("CreateSolutionVersion")
def create_solution_version(region: Region, request: Request) -> Answer:
    """Train a solution on the data of its dataset group as it is now."""
    solution = region.get_active(Solution, request["solutionArn"])
    version = start_training(
        region,
        solution,
        training_mode=request.get("trainingMode", "FULL"),
        training_type="MANUAL",
        name=request.get("name"),
        tags=initial_tags(request),
    )
    return {"solutionVersionArn": version.arn}


def start_training(
    region: Region,
    solution: Solution,
    *,
    training_mode: str,
    training_type: str,
    name: str | None = None,
    tags: dict[str, str] | None = None,
) -> SolutionVersion:
    """Register a solution version and train it in the background.

    Raises PersonalizeError when it cannot be trained at all.
    """
    if training_mode == "AUTOTRAIN":
        raise InvalidInputError(
            "trainingMode AUTOTRAIN is set by automatic training only; use FULL or UPDATE."
        )
    if not region.all(Dataset, dataset_group_arn=solution.dataset_group_arn, dataset_type="INTERACTIONS"):
        raise InvalidInputError(f"{solution.dataset_group_arn} has no Interactions dataset to train on.")
    if find_recipe(solution.recipe_arn).recipe_type == "PERSONALIZED_ACTIONS" and not region.all(
        Dataset, dataset_group_arn=solution.dataset_group_arn, dataset_type=ACTIONS
    ):
        raise InvalidInputError(f"{solution.dataset_group_arn} has no Actions dataset to train on.")
    if training_mode == "UPDATE":
        _check_updatable(region, solution)
    check_pending(region.all(SolutionVersion), PENDING_SOLUTION_VERSIONS)
    last_part = name or new_id()
    version = SolutionVersion(
        arn=f"{solution.arn}/{last_part}",
        name=name or f"{solution.name}/{last_part}",
        solution_arn=solution.arn,
        dataset_group_arn=solution.dataset_group_arn,
        recipe_arn=solution.recipe_arn,
        training_mode=training_mode,
        training_type=training_type,
        perform_hpo=solution.perform_hpo,
        perform_incremental_update=solution.perform_incremental_update,
        event_type=solution.event_type,
        solution_config=solution.solution_config,
        tags=tags or {},
    )
    region.create(version, lambda: training.train(region, version))
    return version


def _check_updatable(region: Region, solution: Solution) -> None:
    recipe = find_recipe(solution.recipe_arn)
    if not recipe.supports_update:
        raise InvalidInputError(f"trainingMode UPDATE is not supported by the recipe {recipe.name}.")
    if training.last_full_version(region, solution.arn) is None:
        raise InvalidInputError(
            f"trainingMode UPDATE needs an ACTIVE solution version of {solution.arn} trained with FULL."
        )


@operation("StopSolutionVersionCreation")
def stop_solution_version_creation(region: Region, request: Request) -> Answer:
    """Stop a training."""
    version = region.get(SolutionVersion, request["solutionVersionArn"])
    if version.status not in {PENDING, IN_PROGRESS}:
        raise ResourceInUseError(f"{version.arn} is in the state {version.status}: there is nothing to stop.")
    version.enter(STOPPING)
    region.save()
    if not training.stop(version.arn):
        version.enter(STOPPED)
        region.save()
    return {}


@operation("DescribeSolutionVersion")
def describe_solution_version(region: Region, request: Request) -> Answer:
    """Return a solution version."""
    version = region.get(SolutionVersion, request["solutionVersionArn"])
    return describe("DescribeSolutionVersion", "solutionVersion", version)


@operation("ListSolutionVersions")
def list_solution_versions(region: Region, request: Request) -> Answer:
    """Return the versions of a solution, or all, page by page."""
    if "solutionArn" in request:
        region.get(Solution, request["solutionArn"])
    versions = region.listed(SolutionVersion, request, "solution_arn")
    return page("ListSolutionVersions", "solutionVersions", request, versions)


@operation("GetSolutionMetrics")
def get_solution_metrics(region: Region, request: Request) -> Answer:
    """Return the metrics of a trained version, measured on the held-out interactions."""
    version = region.get(SolutionVersion, request["solutionVersionArn"])
    if version.status != ACTIVE:
        raise ResourceInUseError(f"{version.arn} has no metrics yet; its status is {version.status}.")
    return {"solutionVersionArn": version.arn, "metrics": version.metrics or {}}
