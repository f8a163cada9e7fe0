"""The four patch types, from patch document to patched object.

Models k8s.io/apiserver/pkg/endpoints/handlers/patch.go. Apply needs field managers: see the registry.
"""

from __future__ import annotations

import re
from typing import Any

from cluster_engine.apimachinery import decode, errors, patch
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.schema import Struct
from cluster_engine.apimachinery.scheme import Kind

TYPES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
    "application/apply-patch+cbor": "apply-cbor",
}
OPERATIONS_LIMIT = 10_000
_STEPS = re.compile(r"\[\d+\]|[^.\[\]]+")


def patched(live: JSON, document: Any, patch_type: str, schema: Struct | None) -> JSON:
    """`live` with a json, merge or strategic patch applied; the same object when the patch changes
    nothing.
    """
    try:
        if patch_type == "json":
            if not isinstance(document, list):
                raise errors.bad_request(
                    "error decoding patch: json: cannot unmarshal object into Go value of type "
                    "jsonpatch.Patch"
                )
            if len(document) > OPERATIONS_LIMIT:
                raise errors.ApiError(
                    errors.status_failure(
                        413,
                        "RequestEntityTooLarge",
                        f"The allowed maximum operations in a JSON patch is {OPERATIONS_LIMIT}, "
                        f"got {len(document)}",
                    )
                )
            new = patch.json_patch(live, document)
        elif not isinstance(document, dict):
            raise errors.bad_request("the patch is not an object")
        elif patch_type == "merge":
            new = patch.merge_patch(live, document)
        elif schema is None:
            raise errors.unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
            )
        else:
            new = patch.strategic_merge_patch(live, document, schema)
    except patch.PatchError as problem:
        raise _refusal(problem) from problem
    return live if new == live else new


def check_applied(kind: Kind, document: JSON, namespace: str, name: str) -> None:
    """Refuse an applied configuration that does not fit the kind's schema, whatever fieldValidation says."""
    try:
        _decoded, unknown = decode.decode(kind.api_version, kind.kind, document, kind.structure)
    except decode.DecodeError as problem:
        raise _untyped(kind, namespace, name, str(problem)) from problem
    if unknown:
        problems = [f"{_keyed(document, path)}: field not declared in schema" for path in unknown]
        text = problems[0]
        if len(problems) > 1:
            text = "errors:\n" + "\n".join(f"  {line}" for line in problems)
        raise _untyped(kind, namespace, name, text)


def _untyped(kind: Kind, namespace: str, name: str, why: str) -> errors.ApiError:
    # Upstream answers 500 with this text; the fault is the client's.
    return errors.ApiError(
        errors.status_failure(
            400,
            "",
            f"failed to create typed patch object ({namespace}/{name}; {kind.api_version}, "
            f"Kind={kind.kind}): {why}",
        )
    )


def _keyed(document: JSON, path: str) -> str:
    """`spec.containers[0].imag` as apply writes it: `.spec.containers[name="web"].imag`."""
    text = ""
    value: Any = document
    for step in _STEPS.findall(path):
        if step.startswith("["):
            index = int(step[1:-1])
            value = value[index] if isinstance(value, list) and index < len(value) else None
            known = value.get("name") if isinstance(value, dict) else None
            text += f'[name="{known}"]' if isinstance(known, str) else step
        else:
            value = value.get(step) if isinstance(value, dict) else None
            text += f".{step}"
    return text


def _refusal(problem: patch.PatchError) -> errors.ApiError:
    text = str(problem)
    if getattr(problem, "reason", "") == "Invalid":
        # A patch that does not fit the object, e.g. a failed `test` (errors.NewGenericServerResponse).
        return errors.ApiError(
            errors.status_failure(
                422,
                "Invalid",
                "the server rejected our request due to an error in our request",
                {"causes": [{"reason": "UnexpectedServerResponse", "message": text}]},
            )
        )
    if getattr(problem, "reason", "") == "RequestEntityTooLarge":
        return errors.ApiError(errors.status_failure(413, "RequestEntityTooLarge", text))
    return errors.bad_request(text)
