"""Training: datasets into Personalize, the recipes side by side, each promoted only when it serves better."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config import ProjectConfig
from stacks.constructs.compare_setting import CompareSetting
from stacks.constructs.delete_resources import TearDown
from stacks.constructs.grants import let_use_key
from stacks.constructs.personalize_role import PersonalizeRole
from stacks.constructs.retire import Retire
from stacks.constructs.retrain import Retrain
from stacks.constructs.retries import LAMBDA_BUSY, retry
from stacks.constructs.roll_back import RollBack
from stacks.constructs.schedule import Schedule
from stacks.constructs.side_run import side_run
from stacks.constructs.state_machine import LoggedStateMachine, with_failure_path
from stacks.constructs.train_all import TrainAll, version_path
from stacks.constructs.train_datasets import DatasetStates
from stacks.constructs.train_recipe import TrainRecipe
from stacks.constructs.training_functions import TrainingFunctions
from stacks.storage import StorageStack

# What the retirement has to know of the training that asks.
OF_THIS_RUN = {
    "plan": sfn.JsonPath.object_at("$.plan"),
    "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
}


class TrainingStack(cdk.Stack):
    """The state machines train, train-recipe and retrain, and what they decide and remember."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: ProjectConfig,
        storage: StorageStack,
        prepare_data: sfn.IStateMachine,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._project = project
        self._storage = storage
        self.versions = self._versions_table()
        self.import_role = PersonalizeRole(self, "ImportRole", reads=[storage.datasets], key=storage.key)
        self._functions = TrainingFunctions(
            self,
            "Functions",
            project=project,
            storage=storage,
            versions=self.versions,
            import_role_arn=self.import_role.role_arn,
        )

        train_recipe = self._train_recipe()
        retire = self._retire()
        self.train = self._train(train_recipe, retire, self._compare())
        self.retrain = self._retrain(prepare_data)
        self.rollback = self._rollback()
        self.teardown = self._teardown()

        cdk.CfnOutput(self, "TrainStateMachine", value=self.train.state_machine_arn)
        cdk.CfnOutput(self, "RetrainStateMachine", value=self.retrain.state_machine_arn)
        cdk.CfnOutput(self, "RollbackStateMachine", value=self.rollback.state_machine_arn)
        cdk.CfnOutput(self, "TeardownStateMachine", value=self.teardown.state_machine_arn)
        cdk.CfnOutput(self, "VersionsTable", value=self.versions.table_name)

    def _versions_table(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "Versions",
            partition_key=dynamodb.Attribute(name="recipe_key", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="solution_version_arn", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._storage.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=self._storage.removal_policy,
        )

    def _train_recipe(self) -> sfn.StateMachine:
        states = TrainRecipe(
            self,
            "Recipe",
            name=self._project.name,
            machine=f"{self._project.name}-train-recipe",
            find_version=self._functions.find_version,
            plan_tuned=self._functions.plan_tuned,
            quality_gate=self._functions.quality_gate,
            versions=self.versions,
            topic=self._storage.notifications,
            waiting=self._project.training.waiting,
        )
        return self._machine("TrainRecipe", "train-recipe", states.chain)

    def _retire(self) -> sfn.StateMachine:
        states = Retire(
            self,
            "RetireStates",
            name=self._project.name,
            find_retired=self._functions.find_retired,
            waiting=self._project.training.waiting,
        )
        return self._machine("Retire", "retire", states.chain, says="Retire")

    def _compare(self) -> sfn.StateMachine:
        states = CompareSetting(
            self,
            "CompareStates",
            name=self._project.name,
            plan_comparison=self._functions.plan_comparison,
            measure_comparison=self._functions.measure_comparison,
            find_version=self._functions.find_version,
            versions=self.versions,
            batch_role=PersonalizeRole(
                self, "BatchRole", writes=[self._storage.results], key=self._storage.key
            ),
            waiting=self._project.training.waiting,
        )
        return self._machine("Compare", "compare", states.chain, says="Compare")

    def _train(
        self, train_recipe: sfn.IStateMachine, retire: sfn.IStateMachine, compare: sfn.IStateMachine
    ) -> sfn.StateMachine:
        plan = tasks.LambdaInvoke(
            self,
            "Plan the training",
            lambda_function=self._functions.plan_training,
            payload_response_only=True,
            result_path="$.plan",
        )
        retry(plan, LAMBDA_BUSY, seconds=2)
        datasets = DatasetStates(
            self,
            "Data",
            name=self._project.name,
            role_arn=self.import_role.role_arn,
            waiting=self._project.training.waiting,
        )
        recipes = TrainAll(
            self,
            "Recipes",
            recipes=self._project.training.recipes,
            train_recipe=train_recipe,
            before_the_end=[
                *self._comparisons(compare),
                side_run(self, "Retire what no longer serves", retire, OF_THIS_RUN),
            ],
        )
        make_room = side_run(self, "Make room for new solutions", retire, OF_THIS_RUN)
        body = plan.next(make_room).next(datasets.chain).next(recipes.chain)
        return self._machine("Train", "train", body, says="Train")

    def _comparisons(self, compare: sfn.IStateMachine) -> list[sfn.Chain]:
        recipes = self._project.training.recipes
        compared = [recipe.key for recipe in recipes if recipe.compare_recency_mask]
        return [
            side_run(
                self,
                f"Compare the settings of {key}",
                compare,
                {
                    "plan": sfn.JsonPath.object_at(f"$.plan.recipes['{key}']"),
                    "versionArn": sfn.JsonPath.string_at(version_path(recipes, key)),
                    "manifestUri": sfn.JsonPath.string_at("$.plan.manifestUri"),
                },
                unless=(
                    f"Are the settings of {key} compared?",
                    sfn.Condition.or_(
                        sfn.Condition.is_null("$.plan.comparison"),
                        sfn.Condition.not_(sfn.Condition.string_equals("$.plan.comparison.key", key)),
                    ),
                ),
            )
            for key in compared
        ]

    def _retrain(self, prepare_data: sfn.IStateMachine) -> sfn.StateMachine:
        states = Retrain(
            self,
            "RetrainStates",
            name=self._project.name,
            prepare_data=prepare_data,
            train=self.train,
            versions=self.versions,
            waiting=self._project.training.waiting,
        )
        machine = self._machine("Retrain", "retrain", states.chain)
        for (expression, kind), recipes in self._project.training.scheduled.items():
            mode = "UPDATE" if kind == "update" else "FULL"
            Schedule(
                self,
                f"{kind.capitalize()} training of {' and '.join(recipes)}",
                expression=expression,
                machine=machine,
                key=self._storage.key,
                execution_input={"recipes": recipes, "mode": mode, "tune": kind == "tune"},
            )
        return machine

    def _rollback(self) -> sfn.StateMachine:
        states = RollBack(
            self,
            "RollBackStates",
            name=self._project.name,
            find_rollback=self._functions.find_rollback,
            versions=self.versions,
            waiting=self._project.training.waiting,
        )
        return self._machine("Rollback", "rollback", states.chain, says="Rollback")

    def _teardown(self) -> sfn.StateMachine:
        states = TearDown(
            self,
            "TearDownStates",
            name=self._project.name,
            remaining=self._functions.find_remaining,
            waiting=self._project.training.waiting,
        )
        return self._machine("Teardown", "teardown", states.chain, says="Teardown")

    def _machine(
        self, construct_id: str, name: str, body: sfn.IChainable, *, says: str | None = None
    ) -> sfn.StateMachine:
        """Return a machine that may use the key; `says` is the name that failures are told under."""
        if says is not None:
            body = with_failure_path(self, body, what=says, topic=self._storage.notifications)
        machine = LoggedStateMachine(
            self,
            construct_id,
            name=f"{self._project.name}-{name}",
            definition=body,
            timeout_minutes=self._project.training.timeout_minutes,
            log_retention_days=self._project.operations.log_retention_days,
        )
        let_use_key(machine, self._storage.key)
        return machine
