"""What CreateFilter refuses although the grammar allows it: unknown fields, wrong types, mixed datasets."""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.personalize.avro import (
    ACTION_INTERACTIONS,
    ACTIONS,
    INTERACTIONS,
    ITEMS,
    USERS,
    Column,
    DatasetSchema,
)
from localcloud.personalize.filters.syntax import (
    EVENT_DATASETS,
    AnyValue,
    Clause,
    Condition,
    Field,
    FilterExpression,
    Literal,
    Parameter,
)

_SCHEMA_OF = {
    "ITEMS": ITEMS,
    "CURRENTITEM": ITEMS,
    "USERS": USERS,
    "CURRENTUSER": USERS,
    "INTERACTIONS": INTERACTIONS,
    "ACTIONS": ACTIONS,
    "ACTION_INTERACTIONS": ACTION_INTERACTIONS,
}
_ALLOWED_DATASETS = {
    "ITEMID": {"ITEMS", "INTERACTIONS"},
    "USERID": {"USERS", "INTERACTIONS"},
    "ACTIONID": {"ACTIONS", "ACTION_INTERACTIONS"},
}
_ORDERED = frozenset({"<", "<=", ">", ">="})


def fields_of(expression: FilterExpression) -> frozenset[tuple[str, str]]:
    """Return the distinct (dataset type, field name) that an expression reads."""
    fields = {condition.field for condition in expression.conditions}
    fields |= {
        operand
        for condition in expression.conditions
        for operand in condition.operands
        if isinstance(operand, Field)
    }
    return frozenset((_SCHEMA_OF[field.dataset], field.name.upper()) for field in fields)


def check_against_schemas(expression: FilterExpression, schemas: Mapping[str, DatasetSchema]) -> None:
    """Check an expression against the schemas of its dataset group, by dataset type.

    Raises ValueError that says what is wrong and where.
    """
    subjects = {clause.subject for clause in expression.clauses}
    if len(subjects) > 1:
        raise ValueError("ItemID, UserID and ActionID cannot be used in one filter")
    for clause in expression.clauses:
        _check_clause(clause)
    for condition in expression.conditions:
        _check_condition(condition, schemas)


def _check_clause(clause: Clause) -> None:
    first = clause.conditions[0].field
    for condition in clause.conditions:
        field = condition.field
        if field.dataset not in _ALLOWED_DATASETS[clause.subject]:
            raise ValueError(f"{field} at position {field.position} cannot be used after WHERE here")
        if field.dataset != first.dataset:
            raise ValueError(
                f"{field} at position {field.position}: the first condition uses {first}, and conditions "
                "joined by AND or OR must use the same dataset; chain two expressions with | instead"
            )
    for condition in clause.user_conditions:
        if condition.field.dataset != "CURRENTUSER":
            raise ValueError(
                f"{condition.field} at position {condition.field.position}: "
                "an IF condition can only use CurrentUser"
            )


def _check_condition(condition: Condition, schemas: Mapping[str, DatasetSchema]) -> None:
    column = _column(condition.field, schemas)
    if condition.field.dataset in EVENT_DATASETS and condition.operator not in {"IN", "NOT IN"}:
        raise ValueError(
            f"{condition.field} at position {condition.field.position} can only be used with IN and NOT IN"
        )
    if condition.operator in _ORDERED and not column.is_number:
        raise ValueError(
            f"{condition.field} at position {condition.field.position} is a {column.kind}: "
            f"{condition.operator} needs a number"
        )
    for operand in condition.operands:
        _check_operand(condition, column, operand, schemas)


def _check_operand(
    condition: Condition,
    column: Column,
    operand: Literal | Parameter | Field | AnyValue,
    schemas: Mapping[str, DatasetSchema],
) -> None:
    where = f"{condition.field} at position {condition.field.position}"
    if isinstance(operand, AnyValue):
        if condition.field.dataset not in EVENT_DATASETS or len(condition.operands) > 1:
            raise ValueError(f"{where}: * can only be used alone and with Interactions.EVENT_TYPE")
    elif isinstance(operand, Parameter):
        if condition.operator == "NOT IN":
            raise ValueError(
                f"${operand.name} at position {operand.position}: a parameter cannot be used with NOT IN"
            )
    elif isinstance(operand, Field):
        if operand.dataset != "CURRENTITEM" or condition.field.dataset != "ITEMS":
            raise ValueError(
                f"{operand} at position {operand.position}: only CurrentItem can be compared with Items"
            )
        if _column(operand, schemas).is_number != column.is_number:
            raise ValueError(
                f"{operand} at position {operand.position} is not of the type of {condition.field}"
            )
    elif isinstance(operand.value, str) == column.is_number:
        raise ValueError(f"{where} is a {column.kind} and cannot be compared with {operand.value!r}")


def _column(field: Field, schemas: Mapping[str, DatasetSchema]) -> Column:
    """Return the column that a field names, whatever the case: AWS's own samples filter by event_type."""
    dataset_type = _SCHEMA_OF[field.dataset]
    schema = schemas.get(dataset_type)
    if schema is None:
        raise ValueError(
            f"{field} at position {field.position}: the dataset group has no {dataset_type} dataset"
        )
    if field.dataset in EVENT_DATASETS and field.name.upper() != "EVENT_TYPE":
        raise ValueError(
            f"{field} at position {field.position}: interactions can only be filtered by EVENT_TYPE"
        )
    column = schema.column(field.name)
    if column is None:
        raise ValueError(
            f"{field} at position {field.position}: the {dataset_type} schema has no such field; "
            f"it has {', '.join(one.name for one in schema.columns)}"
        )
    if column.kind == "boolean":
        raise ValueError(f"{field} at position {field.position} is a boolean, by which one cannot filter")
    if column.textual:
        raise ValueError(f"{field} at position {field.position} is textual, by which one cannot filter")
    return column
