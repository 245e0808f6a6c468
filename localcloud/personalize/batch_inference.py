"""Batch inference jobs: JSON Lines in, JSON Lines out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localcloud.personalize.campaigns import check_exploration
from localcloud.personalize.candidates import ItemCandidates
from localcloud.personalize.catalogue import find_recipe
from localcloud.personalize.errors import InvalidInputError, NotBuiltError
from localcloud.personalize.filters import FilterExpression, parameters_of
from localcloud.personalize.line_jobs import check_locations, run_line_job
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import PENDING_BATCH_JOBS, RECOMMENDATIONS, check_pending
from localcloud.personalize.recipes import Exploration
from localcloud.personalize.region import Region
from localcloud.personalize.resources import BatchInferenceJob, Json, SolutionVersion
from localcloud.personalize.runtime import exploration_of, filter_of, server_of
from localcloud.personalize.serving import Float32s, Mask, Server
from localcloud.personalize.tags import initial_tags

_DEFAULT_RESULTS = 25
_NEEDED = {
    "USER_PERSONALIZATION": ("userId",),
    "POPULAR_ITEMS": ("userId",),
    "RELATED_ITEMS": ("itemId",),
    "PERSONALIZED_RANKING": ("userId", "itemList"),
}


@operation("CreateBatchInferenceJob", "no THEME_GENERATION")
def create_batch_inference_job(region: Region, request: Request) -> Answer:
    """Recommend for every line of the input files."""
    if request.get("batchInferenceJobMode") == "THEME_GENERATION" or "themeGenerationConfig" in request:
        raise NotBuiltError("CreateBatchInferenceJob: THEME_GENERATION")
    version = region.get_active(SolutionVersion, request["solutionVersionArn"])
    recipe = find_recipe(version.recipe_arn)
    if recipe.recipe_type not in _NEEDED or recipe.name == "aws-trending-now":
        raise InvalidInputError(f"The recipe {recipe.name} makes no batch recommendations.")
    config = request.get("batchInferenceJobConfig", {})
    if config.get("rankingInfluence"):
        raise NotBuiltError("batchInferenceJobConfig.rankingInfluence")
    check_exploration(config.get("itemExplorationConfig", {}), version)
    filter_of(region, version, request)
    count = request.get("numResults", _DEFAULT_RESULTS)
    if not 1 <= count <= RECOMMENDATIONS:
        raise InvalidInputError(f"numResults is {count}; it must lie in [1, {RECOMMENDATIONS}].")
    check_locations(request)
    check_pending(region.all(BatchInferenceJob), PENDING_BATCH_JOBS)
    job = BatchInferenceJob(
        arn=region.arn(BatchInferenceJob, request["jobName"]),
        job_name=request["jobName"],
        role_arn=request["roleArn"],
        solution_version_arn=version.arn,
        job_input=request["jobInput"],
        job_output=request["jobOutput"],
        filter_arn=request.get("filterArn"),
        num_results=count,
        batch_inference_job_config=config or None,
        tags=initial_tags(request),
    )
    region.create(job, lambda: _infer(region, job))
    return {"batchInferenceJobArn": job.arn}


def _infer(region: Region, job: BatchInferenceJob) -> None:
    """Do the work of a job.

    Raises JobFailedError.
    """
    version = region.get(SolutionVersion, job.solution_version_arn)
    request = {"filterArn": job.filter_arn} if job.filter_arn else {}
    expression = filter_of(region, version, request)
    exploration = exploration_of(job.batch_inference_job_config or {})
    answerer = _Recommendations(
        server_of(region, version), expression, job.num_results or _DEFAULT_RESULTS, exploration
    )
    run_line_job(region, job, answerer)


@dataclass(frozen=True)
class _Prepared:
    """An input line that can be answered."""

    line: Json
    candidates: ItemCandidates
    mask: Mask


class _Recommendations:
    """Answers input lines with recommendations or rankings, as the recipe does: line_jobs.LineAnswerer."""

    def __init__(
        self, server: Server, expression: FilterExpression | None, count: int, exploration: Exploration
    ) -> None:
        self._server = server
        self._expression = expression
        self._parameters = parameters_of(expression) if expression else frozenset()
        self._count = count
        self._exploration = exploration
        self._needed = _NEEDED[server.recipe.recipe_type]
        self._with_scores = server.recipe.recipe_type not in {"RELATED_ITEMS", "POPULAR_ITEMS"}

    def prepare(self, line: Json) -> _Prepared:
        """Check that a line has what the recipe needs, and filter the items for it.

        Raises PersonalizeError.
        """
        for member in self._needed:
            expected = list if member == "itemList" else str
            if not isinstance(line.get(member), expected) or not line[member]:
                raise InvalidInputError(f"The line needs {member}.")
        values = line.get("filterValues", {})
        if unknown := set(values) - self._parameters:
            raise InvalidInputError(f"The filter has no parameter {', '.join(sorted(unknown))}.")
        candidates = self._server.candidates(line.get("userId"), line.get("itemId"))
        return _Prepared(line, candidates, self._server.mask(self._expression, candidates, values))

    def answer(self, prepared: Sequence[_Prepared]) -> list[Json]:
        """Return the outputs for some lines, scored together."""
        logits = self._server.logits_of_many([one.candidates for one in prepared])
        return [self._output(one, row) for one, row in zip(prepared, logits, strict=True)]

    def _output(self, one: _Prepared, logits: Float32s) -> Json:
        if "itemList" in self._needed:
            items = self._server.rank(logits, one.mask, [str(item) for item in one.line["itemList"]])
        else:
            items = self._server.recommend(one.candidates, logits, one.mask, self._count, self._exploration)
        output: Json = {"recommendedItems": [item.item_id for item in items]}
        if self._with_scores:
            output["scores"] = [round(item.score, 7) for item in items]
        return {"input": one.line, "output": output, "error": None}


@operation("DescribeBatchInferenceJob")
def describe_batch_inference_job(region: Region, request: Request) -> Answer:
    """Return a batch inference job."""
    job = region.get(BatchInferenceJob, request["batchInferenceJobArn"])
    return describe("DescribeBatchInferenceJob", "batchInferenceJob", job)


@operation("ListBatchInferenceJobs")
def list_batch_inference_jobs(region: Region, request: Request) -> Answer:
    """Return the batch inference jobs of a solution version, or all, page by page."""
    jobs = region.listed(BatchInferenceJob, request, "solution_version_arn")
    return page("ListBatchInferenceJobs", "batchInferenceJobs", request, jobs)
