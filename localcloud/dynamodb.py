"""DynamoDB: moto's tables, whose answers take far longer to write than to find, mended."""

from __future__ import annotations

import base64
from typing import Any

from botocore.model import StructureShape
from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS, JSONSerializer

from localcloud.context import CloudContext


class _AttributeSerializer(JSONSerializer):
    """Takes attribute values as they are: moto looks for each of the ten types in every one of them."""

    def _serialize_type_structure(self, serialized: Any, value: Any, shape: StructureShape, key: str) -> None:
        if shape.name == "AttributeValue":
            serialized[key] = _in_json(value)
        else:
            super()._serialize_type_structure(serialized, value, shape, key)


def install(context: CloudContext) -> None:  # noqa: ARG001 - every service takes it
    """Mend how answers are written."""
    SERVICE_SPECIFIC_SERIALIZERS["dynamodb"] = {"json": _AttributeSerializer}


def _in_json(value: Any) -> Any:
    """Return an attribute value whose bytes, of B and BS at any depth, are base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _in_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_in_json(inner) for inner in value]
    return value
