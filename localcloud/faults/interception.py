"""Every request passes here first, and meets the fault that it matches."""

from __future__ import annotations

import io
import time
from wsgiref.types import WSGIApplication, WSGIEnvironment

from localcloud.faults.answers import error_answer
from localcloud.faults.book import FaultBook
from localcloud.faults.operations import Request


class Interceptor:
    """Answers in the place of a service when a fault says so."""

    def __init__(self, book: FaultBook) -> None:
        self._book = book

    def __call__(self, environ: WSGIEnvironment) -> WSGIApplication | None:
        """Stall as long as the fault says; return what answers instead of the service, if anything does."""
        if not self._book.watches_operations():
            return None
        fault = self._book.take_operation(Request(environ, _read_body(environ)))
        if fault is None:
            return None
        time.sleep(fault.seconds)
        if fault.error is None:
            return None
        return error_answer(fault.operation, fault.error, fault.message, fault.status)


def _read_body(environ: WSGIEnvironment) -> bytes:
    """Return the request's body, and leave it to be read again."""
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    body: bytes = stream.read() if environ.get("wsgi.input_terminated") else stream.read(int(length or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body
