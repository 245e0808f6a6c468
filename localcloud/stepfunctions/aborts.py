"""Ends an execution at the state that a fault names, as if someone had stopped it there."""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from localcloud.faults import aborts_at
from localcloud.stepfunctions.executions import stop

ERROR = "Localcloud.Fault"


def install() -> None:
    """Ask for a fault whenever a state is entered."""
    state_class: Any = CommonStateField
    by_moto = state_class._eval_body

    def eval_body(state: Any, env: Any) -> None:
        context = env.states.context_object.context_object_data
        if aborts_at(context["StateMachine"]["Name"], state.name):
            _abort(state, env, context["Execution"]["Id"])
        else:
            by_moto(state, env)

    state_class._eval_body = eval_body


def _abort(state: Any, env: Any, execution_arn: str) -> None:
    details: Any = {"stateEnteredEventDetails": state._get_state_entered_event_details(env=env)}
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=state.state_entered_event_type,
        event_details=details,
    )
    region, account_id = execution_arn.split(":")[3:5]
    backend = stepfunctions_parser_backends[account_id][region]
    stop(backend.describe_execution(execution_arn), ERROR, f"A fault ended the execution at {state.name}")
