"""AdmissionReviews: the question to a webhook, what its answer says, and how a refusal of its is told.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go and webhook/errors/statuserror.go.
"""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

GROUP = "admission.k8s.io"
WARNINGS = 32
"""Warnings of one webhook that are passed on."""
_PATCH = "JSONPatch"


class Invalid(ValueError):
    """An answer that is none; str() says why."""


class Said(NamedTuple):
    """What a webhook said."""

    allowed: bool
    status: JSON
    """Why not."""
    patch: list[Any]
    warnings: tuple[str, ...]


def question(version: str, uid: str, request: JSON, obj: JSON | None, old: JSON | None) -> JSON:
    """The AdmissionReview that asks; ``request`` is what CEL expressions see of it too."""
    asked = {"uid": uid, **request, "object": obj, "oldObject": old}
    return {"kind": "AdmissionReview", "apiVersion": f"{GROUP}/{version}", "request": asked}


def answer(version: str, uid: str, review: JSON, mutating: bool) -> Said:
    """What the answered review says (VerifyAdmissionResponse). Raises Invalid."""
    found = review.get("response")
    if not isinstance(found, dict):
        raise Invalid("webhook response was absent")
    if found.get("uid") != uid and version == "v1":
        raise Invalid(f'expected response.uid="{uid}", got "{found.get("uid", "")}"')
    group, _, number = str(review.get("apiVersion", "")).rpartition("/")
    if (group, number, review.get("kind")) != (GROUP, version, "AdmissionReview"):
        wanted, got = (
            f"{GROUP}/{version}, Kind=AdmissionReview",
            f"{group}/{number}, Kind={review.get('kind', '')}",
        )
        raise Invalid(f"expected webhook response of {wanted}, got {got}")
    status = found.get("status")
    return Said(
        found.get("allowed") is True,
        status if isinstance(status, dict) else {},
        _patch(version, found) if mutating else [],
        tuple(str(text) for text in found.get("warnings") or ())[:WARNINGS],
    )


def _patch(version: str, found: JSON) -> list[Any]:
    text, kind = found.get("patch"), found.get("patchType")
    if text and not kind and version == "v1":
        raise Invalid("webhook returned response.patch but not response.patchType")
    if kind and not text:
        raise Invalid("webhook returned response.patchType but not response.patch")
    if not text:
        return []
    if kind not in (_PATCH, None):
        raise Invalid(f'invalid response.patchType of "{kind}" returned')
    try:
        operations = orjson.loads(base64.b64decode(str(text)))
    except ValueError as error:
        raise Invalid(f"received undecodable patch in webhook response: {error}") from None
    if not isinstance(operations, list):
        raise Invalid(
            "received undecodable patch in webhook response: json: cannot unmarshal into jsonpatch.Patch"
        )
    return operations


def refusal(name: str, status: JSON) -> errors.ApiError:
    """The Status of a write that a webhook has denied (ToStatusErr)."""
    denied = f'admission webhook "{name}" denied the request'
    why = status.get("message") or status.get("reason")
    message = f"{denied}: {why}" if why else f"{denied} without explanation"
    code = status.get("code")
    code = code if isinstance(code, int) and 400 <= code < 600 else 400
    details = status.get("details")
    return errors.ApiError(
        errors.status_failure(
            code, str(status.get("reason") or ""), message, details if isinstance(details, dict) else None
        )
    )
