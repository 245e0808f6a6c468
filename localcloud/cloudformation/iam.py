"""AWS::IAM."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick, tag_list


class Role(Provider):
    """A role with its trust policy, inline and managed policies."""

    type = "AWS::IAM::Role"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the role and attach its policies."""
        iam, name = scope.client("iam"), properties.get("RoleName") or scope.generated_name()
        role = iam.create_role(
            RoleName=name,
            **pick(properties, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary"),
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Tags=tag_list(scope.tags(properties)),
        )["Role"]
        _attach(iam, name, properties)
        return Created(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the policies of the same role; a new name or path is a new role."""
        if any(properties.get(name) != old.get(name) for name in ("RoleName", "Path")):
            return super().update(created, properties, old, scope)
        iam, name = scope.client("iam"), created.physical_id
        iam.update_role(RoleName=name, **pick(properties, "Description", "MaxSessionDuration"))
        iam.update_assume_role_policy(
            RoleName=name, PolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"])
        )
        _detach(iam, name, old)
        _attach(iam, name, properties)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Detach the role's own policies, and remove it."""
        iam = scope.client("iam")
        _detach(iam, created.physical_id, properties)
        iam.delete_role(RoleName=created.physical_id)


class Policy(Provider):
    """An inline policy put on roles."""

    type = "AWS::IAM::Policy"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Put the policy on each role."""
        name = properties.get("PolicyName") or scope.generated_name(128)
        for role in properties.get("Roles", []):
            scope.client("iam").put_role_policy(
                RoleName=role, PolicyName=name, PolicyDocument=json.dumps(properties["PolicyDocument"])
            )
        return Created(name)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Take the policy off each role that is still there."""
        for role in properties.get("Roles", []):
            try:
                scope.client("iam").delete_role_policy(RoleName=role, PolicyName=created.physical_id)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchEntity":
                    raise


class ManagedPolicy(Provider):
    """A policy with an ARN of its own."""

    type = "AWS::IAM::ManagedPolicy"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the policy and attach it to its roles."""
        iam = scope.client("iam")
        arn = iam.create_policy(
            PolicyName=properties.get("ManagedPolicyName") or scope.generated_name(128),
            **pick(properties, "Path", "Description"),
            PolicyDocument=json.dumps(properties["PolicyDocument"]),
        )["Policy"]["Arn"]
        for role in properties.get("Roles", []):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        return Created(arn, {"PolicyArn": arn})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Detach and remove the policy."""
        iam = scope.client("iam")
        for role in properties.get("Roles", []):
            iam.detach_role_policy(RoleName=role, PolicyArn=created.physical_id)
        iam.delete_policy(PolicyArn=created.physical_id)


def _attach(iam: Any, role: str, properties: Properties) -> None:
    for policy in properties.get("Policies", []):
        iam.put_role_policy(
            RoleName=role,
            PolicyName=policy["PolicyName"],
            PolicyDocument=json.dumps(policy["PolicyDocument"]),
        )
    for arn in properties.get("ManagedPolicyArns", []):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def _detach(iam: Any, role: str, properties: Properties) -> None:
    for policy in properties.get("Policies", []):
        iam.delete_role_policy(RoleName=role, PolicyName=policy["PolicyName"])
    for arn in properties.get("ManagedPolicyArns", []):
        iam.detach_role_policy(RoleName=role, PolicyArn=arn)


PROVIDERS: tuple[Provider, ...] = (Role(), Policy(), ManagedPolicy())
