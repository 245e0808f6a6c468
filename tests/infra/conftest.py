"""The app synthesised for AWS once, by the CDK command line, and its templates by stack."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Assembly:
    """A synthesised app."""

    folder: Path

    def template(self, stack: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / f"travel-{stack}.template.json").read_text()))

    def resources(self, resource_type: str) -> list[dict[str, Any]]:
        """Every resource of a type, in all stacks."""
        return [
            resource
            for path in self.folder.glob("*.template.json")
            for resource in json.loads(path.read_text()).get("Resources", {}).values()
            if resource["Type"] == resource_type
        ]


def cdk(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the CDK command line offline: no AWS account, no endpoint."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        ["npx", "cdk", *arguments],
        cwd=ROOT,
        env={**clean, **(environment or {})},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder = tmp_path_factory.mktemp("assembly")
    done = cdk("synth", "--quiet", "--output", str(folder), "-c", "config=travel")
    assert done.returncode == 0, done.stderr
    return Assembly(folder)
