"""Which earlier version a campaign can go back to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class RollbackRefused(ValueError):  # noqa: N818 - its name is the error that operators see
    """The rollback that was asked for is not possible; the message lists what is."""


def choose(
    recipe: str, to: str | None, records: Iterable[Mapping[str, str]], *, serving: str, there: Iterable[str]
) -> str:
    """Return the ARN of the version to go back to.

    `records` are those of the recipe's versions, `there` the ARNs of the versions that Personalize still has
    and could serve. Without `to`: the version that was promoted last before the one that serves. Raises
    RollbackRefused.
    """
    able = set(there)
    known = [r for r in records if r["solution_version_arn"] in able and r.get("purpose") == "serve"]
    if to is not None:
        named = [r["solution_version_arn"] for r in known if _is_called(r["solution_version_arn"], to)]
        if len(named) == 1:
            return named[0]
        raise RollbackRefused(
            f"to = {to!r}: {recipe} has no such version to serve; {_listed(known, serving)}"
        )
    promoted = promoted_before(known, serving)
    if not promoted:
        raise RollbackRefused(f"{recipe} has no earlier version that was promoted; {_listed(known, serving)}")
    return promoted[0]


def promoted_before(records: Iterable[Mapping[str, str]], serving: str) -> list[str]:
    """Return the ARNs of the versions that were promoted and do not serve, the one promoted last first."""
    promoted = [
        record
        for record in records
        if record.get("decision") == "promoted" and record["solution_version_arn"] != serving
    ]
    newest_first = sorted(promoted, key=lambda record: record["decided_at"], reverse=True)
    return [record["solution_version_arn"] for record in newest_first]


def _is_called(arn: str, name: str) -> bool:
    return name in {arn, arn.split(":solution/", 1)[-1]}


def _listed(known: Iterable[Mapping[str, str]], serving: str) -> str:
    lines = [
        f"{record['solution_version_arn']} ({_told(record, serving)})"
        for record in sorted(known, key=lambda record: record["created_at"])
    ]
    return "there are: " + ", ".join(lines) if lines else "there is none"


def _told(record: Mapping[str, str], serving: str) -> str:
    return (
        "serves" if record["solution_version_arn"] == serving else record.get("decision", "never decided on")
    )
