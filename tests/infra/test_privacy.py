"""With pseudonyms on, there is one key, and the jobs that replace ids are the ones that may read it."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config import ProjectConfig, load
from config.data import Privacy
from stacks.inference import InferenceStack
from stacks.preprocessing import PreprocessingStack
from stacks.privacy import PrivacyStack
from stacks.storage import StorageStack
from stacks.training import TrainingStack


def templates(pseudonymise: bool) -> tuple[Template, Template]:
    """The templates of the preprocessing and the inference stack, with the privacy stack beside them."""
    project: ProjectConfig = load("travel")
    data = project.data.model_copy(update={"privacy": Privacy(pseudonymise_users=pseudonymise)})
    project = project.model_copy(update={"data": data})
    app = cdk.App()
    storage = StorageStack(app, "storage", project=project)
    preprocessing = PreprocessingStack(app, "preprocessing", project=project, storage=storage)
    training = TrainingStack(
        app, "training", project=project, storage=storage, prepare_data=preprocessing.prepare_data
    )
    PrivacyStack(
        app,
        "privacy",
        project=project,
        storage=storage,
        preprocessing=preprocessing,
        versions=training.versions,
    )
    key = preprocessing.pseudonym_key
    inference = InferenceStack(app, "inference", project=project, storage=storage, pseudonym_key=key)
    return Template.from_stack(preprocessing), Template.from_stack(inference)


@pytest.fixture(scope="module")
def both() -> tuple[Template, Template]:
    return templates(pseudonymise=True)


@pytest.fixture
def pseudonymised(both: tuple[Template, Template]) -> Template:
    return both[0]


def jobs_with_the_key(template: Template) -> set[str]:
    jobs = template.find_resources("AWS::Glue::Job").values()
    return {
        job["Properties"]["Name"]
        for job in jobs
        if "--pseudonym_key_secret_arn" in job["Properties"]["DefaultArguments"]
    }


def readers_of_secrets(template: Template) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy").values()
    statements = [s for p in policies for s in p["Properties"]["PolicyDocument"]["Statement"]]
    return [s for s in statements if "secretsmanager:GetSecretValue" in json.dumps(s["Action"])]


def test_the_jobs_that_replace_ids_are_given_the_key(pseudonymised: Template) -> None:
    assert jobs_with_the_key(pseudonymised) == {"travel-curate", "travel-delete-user"}
    assert len(pseudonymised.find_resources("AWS::SecretsManager::Secret")) == 1


def test_only_they_may_read_it_and_nothing_else(pseudonymised: Template) -> None:
    (secret,) = pseudonymised.find_resources("AWS::SecretsManager::Secret")
    readers = readers_of_secrets(pseudonymised)
    assert len(readers) == 2
    assert all(statement["Resource"] == {"Ref": secret} for statement in readers)


def test_the_functions_that_tell_personalize_of_users_are_given_the_key(
    both: tuple[Template, Template],
) -> None:
    _, inference = both
    given = [
        function
        for function in inference.find_resources("AWS::Lambda::Function").values()
        if function["Properties"].get("Environment", {}).get("Variables", {}).get("PSEUDONYM_KEY_SECRET_ARN")
    ]
    assert len(given) == 2
    assert len(readers_of_secrets(inference)) == 2


def test_without_pseudonyms_there_is_no_key() -> None:
    template, _ = templates(pseudonymise=False)
    assert jobs_with_the_key(template) == set()
    assert template.find_resources("AWS::SecretsManager::Secret") == {}
