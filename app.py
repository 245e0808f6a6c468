"""The CDK app: read the configuration, wire the stacks."""

from __future__ import annotations

import os
import sys
import tempfile

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

import config
from stacks.campaigns import CampaignsStack
from stacks.constructs.wildcards import accept_wildcards, accepted_wildcards
from stacks.inference import InferenceStack
from stacks.observability import ObservabilityStack
from stacks.preprocessing import PreprocessingStack
from stacks.privacy import PrivacyStack
from stacks.storage import StorageStack
from stacks.training import TrainingStack


def build(app: cdk.App, project: config.ProjectConfig) -> None:
    """Add the deployment's stacks to the app."""
    environment = cdk.Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=project.region)

    def name(stack: str) -> str:
        return f"{project.name}-{stack}"

    storage = StorageStack(app, name("storage"), project=project, env=environment)
    preprocessing = PreprocessingStack(
        app, name("preprocessing"), project=project, storage=storage, env=environment
    )
    training = TrainingStack(
        app,
        name("training"),
        project=project,
        storage=storage,
        prepare_data=preprocessing.prepare_data,
        env=environment,
    )
    inference = InferenceStack(
        app,
        name("inference"),
        project=project,
        storage=storage,
        pseudonym_key=preprocessing.pseudonym_key,
        env=environment,
    )
    campaigns = CampaignsStack(
        app, name("campaigns"), project=project, storage=storage, preprocessing=preprocessing, env=environment
    )
    privacy = PrivacyStack(
        app,
        name("privacy"),
        project=project,
        storage=storage,
        preprocessing=preprocessing,
        versions=training.versions,
        env=environment,
    )
    ObservabilityStack(
        app,
        name("observability"),
        project=project,
        api=inference.api,
        functions=inference.functions,
        queue=inference.events.queue,
        dead_letter_queue=inference.events.dead_letter_queue,
        state_machines=[preprocessing.prepare_data, training.train, campaigns.campaign, privacy.forget_users],
        topic=storage.notifications,
        env=environment,
    )
    for key, value in {"deployment": project.name, **project.tags}.items():
        cdk.Tags.of(app).add(key, value)


def main() -> None:
    """Synthesise the deployment that the context names."""
    app = cdk.App()
    try:
        project = config.load(app.node.get_context("config"), app.node.try_get_context("overlay"))
    except config.ConfigurationError as error:
        sys.exit(f"error: {error}")
    synthesise(app, project)


def synthesise(app: cdk.App, project: config.ProjectConfig) -> None:
    """Synthesise the deployment, checked by cdk-nag: an unsuppressed error ends it with exit code 1."""
    # References between stacks get their names, which the accepted findings hold, at a synthesis.
    with tempfile.TemporaryDirectory() as folder:
        probe = cdk.App(outdir=folder)
        build(probe, project)
        probe.synth()
        findings = accepted_wildcards(probe)
    build(app, project)
    accept_wildcards(app, findings)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
    app.synth()


if __name__ == "__main__":
    main()
