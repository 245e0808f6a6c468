"""The training of all recipes, with and without popularity baselines."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.assertions import Template

from config.training import Recipe
from stacks.constructs.train_all import TrainAll

SIMS = Recipe(key="sims", recipe="aws-sims")
POPULARITY = Recipe(key="popularity", recipe="aws-popularity-count")


@pytest.mark.parametrize(
    ("recipes", "order"),
    [
        ([POPULARITY, SIMS], ["Train the baselines", "Train the recipes side by side", "Name the versions"]),
        ([SIMS], ["Train the recipes side by side", "Name the versions"]),
    ],
)
def test_baselines_come_first_where_there_are_any(recipes: list[Recipe], order: list[str]) -> None:
    stack = cdk.Stack(cdk.App(), "stack")
    arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:train-recipe"
    one = sfn.StateMachine.from_state_machine_arn(stack, "One", arn)
    every = TrainAll(stack, "All", recipes=recipes, train_recipe=one)
    sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(every.chain))
    (machine,) = Template.from_stack(stack).find_resources("AWS::StepFunctions::StateMachine").values()
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    definition = json.loads("".join(part if isinstance(part, str) else "aws" for part in parts))
    assert list(definition["States"]) == order
    assert definition["StartAt"] == order[0]
    assert list(definition["States"]["Name the versions"]["Parameters"]["versions"]) == [
        f"{recipe.key}.$" for recipe in recipes
    ]
