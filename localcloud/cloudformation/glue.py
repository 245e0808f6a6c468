"""AWS::Glue."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.provider import Created, Properties, Provider, Scope, pick

JOB_FIELDS = (
    "Description", "Role", "ExecutionProperty", "Command", "DefaultArguments", "NonOverridableArguments",
    "Connections",
    "MaxRetries", "Timeout", "MaxCapacity", "WorkerType", "NumberOfWorkers", "SecurityConfiguration",
    "GlueVersion",
    "NotificationProperty", "ExecutionClass", "MaintenanceWindow", "JobMode",
)  # fmt: skip


class Database(Provider):
    """A database of the catalogue."""

    type = "AWS::Glue::Database"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the database."""
        database = dict(properties["DatabaseInput"])
        database.setdefault("Name", scope.generated_name(255).lower())
        scope.client("glue").create_database(DatabaseInput=database)
        return Created(database["Name"])

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same database, whose tables stay; a new name is a new database."""
        database = dict(properties["DatabaseInput"])
        if database.get("Name") != old["DatabaseInput"].get("Name"):
            return super().update(created, properties, old, scope)
        database.setdefault("Name", created.physical_id)
        scope.client("glue").update_database(Name=created.physical_id, DatabaseInput=database)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the database and its tables."""
        scope.client("glue").delete_database(Name=created.physical_id)


class Table(Provider):
    """A table of the catalogue."""

    type = "AWS::Glue::Table"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the table."""
        table = dict(properties["TableInput"])
        table.setdefault("Name", scope.generated_name(255).lower())
        scope.client("glue").create_table(DatabaseName=properties["DatabaseName"], TableInput=table)
        return Created(table["Name"])

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same table, whose partitions stay; a new name or database is a new table."""
        table = dict(properties["TableInput"])
        if (properties["DatabaseName"], table.get("Name")) != (
            old["DatabaseName"],
            old["TableInput"].get("Name"),
        ):
            return super().update(created, properties, old, scope)
        table.setdefault("Name", created.physical_id)
        scope.client("glue").update_table(DatabaseName=properties["DatabaseName"], TableInput=table)
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Remove the table; its data stays."""
        scope.client("glue").delete_table(DatabaseName=properties["DatabaseName"], Name=created.physical_id)


class Job(Provider):
    """A Spark job."""

    type = "AWS::Glue::Job"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the job."""
        name = properties.get("Name") or scope.generated_name(255)
        scope.client("glue").create_job(Name=name, **_job(properties), Tags=scope.tags(properties))
        return Created(name)

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Change the same job; a new name is a new job."""
        if properties.get("Name") != old.get("Name"):
            return super().update(created, properties, old, scope)
        scope.client("glue").update_job(JobName=created.physical_id, JobUpdate=_job(properties))
        return created

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the job."""
        scope.client("glue").delete_job(JobName=created.physical_id)


class SecurityConfiguration(Provider):
    """Encryption settings that jobs name."""

    type = "AWS::Glue::SecurityConfiguration"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the configuration."""
        encryption = dict(properties["EncryptionConfiguration"])
        if "S3Encryptions" in encryption:
            encryption["S3Encryption"] = encryption.pop("S3Encryptions")
        scope.client("glue").create_security_configuration(
            Name=properties["Name"], EncryptionConfiguration=encryption
        )
        return Created(properties["Name"])

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the configuration."""
        scope.client("glue").delete_security_configuration(Name=created.physical_id)


class Connection(Provider):
    """A connection to a data store."""

    type = "AWS::Glue::Connection"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Make the connection."""
        connection = dict(properties["ConnectionInput"])
        connection.setdefault("Name", scope.generated_name(255))
        scope.client("glue").create_connection(ConnectionInput=connection)
        return Created(connection["Name"])

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove the connection."""
        scope.client("glue").delete_connection(ConnectionName=created.physical_id)


def _job(properties: Properties) -> dict[str, Any]:
    return pick(properties, *JOB_FIELDS)


PROVIDERS: tuple[Provider, ...] = (Database(), Table(), Job(), SecurityConfiguration(), Connection())
