"""Faults on purpose: operations that throttle, fail or stall, executions that end, functions that are killed.

`install(context)` serves `/_localcloud/faults` (docs/fault-injection.md), and every request to the cloud then
meets the faults that were asked for. Step Functions asks `aborts_at` when an execution enters a state, Lambda
asks `kill_of` when an invocation begins.
"""

from __future__ import annotations

from localcloud.context import CloudContext
from localcloud.faults.api import FaultsApi
from localcloud.faults.book import FaultBook, FunctionFault
from localcloud.faults.interception import Interceptor

__all__ = ["aborts_at", "install", "kill_of"]

PATH = "/_localcloud/faults"

_book = FaultBook()


def install(context: CloudContext) -> None:
    """Serve the API of faults, and put what it holds before every other service."""
    context.serve_path(PATH, FaultsApi(_book, PATH))
    context.intercept(Interceptor(_book))


def aborts_at(state_machine: str, state: str) -> bool:
    """Say whether an execution of the machine is to end now that it enters the state, and count it."""
    return _book.take_state(state_machine, state) is not None


def kill_of(function: str) -> FunctionFault | None:
    """Return when the invocation that begins now is to be killed, counted, or None; `spare` uncounts it."""
    return _book.take_function(function)
