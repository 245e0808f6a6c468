"""Text of a filter expression to its syntax tree, by the grammar in grammar.lark."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, v_args
from lark.exceptions import UnexpectedToken

from localcloud.personalize.filters.syntax import (
    AnyValue,
    Clause,
    Condition,
    Field,
    FilterExpression,
    Literal,
    Operand,
    Parameter,
)


class FilterSyntaxError(ValueError):
    """The text is not a filter expression; `position` is the column of the first wrong character, from 1."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(f"{problem} at position {position}")
        self.position = position


_EXPECTED = {
    "ACTION": "INCLUDE or EXCLUDE",
    "SUBJECT": "ItemID, UserID or ActionID",
    "WHERE": "WHERE",
    "IN_OPERATOR": "IN or NOT IN",
    "COMPARISON": "a comparison (=, !=, <, <=, >, >=)",
    "DATASET": "a field (Items, Interactions, Users, CurrentUser, CurrentItem, Actions or "
    "Action_Interactions, a dot and a name)",
    "NAME": "a field name",
    "PARAMETER": "a $parameter",
    "STRING": 'a "string"',
    "NUMBER": "a number",
    "STAR": "*",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "DOT": ".",
    "VBAR": "|",
    "$END": "the end",
}


@cache
def _parser() -> Lark:
    grammar = (Path(__file__).parent / "grammar.lark").read_text()
    return Lark(grammar, parser="lalr", lexer="contextual")


def parse_filter(text: str) -> FilterExpression:
    """Return the syntax tree of a filter expression.

    Raises FilterSyntaxError with the position and what would be right there.
    """
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from error
    result: FilterExpression = _ToSyntax().transform(tree)
    return result


def _syntax_error(text: str, error: UnexpectedInput) -> FilterSyntaxError:
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    position = len(text) + 1 if at_end or error.pos_in_stream is None else error.pos_in_stream + 1
    if isinstance(error, UnexpectedCharacters):
        names = set(error.allowed)
    else:
        names = set(error.expected) if isinstance(error, UnexpectedToken) else set()
    before = text[: position - 1]
    in_list = before.count("(") > before.count(")")
    unlikely = {"WS"} if in_list else {"WS", "RPAR", "COMMA"}
    expected = sorted(_EXPECTED.get(name, name) for name in names - unlikely)
    found = repr(text[position - 1 : position + 14]) if position <= len(text) else "the end"
    return FilterSyntaxError(f"Invalid input symbol {found}; expected {' or '.join(expected)}", position)


@v_args(inline=True)
class _ToSyntax(Transformer[Token, Any]):
    """Builds the syntax tree bottom up."""

    def start(self, *clauses: Clause) -> FilterExpression:
        return FilterExpression(clauses)

    def clause(
        self,
        action: Token,
        subject: Token,
        alternatives: tuple[tuple[Condition, ...], ...],
        user_conditions: tuple[Condition, ...] | None,
    ) -> Clause:
        return Clause(action.upper() == "INCLUDE", subject.upper(), alternatives, user_conditions or ())

    def disjunction(self, *alternatives: tuple[Condition, ...]) -> tuple[tuple[Condition, ...], ...]:
        return alternatives

    def conjunction(self, *conditions: Condition) -> tuple[Condition, ...]:
        return conditions

    def membership(self, field: Field, operator: Token, operands: tuple[Operand, ...]) -> Condition:
        return Condition(field, " ".join(operator.upper().split()), operands)

    def comparison(self, field: Field, operator: Token, operand: Operand) -> Condition:
        return Condition(field, str(operator), (operand,))

    def values(self, *values: Operand) -> tuple[Operand, ...]:
        return values

    def field(self, dataset: Token, name: Token) -> Field:
        named = dataset.upper()
        # AWS's own examples write Action.FIELD too.
        return Field("ACTIONS" if named == "ACTION" else named, str(name), (dataset.start_pos or 0) + 1)

    def string(self, token: Token) -> Literal:
        return Literal(token[1:-1])

    def number(self, token: Token) -> Literal:
        return Literal(float(token))

    def parameter(self, token: Token) -> Parameter:
        return Parameter(token[1:], (token.start_pos or 0) + 1)

    def star(self, _token: Token) -> AnyValue:
        return AnyValue()
