"""The words that the tables of scenarios are written in: what is done to a cluster, and what is then expected of it.

A scenario is (upstream's rule, steps). Each step is a function of the cluster; after each that does something the
cluster settles. Steps that expect raise AssertionError.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import Request, UserInfo

JSON = dict[str, Any]
Step = Callable[[Cluster], None]
Scenario = tuple[str, list[Step]]
"""(the upstream file or function, the steps)."""

ADMIN = UserInfo("kubernetes-admin", groups=("system:masters", "system:authenticated"))
PAUSE, BUSYBOX, WEB = "registry.k8s.io/pause:3.10", "busybox:1.36", "nginx:1.27"
HOST, ZONE = "kubernetes.io/hostname", "zone"


def send(
    cluster: Cluster, method: str, path: str, body: Any = None, kind: str = "application/json"
) -> tuple[int, Any]:
    """A request of an administrator; (status, body)."""
    data = orjson.dumps(body) if body is not None else b""
    response = cluster.request(Request(method, path, [], {"content-type": kind}, data, ADMIN))
    return response.status, orjson.loads(response.body)


def path_of(cluster: Cluster, resource: str, name: str, namespace: str = "default", more: str = "") -> str:
    kind = cluster.kind_of(resource)
    scope = f"/namespaces/{namespace}" if kind.namespaced else ""
    return f"{kind.path}{scope}/{kind.resource}/{name}{more}"


# ---- objects ---------------------------------------------------------------------------------------------


def box(command: str = "sleep 1d", name: str = "c", image: str = BUSYBOX, **more: Any) -> JSON:
    """A container that runs a line of shell; an image's own program without one."""
    argv = {"command": ["sh", "-c", command]} if command else {}
    return {"name": name, "image": image, **argv, **more}


def still(name: str = "c", **more: Any) -> JSON:
    """A container that does nothing."""
    return {"name": name, "image": PAUSE, **more}


def asks(cpu: str = "", memory: str = "", **more: str) -> JSON:
    """A container with requests."""
    requests = {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}
    return still(resources={"requests": {**requests, **more}})


def a_pod(
    name: str = "p", *containers: JSON, labels: JSON | None = None, namespace: str = "default", **spec: Any
) -> JSON:
    meta: JSON = {"name": name, "namespace": namespace, **({"labels": labels} if labels else {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": list(containers) or [still()], "terminationGracePeriodSeconds": 1, **spec},
    }


def template(*containers: JSON, labels: JSON | None = None, **spec: Any) -> JSON:
    inner = {"containers": list(containers) or [still()], "terminationGracePeriodSeconds": 1, **spec}
    return {"metadata": {"labels": labels or {"app": "web"}}, "spec": inner}


def workload(
    kind: str, name: str = "web", pods: JSON | None = None, group: str = "apps/v1", **spec: Any
) -> JSON:
    made = pods or template()
    selector = {} if kind in ("Job", "CronJob") else {"selector": {"matchLabels": {"app": "web"}}}
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**selector, "template": made, **spec},
    }


# ---- doing -----------------------------------------------------------------------------------------------


def put(*objects: JSON) -> Step:
    """Applies them, one after the other."""

    def step(cluster: Cluster) -> None:
        for obj in objects:
            cluster.apply(obj)
        cluster.settle()

    return step


def begin(*objects: JSON) -> Step:
    """Applies them; what comes of it is still to come."""

    def step(cluster: Cluster) -> None:
        for obj in objects:
            cluster.apply(obj)

    return step


def pod(name: str = "p", *containers: JSON, **more: Any) -> Step:
    return put(a_pod(name, *containers, **more))


def pods(count: int, prefix: str, *containers: JSON, **more: Any) -> Step:
    """So many Pods, ``prefix-0`` …, one after the other."""

    def step(cluster: Cluster) -> None:
        for number in range(count):
            cluster.apply(a_pod(f"{prefix}-{number}", *containers, **more))
            cluster.settle()

    return step


def after(seconds: float) -> Step:
    def step(cluster: Cluster) -> None:
        cluster.advance(seconds)

    return step


def patch(
    resource: str, name: str, change: JSON, namespace: str = "default", more: str = "", status: int = 200
) -> Step:
    """A merge patch, which is to be answered so."""

    def step(cluster: Cluster) -> None:
        path = path_of(cluster, resource, name, namespace, more)
        code, body = send(cluster, "PATCH", path, change, "application/merge-patch+json")
        assert code == status, body
        cluster.settle()

    return step


def label(*nodes: str, **labels: str | None) -> Step:
    def step(cluster: Cluster) -> None:
        for name in nodes:
            patch("nodes", name, {"metadata": {"labels": labels}})(cluster)

    return step


def zones(*names: str) -> Step:
    """The zone of each node, in order; "" for none."""

    def step(cluster: Cluster) -> None:
        for number, name in enumerate(names, 1):
            if name:
                label(f"worker-{number}", zone=name)(cluster)

    return step


def taint(node: str, key: str = "k", effect: str = "NoSchedule", value: str = "v") -> Step:
    def step(cluster: Cluster) -> None:
        found = cluster.get("nodes", node)
        assert found is not None
        taints = [*(found["spec"].get("taints") or ()), {"key": key, "value": value, "effect": effect}]
        patch("nodes", node, {"spec": {"taints": taints}})(cluster)

    return step


def taints(*nodes: str, **more: str) -> Step:
    def step(cluster: Cluster) -> None:
        for node in nodes:
            taint(node, **more)(cluster)

    return step


def untaint(node: str) -> Step:
    return patch("nodes", node, {"spec": {"taints": None}})


def cordon(*nodes: str, on: bool = True) -> Step:
    def step(cluster: Cluster) -> None:
        for node in nodes:
            patch("nodes", node, {"spec": {"unschedulable": on or None}})(cluster)

    return step


def delete(
    resource: str, name: str, namespace: str = "default", grace: int | None = None, settle: bool = True
) -> Step:
    def step(cluster: Cluster) -> None:
        body: JSON = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        code, answer = send(cluster, "DELETE", path_of(cluster, resource, name, namespace), body)
        assert code == 200, answer
        if settle:
            cluster.settle()

    return step


def evict(name: str, status: int = 201, message: str = "", settle: bool = True) -> Step:
    """An Eviction, which is to be answered so."""

    def step(cluster: Cluster) -> None:
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": "default"},
        }
        code, answer = send(cluster, "POST", path_of(cluster, "pods", name, more="/eviction"), body)
        assert code == status, answer
        if message:
            assert message in orjson.dumps(answer).decode(), answer
        if settle:
            cluster.settle()

    return step


def fault(kind: str, **what: Any) -> Step:
    def step(cluster: Cluster) -> None:
        cluster.fault(kind, **what)

    return step


def run(name: str, command: str) -> Step:
    """Runs a line of shell in a Pod."""

    def step(cluster: Cluster) -> None:
        cluster.execute(name, ["sh", "-c", command])
        cluster.settle()

    return step


def refuse(obj: JSON, message: str, status: int = 422) -> Step:
    """The object is not taken, for that reason."""

    def step(cluster: Cluster) -> None:
        kind = cluster.kind_of(obj["kind"].lower())
        path = path_of(cluster, kind.group_resource, "").rstrip("/")
        code, answer = send(cluster, "POST", path, obj)
        assert (code, message in answer.get("message", "")) == (status, True), answer

    return step


def each(name: str, resource: str, selector: str, step_of: Callable[[str], Step]) -> Step:
    """A step for every object of a label."""
    key, _, value = selector.partition("=")

    def step(cluster: Cluster) -> None:
        found = [
            o
            for o in cluster.list(resource, "default")
            if (o["metadata"].get("labels") or {}).get(key) == value
        ]
        assert found, name
        for obj in found:
            step_of(obj["metadata"]["name"])(cluster)

    return step


# ---- expecting -------------------------------------------------------------------------------------------


def _get(cluster: Cluster, resource: str, name: str, namespace: str = "default") -> JSON:
    found = cluster.get(resource, name, namespace)
    assert found is not None, f"no {resource} {name}"
    return found


def at(obj: Any, path: str) -> Any:
    """What lies there, by a path like ``status.containerStatuses.0.ready``; None: nothing."""
    for part in path.split("."):
        if obj is None:
            return None
        if isinstance(obj, list):
            obj = obj[int(part)] if int(part) < len(obj) else None
        else:
            obj = obj.get(part)
    return obj


def on(**places: str | None) -> Step:
    """Pod (``_`` for ``-``) -> its node; None: it waits."""

    def step(cluster: Cluster) -> None:
        found = {
            name: _get(cluster, "pods", name.replace("_", "-"))["spec"].get("nodeName") for name in places
        }
        assert found == places

    return step


def among(name: str, *nodes: str) -> Step:
    """The Pod is on one of these nodes."""

    def step(cluster: Cluster) -> None:
        assert _get(cluster, "pods", name)["spec"].get("nodeName") in nodes

    return step


def apart(first: str, second: str, key: str = HOST, same: bool = False) -> Step:
    """Two Pods are in different domains, or in the same."""

    def step(cluster: Cluster) -> None:
        where = [_get(cluster, "pods", name)["spec"].get("nodeName") for name in (first, second)]
        assert all(where), where
        domains = [_get(cluster, "nodes", node)["metadata"]["labels"].get(key) for node in where]
        assert (domains[0] == domains[1]) == same, domains

    return step


def spread(*counts: int, key: str = HOST, app: str = "web") -> Step:
    """How many Pods of the app the domains have, the fullest first; those with none are left out."""

    def step(cluster: Cluster) -> None:
        domains: Counter[str] = Counter()
        for found in cluster.list("pods", "default"):
            node = found["spec"].get("nodeName")
            if node and (found["metadata"].get("labels") or {}).get("app") == app:
                domains[_get(cluster, "nodes", node)["metadata"]["labels"].get(key, "")] += 1
        assert tuple(sorted(domains.values(), reverse=True)) == counts, domains

    return step


def because(name: str, text: str) -> Step:
    """The Pod waits, and its condition says so."""

    def step(cluster: Cluster) -> None:
        found = _get(cluster, "pods", name)
        assert "nodeName" not in found["spec"], found["spec"]["nodeName"]
        told = [c["message"] for c in found["status"]["conditions"] if c["type"] == "PodScheduled"]
        assert any(text in message for message in told), told

    return step


def phase(**phases: str) -> Step:
    def step(cluster: Cluster) -> None:
        found = {name: _get(cluster, "pods", name.replace("_", "-"))["status"]["phase"] for name in phases}
        assert found == phases

    return step


def field(resource: str, name: str, path: str, expected: Any, namespace: str = "default") -> Step:
    def step(cluster: Cluster) -> None:
        assert at(_get(cluster, resource, name, namespace), path) == expected

    return step


def status(name: str = "p", container: str = "c", **fields: Any) -> Step:
    """Of a container's status: ready, started, restarts, state (its key), reason, code, last (a reason), last_code."""

    def step(cluster: Cluster) -> None:
        found = _get(cluster, "pods", name)["status"]
        lists = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        (one,) = [each for kind in lists for each in found.get(kind) or () if each["name"] == container]
        ((key, state),) = one["state"].items()
        told = {
            "ready": one["ready"],
            "started": one.get("started"),
            "restarts": one["restartCount"],
            "state": key,
            "reason": state.get("reason"),
            "code": state.get("exitCode"),
            "last": at(one, "lastState.terminated.reason"),
            "last_code": at(one, "lastState.terminated.exitCode"),
        }
        assert {each: told[each] for each in fields} == fields, one

    return step


def condition(resource: str, name: str, kind: str, value: str | None, reason: str | None = None) -> Step:
    """A condition's status (None: there is none) and reason."""

    def step(cluster: Cluster) -> None:
        conditions = _get(cluster, resource, name)["status"].get("conditions") or []
        found = next((c for c in conditions if c["type"] == kind), {})
        assert found.get("status") == value, conditions
        if reason is not None:
            assert found.get("reason") == reason, conditions

    return step


def gone(resource: str, *names: str) -> Step:
    def step(cluster: Cluster) -> None:
        assert [name for name in names if cluster.get(resource, name, "default") is not None] == []

    return step


def there(resource: str, *names: str) -> Step:
    def step(cluster: Cluster) -> None:
        assert [name for name in names if cluster.get(resource, name, "default") is None] == []

    return step


def count(resource: str, expected: int, **labels: str) -> Step:
    """How many there are that are not being deleted."""

    def step(cluster: Cluster) -> None:
        found = [
            o["metadata"]["name"]
            for o in cluster.list(resource, "default")
            if labels.items() <= (o["metadata"].get("labels") or {}).items()
            and "deletionTimestamp" not in o["metadata"]
        ]
        assert len(found) == expected, found

    return step


def said(name: str, text: str, times: int | None = None) -> Step:
    """An event about the object: ``Reason: message`` contains the text."""

    def step(cluster: Cluster) -> None:
        told = [
            (f"{e['reason']}: {e['message']}", e.get("count") or 1)
            for e in cluster.list("events", "default")
            if e["involvedObject"]["name"] == name
        ]
        found = [number for line, number in told if text in line]
        assert found, told
        if times is not None:
            assert sum(found) == times, told

    return step


def unsaid(name: str, text: str) -> Step:
    def step(cluster: Cluster) -> None:
        told = [
            f"{e['reason']}: {e['message']}"
            for e in cluster.list("events", "default")
            if e["involvedObject"]["name"] == name
        ]
        assert not any(text in line for line in told), told

    return step


def logged(name: str, expected: list[str], container: str = "c", previous: bool = False) -> Step:
    """The lines of a container's log."""

    def step(cluster: Cluster) -> None:
        node = _get(cluster, "pods", name)["spec"]["nodeName"]
        found = cluster.server.node_proxy.find(node).logs("default", name, container, previous)
        assert [line.removesuffix("\n") for _at, _stream, line in found] == expected

    return step


def serves(service: str, *names: str) -> Step:
    """The Pods that are ready endpoints of a Service."""

    def step(cluster: Cluster) -> None:
        found = [
            endpoint["targetRef"]["name"]
            for piece in cluster.list("endpointslices.discovery.k8s.io", "default")
            if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == service
            for endpoint in piece.get("endpoints") or ()
            if endpoint["conditions"].get("ready")
        ]
        assert sorted(found) == sorted(names)

    return step
