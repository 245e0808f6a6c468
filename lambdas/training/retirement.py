"""Which solutions nothing needs any more: none serves, none is in training, no rollback goes back to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def solution_of(version_arn: str) -> str:
    """Return the solution of a version."""
    return version_arn.rsplit("/", 1)[0]


def needed_versions(
    records: Iterable[Mapping[str, str]], *, serving: str | None, previous: str | None
) -> set[str]:
    """Return the versions of a recipe that must stay: what serves, what a rollback goes back to, the newest.

    `records` are those of the recipe's versions, oldest first. The newest version may have been held back;
    the next one is trained in the same solution.
    """
    trained = [r["solution_version_arn"] for r in records if r.get("purpose") == "serve"]
    return {arn for arn in (serving, previous, *trained[-1:]) if arn}


def retired(solutions: Iterable[str], *, planned: Iterable[str], needed: Iterable[str]) -> list[str]:
    """Return the solutions that are neither planned nor have a version that is needed."""
    stay = {*planned, *(solution_of(arn) for arn in needed)}
    return sorted(set(solutions) - stay)
