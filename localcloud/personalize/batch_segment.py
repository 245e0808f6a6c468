"""Batch segment jobs: the users most likely to interact with an item, or with items of given attributes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localcloud.personalize.avro import ITEMS, DatasetSchema
from localcloud.personalize.catalogue import find_recipe
from localcloud.personalize.errors import InvalidInputError
from localcloud.personalize.filters import (
    FilterExpression,
    allowed,
    check_against_schemas,
    parameters_of,
    parse_filter,
)
from localcloud.personalize.line_jobs import check_locations, run_line_job
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import PENDING_BATCH_JOBS, SEGMENT_QUERIES, check_pending
from localcloud.personalize.recipes.top import top_items
from localcloud.personalize.region import Region
from localcloud.personalize.resources import BatchSegmentJob, Json, SolutionVersion
from localcloud.personalize.runtime import filter_of, server_of
from localcloud.personalize.serving import Server
from localcloud.personalize.tags import initial_tags
from localcloud.personalize.user_candidates import UserCandidates

_DEFAULT_RESULTS = 25
_MOST_RESULTS = 5_000_000
_ITEM_AFFINITY = "aws-item-affinity"


@operation("CreateBatchSegmentJob")
def create_batch_segment_job(region: Region, request: Request) -> Answer:
    """Find a user segment for every line of the input files."""
    version = region.get_active(SolutionVersion, request["solutionVersionArn"])
    recipe = find_recipe(version.recipe_arn)
    if recipe.recipe_type != "USER_SEGMENTATION":
        raise InvalidInputError(
            f"The recipe {recipe.name} makes no user segments: "
            "use aws-item-affinity or aws-item-attribute-affinity."
        )
    filter_of(region, version, request)
    count = request.get("numResults", _DEFAULT_RESULTS)
    if not 1 <= count <= _MOST_RESULTS:
        raise InvalidInputError(f"numResults is {count}; it must lie in [1, {_MOST_RESULTS}].")
    check_locations(request)
    check_pending(region.all(BatchSegmentJob), PENDING_BATCH_JOBS)
    job = BatchSegmentJob(
        arn=region.arn(BatchSegmentJob, request["jobName"]),
        job_name=request["jobName"],
        role_arn=request["roleArn"],
        solution_version_arn=version.arn,
        job_input=request["jobInput"],
        job_output=request["jobOutput"],
        filter_arn=request.get("filterArn"),
        num_results=count,
        tags=initial_tags(request),
    )
    region.create(job, lambda: _segment(region, job))
    return {"batchSegmentJobArn": job.arn}


def _segment(region: Region, job: BatchSegmentJob) -> None:
    version = region.get(SolutionVersion, job.solution_version_arn)
    expression = filter_of(region, version, {"filterArn": job.filter_arn} if job.filter_arn else {})
    schemas = region.schemas_of(version.dataset_group_arn)
    with region.bucket.scratch_folder() as folder:
        count = job.num_results or _DEFAULT_RESULTS
        answerer = _Segments(server_of(region, version), schemas, expression, count, folder)
        queries = SEGMENT_QUERIES[find_recipe(version.recipe_arn).name]
        run_line_job(region, job, answerer, queries)


class _Segments:
    """Answers input lines with user segments: line_jobs.LineAnswerer."""

    def __init__(
        self,
        server: Server,
        schemas: Mapping[str, DatasetSchema],
        expression: FilterExpression | None,
        count: int,
        folder: Path,
    ) -> None:
        self._server = server
        self._schemas = schemas
        self._expression = expression
        self._count = count
        self._user_ids = server.user_ids()
        self._users = UserCandidates(self._user_ids, server.data, schemas)
        self._folder = folder
        self._lock = threading.Lock()
        self._shares: npt.NDArray[np.float32] | None = None

    def prepare(self, line: Json) -> tuple[Json, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the line, the items it names and the users that the filter allows.

        Raises InvalidInputError when the line is not what the recipe needs.
        """
        return line, self._items_of(line), np.flatnonzero(self._allowed(line))

    def answer(
        self, prepared: Sequence[tuple[Json, npt.NDArray[np.int64], npt.NDArray[np.int64]]]
    ) -> list[Json]:
        """Return the users for some lines, best first."""
        return [self._output(line, items, users) for line, items, users in prepared]

    def _output(self, line: Json, items: npt.NDArray[np.int64], users: npt.NDArray[np.int64]) -> Json:
        best = users[top_items(self._interest(items)[users], self._count)]
        found = [self._user_ids[place] for place in best]
        # The developer guide calls them recommendedUsers, the output that AWS's notebooks show usersList:
        # clients of both are served.
        return {"input": line, "output": {"recommendedUsers": found, "usersList": found}, "error": None}

    def _interest(self, items: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return every user's probability that the next item is one of these."""
        with self._lock:
            if self._shares is None:
                self._shares = self._server.all_shares(self._user_ids, self._folder / "shares.npy")
        result: npt.NDArray[np.float32] = self._shares[:, items].sum(axis=1)
        return result

    def _allowed(self, line: Json) -> npt.NDArray[np.bool_]:
        values = line.get("filterValues", {})
        if self._expression is None:
            return np.ones(len(self._user_ids), dtype=np.bool_)
        if unknown := set(values) - parameters_of(self._expression):
            raise InvalidInputError(f"The filter has no parameter {', '.join(sorted(unknown))}.")
        return allowed(self._expression, self._users, values)

    def _items_of(self, line: Json) -> npt.NDArray[np.int64]:
        """Return the positions of the items that a line names."""
        if self._server.recipe.name == _ITEM_AFFINITY:
            item_id = line.get("itemId")
            if not isinstance(item_id, str) or item_id not in self._server.model.item_index:
                raise InvalidInputError(
                    f"The line needs the itemId of an item of the training data, not {item_id}."
                )
            return np.array([self._server.model.item_index[item_id]])
        query = line.get("itemAttributes")
        if not isinstance(query, str):
            raise InvalidInputError("The line needs itemAttributes.")
        expression = parse_filter(f"INCLUDE ItemID WHERE {query}")
        check_against_schemas(expression, {ITEMS: self._schemas[ITEMS]})
        candidates = self._server.candidates(None, None)
        return np.flatnonzero(self._server.mask(expression, candidates, {}))


@operation("DescribeBatchSegmentJob")
def describe_batch_segment_job(region: Region, request: Request) -> Answer:
    """Return a batch segment job."""
    job = region.get(BatchSegmentJob, request["batchSegmentJobArn"])
    return describe("DescribeBatchSegmentJob", "batchSegmentJob", job)


@operation("ListBatchSegmentJobs")
def list_batch_segment_jobs(region: Region, request: Request) -> Answer:
    """Return the batch segment jobs of a solution version, or all, page by page."""
    jobs = region.listed(BatchSegmentJob, request, "solution_version_arn")
    return page("ListBatchSegmentJobs", "batchSegmentJobs", request, jobs)
