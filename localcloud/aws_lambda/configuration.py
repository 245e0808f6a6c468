"""The parts of a function's configuration that moto forgets: where it logs, and where lost events go."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaFunction

KEPT = ("LoggingConfig", "DeadLetterConfig")


def keep_all_of_it(function: Any) -> None:
    """Make moto's functions keep, change and describe those parts."""
    create, update, describe = function.__init__, function.update_configuration, function.get_configuration

    def keep(fn: Any, settings: dict[str, Any]) -> None:
        fn.kept = {**getattr(fn, "kept", {}), **{name: settings[name] for name in KEPT if name in settings}}

    def checked_create(self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        keep(self, spec)
        create(self, account_id, spec, *rest, **named)

    def checked_update(self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
        keep(self, config_updates)
        update(self, config_updates)
        return self.get_configuration()  # type: ignore[no-any-return]

    def described(self: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        kept = {"LoggingConfig": {"LogFormat": "Text", "LogGroup": log_group(self)}, **self.kept}
        return {**describe(self, *arguments, **named), **kept}

    function.__init__ = checked_create
    function.update_configuration = checked_update
    function.get_configuration = described


def log_group(fn: LambdaFunction) -> str:
    """Return the log group that a function writes to."""
    kept: dict[str, Any] = getattr(fn, "kept", {})
    return str((kept.get("LoggingConfig") or {}).get("LogGroup") or fn.logs_group_name)


def dead_letter_arn(fn: LambdaFunction) -> str | None:
    """Return the queue or topic that gets the events of failed asynchronous invocations, if any."""
    kept: dict[str, Any] = getattr(fn, "kept", {})
    return (kept.get("DeadLetterConfig") or {}).get("TargetArn") or None


def invoke_config(fn: LambdaFunction) -> dict[str, Any]:
    """Return the function's settings for asynchronous invocations, the last ones put."""
    return dict(fn.event_invoke_config[-1].config) if fn.event_invoke_config else {}
