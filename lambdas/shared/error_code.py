"""What is logged of an error: its code only, for a message may quote what was sent."""

from __future__ import annotations

from botocore.exceptions import ClientError


def error_code(error: BaseException) -> str:
    """Return AWS's code of an error that it answered, else the name of the error's class."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
