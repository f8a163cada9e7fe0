"""agnhost's conversion webhook: the one of Kubernetes' own tests, which makes a host and a port of ``host:port``.

Models test/images/agnhost/crd-conversion-webhook.
"""

from __future__ import annotations

import json
from typing import Any

from cluster_engine.container_runtime.http import Line, Reply, Request, klog, say
from cluster_engine.linux.program import Sys

JSON = dict[str, Any]
_GROUP, _KIND = "apiextensions.k8s.io", "ConversionReview"
_FIRST, _SECOND = "stable.example.com/v1", "stable.example.com/v2"


class _Refused(Exception):
    """str() says why."""


def _split(obj: JSON) -> JSON:
    """What the first version has as the second has it. Raises _Refused."""
    made = {name: value for name, value in obj.items() if name != "hostPort"}
    if "hostPort" in obj:
        parts = str(obj["hostPort"]).split(":")
        if len(parts) != 2:
            raise _Refused(f"invalid hostPort value `{obj['hostPort']}`")
        made |= {"host": parts[0], "port": parts[1]}
    return made


def _joined(obj: JSON) -> JSON:
    """The other way round."""
    made = {name: value for name, value in obj.items() if name not in ("host", "port")}
    if "host" in obj or "port" in obj:
        made["hostPort"] = f"{obj.get('host', '')}:{obj.get('port', '')}"
    return made


_WAYS = {_FIRST: (_SECOND, _split), _SECOND: (_FIRST, _joined)}


def _converted(obj: JSON, target: str) -> JSON:
    """The object in that version. Raises _Refused."""
    source = obj.get("apiVersion") or ""
    if source == target:
        raise _Refused(f"conversion from a version to itself should not call the webhook: {target}")
    if source not in _WAYS:
        raise _Refused(f'unexpected conversion version "{source}"')
    reached, way = _WAYS[source]
    if reached != target:
        raise _Refused(f'unexpected conversion version "{target}"')
    return {**way(obj), "apiVersion": target}


def answer(sys: Sys, request: Request, talks: bool) -> Reply:
    """The reply to a request. Who ``talks`` tells of each object."""
    path = request.path.partition("?")[0]
    if path == "/readyz":
        return Reply(200, "ok")
    if path != "/crdconvert":
        return Reply(404, "404 page not found\n")
    try:
        review = json.loads(request.body.encode("latin-1"))
        group, _, version = review["apiVersion"].partition("/")
        asked = review["request"]
        objects, target, uid = asked["objects"], asked["desiredAPIVersion"], asked["uid"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"failed to deserialize body ({request.body[:256]}) with error {type(error).__name__}"
        say(sys, [klog(sys, f"framework.go:134] {told}", "E")])
        return Reply(400, f"{told}\n")
    if (group, review.get("kind")) != (_GROUP, _KIND) or version not in ("v1", "v1beta1"):
        return Reply(400, f"Unsupported group version kind: {group}/{version}, Kind={review.get('kind')}\n")
    lines: list[Line] = []
    response: JSON = {"uid": uid, "convertedObjects": [], "result": {"metadata": {}, "status": "Success"}}
    try:
        for obj in objects:
            if talks:
                lines.append(klog(sys, "example_converter.go:30] converting crd"))
            response["convertedObjects"].append(_converted(obj, target))
    except _Refused as error:
        lines.append(klog(sys, f"framework.go:99] {error}", "E"))
        failed = {"metadata": {}, "status": "Failure", "message": str(error)}
        response = {"uid": uid, "convertedObjects": None, "result": failed}
    say(sys, lines)
    told_back = {
        "kind": _KIND,
        "apiVersion": review["apiVersion"],
        "request": {"uid": "", "desiredAPIVersion": "", "objects": None},
        "response": response,
    }
    return Reply(200, json.dumps(told_back), {"Content-Type": "application/json"})
