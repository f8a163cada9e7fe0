"""CoreDNS: its Corefile, what becomes of a changed one, and records as Pods see them."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.addons.manifests import COREFILE
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime import corefile
from cluster_engine.container_runtime.corefile import CorefileError, read, zone_of
from cluster_engine.kube_apiserver import ADMIN, Request

WRONG: dict[str, tuple[str, str]] = {
    "an unknown plugin": (
        ".:53 {\n  kubernets cluster.local\n}\n",
        "Corefile:2 - Error during parsing: Unknown directive 'kubernets'",
    ),
    "no brace": (".:53\n", "Corefile:1 - Error during parsing: Unexpected end of line: expected '{'"),
    "not closed": (".:53 {\n errors\n", "Corefile:3 - Error during parsing: Unexpected EOF"),
    "closed twice": (
        ".:53 {\n}\n}\n",
        "Corefile:3 - Error during parsing: Unexpected '}' because no matching opening brace",
    ),
    "a quote": ('.:53 {\n forward . "x\n}\n', "Corefile:2 - Error during parsing: Unexpected EOF"),
    "forward to nobody": (
        ".:53 {\n forward .\n}\n",
        "plugin/forward: Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after '.'",
    ),
    "hosts": (
        ".:53 {\n hosts {\n  web\n }\n}\n",
        "plugin/hosts: Corefile:3 - Error during parsing: unknown property 'web'",
    ),
    "not simulated": (".:53 {\n template IN A\n}\n", "not simulated by this cluster: the plugin template"),
    "a rewrite": (".:53 {\n rewrite name regex a b\n}\n", "of rewrite CoreDNS has more than"),
    "too long": ("\n" * (corefile.LINES + 1), "lines are not read here"),
}


@pytest.mark.parametrize(("text", "why"), WRONG.values(), ids=WRONG.keys())
def test_what_is_no_corefile(text: str, why: str) -> None:
    with pytest.raises(CorefileError) as problem:
        read(text)
    assert why in str(problem.value)


def test_zones() -> None:
    zones = read("example.org:53 lab.example.org {\n whoami\n}\n.:53 { # all\n log\n}\n")
    names = {name: zone_of(zones, name) for name in ("a.example.org", "lab.example.org", "x", "")}
    assert [zone is zones[0] for zone in names.values()] == [True, True, False, False]
    assert zone_of(zones[:1], "x") is None


OBJECTS = """
apiVersion: v1
kind: Pod
metadata: {name: cli}
spec: {containers: [{name: c, image: nicolaka/netshoot, command: [sleep, 1d]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {app: srv}}
spec: {hostname: a, subdomain: pods, containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: pods}
spec: {clusterIP: None, selector: {app: srv}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.7.1, selector: {app: srv}, ports: [{name: http, port: 80}, {name: more, port: 81}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias}
spec: {type: ExternalName, externalName: web.default.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: away}
spec: {type: ExternalName, externalName: example.org}
"""


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(OBJECTS)
    cluster.advance(20)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def ask(cluster: Cluster, *argv: str) -> str:
    result = cluster.execute("cli", argv, limit=120)
    return (result.stdout + result.stderr).decode()


ZONE = "default.svc.cluster.local"


def configure(cluster: Cluster, text: str) -> None:
    found = cluster.get("configmaps", "coredns", "kube-system")
    assert found is not None
    meta = {"name": "coredns", "namespace": "kube-system"}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"Corefile": text}})
    cluster.advance(120)  # kubelets look at mounted ConfigMaps every 60 to 90 seconds


def logs(cluster: Cluster) -> str:
    pods: list[JSON] = cluster.list("pods", "kube-system", "k8s-app=kube-dns")
    paths = [f"/api/v1/namespaces/kube-system/pods/{pod['metadata']['name']}/log" for pod in pods]
    return "".join(cluster.request(Request("GET", p, [], {}, b"", ADMIN)).body.decode() for p in paths)


def test_a_corefile_that_changes(cluster: Cluster) -> None:
    more = "log\n    rewrite name short.example web.default.svc.cluster.local\n"
    hosts = "    hosts {\n        192.0.2.7 lab.example\n        fallthrough\n    }\n    ready\n"
    configure(cluster, COREFILE.replace("ready\n", more + hosts))
    for _ in range(4):  # both servers are asked
        assert ask(cluster, "dig", "+short", "lab.example") == "192.0.2.7\n"
        assert ask(cluster, "dig", "+short", "short.example") == "10.96.7.1\n"
        assert ask(cluster, "dig", "+short", f"web.{ZONE}") == "10.96.7.1\n"
    said = logs(cluster)
    assert "[INFO] Reloading\n[INFO] plugin/reload: Running configuration SHA512 = " in said
    assert '"A IN lab.example. udp ' in said
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_a_corefile_with_a_mistake_changes_nothing(cluster: Cluster) -> None:
    configure(cluster, COREFILE.replace("forward", "foward"))
    for _ in range(4):
        assert ask(cluster, "dig", "+short", f"web.{ZONE}") == "10.96.7.1\n"
    assert "[ERROR] Restart failed: Corefile:13 - Error during parsing: Unknown directive 'foward'" in logs(
        cluster
    )


def test_a_server_that_begins_with_a_mistake(cluster: Cluster) -> None:
    configure(cluster, COREFILE.replace("forward", "foward"))
    for pod in cluster.list("pods", "kube-system", "k8s-app=kube-dns"):
        path = f"/api/v1/namespaces/kube-system/pods/{pod['metadata']['name']}"
        cluster.request(Request("DELETE", path, [], {}, b"", ADMIN))
    cluster.advance(90)
    states = [
        pod["status"]["containerStatuses"][0]
        for pod in cluster.list("pods", "kube-system", "k8s-app=kube-dns")
    ]
    assert all(state["restartCount"] > 0 for state in states)
    assert "/etc/coredns/Corefile:13 - Error during parsing: Unknown directive 'foward'" in logs(cluster)
    assert ask(cluster, "nslookup", "web") == ";; connection timed out; no servers could be reached\n\n"
