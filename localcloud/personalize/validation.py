"""Checks a request against an AWS service model: types, required members, sizes, patterns, enums."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.personalize.errors import InvalidInputError

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "blob": (str,),
}


def validate(request: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    """Return the members of `request` that the model knows; null members count as absent.

    Raises InvalidInputError with every violation, in AWS's words, when there is one.
    """
    if shape is None:
        return {}
    problems = list(_problems(request, shape, ""))
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise InvalidInputError(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")
    return {name: value for name, value in request.items() if name in shape.members and value is not None}


def _problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    expected = _PYTHON_TYPES[shape.type_name]
    if not _is_one_of(value, expected) or (isinstance(value, bool) and bool not in expected):
        yield _violation(value, path, f"Member must be of type {shape.type_name}")
        return
    if isinstance(shape, StructureShape):
        yield from _structure_problems(value, shape, path)
    elif isinstance(shape, ListShape):
        yield from _size_problems(value, len(value), shape, path, "length")
        for index, item in enumerate(value, start=1):
            yield from _problems(item, shape.member, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        yield from _size_problems(value, len(value), shape, path, "length")
        for key, item in value.items():
            yield from _problems(key, shape.key, f"{path}.key")
            yield from _problems(item, shape.value, f"{path}.{key}")
    elif isinstance(value, str):
        yield from _string_problems(value, shape, path)
    elif not isinstance(value, bool):
        yield from _size_problems(value, value, shape, path, "value")


def _is_one_of(value: object, types: tuple[type, ...]) -> bool:
    return isinstance(value, types)


def _structure_problems(value: dict[str, Any], shape: StructureShape, path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield _violation(None, prefix + name, "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _problems(value[name], member, prefix + name)


def _string_problems(value: str, shape: Shape, path: str) -> Iterator[str]:
    if shape.type_name != "timestamp":
        yield from _size_problems(value, len(value), shape, path, "length")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.search(_python_pattern(pattern), value):
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield _violation(value, path, f"Member must satisfy enum value set: [{', '.join(enum)}]")


def _size_problems(value: Any, size: float, shape: Shape, path: str, what: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and size < float(minimum):
        yield _violation(value, path, f"Member must have {what} greater than or equal to {minimum}")
    if maximum is not None and size > float(maximum):
        yield _violation(value, path, f"Member must have {what} less than or equal to {maximum}")


def _violation(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _python_pattern(pattern: str) -> str:
    """Translate the Unicode classes that AWS's models use; the whole string must match."""
    for java, python in (
        (r"\p{ASCII}", r"[\x00-\x7F]"),
        (r"\p{L}", r"\w"),
        (r"\p{N}", r"\d"),
        (r"\p{Z}", r"\s"),
    ):
        pattern = pattern.replace(java, python)
    return rf"\A(?:{pattern})\Z"
