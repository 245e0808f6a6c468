"""What the demo takes for an effect of the user's events is none of exploration's."""

from __future__ import annotations

from typing import Any

import pytest

from ops.demo_story import is_scored_otherwise


def items(**scores: float) -> list[dict[str, Any]]:
    return [{"itemId": item_id, "score": score} for item_id, score in scores.items()]


@pytest.mark.parametrize(
    ("after", "otherwise"),
    [
        (items(a=0.3, b=0.2), False),
        (items(a=0.3, explored=0.001), False),
        (items(b=0.2, a=0.3), False),
        (items(a=0.25, b=0.2), True),
        (items(viewed=0.3, a=0.29), True),
        (items(c=0.4, d=0.1), True),
    ],
)
def test_only_other_scores_count_as_learnt(after: list[dict[str, Any]], otherwise: bool) -> None:
    assert is_scored_otherwise(items(a=0.3, b=0.2), after) is otherwise
