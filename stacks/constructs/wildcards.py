"""The wildcard resources accepted in policies, each kind with its reason; any other fails the synth."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from stacks.constructs.nag import acknowledge

ACCEPTED = (
    (r"\*", "Log delivery, X-Ray and metrics have no resource-level permissions."),
    (
        r"(<\w+\.Arn>|[\w-]+:ExportsOutput\w+)/([\w./-]+/)?\*",
        "Object keys under this prefix are made at run time.",
    ),
    (r"arn:.*:personalize:.*:event-tracker/\*", "Personalize chooses an event tracker's id."),
    (
        r"arn:.*:personalize:.*:[\w-]+/[\w-]+\*",
        "Names carry a hash, versions an id, that are made at run time.",
    ),
    (
        r"arn:.*:glue:.*:table/\w+/(curated_)?\*",
        "Athena statements and jobs make the tables of this one database.",
    ),
    (r"arn:.*:ssm:.*:parameter/[\w-]+/(tracking-id|tuned)/\*", "One parameter a dataset group or recipe."),
    (r"arn:.*:logs:.*:log-group:/aws-glue/\*", "Glue names the log groups below this prefix."),
    (r"(<\w+\.Arn>|[\w-]+:ExportsOutput\w+):\*", "The versions and aliases of one function."),
    (r"arn:.*:states:.*:execution:.*\*", "The executions of one state machine."),
)


Findings = dict[str, dict[str, str]]


def accepted_wildcards(synthesised: cdk.App) -> Findings:
    """Return the accepted findings of every policy, by its path, with their reasons.

    Takes an app that has been synthesised: names of resources in other stacks are known only then.
    """
    found: Findings = {}
    for node in synthesised.node.find_all():
        if isinstance(node, iam.CfnPolicy):
            found[node.node.path] = _accepted(node)
    return found


def accept_wildcards(app: cdk.App, findings: Findings) -> None:
    """Acknowledge findings, each by its name on its own policy, so that cdk-nag still reports all others."""
    for node in app.node.find_all():
        acknowledge(node, findings.get(node.node.path, {}))


def _accepted(policy: iam.CfnPolicy) -> dict[str, str]:
    accepted = {}
    document = cdk.Stack.of(policy).resolve(policy.policy_document)
    for statement in document["Statement"]:
        resources = statement.get("Resource", [])
        for resource in resources if isinstance(resources, list) else [resources]:
            name = _flat(resource)
            reason = next((why for pattern, why in ACCEPTED if re.fullmatch(pattern, name)), None)
            if "*" in name and reason:
                accepted[f"AwsSolutions-IAM5[Resource::{name}]"] = reason
    return accepted


def _flat(value: Any) -> str:
    """Return a resolved ARN as cdk-nag writes it."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(_flat(part) for part in parts)
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::ImportValue" in value:
        return _flat(value["Fn::ImportValue"])
    if "Ref" in value:
        return f"<{value['Ref']}>"
    return json.dumps(value, separators=(",", ":"))
