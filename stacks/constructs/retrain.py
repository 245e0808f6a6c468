"""The states that prepare the data and train on it, one such run at a time."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.lease import Lease
from stacks.constructs.retries import CHILD_BUSY, retry

RETRAIN = "retrain"


def holders(name: str) -> tuple[str, ...]:
    """Return the state machines of the deployment `name` that hold the lease RETRAIN in turn."""
    return f"{name}-retrain", f"{name}-forget-users"


class Retrain(Construct):
    """`chain` hands the execution's input to the preparation and to the training, and ends as that does.

    Two schedules may fire while a run goes on; the later ones wait. Users are not forgotten
    meanwhile, as an import would bring them back.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        prepare_data: sfn.IStateMachine,
        train: sfn.IStateMachine,
        versions: dynamodb.ITable,
        waiting: Waiting,
    ) -> None:
        super().__init__(scope, construct_id)
        prepare = tasks.StepFunctionsStartExecution(
            self,
            "Prepare the data",
            state_machine=prepare_data,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            input=sfn.TaskInput.from_json_path_at("$$.Execution.Input"),
            result_selector={"manifestUri.$": "$.Output.manifestUri"},
            result_path="$.prepared",
        )
        wish = sfn.Pass(
            self,
            "Ask for what the input asks for, on this data",
            parameters={
                "wish": sfn.JsonPath.json_merge(
                    sfn.JsonPath.object_at("$$.Execution.Input"), sfn.JsonPath.object_at("$.prepared")
                )
            },
        )
        train_on_it = tasks.StepFunctionsStartExecution(
            self,
            "Train on it",
            state_machine=train,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            input=sfn.TaskInput.from_json_path_at("$.wish"),
            result_selector={"output.$": "$.Output"},
        )
        for start in (prepare, train_on_it):
            retry(start, CHILD_BUSY, seconds=10)
        lease = Lease(
            self,
            "Lease",
            key=RETRAIN,
            machines=holders(name),
            table=versions,
            waiting=waiting,
            then=prepare,
        )
        result = sfn.Pass(self, "The versions", output_path="$.output")
        prepare.next(wish).next(train_on_it).next(lease.release).next(result)
        self.chain = sfn.Chain.start(lease.take)
