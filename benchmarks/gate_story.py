"""The gate at work: a worse version is held back, a better one promoted, and a promoted one rolled back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.report import Figure
from benchmarks.training_data import Objects, renamed, shuffled, write_objects
from ops import executions
from ops.deployment import Deployment
from ops.history import serving_versions
from ops.terminal import Terminal

RECIPE = "sims"


@dataclass
class GateStory:
    """Told on a deployment that serves a version of the recipe trained on the data of a manifest."""

    deployment: Deployment
    objects: Objects
    manifest_uri: str
    terminal: Terminal
    told: list[dict[str, Any]] = field(default_factory=list)

    def tell(self) -> GateStory:
        """Train on data without sense and on the data itself, and roll back."""
        first = self._serving()
        worse = self._train("worse", shuffled(self.objects, seed=1))
        self._note("a version of shuffled data", worse, held_back=self._serving() == first)
        self._roll_back(worse["solutionVersionArn"])
        self._note("an operator puts it into service", worse, serves=self._serves(worse))
        better = self._train("better", self.objects)
        self._note(
            "a version of the data itself", better, promoted=better["promoted"] and self._serves(better)
        )
        back = self._roll_back(None)
        again = self._train("better", self.objects)
        self._note(
            "it is rolled back from, and trained again",
            again,
            rolled_back=self._serving() == back["solutionVersionArn"] != better["solutionVersionArn"],
            not_promoted_again=not again["promoted"],
        )
        return self

    def figures(self) -> list[Figure]:
        """Return one figure a step of the story."""
        return [
            Figure(f"gate: {name.replace('_', ' ')}", float(bool(value)), "1 is yes", "== 1")
            for step in self.told
            for name, value in step["shown"].items()
        ]

    def _train(self, version: str, objects: Objects) -> dict[str, Any]:
        moved, uri = renamed(objects, self.manifest_uri, version)
        write_objects(self.deployment, moved)
        wish = {"manifestUri": uri, "recipes": [RECIPE]}
        trained = executions.run(
            self.deployment, self.terminal, output="TrainStateMachine", execution_input=wish
        )
        return dict(trained["versions"][RECIPE])

    def _roll_back(self, to: str | None) -> dict[str, Any]:
        wish = {"recipe": RECIPE, **({"to": to} if to else {})}
        return dict(
            executions.run(
                self.deployment, self.terminal, output="RollbackStateMachine", execution_input=wish
            )
        )

    def _serving(self) -> str:
        return serving_versions(self.deployment)[RECIPE]

    def _serves(self, version: dict[str, Any]) -> bool:
        return self._serving() == version["solutionVersionArn"]

    def _note(self, what: str, version: dict[str, Any], **shown: bool) -> None:
        metric = self.deployment.config.training.gate.metric
        self.told.append(
            {"what": what, metric: version["metrics"][metric], "serves": self._serving(), "shown": shown}
        )
