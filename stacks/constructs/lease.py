"""One run at a time: a lease in the versions table that a killed holder cannot keep.

The holder is an execution of a state machine. Whoever finds the lease taken asks Step Functions whether the
holder still runs, and takes the lease over when it does not: nothing has to be released after a failure.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import Waiting
from stacks.constructs.personalize import at
from stacks.constructs.retries import retry_small_call

NOT_MINE = "DynamoDB.ConditionalCheckFailedException"
FORGOTTEN = "Sfn.ExecutionDoesNotExistException"
LEASE = "lease"
ME = "$$.Execution.Id"


class Lease(Construct):
    """`take` is the first state and leads to `then`; `release` gives the lease on `key` back.

    `machines` names every state machine whose executions may hold it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: str,
        machines: tuple[str, ...],
        table: dynamodb.ITable,
        waiting: Waiting,
        then: sfn.IChainable,
    ) -> None:
        super().__init__(scope, construct_id)
        self._table = table
        self._of = key
        self.take = self._update(
            "Take the lease",
            condition="attribute_not_exists(holder) OR holder = :me",
            values={":me": ME},
        )
        take_over = self._update(
            "Take the lease of one that ended",
            condition="attribute_not_exists(holder) OR holder = :ended",
            values={":me": ME, ":ended": "$.lease.Item.holder.S"},
        )
        self.take.next(then)
        take_over.next(then)
        look = self._who_holds_it()
        wait = sfn.Wait(
            self,
            "Wait for the other run",
            time=sfn.WaitTime.duration(cdk.Duration.seconds(waiting.longest_seconds)),
        )
        wait.next(self.take)
        self.take.add_catch(look, errors=[NOT_MINE], result_path="$.taken")
        take_over.add_catch(wait, errors=[NOT_MINE], result_path="$.taken")
        holder = self._does_it_run(machines)
        # Step Functions forgets executions after 90 days.
        holder.add_catch(take_over, errors=[FORGOTTEN], result_path="$.holder")
        look.next(
            sfn.Choice(self, "Is it still held?")
            .when(sfn.Condition.is_present("$.lease.Item.holder.S"), holder)
            .otherwise(self.take)
        )
        holder.next(
            sfn.Choice(self, "Is the other run still going?")
            .when(sfn.Condition.string_equals("$.holder.Status", "RUNNING"), wait)
            .otherwise(take_over)
        )
        self.release = self._release()

    def _update(self, title: str, *, condition: str, values: dict[str, str]) -> tasks.DynamoUpdateItem:
        update = tasks.DynamoUpdateItem(
            self,
            title,
            table=self._table,
            key=self._key(),
            update_expression="SET holder = :me",
            condition_expression=condition,
            expression_attribute_values={
                name: tasks.DynamoAttributeValue.from_string(at(path)) for name, path in values.items()
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        retry_small_call(update, never=NOT_MINE)
        return update

    def _who_holds_it(self) -> tasks.DynamoGetItem:
        look = tasks.DynamoGetItem(
            self,
            "Who holds the lease?",
            table=self._table,
            key=self._key(),
            consistent_read=True,
            result_path="$.lease",
        )
        retry_small_call(look)
        return look

    def _does_it_run(self, machines: tuple[str, ...]) -> tasks.CallAwsService:
        executions = [
            cdk.Stack.of(self).format_arn(
                service="states",
                resource="execution",
                resource_name=f"{machine}:*",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for machine in machines
        ]
        describe = tasks.CallAwsService(
            self,
            "Does the holder still run?",
            service="sfn",
            action="describeExecution",
            parameters={"ExecutionArn": at("$.lease.Item.holder.S")},
            iam_action="states:DescribeExecution",
            iam_resources=executions,
            result_selector={"Status.$": "$.Status"},
            result_path="$.holder",
        )
        retry_small_call(describe, never=FORGOTTEN)
        return describe

    def _release(self) -> tasks.DynamoDeleteItem:
        release = tasks.DynamoDeleteItem(
            self,
            "Give the lease back",
            table=self._table,
            key=self._key(),
            # It may be gone: a call that is tried again may have been heard the first time.
            condition_expression="attribute_not_exists(holder) OR holder = :me",
            expression_attribute_values={":me": tasks.DynamoAttributeValue.from_string(at(ME))},
            result_path=sfn.JsonPath.DISCARD,
        )
        retry_small_call(release)
        return release

    def _key(self) -> dict[str, tasks.DynamoAttributeValue]:
        return {
            "recipe_key": tasks.DynamoAttributeValue.from_string(self._of),
            "solution_version_arn": tasks.DynamoAttributeValue.from_string(LEASE),
        }
