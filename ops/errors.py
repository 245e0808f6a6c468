"""What an operator can act on."""

from __future__ import annotations


class OperatorError(Exception):
    """Something failed for a reason the message names, with what to do about it."""
