"""What `kubectl wait` and `kubectl rollout status` wait for: pure looks at an object."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.kubectl import jsonpath


def _condition(obj: JSON | None, kind: str, wanted: str = "True") -> bool:
    conditions = ((obj or {}).get("status") or {}).get("conditions") or ()
    found = next((each for each in conditions if each["type"].lower() == kind.lower()), None)
    return found is not None and str(found.get("status", "")).lower() == wanted.lower()


def _gone(obj: JSON | None, uid: str = "") -> bool:
    return obj is None or (bool(uid) and obj["metadata"].get("uid") != uid)


def _path(obj: JSON | None, path: str, wanted: str = "") -> bool:
    try:
        found = jsonpath.found(path.strip("{}"), obj or {})
    except jsonpath.Bad:
        return False
    return bool(found) if not wanted else any(jsonpath.shown(each) == wanted for each in found)


def _rolled(obj: JSON | None) -> bool:
    return obj is not None and rollout(obj)[1]


HOLDS: dict[str, Callable[..., bool]] = {
    "condition": _condition,
    "delete": _gone,
    "jsonpath": _path,
    "rolled": _rolled,
}
"""By their names, with further arguments as texts."""


def holds(obj: JSON | None, wanted: list[str]) -> bool:
    """Whether an object (None: there is none) is as wanted."""
    return HOLDS[wanted[0]](obj, *wanted[1:])


def rollout(obj: JSON) -> tuple[str, bool]:
    """What `rollout status` says of a workload, and whether it is done (polymorphichelpers/rollout_status.go)."""
    spec, status, name = obj.get("spec") or {}, obj.get("status") or {}, obj["metadata"]["name"]
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        kinds = {"Deployment": "deployment", "DaemonSet": "daemon set", "StatefulSet": "statefulset"}
        return f"Waiting for {kinds[obj['kind']]} spec update to be observed...\n", False
    if obj["kind"] == "DaemonSet":
        return _daemons(status, name)
    if obj["kind"] == "StatefulSet":
        return _stateful(spec, status)
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    of = f'Waiting for deployment "{name}" rollout to finish'
    if updated < wanted:
        return f"{of}: {updated} out of {wanted} new replicas have been updated...\n", False
    if status.get("replicas", 0) > updated:
        return f"{of}: {status['replicas'] - updated} old replicas are pending termination...\n", False
    if status.get("availableReplicas", 0) < updated:
        available = status.get("availableReplicas", 0)
        return f"{of}: {available} of {updated} updated replicas are available...\n", False
    return f'deployment "{name}" successfully rolled out\n', True


def _daemons(status: JSON, name: str) -> tuple[str, bool]:
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    of = f'Waiting for daemon set "{name}" rollout to finish'
    if updated < wanted:
        return f"{of}: {updated} out of {wanted} new pods have been updated...\n", False
    if status.get("numberAvailable", 0) < wanted:
        return f"{of}: {status.get('numberAvailable', 0)} of {wanted} updated pods are available...\n", False
    return f'daemon set "{name}" successfully rolled out\n', True


def _stateful(spec: JSON, status: JSON) -> tuple[str, bool]:
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...\n", False
    if status.get("updateRevision") != status.get("currentRevision"):
        done, revision = status.get("updatedReplicas", 0), status.get("updateRevision")
        waits = "waiting for statefulset rolling update to complete"
        return f"{waits} {done} pods at revision {revision}...\n", False
    count, revision = status.get("currentReplicas", 0), status.get("currentRevision")
    return f"statefulset rolling update complete {count} pods at revision {revision}...\n", True
