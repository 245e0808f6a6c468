"""The jobs' command lines."""

from __future__ import annotations

import pytest
from preprocessing.session import ArgumentsError, parse_arguments


def test_what_glue_adds_of_its_own_is_passed_over() -> None:
    given = ["--JOB_NAME", "curate", "--run_id", "one", "--enable-metrics", "true"]
    assert vars(parse_arguments(given, ["run_id"], ["delta"])) == {"run_id": "one", "delta": None}


@pytest.mark.parametrize(("given", "named"), [([], "--run_id, --settings"), (["--run_id=1"], "--settings")])
def test_an_error_names_the_arguments_that_are_missing(given: list[str], named: str) -> None:
    with pytest.raises(ArgumentsError, match=f"are required: {named}$"):
        parse_arguments(given, ["run_id", "settings"], [])


def test_an_argument_without_its_value_is_named() -> None:
    with pytest.raises(ArgumentsError, match="--settings"):
        parse_arguments(["--run_id", "1", "--settings"], ["run_id", "settings"], [])
