"""Errors of Amazon Personalize, by AWS's names."""

from __future__ import annotations


class PersonalizeError(Exception):
    """An answer that is an AWS error: `code` is AWS's name of it, the message says what to change."""

    code = "InternalServerException"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInputError(PersonalizeError):
    """The request, or what it refers to, is not valid."""

    code = "InvalidInputException"


class NotBuiltError(InvalidInputError):
    """AWS has this, localcloud does not: says so instead of pretending."""

    def __init__(self, feature: str) -> None:
        super().__init__(
            f"{feature} is not built in localcloud (docs/personalize-operations.md lists what is)."
        )


class ResourceNotFoundError(PersonalizeError):
    """No resource has the given ARN."""

    code = "ResourceNotFoundException"


class ResourceAlreadyExistsError(PersonalizeError):
    """A resource with this name exists."""

    code = "ResourceAlreadyExistsException"


class ResourceInUseError(PersonalizeError):
    """The resource is changing, or another one depends on it."""

    code = "ResourceInUseException"


class LimitExceededError(PersonalizeError):
    """A quota of the account, the dataset group or the request is used up."""

    code = "LimitExceededException"


class InvalidNextTokenError(PersonalizeError):
    """The pagination token was not given by this operation."""

    code = "InvalidNextTokenException"


class TooManyTagsError(PersonalizeError):
    """More than 50 tags on one resource."""

    code = "TooManyTagsException"


class UnknownOperationError(PersonalizeError):
    """Neither of the three services has this operation."""

    code = "UnknownOperationException"


class SerializationError(PersonalizeError):
    """The body is not a JSON object."""

    code = "SerializationException"


class InternalServerError(PersonalizeError):
    """localcloud itself is at fault."""

    code = "InternalServerException"
    status = 500
