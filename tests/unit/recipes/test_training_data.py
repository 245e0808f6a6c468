"""From the store to training data."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from localcloud.personalize.store import Store
from localcloud.personalize.training_data import EventChoice, prepare

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
            {"name": "EVENT_TYPE", "type": "string"},
            {"name": "DEVICE", "type": ["null", "string"], "categorical": True},
            {"name": "HOUR", "type": "int"},
            {"name": "IMPRESSION", "type": ["null", "string"]},
        ],
    }
)


@pytest.fixture
def store(tmp_path):
    """Interactions in no order, of which the item tells the device and the hour."""
    random = np.random.default_rng(0)
    numbers = random.integers(0, 20, 4_000)
    columns = {
        "USER_ID": [f"u{user}" for user in random.integers(0, 50, 4_000)],
        "ITEM_ID": [f"i{number}" for number in numbers],
        "TIMESTAMP": pa.array(random.integers(1_700_000_000, 1_700_900_000, 4_000), pa.int64()),
        "EVENT_TYPE": random.choice(["view", "book"], 4_000).tolist(),
        "DEVICE": ["phone" if number % 2 else None for number in numbers],
        "HOUR": pa.array(numbers, pa.int32()),
        "IMPRESSION": [f"i{number}|i3|gone" if number % 2 else None for number in numbers],
    }
    store = Store(tmp_path / "store")
    store.import_table("INTERACTIONS", SCHEMA, pa.table(columns), "FULL")
    return store


def test_contexts_stay_with_their_interactions_through_sorting_and_filtering(store):
    data = prepare(store, EventChoice(event_type="view"))
    data = data.select(np.arange(len(data.log)) % 3 == 0)
    assert 400 < len(data.log) < 1_000
    for row in range(len(data.log)):
        number = int(data.item_ids[data.log.items[row]][1:])
        context = data.contexts.attributes(row)
        assert context.get("DEVICE") == ("phone" if number % 2 else None)
        assert number - 5 <= context["HOUR"] <= number


def test_an_item_was_shown_in_vain_as_often_as_others_of_its_impressions_were_chosen(store):
    data = prepare(store, EventChoice())
    others = [item for item in data.log.items if (number := int(data.item_ids[item][1:])) % 2 and number != 3]
    assert data.shown[data.item_ids.index("i3")] == len(others) > 0
    assert data.shown.sum() == len(others)


def test_columns_that_a_solution_ignores_are_no_contexts(store):
    ignored = {"INTERACTIONS": frozenset({"DEVICE", "HOUR"})}
    assert prepare(store, EventChoice(ignored_columns=ignored)).contexts is None
