"""Schemas."""

from __future__ import annotations

from localcloud.personalize.avro import parse_schema
from localcloud.personalize.errors import NotBuiltError, ResourceInUseError
from localcloud.personalize.listing import describe, page
from localcloud.personalize.operations import Answer, Request, operation
from localcloud.personalize.quotas import SCHEMAS, check_active
from localcloud.personalize.region import Region
from localcloud.personalize.resources import ACTIVE, Dataset, Schema


@operation("CreateSchema")
def create_schema(region: Region, request: Request) -> Answer:
    """Register an Avro schema."""
    if "domain" in request:
        raise NotBuiltError("CreateSchema: a domain schema")
    parse_schema(request["schema"])
    check_active(region.all(Schema), SCHEMAS)
    schema = Schema(
        arn=region.arn(Schema, request["name"]), name=request["name"], schema=request["schema"], status=ACTIVE
    )
    region.add(schema)
    return {"schemaArn": schema.arn}


@operation("DescribeSchema")
def describe_schema(region: Region, request: Request) -> Answer:
    """Return a schema."""
    return describe("DescribeSchema", "schema", region.get(Schema, request["schemaArn"]))


@operation("ListSchemas")
def list_schemas(region: Region, request: Request) -> Answer:
    """Return all schemas, page by page."""
    return page("ListSchemas", "schemas", request, region.all(Schema))


@operation("DeleteSchema")
def delete_schema(region: Region, request: Request) -> Answer:
    """Forget a schema that no dataset uses."""
    schema = region.get(Schema, request["schemaArn"])
    if users := region.all(Dataset, schema_arn=schema.arn):
        raise ResourceInUseError(f"{schema.arn} is in use by {users[0].arn}; delete the dataset first.")
    region.remove(schema)
    return {}
