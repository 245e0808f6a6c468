"""What of a Personalize filter expression speaks of items' metadata alone: the API can apply that itself."""

from __future__ import annotations

import re
from typing import Any

PARAMETER = re.compile(r"\$([A-Za-z_]\w*)")
WHOLE = re.compile(r"\s*(INCLUDE|EXCLUDE)\s+ItemID\s+WHERE\s+(.+?)\s*", re.IGNORECASE | re.DOTALL)
CONDITION = re.compile(r"\s*Items\.(\w+)\s+(NOT\s+IN|IN)\s*\(([^()]*)\)\s*", re.IGNORECASE)
AND = re.compile(r"\s+AND\s+", re.IGNORECASE)
QUOTED = re.compile(r'\s*"([^"]*)"\s*')


def parameters(expression: str) -> list[str]:
    """Return the names of the `$` placeholders, sorted."""
    return sorted(set(PARAMETER.findall(expression)))


def rules(expression: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the rules of an expression, and whether they are all of it.

    Conditions joined by AND in one INCLUDE clause are rules one by one; an EXCLUDE clause is one when it has
    a single condition. Of any other expression none is known.
    """
    whole = WHOLE.fullmatch(expression)
    if whole is None or "|" in expression or re.search(r"\bOR\b", expression, re.IGNORECASE):
        return [], False
    excludes = whole[1].upper() == "EXCLUDE"
    conditions = AND.split(whole[2])
    if excludes and len(conditions) > 1:
        return [], False
    found = [_rule(condition, excludes=excludes) for condition in conditions]
    known = [rule for rule in found if rule is not None]
    return known, len(known) == len(found)


def _rule(condition: str, *, excludes: bool) -> dict[str, Any] | None:
    match = CONDITION.fullmatch(condition)
    if match is None:
        return None
    negated = match[2].upper() != "IN"
    rule: dict[str, Any] = {"column": match[1].lower(), "excludes": excludes != negated}
    parameter = PARAMETER.fullmatch(match[3].strip())
    if parameter is not None:
        return {**rule, "parameter": parameter[1]}
    values = [QUOTED.fullmatch(part) for part in match[3].split(",")]
    if not all(values):
        return None
    return {**rule, "values": [value[1] for value in values if value]}
