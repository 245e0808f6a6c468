"""The states that delete resources of Personalize and wait until each is gone."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.personalize import NOT_FOUND, PersonalizeCall, at, personalize_arns
from stacks.constructs.retries import IN_USE, LAMBDA_BUSY, retry, retry_small_call

# A dataset group and its datasets are deleted last, so that nothing in them refers to what is gone already.
# The kind as Personalize's API names it, as its ARNs do, and as people say it.
KINDS = {
    "campaign": ("campaign", "campaigns"),
    "filter": ("filter", "filters"),
    "eventTracker": ("event-tracker", "event trackers"),
    "metricAttribution": ("metric-attribution", "metric attributions"),
    "solution": ("solution", "solutions"),
    "dataset": ("dataset", "datasets"),
    "schema": ("schema", "schemas"),
    "datasetGroup": ("dataset-group", "dataset groups"),
}
AT_ONCE = 5
REMAINING = "$.remaining.arns"


def find_arns(
    scope: Construct, title: str, function: lambda_.IFunction, payload: dict[str, Any]
) -> sfn.Chain:
    """Return a state that asks a function for ARNs, {"arns": [...]}, and leaves them at `$.arns`."""
    find = tasks.LambdaInvoke(
        scope,
        title,
        lambda_function=function,
        payload=sfn.TaskInput.from_object(payload),
        payload_response_only=True,
        result_selector={"arns.$": "$.arns"},
        result_path="$.remaining",
    )
    retry(find, LAMBDA_BUSY, seconds=2)
    return sfn.Chain.start(find)


class DeleteEach(Construct):
    """`map` deletes each resource of one kind whose ARN is listed at `arns`, side by side."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: str,
        name: str,
        waiting: Waiting,
        title: str,
        arns: str = REMAINING,
    ) -> None:
        super().__init__(scope, construct_id)
        in_arns, plural = KINDS[kind]
        capital = kind[:1].upper() + kind[1:]
        resources = (
            # Personalize chooses an event tracker's id.
            [cdk.Stack.of(self).format_arn(service="personalize", resource=in_arns, resource_name="*")]
            if kind == "eventTracker"
            else personalize_arns(self, name, in_arns)
        )

        def call(title: str, action: str) -> PersonalizeCall:
            return PersonalizeCall(
                self,
                title,
                action=f"{action}{capital}",
                parameters={f"{capital}Arn": at("$.arn")},
                resources=resources,
                waiting=waiting,
                # What depends on it, or is being made of it, may take a while to go.
                until_free=action == "delete",
                result_path=sfn.JsonPath.DISCARD,
            )

        one = plural.removesuffix("s")
        gone = sfn.Pass(self, f"The {one} is gone")
        delete, look = call(f"Delete the {one}", "delete"), call(f"Is the {one} still there?", "describe")
        wait = sfn.Wait(
            self,
            f"Wait until the {one} is gone",
            time=sfn.WaitTime.duration(cdk.Duration.seconds(waiting.first_seconds)),
        )
        for state in (delete, look):
            state.add_catch(gone, errors=[NOT_FOUND], result_path="$.missing")
        delete.next(look)
        look.next(wait)
        wait.next(look)
        self.map = sfn.Map(
            self,
            title,
            items_path=arns,
            item_selector={"arn.$": "$$.Map.Item.Value"},
            max_concurrency=AT_ONCE,
            result_path=sfn.JsonPath.DISCARD,
        )
        self.map.item_processor(delete)


class TearDown(Construct):
    """`chain` deletes every resource of the deployment, what depends on others first."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        remaining: lambda_.IFunction,
        waiting: Waiting,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name, self._waiting = name, waiting
        self.chain = find_arns(self, "Find what is being trained", remaining, {"kind": "training"})
        self.chain = self.chain.next(self._stop_trainings())
        for kind, (_, plural) in KINDS.items():
            delete = DeleteEach(
                self, f"Delete{kind}", kind=kind, name=name, waiting=waiting, title=f"Delete the {plural}"
            )
            find = find_arns(self, f"Find the {plural}", remaining, {"kind": kind})
            self.chain = self.chain.next(find).next(delete.map)
        find = find_arns(self, "Find the parameters", remaining, {"kind": "parameter"})
        result = sfn.Pass(self, "Nothing is left", parameters={"deployment": name})
        self.chain = self.chain.next(find).next(self._delete_parameters()).next(result)

    def _stop_trainings(self) -> sfn.Map:
        stopped = sfn.Pass(self, "It has stopped or soon will")
        stop = PersonalizeCall(
            self,
            "Stop the training",
            action="stopSolutionVersionCreation",
            parameters={"SolutionVersionArn": at("$.arn")},
            resources=personalize_arns(self, self._name, "solution"),
            waiting=self._waiting,
            result_path=sfn.JsonPath.DISCARD,
        )
        stop.add_catch(stopped, errors=[IN_USE, NOT_FOUND], result_path="$.missing")
        return self._for_each("Stop the trainings", stop.next(stopped))

    def _delete_parameters(self) -> sfn.Map:
        gone = sfn.Pass(self, "The parameter is gone")
        parameters = [
            cdk.Stack.of(self).format_arn(
                service="ssm", resource="parameter", resource_name=f"{self._name}/{folder}/*"
            )
            for folder in ("tracking-id", "tuned")
        ]
        delete = tasks.CallAwsService(
            self,
            "Delete the parameter",
            service="ssm",
            action="deleteParameter",
            parameters={"Name": at("$.arn")},
            iam_resources=parameters,
            result_path=sfn.JsonPath.DISCARD,
        )
        not_found = "Ssm.ParameterNotFoundException"
        retry_small_call(delete, never=not_found)
        delete.add_catch(gone, errors=[not_found], result_path="$.missing")
        return self._for_each("Delete the parameters", delete.next(gone))

    def _for_each(self, title: str, body: sfn.IChainable) -> sfn.Map:
        each = sfn.Map(
            self,
            title,
            items_path=REMAINING,
            item_selector={"arn.$": "$$.Map.Item.Value"},
            max_concurrency=AT_ONCE,
            result_path=sfn.JsonPath.DISCARD,
        )
        each.item_processor(body)
        return each
