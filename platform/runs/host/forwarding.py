"""What `kubectl port-forward` names in a cluster, as the page to show. The words are kubectl's own.

Models k8s.io/kubectl/pkg/cmd/portforward and pkg/polymorphichelpers (AttachablePodForObject).
"""

from __future__ import annotations

from typing import Any

import yaml

from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.cluster import Cluster
from cluster_engine.terminal.forwarding import Forward


class NotForwardedError(Exception):
    """kubectl's sentence."""


def namespace_of(kubeconfig: str) -> str:
    """The namespace of the current context."""
    config = yaml.safe_load(kubeconfig) or {}
    for context in config.get("contexts") or ():
        if context.get("name") == config.get("current-context"):
            return str((context.get("context") or {}).get("namespace") or "default")
    return "default"


def forwarded(cluster: Cluster, wanted: Forward, namespace: str) -> dict[str, Any]:
    """``{"kind", "namespace", "name", "port"}`` of the page. Raises NotForwardedError."""
    namespace = wanted.namespace or namespace
    found = cluster.get(wanted.kind, wanted.name, namespace)
    if found is None:
        raise NotForwardedError(f'Error from server (NotFound): {wanted.kind} "{wanted.name}" not found')
    kind = wanted.kind
    if kind not in ("pods", "services"):
        found, kind = _pod_of(cluster, found, namespace), "pods"
    if kind == "pods" and (found.get("status") or {}).get("phase") != "Running":
        phase = (found.get("status") or {}).get("phase") or "Pending"
        raise NotForwardedError(
            f"error: unable to forward port because pod is not running. Current status={phase}"
        )
    port = _port(found, kind, wanted)
    return {"kind": kind, "namespace": namespace, "name": found["metadata"]["name"], "port": port}


def _pod_of(cluster: Cluster, owner: dict[str, Any], namespace: str) -> dict[str, Any]:
    selector = compile_selector(owner["spec"]["selector"])
    pods = [pod for pod in cluster.list("pods", namespace) if selector.matches(pod["metadata"].get("labels"))]
    running = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"]
    if not (running or pods):
        raise NotForwardedError("error: timed out waiting for the condition")
    return (running or pods)[0]


def _port(found: dict[str, Any], kind: str, wanted: Forward) -> int:
    if wanted.port.isascii() and wanted.port.isdigit() and 0 < int(wanted.port[:6]) < 65_536:
        number = int(wanted.port)
        served = [port["port"] for port in found["spec"].get("ports") or ()]
        if kind == "services" and number not in served:
            raise NotForwardedError(f"error: Service {wanted.name} does not have a service port {number}")
        return number
    if kind == "services":
        ports = [(port.get("name"), port["port"]) for port in found["spec"].get("ports") or ()]
    else:
        containers = found["spec"]["containers"]
        ports = [(p.get("name"), p["containerPort"]) for c in containers for p in c.get("ports") or ()]
    for name, number in ports:
        if name == wanted.port:
            return int(number)
    what = "Service" if kind == "services" else "Pod"
    raise NotForwardedError(
        f"error: {what} '{found['metadata']['name']}' does not have a named port '{wanted.port}'"
    )
