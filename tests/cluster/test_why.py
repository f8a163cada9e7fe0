"""Causes: from any write back to the journal entry, through forks, snapshots and replays."""

import pytest

from cluster_engine import Cluster
from cluster_engine.sim import Causes, Link
from cluster_engine.sim.causes import LINKS_KEPT, ROOTS_KEPT, merged

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: nginx, image: "nginx:1.27", readinessProbe: {httpGet: {path: /, port: 80}}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: big}
spec:
  containers: [{name: c, image: "nginx:1.27", resources: {requests: {cpu: "64"}}}]
"""


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster(nodes=3, seed=3, freezing=True)
    cluster.apply(WEB)
    cluster.advance(60)
    return cluster


def told(chain):
    """(component, verb, resource) of each link, oldest first, repeats left out; the entry by its method."""
    short = []
    for link in reversed(chain):
        step = (link.component, link.verb, link.resource)
        if step not in short:
            short.append(step)
    return short


def entries(cluster, chain):
    """The objects that the journal entries at the chain's ends are about."""
    paths = {entry.seq: entry.payload["path"] for entry in cluster.journal if entry.kind == "request"}
    return {paths[link.entry].rpartition("/")[2] for link in chain if link.entry is not None}


def pod(cluster):
    return cluster.list("pods", "default", "app=web")[0]["metadata"]["name"]


def test_a_running_pod_goes_back_to_the_request(cluster):
    chain = cluster.why("pods", "default", pod(cluster))
    assert told(chain) == [
        ("kubernetes-admin", "PATCH", ""),
        ("kubernetes-admin", "create", "deployments.apps"),
        ("deployment-controller", "create", "replicasets.apps"),
        ("replicaset-controller", "create", "pods"),
        ("kube-scheduler", "update", "pods"),
        ("kubelet", "update", "pods"),
    ]
    assert entries(cluster, chain) == {"web"}
    assert chain[0].key == f"default/{pod(cluster)}"
    assert chain[0].revision == int(cluster.get("pods", pod(cluster))["metadata"]["resourceVersion"])
    assert [link.at for link in chain] == sorted((link.at for link in chain), reverse=True)


CASES = [
    pytest.param(
        "endpointslices", None, {"web"}, "endpointslice-controller", id="what several writes led to"
    ),
    pytest.param("replicasets", None, {"web"}, "replicaset-controller", id="a status"),
    pytest.param("events", "Started", {"web"}, "kubelet", id="an Event"),
    pytest.param("events", "FailedScheduling", {"big"}, "kube-scheduler", id="a refusal"),
]


@pytest.mark.parametrize(("resource", "reason", "ends", "component"), CASES)
def test_whatever_was_written_has_a_cause(cluster, resource, reason, ends, component):
    found = [
        obj["metadata"]["name"]
        for obj in cluster.list(resource, "default")
        if obj["metadata"]["name"] != "kubernetes" and (reason is None or obj["reason"] == reason)
    ]
    chain = cluster.why(resource, "default", found[0])
    assert chain[0].component == component
    assert entries(cluster, chain) == ends


def test_an_older_write_and_one_that_is_not_known(cluster):
    first = cluster.why("pods", "default", pod(cluster))
    created = next(link for link in first if link.verb == "create" and link.resource == "pods")
    assert cluster.why("pods", "default", pod(cluster), created.revision)[0] == created
    for resource, name, version in [
        ("pods", "nobody", None),
        ("pods", pod(cluster), 1),
        ("teapots", "a", None),
    ]:
        with pytest.raises(KeyError):
            cluster.why(resource, "default", name, version)


def test_what_has_no_namespace_has_a_cause(cluster):
    chain = cluster.why("nodes", "", "worker-1")
    assert (chain[0].component, chain[0].key) == ("kubelet", "worker-1")
    assert (chain[-1].component, chain[-1].verb, chain[-1].causes) == ("kubernetes-admin", "PATCH", ())


def test_a_deletion_has_a_cause_too(cluster):
    fork = cluster.fork()
    gone = pod(fork)
    fork.delete("deployments", "web")
    fork.advance(60)
    chain = fork.why("pods", "default", gone)
    assert (chain[0].verb, chain[-1].verb) == ("delete", "DELETE")
    assert ("generic-garbage-collector", "delete", "replicasets.apps") in told(chain)
    assert chain[-1].entry == next(e.seq for e in fork.journal if e.payload.get("method") == "DELETE")


def test_causes_survive_fork_snapshot_and_replay(cluster):
    asked = ("pods", "default", pod(cluster))
    chain = cluster.why(*asked)
    for other in (cluster.fork(), Cluster.restore(cluster.snapshot()), Cluster.replay(cluster.journal)):
        assert other.why(*asked) == chain
        other.advance(0.001)
        assert other.why(*asked) == chain


def test_what_is_remembered_is_bounded():
    causes = Causes()
    causes.entry(1, 0, "POST", "/a", "me")
    for revision in range(1, LINKS_KEPT + 3):
        causes.wrote(0, "create", "pods", f"p{revision}", revision)
        causes.roots = (-1,)
    assert causes.of("pods", "p2") is None
    assert causes.of("pods", "p3") == Link(0, "me", "/a", "create", "pods", "p3", 3, (-1,))
    assert len(causes.state()) == LINKS_KEPT
    roots = ()
    for number in range(ROOTS_KEPT + 5):
        roots = merged(roots, (number,))
    assert roots == tuple(range(ROOTS_KEPT))
