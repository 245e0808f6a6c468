"""Errors in the form of each AWS protocol."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from xml.sax.saxutils import escape

from localcloud.faults.operations import Operation

CBOR_TEXT, CBOR_MAP = 0x60, 0xA0
CBOR_SHORT, CBOR_ONE_BYTE, CBOR_TWO_BYTES = 24, 0x18, 0x19
BYTE = 256


def error_answer(operation: Operation, error: str, message: str, status: int | None) -> WSGIApplication:
    """Return an application that answers any request with the error, as the operation's service would."""
    shapes = {shape.name: shape for shape in operation.model.service_model.error_shapes}
    metadata = shapes[error].metadata.get("error", {}) if error in shapes else {}
    code = metadata.get("code", error)
    answer_status = HTTPStatus(status or metadata.get("httpStatusCode", HTTPStatus.BAD_REQUEST))

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers, body = _form(environ, operation, code, error, message)
        headers.append(("Content-Length", str(len(body))))
        start_response(f"{answer_status.value} {answer_status.phrase}", headers)
        return [body]

    return application


def _form(
    environ: WSGIEnvironment, operation: Operation, code: str, error: str, message: str
) -> tuple[list[tuple[str, str]], bytes]:
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        return headers, _cbor({"__type": error, "message": message})
    if "HTTP_X_AMZ_TARGET" in environ or "rest-json" in operation.protocols:
        body = json.dumps({"__type": error, "message": message}).encode()
        return [("Content-Type", "application/json"), ("x-amzn-ErrorType", error)], body
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if operation.service == "s3":
        text = f"<Error>{inner}</Error>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"
    return [("Content-Type", "application/xml")], f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _cbor(fields: dict[str, str]) -> bytes:
    """Return a map of texts as CBOR (RFC 8949, section 3)."""
    body = bytes([CBOR_MAP + len(fields)])
    for name, value in fields.items():
        body += _cbor_text(name) + _cbor_text(value)
    return body


def _cbor_text(text: str) -> bytes:
    data = text.encode()
    if len(data) < CBOR_SHORT:
        return bytes([CBOR_TEXT + len(data)]) + data
    if len(data) < BYTE:
        return bytes([CBOR_TEXT + CBOR_ONE_BYTE, len(data)]) + data
    return bytes([CBOR_TEXT + CBOR_TWO_BYTES]) + len(data).to_bytes(2, "big") + data
