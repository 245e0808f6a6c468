"""The table of operations in docs/personalize-operations.md, made from the code.

`python -m localcloud.personalize.operations_table` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from localcloud.personalize import register_operations
from localcloud.personalize.operations import HANDLERS, NOT_BUILT
from localcloud.personalize.recipes import RECIPES, Recipe
from localcloud.personalize.wire import SERVICES, service_model

_HEAD = """# Which Personalize operations does localcloud have?

Made from the code by `python -m localcloud.personalize.operations_table`; a test keeps it up to date.
Requests of all operations are checked against AWS's service model. An operation that is not built answers
with `InvalidInputException` and says so.
"""


def operations_page() -> str:
    """Return the page: a table a service, and one of the recipes."""
    register_operations()
    return "\n".join([_HEAD, *_operations(), *_recipes()]) + "\n"


def _operations() -> Iterator[str]:
    for service in SERVICES:
        yield f"## {service}\n"
        yield "| operation | state | notes |"
        yield "| --- | --- | --- |"
        for name in sorted(service_model(service).operation_names):
            if name in NOT_BUILT:
                yield f"| {name} | not built | {NOT_BUILT[name]} |"
            else:
                yield f"| {name} | built | {HANDLERS[name].note} |"
        yield ""


def _recipes() -> Iterator[str]:
    yield "## Recipes\n"
    yield "| recipe | type | hyperparameters (default, range; * can be tuned) |"
    yield "| --- | --- | --- |"
    for recipe in RECIPES.values():
        yield f"| {recipe.name} | {recipe.recipe_type} | {_hyperparameters(recipe)} |"


def _hyperparameters(recipe: Recipe) -> str:
    texts = []
    for one in recipe.hyperparameters:
        bounds = "" if one.low is None else f" [{one.low}, {one.high}]"
        bounds += f" ({', '.join(one.choices)})" if one.choices else ""
        texts.append(f"{one.name}{'*' if one.tunable else ''} {one.default}{bounds}")
    return ", ".join(texts) or "none"


if __name__ == "__main__":
    sys.stdout.write(operations_page())
