"""Filter expressions: grammar, checks against a dataset group's schemas, evaluation as masks."""

from localcloud.personalize.filters.checks import check_against_schemas, fields_of
from localcloud.personalize.filters.evaluation import Candidates, allowed, parameters_of
from localcloud.personalize.filters.parsing import FilterSyntaxError, parse_filter
from localcloud.personalize.filters.syntax import FilterExpression

__all__ = [
    "Candidates",
    "FilterExpression",
    "FilterSyntaxError",
    "allowed",
    "check_against_schemas",
    "fields_of",
    "parameters_of",
    "parse_filter",
]
