"""NetworkPolicies in a whole cluster: who reaches whom, by Pods, namespaces, addresses and ports."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster

JSON = dict[str, Any]


def pod(name: str, namespace: str = "default", image: str = "busybox") -> JSON:
    container: JSON = {"name": "c", "image": image}
    if image == "busybox":
        container["command"] = ["sleep", "1d"]
    else:
        container["ports"] = [{"name": "http", "containerPort": 80}]
    meta = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


def policy(name: str = "p", **spec: Any) -> JSON:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


@pytest.fixture(scope="module")
def booted() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    team = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", "labels": {"team": "a"}}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "db"},
        "spec": {"selector": {"app": "db"}, "ports": [{"port": 8080, "targetPort": 80}]},
    }
    cluster.apply([team, service])
    assert cluster.settle()  # the namespace has its service account
    cluster.apply([pod("db", image="nginx"), pod("web"), pod("other"), pod("web", "team")])
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def reaches(cluster: Cluster, name: str, namespace: str = "default", url: str = "db.default:8080") -> bool:
    done = cluster.execute(name, ["wget", "-q", "-T", "2", "-O", "-", url], namespace=namespace)
    return done.exit_code == 0


DB = {"podSelector": {"matchLabels": {"app": "db"}}}
WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
TEAM = {"namespaceSelector": {"matchLabels": {"team": "a"}}}
# id: (spec, whether default/web, default/other and team/web reach default/db)
POLICIES: dict[str, tuple[JSON, tuple[bool, bool, bool]]] = {
    "nobody": ({**DB, "policyTypes": ["Ingress"]}, (False, False, False)),
    "somebody else is isolated": ({**WEB, "policyTypes": ["Ingress"]}, (True, True, True)),
    "everybody": ({**DB, "ingress": [{}]}, (True, True, True)),
    "Pods of the namespace": ({**DB, "ingress": [{"from": [{"podSelector": {}}]}]}, (True, True, False)),
    "some Pods of the namespace": ({**DB, "ingress": [{"from": [WEB]}]}, (True, False, False)),
    "a namespace": ({**DB, "ingress": [{"from": [TEAM]}]}, (False, False, True)),
    "some Pods of a namespace": ({**DB, "ingress": [{"from": [{**TEAM, **DB}]}]}, (False, False, False)),
    "one or the other": ({**DB, "ingress": [{"from": [WEB, TEAM]}]}, (True, False, True)),
    "an address range": (
        {**DB, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}, (True, True, True)),
    "but not all of it": (
        {**DB, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.244.0.0/16"]}}]}]},
        (False, False, False)),
    "the port behind the Service": ({**DB, "ingress": [{"ports": [{"port": 80}]}]}, (True, True, True)),
    "not the Service's port": ({**DB, "ingress": [{"ports": [{"port": 8080}]}]}, (False, False, False)),
    "a named port": ({**DB, "ingress": [{"ports": [{"port": "http"}]}]}, (True, True, True)),
    "a range of ports": ({**DB, "ingress": [{"ports": [{"port": 70, "endPort": 90}]}]}, (True, True, True)),
    "another protocol": (
        {**DB, "ingress": [{"ports": [{"port": 80, "protocol": "UDP"}]}]}, (False, False, False)),
    "nothing leaves": ({**WEB, "policyTypes": ["Egress"]}, (False, True, True)),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "expected"), POLICIES.values(), ids=POLICIES.keys())
def test_who_reaches_whom(cluster: Cluster, spec: JSON, expected: tuple[bool, bool, bool]) -> None:
    cluster.apply(policy(**spec))
    found = reaches(cluster, "web"), reaches(cluster, "other"), reaches(cluster, "web", "team")
    assert found == expected


def test_answers_come_back_and_names_must_be_let_out(cluster: Cluster) -> None:
    cluster.apply(policy("shut", podSelector={}, policyTypes=["Ingress"]))
    cluster.apply(policy("db", **DB, ingress=[{"from": [WEB]}]))
    # Its question for the name went out, so the answer comes in, although nobody may begin to talk to it.
    assert reaches(cluster, "web")
    cluster.apply(policy("out", **WEB, egress=[{"to": [DB]}]))
    address = (cluster.get("services", "db") or {})["spec"]["clusterIP"]
    assert not reaches(cluster, "web")
    assert reaches(cluster, "web", url=f"{address}:8080")
    cluster.apply(policy("names", **WEB, egress=[{"ports": [{"port": 53, "protocol": "UDP"}]}]))
    assert reaches(cluster, "web")


def test_the_kubelet_reaches_its_pods(cluster: Cluster) -> None:
    cluster.apply(policy("shut", podSelector={}, policyTypes=["Ingress", "Egress"]))
    probed = pod("probed", image="nginx")
    probed["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"port": 80}, "periodSeconds": 1}
    cluster.apply(probed)
    assert cluster.settle()
    conditions = {
        c["type"]: c["status"] for c in (cluster.get("pods", "probed") or {})["status"]["conditions"]
    }
    assert conditions["Ready"] == "True"


def test_why_is_told(cluster: Cluster) -> None:
    cluster.apply(policy("shut", **DB, policyTypes=["Ingress"]))
    source, target = ((cluster.get("pods", n) or {})["status"]["podIP"] for n in ("web", "db"))
    way = cluster.network.way(source, target, 80)
    assert way.steps[-1] == [
        "ingress", f"default/db is isolated by default/shut, and no rule lets {source} through",
    ]  # fmt: skip
