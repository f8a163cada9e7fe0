"""Small objects for the tables: only what the functions under test read."""

from __future__ import annotations

from typing import Any

NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
STAMP = "2026-01-01T00:00:00Z"


def deployment(replicas: int = 10, surge: Any = 0, unavailable: Any = 0, **spec: Any) -> dict[str, Any]:
    status = spec.pop("status", {})
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "default",
            "uid": "d-uid",
            "generation": 1,
            "annotations": annotations,
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
            },
            "template": template("web:1"),
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            **spec,
        },
        "status": status,
    }


def template(image: str, **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "web", **labels}},
        "spec": {"containers": [{"name": "c", "image": image}]},
    }


def replica_set(name: str, replicas: int, available: int | None = None, **more: Any) -> dict[str, Any]:
    available = replicas if available is None else available
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"{name}-uid",
            "generation": 1,
            "creationTimestamp": more.get("created", STAMP),
            "annotations": more.get("annotations", {}),
        },
        "spec": {"replicas": replicas, "template": more.get("template", template("web:1"))},
        "status": {
            "replicas": more.get("actual", replicas),
            "readyReplicas": available,
            "availableReplicas": available,
            "observedGeneration": 1,
        },
    }


def pod(name: str, **more: Any) -> dict[str, Any]:
    """A Pod; ready=None pending, False running, True ready since ``since``."""
    ready = more.get("ready", True)
    meta: dict[str, Any] = {
        "name": name,
        "namespace": "default",
        "uid": more.get("uid", f"{name}-uid"),
        "creationTimestamp": more.get("created", STAMP),
        "labels": more.get("labels", {"app": "web"}),
    }
    if more.get("deleting"):
        meta["deletionTimestamp"] = STAMP
    if "cost" in more:
        meta["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": more["cost"]}
    status: dict[str, Any] = {"phase": more.get("phase", "Pending" if ready is None else "Running")}
    if ready is not None:
        since = more.get("since", STAMP)
        status["conditions"] = [
            {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": since}
        ]
    if "ip" in more:
        status["podIP"] = more["ip"]
    if "restarts" in more:
        status["containerStatuses"] = [{"restartCount": more["restarts"]}]
    spec: dict[str, Any] = {"containers": more.get("containers", [{"name": "c", "image": "web:1"}])}
    if more.get("node", "n1"):
        spec["nodeName"] = more.get("node", "n1")
    if "tolerations" in more:
        spec["tolerations"] = more["tolerations"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def node(name: str, *taints: tuple[str, str], **more: Any) -> dict[str, Any]:
    conditions = [
        {"type": type, "status": status, "lastHeartbeatTime": STAMP, "lastTransitionTime": STAMP}
        for type, status in more.get("conditions", {"Ready": "True"}).items()
    ]
    spec: dict[str, Any] = {"taints": [{"key": key, "effect": effect} for key, effect in taints]}
    if more.get("unschedulable"):
        spec["unschedulable"] = True
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": more.get("labels", {}), "creationTimestamp": STAMP},
        "spec": spec,
        "status": {"conditions": conditions},
    }
