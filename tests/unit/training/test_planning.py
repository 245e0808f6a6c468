"""Names follow from content: running again plans the same, a change plans something new."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from naming import Place
from planning import LONGEST_NAME, dataset_arns, plan, with_tuned, without_repeated_tuning
from wish import read_wish

PLACE = Place(region="ap-south-1", account="123456789012")
SCHEMA = {"type": "record", "name": "Interactions", "fields": []}
MANIFEST = {
    "dataVersion": "run-1",
    "datasetGroups": {
        "main": {
            "interactions": {"location": "s3://d/run-1/main/interactions/", "rows": 9, "schema": SCHEMA}
        },
        "coupons": {"interactions": {"location": "s3://d/run-1/coupons/", "rows": 9, "schema": SCHEMA}},
    },
}
TUNING = {
    "maximum_jobs": 4,
    "parallel_jobs": 2,
    "ranges": {"bptt": {"minimum": 4.0, "maximum": 32.0}},
}
SETTINGS: dict[str, Any] = {
    "name": "travel",
    "import_role_arn": "arn:aws:iam::123456789012:role/import",
    "filters": [{"name": "origin", "expression": "INCLUDE ...", "dataset_group": "main"}],
    "recipes": [
        {
            "key": "user-personalization",
            "recipe": "aws-user-personalization",
            "dataset_group": "main",
            "hyperparameters": {"recency_mask": "true"},
            "tuning": TUNING,
            "minimum_provisioned_tps": 1,
        },
        {
            "key": "popularity",
            "recipe": "aws-popularity-count",
            "dataset_group": "main",
            "hyperparameters": {},
            "tuning": None,
            "minimum_provisioned_tps": 1,
        },
        {
            "key": "coupon-ranking",
            "recipe": "aws-personalized-ranking",
            "dataset_group": "coupons",
            "hyperparameters": {},
            "tuning": None,
            "minimum_provisioned_tps": 1,
        },
    ],
}


def planned(settings: dict[str, Any] = SETTINGS, **rest: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"tuned": {}, "wish": {}, "manifest": MANIFEST, **rest}
    manifest, tuned = arguments.pop("manifest"), arguments.pop("tuned")
    wish = read_wish(arguments.pop("wish"), settings["recipes"])
    return plan(settings, manifest, tuned, wish, place=PLACE, **arguments)


def solution_name(**rest: Any) -> str:
    return str(planned(**rest)["recipes"]["user-personalization"]["solution"]["name"])


def test_the_same_input_plans_the_same_names() -> None:
    assert planned() == planned()


def test_changed_hyperparameters_are_another_solution_and_the_campaign_keeps_its_name() -> None:
    changed = copy.deepcopy(SETTINGS)
    changed["recipes"][0]["hyperparameters"] = {"recency_mask": "false"}
    assert solution_name() != solution_name(settings=changed)
    campaigns = [
        planned(settings)["recipes"]["user-personalization"]["campaign"]["arn"]
        for settings in (SETTINGS, changed)
    ]
    assert campaigns[0] == campaigns[1]


def test_new_data_is_another_import_and_version_of_the_same_solution() -> None:
    later = {**MANIFEST, "dataVersion": "run-2"}
    first, second = planned(), planned(manifest=later)
    assert first["datasets"][0]["importName"] != second["datasets"][0]["importName"]
    assert first["datasets"][0]["schemaName"] == second["datasets"][0]["schemaName"]
    recipe = "user-personalization"
    assert first["recipes"][recipe]["versionName"] != second["recipes"][recipe]["versionName"]
    assert first["recipes"][recipe]["solution"] == second["recipes"][recipe]["solution"]


def test_tuning_happens_once_unless_it_is_asked_for() -> None:
    found = {"user-personalization": {"bptt": "17"}}
    assert planned()["recipes"]["user-personalization"]["tune"] is True
    assert planned(tuned=found)["recipes"]["user-personalization"]["tune"] is False
    assert planned(tuned=found, wish={"tune": True})["recipes"]["user-personalization"]["tune"] is True
    assert planned()["recipes"]["popularity"]["tune"] is False


def test_what_tuning_found_is_used_now_and_by_the_next_run_alike() -> None:
    recipe = planned()["recipes"]["user-personalization"]
    found = {"bptt": "17", "recency_mask": "false"}
    now = with_tuned(recipe, found, place=PLACE)["solution"]
    config = now["config"]["AlgorithmHyperParameters"]
    assert config == {"bptt": "17", "recency_mask": "true"}, "the configuration pins recency_mask"
    assert now["name"] == solution_name(tuned={"user-personalization": found})


def test_names_and_schemas_keep_to_personalizes_limits() -> None:
    long_name = {**SETTINGS, "name": "a" * 31}
    result = planned(settings=long_name)
    names = [recipe["solution"]["name"] for recipe in result["recipes"].values()]
    names += [dataset["importName"] for dataset in result["datasets"]]
    assert all(len(name) <= LONGEST_NAME for name in names)
    assert json.loads(result["datasets"][0]["schema"]) == SCHEMA


def test_a_changed_schema_is_another_schema_and_another_solution_also_after_tuning() -> None:
    changed = copy.deepcopy(MANIFEST)
    changed["datasetGroups"]["main"]["interactions"]["schema"]["fields"] = [
        {"name": "PRICE", "type": "float"}
    ]
    first, second = (planned(manifest=manifest) for manifest in (MANIFEST, changed))
    assert first["datasets"][0]["schemaName"] != second["datasets"][0]["schemaName"]
    recipes = [of["recipes"]["user-personalization"] for of in (first, second)]
    assert recipes[0]["solution"]["arn"] != recipes[1]["solution"]["arn"]
    tuned = [with_tuned(recipe, {"bptt": "9"}, place=PLACE)["solution"]["arn"] for recipe in recipes]
    assert tuned[0] != tuned[1]


def test_only_the_dataset_groups_of_the_recipes_asked_for_are_touched() -> None:
    result = planned(wish={"recipes": ["user-personalization"]})
    assert {key: recipe["selected"] for key, recipe in result["recipes"].items()} == {
        "user-personalization": True,
        "popularity": True,
        "coupon-ranking": False,
    }
    assert [group["name"] for group in result["datasetGroups"]] == ["travel"]
    assert {dataset["group"] for dataset in result["datasets"]} == {"main"}


def test_an_update_is_for_the_recipe_that_can_be_updated_and_popularity_is_trained_beside_it() -> None:
    recipes = planned(wish={"mode": "UPDATE"})["recipes"]
    assert recipes["user-personalization"]["trainingMode"] == "UPDATE"
    assert recipes["popularity"]["trainingMode"] == "FULL"


def test_a_search_that_was_made_on_this_data_and_is_kept_is_not_made_again() -> None:
    """The same execution input, run again."""
    found = {"bptt": "17"}
    recipe = planned(tuned={"user-personalization": found}, wish={"tune": True})["recipes"][
        "user-personalization"
    ]
    record = {
        "solution_version_arn": f"{recipe['tuningSolution']['arn']}/v-1",
        "data_version": "run-1",
        "tuned": json.dumps(found),
    }

    def tunes(**changed: str) -> bool:
        return bool(without_repeated_tuning(recipe, [{**record, **changed}], found)["tune"])

    assert not tunes()
    assert tunes(data_version="run-0")
    assert tunes(tuned=json.dumps({"bptt": "9"})), "it was recorded, and then killed before it was kept"
    assert tunes(solution_version_arn=recipe["solution"]["arn"] + "/v-1")


def test_the_arns_of_the_datasets_are_those_of_the_plan() -> None:
    assert dataset_arns(SETTINGS, MANIFEST, PLACE) == [dataset["arn"] for dataset in planned()["datasets"]]


def test_settings_are_compared_once_or_when_asked_and_only_on_a_full_training() -> None:
    settings = copy.deepcopy(SETTINGS)
    settings["recipes"][0]["compare_recency_mask"] = True

    def comparison(wish: dict[str, Any], compared: Sequence[str] = ()) -> Any:
        return planned(settings, wish=wish, compared=compared)["comparison"]

    assert comparison({}) == {"key": "user-personalization"}
    assert comparison({}, ["user-personalization"]) is None
    assert comparison({"compare": True}, ["user-personalization"]) == {"key": "user-personalization"}
    assert comparison({"mode": "UPDATE"}) is None
    assert comparison({"recipes": ["coupon-ranking"]}) is None
