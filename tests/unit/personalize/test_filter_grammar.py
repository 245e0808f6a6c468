"""The whole filter grammar, generated: expressions parse, mean what they say and break where they are cut."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.personalize.filters import (
    FilterSyntaxError,
    allowed,
    check_against_schemas,
    parameters_of,
    parse_filter,
)
from tests.unit.personalize.test_filters import CATEGORIES, SCHEMAS, Shelf, reference

SHELF = Shelf()
COMPARISONS = ["<", "<=", "=", "!=", ">=", ">"]
KINDS = ["click", "BUY", "stream"]


@dataclass(frozen=True)
class Said:
    """A part of an expression: its tokens, the parameters it takes, and what it means for an item."""

    tokens: tuple[str, ...]
    means: object
    parameters: tuple[tuple[str, str], ...] = ()


def quoted(values):
    return ",".join(f'"{value}"' for value in values)


def listed(values):
    tokens = [token for value in values for token in (f'"{value}"', ",")]
    return ("(", *tokens[:-1], ")")


@st.composite
def number_condition(draw):
    """Items.PRICE compared with a number, a parameter or the current item's price (30)."""
    operator = draw(st.sampled_from(COMPARISONS))
    number = draw(st.integers(0, 50))
    form = draw(st.sampled_from(["literal", "bracketed", "parameter", "current item"]))
    start = ("Items", ".", "PRICE", operator)
    if form == "current item":
        return Said((*start, "CurrentItem", ".", "PRICE"), lambda place: reference((operator, 30.0), place))
    means = lambda place: reference((operator, number), place)  # noqa: E731 - one of several
    if form == "parameter":
        name = f"P{draw(st.integers(0, 10**6))}"
        return Said((*start, f"${name}"), means, ((name, str(number)),))
    return Said((*start, str(number)) if form == "literal" else (*start, "(", str(number), ")"), means)


@st.composite
def category_condition(draw):
    """Items.CATEGORY in a list of categories, a parameter or the current item's categories."""
    operator = draw(st.sampled_from(["IN", "NOT IN"]))
    chosen = draw(st.lists(st.sampled_from(["shoe", "boot", "watch", "hat"]), min_size=1, max_size=3))
    form = draw(st.sampled_from(["list", "parameter", "current item"]))
    start = ("Items", ".", "CATEGORY", operator)
    if form == "current item":
        chosen = ["boot", "shoe"]
        return Said(
            (*start, "CurrentItem", ".", "CATEGORY"), lambda place: reference((operator, chosen), place)
        )
    means = lambda place: reference((operator, chosen), place)  # noqa: E731 - one of several
    if form == "parameter" and operator == "IN":
        name = f"C{draw(st.integers(0, 10**6))}"
        return Said((*start, "(", f"${name}", ")"), means, ((name, quoted(chosen)),))
    return Said((*start, *listed(chosen)), means)


@st.composite
def event_condition(draw):
    """Interactions.EVENT_TYPE of some types, or of any; types match whatever their case."""
    operator = draw(st.sampled_from(["IN", "NOT IN"]))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=3))
    wanted = {kind.lower() for kind in kinds} if kinds else set(SHELF.events)
    touched = {item for kind in wanted for item in SHELF.events.get(kind, [])}
    operands = listed(kinds) if kinds else ("(", "*", ")")
    return Said(
        ("Interactions", ".", "EVENT_TYPE", operator, *operands),
        lambda place: (place in touched) == (operator == "IN"),
    )


@st.composite
def user_condition(draw):
    """CurrentUser.AGE (30) compared, or CurrentUser.TIER (gold) in a list."""
    if draw(st.booleans()):
        operator, number = draw(st.sampled_from(COMPARISONS)), draw(st.sampled_from([29, 30, 31]))
        met = {
            "<": number > 30,
            "<=": number >= 30,
            "=": number == 30,
            "!=": number != 30,
            ">=": number <= 30,
            ">": number < 30,
        }[operator]
        return Said(("CurrentUser", ".", "AGE", operator, str(number)), met)
    tiers = draw(st.lists(st.sampled_from(["gold", "basic"]), min_size=1, max_size=2))
    return Said(("CurrentUser", ".", "TIER", "IN", *listed(tiers)), "gold" in tiers)


@st.composite
def clause(draw):
    includes = draw(st.booleans())
    kind = st.one_of(number_condition(), category_condition()) if draw(st.booleans()) else event_condition()
    alternatives = draw(st.lists(st.lists(kind, min_size=1, max_size=3), min_size=1, max_size=3))
    users = draw(st.lists(user_condition(), max_size=2))
    tokens = ["INCLUDE" if includes else "EXCLUDE", "ItemID", "WHERE"]
    for number, conditions in enumerate(alternatives):
        tokens += ["OR"] if number else []
        for place, condition in enumerate(conditions):
            tokens += (["AND"] if place else []) + list(condition.tokens)
    for place, condition in enumerate(users):
        tokens += ["AND" if place else "IF", *condition.tokens]
    applies = all(condition.means for condition in users)

    def means(item):
        return any(all(condition.means(item) for condition in conditions) for conditions in alternatives)

    given_ = tuple(
        one for conditions in alternatives for condition in conditions for one in condition.parameters
    )
    return includes, applies, Said(tuple(tokens), means, given_)


clauses = st.lists(clause(), min_size=1, max_size=4)


def tokens_of(several) -> list[str]:
    tokens: list[str] = []
    for number, (_, _, said) in enumerate(several):
        tokens += ["|", *said.tokens] if number else list(said.tokens)
    return tokens


CASELESS = {
    "INCLUDE", "EXCLUDE", "ItemID", "WHERE", "AND", "OR", "IF", "IN", "NOT IN",
    "Items", "Interactions", "CurrentUser", "CurrentItem",
}  # fmt: skip


def written(tokens, spaces) -> str:
    """Put tokens one after the other with this much space between them, at least one between words."""
    text = ""
    for token, space in zip(tokens, spaces, strict=False):
        needed = bool(text) and text[-1].isalnum() and token[0].isalnum()
        text += " " * max(space, int(needed)) + token
    return text


@settings(max_examples=150, deadline=None)
@given(several=clauses, data=st.data())
def test_every_expression_of_the_grammar_parses_and_means_what_it_says(several, data):
    tokens = [
        data.draw(st.sampled_from([token, token.lower(), token.upper()])) if token in CASELESS else token
        for token in tokens_of(several)
    ]
    spaces = data.draw(st.lists(st.integers(0, 2), min_size=len(tokens), max_size=len(tokens)))
    text = written(tokens, spaces)
    expression = parse_filter(text)
    check_against_schemas(expression, SCHEMAS)
    values = {name: value for _, _, said in several for name, value in said.parameters}
    assert parameters_of(expression) == set(values)
    including = [said for includes, applies, said in several if includes and applies]
    excluding = [said for includes, applies, said in several if not includes and applies]
    expected = [
        place
        for place in range(len(CATEGORIES))
        if (not including or any(said.means(place) for said in including))
        and not any(said.means(place) for said in excluding)
    ]
    mask = allowed(expression, SHELF, values)
    assert [place for place in range(len(CATEGORIES)) if mask[place]] == expected, text


@settings(max_examples=100, deadline=None)
@given(several=clauses, data=st.data())
def test_an_expression_is_refused_no_earlier_than_where_it_was_cut(several, data):
    tokens = tokens_of(several)
    cut = data.draw(st.integers(0, len(tokens) - 1))
    # Without its dot a field's dataset is no dataset: that is found where the dataset begins.
    before = " ".join(tokens[: cut - 1 if tokens[cut] == "." else cut])
    text = " ".join(tokens[:cut] + tokens[cut + 1 :])
    # Where nothing is wrong without the token (an operand of OR, say) there is nothing to find.
    position = len(text) + 1
    try:
        parse_filter(text)
    except FilterSyntaxError as error:
        position = error.position
    assert len(before) < position <= len(text) + 1


@settings(max_examples=60, deadline=None)
@given(several=clauses, data=st.data())
def test_what_no_expression_can_do_without_is_missed_at_its_place(several, data):
    tokens = tokens_of(several)
    needed = [place for place, token in enumerate(tokens) if token in {"WHERE", ".", "ItemID", *COMPARISONS}]
    cut = data.draw(st.sampled_from(needed))
    with pytest.raises(FilterSyntaxError) as refused:
        parse_filter(" ".join(tokens[:cut] + tokens[cut + 1 :]))
    start = len(" ".join(tokens[: cut - 1 if tokens[cut] == "." else cut]))
    assert start < refused.value.position <= start + len(tokens[cut - 1]) + 2
