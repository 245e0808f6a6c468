"""Every route but health and documentation is guarded, whichever way the configuration chooses."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config import ProjectConfig, load
from config.serving import Jwt
from stacks.inference import InferenceStack
from stacks.storage import StorageStack

ISSUER = Jwt(issuer="https://id.example.com", audience=["app"])


def template(**serving: Any) -> Template:
    """The inference stack's template."""
    project: ProjectConfig = load("travel", "localcloud")
    project = project.model_copy(update={"serving": project.serving.model_copy(update=serving)})
    app = cdk.App()
    storage = StorageStack(app, "storage", project=project)
    return Template.from_stack(InferenceStack(app, "inference", project=project, storage=storage))


def guards(made: Template) -> list[tuple[str, bool]]:
    """How each method but the three open ones is guarded: its authorization, and whether a key is needed."""
    methods = [method["Properties"] for method in made.find_resources("AWS::ApiGateway::Method").values()]
    found = [(method["AuthorizationType"], method["ApiKeyRequired"]) for method in methods]
    assert len(found) == 13
    for _ in range(3):
        found.remove(("NONE", False))
    return found


@pytest.mark.parametrize(
    ("serving", "guard"),
    [
        ({"authorization": "api_key"}, ("NONE", True)),
        ({"authorization": "iam"}, ("AWS_IAM", False)),
        ({"authorization": "jwt"}, ("COGNITO_USER_POOLS", False)),
        ({"authorization": "jwt", "jwt": ISSUER}, ("CUSTOM", False)),
    ],
)
def test_every_route_but_health_and_documentation_is_guarded(
    serving: dict[str, Any], guard: tuple[str, bool]
) -> None:
    assert set(guards(template(**serving))) == {guard}


def test_a_pool_is_made_only_where_no_other_issuer_is_named() -> None:
    with_issuer = template(authorization="jwt", jwt=ISSUER)
    assert with_issuer.find_resources("AWS::Cognito::UserPool") == {}
    with_pool = template(authorization="jwt")
    (pool,) = with_pool.find_resources("AWS::Cognito::UserPool").values()
    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    (group,) = with_pool.find_resources("AWS::Cognito::UserPoolGroup").values()
    assert group["Properties"]["GroupName"] == "back-ends"
