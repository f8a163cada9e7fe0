"""Names to addresses, addresses to Pods: straight from the stored objects."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.coredns import Resolver
from cluster_engine.etcd import Store
from cluster_engine.kube_proxy import Proxy
from cluster_engine.linux import resolver
from cluster_engine.network import Packet, Rule
from cluster_engine.sim import Clock


def _service(name: str, ip: str, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    port = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    ports = [{**port, "nodePort": 30080} if name == "api" else port]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "clusterIPs": [ip], "ports": ports, **spec},
    }


def _slice(name: str, *endpoints: tuple[str, bool, bool], hostname: str = "") -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-x",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": name},
        },
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": [ip],
                "conditions": {"ready": ready, "serving": True, "terminating": terminating},
                "targetRef": {"kind": "Pod", "namespace": "shop", "name": f"pod-{ip[-1]}"},
                **({"hostname": hostname} if hostname else {}),
            }
            for ip, ready, terminating in endpoints
        ],
    }


@pytest.fixture
def informers() -> SharedInformerFactory:
    store = Store(Clock(0), freezing=True)
    slices = "endpointslices.discovery.k8s.io"
    for service in (
        _service("api", "10.96.0.7"),
        _service("db", "None"),
        _service("empty", "10.96.0.8"),
        _service("closing", "10.96.0.9"),
        _service("alias", "", type="ExternalName", externalName="api.shop.svc.cluster.local"),
    ):
        store.put("services", f"shop/{service['metadata']['name']}", service)
    for slice in (
        _slice("api", ("10.244.1.1", True, False), ("10.244.1.2", False, False), ("10.244.1.3", True, False)),
        _slice("db", ("10.244.1.4", True, False), hostname="db-0"),
        _slice("closing", ("10.244.1.5", False, True)),
    ):
        store.put(slices, f"shop/{slice['metadata']['name']}", slice)
    pod = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {}, "status": {"podIP": "10.244.1.9"}}
    store.put("pods", "shop/web", pod)
    addresses = [{"type": "InternalIP", "address": "192.168.0.11"}, {"type": "Hostname", "address": "n1"}]
    store.put("nodes", "n1", {"metadata": {"name": "n1"}, "spec": {}, "status": {"addresses": addresses}})
    return SharedInformerFactory(store)


@pytest.mark.parametrize(
    ("name", "namespace", "expected"),
    [
        pytest.param("api", "shop", ["10.96.0.7"], id="same-namespace"),
        pytest.param("api", "other", [], id="other-namespace"),
        pytest.param("api.shop", "other", ["10.96.0.7"], id="with-namespace"),
        pytest.param("api.shop.svc", "other", ["10.96.0.7"], id="with-svc"),
        pytest.param("API.shop.svc.cluster.local.", "other", ["10.96.0.7"], id="absolute"),
        pytest.param("db", "shop", ["10.244.1.4"], id="headless"),
        pytest.param("db-0.db.shop", "shop", ["10.244.1.4"], id="headless-host"),
        pytest.param("db-9.db.shop", "shop", [], id="no-such-host"),
        pytest.param("alias", "shop", ["10.96.0.7"], id="external-name"),
        pytest.param("10-244-1-9.shop.pod.cluster.local", "shop", ["10.244.1.9"], id="pod"),
        pytest.param("example.org", "shop", [], id="outside"),
        pytest.param("", "shop", [], id="empty"),
    ],
)
def test_lookup(informers: SharedInformerFactory, name: str, namespace: str, expected: list[str]) -> None:
    search = f"search {namespace}.svc.cluster.local svc.cluster.local cluster.local"
    asked = resolver.questions(name, resolver.config(f"{search}\nnameserver 10.96.0.10\noptions ndots:5\n"))
    answers = [found for full in asked if (found := Resolver(informers).answer(["A", full])) is not None]
    assert [data for _, kind, data in (answers or [[]])[0] if kind == "A"] == expected


@pytest.mark.parametrize(
    ("ip", "port", "expected"),
    [
        pytest.param("10.96.0.7", 80, [("10.244.1.1", 8080), ("10.244.1.3", 8080)], id="ready-ones-only"),
        pytest.param("10.96.0.7", 81, None, id="port-not-served"),
        pytest.param("10.96.0.8", 80, [], id="no-endpoints"),
        pytest.param("10.96.0.9", 80, [("10.244.1.5", 8080)], id="terminating-when-nothing-else-is-left"),
        pytest.param("10.244.1.9", 8080, None, id="a-pod"),
        pytest.param("192.168.0.11", 30080, [("10.244.1.1", 8080), ("10.244.1.3", 8080)], id="node-port"),
        pytest.param("192.168.0.11", 30081, None, id="no-node-port"),
        pytest.param("192.0.2.1", 80, None, id="nobody"),
    ],
)
def test_rules(
    informers: SharedInformerFactory, ip: str, port: int, expected: list[tuple[str, int]] | None
) -> None:
    rule = Proxy(informers).rule(Packet("10.244.9.9", ip, port, "TCP", "n"))
    assert (rule and list(rule.endpoints)) == expected
    assert Proxy(informers).rule(Packet("10.244.9.9", ip, port, "UDP", "n")) is None


def test_rules_follow_the_objects() -> None:
    store = Store(Clock(0), freezing=True)
    proxy = Proxy(SharedInformerFactory(store))
    slices = "endpointslices.discovery.k8s.io"
    packet = Packet("10.244.9.9", "10.96.0.7", 80, "TCP", "n")
    assert (proxy.rule(packet), proxy.owns("10.96.0.7")) == (None, False)
    store.put("services", "shop/api", _service("api", "10.96.0.7"))
    rule = proxy.rule(packet)
    assert (rule, proxy.owns("10.96.0.7")) == (Rule("shop/api:http", ()), True)
    store.put(slices, "shop/api-x", _slice("api", ("10.244.1.1", True, False)))
    rule = proxy.rule(packet)
    assert rule == Rule("shop/api:http", (("10.244.1.1", 8080),))
    assert proxy.rule(packet) is rule
