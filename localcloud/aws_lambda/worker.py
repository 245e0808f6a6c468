"""Runs inside a function's process: imports the handler once, then answers invocations until its input ends.

Started isolated (`python -I -S`), it sees the standard library and the paths in LOCALCLOUD_SYS_PATH only. A
frame is four bytes of length and that many bytes of JSON, in on one descriptor and out on another; what the
function prints goes to its standard output, closed off by a line with END_OF_LOGS after each invocation.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import struct
import sys
import time
import traceback
from typing import Any, BinaryIO

END_OF_LOGS = "\x00localcloud-end-of-logs\x00"
MILLISECONDS = 1000


class Context:
    """The context object of one invocation, as AWS's Python runtime has it."""

    def __init__(self, frame: dict[str, Any]) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = frame["functionArn"]
        self.aws_request_id = frame["requestId"]
        self.client_context = None
        self.identity = None
        self._deadline = frame["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the function is stopped."""
        return max(0, int((self._deadline - time.time()) * MILLISECONDS))


def main() -> None:
    """Import the handler and serve."""
    requests, answers = os.fdopen(int(sys.argv[1]), "rb"), os.fdopen(int(sys.argv[2]), "wb")
    sys.path[:0] = json.loads(os.environ.pop("LOCALCLOUD_SYS_PATH"))
    os.chdir(os.environ["LAMBDA_TASK_ROOT"])
    module_name, function_name = os.environ["_HANDLER"].rsplit(".", 1)
    try:
        handler = getattr(importlib.import_module(module_name.replace("/", ".")), function_name)
        import_error = None
    except BaseException as error:  # noqa: BLE001 - AWS reports whatever the import raises
        handler, import_error = None, _init_error(error, module_name)
    while (frame := _read(requests)) is not None:
        answer = import_error or _invoke(handler, frame)
        sys.stdout.flush()
        sys.stderr.flush()
        print(END_OF_LOGS, flush=True)
        _write(answers, answer)


def _invoke(handler: Any, frame: dict[str, Any]) -> dict[str, Any]:
    os.environ["_X_AMZN_TRACE_ID"] = frame["traceId"]
    try:
        result = handler(frame["event"], Context(frame))
        return {"payload": json.dumps(result, ensure_ascii=False)}
    except BaseException as error:  # noqa: BLE001 - a function's every failure is reported to its caller
        traceback.print_exc()
        trace = traceback.format_tb(error.__traceback__)[1:]
        return _failure(type(error).__name__, str(error), trace, frame["requestId"])


def _init_error(error: BaseException, module_name: str) -> dict[str, Any]:
    traceback.print_exc()
    kind = (
        "Runtime.ImportModuleError" if isinstance(error, ImportError) else f"Runtime.{type(error).__name__}"
    )
    message = (
        f"Unable to import module '{module_name}': {error}" if isinstance(error, ImportError) else str(error)
    )
    return _failure(kind, message, [], "")


def _failure(kind: str, message: str, trace: list[str], request_id: str) -> dict[str, Any]:
    body = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
    return {"payload": json.dumps(body), "functionError": "Unhandled"}


def _read(stream: BinaryIO) -> dict[str, Any] | None:
    header = stream.read(4)
    if len(header) < 4:  # noqa: PLR2004 - the length of a frame's header
        return None
    frame: dict[str, Any] = json.loads(stream.read(struct.unpack(">I", header)[0]))
    return frame


def _write(stream: BinaryIO, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
