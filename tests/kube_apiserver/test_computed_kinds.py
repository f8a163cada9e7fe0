"""Kinds that are worked out when somebody asks: what they show, that they follow the rest, what is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from apiserver_bench import Bench

from cluster_engine import Cluster

JSON = dict[str, Any]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
COMPONENTS = "/api/v1/componentstatuses"
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
RANGES = "/apis/networking.k8s.io/v1/servicecidrs"
SCHEMAS = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
LEVELS = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations"
ALL = (COMPONENTS, APISERVICES, ADDRESSES, RANGES, SCHEMAS, LEVELS)


def service(name: str, address: str) -> JSON:
    spec = {"clusterIP": address, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def cells(bench: Bench, path: str) -> list[list[Any]]:
    response = bench.call("GET", path, accept=TABLE)
    return [row["cells"] for row in orjson.loads(response.body)["rows"]]


# path: the cells
SHOWN = {
    COMPONENTS: [
        ["controller-manager", "Healthy", "ok", ""], ["etcd-0", "Healthy", "ok", ""],
        ["scheduler", "Healthy", "ok", ""],
    ],
    RANGES: [["kubernetes", "10.96.0.0/12", "0s"]],
    SCHEMAS: [
        ["exempt", "exempt", 1, "<none>", "0s", "False"],
        ["probes", "exempt", 2, "<none>", "0s", "False"],
        ["system-leader-election", "leader-election", 100, "ByUser", "0s", "False"],
        ["endpoint-controller", "workload-high", 150, "ByUser", "0s", "False"],
        ["workload-leader-election", "leader-election", 200, "ByUser", "0s", "False"],
        ["system-node-high", "node-high", 400, "ByUser", "0s", "False"],
        ["system-nodes", "system", 500, "ByUser", "0s", "False"],
        ["kube-controller-manager", "workload-high", 800, "ByNamespace", "0s", "False"],
        ["kube-scheduler", "workload-high", 800, "ByNamespace", "0s", "False"],
        ["kube-system-service-accounts", "workload-high", 900, "ByNamespace", "0s", "False"],
        ["service-accounts", "workload-low", 9000, "ByUser", "0s", "False"],
        ["global-default", "global-default", 9900, "ByUser", "0s", "False"],
        ["catch-all", "catch-all", 10000, "ByUser", "0s", "False"],
    ],
    LEVELS: [
        ["catch-all", "Limited", 5, "<none>", "<none>", "<none>", "0s"],
        ["exempt", "Exempt", "<none>", "<none>", "<none>", "<none>", "0s"],
        ["global-default", "Limited", 20, 128, 6, 50, "0s"],
        ["leader-election", "Limited", 10, 16, 4, 50, "0s"],
        ["node-high", "Limited", 40, 64, 6, 50, "0s"],
        ["system", "Limited", 30, 64, 6, 50, "0s"],
        ["workload-high", "Limited", 40, 128, 6, 50, "0s"],
        ["workload-low", "Limited", 100, 128, 6, 50, "0s"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("path", SHOWN)
def test_what_is_shown(bench: Bench, path: str) -> None:
    assert cells(bench, path) == SHOWN[path]


@pytest.mark.parametrize("path", ALL)
def test_what_is_listed_can_be_got_and_is_what_its_schema_says(bench: Bench, path: str) -> None:
    bench.ok("POST", "/api/v1/namespaces/default/services", service("web", "10.96.7.7"))
    listed = bench.ok("GET", path)
    assert listed["items"]
    for item in listed["items"]:
        name = item["metadata"]["name"]
        got = bench.ok("GET", f"{path}/{name}")
        assert {part: got[part] for part in item} == item
        assert bench.ok("GET", path, fieldSelector=f"metadata.name={name}")["items"] == [item]
    first = bench.ok("GET", path, limit="1")
    assert first["items"] == listed["items"][:1]
    if len(listed["items"]) > 1:
        rest = bench.ok("GET", path, **{"continue": first["metadata"]["continue"]})
        assert rest["items"] == listed["items"][1:]
    assert bench.error("GET", f"{path}/nobody")[0] == 404


def test_a_component_is_deprecated_and_cannot_be_written(bench: Bench) -> None:
    assert bench.call("GET", COMPONENTS).warnings == ("v1 ComponentStatus is deprecated in v1.19+",)
    assert bench.error("POST", COMPONENTS, {})[:2] == (405, "MethodNotAllowed")


def test_an_address_that_somebody_keeps_is_no_services(bench: Bench) -> None:
    parent = {"resource": "gateways", "group": "example.com", "name": "door", "namespace": "n"}
    bench.ok("POST", ADDRESSES, {"metadata": {"name": "10.96.7.7"}, "spec": {"parentRef": parent}})
    assert cells(bench, ADDRESSES) == [["10.96.7.7", "gateways.example.com/n/door"]]
    told = bench.error("POST", "/api/v1/namespaces/default/services", service("web", "10.96.7.7"))
    assert told == (422, "Invalid", 'Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.96.7.7"]: '
                    "failed to allocate IP 10.96.7.7: provided IP is already allocated")  # fmt: skip
    bench.ok("DELETE", f"{ADDRESSES}/10.96.7.7")
    bench.ok("POST", "/api/v1/namespaces/default/services", service("web", "10.96.7.7"))


NEW: dict[str, JSON] = {
    SCHEMAS: {
        "matchingPrecedence": 300,
        "priorityLevelConfiguration": {"name": "mine"},
        "rules": [
            {
                "subjects": [{"kind": "User", "user": {"name": "jane"}}],
                "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}],
            }
        ],
    },
    LEVELS: {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}},
}


@pytest.mark.parametrize("path", NEW)
def test_those_of_somebody_else_are_written(bench: Bench, path: str) -> None:
    before = cells(bench, path)
    watched = bench.call("GET", path, watch="1").stream
    assert watched is not None
    assert len(watched.take().splitlines()) == len(before)
    made = {"metadata": {"name": "mine", "labels": {"whose": "mine"}}, "spec": NEW[path]}
    bench.ok("POST", path, made)
    assert [row for row in cells(bench, path) if row not in before] == [
        ["mine", "mine", 300, "<none>", "0s", "?"] if path == SCHEMAS else
        ["mine", "Limited", 30, "<none>", "<none>", "<none>", "0s"]
    ]  # fmt: skip
    [added] = [orjson.loads(line) for line in watched.take().splitlines()]
    assert (added["type"], added["object"]["metadata"]["name"]) == ("ADDED", "mine")
    bench.ok("DELETE", path, labelSelector="whose=mine")
    assert cells(bench, path) == before


@pytest.mark.parametrize("path", NEW)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "APPLY"])
def test_those_of_the_api_server_stay_as_they_are(bench: Bench, path: str, method: str) -> None:
    kind = "FlowSchema" if path == SCHEMAS else "PriorityLevelConfiguration"
    own = {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": "catch-all"},
        "spec": bench.ok("GET", f"{path}/catch-all")["spec"],
    }
    if method == "POST":
        assert bench.error("POST", path, own)[:2] == (409, "AlreadyExists")
        return
    media = {"PATCH": "application/merge-patch+json", "APPLY": "application/apply-patch+yaml"}
    told = bench.error(
        "PATCH" if method == "APPLY" else method,
        f"{path}/catch-all",
        own,
        content_type=media.get(method, "application/json"),
        **({"fieldManager": "me"} if method == "APPLY" else {}),
    ) if method != "DELETE" else bench.error("DELETE", f"{path}/catch-all")  # fmt: skip
    assert told == (
        501,
        "NotImplemented",
        f"not simulated by this cluster: changes of {kind}s that the API server makes; a real cluster takes what it "
        "does not undo",
    )


def test_a_schema_says_whether_its_level_is_there() -> None:
    cluster = Cluster(nodes=0, addons=False, freezing=True, strict=True)
    group = {"apiVersion": "flowcontrol.apiserver.k8s.io/v1"}
    cluster.apply({**group, "kind": "FlowSchema", "metadata": {"name": "mine"}, "spec": NEW[SCHEMAS]})
    cluster.settle()

    def told() -> list[tuple[str, str, str]]:
        schema = cluster.get("flowschemas", "mine")
        assert schema is not None
        return [(each["status"], each["reason"], each["message"]) for each in schema["status"]["conditions"]]

    named = 'This FlowSchema references the PriorityLevelConfiguration object named "mine"'
    missing = [("True", "NotFound", f"{named} but there is no such object")]
    assert told() == missing
    level = {**group, "kind": "PriorityLevelConfiguration", "metadata": {"name": "mine"}, "spec": NEW[LEVELS]}
    cluster.apply(level)
    cluster.settle()
    assert told() == [("False", "Found", f"{named} and it exists")]
    cluster.delete("prioritylevelconfigurations", "mine")
    cluster.settle()
    assert told() == missing
    schema = cluster.get("flowschemas", "mine")
    assert schema is not None
    cluster.apply({**group, "kind": "FlowSchema", "metadata": {"name": "mine"}, "spec": {
        **NEW[SCHEMAS], "priorityLevelConfiguration": {"name": "system"}}})  # fmt: skip
    cluster.settle()
    assert told()[0][:2] == ("False", "Found")


def test_addresses_follow_the_services(bench: Bench) -> None:
    services = "/api/v1/namespaces/default/services"
    assert cells(bench, ADDRESSES) == []
    bench.ok("POST", services, service("web", "10.96.7.7"))
    bench.ok("POST", services, service("none", "None"))
    assert cells(bench, ADDRESSES) == [["10.96.7.7", "services/default/web"]]
    chosen = bench.ok("GET", ADDRESSES, labelSelector="ipaddress.kubernetes.io/managed-by=ipallocator")
    assert len(chosen["items"]) == 1
    bench.ok("DELETE", f"{services}/web")
    assert cells(bench, ADDRESSES) == []


def test_each_group_version_has_its_service(bench: Bench) -> None:
    groups = orjson.loads(bench.call("GET", "/apis").body)["groups"]
    served = {version["groupVersion"] for group in groups for version in group["versions"]}
    found = {
        f"{item['spec'].get('group', '')}/{item['spec']['version']}": item
        for item in bench.ok("GET", APISERVICES)["items"]
    }
    assert set(found) == served - {"apiregistration.k8s.io/v1"} | {"/v1"}
    apps = found["apps/v1"]
    assert apps["metadata"]["name"] == "v1.apps"
    assert (apps["spec"]["groupPriorityMinimum"], apps["spec"]["versionPriority"]) == (17_800, 15)
    assert cells(bench, APISERVICES)[0] == ["v1.", "Local", "True", "0s"]
    assert len({item["metadata"]["uid"] for item in found.values()}) == len(found)
