"""Errors as the API server says them: metav1.Status and field errors, with upstream's exact texts.

Models k8s.io/apimachinery/pkg/api/errors and k8s.io/apimachinery/pkg/util/validation/field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON


class ApiError(Exception):
    """An answer other than success: ``status`` is the metav1.Status, ``code`` its HTTP code."""

    def __init__(self, status: JSON) -> None:
        super().__init__(status.get("message", ""))
        self.status = status
        self.code: int = status["code"]
        self.reason: str = status.get("reason", "")

    @property
    def message(self) -> str:
        return str(self.status.get("message", ""))


def status_failure(
    code: int, reason: str, message: str, details: JSON | None = None, retry_after: int = 0
) -> JSON:
    """A metav1.Status that says why a request failed, its fields in upstream's order. Details may be empty."""
    status: JSON = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
    }
    if reason:
        status["reason"] = reason
    if retry_after:
        details = {**(details or {}), "retryAfterSeconds": retry_after}
    if details is not None:
        status["details"] = details
    status["code"] = code
    return status


def _details(resource: str, name: str = "", causes: list[JSON] | None = None, kind: str = "") -> JSON:
    """StatusDetails from a group-resource such as ``deployments.apps``."""
    plural, _, group = resource.partition(".")
    details: JSON = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind or plural:
        details["kind"] = kind or plural
    if causes:
        details["causes"] = causes
    return details


def not_found(resource: str, name: str) -> ApiError:
    return ApiError(
        status_failure(404, "NotFound", f'{resource} "{name}" not found', _details(resource, name))
    )


def already_exists(resource: str, name: str) -> ApiError:
    return ApiError(
        status_failure(409, "AlreadyExists", f'{resource} "{name}" already exists', _details(resource, name))
    )


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: str, name: str, why: str = MODIFIED) -> ApiError:
    message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return ApiError(status_failure(409, "Conflict", message, _details(resource, name)))


def apply_conflict(message: str, causes: list[JSON]) -> ApiError:
    """A server-side apply that met fields of other managers."""
    return ApiError(status_failure(409, "Conflict", message, {"causes": causes}))


def forbidden(resource: str, name: str, why: str) -> ApiError:
    if name:
        message = f'{resource} "{name}" is forbidden: {why}'
    elif resource:
        message = f"{resource} is forbidden: {why}"
    else:
        message = f"forbidden: {why}"
    return ApiError(status_failure(403, "Forbidden", message, _details(resource, name)))


def bad_request(message: str) -> ApiError:
    return ApiError(status_failure(400, "BadRequest", message))


def unauthorized() -> ApiError:
    return ApiError(status_failure(401, "Unauthorized", "Unauthorized"))


def no_such_resource() -> ApiError:
    """Of a path that names no resource (NewGenericServerResponse)."""
    return ApiError(status_failure(404, "NotFound", "the server could not find the requested resource", {}))


def method_not_allowed() -> ApiError:
    """Of a verb that the resource does not have (NewGenericServerResponse)."""
    text = "the server does not allow this method on the requested resource"
    return ApiError(status_failure(405, "MethodNotAllowed", text, None))


def gone(message: str) -> ApiError:
    return ApiError(status_failure(410, "Gone", message))


def expired(message: str) -> ApiError:
    return ApiError(status_failure(410, "Expired", message))


def too_large_resource_version(wanted: int, current: int) -> ApiError:
    """Of a revision that is still to come, after which a client lists anew (NewTooLargeResourceVersionError)."""
    text = "Too large resource version"
    causes = [{"reason": "ResourceVersionTooLarge", "message": text}]
    message = f"Timeout: {text}: {wanted}, current: {current}"
    return ApiError(status_failure(504, "Timeout", message, {"causes": causes}, 1))


def too_many_requests(message: str, retry_after: int = 1) -> ApiError:
    return ApiError(status_failure(429, "TooManyRequests", message, {}, retry_after))


def unsupported_media_type(message: str) -> ApiError:
    return ApiError(status_failure(415, "UnsupportedMediaType", message))


def not_acceptable(message: str) -> ApiError:
    return ApiError(status_failure(406, "NotAcceptable", message))


def request_entity_too_large(limit: int) -> ApiError:
    message = f"Request entity too large: limit is {limit}"
    return ApiError(status_failure(413, "RequestEntityTooLarge", message))


def internal(message: str) -> ApiError:
    text = f"Internal error occurred: {message}"
    return ApiError(status_failure(500, "InternalError", text, {"causes": [{"message": message}]}))


def service_unavailable(message: str) -> ApiError:
    return ApiError(status_failure(503, "ServiceUnavailable", message))


def not_simulated(what: str) -> ApiError:
    """What the engine knows of but does not do: refused loudly, never faked."""
    return ApiError(status_failure(501, "NotImplemented", f"not simulated by this cluster: {what}"))


CAUSES_LIMIT = 500
"""Errors that one refusal lists; upstream lists all, which a large object can turn into hundreds of MB."""


def invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> ApiError:
    """Validation failed: 422 with a cause for each error, at most CAUSES_LIMIT of them."""
    left_out = len(errors) - CAUSES_LIMIT
    errors = errors[:CAUSES_LIMIT]
    causes = [{"reason": error.type, "message": error.body(), "field": error.field} for error in errors]
    texts = list(dict.fromkeys(str(error) for error in errors))
    if left_out > 0:
        texts.append(f"and {left_out} more")
    body = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    qualified = f"{kind}.{group}" if group else kind
    details: JSON = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = kind
    details["causes"] = causes
    return ApiError(status_failure(422, "Invalid", f'{qualified} "{name}" is invalid: {body}', details))


# ---- field errors ----------------------------------------------------------------------------------------

REQUIRED = "FieldValueRequired"
INVALID = "FieldValueInvalid"
NOT_SUPPORTED = "FieldValueNotSupported"
DUPLICATE = "FieldValueDuplicate"
FORBIDDEN = "FieldValueForbidden"
TOO_LONG = "FieldValueTooLong"
TOO_MANY = "FieldValueTooMany"
NOT_FOUND = "FieldValueNotFound"
TYPE_INVALID = "FieldValueTypeInvalid"
INTERNAL = "InternalError"

_WORDS = {
    REQUIRED: "Required value",
    INVALID: "Invalid value",
    NOT_SUPPORTED: "Unsupported value",
    DUPLICATE: "Duplicate value",
    FORBIDDEN: "Forbidden",
    TOO_LONG: "Too long",
    TOO_MANY: "Too many",
    NOT_FOUND: "Not found",
    TYPE_INVALID: "Invalid value",
    INTERNAL: "Internal error",
}
OMITTED: Any = object()
"""In the place of a value that is too large, or no scalar, and so not told (field.OmitValueType)."""

_WITHOUT_VALUE = {REQUIRED, FORBIDDEN, TOO_LONG, INTERNAL}


def go_value(value: Any) -> str:
    """A value as field errors print it: strings quoted, numbers and booleans bare, the rest as JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return orjson.dumps(value).decode()


class FieldError:
    """One thing wrong with one field (field.Error)."""

    __slots__ = ("bad_value", "detail", "field", "type")

    def __init__(self, type: str, field: str, bad_value: Any = None, detail: str = "") -> None:
        self.type = type
        self.field = field
        self.bad_value = bad_value
        self.detail = detail

    def body(self) -> str:
        """The text without the field's name, as a Status cause carries it."""
        words = _WORDS[self.type]
        if self.type not in _WITHOUT_VALUE and self.bad_value is not OMITTED:
            words = f"{words}: {go_value(self.bad_value)}"
        return f"{words}: {self.detail}" if self.detail else words

    def __str__(self) -> str:
        return f"{self.field}: {self.body()}"

    def __repr__(self) -> str:
        return f"FieldError({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldError) and (self.type, str(self)) == (other.type, str(other))

    __hash__ = None  # type: ignore[assignment]


def required(field: str, detail: str = "") -> FieldError:
    return FieldError(REQUIRED, field, "", detail)


def invalid_value(field: str, value: Any, detail: str) -> FieldError:
    return FieldError(INVALID, field, value, detail)


def not_supported(field: str, value: Any, choices: Iterable[str]) -> FieldError:
    listed = list(choices)  # in the caller's order, as upstream
    detail = "supported values: " + ", ".join(go_value(choice) for choice in listed) if listed else ""
    return FieldError(NOT_SUPPORTED, field, value, detail)


def duplicate(field: str, value: Any) -> FieldError:
    return FieldError(DUPLICATE, field, value)


def forbidden_field(field: str, detail: str) -> FieldError:
    return FieldError(FORBIDDEN, field, "", detail)


def field_not_found(field: str, value: Any) -> FieldError:
    return FieldError(NOT_FOUND, field, value)


def too_long(field: str, value: Any, limit: int) -> FieldError:
    unit = "byte" if limit == 1 else "bytes"
    return FieldError(TOO_LONG, field, value, f"may not be more than {limit} {unit}")


def too_many(field: str, actual: int, limit: int) -> FieldError:
    unit = "item" if limit == 1 else "items"
    return FieldError(TOO_MANY, field, actual, f"must have at most {limit} {unit}")
