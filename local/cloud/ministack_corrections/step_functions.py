"""Step Functions: tokens, their answers, and what is under way in an execution. Applied by ``install``."""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import threading
import time
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from ministack.services import stepfunctions

from local.cloud.activity import Activity
from local.cloud.ministack_corrections.replacing import Function, replace

HOPS_SIDE_BY_SIDE = 8
"""Express executions that walk at once: more would only wait for a worker, each in several threads."""

_task = threading.local()
_hops = threading.Semaphore(HOPS_SIDE_BY_SIDE)


def correct(activity: Activity) -> None:
    """Apply the corrections of this service."""
    _fail_the_task_whose_lambda_failed(activity)
    _let_the_first_answer_win()
    _count_retry_pauses(activity)
    _count_executions(activity)
    _begin_at_once()
    _record_the_states_of_branches()
    _ask_conditions_for_a_boolean()
    _name_the_state_of_a_wrong_expression()
    _keep_short_histories()


def _fail_the_task_whose_lambda_failed(activity: Activity) -> None:
    """On AWS a Lambda that fails under ``.waitForTaskToken`` fails the task; MiniStack would wait for ever.

    Also tells ``activity`` when an execution is parked: its function has answered, its token has not.
    """

    def with_execution(original: Function) -> Function:
        def execute(state: Any, raw_input: Any, execution: Any, context: Any) -> Any:
            _task.execution = execution["executionArn"] if execution else None
            return original(state, raw_input, execution, context)

        return execute

    def with_token(original: Function) -> Function:
        def invoke(resource: Any, payload: Any, token: Any, state: Any) -> Any:
            _task.token = token
            try:
                return original(resource, payload, token, state)
            finally:
                _task.token = None
                activity.unpark(token)

        return invoke

    def failing(original: Function) -> Function:
        def call(reference: Any, event: Any) -> Any:
            token = getattr(_task, "token", None)
            try:
                result = original(reference, event)
            except stepfunctions._ExecutionError as error:
                waiting = stepfunctions._task_tokens.get(token) if token else None
                if waiting and not waiting["event"].is_set():
                    waiting["error"] = {"Error": error.error, "Cause": error.cause}
                    waiting["event"].set()
                raise
            if token:
                activity.park(token, _task.execution, stepfunctions._task_tokens.get(token))
            return result

        return call

    replace(stepfunctions, "_execute_task", with_execution)
    replace(stepfunctions, "_invoke_with_callback", with_token)
    replace(stepfunctions, "_call_lambda", failing)


def _let_the_first_answer_win() -> None:
    """The first SendTaskSuccess or SendTaskFailure decides; MiniStack lets a second one overwrite it for a moment."""

    def first(original: Function) -> Function:
        def send(data: Any) -> Any:
            waiting = stepfunctions._task_tokens.get(data.get("taskToken"))
            if waiting and waiting["event"].is_set():
                closed = "Task Timed Out: 'the task associated with the token has already been closed'"
                return stepfunctions.error_response_json("TaskTimedOut", closed, 400)
            return original(data)

        return send

    replace(stepfunctions, "_send_task_success", first)
    replace(stepfunctions, "_send_task_failure", first)


def _count_retry_pauses(activity: Activity) -> None:
    """A task that waits for its next attempt is work under way."""

    def counted(original: Function) -> Function:
        def sleep(seconds: float) -> None:
            with activity.under_way("retrying"):
                original(seconds)

        return sleep

    replace(stepfunctions, "_scaled_sleep", counted)


def _count_executions(activity: Activity) -> None:
    """An execution is under way from its first status event, before it has a thread, to the end of that thread.

    Express executions, which wait for nothing but their functions, take turns: some thousand contacts may be due at one time.
    """

    def begun(original: Function) -> Function:
        def emit(execution: Any) -> None:
            if execution["status"] == "RUNNING":
                activity.started(execution["executionArn"])
            original(execution)

        return emit

    def counted(original: Function) -> Function:
        def run(execution_arn: str) -> None:
            activity.started(execution_arn)
            try:
                with _hops if _is_express(execution_arn) else nullcontext():
                    original(execution_arn)
            finally:
                activity.ended(execution_arn)

        return run

    replace(stepfunctions, "_emit_execution_status_event", begun)
    replace(stepfunctions, "_run_execution", counted)


def _is_express(execution_arn: str) -> bool:
    execution = stepfunctions._executions.get(execution_arn) or {}
    machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {}
    return bool(machine.get("type") == "EXPRESS")


def _begin_at_once() -> None:
    """An execution enters its first state at once; MiniStack lets 150 ms pass, which every hop of a journey would wait for."""

    def beginning(original: Function) -> Function:
        def run(execution_arn: str) -> None:
            _task.begins = True
            original(execution_arn)

        return run

    def sleep(seconds: float) -> None:
        if getattr(_task, "begins", False):
            _task.begins = False
        else:
            time.sleep(seconds)

    stepfunctions.time = SimpleNamespace(**{**vars(time), "sleep": sleep})
    replace(stepfunctions, "_run_execution", beginning)


def _record_the_states_of_branches() -> None:
    """The history of an execution has every state that was entered; MiniStack leaves out those in branches."""

    def recorded(original: Function) -> Function:
        def run(states: Any, start_at: Any, given: Any, execution: Any, context: Any) -> Any:
            return original(_Entered(states, execution), start_at, given, execution, context)

        return run

    replace(stepfunctions, "_run_sub_machine", recorded)


def _name_the_state_of_a_wrong_expression() -> None:
    """On AWS the cause of an error that Step Functions itself raises begins with the state it comes from."""

    def naming(original: Function) -> Function:
        def evaluate(expression: str, given: Any, context: Any = None, *more: Any, **others: Any) -> Any:
            try:
                return original(expression, given, context, *more, **others)
            except stepfunctions._ExecutionError as error:
                error.cause = _in_state(context, error.cause)
                raise

        return evaluate

    def choosing(original: Function) -> Function:
        def choose(state: Any, given: Any, context: Any = None) -> Any:
            try:
                return original(state, given, context)
            except stepfunctions._ExecutionError as error:
                error.cause = _in_state(context, error.cause)
                raise

        return choose

    replace(stepfunctions, "_evaluate_jsonata", naming)
    replace(stepfunctions, "_execute_choice", choosing)


def _ask_conditions_for_a_boolean() -> None:
    """On AWS a condition of a Choice that gives anything but a boolean fails the state; MiniStack takes it for true or false."""

    def strict(original: Function) -> Function:
        def evaluate(rule: Any, given: Any, context: Any = None) -> Any:
            condition = rule.get("Condition")
            if isinstance(condition, str) and condition.startswith("{%"):
                value = stepfunctions._evaluate_jsonata(condition[2:-2].strip(), given, context)
                if not isinstance(value, bool):
                    raise stepfunctions._ExecutionError("States.QueryEvaluationError", f"{condition} is not a boolean")
                return value
            return original(rule, given, context)

        return evaluate

    replace(stepfunctions, "_evaluate_jsonata_choice_rule", strict)


def _in_state(context: Any, cause: str) -> str:
    beginning = "An error occurred while executing the state '"
    if cause.startswith(beginning) or not context:
        return cause
    return f"{beginning}{context['State']['Name']}' (entered at the event id #1). {cause}"


def _keep_short_histories() -> None:
    """An Express execution has no history to ask for; MiniStack keeps what went into and came out of each of its states.

    Of some thousand contacts that is more than a gigabyte. The names of the states stay.
    """

    def shortened(original: Function) -> Function:
        def add(execution: Any, event_type: str, details: Any = None) -> Any:
            if details and _is_express(execution["executionArn"]):
                details = {
                    kind: {name: value for name, value in each.items() if name not in {"input", "output", "parameters"}}
                    for kind, each in details.items()
                }
            return original(execution, event_type, details)

        return add

    replace(stepfunctions, "_add_event", shortened)


class _Entered(dict[str, Any]):
    """The states of a branch; asking for one is entering it."""

    def __init__(self, states: dict[str, Any], execution: Any) -> None:
        super().__init__(states)
        self._execution = execution

    def get(self, name: str, default: Any = None) -> Any:
        state = super().get(name, default)
        if state:
            details = {"stateEnteredEventDetails": {"name": name, "input": "{}"}}
            stepfunctions._add_event(self._execution, f"{state['Type']}StateEntered", details)
        return state
