r"""Texts of intrinsic functions with the escapes that AWS has: \', \{, \} and \\.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
moto's parser ends a text at its first quote and hands States.Format to Python's own formatting. So escaped
characters pass the parser as others, of Unicode's private use area, and become themselves again when a
function is evaluated.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.stepfunctions.parser.asl.component.intrinsic.argument.argument import ArgumentLiteral
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.generic.string_format import (
    StringFormat,
)
from moto.stepfunctions.parser.asl.parse.intrinsic.intrinsic_parser import IntrinsicParser

ESCAPE = re.compile(r"\\(['{}\\])")
STAND_INS = {"'": "\ue000", "{": "\ue001", "}": "\ue002", "\\": "\ue003"}
MEANT = str.maketrans({stand_in: character for character, stand_in in STAND_INS.items()})
PLACE = "{}"


class FormatError(ValueError):
    """A format has more places than values, or fewer."""


def install() -> None:
    """Read escapes, and fill formats, as AWS does."""
    parser: Any = IntrinsicParser
    parse_by_moto = parser.parse

    def parse(source: str) -> Any:
        text: str = json.loads(f'"{source}"')  # as it stands in the definition, between its quotes
        return parse_by_moto(ESCAPE.sub(lambda found: STAND_INS[found[1]], text))

    def literal(argument: Any, env: Any) -> Any:  # noqa: ARG001 - called by name
        value = argument.definition_value
        return value.translate(MEANT) if isinstance(value, str) else value

    parser.parse = staticmethod(parse)
    argument_class: Any = ArgumentLiteral
    argument_class._eval_argument = literal
    format_class: Any = StringFormat
    format_class._eval_body = _fill


def _fill(function: Any, env: Any) -> None:
    """Evaluate States.Format: each `{}` that is not escaped takes the next value."""
    function.argument_list.eval(env=env)
    text, *values = env.stack.pop()
    first = function.argument_list.arguments[0]
    pieces = (first.definition_value if isinstance(first, ArgumentLiteral) else text).split(PLACE)
    if len(pieces) != len(values) + 1:
        raise FormatError(f"States.Format has {len(pieces) - 1} places for {len(values)} values")
    filled = [str(pieces[0])]
    for value, piece in zip(values, pieces[1:], strict=True):
        filled += [StringFormat._to_str_repr(value), piece]
    env.stack.append("".join(part.translate(MEANT) for part in filled))
