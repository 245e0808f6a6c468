"""Batch inference jobs: JSON Lines in, JSON Lines out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localcloud.personalize.campaigns import check_exploration
from localcloud.personalize.errors import InvalidInputError, NotBuiltError, PersonalizeError
from localcloud.personalize.filters import FilterExpression, parameters_of
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import (
    BATCH_INPUT_BYTES,
    BATCH_INPUT_FILES,
    PENDING_BATCH_JOBS,
    RECOMMENDATIONS,
    check_pending,
)
from localcloud.personalize.recipes import Exploration
from localcloud.personalize.region import JobFailedError, Region
from localcloud.personalize.resources import BatchInferenceJob, SolutionVersion
from localcloud.personalize.runtime import exploration_of, filter_of, server_of
from localcloud.personalize.s3 import Location, S3Error
from localcloud.personalize.serving import Server
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


def check_locations(request: Request) -> None:
    """Check the S3 locations of a batch job.

    Raises InvalidInputError.
    """
    source = request["jobInput"]["s3DataSource"]["path"]
    destination = request["jobOutput"]["s3DataDestination"]["path"]
    for label, path in (("input", source), ("output", destination)):
        try:
            Location.parse(path)
        except S3Error as error:
            raise InvalidInputError(f"Invalid S3 {label} path: {path}.") from error
    if not destination.endswith("/"):
        raise InvalidInputError(f"Invalid S3 output path: {destination} must be a folder and end with /.")
    if source.rstrip("/") == destination.rstrip("/"):
        raise InvalidInputError("The output location must differ from the input location.")


def _infer(region: Region, job: BatchInferenceJob) -> None:
    """Do the work of a job.

    Raises JobFailedError.
    """
    version = region.get(SolutionVersion, job.solution_version_arn)
    request = {"filterArn": job.filter_arn} if job.filter_arn else {}
    expression = filter_of(region, version, request)
    exploration = exploration_of(job.batch_inference_job_config or {})
    worker = _LineWorker(
        server_of(region, version), expression, job.num_results or _DEFAULT_RESULTS, exploration
    )
    run_line_job(region, job, worker.answer)


class _LineWorker:
    """Answers one input line after the other."""

    def __init__(
        self, server: Server, expression: FilterExpression | None, count: int, exploration: Exploration
    ) -> None:
        self._server = server
        self._expression = expression
        self._parameters = parameters_of(expression) if expression else frozenset()
        self._count = count
        self._exploration = exploration
        self._with_scores = server.recipe.recipe_type not in {"RELATED_ITEMS", "POPULAR_ITEMS"}

    def answer(self, line: dict[str, Any]) -> dict[str, Any]:
        """Return the output for an input line.

        Raises PersonalizeError when the line is not what the recipe needs.
        """
        for member in _NEEDED[self._server.recipe.recipe_type]:
            expected = list if member == "itemList" else str
            if not isinstance(line.get(member), expected) or not line[member]:
                raise InvalidInputError(f"The line needs {member}.")
        values = line.get("filterValues", {})
        if unknown := set(values) - self._parameters:
            raise InvalidInputError(f"The filter has no parameter {', '.join(sorted(unknown))}.")
        candidates = self._server.candidates(line.get("userId"), line.get("itemId"))
        mask = self._server.mask(self._expression, candidates, values)
        if "itemList" in _NEEDED[self._server.recipe.recipe_type]:
            items = self._server.rank(candidates, mask, [str(item) for item in line["itemList"]])
        else:
            items = self._server.recommend(candidates, mask, self._count, self._exploration)
        output: dict[str, Any] = {"recommendedItems": [item.item_id for item in items]}
        if self._with_scores:
            output["scores"] = [round(item.score, 7) for item in items]
        return {"input": line, "output": output, "error": None}


def run_line_job(region: Region, job: Any, answer: Any) -> None:
    """Answer every line of a batch job's input files, `<name>.out` beside `<name>.out.errors` for each file.

    Raises JobFailedError when the locations cannot be used or no line could be answered.
    """
    source = job.job_input["s3DataSource"]["path"]
    destination = job.job_output["s3DataDestination"]["path"]
    try:
        files = region.bucket.find(source)
        if len(files) > BATCH_INPUT_FILES or sum(file.size for file in files) > BATCH_INPUT_BYTES:
            raise JobFailedError(f"The input has more than {BATCH_INPUT_FILES} files or more than 1 GB.")
        region.bucket.write(b"", f"{destination}_CHECK")
        with region.bucket.local_copies(files) as paths, region.bucket.scratch_folder() as folder:
            answered = failed = 0
            for number, path in enumerate(paths):
                output, errors = folder / f"{number}.out", folder / f"{number}.errors"
                good, bad = _answer_file(path, output, errors, answer)
                answered, failed = answered + good, failed + bad
                region.bucket.upload(output, f"{destination}{path.name}.out")
                if bad:
                    region.bucket.upload(errors, f"{destination}{path.name}.out.errors")
            if not answered:
                raise JobFailedError(
                    f"None of the {failed} input lines could be answered; see the errors files."
                )
    except S3Error as error:
        raise JobFailedError(str(error)) from error


def _answer_file(path: Path, output: Path, errors: Path, answer: Any) -> tuple[int, int]:
    """Answer the lines of a file; return how many could be answered and how many not."""
    good = bad = 0
    with output.open("w") as out, errors.open("w") as err:
        for text in _lines(path):
            try:
                line = json.loads(text)
                if not isinstance(line, dict):
                    raise InvalidInputError("The line is not a JSON object.")
                out.write(json.dumps(answer(line), separators=(",", ":")) + "\n")
                good += 1
            except (ValueError, PersonalizeError) as error:
                err.write(json.dumps({"input": text, "output": None, "error": str(error)}) + "\n")
                bad += 1
    return good, bad


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as file:
        for line in file:
            if text := line.strip():
                yield text


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
