"""AWS::ApiGateway: who may call a REST API, with what, and how often."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloudformation.provider import (
    Created,
    Properties,
    Provider,
    Scope,
    camel,
    camel_keys,
    pick,
)


class RequestValidator(Provider):
    """What of a request is checked before the integration."""

    type = "AWS::ApiGateway::RequestValidator"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the validator."""
        validator = scope.client("apigateway").create_request_validator(
            restApiId=properties["RestApiId"],
            name=properties.get("Name") or scope.generated_name(),
            validateRequestBody=bool(properties.get("ValidateRequestBody", False)),
            validateRequestParameters=bool(properties.get("ValidateRequestParameters", False)),
        )
        return Created(validator["id"], {"RequestValidatorId": validator["id"]})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the validator."""
        scope.client("apigateway").delete_request_validator(
            restApiId=properties["RestApiId"], requestValidatorId=created.physical_id
        )


class Model(Provider):
    """A JSON schema of a body."""

    type = "AWS::ApiGateway::Model"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the model."""
        schema = properties.get("Schema", {})
        name = properties.get("Name") or "".join(filter(str.isalnum, scope.generated_name()))
        scope.client("apigateway").create_model(
            restApiId=properties["RestApiId"],
            name=name,
            contentType=properties.get("ContentType", "application/json"),
            schema=schema if isinstance(schema, str) else json.dumps(schema),
            description=properties.get("Description", ""),
        )
        return Created(name)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the model."""
        scope.client("apigateway").delete_model(
            restApiId=properties["RestApiId"], modelName=created.physical_id
        )


class Authorizer(Provider):
    """Who decides whether a caller may call."""

    type = "AWS::ApiGateway::Authorizer"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the authorizer."""
        names = (
            "AuthorizerUri", "AuthorizerCredentials", "IdentitySource", "IdentityValidationExpression",
            "AuthorizerResultTtlInSeconds", "AuthType",
        )  # fmt: skip
        settings = camel(pick(properties, *names))
        if "ProviderARNs" in properties:
            settings["providerARNs"] = properties["ProviderARNs"]
        authorizer = scope.client("apigateway").create_authorizer(
            restApiId=properties["RestApiId"],
            name=properties.get("Name") or scope.generated_name(),
            type=properties["Type"],
            **settings,
        )
        return Created(authorizer["id"], {"AuthorizerId": authorizer["id"]})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the authorizer."""
        scope.client("apigateway").delete_authorizer(
            restApiId=properties["RestApiId"], authorizerId=created.physical_id
        )


class GatewayResponse(Provider):
    """What the gateway itself answers when it refuses."""

    type = "AWS::ApiGateway::GatewayResponse"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Put the response."""
        scope.client("apigateway").put_gateway_response(
            restApiId=properties["RestApiId"],
            responseType=properties["ResponseType"],
            **camel_keys(properties, "ResponseParameters", "ResponseTemplates"),
            **({"statusCode": str(properties["StatusCode"])} if "StatusCode" in properties else {}),
        )
        return Created(f"{properties['RestApiId']}-{properties['ResponseType']}")

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:  # noqa: ARG002
        """Put the new response over the old."""
        return self.create(properties, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Go back to the gateway's own response."""
        scope.client("apigateway").delete_gateway_response(
            restApiId=properties["RestApiId"], responseType=properties["ResponseType"]
        )


class ApiKey(Provider):
    """An API key."""

    type = "AWS::ApiGateway::ApiKey"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the key."""
        key = scope.client("apigateway").create_api_key(
            name=properties.get("Name") or scope.generated_name(),
            enabled=bool(properties.get("Enabled", True)),
            **camel(pick(properties, "Description", "Value", "CustomerId")),
            tags=scope.tags(properties),
        )
        return Created(key["id"], {"APIKeyId": key["id"]})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Keep the key, whose value clients know, unless its own value or name changes."""
        if any(properties.get(name) != old.get(name) for name in ("Name", "Value")):
            return super().update(created, properties, old, scope)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the key."""
        scope.client("apigateway").delete_api_key(apiKey=created.physical_id)


class UsagePlan(Provider):
    """Throttle and quota of a group of keys."""

    type = "AWS::ApiGateway::UsagePlan"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the plan."""
        plan = scope.client("apigateway").create_usage_plan(
            name=properties.get("UsagePlanName") or scope.generated_name(),
            apiStages=[_api_stage(stage) for stage in properties.get("ApiStages", [])],
            **camel(pick(properties, "Description", "Throttle", "Quota")),
            tags=scope.tags(properties),
        )
        return Created(plan["id"], {"Id": plan["id"]})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the plan."""
        scope.client("apigateway").delete_usage_plan(usagePlanId=created.physical_id)


class UsagePlanKey(Provider):
    """A key in a plan."""

    type = "AWS::ApiGateway::UsagePlanKey"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Put the key in the plan."""
        scope.client("apigateway").create_usage_plan_key(
            usagePlanId=properties["UsagePlanId"], keyId=properties["KeyId"], keyType=properties["KeyType"]
        )
        return Created(f"{properties['KeyId']}:{properties['UsagePlanId']}")

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Take the key out of the plan."""
        scope.client("apigateway").delete_usage_plan_key(
            usagePlanId=properties["UsagePlanId"], keyId=properties["KeyId"]
        )


def _api_stage(stage: Properties) -> dict[str, Any]:
    return {"apiId": stage["ApiId"], "stage": stage["Stage"], **camel_keys(stage, "Throttle")}


PROVIDERS: tuple[Provider, ...] = (
    RequestValidator(), Model(), Authorizer(), GatewayResponse(), ApiKey(), UsagePlan(), UsagePlanKey(),
)  # fmt: skip
