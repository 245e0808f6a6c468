"""GET, POST and DELETE /_localcloud/faults."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from localcloud.faults.book import FaultBook, FaultError
from localcloud.faults.operations import UnknownOperationError


class FaultsApi:
    """Adds, lists and clears faults."""

    def __init__(self, book: FaultBook, path: str) -> None:
        self._book = book
        self._path = path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, answer = self._answer(environ)
        body = json.dumps(answer).encode() if answer is not None else b""
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[HTTPStatus, Any]:
        fault_id = environ["PATH_INFO"].removeprefix(self._path).strip("/")
        match environ["REQUEST_METHOD"], fault_id:
            case "GET", "":
                return HTTPStatus.OK, {"faults": self._book.listed()}
            case "POST", "":
                return self._add(environ)
            case "DELETE", "":
                self._book.clear()
                return HTTPStatus.NO_CONTENT, None
            case "DELETE", _ if self._book.remove(fault_id):
                return HTTPStatus.NO_CONTENT, None
            case _:
                return HTTPStatus.NOT_FOUND, {
                    "message": "there is GET, POST, DELETE of all and DELETE of /<id>"
                }

    def _add(self, environ: WSGIEnvironment) -> tuple[HTTPStatus, Any]:
        try:
            wish = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
            return HTTPStatus.CREATED, self._book.add(wish)
        except (FaultError, UnknownOperationError, json.JSONDecodeError) as error:
            return HTTPStatus.BAD_REQUEST, {"message": str(error)}
