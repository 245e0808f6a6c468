"""The states that delete the solutions and schemas that nothing needs any more."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.delete_resources import DeleteEach
from stacks.constructs.personalize import at
from stacks.constructs.retries import LAMBDA_BUSY, retry


class Retire(Construct):
    """`chain` takes the plan of a training at `$.plan` and its execution at `$.execution`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        find_retired: lambda_.IFunction,
        waiting: Waiting,
    ) -> None:
        super().__init__(scope, construct_id)
        find = tasks.LambdaInvoke(
            self,
            "Find what nothing needs any more",
            lambda_function=find_retired,
            payload=sfn.TaskInput.from_object(
                {
                    "execution": at("$.execution"),
                    "comparison": sfn.JsonPath.object_at("$.plan.comparison"),
                    "recipes": sfn.JsonPath.object_at("$.plan.recipes"),
                    "schemas": sfn.JsonPath.list_at("$.plan.datasets[*].schemaName"),
                }
            ),
            payload_response_only=True,
        )
        retry(find, LAMBDA_BUSY, seconds=2)
        solutions, schemas = (
            DeleteEach(
                self, f"Old {plural}", kind=kind, name=name, waiting=waiting,
                title=f"Delete the old {plural}", arns=f"$.{plural}",
            ).map
            for kind, plural in (("solution", "solutions"), ("schema", "schemas"))
        )  # fmt: skip
        self.chain = find.next(solutions).next(schemas)
