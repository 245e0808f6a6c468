"""An Athena statement as a state that waits for its end."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


class AthenaQuery(sfn.CustomState):
    """Runs one statement with `.sync`.

    CDK's own AthenaStartQueryExecution grants itself all of Glue and S3; this one leaves the grants to the
    stack, which knows what the statements read and write.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        work_group: str,
        database: str,
        sql: str | None = None,
        sql_path: str | None = None,
        result_path: str = sfn.JsonPath.DISCARD,
    ) -> None:
        query = {"QueryString": sql} if sql is not None else {"QueryString.$": sql_path}
        super().__init__(
            scope,
            construct_id,
            state_json={
                "Type": "Task",
                "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
                "Parameters": {
                    **query,
                    "QueryExecutionContext": {"Database": database},
                    "WorkGroup": work_group,
                },
                "Retry": [
                    {
                        "ErrorEquals": ["Athena.TooManyRequestsException", "Athena.InternalServerException"],
                        "IntervalSeconds": 2,
                        "BackoffRate": 2,
                        "MaxAttempts": 5,
                        "JitterStrategy": "FULL",
                    }
                ],
                "ResultPath": result_path,
            },
        )
