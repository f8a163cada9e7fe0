"""Kubernetes `Status` answers that the proxy gives by itself."""

from __future__ import annotations

import json
import uuid

from config.doors import Send

JSON_TYPE = "application/json"
REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    413: "RequestEntityTooLarge",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
    504: "Timeout",
}


#: Kubernetes' own words (apimachinery/pkg/api/errors, NewGenericServerResponse).
TIMED_OUT = (
    "the server was unable to return a response in the time allotted, but may still be processing the request"
)


def message_of(status: int, run_id: uuid.UUID | None, path: str) -> str:
    """The sentence for an answer that is the proxy's own."""
    if status == 401:
        return "Unauthorized"
    if status == 403:
        return f'forbidden: User "system:anonymous" cannot get path "{path}"'
    return f'runs "{run_id}" not found' if run_id else "the server could not find the requested resource"


def body_of(status: int, message: str) -> bytes:
    """A metav1.Status failure."""
    return json.dumps(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": REASONS.get(status, "InternalError"),
            "code": status,
            **({"details": {"retryAfterSeconds": 1}} if status in (429, 503) else {}),
        }
    ).encode("utf-8")


async def send_status(send: Send, status: int, message: str, request_id: str) -> None:
    """Answer with a Status."""
    body = body_of(status, message)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-cache, private"),
        (b"x-request-id", request_id.encode("ascii")),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status in (429, 503):
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
