"""A client stays with its endpoint (``sessionAffinity: ClientIP``); whom an endpoint sees; who is let in."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.network import WORKSTATION_IP, Packet, Rule, Verdict
from cluster_engine.network.affinity import REMEMBERED, Affinities
from cluster_engine.sim import SECOND

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"


def _pod(name: str, node: str, image: str, *words: str, field: str = "args") -> JSON:
    container = {"name": "c", "image": image, field: list(words)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name.partition("-")[0]}},
        "spec": {"nodeName": node, "containers": [container]},
    }


def _service(name: str, ip: str, node_port: int, **spec: Any) -> JSON:
    port = {"port": 80, "targetPort": 8080, "nodePort": node_port}
    spec = {"type": "LoadBalancer", "clusterIP": ip, "selector": {"app": "web"}, "ports": [port], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


STICKY = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, seed=5, freezing=True)
    cluster.apply(
        [
            _pod("client", "worker-1", "busybox:1.36", "sleep", "1d", field="command"),
            *(_pod(f"web-{n}", f"worker-{1 + n % 2}", AGNHOST, "netexec") for n in range(4)),
            _service("sticky", "10.96.7.1", 30001, **STICKY),
            _service("cluster", "10.96.7.2", 30002),
            _service("local", "10.96.7.3", 30003, externalTrafficPolicy="Local"),
            _service(
                "guarded", "10.96.7.4", 30004, loadBalancerSourceRanges=["172.18.0.0/16 ", "10.9.0.0/16"]
            ),
        ]
    )
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def ask(cluster: Cluster, url: str, times: int = 1) -> list[str]:
    line = f"for i in $(seq {times}); do wget -qO- {url}; echo; done"
    return cluster.execute("client", ["sh", "-c", line], limit=300).stdout.decode().split()


def test_a_client_stays_until_its_time_is_over(cluster: Cluster) -> None:
    """Each call begins the time anew; a fork, a snapshot and a replay remember whom it had."""
    first = ask(cluster, "http://10.96.7.1/hostName", 12)
    assert len(set(first)) == 1
    assert len(set(ask(cluster, "http://10.96.7.2/hostName", 12))) > 1
    heard = []
    for _ in range(6):
        cluster.advance(50)
        heard += ask(cluster, "http://10.96.7.1/hostName")
    assert set(heard) == set(first)
    assert set(ask(Cluster.restore(cluster.snapshot()), "http://10.96.7.1/hostName", 3)) == set(first)
    later = []
    for _ in range(8):
        cluster.advance(70)
        later += ask(cluster, "http://10.96.7.1/hostName")
    assert len(set(later)) > 1


def test_a_client_whose_endpoint_is_gone_gets_another(cluster: Cluster) -> None:
    (had,) = set(ask(cluster, "http://10.96.7.1/hostName", 3))
    cluster.delete("pods", had, "default")
    cluster.settle()
    (has,) = set(ask(cluster, "http://10.96.7.1/hostName", 6))
    assert has != had


def test_what_is_remembered_is_bounded() -> None:
    affinities = Affinities()
    rule = Rule("shop/web", (("10.244.1.1", 80), ("10.244.2.1", 80)), sticky=10)
    for number in range(REMEMBERED + 5):
        affinities.endpoint(rule, Packet(str(number), "10.96.7.1", 80), 0, lambda count: 1)
    assert len(affinities.state()) == REMEMBERED
    assert (
        affinities.endpoint(rule, Packet("9", "10.96.7.1", 80), 10 * SECOND, lambda count: 0)[0]
        == "10.244.2.1"
    )
    assert affinities.endpoint(rule, Packet("0", "10.96.7.1", 80), 0, lambda count: 0)[0] == "10.244.1.1"


# Service: (port, whether the Pod behind sees the caller's own address, not the node's)
SEEN = {"cluster": (30002, False), "local": (30003, True)}


@pytest.mark.parametrize(("port", "itself"), SEEN.values(), ids=SEEN.keys())
def test_whom_an_endpoint_sees_behind_a_node_port(cluster: Cluster, port: int, itself: bool) -> None:
    node = str(cluster.list("nodes")[1]["status"]["addresses"][0]["address"])
    own = str((cluster.get("pods", "client") or {})["status"]["podIP"])
    (seen,) = ask(cluster, f"http://{node}:{port}/clientip")
    assert seen.partition(":")[0] == (own if itself else node)
    assert ask(cluster, "http://10.96.7.2/clientip")[0].partition(":")[0] == own


BALANCED = "203.0.113.9"
SOURCES = {
    "within a range": (WORKSTATION_IP, Verdict.DELIVER),
    "within another": ("10.9.1.1", Verdict.DELIVER),
    "outside of all": ("198.51.100.1", Verdict.DROP),
}


@pytest.mark.parametrize(("source", "verdict"), SOURCES.values(), ids=SOURCES.keys())
def test_a_balancer_lets_in_its_ranges(cluster: Cluster, source: str, verdict: Verdict) -> None:
    status = {"status": {"loadBalancer": {"ingress": [{"ip": BALANCED}]}}}
    path = "/api/v1/namespaces/default/services/guarded/status"
    headers = {"content-type": "application/merge-patch+json"}
    answer = cluster.request(Request("PATCH", path, [], headers, orjson.dumps(status), ADMIN))
    assert answer.status == 200
    assert cluster.network.way(source, BALANCED, 80).verdict == verdict
    assert cluster.network.way(source, "10.96.7.4", 80).verdict == Verdict.DELIVER
