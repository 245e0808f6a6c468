"""AWS::Cognito."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick


class UserPool(Provider):
    """A pool of users."""

    type = "AWS::Cognito::UserPool"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the pool."""
        pool = scope.client("cognito-idp").create_user_pool(
            PoolName=properties.get("UserPoolName") or scope.generated_name(128),
            **_parameters(properties, "CreateUserPool"),
        )["UserPool"]
        provider = f"cognito-idp.{scope.region}.amazonaws.com/{pool['Id']}"
        return Created(
            pool["Id"],
            {
                "Arn": pool["Arn"],
                "UserPoolId": pool["Id"],
                "ProviderName": provider,
                "ProviderURL": f"https://{provider}",
            },
        )

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the settings of the same pool, whose users stay; a new schema is a new pool."""
        if properties.get("Schema") != old.get("Schema"):
            return super().update(created, properties, old, scope)
        scope.client("cognito-idp").update_user_pool(
            UserPoolId=created.physical_id, **_parameters(properties, "UpdateUserPool")
        )
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the pool."""
        scope.client("cognito-idp").delete_user_pool(UserPoolId=created.physical_id)


class UserPoolClient(Provider):
    """An app that signs users in."""

    type = "AWS::Cognito::UserPoolClient"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the app client."""
        client = scope.client("cognito-idp").create_user_pool_client(
            **{
                **_parameters(properties, "CreateUserPoolClient"),
                "ClientName": properties.get("ClientName") or scope.generated_name(128),
            }
        )["UserPoolClient"]
        attributes = {"ClientId": client["ClientId"], "Name": client["ClientName"]}
        return Created(client["ClientId"], {**attributes, **pick(client, "ClientSecret")})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same app client; another pool or secret is a new one."""
        if any(properties.get(name) != old.get(name) for name in ("UserPoolId", "GenerateSecret")):
            return super().update(created, properties, old, scope)
        scope.client("cognito-idp").update_user_pool_client(
            ClientId=created.physical_id, **_parameters(properties, "UpdateUserPoolClient")
        )
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the app client."""
        scope.client("cognito-idp").delete_user_pool_client(
            UserPoolId=properties["UserPoolId"], ClientId=created.physical_id
        )


class UserPoolGroup(Provider):
    """A group of a pool's users."""

    type = "AWS::Cognito::UserPoolGroup"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the group."""
        name = properties.get("GroupName") or scope.generated_name(128)
        scope.client("cognito-idp").create_group(
            **{**_parameters(properties, "CreateGroup"), "GroupName": name}
        )
        return Created(name)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the group."""
        scope.client("cognito-idp").delete_group(
            GroupName=created.physical_id, UserPoolId=properties["UserPoolId"]
        )


class UserPoolDomain(Provider):
    """The host name of a pool's token end point."""

    type = "AWS::Cognito::UserPoolDomain"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Give the pool the domain."""
        scope.client("cognito-idp").create_user_pool_domain(**_parameters(properties, "CreateUserPoolDomain"))
        return Created(properties["Domain"])

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Take the domain away."""
        scope.client("cognito-idp").delete_user_pool_domain(
            Domain=created.physical_id, UserPoolId=properties["UserPoolId"]
        )


class UserPoolResourceServer(Provider):
    """An API and the scopes that its tokens may hold."""

    type = "AWS::Cognito::UserPoolResourceServer"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the resource server."""
        scope.client("cognito-idp").create_resource_server(**_parameters(properties, "CreateResourceServer"))
        return Created(properties["Identifier"])

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the resource server."""
        scope.client("cognito-idp").delete_resource_server(
            UserPoolId=properties["UserPoolId"], Identifier=created.physical_id
        )


def _parameters(properties: Properties, operation: str) -> dict[str, Any]:
    """Return the properties that the operation takes: Cognito's properties are named as its API's."""
    members = _service_model().operation_model(operation).input_shape.members
    return pick(properties, *members)


@cache
def _service_model() -> Any:
    return botocore.session.Session().get_service_model("cognito-idp")


PROVIDERS: tuple[Provider, ...] = (
    UserPool(), UserPoolClient(), UserPoolGroup(), UserPoolDomain(), UserPoolResourceServer(),
)  # fmt: skip
