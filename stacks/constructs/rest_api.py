"""The REST API: every route to one function, guarded as the configuration says, never open."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from config.serving import Client, ServingConfig
from stacks.constructs.firewall import Firewall
from stacks.constructs.nag import acknowledge
from stacks.constructs.state_machine import RETENTION

STAGE = "v1"
ROUTES = (
    ("GET", "/users/{userId}/recommendations"),
    ("GET", "/users/{userId}/coupons"),
    ("POST", "/users/{userId}/rankings"),
    ("PUT", "/users/{userId}"),
    ("GET", "/items/{itemId}/similar"),
    ("PUT", "/items/{itemId}"),
    ("POST", "/events"),
    ("GET", "/availability/{itemId}"),
    ("PUT", "/availability/{itemId}"),
    ("POST", "/availability"),
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
)
# What says nothing of anybody: a load balancer's check and the documentation.
OPEN_ROUTES = {"/health", "/openapi.json", "/docs"}
PROBLEM = '{"type":"about:blank","title":$context.error.messageString,"detail":"$context.error.responseType"}'


class RestApi(Construct):
    """`api` is the deployed API; `keys` are its clients' API keys by name where keys are what authorises."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        function: lambda_.IFunction,
        serving: ServingConfig,
        log_retention_days: int,
        authorizer: apigateway.Authorizer | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._serving = serving
        self._authorizer = authorizer
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            retention=RETENTION[log_retention_days],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.api = apigateway.RestApi(
            self,
            "Resource",
            rest_api_name=name,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=cdk.RemovalPolicy.DESTROY,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=False, http_method=True, ip=False, protocol=True, request_time=True,
                    resource_path=True, response_length=True, status=True, user=False,
                ),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                metrics_enabled=True,
                tracing_enabled=True,
                throttling_rate_limit=serving.throttle.rate * 10,
                throttling_burst_limit=serving.throttle.burst * 10,
            ),
        )  # fmt: skip
        self._add_routes(function)
        self._answer_problems()
        clients = serving.clients if serving.authorization == "api_key" else []
        self.keys = {client.name: self._usage_plan(name, client) for client in clients}
        if serving.firewall.enabled:
            Firewall(
                self,
                "Firewall",
                name=name,
                stage=self.api.deployment_stage,
                firewall=serving.firewall,
                callers_have_tokens=serving.authorization == "jwt",
            )
        self._acknowledge()

    def _add_routes(self, function: lambda_.IFunction) -> None:
        validator = self.api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        body = self.api.add_model(
            "JsonObject",
            content_type="application/json",
            schema=apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT),
        )
        integration = apigateway.LambdaIntegration(function, proxy=True, allow_test_invoke=False)
        for http_method, path in ROUTES:
            is_open = path in OPEN_ROUTES
            method = self.api.root.resource_for_path(path).add_method(
                http_method,
                integration,
                api_key_required=self._serving.authorization == "api_key" and not is_open,
                authorization_type=apigateway.AuthorizationType.NONE if is_open else self._kind(),
                authorizer=None if is_open else self._authorizer,
                request_validator=validator,
                request_models={"application/json": body} if http_method in {"POST", "PUT"} else None,
            )
            acknowledge(method, self._reasons(is_open=is_open))

    def _kind(self) -> apigateway.AuthorizationType:
        if self._authorizer is not None:
            return self._authorizer.authorization_type or apigateway.AuthorizationType.CUSTOM
        iam = self._serving.authorization == "iam"
        return apigateway.AuthorizationType.IAM if iam else apigateway.AuthorizationType.NONE

    def _reasons(self, *, is_open: bool) -> dict[str, str]:
        """Say why a route has no authorizer, or not Cognito's."""
        kind = "NONE" if is_open else self._serving.authorization
        if kind == "NONE":
            reason = "Says nothing of anybody."
            return {"AwsSolutions-APIG4": reason, "AwsSolutions-COG4": reason}
        if kind == "api_key":
            return {
                "AwsSolutions-APIG4": "An API key in a usage plan is required.",
                "AwsSolutions-COG4": "Callers are back ends with an API key, not people with a pool.",
            }
        return {"AwsSolutions-COG4": "Callers sign with IAM, or have tokens of the configured issuer."}

    def _answer_problems(self) -> None:
        """Let the gateway's own refusals be problem JSON too."""
        for kind in (apigateway.ResponseType.DEFAULT_4_XX, apigateway.ResponseType.DEFAULT_5_XX):
            self.api.add_gateway_response(
                f"Problem{kind.response_type}", type=kind, templates={"application/problem+json": PROBLEM}
            )

    def _usage_plan(self, name: str, client: Client) -> apigateway.IApiKey:
        label = "".join(word.capitalize() for word in client.name.split("-"))
        throttle, quota = client.throttle or self._serving.throttle, client.requests_per_day
        key = self.api.add_api_key(f"{label}Key", api_key_name=f"{name}-{client.name}")
        plan = self.api.add_usage_plan(
            f"{label}Plan",
            name=f"{name}-{client.name}",
            throttle=apigateway.ThrottleSettings(rate_limit=throttle.rate, burst_limit=throttle.burst),
            quota=apigateway.QuotaSettings(limit=quota, period=apigateway.Period.DAY) if quota else None,
        )
        plan.add_api_key(key)
        plan.add_api_stage(stage=self.api.deployment_stage)
        return key

    def _acknowledge(self) -> None:
        if not self._serving.firewall.enabled:
            acknowledge(
                self.api.deployment_stage,
                {"AwsSolutions-APIG3": "The configuration does without AWS WAF (serving.firewall.enabled)."},
            )
        acknowledge(
            self.api,
            {
                "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]": "The policy AWS asks for in the account's log role."
            },
        )
