"""The faults that were asked for, and how often each is still to happen."""

from __future__ import annotations

import itertools
import json
import random
import threading
from dataclasses import dataclass, field
from typing import Any

from localcloud.faults.operations import Operation, Request, operation_of

THROTTLING = "ThrottlingException"


class FaultError(ValueError):
    """A fault that was asked for makes no sense; the message names the field."""


@dataclass
class Fault:
    """What is common to all faults: how many times it is still to happen, and how often it did."""

    times: int
    happened: int = 0
    id: str = ""

    def spend(self) -> None:
        """Count one time that it happened."""
        self.happened += 1

    @property
    def is_left(self) -> bool:
        """Say whether it is to happen again."""
        return self.happened < self.times


@dataclass
class OperationFault(Fault):
    """An operation that answers with an error, late, or both, for requests that hold what `match` holds."""

    operation: Operation = field(kw_only=True)
    error: str | None = None
    message: str = ""
    status: int | None = None
    seconds: float = 0.0
    match: dict[str, Any] = field(default_factory=dict)
    share: float = 1.0
    _chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - repeatable faults

    def applies_to(self, request: Request) -> bool:
        """Say whether the request is one of the operation's, with the wanted content, and of the share."""
        return (
            self.operation.is_asked_by(request)
            and _holds(request.parameters(), self.match)
            and self._chance.random() < self.share
        )

    def described(self) -> dict[str, Any]:
        """Return the fault as the API shows it."""
        return {
            "id": self.id,
            "service": self.operation.service,
            "operation": self.operation.name,
            "error": self.error,
            "message": self.message,
            "seconds": self.seconds,
            "match": self.match,
            "share": self.share,
            "times": self.times,
            "happened": self.happened,
        }


@dataclass
class StateFault(Fault):
    """An execution of a state machine that ends, as if stopped, when it enters a state."""

    state_machine: str = ""
    state: str = ""

    def described(self) -> dict[str, Any]:
        """Return the fault as the API shows it."""
        return {
            "id": self.id,
            "stateMachine": self.state_machine,
            "state": self.state,
            "times": self.times,
            "happened": self.happened,
        }


@dataclass
class FunctionFault(Fault):
    """A function whose process is killed so long after an invocation has begun, if it still runs then."""

    function: str = ""
    seconds: float = 0.0

    def described(self) -> dict[str, Any]:
        """Return the fault as the API shows it."""
        return {
            "id": self.id,
            "function": self.function,
            "seconds": self.seconds,
            "times": self.times,
            "happened": self.happened,
        }

    def spare(self) -> None:
        """Take back one time: the invocation ended before."""
        self.happened -= 1


AnyFault = OperationFault | StateFault | FunctionFault


class FaultBook:
    """All faults, oldest first. Of several that apply, the oldest that is left happens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._faults: dict[str, AnyFault] = {}

    def add(self, wish: Any) -> dict[str, Any]:
        """Write down the fault that a request's body asks for. Raises FaultError."""
        fault = _parsed(wish)
        with self._lock:
            fault.id = str(next(self._ids))
            self._faults[fault.id] = fault
        return fault.described()

    def listed(self) -> list[dict[str, Any]]:
        """Return all faults, those that are used up too."""
        with self._lock:
            return [fault.described() for fault in self._faults.values()]

    def remove(self, fault_id: str) -> bool:
        """Forget a fault; say whether there was one."""
        with self._lock:
            return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def watches_operations(self) -> bool:
        """Say whether any request could meet a fault: the quick answer for nearly all."""
        return any(
            isinstance(fault, OperationFault) and fault.is_left for fault in list(self._faults.values())
        )

    def take_operation(self, request: Request) -> OperationFault | None:
        """Return the fault that the request meets, counted, or None."""
        with self._lock:
            for fault in self._faults.values():
                if isinstance(fault, OperationFault) and fault.is_left and fault.applies_to(request):
                    fault.spend()
                    return fault
        return None

    def take_state(self, state_machine: str, state: str) -> StateFault | None:
        """Return the fault that an execution meets when it enters a state, counted, or None."""
        with self._lock:
            for fault in self._faults.values():
                if (
                    isinstance(fault, StateFault)
                    and fault.is_left
                    and (fault.state_machine, fault.state) == (state_machine, state)
                ):
                    fault.spend()
                    return fault
        return None

    def take_function(self, function: str) -> FunctionFault | None:
        """Return the fault that an invocation of the function meets, counted, or None."""
        with self._lock:
            for fault in self._faults.values():
                if isinstance(fault, FunctionFault) and fault.is_left and fault.function == function:
                    fault.spend()
                    return fault
        return None


def _parsed(wish: Any) -> AnyFault:
    if not isinstance(wish, dict):
        raise FaultError("a fault is a JSON object")
    times = wish.get("times", 1)
    if not isinstance(times, int) or times < 1:
        raise FaultError(f"times is {times!r}; it must be a whole number from 1")
    if "stateMachine" in wish:
        known = {"stateMachine", "state", "times"}
        _refuse_unknown(wish, known)
        return StateFault(times, state_machine=_text(wish, "stateMachine"), state=_text(wish, "state"))
    if "function" in wish:
        _refuse_unknown(wish, {"function", "seconds", "times"})
        return FunctionFault(
            times, function=_text(wish, "function"), seconds=_number(wish, "seconds", 0, float("inf"))
        )
    known = {
        "service", "operation", "error", "message", "status", "seconds", "throttle", "match", "share",
        "times",
    }  # fmt: skip
    _refuse_unknown(wish, known)
    error = THROTTLING if wish.get("throttle") else wish.get("error")
    if not error and not wish.get("seconds"):
        raise FaultError("a fault of an operation needs error, throttle or seconds")
    return OperationFault(
        times,
        operation=operation_of(_text(wish, "service"), _text(wish, "operation")),
        error=error,
        message=wish.get("message", "Rate exceeded" if error == THROTTLING else "Injected fault"),
        status=wish.get("status"),
        seconds=_number(wish, "seconds", 0, float("inf")),
        match=wish.get("match", {}),
        share=_number(wish, "share", 1, 1),
    )


def _refuse_unknown(wish: dict[str, Any], known: set[str]) -> None:
    if unknown := set(wish) - known:
        raise FaultError(f"unknown field {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")


def _text(wish: dict[str, Any], name: str) -> str:
    value = wish.get(name)
    if not isinstance(value, str) or not value:
        raise FaultError(f"{name} is missing")
    return value


def _number(wish: dict[str, Any], name: str, default: float, most: float) -> float:
    value = wish.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise FaultError(
            f"{name} is {value!r}; it must be a number from 0" + (f" to {most}" if most == 1 else "")
        )
    return float(value)


def _holds(actual: Any, wanted: Any) -> bool:
    """Say whether a request's parameters hold the wanted ones, at any depth; others are free."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(
            name in actual and _holds(actual[name], inner) for name, inner in wanted.items()
        )
    return bool(actual == wanted) or (isinstance(actual, str) and actual == json.dumps(wanted))
