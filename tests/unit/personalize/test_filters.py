"""Filter expressions: what parses, what is refused and where, and which items they let through."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.personalize.avro import parse_schema
from localcloud.personalize.filters import (
    FilterSyntaxError,
    allowed,
    check_against_schemas,
    fields_of,
    parameters_of,
    parse_filter,
)
from localcloud.personalize.filters.columns import CategoryColumn, NumberColumn
from localcloud.personalize.filters.evaluation import MissingParameterError, parameter_values
from tests.unit.personalize.in_process import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, USERS_SCHEMA

SCHEMAS = {
    "INTERACTIONS": parse_schema(INTERACTIONS_SCHEMA),
    "ITEMS": parse_schema(ITEMS_SCHEMA),
    "USERS": parse_schema(USERS_SCHEMA),
}
CATEGORIES = ["shoe", "boot|shoe", "watch", None, "Shoe"]
PRICES = [10.0, 20.0, 30.0, 40.0, np.nan]


@dataclass
class Shelf:
    """Five items; the user clicked the first, bought the second and is 30 and gold."""

    events: dict[str, list[int]] = field(default_factory=lambda: {"click": [0], "buy": [1]})
    user: dict[str, object] = field(default_factory=lambda: {"AGE": 30, "TIER": "gold"})
    item: dict[str, object] = field(default_factory=lambda: {"PRICE": 30.0, "CATEGORY": "boot|shoe"})
    size: int = 5

    def column(self, name):
        return NumberColumn(np.array(PRICES)) if name == "PRICE" else CategoryColumn.of(CATEGORIES)

    def interacted(self, event_types):
        mask = np.zeros(5, dtype=bool)
        for kind, items in self.events.items():
            if event_types is None or kind in event_types:
                mask[items] = True
        return mask

    def user_value(self, name):
        return self.user.get(name)

    def item_value(self, name):
        return self.item.get(name)


def passing(text: str, **values: str) -> list[int]:
    expression = parse_filter(text)
    check_against_schemas(expression, SCHEMAS)
    return np.flatnonzero(allowed(expression, Shelf(), values)).tolist()


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("shoe")', [0, 1]),
        ('EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoe", "watch")', [3, 4]),
        ('INCLUDE ItemID WHERE Items.CATEGORY NOT IN ("shoe")', [2, 3, 4]),
        ("INCLUDE ItemID WHERE Items.PRICE <= 20", [0, 1]),
        ("INCLUDE ItemID WHERE Items.PRICE != 20", [0, 2, 3]),
        ("INCLUDE ItemID WHERE Items.PRICE > 10 AND Items.PRICE < 40", [1, 2]),
        ('INCLUDE ItemID WHERE Items.PRICE = 40 OR Items.CATEGORY IN ("watch")', [2, 3]),
        ('INCLUDE ItemID WHERE Items.PRICE = 40 OR Items.PRICE = 10 AND Items.CATEGORY IN ("watch")', [3]),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("CLICK")', [1, 2, 3, 4]),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", [2, 3, 4]),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("click")', [1, 2, 3, 4]),
        (
            "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.CATEGORY IN CurrentItem.CATEGORY",
            [0, 1],
        ),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("watch") IF CurrentUser.AGE > 18', [2]),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("watch") IF CurrentUser.AGE > 40', [0, 1, 2, 3, 4]),
        (
            'EXCLUDE ItemID WHERE Items.PRICE > 15 IF CurrentUser.AGE > 18 AND CurrentUser.TIER = "gold"',
            [0, 4],
        ),
        (
            'EXCLUDE ItemID WHERE Items.PRICE > 15 IF CurrentUser.AGE > 18 AND CurrentUser.TIER IN ("x")',
            [0, 1, 2, 3, 4],
        ),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("watch") | INCLUDE ItemID WHERE Items.PRICE = 10', [0, 2]),
        ("EXCLUDE ItemID WHERE Items.PRICE = 10 | EXCLUDE ItemID WHERE Items.PRICE = 20", [2, 3, 4]),
        (
            (
                'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy") '
                '| INCLUDE ItemID WHERE Items.CATEGORY IN ("shoe")'
            ),
            [0],
        ),
        ('include itemid where Items.CATEGORY in ("watch")', [2]),
    ],
)
def test_the_documented_forms(text, items):
    assert passing(text) == items


def test_parameters_take_their_values_from_the_request():
    assert passing("INCLUDE ItemID WHERE Items.CATEGORY IN ($C)", C='"watch","boot"') == [1, 2]
    assert passing("INCLUDE ItemID WHERE Items.PRICE <= $P", P="20") == [0, 1]
    assert passing("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($E)", E='"Buy"') == [0, 2, 3, 4]
    assert passing("INCLUDE ItemID WHERE Items.PRICE > 35 IF CurrentUser.TIER = $T", T='"gold"') == [3]


def test_an_exclude_clause_without_its_value_does_not_count_and_an_include_clause_needs_it():
    text = "EXCLUDE ItemID WHERE Items.CATEGORY IN ($C) | EXCLUDE ItemID WHERE Items.PRICE = 10"
    assert passing(text) == [1, 2, 3, 4]
    with pytest.raises(MissingParameterError, match=r"\$C"):
        passing("INCLUDE ItemID WHERE Items.CATEGORY IN ($C)")


def test_a_value_that_is_no_number_for_a_number_is_refused():
    with pytest.raises(ValueError, match="'cheap', which is no number"):
        passing("INCLUDE ItemID WHERE Items.PRICE < $P", P='"cheap"')


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 1, "INCLUDE or EXCLUDE"),
        ("KEEP ItemID WHERE Items.PRICE = 1", 1, "INCLUDE or EXCLUDE"),
        ("INCLUDE ItemID WHERE Items.PRICE", 33, "IN or NOT IN"),
        ("INCLUDE ItemID WHERE Foo.PRICE = 1", 22, "a field"),
        ("EXCLUDE ItemID WHERE Items.CATEGORY IN (shoe)", 41, '"string"'),
        ('EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoe"', 47, ","),
        ("INCLUDE ItemID WHERE Items.PRICE = 1 AND", 41, "a field"),
        ("INCLUDE ItemID WHERE (Items.PRICE = 1)", 22, "a field"),
        ("INCLUDE ItemID WHERE Items.PRICE = 1 | ", 40, "INCLUDE or EXCLUDE"),
    ],
)
def test_a_syntax_error_is_told_with_its_position(text, position, expected):
    with pytest.raises(FilterSyntaxError, match="expected") as raised:
        parse_filter(text)
    assert raised.value.position == position
    assert expected in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "INCLUDE ItemID WHERE Items.COLOR = 1",
            "Items.COLOR at position 22: the ITEMS schema has no such field",
        ),
        ("INCLUDE ItemID WHERE Interactions.EVENT_VALUE > 1", "only be filtered by EVENT_TYPE"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE = "x"', "only be used with IN and NOT IN"),
        (
            'INCLUDE ItemID WHERE Items.PRICE = 1 AND Interactions.EVENT_TYPE IN ("x")',
            "chain two expressions",
        ),
        ("INCLUDE ItemID WHERE Users.AGE > 3", "cannot be used after WHERE"),
        ("INCLUDE ItemID WHERE CurrentUser.AGE > 3", "cannot be used after WHERE"),
        ("INCLUDE ItemID WHERE Items.PRICE = 1 IF Items.PRICE = 2", "can only use CurrentUser"),
        ('INCLUDE ItemID WHERE Items.PRICE > "a"', "cannot be compared with 'a'"),
        ('INCLUDE ItemID WHERE Items.CATEGORY > "a"', "> needs a number"),
        ("INCLUDE ItemID WHERE Items.CATEGORY NOT IN ($C)", "cannot be used with NOT IN"),
        ("INCLUDE ItemID WHERE Items.CATEGORY IN (*)", "only be used alone and with Interactions.EVENT_TYPE"),
        ("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.CATEGORY", "not of the type"),
        (
            "INCLUDE ItemID WHERE Items.PRICE = 1 | EXCLUDE UserID WHERE Users.AGE = 1",
            "cannot be used in one filter",
        ),
    ],
)
def test_an_expression_that_does_not_fit_the_schemas_is_refused(text, message):
    with pytest.raises(ValueError, match=r"position|one filter") as raised:
        check_against_schemas(parse_filter(text), SCHEMAS)
    assert message in str(raised.value)


def test_fields_are_found_whatever_their_case():
    expression = parse_filter(
        "INCLUDE ItemID WHERE Items.price = 1 AND ITEMS.Price < 4 IF CurrentUser.age > 1"
    )
    check_against_schemas(expression, SCHEMAS)
    assert fields_of(expression) == {("ITEMS", "PRICE"), ("USERS", "AGE")}


def test_a_star_in_quotes_is_every_event_type_too():
    assert passing('INCLUDE ItemID WHERE Interactions.event_type in ("*")') == [0, 1]


def test_fields_and_parameters_are_counted_once():
    expression = parse_filter(
        "INCLUDE ItemID WHERE Items.PRICE < $P AND Items.PRICE > CurrentItem.PRICE IF CurrentUser.AGE = $P"
    )
    assert fields_of(expression) == {("ITEMS", "PRICE"), ("USERS", "AGE")}
    assert parameters_of(expression) == {"P"}


texts = st.text(alphabet=st.characters(codec="ascii", exclude_characters='"|,'), min_size=1, max_size=8)
conditions = st.one_of(
    st.tuples(st.sampled_from(["<", "<=", "=", "!=", ">=", ">"]), st.integers(0, 50)).map(
        lambda one: (f"Items.PRICE {one[0]} {one[1]}", one)
    ),
    st.tuples(
        st.sampled_from(["IN", "NOT IN"]),
        st.lists(st.sampled_from(["shoe", "boot", "watch", "hat"]), min_size=1),
    ).map(
        lambda one: (f"Items.CATEGORY {one[0]} ({', '.join(f'{chr(34)}{c}{chr(34)}' for c in one[1])})", one)
    ),
)


def reference(condition, place) -> bool:
    """Test one condition on one item, the slow and plain way."""
    operator, operand = condition
    if operator in {"IN", "NOT IN"}:
        found = bool(set((CATEGORIES[place] or "").split("|")) & set(operand))
        return found if operator == "IN" else not found
    price = PRICES[place]
    return (
        not np.isnan(price)
        and {
            "<": price < operand,
            "<=": price <= operand,
            "=": price == operand,
            "!=": price != operand,
            ">=": price >= operand,
            ">": price > operand,
        }[operator]
    )


@settings(max_examples=150, deadline=None)
@given(
    clauses=st.lists(
        st.tuples(
            st.booleans(), st.lists(st.lists(conditions, min_size=1, max_size=3), min_size=1, max_size=3)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_masks_agree_with_a_plain_reading_of_the_expression(clauses):
    text = " | ".join(
        f"{'INCLUDE' if includes else 'EXCLUDE'} ItemID WHERE "
        + " OR ".join(" AND ".join(words for words, _ in conjunction) for conjunction in alternatives)
        for includes, alternatives in clauses
    )

    def holds(alternatives, place):
        return any(all(reference(one, place) for _, one in conjunction) for conjunction in alternatives)

    expected = [
        place
        for place in range(5)
        if (
            not any(includes for includes, _ in clauses)
            or any(includes and holds(alternatives, place) for includes, alternatives in clauses)
        )
        and not any(not includes and holds(alternatives, place) for includes, alternatives in clauses)
    ]
    assert passing(text) == expected


@given(st.lists(texts, min_size=1, max_size=5))
def test_quoted_parameter_values_come_back_as_they_were(values):
    assert parameter_values(",".join(f'"{value}"' for value in values)) == values


@given(st.text(max_size=60))
def test_no_text_makes_the_parser_fail_in_another_way(text):
    position = 1
    try:
        parse_filter(text)
    except FilterSyntaxError as error:
        position = error.position
    assert 1 <= position <= len(text) + 1
