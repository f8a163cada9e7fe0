"""Who answers for a Service: its type, traffic policies and distribution, over ready, unready and leaving endpoints.

Nodes worker-1 (with the client), worker-2, and worker-4 in the zone of worker-1.
"""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.network import WORKSTATION_IP, Verdict

PODS = {
    "near": ("worker-1", "ready"),
    "beside": ("worker-4", "ready"),
    "far": ("worker-2", "ready"),
    "near-unready": ("worker-1", "unready"),
    "far-unready": ("worker-2", "unready"),
    "near-leaving": ("worker-1", "leaving"),
    "far-leaving": ("worker-2", "leaving"),
}
INTERNAL, EXTERNAL = {"internalTrafficPolicy": "Local"}, {"externalTrafficPolicy": "Local"}
NODE_PORT: JSON = {"type": "NodePort"}
SAME_ZONE, SAME_NODE = {"trafficDistribution": "PreferSameZone"}, {"trafficDistribution": "PreferSameNode"}
PUBLISH = {"publishNotReadyAddresses": True}
REFUSED, DROPPED = ("refused",), ("dropped",)
BOTH = ("far", "near")

# id: (spec, its Pods, from where, to where, who answers)
CASES: dict[str, tuple[JSON, tuple[str, ...], str, str, tuple[str, ...]]] = {
    "cluster: all ready ones": ({}, BOTH, "client", "ip", BOTH),
    "cluster: ready before unready": ({}, ("near-unready", "far"), "client", "ip", ("far",)),
    "cluster: unready alone": ({}, ("near-unready", "far-unready"), "client", "ip", REFUSED),
    "cluster: published": (PUBLISH, ("near-unready", "far"), "client", "ip", ("far", "near-unready")),
    "cluster: ready before leaving": ({}, ("near-leaving", "far"), "client", "ip", ("far",)),
    "cluster: leaving before nothing": (
        {},
        ("near-leaving", "far-leaving", "far-unready"),
        "client",
        "ip",
        ("far-leaving", "near-leaving"),
    ),
    "cluster: nobody": ({}, (), "client", "ip", REFUSED),
    "internal Local: the node's own": (INTERNAL, BOTH, "client", "ip", ("near",)),
    "internal Local: none here": (INTERNAL, ("far", "beside"), "client", "ip", DROPPED),
    "internal Local: unready here": (INTERNAL, ("near-unready", "far"), "client", "ip", DROPPED),
    "internal Local: leaving here": (INTERNAL, ("near-leaving", "far"), "client", "ip", ("near-leaving",)),
    "internal Local: nobody anywhere": (INTERNAL, (), "client", "ip", REFUSED),
    "internal Local: node port": ({**NODE_PORT, **INTERNAL}, BOTH, "client", "worker-1", BOTH),
    "node port, a Pod": (NODE_PORT, BOTH, "client", "worker-2", BOTH),
    "node port, outside": (NODE_PORT, ("near", "far-unready"), "outside", "worker-2", ("near",)),
    "node port, nobody": (NODE_PORT, ("near-unready",), "client", "worker-2", REFUSED),
    "external Local, outside": ({**NODE_PORT, **EXTERNAL}, BOTH, "outside", "worker-1", ("near",)),
    "external Local, outside, none there": (
        {**NODE_PORT, **EXTERNAL},
        BOTH,
        "outside",
        "worker-4",
        DROPPED,
    ),
    "external Local, outside, leaving there": (
        {**NODE_PORT, **EXTERNAL},
        ("near-leaving", "far"),
        "outside",
        "worker-1",
        ("near-leaving",),
    ),
    "external Local, outside, nobody": ({**NODE_PORT, **EXTERNAL}, (), "outside", "worker-1", REFUSED),
    "external Local, a Pod": ({**NODE_PORT, **EXTERNAL}, BOTH, "client", "worker-4", BOTH),
    "external Local, its cluster IP": ({**NODE_PORT, **EXTERNAL}, BOTH, "client", "ip", BOTH),
    "same zone": (SAME_ZONE, ("near", "far", "beside"), "client", "ip", ("beside", "near")),
    "same zone: PreferClose": (
        {"trafficDistribution": "PreferClose"},
        ("far", "beside"),
        "client",
        "ip",
        ("beside",),
    ),
    "same zone: none there": (SAME_ZONE, ("far",), "client", "ip", ("far",)),
    "same zone: leaving there": (SAME_ZONE, ("near-leaving", "far"), "client", "ip", ("far",)),
    "same zone, outside": ({**NODE_PORT, **SAME_ZONE}, BOTH, "outside", "worker-2", ("far",)),
    "same node": (SAME_NODE, ("near", "beside", "far"), "client", "ip", ("near",)),
    "same node: then the zone": (SAME_NODE, ("beside", "far"), "client", "ip", ("beside",)),
    "same node: then anybody": (SAME_NODE, ("far",), "client", "ip", ("far",)),
}
SETS = sorted({pods for _, pods, _, _, _ in CASES.values()})


def _pod(name: str, node: str, state: str) -> JSON:
    container: JSON = {"name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost:2.53"}
    container["args"] = ["netexec"]
    if state == "unready":
        container["readinessProbe"] = {"httpGet": {"path": "/echo?code=500", "port": 8080}}
    if state == "leaving":
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": 3_000}}}
    labels = {f"set-{number}": "yes" for number, pods in enumerate(SETS) if name in pods}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 3_600, "containers": [container]},
    }


def _service(number: int, spec: JSON, pods: tuple[str, ...]) -> JSON:
    port: JSON = {"port": 80, "targetPort": 8080}
    if spec.get("type"):
        port["nodePort"] = 30_000 + number
    selector = {f"set-{SETS.index(pods)}": "yes"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"s{number}"},
        "spec": {"clusterIP": f"10.96.7.{number + 1}", "selector": selector, "ports": [port], **spec},
    }


CLIENT: JSON = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "client"},
    "spec": {
        "nodeName": "worker-1",
        "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "1d"]}],
    },
}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=5, seed=5, freezing=True)
    services = [_service(n, spec, pods) for n, (spec, pods, *_) in enumerate(CASES.values())]
    cluster.apply([CLIENT, *(_pod(name, *about) for name, about in PODS.items()), *services])
    cluster.advance(30)
    for name, (_, state) in PODS.items():
        if state == "leaving":
            cluster.delete("pods", name, "default")
    cluster.advance(30)
    return cluster


def _node_ip(cluster: Cluster, name: str) -> str:
    node = cluster.get("nodes", name)
    assert node is not None
    return next(str(a["address"]) for a in node["status"]["addresses"] if a["type"] == "InternalIP")


@pytest.mark.parametrize(
    ("number", "source", "to", "expected"),
    [(number, *case[2:]) for number, case in enumerate(CASES.values())],
    ids=CASES.keys(),
)
def test_who_answers(base: Cluster, number: int, source: str, to: str, expected: tuple[str, ...]) -> None:
    ip, port = (f"10.96.7.{number + 1}", 80) if to == "ip" else (_node_ip(base, to), 30_000 + number)
    answers = _outside(base, ip, port) if source == "outside" else _inside(base, f"http://{ip}:{port}")
    assert answers == expected


def _inside(base: Cluster, url: str) -> tuple[str, ...]:
    """Whom a Pod hears, calling often enough to hear all of two; or how it fails."""
    call = f"wget -T 2 -qO- {url}/hostName && echo"
    done = base.fork().execute("client", ["sh", "-c", f"for i in $(seq 14); do {call}; done"], limit=300)
    if b"refused" in done.stderr:
        return REFUSED
    if b"timed out" in done.stderr:
        return DROPPED
    return tuple(sorted(set(done.stdout.decode().split())))


def _outside(base: Cluster, ip: str, port: int) -> tuple[str, ...]:
    """Who has the address that a packet from outside is led to (one at most)."""
    way = base.network.way(WORKSTATION_IP, ip, port)
    if way.verdict in (Verdict.DROP, Verdict.REJECT):
        return DROPPED if way.verdict == Verdict.DROP else REFUSED
    return tuple(
        p["metadata"]["name"] for p in base.list("pods", "default") if p["status"]["podIP"] == way.ip
    )


HEALTH = """
apiVersion: v1
kind: Service
metadata: {name: watched, namespace: default}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  healthCheckNodePort: 30999
  selector: {app: watched}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: watched, namespace: default, labels: {app: watched}}
spec: {nodeName: worker-1, containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: balancer, namespace: default}
spec: {containers: [{name: c, image: nicolaka/netshoot, command: [sleep, 100d]}]}
"""


def test_a_balancer_asks_each_node_for_its_health() -> None:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(HEALTH)
    cluster.settle()

    def asks(node: str, port: int = 30999) -> str:
        ip = next(a["address"] for a in cluster.get("nodes", node)["status"]["addresses"])
        url = f"http://{ip}:{port}/healthz"
        return cluster.execute("balancer", ["curl", "-s", "-w", "%{http_code}", url]).stdout.decode()

    body = '{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "watched"\n\t},\n'
    assert asks("worker-1") == f'{body}\t"localEndpoints": 1,\n\t"serviceProxyHealthy": true\n}}200'
    assert asks("worker-2") == f'{body}\t"localEndpoints": 0,\n\t"serviceProxyHealthy": true\n}}503'
    assert asks("worker-1", 30998) == "000"
    cluster.delete("pods", "watched", "default")
    cluster.settle()
    assert asks("worker-1").endswith("503")
    cluster.delete("services", "watched", "default")
    assert asks("worker-1") == "000"
