"""agnhost's webhook: the admission webhook of Kubernetes' own tests. A path is a rule.

Models test/images/agnhost/webhook.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from cluster_engine.component_helpers import certificates
from cluster_engine.container_runtime.http import NEVER, Reply, Request, klog, say
from cluster_engine.linux import tls
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Sys
from cluster_engine.sim import SECOND

JSON = dict[str, Any]
_TEST, _DISALLOW = "webhook-e2e-test", "webhook-disallow"


def certificate(path: str, sys: Sys) -> tls.Certificate:
    """The certificate in a file, whose last one may be its authority's; a nameless one when there is none."""
    try:
        text = sys.fs.read(path)
    except FileError:
        return tls.Certificate(sys.hostname)
    shown = certificates.shown(text.encode("latin-1"))
    if shown is None:
        return tls.Certificate(sys.hostname)
    return tls.Certificate(
        shown.common_name, shown.names, shown.issuer, (tls.authorities(text) or [""])[-1], shown.der
    )


def _labels(obj: JSON) -> JSON:
    return (obj.get("metadata") or {}).get("labels") or {}


def _allow() -> JSON:
    return {"allowed": True}


def _deny(**status: Any) -> JSON:
    return {"allowed": False, "status": {"metadata": {}, **status}}


def _patched(*operations: JSON) -> JSON:
    if not operations:
        return _allow()
    text = json.dumps(operations).encode()
    return {"allowed": True, "patch": base64.b64encode(text).decode(), "patchType": "JSONPatch"}


def _add(path: str, value: Any) -> JSON:
    return {"op": "add", "path": path, "value": value}


def _always_deny(request: JSON, image: str) -> JSON:
    return _deny(message="this webhook denies all requests")


def _add_label(request: JSON, image: str) -> JSON:
    labels = _labels(request["object"])
    if not labels:
        return _patched(_add("/metadata/labels", {"added-label": "yes"}))
    return (
        _allow()
        if labels.get("added-label") == "yes"
        else _patched(_add("/metadata/labels/added-label", "yes"))
    )


def _pods(request: JSON, image: str) -> JSON | None:
    pod, told = request["object"], ""
    match _labels(pod).get(_TEST):
        case "wait-forever":
            return None
        case "webhook-disallow":
            told = "the pod contains unwanted label; "
    for container in pod["spec"].get("containers") or ():
        if _DISALLOW in container["name"]:
            told += "the pod contains unwanted container name; "
    return _deny(message=told.strip()) if told else _allow()


def _attach(request: JSON, image: str) -> JSON:
    asked = request["object"] or {}
    if (
        request["name"] != "to-be-attached-pod"
        or not asked.get("stdin")
        or asked.get("container") != "container1"
    ):
        return _allow()
    return _deny(message="attaching to pod 'to-be-attached-pod' is not allowed")


def _mutating_pods(request: JSON, image: str) -> JSON:
    pod = request["object"]
    name = "webhook-added-init-container"
    has = any(each["name"] == name for each in pod["spec"].get("initContainers") or ())
    if pod["metadata"].get("name") != "webhook-to-be-mutated" or has:
        return _allow()
    added = {"image": "webhook-added-image", "name": name, "resources": {}}
    return _patched(_add("/spec/initContainers", [added]))


def _sidecar(request: JSON, image: str) -> JSON:
    if not image:
        return _deny(status="Failure", message="No image specified by the sidecar-image parameter", code=500)
    name = "webhook-added-sidecar"
    if any(each["name"] == name for each in request["object"]["spec"]["containers"]):
        return _allow()
    return _patched(_add("/spec/containers/-", {"image": image, "name": name, "resources": {}}))


def _guards_data(what: str) -> Callable[[JSON, str], JSON]:
    unwanted = "data" if what == "custom resource" else "key and value"

    def admit(request: JSON, image: str) -> JSON:
        gone = request["operation"] == "DELETE"
        value = ((request["oldObject"] if gone else request["object"]).get("data") or {}).get(_TEST)
        if gone and value == "webhook-nondeletable":
            return _deny(reason=f"the {what} cannot be deleted because it contains unwanted key and value")
        if not gone and value == _DISALLOW:
            return _deny(reason=f"the {what} contains unwanted {unwanted}")
        return _allow()

    return admit


def _stages(request: JSON, image: str) -> JSON:
    data = request["object"].get("data") or {}
    for before, after in (("mutation-stage-1", "mutation-stage-2"), ("mutation-start", "mutation-stage-1")):
        if data.get(before) == "yes":
            return _patched(_add(f"/data/{after}", "yes"))
    return _allow()


def _crd(request: JSON, image: str) -> JSON:
    if _labels(request["object"]).get(_TEST) == _DISALLOW:
        return _deny(message="the crd contains unwanted label")
    return _allow()


_RULES: dict[str, Callable[[JSON, str], JSON | None]] = {
    "/always-allow-delay-5s": lambda request, image: _allow(),
    "/always-deny": _always_deny,
    "/add-label": _add_label,
    "/pods": _pods,
    "/pods/attach": _attach,
    "/mutating-pods": _mutating_pods,
    "/mutating-pods-sidecar": _sidecar,
    "/configmaps": _guards_data("configmap"),
    "/mutating-configmaps": _stages,
    "/custom-resource": _guards_data("custom resource"),
    "/mutating-custom-resource": _stages,
    "/crd": _crd,
}


def answer(sys: Sys, request: Request, sidecar: str) -> Reply:
    """The reply to a request."""
    path = request.path.partition("?")[0]
    if path == "/readyz":
        return Reply(200, "ok")
    rule = _RULES.get(path)
    if rule is None:
        return Reply(404, "404 page not found\n")
    try:
        review = json.loads(request.body.encode("latin-1"))
        asked = review["request"]
        said = rule(asked, sidecar)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        say(sys, [klog(sys, f"main.go:120] Request could not be decoded: {type(error).__name__}")])
        return Reply(400, f"Request could not be decoded: {type(error).__name__}\n")
    if said is None:
        return Reply(200, "", after=NEVER)
    told = {
        "kind": "AdmissionReview",
        "apiVersion": review["apiVersion"],
        "response": {"uid": asked["uid"], **said},
    }
    late = 5 * SECOND if path == "/always-allow-delay-5s" else 0
    return Reply(200, json.dumps(told), {"Content-Type": "application/json"}, late)
