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
from cluster_engine.apimachinery.json_body import depth_exceeds
from cluster_engine.apimachinery.patch_errors import BAD_REQUEST, INVALID, TOO_LARGE, PatchError
from cluster_engine.apimachinery.strategic import strategic_merge_patch

__all__ = ["PatchError", "api_error", "json_patch", "merge_patch", "strategic_merge_patch"]

MAX_OPERATIONS = 10_000
MAX_COPY_BYTES = 3 * 1024 * 1024
"""Bytes that all ``copy`` operations of one patch may add."""
MAX_PATCH_DEPTH = 120
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


class _Own:
    """The containers that this patch run made itself: they may be changed in place, so that ten thousand
    operations on one list cost what they touch."""

    __slots__ = ("made",)

    def __init__(self) -> None:
        self.made: dict[int, Any] = {}

    def of(self, node: Any) -> Any:
        """``node``, or a copy of it that may be changed."""
        if id(node) in self.made:
            return node
        copy: Any = dict(node) if isinstance(node, dict) else list(node)
        self.made[id(copy)] = copy
        return copy


def _change(doc: Any, steps: Sequence[str], operation: str, value: Any, pointer: str, own: _Own) -> Any:
    """``doc`` with the value added, replaced or (when ``value`` is _MISSING) removed at ``steps``."""
    if isinstance(value, (dict, list)) and depth_exceeds(value, max(MAX_PATCH_DEPTH - len(steps), 0)):
        raise PatchError("exceeded max depth", INVALID)
    if not steps:
        if operation == "remove":
            raise PatchError("error in remove for path: '': Unable to remove the root", INVALID)
        return value
    spine: list[Any] = [doc]
    for step in steps[:-1]:
        child = _child(spine[-1], step)
        if child is _MISSING or not isinstance(child, (dict, list)):
            raise _no_path(operation, pointer)
        spine.append(child)
    new = _edit(spine[-1], steps[-1], operation, value, pointer, own)
    for at in range(len(spine) - 2, -1, -1):
        if new is spine[at + 1]:
            return doc
        parent, step = own.of(spine[at]), steps[at]
        if isinstance(parent, list):
            index = _index(parent, step, len(parent))
            assert index is not None
            parent[index] = new
        else:
            parent[step] = new
        new = parent
    return new


def _no_path(operation: str, pointer: str) -> PatchError:
    return PatchError(
        f'{operation} operation does not apply: doc is missing path: "{pointer}": missing value', INVALID
    )


def _no_key(operation: str, pointer: str, last: str) -> PatchError:
    if operation == "remove":
        text = (
            f"error in remove for path: '{pointer}': Unable to remove nonexistent key: {last}: missing value"
        )
    else:
        text = f"replace operation does not apply: doc is missing key: {pointer}: missing value"
    return PatchError(text, INVALID)


def _no_index(operation: str, pointer: str, last: str) -> PatchError:
    if operation == "replace":
        return _no_key(operation, pointer, last)
    return PatchError(
        f"error in {operation} for path: '{pointer}': Unable to access invalid index: {last}:"
        " invalid index referenced",
        INVALID,
    )


def _edit(node: Any, last: str, operation: str, value: Any, pointer: str, own: _Own) -> Any:
    if isinstance(node, dict):
        if operation != "add" and last not in node:
            raise _no_key(operation, pointer, last)
        node = own.of(node)
        if operation == "remove":
            del node[last]
        else:
            node[last] = value
        return node
    if not isinstance(node, list):
        raise _no_path(operation, pointer)
    if operation == "add":
        index = len(node) if last == "-" else _index(node, last, len(node) + 1)
        if index is None:
            raise _no_index(operation, pointer, last)
        node = own.of(node)
        node.insert(index, value)
        return node
    index = _index(node, last, len(node))
    if index is None:
        raise _no_index(operation, pointer, last)
    node = own.of(node)
    if operation == "remove":
        del node[index]
    else:
        node[index] = value
    return node


def same(left: Any, right: Any) -> bool:
    """JSON equality: booleans are no numbers."""
    if left is right:
        return True
    if isinstance(left, dict):
        if not isinstance(right, dict) or len(left) != len(right):
            return False
        for name, item in left.items():  # noqa: SIM110 - no generator: half the frames of a deep value
            if name not in right or not same(item, right[name]):
                return False
        return True
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        for a, b in zip(left, right, strict=True):  # noqa: SIM110
            if not same(a, b):
                return False
        return True
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
    own = _Own()
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
            doc = _change(doc, _steps(pointer, kind), kind, operation["value"], str(pointer), own)
        elif kind == "remove":
            doc = _change(doc, _steps(pointer, kind), kind, _MISSING, str(pointer), own)
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
                doc = _change(doc, steps, "remove", _MISSING, str(source), own)
            else:
                own = _Own()  # what was copied is shared from here on
                copied += len(orjson.dumps(found))
                if copied > MAX_COPY_BYTES:
                    raise PatchError(
                        "Unable to complete the copy, the accumulated size increase of copy is"
                        f" {copied}, exceeding the limit {MAX_COPY_BYTES}",
                        INVALID,
                    )
            doc = _change(doc, target, "add", found, str(pointer), own)
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
