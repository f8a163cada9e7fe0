"""The controller's admission webhook: an Ingress that would not work, or take another's place, is refused.

Models internal/admission/controller, CheckIngress and checkOverlap of internal/ingress/controller, and
internal/ingress/inspector of ingress-nginx.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from cluster_engine.container_runtime.http import Reply, Request
from cluster_engine.container_runtime.images._ingress import objects, rules
from cluster_engine.linux.program import Sys
from cluster_engine.linux.text import octets

JSON = dict[str, Any]
_PLAIN = re.compile(r"/[A-Za-z0-9._/-]*")
_SNIPPETS = ("auth-snippet", "configuration-snippet", "server-snippet", "stream-snippet")


def answer(
    sys: Sys,
    request: Request,
    table: JSON,
    is_ours: Callable[[JSON], bool],
    log: Callable[..., None],
) -> Reply:
    """The reply to a review."""
    try:
        review = json.loads(request.body.encode("latin-1"))
        asked = review["request"]
        obj = asked["object"]
        key, found = objects.key_of(obj), objects.ingress(obj)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Reply(400, "the body is no review of an Ingress\n")
    why = problem(table, key, found, asked.get("operation") == "DELETE" or not is_ours(found))
    if why:
        log(sys, f'main.go:107] "invalid ingress configuration" err="{why}" ingress="{key}"', "E")
    else:
        log(sys, "admission.go:149] processed ingress via admission controller {testedIngressLength:1}")
    said: JSON = {"uid": asked["uid"], "allowed": not why}
    if why:
        said["status"] = {"status": "Failure", "code": 400, "reason": "BadRequest", "message": why}
    told = {"kind": "AdmissionReview", "apiVersion": review["apiVersion"], "response": said}
    return Reply(200, octets(json.dumps(told)), {"Content-Type": "application/json"})


def problem(table: JSON, key: str, found: JSON, other: bool) -> str:
    """Why an Ingress is refused; "": it is not. ``other``: it is none of this controller's."""
    if other:
        return ""
    for name in found["annotations"]:
        if name.removeprefix(objects.PREFIX) in _SNIPPETS:
            return f"{name} annotation cannot be used. Snippet directives are disabled by the Ingress administrator"
    patterns = bool(rules.note(found, "rewrite-target")) or rules.note(found, "use-regex") == "true"
    wrong = []
    for _, paths in found["rules"]:
        for path, kind, _ in paths:
            if kind in ("Exact", "Prefix") and _PLAIN.fullmatch(path) is None:
                wrong.append(f"path {path} cannot be used with pathType {kind}")
            elif patterns and (why := rules.pattern_problem(path)):
                return f"path {path} is no pattern that nginx can match here: {why}"
    if wrong:
        return "ingress contains invalid paths: " + "\n".join(wrong)
    for host, paths in found["rules"]:
        name = host or rules.DEFAULT
        server = table["servers"].get(name)
        for path, *_ in paths:
            owners = _owners(server, path) if server is not None else []
            if owners and key not in owners:
                return f'host "{name}" and path "{path}" is already defined in ingress {owners[0]}'
    return ""


def _owners(server: JSON, path: str) -> list[str]:
    """The Ingresses that say something about a path of a host."""
    bare = path.rstrip("/") or "/"
    return [
        each["ingress"]
        for each in server["locations"]
        if each["ingress"] and not each["default"] and (each["path"].rstrip("/") or "/") == bare
    ]
