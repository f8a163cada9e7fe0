"""Names to addresses, addresses to Pods: straight from the stored objects."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.coredns import Resolver
from cluster_engine.etcd import Store
from cluster_engine.kube_proxy import ServiceProxy
from cluster_engine.sim import Clock


def _service(name: str, ip: str, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP", "nodePort": 30080}]
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
    assert Resolver(informers).lookup(name, namespace) == expected


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        pytest.param("api", 80, ["shop/pod-1", "shop/pod-3"], id="ready-ones-only"),
        pytest.param("10.96.0.7", 80, ["shop/pod-1", "shop/pod-3"], id="by-address"),
        pytest.param("api", 81, [], id="port-not-served"),
        pytest.param("empty", 80, [], id="no-endpoints"),
        pytest.param("closing", 80, ["shop/pod-5"], id="terminating-when-nothing-else-is-left"),
        pytest.param("10.244.1.9", 8080, ["shop/web"], id="a-pod"),
        pytest.param("192.168.0.11", 30080, ["shop/pod-1", "shop/pod-3"], id="node-port"),
        pytest.param("192.0.2.1", 80, [], id="nobody"),
    ],
)
def test_route(informers: SharedInformerFactory, host: str, port: int, expected: list[str]) -> None:
    assert [entry.pod for entry in ServiceProxy(informers).route(host, port, "shop").endpoints] == expected


def test_resolve_picks_by_the_number_given(informers: SharedInformerFactory) -> None:
    proxy = ServiceProxy(informers)
    picked = [proxy.resolve("api", 80, "shop", choice=n) for n in range(3)]
    assert [found and (found.ip, found.port) for found in picked] == [
        ("10.244.1.1", 8080),
        ("10.244.1.3", 8080),
        ("10.244.1.1", 8080),
    ]
    assert proxy.resolve("empty", 80, "shop") is None
