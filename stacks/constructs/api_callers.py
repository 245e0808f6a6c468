"""Who may call the API by token: users of a Cognito pool that is made here, or of any other issuer."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from config.compute import LambdaConfig
from config.serving import Jwt
from stacks.constructs.nag import acknowledge
from stacks.constructs.python_function import PythonFunction

# A token that was taken back is good for a minute more.
KEPT_SECONDS = 60


class TokenCallers(Construct):
    """`authorizer` checks tokens; `pool` and `client` issue them, where no other issuer does."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        jwt: Jwt,
        functions: LambdaConfig,
        layer: lambda_.ILayerVersion,
        log_retention_days: int,
        keep_users: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.pool: cognito.UserPool | None = None
        self.client: cognito.UserPoolClient | None = None
        self.function: lambda_.IFunction | None = None
        if jwt.issuer is None:
            self.authorizer: apigateway.Authorizer = self._by_pool(name, jwt, keep_users=keep_users)
        else:
            self.authorizer = self._by_issuer(jwt, functions, layer, log_retention_days)

    def _by_pool(self, name: str, jwt: Jwt, *, keep_users: bool) -> apigateway.Authorizer:
        self.pool = cognito.UserPool(
            self,
            "Pool",
            user_pool_name=name,
            self_sign_up_enabled=False,
            password_policy=cognito.PasswordPolicy(
                min_length=12, require_digits=True, require_lowercase=True, require_uppercase=True,
                require_symbols=True,
            ),
            removal_policy=cdk.RemovalPolicy.RETAIN if keep_users else cdk.RemovalPolicy.DESTROY,
        )  # fmt: skip
        acknowledge(
            self.pool,
            {
                "AwsSolutions-COG2": "Travellers sign in to the app, which asks for a second factor or not.",
                "AwsSolutions-COG3": "Threat protection is a paid plan of the pool, for its owner to choose.",
                "AwsSolutions-COG8": "The plan with threat protection is for the pool's owner to choose.",
            },
        )
        cognito.CfnUserPoolGroup(
            self,
            "BackEnds",
            user_pool_id=self.pool.user_pool_id,
            group_name=jwt.back_end_group,
            description="May ask for every user.",
        )
        self.client = self.pool.add_client(
            "App",
            auth_flows=cognito.AuthFlow(user_srp=True, admin_user_password=True),
            id_token_validity=cdk.Duration.hours(1),
            prevent_user_existence_errors=True,
        )
        return apigateway.CognitoUserPoolsAuthorizer(
            self,
            "Authorizer",
            cognito_user_pools=[self.pool],
            results_cache_ttl=cdk.Duration.seconds(KEPT_SECONDS),
        )

    def _by_issuer(
        self, jwt: Jwt, functions: LambdaConfig, layer: lambda_.ILayerVersion, log_retention_days: int
    ) -> apigateway.Authorizer:
        self.function = PythonFunction(
            self,
            "Function",
            folder="authorizer",
            handler="handler.handler",
            environment={
                "ISSUER": str(jwt.issuer),
                "AUDIENCE": " ".join(jwt.audience),
                "JWKS_URL": jwt.keys_url,
                "USER_CLAIM": jwt.user_claim_name,
                "GROUP_CLAIM": jwt.group_claim_name,
            },
            functions=functions,
            layer=layer,
            service="authorizer",
            log_retention_days=log_retention_days,
            timeout_seconds=10,
        )
        return apigateway.TokenAuthorizer(
            self,
            "Authorizer",
            handler=self.function,
            validation_regex=r"^Bearer [-0-9a-zA-Z_.]+$",
            results_cache_ttl=cdk.Duration.seconds(KEPT_SECONDS),
        )
