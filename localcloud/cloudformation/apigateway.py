"""AWS::ApiGateway: REST APIs."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, camel, pick

ACCOUNT = "ApiGatewayAccount"


class RestApi(Provider):
    """A REST API; its root resource is an attribute."""

    type = "AWS::ApiGateway::RestApi"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the API."""
        client = scope.client("apigateway")
        settings = pick(
            properties, "Description", "ApiKeySourceType", "EndpointConfiguration", "BinaryMediaTypes",
            "MinimumCompressionSize", "DisableExecuteApiEndpoint",
        )  # fmt: skip
        policy = _policy(properties)
        settings = camel({key: value for key, value in settings.items() if key != "ApiKeySourceType"}) | (
            {"apiKeySource": settings["ApiKeySourceType"]} if "ApiKeySourceType" in settings else {}
        )
        api = client.create_rest_api(
            name=properties.get("Name") or scope.generated_name(),
            **settings,
            **policy,
            tags=scope.tags(properties),
        )
        root = next(
            item for item in client.get_resources(restApiId=api["id"])["items"] if item["path"] == "/"
        )
        return Created(api["id"], {"RootResourceId": root["id"], "RestApiId": api["id"]})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the API with all in it."""
        scope.client("apigateway").delete_rest_api(restApiId=created.physical_id)


class Resource(Provider):
    """A path part."""

    type = "AWS::ApiGateway::Resource"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Add the path part below its parent."""
        resource = scope.client("apigateway").create_resource(
            restApiId=properties["RestApiId"],
            parentId=properties["ParentId"],
            pathPart=properties["PathPart"],
        )
        return Created(resource["id"], {"ResourceId": resource["id"]})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the path part."""
        scope.client("apigateway").delete_resource(
            restApiId=properties["RestApiId"], resourceId=created.physical_id
        )


class Method(Provider):
    """A method with its integration and responses."""

    type = "AWS::ApiGateway::Method"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Put the method, its integration and its responses."""
        client = scope.client("apigateway")
        place = {
            "restApiId": properties["RestApiId"],
            "resourceId": properties["ResourceId"],
            "httpMethod": properties["HttpMethod"],
        }
        settings = camel(
            pick(properties, "AuthorizerId", "OperationName", "RequestValidatorId", "AuthorizationScopes")
        )
        client.put_method(
            **place,
            authorizationType=properties.get("AuthorizationType", "NONE"),
            apiKeyRequired=bool(properties.get("ApiKeyRequired", False)),
            requestParameters=properties.get("RequestParameters", {}),
            requestModels=properties.get("RequestModels", {}),
            **settings,
        )
        for response in properties.get("MethodResponses", []):
            client.put_method_response(
                **place,
                statusCode=str(response["StatusCode"]),
                **camel_keys(response, "ResponseParameters", "ResponseModels"),
            )
        if integration := properties.get("Integration"):
            _integrate(client, place, integration)
        return Created("-".join(place.values()))

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the method."""
        scope.client("apigateway").delete_method(
            restApiId=properties["RestApiId"],
            resourceId=properties["ResourceId"],
            httpMethod=properties["HttpMethod"],
        )


class Deployment(Provider):
    """A snapshot of the API; a change is a new one."""

    type = "AWS::ApiGateway::Deployment"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Deploy the API as it is."""
        deployment = scope.client("apigateway").create_deployment(
            restApiId=properties["RestApiId"], **camel(pick(properties, "Description", "StageName"))
        )
        return Created(deployment["id"], {"DeploymentId": deployment["id"]})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the deployment."""
        scope.client("apigateway").delete_deployment(
            restApiId=properties["RestApiId"], deploymentId=created.physical_id
        )


class Stage(Provider):
    """A stage: a deployment under a name, with its logging, throttles and variables."""

    type = "AWS::ApiGateway::Stage"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the stage and set its methods' settings."""
        client, name = scope.client("apigateway"), properties["StageName"]
        client.create_stage(
            restApiId=properties["RestApiId"],
            stageName=name,
            deploymentId=properties["DeploymentId"],
            description=properties.get("Description", ""),
            variables=properties.get("Variables", {}),
            tracingEnabled=bool(properties.get("TracingEnabled", False)),
            tags=scope.tags(properties),
        )
        _set_stage(client, properties)
        return Created(name)

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Point the same stage at another deployment and change its settings."""
        if any(properties.get(name) != old.get(name) for name in ("RestApiId", "StageName")):
            return super().update(created, properties, old, scope)
        client = scope.client("apigateway")
        client.update_stage(
            restApiId=properties["RestApiId"],
            stageName=properties["StageName"],
            patchOperations=[{"op": "replace", "path": "/deploymentId", "value": properties["DeploymentId"]}],
        )
        _set_stage(client, properties)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the stage."""
        scope.client("apigateway").delete_stage(
            restApiId=properties["RestApiId"], stageName=created.physical_id
        )


class Account(Provider):
    """The account's log role."""

    type = "AWS::ApiGateway::Account"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Set the role that writes the logs."""
        if role := properties.get("CloudWatchRoleArn"):
            scope.client("apigateway").update_account(
                patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
            )
        return Created(ACCOUNT, {"Id": ACCOUNT})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:  # noqa: ARG002
        """Set the new role."""
        return self.create(properties, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Leave the account's setting, as CloudFormation does."""


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


def camel_keys(properties: Properties, *names: str) -> dict[str, Any]:
    """Return the named properties under camel-case names, what is inside them left alone."""
    return {name[:1].lower() + name[1:]: value for name, value in pick(properties, *names).items()}


def _integrate(client: Any, place: dict[str, str], integration: Properties) -> None:
    scalars = pick(
        integration, "Type", "Uri", "ConnectionType", "ConnectionId", "Credentials", "PassthroughBehavior",
        "ContentHandling", "TimeoutInMillis", "CacheNamespace", "CacheKeyParameters",
    )  # fmt: skip
    client.put_integration(
        **place,
        **camel(scalars),
        **camel_keys(integration, "RequestParameters", "RequestTemplates"),
        **(
            {"integrationHttpMethod": integration["IntegrationHttpMethod"]}
            if "IntegrationHttpMethod" in integration
            else {}
        ),
    )
    for response in integration.get("IntegrationResponses", []):
        client.put_integration_response(
            **place,
            statusCode=str(response["StatusCode"]),
            **camel_keys(
                response, "SelectionPattern", "ResponseParameters", "ResponseTemplates", "ContentHandling"
            ),
        )


def _set_stage(client: Any, properties: Properties) -> None:
    operations = []
    for setting in properties.get("MethodSettings", []):
        path = setting.get("ResourcePath", "/*").lstrip("/").replace("/", "~1") or "*"
        prefix = f"/{path}/{setting.get('HttpMethod', '*')}"
        names = {
            "LoggingLevel": "logging/loglevel",
            "DataTraceEnabled": "logging/dataTrace",
            "MetricsEnabled": "metrics/enabled",
            "ThrottlingRateLimit": "throttling/rateLimit",
            "ThrottlingBurstLimit": "throttling/burstLimit",
        }
        for name, patch in names.items():
            if name in setting:
                value = setting[name]
                text = str(value).lower() if isinstance(value, bool) else str(value)
                operations.append({"op": "replace", "path": f"{prefix}/{patch}", "value": text})
    if access_log := properties.get("AccessLogSetting"):
        for name, value in access_log.items():
            path = f"/accessLogSettings/{name[:1].lower() + name[1:]}"
            operations.append({"op": "replace", "path": path, "value": value})
    if operations:
        client.update_stage(
            restApiId=properties["RestApiId"], stageName=properties["StageName"], patchOperations=operations
        )


def _api_stage(stage: Properties) -> dict[str, Any]:
    return {"apiId": stage["ApiId"], "stage": stage["Stage"], **camel_keys(stage, "Throttle")}


def _policy(properties: Properties) -> dict[str, str]:
    return {"policy": json.dumps(properties["Policy"])} if "Policy" in properties else {}


PROVIDERS: tuple[Provider, ...] = (
    RestApi(), Resource(), Method(), Deployment(), Stage(), Account(), RequestValidator(), Model(),
    Authorizer(), GatewayResponse(), ApiKey(), UsagePlan(), UsagePlanKey(),
)  # fmt: skip
