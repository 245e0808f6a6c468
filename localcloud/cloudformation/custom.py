"""Custom resources: a Lambda function told to create, update or delete, which answers by a PUT to a URL."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from localcloud.cloudformation.bucket_settings import empty
from localcloud.cloudformation.provider import Created, Properties, Provider, Scope
from localcloud.context import CloudContext

ANSWER_PATH = "/_localcloud/custom-resource"
AUTO_DELETE = "Custom::S3AutoDeleteObjects"
DEFAULT_TIMEOUT_SECONDS = 3600
OK = 200


class CustomResourceError(Exception):
    """The function failed, said that it failed, or did not answer in time; the message is its reason."""


class Answers:
    """Where the functions of custom resources put their answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrived: dict[str, threading.Event] = {}
        self._answers: dict[str, dict[str, Any]] = {}

    def expect(self) -> str:
        """Return the id of a new answer to wait for."""
        answer_id = str(uuid.uuid4())
        with self._lock:
            self._arrived[answer_id] = threading.Event()
        return answer_id

    def wait(self, answer_id: str, seconds: float) -> dict[str, Any]:
        """Return the answer. Raises CustomResourceError when there is none in time."""
        arrived = self._arrived[answer_id].wait(seconds)
        with self._lock:
            del self._arrived[answer_id]
            answer = self._answers.pop(answer_id, None)
        if not arrived or answer is None:
            raise CustomResourceError(f"the custom resource did not answer in {seconds} seconds")
        return answer

    def application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Take an answer."""
        answer_id = environ["PATH_INFO"].rsplit("/", 1)[-1]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self._lock:
            if answer_id in self._arrived:
                self._answers[answer_id] = json.loads(body)
                self._arrived[answer_id].set()
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]


ANSWERS = Answers()


def serve_answers(context: CloudContext) -> None:
    """Receive the answers of custom resources."""
    context.serve_path(ANSWER_PATH, ANSWERS.application)


class CustomResource(Provider):
    """AWS::CloudFormation::CustomResource and every Custom:: type."""

    type = "AWS::CloudFormation::CustomResource"

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Tell the function to create."""
        return _tell(scope, "Create", properties, {})

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Tell the function to update; another physical id means that the old resource is to be deleted."""
        changed = _tell(
            scope,
            "Update",
            properties,
            {"PhysicalResourceId": created.physical_id, "OldResourceProperties": old},
        )
        if changed.physical_id != created.physical_id:
            self.delete(created, old, scope)
        return changed

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:
        """Tell the function to delete."""
        _tell(scope, "Delete", properties, {"PhysicalResourceId": created.physical_id})


class AutoDeleteObjects(Provider):
    """The CDK's custom resource that empties a bucket before the bucket goes.

    Its function is JavaScript on AWS's Node runtime and its SDK; what it does is done here.
    """

    type = AUTO_DELETE

    def create(self, properties: Properties, scope: Scope) -> Created:
        """Nothing is to be done before the deletion."""
        return Created(f"{scope.logical_id}-{properties['BucketName']}")

    def update(self, created: Created, properties: Properties, old: Properties, scope: Scope) -> Created:
        """Empty the old bucket when the name changed, as the CDK's function does."""
        if properties["BucketName"] != old["BucketName"]:
            self.delete(created, old, scope)
        return self.create(properties, scope)

    def delete(self, created: Created, properties: Properties, scope: Scope) -> None:  # noqa: ARG002
        """Remove every version of every object."""
        empty(scope.client("s3"), properties["BucketName"])


def _tell(scope: Scope, request: str, properties: Properties, rest: dict[str, Any]) -> Created:
    answer_id = ANSWERS.expect()
    event = {
        "RequestType": request,
        "ServiceToken": properties["ServiceToken"],
        "ResponseURL": f"{scope.context.endpoint_url}{ANSWER_PATH}/{answer_id}",
        "StackId": scope.stack_id,
        "RequestId": answer_id,
        "LogicalResourceId": scope.logical_id,
        "ResourceType": scope.resource_type,
        "ResourceProperties": _texts(properties),
        **_texts(rest),
    }
    response = scope.client("lambda").invoke(
        FunctionName=properties["ServiceToken"], Payload=json.dumps(event).encode()
    )
    if "FunctionError" in response or response["StatusCode"] != OK:
        raise CustomResourceError(f"the function failed: {response['Payload'].read().decode()}")
    answer = ANSWERS.wait(answer_id, float(properties.get("ServiceTimeout", DEFAULT_TIMEOUT_SECONDS)))
    if answer.get("Status") != "SUCCESS":
        reason = answer.get("Reason", "")
        raise CustomResourceError(f"Received response status [FAILED] from custom resource. {reason}")
    physical_id = answer.get("PhysicalResourceId") or rest.get("PhysicalResourceId") or answer_id
    return Created(physical_id, dict(answer.get("Data") or {}))


def _texts(value: Any) -> Any:
    """Return a structure with its scalars as text, which is how CloudFormation passes properties."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)


PROVIDERS: tuple[Provider, ...] = (CustomResource(), AutoDeleteObjects())
