"""The resources of Personalize's control plane: plain typed records.

Attributes are the snake_case of AWS's member names, so that `wire.render` can put any of them into any of
AWS's shapes; nested configurations stay in the form in which the (validated) request gave them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

PENDING = "CREATE PENDING"
IN_PROGRESS = "CREATE IN_PROGRESS"
ACTIVE = "ACTIVE"
FAILED = "CREATE FAILED"
STOPPING = "CREATE STOPPING"
STOPPED = "CREATE STOPPED"
DELETE_PENDING = "DELETE PENDING"
DELETE_IN_PROGRESS = "DELETE IN_PROGRESS"

UNFINISHED = frozenset({PENDING, IN_PROGRESS, STOPPING, DELETE_PENDING, DELETE_IN_PROGRESS})

Json = dict[str, Any]


@dataclass(kw_only=True)
class Resource:
    """What every resource has. `KIND` is the word in its ARN, `LABEL` the words in AWS's messages."""

    KIND: ClassVar[str]
    LABEL: ClassVar[str]
    WAITING: ClassVar[str] = PENDING
    WORKING: ClassVar[str] = IN_PROGRESS
    DONE: ClassVar[str] = ACTIVE
    FAILED: ClassVar[str] = FAILED

    arn: str
    status: str = ""
    failure_reason: str | None = None
    creation_date_time: float = field(default_factory=time.time)
    last_updated_date_time: float = field(default_factory=time.time)
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.status = self.status or self.WAITING

    def enter(self, status: str, failure_reason: str | None = None) -> None:
        """Change the status, with the reason when it is a failure."""
        self.status = status
        self.failure_reason = failure_reason
        self.last_updated_date_time = time.time()

    @property
    def is_changing(self) -> bool:
        """Whether work on it is under way."""
        return self.status in UNFINISHED | {self.WAITING, self.WORKING}


@dataclass(kw_only=True)
class Schema(Resource):
    """An Avro record that says what the rows of a dataset hold."""

    KIND = "schema"
    LABEL = "schema"

    name: str
    schema: str
    domain: str | None = None

    @property
    def schema_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class DatasetGroup(Resource):
    """What belongs together: datasets, solutions, filters, an event tracker."""

    KIND = "dataset-group"
    LABEL = "dataset group"

    name: str
    role_arn: str | None = None
    kms_key_arn: str | None = None
    domain: str | None = None

    @property
    def dataset_group_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class Dataset(Resource):
    """The users, items, interactions, actions or action interactions of a dataset group.

    `tracking_id` names the action interactions in PutActionInteractions.
    """

    KIND = "dataset"
    LABEL = "dataset"

    name: str
    dataset_group_arn: str
    dataset_type: str
    schema_arn: str
    tracking_id: str | None = None
    latest_dataset_update: Json | None = None

    @property
    def dataset_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class Job(Resource):
    """A piece of work with an end."""

    job_name: str
    role_arn: str | None = None


@dataclass(kw_only=True)
class DatasetImportJob(Job):
    """CSV files in S3 to a dataset."""

    KIND = "dataset-import-job"
    LABEL = "dataset import job"

    dataset_arn: str
    data_source: Json
    import_mode: str = "FULL"
    publish_attribution_metrics_to_s3: bool | None = None

    @property
    def dataset_import_job_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class DatasetExportJob(Job):
    """A dataset to CSV files in S3."""

    KIND = "dataset-export-job"
    LABEL = "dataset export job"

    dataset_arn: str
    job_output: Json
    ingestion_mode: str = "PUT"

    @property
    def dataset_export_job_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class DataDeletionJob(Job):
    """Removes users, named in CSV files in S3, from a dataset group."""

    KIND = "data-deletion-job"
    LABEL = "data deletion job"
    WAITING = "PENDING"
    WORKING = "IN_PROGRESS"
    DONE = "COMPLETED"
    FAILED = "FAILED"

    dataset_group_arn: str
    data_source: Json
    num_deleted: int | None = None

    @property
    def data_deletion_job_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class EventTracker(Resource):
    """Lets PutEvents write to a dataset group's interactions."""

    KIND = "event-tracker"
    LABEL = "event tracker"

    name: str
    dataset_group_arn: str
    tracking_id: str
    account_id: str

    @property
    def event_tracker_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class Filter(Resource):
    """An expression that says which items (or users) may be recommended."""

    KIND = "filter"
    LABEL = "filter"

    name: str
    dataset_group_arn: str
    filter_expression: str

    @property
    def filter_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class Solution(Resource):
    """A recipe with its configuration, to be trained into solution versions."""

    KIND = "solution"
    LABEL = "solution"

    name: str
    dataset_group_arn: str
    recipe_arn: str
    perform_hpo: bool = False
    perform_auto_ml: bool = False
    perform_auto_training: bool = True
    perform_incremental_update: bool = False
    event_type: str | None = None
    solution_config: Json = field(default_factory=dict)
    # The metadata columns of each dataset when the solution was made: it does not train on later ones.
    columns: dict[str, list[str]] = field(default_factory=dict)
    latest_solution_update: Json | None = None

    @property
    def solution_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class SolutionVersion(Resource):
    """A trained model."""

    KIND = "solution"
    LABEL = "solution version"

    name: str | None = None
    solution_arn: str
    dataset_group_arn: str
    recipe_arn: str
    training_mode: str = "FULL"
    training_type: str = "MANUAL"
    perform_hpo: bool = False
    perform_auto_ml: bool = False
    perform_incremental_update: bool = False
    event_type: str | None = None
    solution_config: Json = field(default_factory=dict)
    training_hours: float | None = None
    tuned_hpo_params: Json | None = None
    metrics: dict[str, float] | None = None

    @property
    def solution_version_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class Campaign(Resource):
    """A deployed solution version."""

    KIND = "campaign"
    LABEL = "campaign"

    name: str
    solution_version_arn: str
    min_provisioned_tps: int | None = None
    campaign_config: Json | None = None
    latest_campaign_update: Json | None = None

    @property
    def campaign_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class BatchInferenceJob(Job):
    """Recommendations for the users or items of a JSON Lines file in S3."""

    KIND = "batch-inference-job"
    LABEL = "batch inference job"

    solution_version_arn: str
    job_input: Json
    job_output: Json
    filter_arn: str | None = None
    num_results: int | None = None
    batch_inference_job_config: Json | None = None
    batch_inference_job_mode: str = "BATCH_INFERENCE"

    @property
    def batch_inference_job_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class BatchSegmentJob(Job):
    """User segments for the items or attributes of a JSON Lines file in S3."""

    KIND = "batch-segment-job"
    LABEL = "batch segment job"

    solution_version_arn: str
    job_input: Json
    job_output: Json
    filter_arn: str | None = None
    num_results: int | None = None

    @property
    def batch_segment_job_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


@dataclass(kw_only=True)
class MetricAttribution(Resource):
    """What recommendations brought, counted from events."""

    KIND = "metric-attribution"
    LABEL = "metric attribution"

    name: str
    dataset_group_arn: str
    metrics_output_config: Json
    metrics: list[Json] = field(default_factory=list)

    @property
    def metric_attribution_arn(self) -> str:
        """The ARN, by AWS's member name."""
        return self.arn


RESOURCE_TYPES: tuple[type[Resource], ...] = (
    Schema,
    DatasetGroup,
    Dataset,
    DatasetImportJob,
    DatasetExportJob,
    DataDeletionJob,
    EventTracker,
    Filter,
    Solution,
    SolutionVersion,
    Campaign,
    BatchInferenceJob,
    BatchSegmentJob,
    MetricAttribution,
)
