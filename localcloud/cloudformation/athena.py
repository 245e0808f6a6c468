"""AWS::Athena."""

from __future__ import annotations

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick, tag_list


class WorkGroup(Provider):
    """A work group."""

    type = "AWS::Athena::WorkGroup"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the work group."""
        scope.client("athena").create_work_group(
            **pick(properties, "Name", "Description"),
            Configuration=properties.get("WorkGroupConfiguration", {}),
            Tags=tag_list(scope.tags(properties)),
        )
        return Created(properties["Name"])

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same work group, whose history stays; a new name is a new work group."""
        if properties["Name"] != old["Name"]:
            return super().update(created, properties, old, scope)
        settings = dict(properties.get("WorkGroupConfiguration", {}))
        if result := settings.pop("ResultConfiguration", None):
            settings["ResultConfigurationUpdates"] = result
        scope.client("athena").update_work_group(
            WorkGroup=created.physical_id,
            ConfigurationUpdates=settings,
            **pick(properties, "Description", "State"),
        )
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the work group, with its history where the template asks for that."""
        recursive = bool(properties.get("RecursiveDeleteOption", False))
        scope.client("athena").delete_work_group(
            WorkGroup=created.physical_id, RecursiveDeleteOption=recursive
        )


class NamedQuery(Provider):
    """A saved statement."""

    type = "AWS::Athena::NamedQuery"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Save the statement."""
        query_id = scope.client("athena").create_named_query(
            Name=properties.get("Name") or scope.generated_name(128),
            **pick(properties, "Database", "QueryString", "Description", "WorkGroup"),
        )["NamedQueryId"]
        return Created(query_id, {"NamedQueryId": query_id})

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the statement."""
        scope.client("athena").delete_named_query(NamedQueryId=created.physical_id)


PROVIDERS: tuple[Provider, ...] = (WorkGroup(), NamedQuery())
