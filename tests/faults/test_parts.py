"""A fault in a scheduler plugin or in a part of the kubelet costs the Pod it is about, and no other.

The rows are the engine's own tables and classes: what is added there is covered here without a line.
"""

import inspect
from typing import Any

import pytest
from faults import plant, ready, same_again, web

from cluster_engine import Cluster
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.kube_scheduler.plugins.inter_pod_affinity import InterPodAffinity
from cluster_engine.kube_scheduler.plugins.node_affinity import NodeAffinity
from cluster_engine.kube_scheduler.plugins.scheduling_gates import SchedulingGates
from cluster_engine.kubelet import Kubelets


def own_methods(owner: type) -> list[str]:
    return [
        name for name, found in vars(owner).items() if inspect.isfunction(found) and not name.startswith("_")
    ]


def about_first(*args: Any) -> bool:
    """Whether it is about a Pod of the Deployment ``first``: by key, by shape, by record or by object."""
    for arg in args:
        if str(getattr(arg, "key", "")).startswith("default/first-"):
            return True
        if type(arg).__name__ == "Shape" and "first" in repr(arg):
            return True
        if isinstance(arg, dict) and (arg.get("metadata") or {}).get("name", "").startswith("first-"):
            return True
    return False


CHOOSY = """
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: {matchLabels: {app: first}}
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}]
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 1
              preference: {matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [amd64]}]}
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 1
              podAffinityTerm: {labelSelector: {matchLabels: {app: first}}, topologyKey: kubernetes.io/hostname}
      containers:"""


def told_to(cluster: Cluster) -> Cluster:
    """Two Deployments, of which ``first`` gives every plugin something to say; one of its Pods is replaced."""
    choosy = web("first").replace("\n      containers:", CHOOSY)
    probe = "exec: {command: [cat, /etc/hostname]}, periodSeconds: 5}\n          startupProbe: {httpGet: {port: 80}"
    cluster.apply(choosy.replace("httpGet: {port: 80}", probe))
    cluster.apply(web("second"))
    cluster.advance(30)
    for pod in cluster.list("pods", "default", "app=first")[:1]:
        cluster.delete("pods", pod["metadata"]["name"])
    cluster.advance(100)
    return cluster


@pytest.fixture(scope="module")
def young() -> Cluster:
    return Cluster(nodes=3, seed=3, strict=False, addons=False)


# ---- the scheduler's plugins -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plugin", "method"),
    [(plugin, method) for plugin in PLUGINS for method in own_methods(plugin)],
    ids=lambda part: getattr(part, "name", part),
)
def test_a_scheduler_plugin(young, plugin, method, monkeypatch):
    hit = plant(monkeypatch, plugin, method, about_first)
    cluster = told_to(young.fork())
    assert ready(cluster, "second")
    assert set(cluster.clock.failures.counts()) <= {"kube-scheduler"}
    assert all(failure.key.startswith("default/first-") for failure in cluster.failures)
    assert ready(cluster, "first") or hit
    assert cluster.settle()


@pytest.mark.parametrize(
    ("plugin", "method"),
    [(SchedulingGates, "pre_enqueue"), (NodeAffinity, "filter_shape"), (InterPodAffinity, "score")],
    ids=lambda part: getattr(part, "name", part),
)
def test_a_replay_meets_a_plugins_failures(plugin, method, monkeypatch):
    plant(monkeypatch, plugin, method, about_first)
    same_again(told_to(Cluster(nodes=3, seed=3, strict=False, addons=False)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "method"),
    [(plugin, method) for plugin in PLUGINS for method in own_methods(plugin)],
    ids=lambda part: getattr(part, "name", part),
)
def test_a_replay_meets_every_plugins_failures(plugin, method, monkeypatch):
    hit = plant(monkeypatch, plugin, method, about_first)
    cluster = told_to(Cluster(nodes=3, seed=3, strict=False, addons=False))
    if hit:
        same_again(cluster)


# ---- the kubelet's parts ---------------------------------------------------------------------------------


def parts(kubelets: Kubelets) -> dict[str, Any]:
    """The kubelet's own parts by the name of their class, those of parts too."""
    found: dict[str, Any] = {}

    def look(owner: Any) -> None:
        for part in vars(owner).values():
            kind = type(part)
            if kind.__module__.startswith("cluster_engine.kubelet") and kind.__name__ not in found:
                found[kind.__name__] = part
                if hasattr(part, "__dict__"):
                    look(part)

    look(kubelets)
    return found


PARTS = parts(Cluster(nodes=2, boot=False).components["kubelet"])


@pytest.mark.parametrize(
    ("part", "method"),
    [(part, method) for part in PARTS for method in own_methods(type(PARTS[part]))],
)
def test_a_part_of_the_kubelet(young, part, method, monkeypatch):
    hit = plant(monkeypatch, type(PARTS[part]), method, about_first)
    cluster = told_to(young.fork())
    assert ready(cluster, "second")
    told = cluster.clock.failures.counts()
    assert bool(told) == bool(hit)
    assert cluster.settle()


ELSEWHERE = {
    "CloudFaults": "test_journal.py: its entries",
    "Disks": "test_a_disk",
    "Faults": "test_journal.py: its entries",
    "Logins": "test_journal.py: its entries",
    "NodeLogs": "test_a_node_s_logs",
    "NodeNetwork": "test_a_node_s_network",
    "Nodes": "test_driven_work.py: its clock events",
    "PortForward": "test_journal.py: its entries",
    "Pressure": "test_driven_work.py: its clock event",
    "Service": "test_journal.py: its entries",
    "Shutdown": "test_driven_work.py: its clock events",
}
"""Parts that do nothing for a Pod of the story, and where they are tried."""


def test_every_part_is_tried(young, monkeypatch):
    seen: dict[str, bool] = {}

    def watched(part: str, original: Any) -> Any:
        def noting(self: Any, *args: Any, **named: Any) -> Any:
            seen[part] = seen.get(part, False) or about_first(*args)
            return original(self, *args, **named)

        return noting

    for part in PARTS:
        for method in own_methods(owner := type(PARTS[part])):
            monkeypatch.setattr(owner, method, watched(part, getattr(owner, method)))
    told_to(young.fork())
    assert {part for part in PARTS if own_methods(type(PARTS[part])) and not seen.get(part)} == set(ELSEWHERE)


CLAIMED = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAME}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: none
  hostPath: {path: /data/NAME}
  claimRef: {name: NAME, namespace: default}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  containers: [{name: c, image: nginx, volumeMounts: [{name: v, mountPath: /data}]}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: NAME}}]
"""


@pytest.mark.parametrize("method", ["tree", "mount"])
def test_a_disk(young, method, monkeypatch):
    hit = plant(monkeypatch, type(PARTS["Disks"]), method, lambda *args: "first" in repr(args))
    cluster = young.fork()
    for name in ("first", "second"):
        cluster.apply(CLAIMED.replace("NAME", name))
    cluster.advance(60)
    assert hit
    assert [cluster.get("pods", name)["status"]["phase"] for name in ("first", "second")] == [
        "Pending",
        "Running",
    ]
    assert cluster.settle()


AGENT = """
apiVersion: v1
kind: Pod
metadata: {name: agent}
spec:
  containers: [{name: c, image: busybox, command: [sleep, 1d], volumeMounts: [{name: v, mountPath: /logs}]}]
  volumes: [{name: v, hostPath: {path: /var/log/pods}}]
"""


def test_a_node_s_logs(young, monkeypatch):
    hit = plant(monkeypatch, type(PARTS["NodeLogs"]), "show", lambda *_args: True)
    cluster = told_to(young.fork())
    cluster.apply(AGENT)
    cluster.advance(30)
    assert hit
    assert ready(cluster, "first")
    assert ready(cluster, "second")
    assert cluster.settle()


def test_a_node_s_network(young, monkeypatch):
    """Whoever asks for it on the node ends with it, and nobody else."""
    hit = plant(monkeypatch, type(PARTS["NodeNetwork"]), "told", lambda *_args: True)
    cluster = told_to(young.fork())
    cluster.perform(cluster.prepare_login("worker-1", ["sh", "-c", "ip addr; echo done"], False))
    cluster.advance(5)
    assert hit
    assert cluster.clock.failures.counts()
    assert ready(cluster, "second")
    assert cluster.settle()


def test_a_replay_meets_the_kubelets_failures(monkeypatch):
    plant(monkeypatch, type(PARTS["Starter"]), own_methods(type(PARTS["Starter"]))[0], about_first)
    same_again(told_to(Cluster(nodes=2, seed=3, strict=False, addons=False)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "method"),
    [(part, method) for part in PARTS for method in own_methods(type(PARTS[part]))],
)
def test_a_replay_meets_every_parts_failures(part, method, monkeypatch):
    hit = plant(monkeypatch, type(PARTS[part]), method, about_first)
    cluster = told_to(Cluster(nodes=2, seed=3, strict=False, addons=False))
    if hit:
        same_again(cluster)
