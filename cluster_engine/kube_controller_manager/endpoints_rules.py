"""Which addresses a Service has: Pods to endpoints, ports, slices of at most a hundred.

Pure functions. Models k8s.io/endpointslice (reconciler, utils) and pkg/controller/endpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON, owner_reference
from cluster_engine.client_go import Change
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.component_helpers.pod_phase import is_finished

from .pods import is_pod_ready

MAX_PER_SLICE = 100
MAX_PER_ENDPOINTS = 1000
ENDPOINTS_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SERVICE_NAME = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
ZONE = "topology.kubernetes.io/zone"
_TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
CONTROLLER = "endpointslice-controller.k8s.io"

PortKey = tuple[tuple[tuple[str, object], ...], ...]


class Plan(NamedTuple):
    """What to write: new slices, changed ones, ones to delete."""

    create: list[JSON]
    update: list[JSON]
    delete: list[JSON]


def is_headless(service: JSON) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def belongs(pod: JSON, include_terminating: bool) -> bool:
    """Whether the Pod is an endpoint at all: it has an address and has not ended."""
    if is_finished(pod) or not (pod.get("status") or {}).get("podIP"):
        return False
    return include_terminating or not pod["metadata"].get("deletionTimestamp")


def pod_changed(change: Change) -> bool:
    """Whether an update of a Pod can change a Service's endpoints (podEndpointsChanged)."""
    if change.deletion or change.labels:
        return True
    if not change.status:
        return False
    old, new = change.old, change.new
    if (old.get("status") or {}).get("podIP") != (new.get("status") or {}).get("podIP"):
        return True
    return change.readiness and (
        is_finished(old) != is_finished(new) or is_pod_ready(old) != is_pod_ready(new)
    )


def _containers(spec: JSON) -> Iterable[JSON]:
    yield from spec.get("containers") or ()
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            yield container


def target_port(pod: JSON, port: JSON) -> int | None:
    """The number behind a Service port in this Pod; None when it names a port that the Pod has not."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target or int(port["port"])
    for container in _containers(pod["spec"]):
        for exposed in container.get("ports") or ():
            if (exposed.get("name"), exposed.get("protocol", "TCP")) == (target, port.get("protocol", "TCP")):
                number: int = exposed["containerPort"]
                return number
    return None


def slice_ports(service: JSON, pod: JSON) -> list[JSON]:
    """The ports as the Pod serves them, in an EndpointSlice's form."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = target_port(pod, port)
        if number is None:
            continue
        entry = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
        if port.get("appProtocol"):
            entry["appProtocol"] = port["appProtocol"]
        found.append(entry)
    return found


def _reference(pod: JSON) -> JSON:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def endpoint(service: JSON, pod: JSON, node: JSON | None) -> JSON:
    """The Pod as an entry of an EndpointSlice."""
    serving = is_pod_ready(pod)
    terminating = bool(pod["metadata"].get("deletionTimestamp"))
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    found: JSON = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
    }
    hostname = _hostname(service, pod)
    if hostname:
        found["hostname"] = hostname
    if pod["spec"].get("nodeName"):
        found["nodeName"] = pod["spec"]["nodeName"]
    found["targetRef"] = _reference(pod)
    zone = (node["metadata"].get("labels") or {}).get(ZONE) if node is not None else None
    if zone:
        found["zone"] = zone
    hints = _hints(service, found) if ready else None
    if hints:
        found["hints"] = hints
    return found


def _hints(service: JSON, entry: JSON) -> JSON:
    """For whom an endpoint is meant, as ``trafficDistribution`` wants it (endpointslice/trafficdist)."""
    wanted = service["spec"].get("trafficDistribution")
    annotations = service["metadata"].get("annotations") or {}
    if not wanted or annotations.get(_TOPOLOGY_MODE) in ("Auto", "auto"):
        return {}
    hints = {"forZones": [{"name": entry["zone"]}]} if "zone" in entry else {}
    if wanted == "PreferSameNode" and "nodeName" in entry:
        hints["forNodes"] = [{"name": entry["nodeName"]}]
    return hints


def _hostname(service: JSON, pod: JSON) -> str:
    spec = pod["spec"]
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        name: str = spec["hostname"]
        return name
    return ""


def trigger_time(service: JSON, pods: Iterable[JSON]) -> str:
    """When the last change happened that the endpoints show."""
    times = [service["metadata"]["creationTimestamp"]]
    for pod in pods:
        condition = condition_of(pod, "Ready")
        if condition is not None and condition.get("lastTransitionTime"):
            times.append(condition["lastTransitionTime"])
    latest: str = max(times)
    return latest


def slice_labels(service: JSON) -> dict[str, str]:
    labels = dict(service["metadata"].get("labels") or {})
    if is_headless(service):
        labels[HEADLESS] = ""
    return {**labels, MANAGED_BY: CONTROLLER, SERVICE_NAME: service["metadata"]["name"]}


def plan_slices(
    service: JSON,
    pods: Sequence[JSON],
    node_of: Callable[[str], JSON | None],
    existing: Sequence[JSON],
) -> Plan:
    """How the slices must change so that they hold exactly these Pods, with as few writes as may be."""
    by_ports: dict[PortKey, tuple[list[JSON], list[JSON]]] = {}
    for pod in pods:
        if not belongs(pod, include_terminating=True):
            continue
        ports = slice_ports(service, pod)
        group = by_ports.setdefault(_port_key(ports), (ports, []))
        group[1].append(endpoint(service, pod, node_of(pod["spec"].get("nodeName", ""))))
    labels = slice_labels(service)
    trigger = trigger_time(service, pods)
    plan = Plan([], [], [])
    placed: dict[PortKey, list[JSON]] = {}
    for current in existing:
        key = _port_key(current.get("ports") or ())
        if key in by_ports and current["addressType"] == "IPv4":
            placed.setdefault(key, []).append(current)
        else:
            plan.delete.append(current)
    for key, (ports, endpoints) in by_ports.items():
        _fill(plan, service, labels, trigger, ports, endpoints, placed.get(key, []))
    if not by_ports:
        _keep_placeholder(plan, service, labels, trigger, existing)
    return plan


def _port_key(ports: Iterable[JSON]) -> PortKey:
    return tuple(sorted(tuple(sorted(port.items())) for port in ports))


def _fill(
    plan: Plan,
    service: JSON,
    labels: JSON,
    trigger: str,
    ports: list[JSON],
    wanted: Sequence[JSON],
    slices: Sequence[JSON],
) -> None:
    """Keeps endpoints where they are, fills the gaps, then opens new slices."""
    left = {entry["targetRef"]["uid"]: entry for entry in wanted}
    contents: list[list[JSON]] = []
    for current in slices:
        kept = []
        for entry in current.get("endpoints") or ():
            fresh = left.pop((entry.get("targetRef") or {}).get("uid", ""), None)
            if fresh is not None:
                kept.append(fresh)
        contents.append(kept)
    rest = list(left.values())
    # A slice that changes anyway takes new endpoints first; then the fullest that has room.
    order = sorted(
        range(len(slices)),
        key=lambda i: (contents[i] == list(slices[i].get("endpoints") or ()), -len(contents[i])),
    )
    for index in order:
        room = MAX_PER_SLICE - len(contents[index])
        if room > 0 and rest:
            contents[index] += rest[:room]
            rest = rest[room:]
    for current, entries in zip(slices, contents, strict=True):
        if not entries:
            plan.delete.append(current)
        elif entries != current.get("endpoints") or labels != current["metadata"].get("labels"):
            meta = {**current["metadata"], "labels": labels}
            meta["annotations"] = {**(meta.get("annotations") or {}), TRIGGER_TIME: trigger}
            plan.update.append({**current, "metadata": meta, "endpoints": entries})
    for start in range(0, len(rest), MAX_PER_SLICE):
        plan.create.append(_slice(service, labels, trigger, ports, rest[start : start + MAX_PER_SLICE]))


def _keep_placeholder(
    plan: Plan, service: JSON, labels: JSON, trigger: str, existing: Sequence[JSON]
) -> None:
    """A Service without endpoints keeps one empty slice."""
    if not existing:
        plan.create.append(_slice(service, labels, trigger, None, None))
        return
    kept = existing[0]
    plan.delete.remove(kept)
    if kept.get("endpoints") or kept.get("ports") or kept["metadata"].get("labels") != labels:
        plan.update.append(
            {**kept, "metadata": {**kept["metadata"], "labels": labels}, "endpoints": None, "ports": None}
        )


def _slice(
    service: JSON, labels: JSON, trigger: str, ports: list[JSON] | None, endpoints: list[JSON] | None
) -> JSON:
    meta = service["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": meta["name"] + "-",
            "namespace": meta["namespace"],
            "labels": labels,
            "annotations": {TRIGGER_TIME: trigger},
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": ports,
    }


# ---- core/v1 Endpoints -----------------------------------------------------------------------------------


def subsets(service: JSON, pods: Iterable[JSON]) -> list[JSON]:
    """The subsets of core/v1 Endpoints: Pods with the same ports together, ready and not ready apart."""
    groups: dict[PortKey, JSON] = {}
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    count = 0
    for pod in sorted(pods, key=lambda pod: _ip_order((pod.get("status") or {}).get("podIP", ""))):
        if not belongs(pod, include_terminating=publish) or count >= MAX_PER_ENDPOINTS:
            continue
        count += 1
        address: JSON = {"ip": pod["status"]["podIP"]}
        hostname = _hostname(service, pod)
        if hostname:
            address["hostname"] = hostname
        if pod["spec"].get("nodeName"):
            address["nodeName"] = pod["spec"]["nodeName"]
        address["targetRef"] = _reference(pod)
        ports = [_unnamed(port) for port in slice_ports(service, pod)]
        group = groups.setdefault(_port_key(ports), {"ports": ports, "ready": [], "not_ready": []})
        group["ready" if publish or is_pod_ready(pod) else "not_ready"].append(address)
    return [_subset(group) for _, group in sorted(groups.items(), key=lambda item: repr(item[0]))]


def _unnamed(port: Mapping[str, object]) -> JSON:
    return {name: value for name, value in port.items() if name != "name" or value}


def _subset(group: JSON) -> JSON:
    found = {}
    if group["ready"]:
        found["addresses"] = group["ready"]
    if group["not_ready"]:
        found["notReadyAddresses"] = group["not_ready"]
    if group["ports"]:
        found["ports"] = group["ports"]
    return found


def _ip_order(ip: str) -> tuple[int, ...]:
    parts = ip.split(".")
    return tuple(int(part) for part in parts) if len(parts) == 4 and all(map(str.isdecimal, parts)) else ()
