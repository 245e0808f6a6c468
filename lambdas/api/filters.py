"""Filters: Personalize applies them; what of them speaks of items' metadata can be applied here too. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """Keeps (or, `excludes`, drops) items whose column has one of the values, fixed or of a parameter."""

    column: str
    excludes: bool
    values: tuple[str, ...] = ()
    parameter: str | None = None


@dataclass(frozen=True)
class Filter:
    """A Personalize filter, the query parameters that fill its `$` placeholders, and its rules.

    `rules_are_all` says that the rules are the whole filter.
    """

    arn: str
    parameters: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    rules_are_all: bool = False


@dataclass(frozen=True)
class Chosen:
    """A filter with the values of its parameters."""

    filter: Filter
    values: Mapping[str, tuple[str, ...]]

    def for_personalize(self) -> dict[str, str]:
        """Return the values as Personalize takes them: `"a","b"`."""
        return {name: ",".join(f'"{word}"' for word in words) for name, words in self.values.items()}

    def keeps(self, metadata: Mapping[str, Any] | None) -> bool:
        """Whether an item of this metadata passes; one of which nothing is known, if there are no rules."""
        if metadata is None:
            return not self.filter.rules
        return all(_passes(metadata, rule, self.values) for rule in self.filter.rules)


def _passes(metadata: Mapping[str, Any], rule: Rule, values: Mapping[str, tuple[str, ...]]) -> bool:
    wanted = values[rule.parameter] if rule.parameter else rule.values
    # A categorical column holds several values with bars between them.
    held = str(metadata.get(rule.column, "")).split("|")
    return any(value in wanted for value in held) != rule.excludes
