"""Which candidates a filter lets through: boolean masks over all items (or users) at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from localcloud.personalize.filters.columns import CategoryColumn, NumberColumn, Value
from localcloud.personalize.filters.syntax import (
    EVENT_DATASETS,
    AnyValue,
    Clause,
    Condition,
    Field,
    FilterExpression,
    Literal,
    Operand,
    Parameter,
)

Mask = npt.NDArray[np.bool_]

_QUOTED_OR_BARE = re.compile(r'\s*(?:"([^"]*)"|([^",]+))\s*(?:,|$)')


class Candidates(Protocol):
    """What a filter is asked about: the rows it chooses among, and whose request it is."""

    @property
    def size(self) -> int:
        """How many candidates there are."""

    def column(self, name: str) -> CategoryColumn | NumberColumn:
        """Return a metadata column of the candidates."""

    def interacted(self, event_types: frozenset[str] | None) -> Mask:
        """Mark the candidates with recent interactions of these (lower case) event types; None is any."""

    def user_value(self, name: str) -> Value:
        """Return an attribute of the user of the request."""

    def item_value(self, name: str) -> Value:
        """Return an attribute of the item of the request."""


class MissingParameterError(ValueError):
    """An INCLUDE expression needs a value that the request does not give."""


def parameters_of(expression: FilterExpression) -> frozenset[str]:
    """Return the names of the `$` parameters of an expression."""
    return frozenset(
        operand.name
        for condition in expression.conditions
        for operand in condition.operands
        if isinstance(operand, Parameter)
    )


def allowed(expression: FilterExpression, candidates: Candidates, values: Mapping[str, str]) -> Mask:
    """Return the mask, shape (candidates.size,), of what the filter lets through.

    `values` gives the parameters in AWS's form: `"a","b"` or `12`. An EXCLUDE clause with a parameter that is
    not given does not count; an INCLUDE clause with one raises MissingParameterError.
    """
    included: list[Mask] = []
    excluded: list[Mask] = []
    for clause in expression.clauses:
        if not _is_complete(clause, values):
            if clause.includes:
                raise MissingParameterError(f"The filter needs a value for ${_missing(clause, values)}.")
            continue
        if all(_user_meets(condition, candidates, values) for condition in clause.user_conditions):
            (included if clause.includes else excluded).append(_clause_mask(clause, candidates, values))
    mask = np.logical_or.reduce(included) if included else np.ones(candidates.size, dtype=np.bool_)
    for one in excluded:
        mask = mask & ~one
    return mask


def parameter_values(text: str) -> list[str]:
    """Split a parameter's value, `"a","b"` or `12`, into its values."""
    return [quoted if bare == "" else bare.strip() for quoted, bare in _QUOTED_OR_BARE.findall(text)]


def _parameters(clause: Clause) -> list[str]:
    conditions = (*clause.conditions, *clause.user_conditions)
    return [one.name for condition in conditions for one in condition.operands if isinstance(one, Parameter)]


def _missing(clause: Clause, values: Mapping[str, str]) -> str:
    return next(name for name in _parameters(clause) if name not in values)


def _is_complete(clause: Clause, values: Mapping[str, str]) -> bool:
    return all(name in values for name in _parameters(clause))


def _clause_mask(clause: Clause, candidates: Candidates, values: Mapping[str, str]) -> Mask:
    result = np.zeros(candidates.size, dtype=np.bool_)
    for alternative in clause.alternatives:
        meets = np.ones(candidates.size, dtype=np.bool_)
        for condition in alternative:
            meets &= _condition_mask(condition, candidates, values)
        result |= meets
    return result


def _condition_mask(condition: Condition, candidates: Candidates, values: Mapping[str, str]) -> Mask:
    if condition.field.dataset in EVENT_DATASETS:
        mask = candidates.interacted(_event_types(condition, values))
        return mask if condition.operator == "IN" else ~mask
    operands = _operand_values(condition.operands, candidates, values)
    return candidates.column(condition.field.name).compare(condition.operator, operands)


def _event_types(condition: Condition, values: Mapping[str, str]) -> frozenset[str] | None:
    # AWS's own samples write the star in quotes too.
    if any(isinstance(operand, AnyValue) or operand == Literal("*") for operand in condition.operands):
        return None
    return frozenset(str(value).lower() for value in _fixed_values(condition.operands, values))


def _user_meets(condition: Condition, candidates: Candidates, values: Mapping[str, str]) -> bool:
    value = candidates.user_value(condition.field.name)
    column: CategoryColumn | NumberColumn
    if isinstance(value, float | int):
        column = NumberColumn(np.array([value], dtype=np.float64))
    else:
        column = CategoryColumn.of([value])
    return bool(column.compare(condition.operator, _fixed_values(condition.operands, values))[0])


def _operand_values(
    operands: tuple[Operand, ...], candidates: Candidates, values: Mapping[str, str]
) -> list[str | float]:
    found = _fixed_values(operands, values)
    for operand in operands:
        if isinstance(operand, Field):
            value = candidates.item_value(operand.name)
            if isinstance(value, str):
                found.extend(value.split("|"))
            elif value is not None:
                found.append(value)
    return found


def _fixed_values(operands: tuple[Operand, ...], values: Mapping[str, str]) -> list[str | float]:
    found: list[str | float] = []
    for operand in operands:
        if isinstance(operand, Literal):
            found.append(operand.value)
        elif isinstance(operand, Parameter):
            found.extend(parameter_values(values[operand.name]))
    return found
