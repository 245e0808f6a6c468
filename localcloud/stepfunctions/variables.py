"""Workflow variables in JSONPath state machines: `$wait`, `$plan.name`, wherever a path may stand.

https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
moto evaluates a reference to a variable as JSONata even where the query language is JSONPath, and so needs an
engine that is not installed. A reference in JSONPath is a name and a path into its value, read here as such.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from moto.stepfunctions.parser.asl.component.common.query_language import QueryLanguageMode
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringVariableSample

from localcloud.stepfunctions import json_paths

REFERENCE = re.compile(r"\$(?P<name>[^\W\d]\w*)(?P<path>.*)", re.DOTALL)


def install() -> None:
    """Read variables of JSONPath states without JSONata."""
    sample: Any = StringVariableSample
    by_moto = sample._eval_body

    def eval_body(self: Any, env: Any) -> None:
        reference = REFERENCE.fullmatch(self.expression)
        if self.query_language_mode != QueryLanguageMode.JSONPath or reference is None:
            by_moto(self, env)
            return
        value = env.variable_store.get(reference["name"])
        if reference["path"]:
            value = json_paths.extract(f"${reference['path']}", value)
        env.stack.append(copy.deepcopy(value))

    sample._eval_body = eval_body
