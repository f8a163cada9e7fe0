"""What a learner sees when a node is lost and while an update rolls, with the real kubectl."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from kubectl_driver import Kubectl, serving
from served import USUAL

pytestmark = pytest.mark.kubectl

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  strategy: {rollingUpdate: {maxUnavailable: 1, maxSurge: 1}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: nginx
        image: nginx:1.27
        readinessProbe: {httpGet: {port: 80}, initialDelaySeconds: 3, periodSeconds: 2}
"""


def _power(kubectl: Kubectl, node: str, up: bool) -> None:
    fault = {"kind": "node/power", "node": node, "up": up}
    kubectl("create", "--raw", "/drydock/faults", "-f", "-", stdin=json.dumps(fault))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Kubectl]:
    """A cluster of its own at thirty times the speed: what a node is lost by is upkeep, to which no time leaps."""
    with serving(tmp_path, *USUAL, "30") as kubectl:
        kubectl.enter()
        yield kubectl
        kubectl.leave()


def test_a_node_is_lost(quick: Kubectl) -> None:
    """Silence for 50 seconds, the taints, 300 seconds of patience, the eviction, and other Pods elsewhere."""
    kubectl = quick
    kubectl("apply", "-f", "-", stdin=WEB)
    kubectl("rollout", "status", "deployment/web")
    chosen = "jsonpath={.items[0].metadata.name} {.items[0].spec.nodeName}"
    pod, node = kubectl("get", "pods", "-o", chosen).split()
    try:
        _power(kubectl, node, up=False)
        kubectl("wait", "--for=condition=Ready=Unknown", f"node/{node}", "--timeout=120s")
        heard = kubectl("get", "lease", node, "-n", "kube-node-lease", "-o", "jsonpath={.spec.renewTime}")
        lost = json.loads(kubectl("get", "node", node, "-o", "json"))
        ready = next(c for c in lost["status"]["conditions"] if c["type"] == "Ready")
        assert (ready["reason"], ready["message"]) == (
            "NodeStatusUnknown",
            "Kubelet stopped posting node status.",
        )
        assert (
            timedelta(seconds=49) <= _time(ready["lastTransitionTime"]) - _time(heard) < timedelta(seconds=61)
        )
        kubectl("wait", "--for=jsonpath={.metadata.deletionTimestamp}", f"pod/{pod}", "--timeout=400s")
        tainted = json.loads(kubectl("get", "node", node, "-o", "json"))["spec"]["taints"]
        assert {(taint["key"], taint["effect"]) for taint in tainted} == {
            ("node.kubernetes.io/unreachable", "NoSchedule"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
        }
        added = next(_time(taint["timeAdded"]) for taint in tainted if taint["effect"] == "NoExecute")
        evicted = json.loads(kubectl("get", "pod", pod, "-o", "json"))["metadata"]
        patience = (
            _time(evicted["deletionTimestamp"])
            - added
            - timedelta(seconds=evicted["deletionGracePeriodSeconds"])
        )
        assert timedelta(seconds=299) <= patience <= timedelta(seconds=302)
        kubectl("wait", "--for=jsonpath={.status.availableReplicas}=4", "deployment/web", "--timeout=120s")
        shown = kubectl("get", "pods", "--no-headers")
        assert re.search(rf"^{pod} .*Terminating", shown, re.MULTILINE)
        told = kubectl("get", "events", "--sort-by=.lastTimestamp", "--no-headers")
        assert f"pod/{pod}" in told
        assert f"Marking for deletion Pod {kubectl.namespace}/{pod}" in told
        assert "NodeNotReady" in told
        assert "Node is not ready" in told
        of_node = kubectl("get", "events", "-n", "default", f"--field-selector=involvedObject.name={node}")
        assert f"Node {node} status is now: NodeNotReady" in of_node
    finally:
        _power(kubectl, node, up=True)
        kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=300s")


def _component(kubectl: Kubectl, name: str, stopped: bool) -> None:
    fault = {"kind": "component/stop", "component": name, "stopped": stopped}
    kubectl("create", "--raw", "/drydock/faults", "-f", "-", stdin=json.dumps(fault))


def _complaint(kubectl: Kubectl, *arguments: str) -> str:
    """What kubectl says when it fails at last."""
    end = monotonic() + 60
    while (done := kubectl.run(*arguments)).returncode == 0 and monotonic() < end:
        pass
    return done.stderr


def test_an_api_server_that_is_away_refuses_the_connection(quick: Kubectl) -> None:
    kubectl = quick
    host = kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}").partition("//")[2]
    refused = f"The connection to the server {host} was refused - did you specify the right host or port?\n"
    kubectl("get", "nodes")
    _component(kubectl, "kube-apiserver", stopped=True)
    try:
        assert _complaint(kubectl, "get", "nodes").endswith(refused)
        for command in (["delete", "pod", "x"], ["get", "--raw", "/readyz"]):
            assert kubectl.fails(*command).endswith(refused)
    finally:
        _component(kubectl, "kube-apiserver", stopped=False)
    kubectl("wait", "--for=condition=Ready", "node/worker-1", "--timeout=300s")


def test_without_etcd_reads_are_of_the_watch_cache(quick: Kubectl) -> None:
    kubectl = quick
    timed_out = "Error from server: etcdserver: request timed out\n"
    _component(kubectl, "etcd", stopped=True)
    try:
        assert _complaint(kubectl, "get", "nodes") == timed_out
        assert kubectl.fails("create", "configmap", "c").endswith("etcdserver: request timed out\n")
        assert '"worker-1"' in kubectl("get", "--raw", "/api/v1/nodes?resourceVersion=0")
    finally:
        _component(kubectl, "etcd", stopped=False)
    kubectl("wait", "--for=condition=Ready", "node/worker-1", "--timeout=300s")


def test_an_update_that_rolls_keeps_what_it_promises(kubectl: Kubectl) -> None:
    """At no revision are fewer Pods ready than the Deployment wants, less one."""
    kubectl("apply", "-f", "-", stdin=WEB)
    kubectl("rollout", "status", "deployment/web")
    columns = "N:.metadata.name,G:.metadata.deletionTimestamp,R:.status.conditions[?(@.type=='Ready')].status"
    watch = kubectl.popen(
        "get", "pods", "-l", "app=web", "-w", "--no-headers", "-o", f"custom-columns={columns}"
    )
    assert watch.stdout is not None
    lines = [watch.stdout.readline() for _ in range(4)]  # the watch stands: what comes now are changes
    kubectl("set", "image", "deployment/web", "nginx=nginx:1.28")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web")
    watch.terminate()
    lines += watch.communicate(timeout=60)[0].splitlines()
    ready: dict[str, bool] = {}
    counts = []
    for name, going, status in (line.split() for line in lines if line.count(" ")):
        ready[name] = status == "True" and going == "<none>"
        counts.append(sum(ready.values()))
    assert len(ready) > 4
    assert len(counts) > 10
    assert min(counts[3:]) >= 3
    assert max(counts) <= 5
