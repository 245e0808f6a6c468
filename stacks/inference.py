"""Inference: the REST API, its functions, live availability, and the queue that learns."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config import ProjectConfig
from config.serving import POPULAR
from config.training import ASKED_FOR
from stacks.constructs import filter_rules
from stacks.constructs.api_callers import TokenCallers
from stacks.constructs.event_ingestion import EventIngestion
from stacks.constructs.grants import let_read, let_read_secret, let_send, let_use_key, let_use_table
from stacks.constructs.python_function import PythonFunction, shared_layer
from stacks.constructs.rest_api import RestApi
from stacks.storage import StorageStack


class InferenceStack(cdk.Stack):
    """What app back ends call, and what happens to what they send."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        storage: StorageStack,
        pseudonym_key: secretsmanager.ISecret | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._project = project
        self._storage = storage
        self._pseudonym_key = pseudonym_key
        experiment = project.serving.experiment
        treatments = {experiment.treatment} - {POPULAR} if experiment else set()
        self._campaigns = sorted({*ASKED_FOR, *treatments})
        self._layer = shared_layer(self, project.compute.functions)

        self.availability = self._table("Availability", "item_id")
        self.fallback = self._table("Fallback", "user_id")
        self.events = self._event_ingestion()
        self.api_function = self._api_function()
        self.functions: list[lambda_.IFunction] = [self.api_function, self.events.function]
        self.callers = self._token_callers() if project.serving.authorization == "jwt" else None
        self.rest_api = RestApi(
            self,
            "Api",
            name=project.name,
            function=self.api_function,
            serving=project.serving,
            log_retention_days=project.operations.log_retention_days,
            authorizer=self.callers.authorizer if self.callers else None,
        )
        self.api = self.rest_api.api

        cdk.CfnOutput(self, "ApiUrl", value=self.api.url)
        for place, (client, key) in enumerate(self.rest_api.keys.items()):
            of_client = "Of" + "".join(word.capitalize() for word in client.split("-")) if place else ""
            cdk.CfnOutput(self, f"ApiKeyId{of_client}", value=key.key_id)
        if self.callers is not None and self.callers.pool is not None and self.callers.client is not None:
            cdk.CfnOutput(self, "UserPoolId", value=self.callers.pool.user_pool_id)
            cdk.CfnOutput(self, "UserPoolClientId", value=self.callers.client.user_pool_client_id)
        cdk.CfnOutput(self, "FallbackTable", value=self.fallback.table_name)
        cdk.CfnOutput(self, "AvailabilityTable", value=self.availability.table_name)
        cdk.CfnOutput(self, "EventQueueUrl", value=self.events.queue.queue_url)
        cdk.CfnOutput(self, "EventDeadLetterQueueUrl", value=self.events.dead_letter_queue.queue_url)

    def _token_callers(self) -> TokenCallers:
        operations = self._project.operations
        return TokenCallers(
            self,
            "Callers",
            name=self._project.name,
            jwt=self._project.serving.jwt,
            functions=self._project.compute.functions,
            layer=self._layer,
            log_retention_days=operations.log_retention_days,
            keep_users=operations.keep_data_on_destroy,
        )

    def _table(self, construct_id: str, key: str) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            construct_id,
            partition_key=dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._storage.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            removal_policy=self._storage.removal_policy,
        )

    def _api_function(self) -> PythonFunction:
        serving = self._project.serving
        campaigns = {
            f"CAMPAIGN_{key.upper().replace('-', '_')}": self._personalize_arn("campaign", key)
            for key in self._campaigns
        }
        function = PythonFunction(
            self,
            "ApiFunction",
            folder="api",
            handler="handler.handler",
            environment={
                "POWERTOOLS_METRICS_NAMESPACE": self._project.name,
                **campaigns,
                "FILTERS": json.dumps(self._filters()),
                "AVAILABILITY_TABLE": self.availability.table_name,
                "UNKNOWN_AVAILABILITY": serving.unknown_availability,
                "FALLBACK_TABLE": self.fallback.table_name,
                "EVENT_QUEUE_URL": self.events.queue.queue_url,
                "LATEST_DATASETS_URI": self._storage.datasets.s3_url_for_object("personalize/latest.json"),
                "DEFAULT_RESULTS": str(serving.default_results),
                "MAXIMUM_RESULTS": str(serving.maximum_results),
                "AUTHORIZATION": serving.authorization,
                "TOKENS": json.dumps(self._tokens()),
                "EXPERIMENT": json.dumps(serving.experiment.model_dump() if serving.experiment else None),
                "TIME_BUDGET_SECONDS": str(serving.time_budget_seconds),
                "CONTEXT": json.dumps(
                    [{**item.model_dump(), "parameter": item.parameter} for item in serving.context]
                ),
                "CACHE_SECONDS": serving.cache_seconds.model_dump_json(),
                "PSEUDONYM_KEY_SECRET_ARN": self._pseudonym_key.secret_arn if self._pseudonym_key else "",
            },
            functions=self._project.compute.functions,
            layer=self._layer,
            service="api",
            log_retention_days=self._project.operations.log_retention_days,
            timeout_seconds=29,
            memory_mb=1024,
        )
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["personalize:GetRecommendations", "personalize:GetPersonalizedRanking"],
                resources=[
                    *(self._personalize_arn("campaign", key) for key in self._campaigns),
                    *(self._personalize_arn("filter", item.name) for item in serving.filters),
                ],
            )
        )
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["personalize:DescribeCampaign"],
                resources=[self._personalize_arn("campaign", key) for key in self._campaigns],
            )
        )
        let_use_table(function, self.availability, write=True)
        let_use_table(function, self.fallback, write=True)
        let_send(function, self.events.queue)
        let_read(function, self._storage.datasets, "personalize/*")
        let_use_key(function, self._storage.key)
        if self._pseudonym_key:
            let_read_secret(function, self._pseudonym_key)
        return function

    def _event_ingestion(self) -> EventIngestion:
        project = self._project
        return EventIngestion(
            self,
            "Events",
            name=project.name,
            delivery=project.serving.events,
            interaction_columns=project.data.interaction_metadata,
            recipes=[*self._campaigns, POPULAR],
            raw=self._storage.raw,
            counted=self._table("CountedEvents", "event_id"),
            key=self._storage.key,
            pseudonym_key=self._pseudonym_key,
            functions=project.compute.functions,
            layer=self._layer,
            log_retention_days=project.operations.log_retention_days,
        )

    def _tokens(self) -> dict[str, str]:
        jwt = self._project.serving.jwt
        return {
            "user_claim": jwt.user_claim_name,
            "group_claim": jwt.group_claim_name,
            "back_end_group": jwt.back_end_group,
        }

    def _filters(self) -> dict[str, dict[str, Any]]:
        filters = {}
        for item in self._project.serving.filters:
            rules, are_all = filter_rules.rules(item.expression)
            filters[item.name] = {
                "arn": self._personalize_arn("filter", item.name),
                "parameters": filter_rules.parameters(item.expression),
                "rules": rules,
                "rulesAreAll": are_all,
            }
        return filters

    def _personalize_arn(self, kind: str, name: str) -> str:
        return self.format_arn(
            service="personalize", resource=kind, resource_name=f"{self._project.name}-{name}"
        )
