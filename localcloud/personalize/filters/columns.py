"""Metadata columns in a form that a condition can be tested on in one pass."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from localcloud.personalize.avro import Column

Value = str | float | None
Mask = npt.NDArray[np.bool_]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass
class NumberColumn:
    """Numbers, shape (rows,) float64; NaN where there is none. NaN meets no condition but NOT IN."""

    values: npt.NDArray[np.float64]

    def compare(self, comparison: str, operands: Sequence[str | float]) -> Mask:
        """Mark the rows that meet the condition.

        Raises ValueError when an operand is not a number.
        """
        numbers = [_number(operand) for operand in operands]
        if comparison in {"IN", "NOT IN"}:
            found = np.isin(self.values, numbers)
            return found if comparison == "IN" else ~found
        if not numbers:
            return np.zeros(len(self.values), dtype=np.bool_)
        result: Mask = _COMPARE[comparison](self.values, numbers[0]) & ~np.isnan(self.values)
        return result


@dataclass
class CategoryColumn:
    """Strings as codes, shape (rows,) int32, into `texts`; -1 where there is none.

    A text holds one category or several joined by `|`; a row is IN a list when any of its categories is.
    """

    codes: npt.NDArray[np.int32]
    texts: list[str]
    _codes_of: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[Value]) -> CategoryColumn:
        """Build the column from its values in row order."""
        code_of: dict[str, int] = {}
        codes = [-1 if value is None else code_of.setdefault(str(value), len(code_of)) for value in values]
        return cls(np.array(codes, dtype=np.int32), list(code_of))

    def __post_init__(self) -> None:
        for code, text in enumerate(self.texts):
            for category in text.split("|"):
                self._codes_of.setdefault(category, []).append(code)

    def compare(self, comparison: str, operands: Sequence[str | float]) -> Mask:
        """Mark the rows that meet the condition; `=` and `!=` are IN and NOT IN of one value."""
        # The last place is for code -1: no value, in no list.
        matches = np.zeros(len(self.texts) + 1, dtype=np.bool_)
        for operand in operands:
            matches[self._codes_of.get(str(operand), [])] = True
        found: Mask = matches[self.codes]
        return ~found if comparison in {"NOT IN", "!="} else found


def column_of(values: Sequence[Value], column: Column | None) -> CategoryColumn | NumberColumn:
    """Build a metadata column from its values in row order, by its type in the schema."""
    if column is not None and column.is_number:
        return NumberColumn(np.array([np.nan if one is None else one for one in values], dtype=np.float64))
    return CategoryColumn.of(values)


def _number(operand: str | float) -> float:
    try:
        return float(operand)
    except ValueError as error:
        raise ValueError(f"The filter compares a number with {operand!r}, which is no number.") from error
