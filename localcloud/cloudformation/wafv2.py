"""AWS::WAFv2."""

from __future__ import annotations

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick


class WebAcl(Provider):
    """A web ACL."""

    type = "AWS::WAFv2::WebACL"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the web ACL."""
        name = properties.get("Name") or scope.generated_name(128)
        summary = scope.client("wafv2").create_web_acl(
            Name=name,
            **pick(properties, "Scope", "DefaultAction", "Description", "Rules", "VisibilityConfig"),
        )["Summary"]
        return Created(
            f"{name}|{summary['Id']}|{properties['Scope']}", {"Arn": summary["ARN"], "Id": summary["Id"]}
        )

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the web ACL."""
        name, acl_id, acl_scope = created.physical_id.split("|")
        client = scope.client("wafv2")
        token = client.get_web_acl(Name=name, Id=acl_id, Scope=acl_scope)["LockToken"]
        client.delete_web_acl(Name=name, Id=acl_id, Scope=acl_scope, LockToken=token)


class WebAclAssociation(Provider):
    """What a web ACL protects."""

    type = "AWS::WAFv2::WebACLAssociation"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Put the web ACL before the resource."""
        arn, resource = properties["WebACLArn"], properties["ResourceArn"]
        scope.client("wafv2").associate_web_acl(WebACLArn=arn, ResourceArn=resource)
        return Created(f"{arn}|{resource}")

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Take the web ACL away."""
        scope.client("wafv2").disassociate_web_acl(ResourceArn=properties["ResourceArn"])


PROVIDERS: tuple[Provider, ...] = (WebAcl(), WebAclAssociation())
