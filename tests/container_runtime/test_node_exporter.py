"""Prometheus' node exporter, as a DaemonSet runs it: its pages, its arguments, its log."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

OBJECTS = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-exporter, namespace: default}
spec:
  selector: {matchLabels: {app: node-exporter}}
  template:
    metadata: {labels: {app: node-exporter}}
    spec:
      hostNetwork: true
      hostPID: true
      containers:
      - name: c
        image: quay.io/prometheus/node-exporter:v1.9.1
        args:
        - --path.procfs=/host/proc
        - --path.rootfs=/host/root
        - --no-collector.cpu
        - --collector.filesystem.mount-points-exclude=^/(dev|proc|sys)($|/)
        ports: [{containerPort: 9100, hostPort: 9100}]
        volumeMounts: [{name: root, mountPath: /host/root, readOnly: true, mountPropagation: HostToContainer}]
      volumes: [{name: root, hostPath: {path: /}}]
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec: {containers: [{name: c, image: nicolaka/netshoot, command: [sleep, 100d]}]}
"""


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(OBJECTS)
    assert cluster.settle()
    return cluster


PAGES = {
    "its metrics": ("/metrics", 'node_uname_info{domainname="(none)",machine="x86_64",nodename="worker-1",'),
    "memory": ("/metrics", "node_memory_MemTotal_bytes 8589934592\n"),
    "no collector that is turned off": ("/metrics", 'collector_success{collector="filesystem"} 1\n'),
    "its page": ("/", '<a href="/metrics">Metrics</a>'),
    "no page": ("/other", "404 page not found\n"),
}


@pytest.mark.parametrize(("path", "said"), PAGES.values(), ids=PAGES)
def test_a_page(cluster: Cluster, path: str, said: str) -> None:
    address = (cluster.get("nodes", "worker-1") or {})["status"]["addresses"][0]["address"]
    heard = cluster.execute("client", ["curl", "-s", f"http://{address}:9100{path}"]).stdout.decode()
    assert said in heard
    assert "node_cpu" not in heard


def test_its_log(cluster: Cluster) -> None:
    name = next(p["metadata"]["name"] for p in cluster.list("pods", "default") if p["spec"].get("hostPID"))
    path = f"/api/v1/namespaces/default/pods/{name}/log"
    said = cluster.request(Request("GET", path, user=ADMIN)).body.decode()
    assert 'msg="Starting node_exporter" version="(version=1.9.1)"' in said
    assert 'msg="Listening on" address=[::]:9100' in said


def test_a_flag_that_it_has_not() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    spec = {
        "containers": [{"name": "c", "image": "prom/node-exporter", "args": ["--nothing"]}],
        "restartPolicy": "Never",
    }
    meta = {"name": "wrong", "namespace": "default"}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    cluster.advance(10)
    path = "/api/v1/namespaces/default/pods/wrong/log"
    said = cluster.request(Request("GET", path, user=ADMIN)).body.decode()
    assert said == "node_exporter: error: unknown long flag '--nothing', try --help\n"
