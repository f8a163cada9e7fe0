"""Endpoints written by hand become EndpointSlices, and traffic follows them."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster

JSON = dict[str, Any]


@pytest.fixture(scope="module")
def booted() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply([pod("back", "nginx"), pod("client", "busybox", command=["sleep", "1d"])])
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def pod(name: str, image: str, **container: Any) -> JSON:
    spec = {"containers": [{"name": "c", "image": image, **container}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def service(**spec: Any) -> JSON:
    ports = [{"port": 8080, "targetPort": 80}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "outer"},
        "spec": {"ports": ports, **spec},
    }


def endpoints(*ips: str, labels: dict[str, str] | None = None, waiting: tuple[str, ...] = ()) -> JSON:
    subset: JSON = {"addresses": [{"ip": ip} for ip in ips], "ports": [{"port": 80}]}
    if waiting:
        subset["notReadyAddresses"] = [{"ip": ip} for ip in waiting]
    meta: JSON = {"name": "outer", **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": [subset]}


def mirrored(cluster: Cluster) -> list[JSON]:
    assert cluster.settle()
    slices = cluster.list("endpointslices.discovery.k8s.io", "default")
    return [
        s
        for s in slices
        if s["metadata"]["labels"].get("endpointslice.kubernetes.io/managed-by")
        == "endpointslicemirroring-controller.k8s.io"
    ]


def test_traffic_follows(cluster: Cluster) -> None:
    address = (cluster.get("pods", "back") or {})["status"]["podIP"]
    cluster.apply([service(), endpoints(address)])
    assert cluster.settle()
    done = cluster.execute("client", ["wget", "-q", "-T", "2", "-O", "-", "outer:8080"])
    assert b"Welcome to nginx" in done.stdout


def test_slices_are_kept_up_to_date(cluster: Cluster) -> None:
    cluster.apply([service(), endpoints("10.1.0.1", labels={"team": "a"}, waiting=("10.1.0.2",))])
    (slice,) = mirrored(cluster)
    assert slice["metadata"]["generateName"] == "outer-"
    assert slice["metadata"]["labels"] == {
        "team": "a",
        "kubernetes.io/service-name": "outer",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    assert [(e["addresses"], e["conditions"]["ready"]) for e in slice["endpoints"]] == [
        (["10.1.0.1"], True), (["10.1.0.2"], False),
    ]  # fmt: skip
    assert slice["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
    cluster.apply(endpoints("10.1.0.3", labels={"team": "a"}))
    (changed,) = mirrored(cluster)
    assert changed["metadata"]["name"] == slice["metadata"]["name"]
    assert [e["addresses"] for e in changed["endpoints"]] == [["10.1.0.3"]]
    cluster.delete("endpointslices.discovery.k8s.io", changed["metadata"]["name"])
    assert len(mirrored(cluster)) == 1
    cluster.delete("endpoints", "outer")
    assert mirrored(cluster) == []


# id: (the Service, labels of the Endpoints, how many slices)
MIRRORED = {
    "a Service without a selector": (service(), None, 1),
    "no Service": (None, None, 0),
    "skipped": (service(), {"endpointslice.kubernetes.io/skip-mirror": "true"}, 0),
}


@pytest.mark.parametrize(("owner", "labels", "count"), MIRRORED.values(), ids=MIRRORED.keys())
def test_which_are_mirrored(
    cluster: Cluster, owner: JSON | None, labels: dict[str, str] | None, count: int
) -> None:
    cluster.apply([*([owner] if owner else []), endpoints("10.1.0.1", labels=labels)])
    assert len(mirrored(cluster)) == count


def test_a_selector_takes_over(cluster: Cluster) -> None:
    cluster.apply([service(), endpoints("10.1.0.1")])
    assert len(mirrored(cluster)) == 1
    cluster.apply(service(selector={"app": "x"}))
    assert mirrored(cluster) == []
