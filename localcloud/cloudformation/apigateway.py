"""AWS::ApiGateway: REST APIs, their methods, deployments and stages."""

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

ACCOUNT = "ApiGatewayAccount"
# The properties of an API that its update operation changes, and their paths there.
CHANGEABLE = {
    "ApiKeySourceType": "/apiKeySource",
    "Description": "/description",
    "DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint",
    "MinimumCompressionSize": "/minimumCompressionSize",
    "Name": "/name",
    "Policy": "/policy",
}


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

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same API, which keeps its address, where its settings can be; else it is a new one."""
        changed = {name for name in {**properties, **old} if properties.get(name) != old.get(name)} - {"Tags"}
        if changed - set(CHANGEABLE):
            return super().update(created, properties, old, scope)
        operations = []
        for name in sorted(changed):
            value = properties.get(name, "")
            text = json.dumps(value) if isinstance(value, dict) else _text(value)
            operations.append({"op": "replace", "path": CHANGEABLE[name], "value": text})
        if operations:
            scope.client("apigateway").update_rest_api(
                restApiId=created.physical_id, patchOperations=operations
            )
        return created

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
                text = _text(setting[name])
                operations.append({"op": "replace", "path": f"{prefix}/{patch}", "value": text})
    if access_log := properties.get("AccessLogSetting"):
        for name, value in access_log.items():
            path = f"/accessLogSettings/{name[:1].lower() + name[1:]}"
            operations.append({"op": "replace", "path": path, "value": value})
    if operations:
        client.update_stage(
            restApiId=properties["RestApiId"], stageName=properties["StageName"], patchOperations=operations
        )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _policy(properties: Properties) -> dict[str, str]:
    return {"policy": json.dumps(properties["Policy"])} if "Policy" in properties else {}


PROVIDERS: tuple[Provider, ...] = (RestApi(), Resource(), Method(), Deployment(), Stage(), Account())
