"""What an execution asks for is taken whole, or refused before anything is written, saying what is right."""

from __future__ import annotations

from typing import Any

import pytest
from batch_jobs import MOST_BYTES, Place, batch_jobs
from overrides import CampaignRefused, check_facts, with_defaults
from statements import audience_statement, facts_statement, parts_needed

from config import load
from config.statements import campaign_queries

CAMPAIGN = load("travel").coupon_campaign
DEFAULTS = CAMPAIGN.model_dump(mode="json", exclude={"segments", "batch", "schedule"})
COLUMNS = ["user_id", "coupon_habit", "home_city"]
QUERIES = campaign_queries(load("travel"))


def asked(**given: Any) -> dict[str, Any]:
    return with_defaults(DEFAULTS, given, COLUMNS)


def facts(**changed: list[str]) -> dict[str, list[str]]:
    return {
        "offered": ["C1", "C2"],
        "known": ["C0", "C1", "C2"],
        "users": ["5"],
        "characters": ["40"],
        **changed,
    }


def test_nothing_asked_for_is_the_configuration_for_everybody_with_every_coupon() -> None:
    assert asked() == {**DEFAULTS, "coupons": None, "audience": {}}
    assert asked(coupons="all")["coupons"] is None


def test_what_is_asked_for_comes_over_the_defaults() -> None:
    settings = asked(budget=50, coupons="C1, C2,C1", audience={"home_city": "DEL"}, stock={"C1": 3})
    assert (settings["budget"], settings["coupons"]) == (50, ["C1", "C2"])
    assert settings["audience"] == {"home_city": ["DEL"]}
    assert settings["control_share"] == DEFAULTS["control_share"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"budget": -5}, "budget must be a number above 0, not -5"),
        ({"budget": "5000"}, "budget must be a number above 0, not '5000'"),
        ({"budget": True}, "budget must be a number above 0, not True"),
        ({"cost_per_coupon": 0}, "cost_per_coupon must be a number above 0, not 0"),
        ({"coupons_per_user": 1.5}, "coupons_per_user must be a whole number of at least 1, not 1.5"),
        ({"stock_per_coupon": -1}, "stock_per_coupon must be a whole number of at least 1, not -1"),
        ({"stock": {"C1": 0}}, "stock must map coupon ids to whole numbers of at least 1"),
        ({"minimum_probability": 2}, "minimum_probability must be a number between 0 and 1, not 2"),
        ({"control_share": 1}, "control_share must be a number of at least 0 and below 1, not 1"),
        ({"leave_out_organic_above": -1}, "leave_out_organic_above must be a number between 0 and 1"),
        ({"seed": "7"}, "seed must be a whole number, not '7'"),
        ({"objective": "clicks"}, "objective must be one of redemptions, margin, not 'clicks'"),
        ({"objective": "margin"}, "objective 'margin' needs coupon_campaign.margin"),
        ({"coupons": []}, "coupons must be a list of coupon ids"),
        ({"coupons": [7]}, "coupons must be a list of coupon ids"),
        ({"audience": {"town": "DEL"}}, "audience must map some of user_id, coupon_habit, home_city"),
        ({"audience": {"home_city": []}}, "audience must map some of"),
        ({"audience": "home_city = 'DEL'"}, "audience must map some of"),
        ({"buget": 5}, "buget is no setting of a campaign; there are: audience, budget, "),
    ],
)
def test_a_senseless_setting_is_refused_with_what_would_be_right(given: dict[str, Any], says: str) -> None:
    with pytest.raises(CampaignRefused) as refused:
        asked(**given)
    assert says in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(CampaignRefused, match=r"buget is no setting.*; budget must be.*; seed must be"):
        asked(budget=0, seed=None, buget=1)


@pytest.mark.parametrize(
    ("given", "changed", "says"),
    [
        ({"coupons": ["C1", "C9"]}, {}, "coupons names coupons that do not exist: C9"),
        ({"coupons": ["C0"]}, {}, "coupons names some that are no longer valid: C0"),
        ({"stock": {"C9": 4}}, {}, "stock names coupons that do not exist: C9"),
        ({}, {"offered": []}, "no coupon is valid on the last day of the data"),
        ({}, {"users": ["0"]}, "the audience of everybody is empty"),
        (
            {"audience": {"home_city": "XXX"}},
            {"users": ["0"]},
            "the audience {'home_city': ['XXX']} is empty",
        ),
    ],
)
def test_what_the_data_does_not_have_is_refused(
    given: dict[str, Any], changed: dict[str, list[str]], says: str
) -> None:
    found = {name: values for name, values in facts(**changed).items() if values}
    with pytest.raises(CampaignRefused) as refused:
        check_facts(asked(**given), found)
    assert says in str(refused.value)


def test_what_the_data_has_is_taken() -> None:
    check_facts(asked(coupons=["C1"]), facts())
    check_facts(asked(stock={"C0": 4}), facts())


def test_the_statements_are_narrowed_and_text_stays_text() -> None:
    settings = asked(coupons=["C1"], audience={"home_city": ["O'Hare", "DEL"]})
    for statement in (
        facts_statement(QUERIES["facts"], settings),
        audience_statement(QUERIES["audience"], settings, location="s3://b/input/", parts=3),
    ):
        assert "coupons.coupon_id IN ('C1')" in statement
        assert "home_city IN ('O''Hare', 'DEL')" in statement
        assert "*/" not in statement
    assert "- 1) % 3 AS part" in statement
    assert statement.endswith("partitioned_by = ARRAY['part'])")


def test_the_input_is_split_so_that_a_job_can_take_each_part() -> None:
    coupons = [f"C{n:04d}" for n in range(50)]
    few = parts_needed(users=600, characters=4800, coupons=coupons, bytes_per_job=9e8)
    many = parts_needed(users=10_000_000, characters=80_000_000, coupons=coupons, bytes_per_job=9e8)
    assert (few, many) == (1, 5)
    with pytest.raises(ValueError, match=r"need \d+ batch jobs"):
        parts_needed(users=10**9, characters=10**10, coupons=coupons, bytes_per_job=9e8)


PLACE = Place(
    deployment="travel",
    region="ap-south-1",
    account="123456789012",
    campaigns_uri="s3://b/campaigns",
    run="r1",
)


def test_each_part_is_a_job_of_its_own() -> None:
    jobs = batch_jobs([("part=1/x", 5), ("part=0/a", 7), ("part=0/b", 9)], PLACE)
    assert [job["jobName"] for job in jobs] == ["travel-r1-part-0", "travel-r1-part-1"]
    assert jobs[0]["jobArn"].endswith(":batch-inference-job/travel-r1-part-0")
    assert (jobs[1]["input"], jobs[1]["output"]) == (
        "s3://b/campaigns/r1/input/part=1/",
        "s3://b/campaigns/r1/ranking/part=1/",
    )
    long = batch_jobs([("part=0/a", 7)], Place("d" * 20, "r", "a", "s3://b/c", "r" * 80))
    assert len(long[0]["jobName"]) <= 63


def test_what_a_job_cannot_take_is_refused_before_it_is_paid_for() -> None:
    with pytest.raises(ValueError, match="lower coupon_campaign"):
        batch_jobs([("part=0/a", MOST_BYTES + 1)], PLACE)
    with pytest.raises(ValueError, match="Athena wrote no batch input below s3://b/campaigns/r1/input/"):
        batch_jobs([], PLACE)
