"""AWS WAF before the API: Amazon's managed rules, rates, and bodies that nobody sends in earnest."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from config.serving import Firewall as FirewallConfig

MANAGED = (
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
)
# Blocks bodies over 8 KB: a batch of events is larger. The API refuses more than 256 KiB itself.
TOO_SMALL = "SizeRestrictions_BODY"
# A Content-Length of more digits than this is a megabyte or more.
DIGITS_OF_LENGTH = 6
WINDOW_SECONDS = 300
Acl = wafv2.CfnWebACL
AS_IT_IS = Acl.TextTransformationProperty(priority=0, type="NONE")

# A rule's name, and what it does.
Rule = tuple[str, dict[str, Any]]


class Firewall(Construct):
    """`web_acl` protects one stage of the API."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        stage: apigateway.Stage,
        firewall: FirewallConfig,
        callers_have_tokens: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        rules = [
            *map(_managed, MANAGED),
            _block("LargeBodies", Acl.StatementProperty(size_constraint_statement=_large_body())),
            _block("RequestsOfAnAddress", _rate(firewall.requests_per_address, aggregate_key_type="IP")),
        ]
        if callers_have_tokens:
            token = Acl.RateLimitHeaderProperty(name="authorization", text_transformations=[AS_IT_IS])
            keys = [Acl.RateBasedStatementCustomKeyProperty(header=token)]
            rate = _rate(firewall.requests_per_token, aggregate_key_type="CUSTOM_KEYS", custom_keys=keys)
            rules.append(_block("RequestsOfAToken", rate))
        self.web_acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            name=name,
            scope="REGIONAL",
            default_action=Acl.DefaultActionProperty(allow=Acl.AllowActionProperty()),
            visibility_config=_visible("All"),
            rules=[
                Acl.RuleProperty(priority=place, name=rule, visibility_config=_visible(rule), **does)
                for place, (rule, does) in enumerate(rules)
            ],
        )
        wafv2.CfnWebACLAssociation(
            self,
            "Association",
            web_acl_arn=self.web_acl.attr_arn,
            resource_arn=Stack.of(self).format_arn(
                service="apigateway",
                account="",
                resource=f"/restapis/{stage.rest_api.rest_api_id}/stages",
                resource_name=stage.stage_name,
            ),
        )


def _managed(rule_set: str) -> Rule:
    overrides = [
        Acl.RuleActionOverrideProperty(
            name=TOO_SMALL, action_to_use=Acl.RuleActionProperty(count=Acl.CountActionProperty())
        )
    ]
    group = Acl.ManagedRuleGroupStatementProperty(
        vendor_name="AWS",
        name=rule_set,
        rule_action_overrides=overrides if rule_set == MANAGED[0] else None,
    )
    return rule_set, {
        "statement": Acl.StatementProperty(managed_rule_group_statement=group),
        "override_action": Acl.OverrideActionProperty(none={}),
    }


def _block(name: str, statement: Acl.StatementProperty) -> Rule:
    return name, {
        "statement": statement,
        "action": Acl.RuleActionProperty(block=Acl.BlockActionProperty()),
    }


def _large_body() -> Acl.SizeConstraintStatementProperty:
    return Acl.SizeConstraintStatementProperty(
        field_to_match=Acl.FieldToMatchProperty(single_header={"Name": "content-length"}),
        comparison_operator="GT",
        size=DIGITS_OF_LENGTH,
        text_transformations=[AS_IT_IS],
    )


def _rate(limit: int, **aggregation: Any) -> Acl.StatementProperty:
    rate = Acl.RateBasedStatementProperty(limit=limit, evaluation_window_sec=WINDOW_SECONDS, **aggregation)
    return Acl.StatementProperty(rate_based_statement=rate)


def _visible(metric: str) -> Acl.VisibilityConfigProperty:
    # Sampled requests would hold user ids.
    return Acl.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, sampled_requests_enabled=False, metric_name=metric
    )
