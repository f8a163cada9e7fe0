"""Ranges of addresses that come and go: which Services get theirs of, and when one may be deleted."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError

JSON = dict[str, Any]
FINALIZER = "networking.k8s.io/service-cidr-finalizer"
BLOCKED = (
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(nodes=0, addons=False, freezing=True, strict=True)


def cidr(name: str, *ranges: str) -> JSON:
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": name},
        "spec": {"cidrs": list(ranges)},
    }  # fmt: skip


def service(name: str, address: str | None = None) -> JSON:
    spec = {"ports": [{"port": 80}], **({"clusterIP": address} if address else {})}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def found(cluster: Cluster, name: str) -> tuple[bool, str, str]:
    """Whether a range is held, and what it says of itself."""
    obj = cluster.get("servicecidrs", name)
    assert obj is not None
    [ready] = obj["status"]["conditions"]
    return FINALIZER in obj["metadata"].get("finalizers", ()), ready["status"], ready["message"]


def test_the_first_range_stands_from_the_first_moment(cluster: Cluster) -> None:
    first = cluster.get("servicecidrs", "kubernetes")
    assert first is not None
    assert (first["spec"], first["metadata"]["resourceVersion"]) == ({"cidrs": ["10.96.0.0/12"]}, "1")
    assert found(cluster, "kubernetes") == (True, "True", "Kubernetes Service CIDR is ready")


def test_an_address_outside_of_each_range_is_refused_until_there_is_one(cluster: Cluster) -> None:
    with pytest.raises(ApiError) as refused:
        cluster.apply(service("web", "192.168.7.7"))
    assert refused.value.message == (
        'Service "web" is invalid: spec.clusterIPs: Invalid value: ["192.168.7.7"]: failed to allocate IP '
        "192.168.7.7: the provided network does not match the current range"
    )
    cluster.apply(cidr("more", "192.168.7.0/28"))
    assert cluster.settle()
    assert found(cluster, "more") == (True, "True", "Kubernetes Service CIDR is ready")
    cluster.apply(service("web", "192.168.7.7"))
    for edge in ("192.168.7.0", "192.168.7.15"):
        with pytest.raises(ApiError, match="the provided network does not match the current range"):
            cluster.apply(service("edge", edge))


def test_a_range_with_addresses_in_use_is_not_deleted(cluster: Cluster) -> None:
    cluster.apply(cidr("more", "192.168.7.0/28"))
    cluster.apply(service("web", "192.168.7.7"))
    cluster.settle()
    cluster.delete("servicecidrs", "more")
    cluster.settle()
    assert found(cluster, "more") == (True, "False", BLOCKED)
    with pytest.raises(ApiError, match="the provided network does not match the current range"):
        cluster.apply(service("other", "192.168.7.8"))
    cluster.delete("services", "web", "default")
    cluster.advance(30)
    assert cluster.get("servicecidrs", "more") is None


def test_a_range_goes_when_another_one_has_all_of_it(cluster: Cluster) -> None:
    cluster.apply(cidr("small", "192.168.7.0/28"))
    cluster.apply(service("web", "192.168.7.7"))
    cluster.settle()
    cluster.delete("servicecidrs", "small")
    cluster.settle()
    assert found(cluster, "small")[1] == "False"
    cluster.apply(cidr("large", "192.168.0.0/16"))
    cluster.advance(30)
    assert cluster.get("servicecidrs", "small") is None


def test_services_get_addresses_of_another_range_when_the_first_one_goes(cluster: Cluster) -> None:
    """A range of 14 addresses is given away to the last one, and no Service more is let in."""
    cluster.apply(cidr("more", "192.168.7.0/28"))
    cluster.delete("servicecidrs", "kubernetes")
    cluster.settle()
    assert found(cluster, "kubernetes")[1] == "False"  # the Service kubernetes has an address of it
    given = []
    for number in range(14):
        cluster.apply(service(f"web-{number}"))
        made = cluster.get("services", f"web-{number}")
        assert made is not None
        given.append(made["spec"]["clusterIP"])
    assert len(set(given)) == 14
    assert all(ip_address(address) in ip_network("192.168.7.0/28") for address in given)
    with pytest.raises(ApiError, match="failed to allocate a serviceIP: range is full"):
        cluster.apply(service("one-more"))


def test_what_somebody_keeps_under_the_allocators_name_keeps_the_range(cluster: Cluster) -> None:
    cluster.apply(cidr("more", "192.168.7.0/28"))
    labels = {"ipaddress.kubernetes.io/managed-by": "ipallocator"}
    kept = {
        "apiVersion": "networking.k8s.io/v1", "kind": "IPAddress",
        "metadata": {"name": "192.168.7.7", "labels": labels},
        "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "to-come"}},
    }  # fmt: skip
    cluster.apply(kept)
    cluster.settle()
    cluster.delete("servicecidrs", "more")
    cluster.advance(30)
    assert found(cluster, "more")[1] == "False"
    cluster.delete("ipaddresses", "192.168.7.7")
    cluster.advance(10)
    assert cluster.get("servicecidrs", "more") is None
