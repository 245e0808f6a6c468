"""What a deployment still has in Personalize, kind by kind, and what no longer serves anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from versions import IN_WORK

Arns = list[str]


class Remaining:
    """The ARNs of one deployment's resources; each kind is read when it is asked for."""

    def __init__(self, personalize: Any, ssm: Any, name: str) -> None:
        self._personalize = personalize
        self._ssm = ssm
        self._name = name
        self._kinds: dict[str, Callable[[], Arns]] = {
            "training": self._trainings,
            "campaign": self._campaigns,
            "filter": lambda: self._of_groups("list_filters", "Filters", "filterArn"),
            "eventTracker": lambda: self._of_groups(
                "list_event_trackers", "eventTrackers", "eventTrackerArn"
            ),
            "metricAttribution": lambda: self._of_groups(
                "list_metric_attributions", "metricAttributions", "metricAttributionArn"
            ),
            "solution": self.solutions,
            "dataset": lambda: self._of_groups("list_datasets", "datasets", "datasetArn"),
            "schema": self.schemas,
            "datasetGroup": self._groups,
            "parameter": self._parameters,
        }

    def of(self, kind: str) -> Arns:
        """Return the ARNs (of parameters the names) of a kind. Raises KeyError for a kind there is not."""
        return self._kinds[kind]()

    def solutions(self) -> Arns:
        """Return the solutions of the deployment's dataset groups."""
        return self._of_groups("list_solutions", "solutions", "solutionArn")

    def schemas(self) -> Arns:
        """Return the schemas that the deployment named."""
        schemas = self._all("list_schemas", "schemas")
        return [schema["schemaArn"] for schema in schemas if schema["name"].startswith(f"{self._name}-")]

    def schemas_in_use(self) -> set[str]:
        """Return the schemas of the deployment's datasets."""
        return {
            self._personalize.describe_dataset(datasetArn=arn)["dataset"]["schemaArn"]
            for arn in self.of("dataset")
        }

    def served_versions(self) -> set[str]:
        """Return the versions that campaigns serve, or are being updated to."""
        served = set()
        for arn in self._campaigns():
            campaign = self._personalize.describe_campaign(campaignArn=arn)["campaign"]
            served.add(campaign["solutionVersionArn"])
            served.add(campaign.get("latestCampaignUpdate", {}).get("solutionVersionArn", ""))
        return served - {""}

    def _groups(self) -> Arns:
        names = {self._name, f"{self._name}-coupons"}
        groups = self._all("list_dataset_groups", "datasetGroups")
        return [group["datasetGroupArn"] for group in groups if group["name"] in names]

    def _of_groups(self, operation: str, key: str, arn: str) -> Arns:
        return [
            item[arn] for group in self._groups() for item in self._all(operation, key, datasetGroupArn=group)
        ]

    def _campaigns(self) -> Arns:
        found = {
            campaign["campaignArn"]
            for solution in self.solutions()
            for campaign in self._all("list_campaigns", "campaigns", solutionArn=solution)
        }
        return sorted(found)

    def _trainings(self) -> Arns:
        return [
            version["solutionVersionArn"]
            for solution in self.solutions()
            for version in self._all("list_solution_versions", "solutionVersions", solutionArn=solution)
            if version["status"] in IN_WORK
        ]

    def _parameters(self) -> Arns:
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(
            Path=f"/{self._name}/", Recursive=True
        )
        return [parameter["Name"] for page in pages for parameter in page["Parameters"]]

    def _all(self, operation: str, key: str, **arguments: str) -> Iterator[dict[str, Any]]:
        for page in self._personalize.get_paginator(operation).paginate(**arguments):
            yield from page[key]
