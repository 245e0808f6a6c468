"""A deployment as its CloudFormation stacks describe it; the same on AWS and on localcloud."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any
from urllib.parse import urlparse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import config
from ops.errors import OperatorError


class Deployment:
    """Clients, stack outputs and API access of the deployment that a configuration file names."""

    def __init__(self, config_name: str) -> None:
        try:
            self.config = config.load(config_name)
        except config.ConfigurationError as error:
            raise OperatorError(str(error)) from error
        self.config_name = config_name
        self.name = self.config.name

    def client(self, service: str) -> Any:
        """Return a client; the standard AWS_ENDPOINT_URL decides which cloud it talks to."""
        return boto3.client(
            service,
            region_name=self.config.region,
            config=Config(retries={"mode": "standard", "max_attempts": 5}, read_timeout=300),
        )

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Outputs of all of the deployment's stacks by name.

        Raises OperatorError when nothing is deployed under this name.
        """
        found: dict[str, str] = {}
        for page in self.client("cloudformation").get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if stack["StackName"].startswith(f"{self.name}-"):
                    found.update({o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])})
        if not found:
            raise OperatorError(f"no stacks of {self.name!r} are deployed; run `npx cdk deploy --all` first")
        return found

    def output(self, key: str) -> str:
        """Return one stack output. Raises OperatorError naming the output when it is missing."""
        try:
            return self.outputs[key]
        except KeyError:
            raise OperatorError(
                f"the stacks of {self.name!r} have no output {key!r}; deploy them again"
            ) from None

    def parameter(self, name: str) -> str | None:
        """Return an SSM parameter's value, or None when there is none."""
        try:
            return str(self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return None
            raise

    @cached_property
    def api_key(self) -> str:
        """The value of the API key that the inference stack made."""
        key = self.client("apigateway").get_api_key(apiKey=self.output("ApiKeyId"), includeValue=True)
        return str(key["value"])

    @cached_property
    def api_address(self) -> tuple[str, str]:
        """The URL to connect to and the Host header to send, for the API's stage."""
        url = self.output("ApiUrl").rstrip("/")
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        parsed = urlparse(url)
        return (endpoint.rstrip("/") + parsed.path if endpoint else url), parsed.netloc
