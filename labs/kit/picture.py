"""What a small map of a cluster shows: its nodes, and the Pods that the reader made."""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.cluster import Cluster

PODS = 60
"""That are shown at most."""
HIDDEN = frozenset({"kube-system", "kube-node-lease", "kube-public"})
"""Namespaces whose Pods are not shown: they were there before the lesson began."""


def picture(cluster: Cluster) -> dict[str, Any]:
    """``nodes`` (name, ready, cordoned), ``pods`` (name, namespace, node, status, ready), and how many ``more``."""
    nodes = [
        {
            "name": node["metadata"]["name"],
            "ready": any(
                each["type"] == "Ready" and each["status"] == "True"
                for each in (node.get("status") or {}).get("conditions") or []
            ),
            "cordoned": bool((node.get("spec") or {}).get("unschedulable")),
        }
        for node in cluster.list("nodes")
    ]
    kind = cluster.kind_of("pods")
    found = [pod for pod in cluster.list("pods") if pod["metadata"]["namespace"] not in HIDDEN]
    pods = [_pod(pod, kind, cluster.clock.now) for pod in found[:PODS]]
    return {"nodes": nodes, "pods": pods, "more": max(0, len(found) - PODS)}


def _pod(pod: dict[str, Any], kind: Kind, now: int) -> dict[str, Any]:
    row = dict(zip((column.name for column in kind.columns), kind.row(pod, now), strict=True))
    ready, _slash, total = str(row["Ready"]).partition("/")
    return {
        "name": pod["metadata"]["name"],
        "namespace": pod["metadata"]["namespace"],
        "node": (pod.get("spec") or {}).get("nodeName", ""),
        "status": row["Status"],
        "ready": ready == total,
    }
