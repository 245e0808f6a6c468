"""The states that train all recipes: the popularity baselines first, then every other recipe side by side.

A configuration may have no baseline; one without another recipe is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.training import BASELINE_RECIPE, Recipe
from stacks.constructs.personalize import at
from stacks.constructs.retries import CHILD_BUSY, retry


class TrainAll(Construct):
    """`chain` takes the plan at `$.plan` and ends with {"dataVersion", "versions": {recipe key: version}}."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        recipes: Sequence[Recipe],
        train_recipe: sfn.IStateMachine,
        before_the_end: Sequence[sfn.IChainable] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._train_recipe = train_recipe
        baselines = [recipe for recipe in recipes if recipe.recipe == BASELINE_RECIPE]
        others = [recipe for recipe in recipes if recipe.recipe != BASELINE_RECIPE]
        side_by_side = sfn.Parallel(self, "Train the recipes side by side", result_path="$.others")
        for recipe in others:
            side_by_side.branch(self._branch(recipe.key, baseline=_baseline_of(recipe, baselines)))
        self.chain = sfn.Chain.start(side_by_side)
        if baselines:
            first = sfn.Parallel(self, "Train the baselines", result_path="$.baselines")
            for recipe in baselines:
                first.branch(self._branch(recipe.key, baseline={}))
            self.chain = first.next(side_by_side)
        for step in before_the_end:
            self.chain = self.chain.next(step)
        self.chain = self.chain.next(self._name_versions(baselines, others))

    def _branch(self, key: str, *, baseline: Any) -> sfn.IChainable:
        """Train one recipe, if this run is to train it."""
        plan = f"$.plan.recipes['{key}']"
        train = tasks.StepFunctionsStartExecution(
            self,
            f"Train {key}",
            state_machine=self._train_recipe,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            # A list of executions, and the notification of a failure, say which recipe each one is of.
            name=sfn.JsonPath.format(f"{key}-{{}}", sfn.JsonPath.uuid()),
            input=sfn.TaskInput.from_object({"plan": sfn.JsonPath.object_at(plan), "baseline": baseline}),
            associate_with_parent=True,
            result_selector={"version.$": "$.Output"},
        )
        retry(train, CHILD_BUSY, seconds=10)
        rest = sfn.Pass(
            self,
            f"Let {key} be",
            parameters={"version": {"solutionVersionArn": "", "metrics": {}, "promoted": False}},
        )
        return (
            sfn.Choice(self, f"Is {key} to be trained?")
            .when(sfn.Condition.boolean_equals(f"{plan}.selected", True), train)
            .otherwise(rest)
        )

    def _name_versions(self, baselines: Sequence[Recipe], others: Sequence[Recipe]) -> sfn.Pass:
        groups = {"baselines": baselines, "others": others}
        versions = {
            recipe.key: sfn.JsonPath.object_at(f"$.{group}[{index}].version")
            for group, members in groups.items()
            for index, recipe in enumerate(members)
        }
        return sfn.Pass(
            self,
            "Name the versions",
            parameters={"dataVersion": at("$.plan.dataVersion"), "versions": versions},
        )


def version_path(recipes: Sequence[Recipe], key: str) -> str:
    """Return where the ARN of a served recipe's version is, in a step before the end."""
    served = [recipe.key for recipe in recipes if recipe.recipe != BASELINE_RECIPE]
    return f"$.others[{served.index(key)}].version.solutionVersionArn"


def _baseline_of(recipe: Recipe, baselines: Sequence[Recipe]) -> Any:
    """Return where the metrics of popularity on the recipe's own data are."""
    for index, baseline in enumerate(baselines):
        if baseline.dataset_group == recipe.dataset_group:
            return sfn.JsonPath.object_at(f"$.baselines[{index}].version.metrics")
    return {}
