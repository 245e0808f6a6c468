"""The syntax tree of a filter expression."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """`dataset.name`, as in Items.GENRE; `dataset` is a key of _WRITTEN.

    `position` is the column of its first character in the expression, from 1.
    """

    dataset: str
    name: str
    position: int

    def __str__(self) -> str:
        return f"{_WRITTEN[self.dataset]}.{self.name}"


_WRITTEN = {
    "INTERACTIONS": "Interactions",
    "ITEMS": "Items",
    "USERS": "Users",
    "CURRENTUSER": "CurrentUser",
    "CURRENTITEM": "CurrentItem",
    "ACTIONS": "Actions",
    "ACTION_INTERACTIONS": "Action_Interactions",
}


# The datasets of events: filters ask them for the types of a user's events only.
EVENT_DATASETS = frozenset({"INTERACTIONS", "ACTION_INTERACTIONS"})


@dataclass(frozen=True)
class Literal:
    """A fixed value: a string or a number."""

    value: str | float


@dataclass(frozen=True)
class Parameter:
    """`$NAME`: given with every request."""

    name: str
    position: int


@dataclass(frozen=True)
class AnyValue:
    """`*`: every event type."""


Operand = Literal | Parameter | Field | AnyValue


@dataclass(frozen=True)
class Condition:
    """`field operator operands`; the operator is IN, NOT IN, =, !=, <, <=, > or >=."""

    field: Field
    operator: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Clause:
    """`INCLUDE|EXCLUDE ItemID|UserID WHERE conditions IF user conditions`.

    `alternatives` are joined by OR, the conditions in each by AND, which binds closer.
    `user_conditions` are joined by AND; the clause counts only for users that meet all of them.
    """

    includes: bool
    subject: str
    alternatives: tuple[tuple[Condition, ...], ...]
    user_conditions: tuple[Condition, ...]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions after WHERE."""
        return tuple(condition for alternative in self.alternatives for condition in alternative)


@dataclass(frozen=True)
class FilterExpression:
    """Clauses joined by `|`: the union of what INCLUDE clauses give, less what EXCLUDE clauses give."""

    clauses: tuple[Clause, ...]

    @property
    def subject(self) -> str:
        """What is filtered: ITEMID, USERID or ACTIONID; the same in all clauses."""
        return self.clauses[0].subject

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions, those after IF among them."""
        return tuple(one for clause in self.clauses for one in (*clause.conditions, *clause.user_conditions))
