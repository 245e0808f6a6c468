"""Every route but health and documentation is guarded, whichever way the configuration chooses."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config import ProjectConfig, load
from config.serving import Client, Firewall, Jwt, Throttle
from stacks.inference import InferenceStack
from stacks.storage import StorageStack

ISSUER = Jwt(issuer="https://id.example.com", audience=["app"])


def template(**serving: Any) -> Template:
    """The inference stack's template."""
    project: ProjectConfig = load("travel", "localcloud")
    project = project.model_copy(update={"serving": project.serving.model_copy(update=serving)})
    app = cdk.App()
    storage = StorageStack(app, "storage", project=project)
    return Template.from_stack(
        InferenceStack(app, "inference", project=project, storage=storage, pseudonym_key=None)
    )


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


def rules(made: Template) -> dict[str, Any]:
    """The firewall's rules by name."""
    (acl,) = made.find_resources("AWS::WAFv2::WebACL").values()
    assert len(made.find_resources("AWS::WAFv2::WebACLAssociation")) == 1
    return {rule["Name"]: rule for rule in acl["Properties"]["Rules"]}


def test_a_firewall_with_managed_rules_and_rates_is_before_the_api() -> None:
    found = rules(template(firewall=Firewall(requests_per_address=500)))
    assert {name for name in found if name.startswith("AWSManagedRules")} == {
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    }
    rate = found["RequestsOfAnAddress"]
    assert rate["Statement"]["RateBasedStatement"]["Limit"] == 500
    assert rate["Action"] == found["LargeBodies"]["Action"] == {"Block": {}}
    assert "RequestsOfAToken" not in found


def test_a_token_has_a_rate_of_its_own() -> None:
    rate = rules(template(authorization="jwt"))["RequestsOfAToken"]["Statement"]["RateBasedStatement"]
    assert (rate["AggregateKeyType"], rate["Limit"]) == ("CUSTOM_KEYS", 3000)
    assert rate["CustomKeys"][0]["Header"]["Name"] == "authorization"


def test_the_firewall_can_be_left_out() -> None:
    assert template(firewall=Firewall(enabled=False)).find_resources("AWS::WAFv2::WebACL") == {}


def test_each_client_has_a_key_a_throttle_and_a_quota_of_its_own() -> None:
    clients = [
        Client(name="app"),
        Client(name="call-centre", throttle=Throttle(rate=5, burst=10), requests_per_day=1000),
    ]
    made = template(clients=clients)
    plans = [plan["Properties"] for plan in made.find_resources("AWS::ApiGateway::UsagePlan").values()]
    limits = {plan["UsagePlanName"]: (plan["Throttle"], plan.get("Quota")) for plan in plans}
    assert limits == {
        "travel-app": ({"RateLimit": 2000, "BurstLimit": 4000}, None),
        "travel-call-centre": ({"RateLimit": 5, "BurstLimit": 10}, {"Limit": 1000, "Period": "DAY"}),
    }
    assert len(made.find_resources("AWS::ApiGateway::ApiKey")) == 2
    assert {"ApiKeyId", "ApiKeyIdOfCallCentre"} <= set(made.find_outputs("*"))
