"""Why a Pod is not Ready: what its conditions, containers, probes, hooks, pulls and volumes say, as data.

`runs.readiness` makes sentences of it. What is told is what the Pod's status and its Events hold; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypedDict

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cluster import Cluster

FINDINGS_TOLD = 12
"""Findings of one Pod, the first."""
MESSAGE_LIMIT = 300
"""Characters of a message that are told."""
PULLS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
BEGINS = frozenset({"ContainerCreating", "PodInitializing"})


class Finding(TypedDict):
    """One thing that stands in the way."""

    why: str
    """A key of `runs.readiness.FINDINGS`."""
    values: dict[str, str]
    """What its sentence names."""


def unready(cluster: Cluster, pod: JSON) -> list[Finding]:
    """What stands between the Pod and being Ready, the nearest first; nothing: it is Ready."""
    conditions = _conditions(pod)
    if conditions.get("Ready", {}).get("status") == "True":
        return []
    events = _Events(cluster, pod)
    found = [*_of_node(cluster, pod), *_of_pod(pod, conditions, events)]
    return [_finding(why, **values) for why, values in found[:FINDINGS_TOLD]]


Told = tuple[str, dict[str, Any]]


class _Events:
    """The last message of a Pod's Events by reason and container; "": there is none."""

    def __init__(self, cluster: Cluster, pod: JSON) -> None:
        uid = pod["metadata"]["uid"]
        found = [
            event
            for event in cluster.list("events", pod["metadata"]["namespace"])
            if (event.get("involvedObject") or {}).get("uid") == uid
        ]
        found.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
        self._last = {(str(event.get("reason")), self._path(event)): event for event in found}

    @staticmethod
    def _path(event: JSON) -> str:
        return str((event.get("involvedObject") or {}).get("fieldPath") or "")

    def last(self, reason: str, container: str = "", beginning: str = "") -> str:
        """Of the container of that name, or of the whole Pod; a message that begins so."""
        path = f"{{{container}}}" if container else ""
        for (why, where), event in reversed(self._last.items()):
            message = str(event.get("message") or "")
            if why == reason and where.endswith(path) and message.startswith(beginning):
                return message
        return ""


def _of_node(cluster: Cluster, pod: JSON) -> Iterator[Told]:
    name = pod["spec"].get("nodeName")
    node = cluster.get("nodes", name) if name else None
    if node is not None and _conditions(node).get("Ready", {}).get("status") != "True":
        yield "node", {"node": name}


def _of_pod(pod: JSON, conditions: dict[str, JSON], events: _Events) -> Iterator[Told]:
    spec, status = pod["spec"], pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        yield "leaving", {"seconds": pod["metadata"].get("deletionGracePeriodSeconds", 0)}
    if status.get("phase") in ("Succeeded", "Failed"):
        yield "ended", {"phase": status["phase"], "message": _said(status)}
        return
    if not spec.get("nodeName"):
        # What the scheduler found is told beside it (`host/why.py`).
        yield "gated" if spec.get("schedulingGates") else "no_node", {}
        return
    for reason in ("FailedMount", "FailedCreatePodSandBox", "FailedAttachVolume"):
        if "podIP" not in status and (message := events.last(reason)):
            yield reason, {"message": message}
    inits = {each["name"]: each for each in status.get("initContainerStatuses") or ()}
    for number, init in enumerate(spec.get("initContainers") or (), start=1):
        state = inits.get(init["name"], {})
        if _is_over(init, state):
            continue
        place = f"{number}/{len(spec['initContainers'])}"
        yield from _of_init(init, state, place, spec.get("restartPolicy", "Always"), events)
        return
    states = {each["name"]: each for each in status.get("containerStatuses") or ()}
    for container in spec["containers"]:
        if not states.get(container["name"], {}).get("ready"):
            known = states.get(container["name"], {})
            yield from _of_container(container, known, spec.get("restartPolicy", "Always"), events)
    for gate in spec.get("readinessGates") or ():
        kind = gate["conditionType"]
        if conditions.get(kind, {}).get("status") != "True":
            yield "gate", {"condition": kind, "message": _said(conditions.get(kind, {}))}


def _is_over(init: JSON, status: JSON) -> bool:
    """Whether those after it may start: it has ended well, or it is a sidecar that has started."""
    if init.get("restartPolicy") == "Always":
        return bool(status.get("started"))
    return bool((status.get("state") or {}).get("terminated", {}).get("exitCode") == 0)


def _of_init(init: JSON, status: JSON, place: str, policy: str, events: _Events) -> Iterator[Told]:
    about = {"container": init["name"], "place": place}
    state = status.get("state") or {}
    if "running" in state and init.get("restartPolicy") != "Always":
        yield "init_runs", about
    else:
        yield "init", about
        yield from _of_container(init, status, policy, events)


def _of_container(spec: JSON, status: JSON, policy: str, events: _Events) -> Iterator[Told]:
    about = {"container": spec["name"], "image": spec["image"]}
    state = status.get("state") or {}
    if "terminated" in state:
        again = policy == "Always" or (policy == "OnFailure" and state["terminated"].get("exitCode"))
        yield "crash" if again else "exited", {**about, **_exit(status, state["terminated"])}
    elif "running" in state:
        yield from _of_running(spec, status, about, events)
    else:
        yield from _of_waiting(spec, status, about, events)


def _of_waiting(spec: JSON, status: JSON, about: dict[str, Any], events: _Events) -> Iterator[Told]:
    name, waiting = spec["name"], (status.get("state") or {}).get("waiting") or {}
    reason = str(waiting.get("reason") or "ContainerCreating")
    message = str(waiting.get("message") or "")
    if reason in PULLS:
        yield "pull", {**about, "reason": reason, "message": message}
    elif reason == "CrashLoopBackOff":
        last = (status.get("lastState") or {}).get("terminated") or {}
        yield "crash", {**about, **_exit(status, last), "message": message}
    elif reason in BEGINS and "postStart" in (spec.get("lifecycle") or {}) and events.last("Started", name):
        yield "hook", about
    elif reason in BEGINS:
        pulling = events.last("Pulling", name) and not events.last("Pulled", name)
        yield "pulling" if pulling else "begins", about
    else:
        yield "waits", {**about, "reason": reason, "message": message}


def _of_running(spec: JSON, status: JSON, about: dict[str, Any], events: _Events) -> Iterator[Told]:
    if not status.get("started") and "startupProbe" in spec:
        yield from _of_probe("startup", spec, about, events)
    elif "readinessProbe" in spec:
        yield from _of_probe("readiness", spec, about, events)
    else:
        yield "begins", about


def _of_probe(kind: str, spec: JSON, about: dict[str, Any], events: _Events) -> Iterator[Told]:
    probe = spec[f"{kind}Probe"]
    message = events.last("Unhealthy", spec["name"], kind.capitalize())
    told = {
        **about,
        "probe": kind,
        "asks": asks(probe),
        "delay": probe.get("initialDelaySeconds", 0),
        "period": probe.get("periodSeconds", 10),
        "message": message,
    }
    yield f"{kind}_failed" if message else f"{kind}_waits", told


def asks(probe: JSON) -> str:
    """What a probe does, as one would write it down."""
    if http := probe.get("httpGet"):
        return f"httpGet :{http['port']}{http.get('path') or '/'}"
    if tcp := probe.get("tcpSocket"):
        return f"tcpSocket :{tcp['port']}"
    if grpc := probe.get("grpc"):
        return f"grpc :{grpc['port']}"
    return f"exec {' '.join((probe.get('exec') or {}).get('command') or ())}"


def _exit(status: JSON, terminated: JSON) -> dict[str, Any]:
    return {
        "times": status.get("restartCount", 0) + 1,
        "status": terminated.get("exitCode", 0),
        "reason": terminated.get("reason") or "",
    }


def _said(data: JSON) -> str:
    """A reason with its message, where there are such."""
    return ": ".join(filter(None, (str(data.get("reason") or ""), str(data.get("message") or ""))))


def _conditions(obj: JSON) -> dict[str, JSON]:
    listed: Iterable[JSON] = (obj.get("status") or {}).get("conditions") or ()
    return {each["type"]: each for each in listed}


def _finding(why: str, **values: Any) -> Finding:
    return Finding(why=why, values={name: str(value)[:MESSAGE_LIMIT] for name, value in values.items()})
