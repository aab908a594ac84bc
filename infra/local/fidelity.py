"""Where MiniStack 1.5.33 differs from AWS in a way a journey can feel, it is put right here. Used by the emulator process.

Each correction replaces one private function of the pinned version and says what AWS does. ``install`` applies them all
and fails loudly when a name is no longer there, so that a new version of MiniStack is looked at before it is used.
"""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import functools
import json
import logging
import queue
import string
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import request_scope
from ministack.services import eventbridge, lambda_svc, scheduler, sqs, stepfunctions
from ministack.services.cloudformation import provisioners

from infra.local.pulse import Activity

logger = logging.getLogger("waypost.emulator")

FIFO_CONCURRENCY = 4
"""Batches of one FIFO queue in flight at once; a group is never in two of them."""
REDELIVERY_SECONDS = 1.0
"""Real seconds until a message that was not processed comes back, instead of the queue's visibility timeout."""
ASYNC_ATTEMPTS = 3
"""An asynchronous invocation is tried three times on AWS, after one and two minutes; here without the minutes."""
ASYNC_PAUSE_SECONDS = 0.2
SLOT_WAIT_SECONDS = 120.0
LOG_SECONDS = 1.0
GATHERING_SECONDS = 2.0
"""Real seconds between two batches of a stream whose mapping gathers for a while, instead of its window."""
_END_OF_LOG = "-- end of invocation "

Function = Callable[..., Any]


def install(activity: Activity) -> None:
    """Apply every correction to the MiniStack modules of this process; ``activity`` is told what is under way."""
    _report_exception_names()
    _wait_for_a_free_worker()
    _read_the_log_to_its_end()
    _fail_the_task_whose_lambda_failed(activity)
    _let_the_first_answer_win()
    _count_retry_pauses(activity)
    _count_executions(activity)
    _process_fifo_groups_side_by_side()
    _bring_unprocessed_messages_back_soon()
    _gather_batches_of_streams()
    _retry_asynchronous_invocations(activity)
    _leave_schedules_to_the_harness()
    _provision_archives()
    _provision_api_destinations()
    _generate_secrets_as_asked()
    _provision_schedules_in_their_zone()
    _refuse_machines_with_broken_expressions()
    _record_the_states_of_branches()


def _replace(module: Any, name: str, wrap: Callable[[Function], Function]) -> None:
    original = getattr(module, name)  # AttributeError names what a newer MiniStack no longer has
    setattr(module, name, functools.wraps(original)(wrap(original)))


_invocation = threading.local()


def _report_exception_names() -> None:
    """AWS names the error of a failed Lambda task after the exception's class; MiniStack says Runtime.HandlerError.

    A process that died is Runtime.ExitError (https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-execution.html).
    """
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    plain = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
    if plain not in script:
        raise AttributeError("MiniStack's Python worker reports errors in a new way; look at infra/local/fidelity.py")
    named = '{"status": "error", "error": str(e), "error_type": type(e).__name__, "trace": traceback.format_exc()}'
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(plain, named)

    def remember_name(original: Function) -> Function:
        def invoke(worker: Any, *arguments: Any, **options: Any) -> Any:
            response = original(worker, *arguments, **options)
            if response.get("status") == "error":
                in_time = "timed out" not in response.get("error", "")
                _invocation.error_type = response.get("error_type") or ("Runtime.ExitError" if in_time else None)
            return response

        return invoke

    def report_name(original: Function) -> Function:
        def execute(*arguments: Any) -> Any:
            _invocation.error_type = None
            result = original(*arguments)
            body = result.get("body")
            if result.get("error") and isinstance(body, dict):
                died = "Worker process exited" in str(body.get("errorMessage"))  # while it was starting
                body["errorType"] = "Runtime.ExitError" if died else _invocation.error_type or body["errorType"]
            return result

        return execute

    _replace(lambda_runtime.Worker, "invoke", remember_name)
    _replace(lambda_svc, "_execute_function_warm", report_name)


def _wait_for_a_free_worker() -> None:
    """The account concurrency here protects a small machine, so a call waits for its turn instead of being throttled."""

    def waiting(original: Function) -> Function:
        def acquire(func: Any, config: Any) -> Any:
            deadline = time.monotonic() + SLOT_WAIT_SECONDS
            slot, limit = original(func, config)
            while slot is None and limit == "account" and time.monotonic() < deadline:
                time.sleep(0.005)
                slot, limit = original(func, config)
            return slot, limit

        return acquire

    _replace(lambda_svc, "_acquire_execution_slot", waiting)


def _read_the_log_to_its_end() -> None:
    """The log of an invocation is all it wrote; MiniStack waits up to 50 ms for lines and takes what has come by then.

    Here the worker says on standard error which invocation is over, and the log is read up to there.
    """
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    answered = "        _real_stdout.flush()\n\nrun()"
    if script.count(answered) != 1:
        raise AttributeError("MiniStack's Python worker answers in a new way; look at infra/local/fidelity.py")
    over = f'        sys.stderr.write("{_END_OF_LOG}" + _ms_ctx["request_id"] + "\\n"); sys.stderr.flush()\n'
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(answered, over + answered)

    def remember_invocation(original: Function) -> Function:
        def invoke(worker: Any, event: Any, request_id: str, **options: Any) -> Any:
            _invocation.end_of_log = f"{_END_OF_LOG}{request_id}"
            return original(worker, event, request_id, **options)

        return invoke

    def read_to_the_end(_: Function) -> Function:
        def read(worker: Any) -> str:
            lines: list[str] = []
            deadline = time.monotonic() + LOG_SECONDS
            while (left := deadline - time.monotonic()) > 0:
                try:
                    line = worker._stderr_queue.get(timeout=left)
                except queue.Empty:
                    break  # a process that died does not say so
                if line == _invocation.end_of_log:
                    break
                if not line.startswith(_END_OF_LOG):  # of an invocation whose end came too late to be read
                    lines.append(line)
            return "\n".join(lines)

        return read

    _replace(lambda_runtime.Worker, "invoke", remember_invocation)
    _replace(lambda_runtime.Worker, "_drain_stderr_bounded", read_to_the_end)


def _fail_the_task_whose_lambda_failed(activity: Activity) -> None:
    """On AWS a Lambda that fails under ``.waitForTaskToken`` fails the task; MiniStack would wait for ever.

    Also tells ``activity`` when an execution is parked: its function has answered, its token has not.
    """

    def with_execution(original: Function) -> Function:
        def execute(state: Any, raw_input: Any, execution: Any, context: Any) -> Any:
            _invocation.execution = execution["executionArn"] if execution else None
            return original(state, raw_input, execution, context)

        return execute

    def with_token(original: Function) -> Function:
        def invoke(resource: Any, payload: Any, token: Any, state: Any) -> Any:
            _invocation.token = token
            try:
                return original(resource, payload, token, state)
            finally:
                _invocation.token = None
                activity.unpark(token)

        return invoke

    def failing(original: Function) -> Function:
        def call(reference: Any, event: Any) -> Any:
            token = getattr(_invocation, "token", None)
            try:
                result = original(reference, event)
            except stepfunctions._ExecutionError as error:
                waiting = stepfunctions._task_tokens.get(token) if token else None
                if waiting and not waiting["event"].is_set():
                    waiting["error"] = {"Error": error.error, "Cause": error.cause}
                    waiting["event"].set()
                raise
            if token:
                activity.park(token, _invocation.execution, stepfunctions._task_tokens.get(token))
            return result

        return call

    _replace(stepfunctions, "_execute_task", with_execution)
    _replace(stepfunctions, "_invoke_with_callback", with_token)
    _replace(stepfunctions, "_call_lambda", failing)


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

    _replace(stepfunctions, "_send_task_success", first)
    _replace(stepfunctions, "_send_task_failure", first)


def _count_retry_pauses(activity: Activity) -> None:
    """A task that waits for its next attempt is work under way."""

    def counted(original: Function) -> Function:
        def sleep(seconds: float) -> None:
            with activity.under_way("retrying"):
                original(seconds)

        return sleep

    _replace(stepfunctions, "_scaled_sleep", counted)


def _count_executions(activity: Activity) -> None:
    """An execution is under way until its thread ends: its status event goes out after its status is set."""

    def counted(original: Function) -> Function:
        def run(execution_arn: str) -> None:
            activity.started(execution_arn)
            try:
                original(execution_arn)
            finally:
                activity.ended(execution_arn)

        return run

    _replace(stepfunctions, "_run_execution", counted)


def _process_fifo_groups_side_by_side() -> None:
    """Lambda works on as many message groups at once as it can; MiniStack does one batch at a time.

    Safe here: ``_collect_fifo`` does not hand out a group that has a message in flight.
    """

    def several(original: Function) -> Function:
        def concurrency(mapping: Any, function: Any, config: Any, queue: Any = None) -> Any:
            return FIFO_CONCURRENCY if (queue or {}).get("is_fifo") else original(mapping, function, config, queue)

        return concurrency

    _replace(lambda_svc, "_sqs_esm_concurrency", several)


def _bring_unprocessed_messages_back_soon() -> None:
    """A message that was not processed returns after a second; minutes of a visibility timeout teach nothing here."""

    def soon(original: Function) -> Function:
        def run(mapping: Any, function: Any, event: Any, batch: Any, queue_url: Any, queue_name: Any) -> None:
            original(mapping, function, event, batch, queue_url, queue_name)
            with sqs._queues_lock:
                kept = {message["id"] for message in sqs._get_q(queue_url)["messages"]}
                for message in batch:
                    if message["id"] in kept:
                        message["visible_at"] = min(message["visible_at"], time.time() + REDELIVERY_SECONDS)

        return run

    _replace(lambda_svc, "_run_sqs_batch", soon)


def _gather_batches_of_streams() -> None:
    """A stream is read once in its batching window; MiniStack calls the function for every few records it finds.

    What a stream still holds does not count as work under way: nothing that happens to a contact waits for it.
    """

    def gathering(original: Function) -> Function:
        def poll() -> bool:
            before = dict(lambda_svc._dynamodb_stream_positions._data)
            processed = original()
            for key, mapping in list(lambda_svc._esms._data.items()):
                moved = lambda_svc._dynamodb_stream_positions._data.get(key) != before.get(key)
                if moved and mapping.get("MaximumBatchingWindowInSeconds"):
                    lambda_svc._esm_backoff_until._data[key] = time.time() + GATHERING_SECONDS
            return bool(processed)

        return poll

    _replace(lambda_svc, "_poll_dynamodb_streams", gathering)


def _retry_asynchronous_invocations(activity: Activity) -> None:
    """EventBridge and Scheduler invoke asynchronously: Lambda tries again, then uses the on-failure destination."""

    def retrying(_: Function) -> Function:
        def dispatch(arn: str, payload: str) -> None:
            function, config, name = lambda_svc._get_func_record_for_ref(arn)
            if not function or not config:
                logger.error("no function %s for an event", name)
                return
            record = lambda_svc._execution_record_for_config(function, config)
            activity.begin("asynchronous")
            threading.Thread(
                target=_invoke_until_done, args=(activity, record, name, json.loads(payload)), daemon=True
            ).start()

        return dispatch

    _replace(eventbridge, "_dispatch_to_lambda", retrying)


def _invoke_until_done(activity: Activity, record: Any, name: str, event: Any) -> None:
    try:
        settings = record.get("event_invoke_config") or (record.get("event_invoke_configs") or {}).get("$LATEST") or {}
        attempts = (
            ASYNC_ATTEMPTS if settings.get("MaximumRetryAttempts") is None else settings["MaximumRetryAttempts"] + 1
        )
        result: Any = {}
        for attempt in range(attempts):
            if attempt:
                time.sleep(ASYNC_PAUSE_SECONDS)
            result = lambda_svc._execute_function_with_config_scope(record, event)
            if not result.get("error"):
                return
        logger.error("%s failed %d times: %s\n%s", name, attempts, result.get("body"), result.get("log", ""))
        configuration = record.get("config") or record
        target = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        target = target or (configuration.get("DeadLetterConfig") or {}).get("TargetArn")
        if target:
            account, region = lambda_svc._account_region_from_function_config(configuration)
            with request_scope(account, region):
                lambda_svc._route_async_failure(target, name, event, result)
    finally:
        activity.finish("asynchronous")


def _leave_schedules_to_the_harness() -> None:
    """Schedules are due by the virtual clock, so MiniStack's own tickers, which read the real one, stay off."""

    def never(_: Function) -> Function:
        return lambda: None

    _replace(scheduler, "start_scheduler", never)
    _replace(eventbridge, "start_scheduler", never)


def _provision_archives() -> None:
    """CloudFormation creates event archives; MiniStack has the service but not the resource type."""

    def create(logical_id: str, properties: Any, stack: str) -> Any:
        name = properties.get("ArchiveName") or provisioners._physical_name(stack, logical_id, max_len=48)
        pattern = properties.get("EventPattern") or ""
        request = {
            "ArchiveName": name,
            "EventSourceArn": properties["SourceArn"],
            "Description": properties.get("Description", ""),
            "EventPattern": pattern if isinstance(pattern, str) else json.dumps(pattern),
            "RetentionDays": int(properties.get("RetentionDays") or 0),
        }
        status, _, body = eventbridge._create_archive(request)
        if status != 200:
            raise ValueError(body.decode())
        return name, {"Arn": json.loads(body)["ArchiveArn"], "ArchiveName": name}

    def delete(physical_id: str, _: Any) -> None:
        eventbridge._delete_archive({"ArchiveName": physical_id})

    provisioners._RESOURCE_HANDLERS.setdefault("AWS::Events::Archive", {"create": create, "delete": delete})


def _provision_api_destinations() -> None:
    """CloudFormation creates connections and API destinations; MiniStack has the services but not the resource types."""

    def provision(kind: str, create: Function, delete: Function) -> dict[str, Function]:
        def made(logical_id: str, properties: Any, stack: str) -> Any:
            name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=64)
            status, _, body = create({**properties, "Name": name})
            if status != 200:
                raise ValueError(body.decode())
            answer = json.loads(body)
            return name, {"Arn": answer[f"{kind}Arn"], "ArnForPolicy": answer[f"{kind}Arn"]}

        def removed(physical_id: str, _: Any) -> None:
            delete({"Name": physical_id})

        return {"create": made, "delete": removed}

    connections = provision("Connection", eventbridge._create_connection, eventbridge._delete_connection)
    destinations = provision("ApiDestination", eventbridge._create_api_destination, eventbridge._delete_api_destination)
    provisioners._RESOURCE_HANDLERS.setdefault("AWS::Events::Connection", connections)
    provisioners._RESOURCE_HANDLERS.setdefault("AWS::Events::ApiDestination", destinations)


def _generate_secrets_as_asked() -> None:
    """A secret without punctuation has none; MiniStack's CloudFormation hears only of single characters to leave out."""

    def asked(original: Function) -> Function:
        def secret(properties: Any) -> Any:
            wanted = properties.get("GenerateSecretString")
            if wanted and wanted.get("ExcludePunctuation"):
                left_out = wanted.get("ExcludeCharacters", "") + string.punctuation
                properties = {**properties, "GenerateSecretString": {**wanted, "ExcludeCharacters": left_out}}
            return original(properties)

        return secret

    _replace(provisioners, "_sm_secret_string", asked)


def _provision_schedules_in_their_zone() -> None:
    """MiniStack's CloudFormation forgets the time zone of a schedule, and what is to happen after its last time."""

    def create(logical_id: str, properties: Any, stack: str) -> Any:
        name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=64)
        status, _, body = scheduler._create_schedule(name, properties)
        if status != 200:
            raise ValueError(body.decode())
        return name, {"Arn": json.loads(body)["ScheduleArn"]}

    provisioners._RESOURCE_HANDLERS["AWS::Scheduler::Schedule"]["create"] = create


def _refuse_machines_with_broken_expressions() -> None:
    """Step Functions refuses a definition with a JSONata mistake; MiniStack's CloudFormation takes it."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    original = handlers["create"]

    def create(logical_id: str, properties: Any, stack: str) -> Any:
        if mistake := stepfunctions._validate_definition_jsonata(provisioners._sfn_definition(properties)):
            raise ValueError(mistake)
        return original(logical_id, properties, stack)

    handlers["create"] = create


def _record_the_states_of_branches() -> None:
    """The history of an execution has every state that was entered; MiniStack leaves out those in branches."""

    def recorded(original: Function) -> Function:
        def run(states: Any, start_at: Any, given: Any, execution: Any, context: Any) -> Any:
            return original(_Entered(states, execution), start_at, given, execution, context)

        return run

    _replace(stepfunctions, "_run_sub_machine", recorded)


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
