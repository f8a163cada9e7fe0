"""The events that tell of one request (audit.k8s.io/v1, Event), as JSON data.

Models k8s.io/apiserver/pkg/audit/request.go and context.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.sim import rfc3339_micro

from ..bodies import patch_document
from ..negotiation import decode_body
from ..requests import RequestInfo
from ..trail import Record
from ..types import Request, Response
from .policy import Told

AGENT_KEPT = 1_024
"""Characters of a user agent."""
OUTSIDE = "172.18.0.1"
"""The address of clients outside of the cluster: the machine beside its nodes."""
_CUT = "...TRUNCATED"
_STATUS = ("status", "message", "reason", "details")


def events(
    told: Told, request: Request, info: RequestInfo, record: Record, reply: Response | None
) -> Iterator[JSON]:
    """What is told of an answered request, stage by stage. Without a reply a stream was opened."""
    event = _received(told, request, info, record)
    at = rfc3339_micro(record.at)
    times = {"requestReceivedTimestamp": at, "stageTimestamp": at}
    if "RequestReceived" not in told.omitted:
        yield {**event, "stage": "RequestReceived", **times}
    stage = "ResponseStarted" if reply is None else "ResponseComplete"
    if stage in told.omitted:
        return
    sent = _sent(request) if info.is_resource and record.decision == "allow" else None
    answer = _data(reply.body) if reply is not None and info.is_resource else None
    event["stage"] = stage
    if info.is_resource:
        event["objectRef"] = _about(info, sent if request.method in ("POST", "PUT") else {})
    event["responseStatus"] = {"metadata": {}, **_status(answer), "code": record.code}
    if told.tells("Request") and sent is not None:
        event["requestObject"] = _shown(told, sent)
    if told.tells("RequestResponse") and answer is not None:
        event["responseObject"] = _shown(told, answer)
    event |= times
    if record.decision:
        event["annotations"] = {
            "authorization.k8s.io/decision": record.decision,
            "authorization.k8s.io/reason": record.reason,
            **record.annotations,
        }
    yield event


def _received(told: Told, request: Request, info: RequestInfo, record: Record) -> JSON:
    assert request.user is not None
    query = f"?{urlencode(request.query)}" if request.query else ""
    agent = request.headers.get("user-agent", "")
    who = request.impersonator or request.user
    event: JSON = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": told.level,
        "auditID": record.id,
        "stage": "",
        "requestURI": request.path + query,
        "verb": info.verb,
        "user": who.as_dict(),
    }
    if who is not request.user:
        event["impersonatedUser"] = request.user.as_dict()
    if not request.inside:
        event["sourceIPs"] = [OUTSIDE]
    if agent:
        event["userAgent"] = agent if len(agent) <= AGENT_KEPT else agent[:AGENT_KEPT] + _CUT
    if info.is_resource:
        event["objectRef"] = _about(info, {})
    return event


def _about(info: RequestInfo, sent: Any) -> JSON:
    """The object that is meant; an object that was sent says of it what the path does not."""
    meta = sent.get("metadata") if isinstance(sent, dict) else None
    known = meta if isinstance(meta, dict) else {}
    about = {
        "resource": info.resource,
        "namespace": info.namespace or known.get("namespace"),
        "name": info.name or known.get("name"),
        "uid": known.get("uid"),
        "apiGroup": info.group,
        "apiVersion": info.version,
        "resourceVersion": known.get("resourceVersion"),
        "subresource": info.subresource,
    }
    return {name: value for name, value in about.items() if value and isinstance(value, str)}


def _sent(request: Request) -> Any:
    """What the request brought: an object, a patch, options; None when it cannot be read."""
    if not request.body:
        return None
    try:
        if request.method == "PATCH":
            return patch_document(request)[1]
        return decode_body(request, "")[0]
    except ApiError:
        return None


def _data(body: bytes) -> Any:
    """What was answered; None when it is no JSON (a log, say)."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _status(answer: Any) -> JSON:
    """What a Status says; of any other answer its code is told alone."""
    if not isinstance(answer, dict) or answer.get("kind") != "Status":
        return {}
    return {name: answer[name] for name in _STATUS if answer.get(name)}


def _shown(told: Told, data: Any) -> Any:
    """An object, or the items of a list, without their managed fields where the policy omits them."""
    if not told.omits_managed_fields or not isinstance(data, dict):
        return data
    if isinstance(data.get("items"), list):
        data = {**data, "items": [_without_managers(item) for item in data["items"]]}
    return _without_managers(data)


def _without_managers(obj: Any) -> Any:
    meta = obj.get("metadata") if isinstance(obj, dict) else None
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {name: value for name, value in meta.items() if name != "managedFields"}}
