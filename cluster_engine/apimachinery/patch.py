"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) on objects that are never mutated.

The strategic kind stands in ``strategic.py`` and is offered here too.

Models k8s.io/apiserver/pkg/endpoints/handlers/patch.go and github.com/evanphx/json-patch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError, status_failure
from cluster_engine.apimachinery.patch_errors import BAD_REQUEST, INVALID, TOO_LARGE, PatchError
from cluster_engine.apimachinery.strategic import strategic_merge_patch

__all__ = ["PatchError", "api_error", "json_patch", "merge_patch", "strategic_merge_patch"]

MAX_OPERATIONS = 10_000
MAX_COPY_BYTES = 3 * 1024 * 1024
"""Bytes that all ``copy`` operations of one patch may add."""
MAX_PATCH_DEPTH = 250
"""Levels of one JSON pointer."""

_MISSING: Any = object()


def api_error(error: PatchError) -> ApiError:
    """The Status that the API server answers with."""
    text = str(error)
    if error.reason == TOO_LARGE:
        return ApiError(status_failure(413, "RequestEntityTooLarge", f"Request entity too large: {text}"))
    if error.reason == INVALID:
        causes = [{"reason": "UnexpectedServerResponse", "message": text}]
        message = "the server rejected our request due to an error in our request"
        return ApiError(status_failure(422, "Invalid", message, {"causes": causes}))
    return ApiError(status_failure(400, "BadRequest", text))


# ---- JSON Patch ------------------------------------------------------------------------------------------


def _steps(pointer: Any, operation: str) -> list[str]:
    if not isinstance(pointer, str):
        raise PatchError(f"{operation} operation has no path: missing value", INVALID)
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        raise PatchError(
            f'{operation} operation does not apply: doc is missing path: "{pointer}": missing value', INVALID
        )
    steps = pointer[1:].split("/", MAX_PATCH_DEPTH + 1)
    if len(steps) > MAX_PATCH_DEPTH:
        raise PatchError(f"{operation} operation has a path of more than {MAX_PATCH_DEPTH} steps", INVALID)
    if "~" in pointer:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in steps]
    return steps


def _index(items: Sequence[Any], step: str, limit: int) -> int | None:
    """The place in a list that a step names; None when there is none. Negative ones count from the end."""
    digits = step[1:] if step.startswith("-") else step
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        return None
    index = int(step)
    if index < 0:
        index += limit
    return index if 0 <= index < limit else None


def _child(node: Any, step: str) -> Any:
    if isinstance(node, dict):
        return node.get(step, _MISSING)
    if isinstance(node, list):
        index = _index(node, step, len(node))
        return _MISSING if index is None else node[index]
    return _MISSING


def _find(doc: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        doc = _child(doc, step)
        if doc is _MISSING:
            return _MISSING
    return doc


def _change(doc: Any, steps: Sequence[str], operation: str, value: Any, pointer: str) -> Any:
    """``doc`` with the value added, replaced or (when ``value`` is _MISSING) removed at ``steps``."""
    if not steps:
        if operation == "remove":
            raise PatchError("error in remove for path: '': Unable to remove the root", INVALID)
        return value
    spine: list[Any] = [doc]
    for step in steps[:-1]:
        child = _child(spine[-1], step)
        if child is _MISSING or not isinstance(child, (dict, list)):
            raise PatchError(
                f'{operation} operation does not apply: doc is missing path: "{pointer}": missing value',
                INVALID,
            )
        spine.append(child)
    new = _edit(spine[-1], steps[-1], operation, value, pointer)
    for parent, step in zip(reversed(spine[:-1]), reversed(steps[:-1]), strict=True):
        if isinstance(parent, list):
            index = _index(parent, step, len(parent))
            assert index is not None
            new = [*parent[:index], new, *parent[index + 1 :]]
        else:
            new = {**parent, step: new}
    return new


def _edit(node: Any, last: str, operation: str, value: Any, pointer: str) -> Any:
    if isinstance(node, dict):
        if operation == "add":
            return {**node, last: value}
        if last not in node:
            if operation == "remove":
                raise PatchError(
                    f"error in remove for path: '{pointer}': Unable to remove nonexistent key: {last}:"
                    " missing value",
                    INVALID,
                )
            raise PatchError(
                f"replace operation does not apply: doc is missing key: {pointer}: missing value", INVALID
            )
        if operation == "remove":
            return {name: item for name, item in node.items() if name != last}
        return {**node, last: value}
    if not isinstance(node, list):
        raise PatchError(
            f'{operation} operation does not apply: doc is missing path: "{pointer}": missing value', INVALID
        )
    if operation == "add":
        if last == "-":
            return [*node, value]
        index = _index(node, last, len(node) + 1)
        if index is None:
            raise PatchError(
                f"error in add for path: '{pointer}': Unable to access invalid index: {last}: invalid index"
                " referenced",
                INVALID,
            )
        return [*node[:index], value, *node[index:]]
    index = _index(node, last, len(node))
    if index is None:
        if operation == "remove":
            raise PatchError(
                f"error in remove for path: '{pointer}': Unable to access invalid index: {last}:"
                f" invalid index"
                " referenced",
                INVALID,
            )
        raise PatchError(
            f"replace operation does not apply: doc is missing key: {pointer}: missing value", INVALID
        )
    if operation == "remove":
        return [*node[:index], *node[index + 1 :]]
    return [*node[:index], value, *node[index + 1 :]]


def same(left: Any, right: Any) -> bool:
    """JSON equality: booleans are no numbers."""
    if left is right:
        return True
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and len(left) == len(right)
            and all(name in right and same(item, right[name]) for name, item in left.items())
        )
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(same(a, b) for a, b in zip(left, right, strict=True))
        )
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def json_patch(obj: JSON, operations: Any) -> JSON:
    """The object after all operations; raises PatchError when any does not apply."""
    if not isinstance(operations, list):
        raise PatchError(
            "json: cannot unmarshal object into Go value of type jsonpatch.Patch"
            if isinstance(operations, dict)
            else "json: cannot unmarshal value into Go value of type jsonpatch.Patch",
            BAD_REQUEST,
        )
    if len(operations) > MAX_OPERATIONS:
        raise PatchError(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}",
            TOO_LARGE,
        )
    doc: Any = obj
    copied = 0
    for operation in operations:
        if not isinstance(operation, dict):
            raise PatchError(
                "json: cannot unmarshal value into Go value of type jsonpatch.Operation", BAD_REQUEST
            )
        kind = operation.get("op")
        pointer = operation.get("path")
        if kind in ("add", "replace"):
            if "value" not in operation:
                raise PatchError(f"{kind} operation has no value: missing value", INVALID)
            doc = _change(doc, _steps(pointer, kind), kind, operation["value"], str(pointer))
        elif kind == "remove":
            doc = _change(doc, _steps(pointer, kind), kind, _MISSING, str(pointer))
        elif kind == "test":
            found = _find(doc, _steps(pointer, kind))
            wanted = operation.get("value")
            if not (wanted is None if found is _MISSING else same(found, wanted)):
                raise PatchError(f"testing value {pointer} failed: test failed", INVALID)
        elif kind in ("move", "copy"):
            source = operation.get("from")
            steps, target = _steps(source, kind), _steps(pointer, kind)
            found = _find(doc, steps)
            if found is _MISSING:
                raise PatchError(
                    f"error in {kind} for path: '{source}': doc is missing from path: {source}:"
                    f" missing value",
                    INVALID,
                )
            if kind == "move":
                if target[: len(steps)] == steps and len(target) > len(steps):
                    raise PatchError(f"{kind} operation does not apply: target is inside the source", INVALID)
                doc = _change(doc, steps, "remove", _MISSING, str(source))
            else:
                copied += len(orjson.dumps(found))
                if copied > MAX_COPY_BYTES:
                    raise PatchError(
                        "Unable to complete the copy, the accumulated size increase of copy is"
                        f" {copied}, exceeding the limit {MAX_COPY_BYTES}",
                        INVALID,
                    )
            doc = _change(doc, target, "add", found, str(pointer))
        else:
            raise PatchError(f"Unexpected kind: {kind if kind else 'unknown'}", INVALID)
    if not isinstance(doc, dict):
        raise PatchError("the patched document is not an object", INVALID)
    return doc


# ---- JSON Merge Patch ------------------------------------------------------------------------------------


def merge_patch(obj: JSON, patch: Any) -> JSON:
    """The object with ``patch`` merged in: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        raise PatchError(
            "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    merged = _merge(obj, patch, 0)
    assert isinstance(merged, dict)
    return merged


def _merge(target: Any, patch: Any, depth: int) -> Any:
    if depth > MAX_PATCH_DEPTH:
        raise PatchError(f"the patch nests deeper than {MAX_PATCH_DEPTH} levels")
    if not isinstance(patch, dict):
        return patch
    base = target if isinstance(target, dict) else {}
    changed: JSON | None = None if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            if name in base:
                if changed is None:
                    changed = dict(base)
                changed.pop(name, None)
            continue
        old = base.get(name)
        new = _merge(old, value, depth + 1)
        if new is old or (not isinstance(new, (dict, list)) and name in base and same(new, old)):
            continue
        if changed is None:
            changed = dict(base)
        changed[name] = new
    return base if changed is None else changed
