"""Lambda: how a call fails, waits for its turn, logs, and is tried again. Applied by ``install``."""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import json
import logging
import queue
import threading
import time
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import request_scope
from ministack.services import eventbridge, lambda_svc

from local.cloud.activity import Activity
from local.cloud.ministack_corrections.replacing import Function, replace

logger = logging.getLogger("waypost.emulator")

ASYNC_ATTEMPTS = 3
"""An asynchronous invocation is tried three times on AWS, after one and two minutes; here without the minutes."""
ASYNC_PAUSE_SECONDS = 0.2
SLOT_WAIT_SECONDS = 120.0
LOG_SECONDS = 1.0
_END_OF_LOG = "-- end of invocation "

_invocation = threading.local()


def correct(activity: Activity) -> None:
    """Apply the corrections of this service."""
    _report_exception_names()
    _wait_for_a_free_worker()
    _read_the_log_to_its_end()
    _retry_asynchronous_invocations(activity)


def _rewrite_worker(written: str, corrected: str) -> None:
    """Change the program of the Python workers. Raises AttributeError when a newer MiniStack has written it otherwise."""
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    if script.count(written) != 1:
        raise AttributeError(
            f"MiniStack's Python worker is not as it was: {written!r} is there {script.count(written)} times"
        )
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(written, corrected)


def _report_exception_names() -> None:
    """AWS names the error of a failed Lambda task after the exception's class; MiniStack says Runtime.HandlerError.

    A process that died is Runtime.ExitError (https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-execution.html).
    """
    _rewrite_worker(
        '{"status": "error", "error": str(e), "trace": traceback.format_exc()}',
        '{"status": "error", "error": str(e), "error_type": type(e).__name__, "trace": traceback.format_exc()}',
    )

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

    replace(lambda_runtime.Worker, "invoke", remember_name)
    replace(lambda_svc, "_execute_function_warm", report_name)


def _wait_for_a_free_worker() -> None:
    """The account concurrency here protects a small machine, so a call waits for its turn instead of being throttled."""

    released = threading.Condition()

    def waiting(original: Function) -> Function:
        def acquire(func: Any, config: Any) -> Any:
            deadline = time.monotonic() + SLOT_WAIT_SECONDS
            with released:
                slot, limit = original(func, config)
                while slot is None and limit == "account" and released.wait(deadline - time.monotonic()):
                    slot, limit = original(func, config)
            return slot, limit

        return acquire

    def announcing(original: Function) -> Function:
        def release(key: Any) -> None:
            with released:
                original(key)
                released.notify()

        return release

    replace(lambda_svc, "_acquire_execution_slot", waiting)
    replace(lambda_svc, "_release_execution_slot", announcing)


def _read_the_log_to_its_end() -> None:
    """The log of an invocation is all it wrote; MiniStack waits up to 50 ms for lines and takes what has come by then.

    Here the worker says on standard error which invocation is over, and the log is read up to there.
    """
    answered = "        _real_stdout.flush()\n\nrun()"
    over = f'        sys.stderr.write("{_END_OF_LOG}" + _ms_ctx["request_id"] + "\\n"); sys.stderr.flush()\n'
    _rewrite_worker(answered, over + answered)

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

    replace(lambda_runtime.Worker, "invoke", remember_invocation)
    replace(lambda_runtime.Worker, "_drain_stderr_bounded", read_to_the_end)


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

    replace(eventbridge, "_dispatch_to_lambda", retrying)


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
