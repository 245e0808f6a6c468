"""What happens to events once they are accepted: a queue, and the function that delivers them."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from constructs import Construct

from config.compute import LambdaConfig
from config.serving import EventDelivery
from stacks.constructs.grants import let_add, let_read_secret, let_use_key, let_use_table
from stacks.constructs.python_function import PythonFunction


class EventIngestion(Construct):
    """`queue` takes what clients send, `function` delivers it, `dead_letter_queue` keeps what fails."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        delivery: EventDelivery,
        interaction_columns: Sequence[str],
        recipes: Sequence[str],
        raw: s3.IBucket,
        counted: dynamodb.ITable,
        key: kms.IKey,
        pseudonym_key: secretsmanager.ISecret | None,
        functions: LambdaConfig,
        layer: lambda_.ILayerVersion,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self._delivery = delivery
        self.dead_letter_queue = self._queue("DeadLetterQueue", retention_days=14)
        self.queue = self._queue(
            "Queue",
            retention_days=4,
            dead_letter_queue=sqs.DeadLetterQueue(
                max_receive_count=delivery.receives, queue=self.dead_letter_queue
            ),
        )
        stack = cdk.Stack.of(self)
        parameter = f"{name}/tracking-id/main"
        datasets = {
            kind: stack.format_arn(service="personalize", resource="dataset", resource_name=f"{name}/{kind}")
            for kind in ("USERS", "ITEMS")
        }
        self.function = PythonFunction(
            self,
            "Function",
            folder="events",
            handler="handler.handler",
            environment={
                "POWERTOOLS_METRICS_NAMESPACE": name,
                "RAW_BUCKET": raw.bucket_name,
                "TRACKING_ID_PARAMETER": f"/{parameter}",
                "USERS_DATASET_ARN": datasets["USERS"],
                "ITEMS_DATASET_ARN": datasets["ITEMS"],
                "INTERACTION_COLUMNS": ",".join(interaction_columns),
                "EVENT_QUEUE_URL": self.queue.queue_url,
                "FIRST_RETRY_SECONDS": str(delivery.first_retry_seconds),
                "COUNTED_TABLE": counted.table_name,
                "COUNTED_EVENT_TYPES": ",".join(delivery.counted_types),
                "RECIPES": ",".join(recipes),
                "PSEUDONYM_KEY_SECRET_ARN": pseudonym_key.secret_arn if pseudonym_key else "",
            },
            functions=functions,
            layer=layer,
            service="events",
            log_retention_days=log_retention_days,
            timeout_seconds=delivery.timeout_seconds,
        )
        self.function.add_event_source(
            SqsEventSource(
                self.queue,
                batch_size=delivery.batch_size,
                max_batching_window=cdk.Duration.seconds(delivery.window_seconds),
                report_batch_item_failures=True,
            )
        )
        self._let_deliver(parameter, list(datasets.values()))
        let_add(self.function, raw, "clickstream/api/*")
        let_use_table(self.function, counted, write=True)
        let_use_key(self.function, key)
        if pseudonym_key:
            let_read_secret(self.function, pseudonym_key)

    def _queue(
        self,
        construct_id: str,
        *,
        retention_days: int,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(retention_days),
            # Six times the function's time-out, as Lambda asks for.
            visibility_timeout=cdk.Duration.seconds(6 * self._delivery.timeout_seconds),
            dead_letter_queue=dead_letter_queue,
        )

    def _let_deliver(self, parameter: str, datasets: list[str]) -> None:
        stack = cdk.Stack.of(self)
        tracker = stack.format_arn(service="personalize", resource="event-tracker", resource_name="*")
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["personalize:PutEvents", "personalize:PutUsers", "personalize:PutItems"],
                resources=[tracker, *datasets],
            )
        )
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParameter"],
                resources=[stack.format_arn(service="ssm", resource="parameter", resource_name=parameter)],
            )
        )
