"""The status of a Pod, made from its spec and what the runtime knows. Pure.

Models pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, getPhase, convertToAPIContainerStatuses) and
pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.qos import qos_class
from cluster_engine.component_helpers.restart_rules import could_restart_all
from cluster_engine.container_runtime.container import EXITED, RUNNING, Container
from cluster_engine.container_runtime.names import InvalidImageName
from cluster_engine.container_runtime.registry import PullError, Registry
from cluster_engine.kubelet.eviction import by_pressure
from cluster_engine.kubelet.record import (
    ALL_RESTARTING,
    FINISHED,
    PREEMPTED,
    SHUTDOWN,
    TERMINATING,
    PodRecord,
    is_sidecar,
    restarts,
    restarts_all,
)
from cluster_engine.kubelet.resizing import IN_PROGRESS, PENDING, had_by, in_progress
from cluster_engine.kubelet.users import user_of
from cluster_engine.sim import rfc3339

_OWN = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def probe_result(record: PodRecord, name: str, kind: str) -> Any:
    """True, False, or None while nothing is known."""
    probe = record.probes.get(f"{name}/{kind}")
    return probe.result if probe is not None else None


def is_started(record: PodRecord, spec: JSON) -> bool:
    """Whether the container runs and has passed its startup probe."""
    container = record.containers.get(spec["name"])
    if container is None or container.state != RUNNING:
        return False
    return not spec.get("startupProbe") or probe_result(record, spec["name"], "startup") is True


def is_ready(record: PodRecord, spec: JSON, regular_init: bool) -> bool:
    """Whether the container counts as ready."""
    container = record.containers.get(spec["name"])
    if container is None:
        return False
    if regular_init:
        return container.state == EXITED and container.exit_code == 0
    if not is_started(record, spec):
        return False
    return not spec.get("readinessProbe") or probe_result(record, spec["name"], "readiness") is True


# ---- containers ----------------------------------------------------------------------------------------


def terminated(container: Container) -> JSON:
    """A ContainerStateTerminated."""
    state: JSON = {
        "containerID": f"containerd://{container.id}",
        "exitCode": container.exit_code,
        "finishedAt": rfc3339(container.finished_at),
        "reason": container.reason,
        "startedAt": rfc3339(container.started_at),
    }
    if container.message:
        state["message"] = container.message
    return state


@lru_cache(maxsize=512)
def image_id(registry: Registry, reference: str) -> str:
    """The imageID of a container's status; "" when the image is gone."""
    try:
        image, tag = registry.find(reference)
    except (PullError, InvalidImageName):
        return ""
    return f"{image.repository}@{image.digest(tag)}"


def _mounts(spec: JSON) -> list[JSON]:
    found = []
    for mount in spec.get("volumeMounts") or ():
        entry = {"mountPath": mount["mountPath"], "name": mount["name"]}
        if mount.get("readOnly"):
            entry["readOnly"] = True
            entry["recursiveReadOnly"] = mount.get("recursiveReadOnly") or "Disabled"
        found.append(entry)
    return found


def _user(registry: Registry, pod_spec: JSON, spec: JSON, reference: str) -> JSON:
    try:
        image_uid = registry.find(reference)[0].uid
    except (PullError, InvalidImageName):
        image_uid = 0
    user = user_of(pod_spec, spec, image_uid)
    return {"linux": {"gid": user.gid, "supplementalGroups": list(user.groups), "uid": user.uid}}


def container_status(
    registry: Registry,
    record: PodRecord,
    pod: JSON,
    spec: JSON,
    *,
    init: bool,
    has_init: bool,
    terminal: bool,
) -> JSON:
    """One entry of containerStatuses or initContainerStatuses."""
    name = spec["name"]
    container = record.containers.get(name)
    pod_spec = pod["spec"]
    failed = record.waiting.get(name)
    state: JSON
    last: JSON = {}
    regular_init = init and not is_sidecar(spec)
    before = record.previous.get(name)
    if before is not None:
        last = {"terminated": terminated(before)}
    if container is None:
        reason, message = failed or ("PodInitializing" if has_init else "ContainerCreating", "")
        state = {"waiting": {"reason": reason}}
        if message:
            state["waiting"]["message"] = message
        status: JSON = {
            "image": spec["image"],
            "imageID": "",
            "lastState": last,
            "name": name,
            "ready": False,
            "restartCount": before.attempt if before is not None else 0,
            "started": False,
            "state": state,
        }
        mounts = _mounts(spec)
        if mounts:
            status["volumeMounts"] = mounts
        return status
    if container.state == EXITED:
        state = {"terminated": terminated(container)}
        if failed and not terminal and restarts(pod_spec, spec, container):
            last = state
            state = {"waiting": {"reason": failed[0]}}
            if failed[1]:
                state["waiting"]["message"] = failed[1]
    elif container.state == RUNNING:
        state = {"running": {"startedAt": rfc3339(container.started_at)}}
    else:
        state = {"waiting": {"reason": failed[0] if failed else "ContainerCreating"}}
        if failed and failed[1]:
            state["waiting"]["message"] = failed[1]
    resources, anew = spec.get("resources") or {}, pod["metadata"].get("generation") != 1
    status = {
        "containerID": f"containerd://{container.id}",
        "image": container.image,
        "imageID": image_id(registry, container.image),
        "lastState": last,
        "name": name,
        "ready": is_ready(record, spec, regular_init),
        "resources": had_by(resources, container) if anew and container.state == RUNNING else resources,
        "restartCount": container.attempt,
        "started": is_started(record, spec),
        "state": state,
        "user": _user(registry, pod_spec, spec, container.image),
    }
    if resources.get("requests"):
        status["allocatedResources"] = resources["requests"]
    mounts = _mounts(spec)
    if mounts:
        status["volumeMounts"] = mounts
    return status


def _ephemeral_status(
    registry: Registry, record: PodRecord, pod: JSON, spec: JSON, *, has_init: bool, terminal: bool
) -> JSON:
    """One entry of ephemeralContainerStatuses: nothing ever makes such a container ready."""
    status = container_status(registry, record, pod, spec, init=False, has_init=has_init, terminal=terminal)
    return {name: value for name, value in status.items() if name != "started"} | {"ready": False}


# ---- phase ---------------------------------------------------------------------------------------------


def _outcome(record: PodRecord) -> list[str]:
    """[reason, message] of a failure by the kubelet; of a shutdown once nothing runs any more (mergePodStatus)."""
    return [] if record.shutdown and record.running() else record.outcome


def phase(record: PodRecord, pod: JSON, terminal: bool) -> str:
    """The Pod's phase (getPhase)."""
    if _outcome(record):
        return "Failed"
    spec = pod["spec"]
    containers = record.containers
    any_regular_started = any(
        (c := containers.get(s["name"])) is not None and (c.state != "created" or c.attempt > 0)
        for s in spec["containers"]
    )
    policy = spec.get("restartPolicy") or "Always"
    pending_init = failed_init = 0
    for init in spec.get("initContainers") or ():
        container = containers.get(init["name"])
        if is_sidecar(init):
            if not is_started(record, init) and not any_regular_started:
                pending_init += 1
        elif container is None or container.state != EXITED:
            pending_init += 0 if any_regular_started else 1
        elif container.exit_code != 0:
            if restarts(spec, init, container):
                pending_init += 1
            else:
                failed_init += 1
    running = waiting = stopped = succeeded = 0
    restarting = False
    for regular in spec["containers"]:
        container = containers.get(regular["name"])
        if container is None:
            waiting += 1
        elif container.state == "created":
            waiting += 0 if record.previous.get(regular["name"]) else 1
            stopped += 1 if record.previous.get(regular["name"]) else 0
            restarting = True
        elif container.state == RUNNING:
            running += 1
        else:
            stopped += 1
            if container.exit_code == 0:
                succeeded += 1
            restarting = restarting or restarts(spec, regular, container)
    if failed_init and policy == "Never":
        return "Failed"
    if failed_init and not restarting and terminal:
        return "Failed"
    if pending_init and not any_regular_started and not terminal:
        return "Pending"
    if waiting and not terminal:
        return "Running" if any_regular_started and running else "Pending"
    if running:
        return "Running"
    if stopped:
        if terminal:
            return "Succeeded" if stopped == succeeded else "Failed"
        if restarting:
            return "Running"
        return "Succeeded" if stopped == succeeded else "Failed"
    return "Failed" if terminal else "Pending"


# ---- conditions ----------------------------------------------------------------------------------------


def _unready(record: PodRecord, spec: JSON) -> list[str]:
    sidecars = [c for c in spec.get("initContainers") or () if is_sidecar(c)]
    return [c["name"] for c in (*sidecars, *spec["containers"]) if not is_ready(record, c, False)]


def _listed(names: list[str]) -> str:
    return f"[{' '.join(names)}]"


def _ready_conditions(record: PodRecord, pod: JSON, now_phase: str) -> tuple[JSON, JSON]:
    """ContainersReady and Ready."""
    if now_phase in ("Succeeded", "Failed"):
        reason = "PodCompleted" if now_phase == "Succeeded" else "PodFailed"
        no = {"status": "False", "reason": reason}
        return no, no
    unready = _unready(record, pod["spec"])
    if unready:
        message = f"containers with unready status: {_listed(unready)}"
        no = {"status": "False", "reason": "ContainersNotReady", "message": message}
        return no, no
    yes: JSON = {"status": "True"}
    gates = pod["spec"].get("readinessGates")
    if not gates:
        return yes, yes
    conditions = {c["type"]: c["status"] for c in (pod.get("status") or {}).get("conditions") or ()}
    texts = []
    for gate in gates:
        kind = gate["conditionType"]
        if kind not in conditions:
            texts.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif conditions[kind] != "True":
            texts.append(f'the status of pod readiness gate "{kind}" is not "True", but {conditions[kind]}')
    if not texts:
        return yes, yes
    return yes, {"status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(texts)}


def _initialized(record: PodRecord, pod: JSON, now_phase: str) -> JSON:
    spec = pod["spec"]
    inits = spec.get("initContainers")
    if now_phase == "Succeeded":
        return {"status": "True", "reason": "PodCompleted"}
    if not inits or any((c := record.containers.get(s["name"])) and c.started_at for s in spec["containers"]):
        return {"status": "True"}
    incomplete = [
        c["name"]
        for c in inits
        if not (is_started(record, c) if is_sidecar(c) else is_ready(record, c, True))
    ]
    # All containers may begin anew; what was initialized is not uninitialized by that.
    before = (pod.get("status") or {}).get("conditions") or ()
    if not incomplete or any(c["type"] == "Initialized" and c["status"] == "True" for c in before):
        return {"status": "True"}
    return {
        "status": "False",
        "reason": "ContainersNotInitialized",
        "message": f"containers with incomplete status: {_listed(incomplete)}",
    }


def _all_restarting(record: PodRecord, pod: JSON, now_phase: str) -> JSON:
    if now_phase in ("Succeeded", "Failed"):
        return {"status": "False", "reason": "PodCompleted" if now_phase == "Succeeded" else "PodFailed"}
    if not restarts_all(record, pod):
        return {"status": "False"}
    message = "container exited with restart policy rule"
    return {"status": "True", "reason": "RestartAllContainersStarted", "message": message}


def _conditions(record: PodRecord, pod: JSON, now_phase: str, now: str) -> list[JSON]:
    old = {c["type"]: c for c in (pod.get("status") or {}).get("conditions") or ()}
    containers_ready, ready = _ready_conditions(record, pod, now_phase)
    sandbox = record.sandbox_at and record.state != FINISHED
    wanted = {
        "PodReadyToStartContainers": {"status": "True" if sandbox else "False"},
        "Initialized": _initialized(record, pod, now_phase),
        "Ready": ready,
        "ContainersReady": containers_ready,
        "PodScheduled": {"status": "True"},
    }
    own: tuple[str, ...] = _OWN
    why = SHUTDOWN[1] if record.shutdown else record.evicted
    if why == PREEMPTED:
        why = "Pod was preempted by Kubelet to accommodate a critical pod."
    if record.shutdown or record.evicted == PREEMPTED or by_pressure(why):
        fields = {"status": "True", "reason": "TerminationByKubelet", "message": why}
        wanted["DisruptionTarget"], own = fields, ("DisruptionTarget", *_OWN)
    if record.resizing:
        reason, message = record.resizing
        wanted[PENDING] = {"status": "True", "reason": reason, "message": message}
        own = (PENDING, *own)
    if could_restart_all(pod["spec"]):
        wanted[ALL_RESTARTING], own = _all_restarting(record, pod, now_phase), (*own, ALL_RESTARTING)
    generation = pod["metadata"].get("generation")
    if generation != 1 and in_progress(
        pod["spec"], record.containers
    ):  # a spec that never changed is as it was
        wanted[IN_PROGRESS], own = {"status": "True"}, (IN_PROGRESS, *own)
    made: list[JSON] = [c for kind, c in old.items() if kind not in (*own, PENDING, IN_PROGRESS)]
    for kind in own:
        fields = wanted[kind]
        before = old.get(kind)
        stamp = now
        if before is not None and before["status"] == fields["status"]:
            stamp = before.get("lastTransitionTime") or now
        condition: JSON = {"lastProbeTime": None, "lastTransitionTime": stamp, **fields, "type": kind}
        if generation:
            condition["observedGeneration"] = generation
        # One that says what it said stays the same object, so that who compares sees it at once.
        made.append(before if before == condition else condition)
    return made


@lru_cache(maxsize=4096)
def _addresses(ip: str) -> list[JSON]:
    """The hostIPs or podIPs of one address."""
    return [{"ip": ip}]


# ---- the whole -----------------------------------------------------------------------------------------


def pod_status(record: PodRecord, pod: JSON, host_ip: str, now: int, registry: Registry) -> JSON:
    """The whole status."""
    spec, old = pod["spec"], pod.get("status") or {}
    if record.rejected:
        return _rejected(record, pod, old)
    terminal = record.state in (FINISHED, TERMINATING)
    stopped = terminal and not record.running()
    now_phase = phase(record, pod, stopped)
    before = old.get("phase")
    if before in ("Succeeded", "Failed"):
        now_phase = before  # a Pod that has ended stays so
    inits = spec.get("initContainers") or ()
    has_init = bool(inits)
    status: JSON = {name: old[name] for name in ("nominatedNodeName", "resourceClaimStatuses") if name in old}
    status["conditions"] = _conditions(record, pod, now_phase, rfc3339(now))
    status["containerStatuses"] = [
        container_status(registry, record, pod, c, init=False, has_init=has_init, terminal=terminal)
        for c in spec["containers"]
    ]
    if has_init:
        status["initContainerStatuses"] = [
            container_status(registry, record, pod, c, init=True, has_init=True, terminal=terminal)
            for c in inits
        ]
    ephemeral = spec.get("ephemeralContainers")
    if ephemeral:
        status["ephemeralContainerStatuses"] = [
            _ephemeral_status(registry, record, pod, c, has_init=has_init, terminal=terminal)
            for c in ephemeral
        ]
    status["hostIP"] = host_ip
    status["hostIPs"] = _addresses(host_ip)
    if pod["metadata"].get("generation"):
        status["observedGeneration"] = pod["metadata"]["generation"]
    status["phase"] = now_phase
    ip = record.ip or old.get("podIP")
    if ip:
        status["podIP"] = ip
        status["podIPs"] = _addresses(ip)
    status["qosClass"] = old.get("qosClass") or qos_class(spec)
    if outcome := _outcome(record):
        status["reason"], status["message"] = outcome
    status["resources"] = {}
    status["startTime"] = rfc3339(record.started)
    return status


def _rejected(record: PodRecord, pod: JSON, old: JSON) -> JSON:
    """Of a Pod that its node did not take (rejectPod): nothing of it was ever started."""
    status: JSON = {"conditions": old["conditions"]} if old.get("conditions") else {}
    if pod["metadata"].get("generation"):
        status["observedGeneration"] = pod["metadata"]["generation"]
    return {
        **status,
        "phase": "Failed",
        "reason": record.outcome[0],
        "message": f"Pod was rejected: {record.outcome[1]}",
        "qosClass": old.get("qosClass") or qos_class(pod["spec"]),
        "startTime": rfc3339(record.started),
    }
