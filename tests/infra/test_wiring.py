"""The parts are wired as the architecture says: machines, schedules, queues, functions."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.conftest import Assembly


def definition(assembly: Assembly, name: str) -> dict[str, Any]:
    """A state machine's definition, with a word in the place of each reference."""
    machine = next(
        resource
        for resource in assembly.resources("AWS::StepFunctions::StateMachine")
        if resource["Properties"]["StateMachineName"] == f"travel-{name}"
    )
    return dict(json.loads(_text(machine["Properties"]["DefinitionString"])))


def states(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every state of a definition, those inside Parallel and Map states too."""
    found: dict[str, dict[str, Any]] = {}
    for name, state in machine["States"].items():
        found[name] = state
        for inner in [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]:
            found |= states(inner)
    return found


def test_each_purpose_has_its_machine(assembly: Assembly) -> None:
    names = {
        machine["Properties"]["StateMachineName"]
        for machine in assembly.resources("AWS::StepFunctions::StateMachine")
    }
    purposes = (
        "prepare-data",
        "train",
        "train-recipe",
        "compare",
        "retrain",
        "retire",
        "rollback",
        "teardown",
        "campaign",
        "forget-users",
    )
    assert names == {f"travel-{purpose}" for purpose in purposes}


def test_users_leave_personalize_only_when_no_copy_of_the_data_could_bring_them_back(
    assembly: Assembly,
) -> None:
    order = ["Erase the users' rows", "Make the data anew", "Delete what was made before"]
    found = states(definition(assembly, "forget-users"))
    assert [found[name]["Next"] for name in order] == [*order[1:], "Forget them in Personalize"]


def test_training_calls_personalize_directly_and_polls_without_functions(assembly: Assembly) -> None:
    resources = [
        state["Resource"]
        for name in ("train", "train-recipe")
        for state in states(definition(assembly, name)).values()
        if state["Type"] == "Task"
    ]
    calls = [resource for resource in resources if ":aws-sdk:personalize:" in resource]
    functions = [resource for resource in resources if ":states:::" not in resource]
    assert len(calls) > 20
    assert len(functions) == 5, "a function only where there is a decision"


def test_every_wait_is_for_an_end_and_the_whole_is_bounded_by_time(assembly: Assembly) -> None:
    machines = (
        "train", "train-recipe", "compare", "retire", "rollback", "teardown", "prepare-data", "campaign",
    )  # fmt: skip
    for name in machines:
        machine = definition(assembly, name)
        assert machine["TimeoutSeconds"] > 0
        all_states = states(machine)
        for state_name, state in all_states.items():
            if state["Type"] == "Wait":
                assert all_states[state["Next"]]["Type"] == "Task", state_name


def test_every_call_of_a_service_is_tried_again_when_the_service_is_busy(assembly: Assembly) -> None:
    for name in ("train", "train-recipe", "compare", "retrain", "retire", "rollback", "teardown"):
        for state_name, state in states(definition(assembly, name)).items():
            is_notice_of_a_failure = state_name == "Tell who is to know"
            if state["Type"] == "Task" and not is_notice_of_a_failure:
                assert state.get("Retry"), state_name


def test_every_failure_says_what_failed_and_why(assembly: Assembly) -> None:
    for name in ("train", "compare", "retire", "rollback", "teardown", "prepare-data", "campaign"):
        whole = definition(assembly, name)["States"]
        caught = next(state for state in whole.values() if state["Type"] == "Parallel")["Catch"]
        assert whole[whole[caught[0]["Next"]]["Default"]]["Resource"].endswith(":states:::sns:publish")
    failures = [s for s in states(definition(assembly, "train-recipe")).values() if s["Type"] == "Fail"]
    assert failures
    assert all("CausePath" in failure for failure in failures)


def test_solutions_never_train_by_themselves(assembly: Assembly) -> None:
    created = [
        state["Parameters"]
        for state in states(definition(assembly, "train-recipe")).values()
        if str(state.get("Resource", "")).endswith(":personalize:createSolution")
    ]
    assert {settings["PerformAutoTraining"] for settings in created} == {False}
    assert sorted(settings["PerformHPO"] for settings in created) == [False, True]


def test_events_are_retried_and_then_kept_in_a_dead_letter_queue(assembly: Assembly) -> None:
    queues = [queue["Properties"] for queue in assembly.resources("AWS::SQS::Queue")]
    feeding = [queue for queue in queues if "RedrivePolicy" in queue]
    assert [queue["RedrivePolicy"]["maxReceiveCount"] for queue in feeding] == [10]
    mapping = assembly.resources("AWS::Lambda::EventSourceMapping")[0]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_functions_have_the_configured_runtime_and_architecture(assembly: Assembly) -> None:
    functions = [function["Properties"] for function in assembly.resources("AWS::Lambda::Function")]
    assert {function["Runtime"] for function in functions} == {"python3.13"}
    assert {tuple(function["Architectures"]) for function in functions} == {("arm64",)}


def test_every_recipe_is_retrained_on_its_own_schedule_and_campaigns_run_on_theirs(
    assembly: Assembly,
) -> None:
    schedules = [schedule["Properties"] for schedule in assembly.resources("AWS::Scheduler::Schedule")]
    # A rate fires when it is created, on an account that has no data yet.
    assert all(schedule["ScheduleExpression"].startswith("cron(") for schedule in schedules)
    inputs = [json.loads(schedule["Target"]["Input"]) for schedule in schedules]
    assert inputs.count({}) == 1, "the coupon campaign"
    wishes = [wish for wish in inputs if wish]
    everything = ["user-personalization", "sims", "personalized-ranking", "coupon-ranking"]
    assert {"recipes": everything, "mode": "FULL", "tune": False} in wishes
    assert {"recipes": ["user-personalization"], "mode": "UPDATE", "tune": False} in wishes
    tuned = [wish["recipes"] for wish in wishes if wish["tune"]]
    assert tuned == [["user-personalization", "personalized-ranking"]]


def test_a_retraining_never_runs_beside_another_nor_while_users_are_forgotten(assembly: Assembly) -> None:
    retrain, forget = definition(assembly, "retrain"), definition(assembly, "forget-users")
    takes = retrain["States"][retrain["StartAt"]], states(forget)["Take the lease"]
    for take in takes:
        assert take["Resource"].endswith(":states:::dynamodb:updateItem")
        assert "attribute_not_exists(holder)" in take["Parameters"]["ConditionExpression"]
    assert takes[0]["Parameters"]["Key"] == takes[1]["Parameters"]["Key"]
    assert states(forget)["Are users named?"]["Choices"][0]["Next"] == "Take the lease"
    both = [f":travel-{name}:*" for name in ("retrain", "forget-users")]
    policies = [json.dumps(policy) for policy in assembly.resources("AWS::IAM::Policy")]
    assert sum(all(machine in policy for machine in both) for policy in policies) == 2


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    separator, parts = value["Fn::Join"]
    return str(separator).join(part if isinstance(part, str) else "reference" for part in parts)
