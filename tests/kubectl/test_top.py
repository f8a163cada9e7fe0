"""kubectl top and an autoscaler, with and without a metrics-server, with the real kubectl."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kubectl_driver import Kubectl, serving
from served import USUAL

from tests.metrics_server.metrics_manifest import COMPONENTS

pytestmark = pytest.mark.kubectl

BUSY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: busy}
spec:
  selector: {matchLabels: {app: busy}}
  template:
    metadata: {labels: {app: busy}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: c
        image: busybox
        command: [sh, -c, "while true; do :; done"]
        resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}
"""
DEADLINE = 60.0


def until(kubectl: Kubectl, text: str, *arguments: str) -> str:
    """What kubectl says as soon as it says that."""
    end = time.monotonic() + DEADLINE
    while text not in (said := kubectl.run(*arguments).stdout):
        assert time.monotonic() < end, said
        time.sleep(0.2)
    return said


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """A cluster with a metrics-server, in which a minute lasts two seconds."""
    with serving(tmp_path_factory.mktemp("top"), *USUAL, "30") as kubectl:
        yield from installed(kubectl)


def installed(served: Kubectl) -> Iterator[Kubectl]:
    assert served.run("top", "node").stderr == "error: Metrics API not available\n"
    served("apply", "-n", "kube-system", "-f", "-", stdin=COMPONENTS)
    served("wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", "--timeout=60s")
    yield served
    served("delete", "-n", "kube-system", "-f", "-", stdin=COMPONENTS)
    assert served.run("top", "node").stderr == "error: Metrics API not available\n"


def test_top(metered: Kubectl) -> None:
    listed = metered("get", "apiservice").splitlines()
    assert listed[0].split() == ["NAME", "SERVICE", "AVAILABLE", "AGE"]
    shown = {line.split()[0]: line.split()[1:3] for line in listed}
    assert shown["v1beta1.metrics.k8s.io"] == ["kube-system/metrics-server", "True"]
    assert shown["v1.apps"] == ["Local", "True"]
    nodes = until(metered, "worker-2", "top", "node").splitlines()
    assert nodes[0].split() == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert [line.split()[0] for line in nodes[1:]] == ["control-plane", "worker-1", "worker-2"]
    pods = until(metered, "etcd", "top", "pod", "-n", "kube-system", "--containers")
    assert "kube-apiserver" in pods


def test_an_autoscaler_follows_what_pods_use(metered: Kubectl) -> None:
    metered("apply", "-f", "-", stdin=BUSY)
    metered("autoscale", "deployment", "busy", "--min=1", "--max=3", "--cpu=100%")
    until(metered, "200m", "top", "pod", "-l", "app=busy")
    until(metered, "cpu: 200%/100%", "get", "hpa", "busy")
    until(metered, "3", "get", "deployment", "busy", "-o", "jsonpath={.spec.replicas}")
    events = metered("get", "events", "--field-selector", "reason=SuccessfulRescale", "-o", "name")
    assert events
    described = until(metered, "ScalingLimited  True    TooManyReplicas", "describe", "hpa", "busy")
    assert "reason: cpu resource utilization (percentage of request) above target" in described
    metered("delete", "hpa,deployment", "busy")
