"""What can be done to a cluster by data: on a copy before a check, and in a lab before the learner begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from cluster_engine.apimachinery.errors import ApiError, bad_request
from cluster_engine.cloud_provider import MACHINE_STATES, SERVICES
from cluster_engine.cluster import Cluster
from cluster_engine.component_helpers.shapes import Schema
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kubelet import FAULTS
from labs.kit.checking import JSON, Fail, Reader, missing
from labs.kit.checks.asker import Asker
from labs.kit.checks.kind import KIND_NAME, LABELS, NAME, NAMESPACE, mapping
from labs.kit.words import Text, plain, say

_JSON = {"content-type": "application/json", "accept": "application/json"}
MAX_SECONDS = 3600
"""Virtual seconds of one ``advance``."""


@dataclass(frozen=True)
class Act:
    """One thing that is done."""

    verb: str
    data: Any

    def perform(self, reader: Reader) -> None:
        """Does it. Raises Fail when what it acts on is not there, ApiError when the cluster refuses."""
        _ACTS[self.verb](reader, self.data)

    @property
    def text(self) -> Text:
        """As a command, which is the same in every language."""
        if self.verb == "advance":
            return say("waited", seconds=self.data)
        if self.verb == "exec":
            pod = self.data.get("pod") or f"-l {self.data['labels']}"
            return plain(f"`kubectl exec {pod}{self._where} -- {' '.join(self.data['command'])}`")
        if self.verb == "fault":
            what = " ".join(f"{name}={value}" for name, value in self.data.items() if name != "kind")
            return plain(f"`{self.data['kind']} {what}`")
        if self.verb == "apply":
            return plain(f"`kubectl apply{self._where}` {self.data['kind']}/{self.data['metadata']['name']}")
        target = self.data.get("name") or f"-l {self.data.get('labels', '')}"
        if self.verb == "evict":
            return say("evicted", target=target)
        more = f" --replicas={self.data['to']}" if self.verb == "scale" else ""
        return plain(f"`kubectl {self.verb} {self.data['kind'].lower()} {target}{self._where}{more}`")

    @property
    def _where(self) -> str:
        namespace = self.data.get("metadata", self.data).get("namespace", "default")
        return f" -n {namespace}" if namespace != "default" else ""


def _targets(reader: Reader, data: JSON) -> list[JSON]:
    namespace = data.get("namespace", "default")
    if "name" in data:
        found = reader.get(data["kind"], data["name"], namespace)
        if found is None:
            raise missing(reader.kind(data["kind"]), data["name"], namespace)
        return [found]
    objects = reader.list(data["kind"], namespace, data.get("labels", ""))
    if not objects:
        kind = reader.kind(data["kind"])
        things = say(
            "things",
            ready="",
            kinds=kind.kind,
            where="",
            selector=say("things_selector", selector=data.get("labels", "")),
        )
        look = f"kubectl get {kind.resource} -n {namespace} -l '{data.get('labels', '')}'"
        raise Fail(say("count_at_least", count=1, things=things), say("nothing"), look)
    return objects[: data["first"]] if "first" in data else objects


def _apply(reader: Reader, data: JSON) -> None:
    reader.cluster.apply(data)


def _delete(reader: Reader, data: JSON) -> None:
    for obj in _targets(reader, data):
        meta = obj["metadata"]
        reader.cluster.delete(data["kind"].lower(), meta["name"], meta.get("namespace", "default"))


def _evict(reader: Reader, data: JSON) -> None:
    for pod in _targets(reader, {"kind": "Pod", **data}):
        meta = pod["metadata"]
        about = {"name": meta["name"], "namespace": meta["namespace"]}
        body = orjson.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about})
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/eviction"
        _sent(reader.cluster, Request("POST", path, [], _JSON, body, ADMIN))


def _patch_each(reader: Reader, data: JSON, patch: JSON) -> None:
    for obj in _targets(reader, data):
        _merge(reader.cluster, obj, patch)


def _patch(reader: Reader, data: JSON) -> None:
    _patch_each(reader, data, data["patch"])


def _scale(reader: Reader, data: JSON) -> None:
    _patch_each(reader, data, {"spec": {"replicas": data["to"]}})


def _merge(cluster: Cluster, obj: JSON, patch: JSON) -> None:
    kind, meta = cluster.kind_of(obj["kind"].lower()), obj["metadata"]
    scope = f"/namespaces/{meta['namespace']}" if kind.namespaced else ""
    headers = {**_JSON, "content-type": "application/merge-patch+json"}
    path = f"{kind.path}{scope}/{kind.resource}/{meta['name']}"
    _sent(cluster, Request("PATCH", path, [], headers, orjson.dumps(patch), ADMIN))


def _sent(cluster: Cluster, request: Request) -> None:
    response = cluster.request(request)
    if response.status >= 400:
        raise ApiError(orjson.loads(response.body))


def _advance(reader: Reader, seconds: float) -> None:
    reader.cluster.advance(seconds)


def _fault(reader: Reader, data: JSON) -> None:
    what = {name: value for name, value in data.items() if name != "kind"}
    try:
        reader.cluster.fault(data["kind"], **what)
    except ValueError as error:
        raise bad_request(str(error)) from error


def _exec(reader: Reader, data: JSON) -> None:
    who = Asker(**{name: value for name, value in data.items() if name != "command"})
    who.run(reader.cluster, who.ready(reader), data["command"])


_ACTS: dict[str, Callable[[Reader, Any], None]] = {
    "exec": _exec,
    "apply": _apply,
    "delete": _delete,
    "evict": _evict,
    "scale": _scale,
    "patch": _patch,
    "advance": _advance,
    "fault": _fault,
}


def of(data: list[JSON]) -> tuple[Act, ...]:
    """From a list of data of the shape SCHEMA. Raises ValueError for a manifest that is no JSON."""
    acts = tuple(Act(*next(iter(item.items()))) for item in data)
    for act in acts:
        try:
            orjson.dumps(act.data)  # a date in YAML, say, is none
        except TypeError as error:
            raise ValueError(f"data that is JSON, found {error}") from error
    return acts


_TARGET: JSON = {"kind": KIND_NAME, "name": NAME, "labels": LABELS, "namespace": NAMESPACE}
_FIRST: JSON = {"type": "integer", "minimum": 1, "description": "how many of those that are picked"}

SCHEMA: Schema = {
    **mapping(
        (),
        apply={
            "type": "object",
            "required": ["apiVersion", "kind", "metadata"],
            "description": "a manifest",
        },
        delete=mapping(("kind",), **_TARGET, first=_FIRST),
        evict={
            **mapping((), name=NAME, labels=LABELS, namespace=NAMESPACE, first=_FIRST),
            "description": "Pods are evicted, if their budgets allow it",
        },
        scale=mapping(("kind", "name", "to"), **_TARGET, to={"type": "integer", "minimum": 0}),
        patch=mapping(("kind", "patch"), **_TARGET, first=_FIRST, patch={"type": "object"}),
        exec={
            **mapping(
                ("command",),
                pod=NAME,
                labels=LABELS,
                namespace=NAMESPACE,
                container=NAME,
                command={"type": "array", "items": {"type": "string"}, "minItems": 1},
            ),
            "oneOf": [{"required": ["pod"]}, {"required": ["labels"]}],
        },
        fault={
            **mapping(
                ("kind",),
                kind={"enum": list(FAULTS)},
                node=NAME,
                up={"type": "boolean", "description": "of node/power"},
                grace={"type": "integer", "description": "of node/shutdown: shutdownGracePeriod"},
                critical={
                    "type": "integer",
                    "description": "of node/shutdown: shutdownGracePeriodCriticalPods",
                },
                running={"type": "boolean", "description": "of node/kubelet"},
                cut={"type": "boolean", "description": "of node/partition"},
                what={"enum": ["disk", "memory"], "description": "of node/fill"},
                percent={"type": "integer", "description": "of node/fill: taken by something that is no Pod"},
                milliseconds={"type": "integer", "description": "of node/slow: to and from any other node"},
                millis={
                    "type": "integer",
                    "description": "of container/throttle: thousandths of a processor",
                },
                namespace=NAMESPACE,
                pod=NAME,
                container=NAME,
                host={"type": "string", "description": "of registry/fail: docker.io"},
                failing={"type": "boolean", "description": "of registry/fail"},
                component={"type": "string", "description": "of component/stop: kube-scheduler"},
                stopped={
                    "type": "boolean",
                    "description": "of component/stop; with several control planes also node",
                },
                state={"enum": list(MACHINE_STATES), "description": "of cloud/machine"},
                size={"type": "integer", "description": "of cloud/group: nodes that are no control plane"},
                service={"enum": list(SERVICES), "description": "of cloud/api"},
                error={"type": "string", "description": "of cloud/api: what it answers; empty: it is well"},
                slow={"type": "integer", "description": "of cloud/api: seconds"},
                loadbalancers={"type": "integer", "description": "of cloud/quota"},
            ),
            "description": "something fails, or works again",
        },
        advance={
            "type": "number",
            "minimum": 0,
            "maximum": MAX_SECONDS,
            "description": "virtual seconds",
        },
    ),
    "minProperties": 1,
    "maxProperties": 1,
}
