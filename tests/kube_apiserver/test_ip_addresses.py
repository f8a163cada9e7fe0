"""The IPAddresses of Services: made before them, gone after them, watched, and made good by the repair loop."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.controlplane.repair_ip_addresses import FINE, GRACE, of_address
from cluster_engine.kube_apiserver import ADMIN, Request, Response
from cluster_engine.sim import SECOND, parse_rfc3339

JSON = dict[str, Any]
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
SERVICES = "/api/v1/namespaces/default/services"
HEADERS = {"content-type": "application/json", "accept": "application/json"}
OF = "ipaddresses.networking.k8s.io"


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=0, addons=False, freezing=True, strict=True)
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def call(cluster: Cluster, method: str, path: str, body: JSON | None = None, **headers: str) -> Response:
    path, _, query = path.partition("?")
    pairs: list[Any] = [part.split("=", 1) for part in query.split("&") if part]
    data = b"" if body is None else json.dumps(body).encode()
    return cluster.request(Request(method, path, pairs, {**HEADERS, **headers}, data, ADMIN))


def service(name: str = "web", **spec: Any) -> JSON:
    made = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": made}


def address(name: str, parent: JSON, labels: JSON | None = None) -> JSON:
    meta = {"name": name, "labels": labels or {}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": meta,
        "spec": {"parentRef": parent},
    }


MANAGED = {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator"}


def events(cluster: Cluster) -> list[tuple[str, str]]:
    return [(event["reason"], event["message"]) for event in cluster.list("events")]


def test_it_is_made_before_its_service_and_goes_after_it(cluster: Cluster) -> None:
    before = cluster.store.revision
    made = json.loads(call(cluster, "POST", SERVICES, service(clusterIP="10.96.7.7")).body)
    found = json.loads(call(cluster, "GET", f"{ADDRESSES}/10.96.7.7").body)
    assert found["spec"] == {"parentRef": {"name": "web", "namespace": "default", "resource": "services"}}
    assert found["metadata"]["labels"] == MANAGED
    assert [entry["manager"] for entry in found["metadata"]["managedFields"]] == ["kube-apiserver"]
    assert int(found["metadata"]["resourceVersion"]) == before + 1
    assert int(made["metadata"]["resourceVersion"]) == before + 2
    call(cluster, "DELETE", f"{SERVICES}/web")
    gone = [cluster.store.changes(resource)[-1] for resource in ("services", OF)]
    assert [event.type for event in gone] == ["DELETED", "DELETED"]
    assert gone[0].revision < gone[1].revision
    cluster.settle()
    assert events(cluster) == []


def test_it_follows_the_type_of_its_service(cluster: Cluster) -> None:
    call(cluster, "POST", SERVICES, service(clusterIP="10.96.7.7"))
    path, merge = f"{SERVICES}/web", "application/merge-patch+json"
    external = {
        "spec": {"type": "ExternalName", "externalName": "a.example", "clusterIP": None, "clusterIPs": None}
    }
    assert call(cluster, "PATCH", path, external, **{"content-type": merge}).status == 200
    assert call(cluster, "GET", f"{ADDRESSES}/10.96.7.7").status == 404
    inside = {"spec": {"type": "ClusterIP", "externalName": None}}
    ip = json.loads(call(cluster, "PATCH", path, inside, **{"content-type": merge}).body)["spec"]["clusterIP"]
    assert call(cluster, "GET", f"{ADDRESSES}/{ip}").status == 200
    again = {"metadata": {"labels": {"a": "b"}}}
    revision = cluster.store.revision
    assert call(cluster, "PATCH", path, again, **{"content-type": merge}).status == 200
    assert cluster.store.revision == revision + 1


@pytest.mark.parametrize(
    "made",
    [service(clusterIP="None"), {**service(), "spec": {"type": "ExternalName", "externalName": "a.example"}}],
    ids=["headless", "ExternalName"],
)
def test_a_service_without_an_address_has_none(cluster: Cluster, made: JSON) -> None:
    before = cluster.store.count(OF)
    assert call(cluster, "POST", SERVICES, made).status == 201
    assert cluster.store.count(OF) == before


def test_a_dry_run_and_a_refused_service_leave_none(cluster: Cluster) -> None:
    before = cluster.store.revision
    assert call(cluster, "POST", f"{SERVICES}?dryRun=All", service(clusterIP="10.96.7.7")).status == 201
    assert call(cluster, "POST", SERVICES, service(clusterIP="10.96.7.7", ports=[])).status == 422
    assert cluster.store.revision == before


def test_list_and_watch_are_the_store(cluster: Cluster) -> None:
    listed = json.loads(call(cluster, "GET", ADDRESSES).body)
    version = listed["metadata"]["resourceVersion"]
    watch = call(cluster, "GET", f"{ADDRESSES}?watch=1&resourceVersion={version}")
    assert watch.stream is not None
    call(cluster, "POST", SERVICES, service(clusterIP="10.96.7.7"))
    call(cluster, "DELETE", f"{SERVICES}/web")
    told = [json.loads(line) for line in watch.stream.take().splitlines()]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in told] == [
        ("ADDED", "10.96.7.7"),
        ("DELETED", "10.96.7.7"),
    ]


def test_what_is_taken_away_is_made_again(cluster: Cluster) -> None:
    call(cluster, "POST", SERVICES, service(clusterIP="10.96.7.7"))
    assert call(cluster, "DELETE", f"{ADDRESSES}/10.96.7.7").status == 200
    cluster.settle()
    assert call(cluster, "GET", f"{ADDRESSES}/10.96.7.7").status == 200
    assert events(cluster) == [
        ("ClusterIPNotAllocated", "Cluster IP [IPv4]: 10.96.7.7 is not allocated; repairing")
    ]


def test_what_lost_its_labels_is_made_anew(cluster: Cluster) -> None:
    call(cluster, "POST", SERVICES, service(clusterIP="10.96.7.7"))
    path, merge = f"{ADDRESSES}/10.96.7.7", "application/merge-patch+json"
    old = json.loads(call(cluster, "GET", path).body)["metadata"]["uid"]
    call(cluster, "PATCH", path, {"metadata": {"labels": None}}, **{"content-type": merge})
    cluster.settle()
    found = json.loads(call(cluster, "GET", path).body)["metadata"]
    assert (found["labels"], found["uid"] != old) == (MANAGED, True)


def test_an_address_of_another_service_is_taken(cluster: Cluster) -> None:
    call(cluster, "POST", SERVICES, service(clusterIP="10.96.7.7"))
    reply = call(cluster, "POST", SERVICES, service("other", clusterIP="10.96.7.7"))
    assert json.loads(reply.body)["message"] == (
        'Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.96.7.7"]: failed to allocate IP 10.96.7.7: '
        "provided IP is already allocated"
    )


def test_an_address_whose_service_never_comes_goes_after_a_minute(cluster: Cluster) -> None:
    parent = {"resource": "services", "namespace": "default", "name": "web"}
    call(cluster, "POST", ADDRESSES, address("10.96.7.7", parent, MANAGED))
    cluster.advance(GRACE - 1)
    assert call(cluster, "GET", f"{ADDRESSES}/10.96.7.7").status == 200
    cluster.advance(2)
    assert call(cluster, "GET", f"{ADDRESSES}/10.96.7.7").status == 404
    assert events(cluster) == [
        (
            "IPAddressNotAllocated",
            "IPAddress: 10.96.7.7 for Service default/web appears to have leaked: cleaning up",
        )
    ]


NOW = parse_rfc3339("2026-01-01T00:00:00Z")
WEB = {"resource": "services", "namespace": "default", "name": "web"}
# id: the address, whether its Service is there, why it goes
VERDICTS: dict[str, tuple[JSON, bool, str]] = {
    "somebody else's": (address("1.2.3.4", WEB), False, ""),
    "of no Service": (
        address("1.2.3.4", {"group": "g", "resource": "vips", "name": "a"}, MANAGED), False,
        "IPAddress 1.2.3.4 appears to have been modified, not referencing a Service "
        "&ParentReference{Group:g,Resource:vips,Namespace:,Name:a,}: cleaning up",
    ),
    "of a Service that has another": (
        address("1.2.3.4", WEB, MANAGED), True,
        "IPAddress: 1.2.3.4 for Service default/web has a wrong reference; cleaning up",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("obj", "there", "said"), VERDICTS.values(), ids=VERDICTS)
def test_what_is_wrong_with_an_address(obj: JSON, there: bool, said: str) -> None:
    obj = {**obj, "metadata": {**obj["metadata"], "creationTimestamp": "2026-01-01T00:00:00Z"}}
    found = of_address(obj, service() if there else None, NOW + 90 * SECOND)
    assert (found.message, found.remove) == (said, bool(said))
    assert (found == FINE) == (not said)
