# ruff: noqa: E501 (one behaviour a line)
"""Upstream's conformance suite: what it shows of the real kubectl with controllers' Pods, each by its codename."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl


def controller(name: str, replicas: int, image: str = "nginx:1.28") -> str:
    labels = {"app": name}
    container = {"name": "c", "image": image, "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": labels, "template": template}
    meta = {"name": name, "labels": labels}
    return json.dumps({"apiVersion": "v1", "kind": "ReplicationController", "metadata": meta, "spec": spec})


def ready(kubectl: Kubectl, app: str) -> None:
    kubectl("wait", "--for=condition=Ready", "pod", "-l", f"app={app}", "--timeout=120s")


def names(kubectl: Kubectl, app: str) -> list[str]:
    return kubectl("get", "pods", "-l", f"app={app}", "-o", "jsonpath={.items[*].metadata.name}").split()


def described(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=controller("primary", 1))
    ready(kubectl, "primary")
    kubectl("expose", "rc", "primary", "--port=6379")
    [pod] = names(kubectl, "primary")
    node = kubectl("get", "pod", pod, "-o", "jsonpath={.spec.nodeName}")
    for what, lines in (
        (("pod", pod), ("Name:", "Namespace:", "Node:", "Labels:", "app=primary", "Status:", "IP:", "Controlled By:", "Image:", "State:")),
        (("rc", "primary"), ("Name:", "Namespace:", "Selector:", "Labels:", "Replicas:", "Pods Status:", "Pod Template:", "Image:", "Events:")),
        (("service", "primary"), ("Name:", "Namespace:", "Labels:", "Selector:", "Type:", "IP:", "Port:", "Endpoints:", "Session Affinity:")),
        (("node", node), ("Name:", "Labels:", "Annotations:", "CreationTimestamp:", "Conditions:", "Addresses:", "Capacity:", "Version", "Kubelet Version", "Pods")),
        (("namespace", kubectl.namespace), ("Name:", "Labels:", "Annotations:", "Status:", "No resource quota", "No LimitRange resource")),
    ):  # fmt: skip
        said = kubectl("describe", *what)
        assert [line for line in lines if line not in said] == []


def annotated(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=controller("primary", 2))
    ready(kubectl, "primary")
    for pod in names(kubectl, "primary"):
        kubectl("patch", "pod", pod, "-p", '{"metadata":{"annotations":{"x":"y"}}}')
        assert kubectl("get", "pod", pod, "-o", "jsonpath={.metadata.annotations.x}") == "y"


def replaced(kubectl: Kubectl) -> None:
    kubectl("run", "web", "--image=nginx:1.27", "--labels=app=web")
    ready(kubectl, "web")
    pod = kubectl("get", "pod", "web", "-o", "json").replace("nginx:1.27", "busybox:1.36")
    assert kubectl("replace", "-f", "-", stdin=pod) == "pod/web replaced\n"
    assert kubectl("get", "pod", "web", "-o", "jsonpath={.spec.containers[0].image}") == "busybox:1.36"


def demo(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=controller("update-demo", 2))
    ready(kubectl, "update-demo")
    images = kubectl(
        "get", "pods", "-l", "app=update-demo", "-o", "jsonpath={.items[*].spec.containers[*].image}"
    )
    assert images == "nginx:1.28 nginx:1.28"
    kubectl("delete", "--grace-period=0", "--force", "-f", "-", stdin=controller("update-demo", 2))
    kubectl("wait", "--for=delete", "pod", "-l", "app=update-demo", "--timeout=120s")
    assert names(kubectl, "update-demo") == []


def scaled(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=controller("update-demo", 2))
    ready(kubectl, "update-demo")
    for replicas in (1, 2):
        kubectl("scale", "rc", "update-demo", f"--replicas={replicas}", "--timeout=5m")
        path = "jsonpath={.status.replicas}"
        kubectl("wait", "rc/update-demo", f"--for={path}={replicas}", "--timeout=120s")
        ready(kubectl, "update-demo")


_CLIENT = "[sig-cli] Kubectl client"
TOLD: dict[str, Callable[[Kubectl], None]] = {
    f"{_CLIENT} Kubectl describe should check if kubectl describe prints relevant information for rc and pods": described,
    f"{_CLIENT} Kubectl patch should add annotations for pods in rc": annotated,
    f"{_CLIENT} Kubectl replace should update a single-container pod's image": replaced,
    f"{_CLIENT} Update Demo should create and stop a replication controller": demo,
    f"{_CLIENT} Update Demo should scale a replication controller": scaled,
}


@pytest.mark.parametrize("codename", TOLD)
def test_told_by_kubectl(kubectl: Kubectl, codename: str) -> None:
    TOLD[codename](kubectl)
