"""Kinds that are worked out when somebody asks: what they show, that they follow the rest, what is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from apiserver_bench import Bench

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, flow_control, requests
from cluster_engine.kube_apiserver.types import UserInfo
from cluster_engine.sim.keyframe import read

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


FLOW = "flowcontrol.apiserver.k8s.io"
CHANGED = {"spec": {"matchingPrecedence": 4_000}}
LENT = {"spec": {"limited": {"lendablePercent": 7}}}
KEPT = {"metadata": {"annotations": {"apf.kubernetes.io/autoupdate-spec": "false"}}}
UNSAID = {"metadata": {"annotations": {"apf.kubernetes.io/autoupdate-spec": None}}}
# id: (resource, object, what is merged into it (None: it is deleted), whether the API server makes it good)
OWN: dict[str, tuple[str, str, JSON | None, bool]] = {
    "a schema deleted": ("flowschemas", "probes", None, True),
    "a mandatory schema deleted": ("flowschemas", "exempt", None, True),
    "a level deleted": ("prioritylevelconfigurations", "workload-low", None, True),
    "a schema changed": ("flowschemas", "global-default", CHANGED, True),
    "a level changed": ("prioritylevelconfigurations", "system", LENT, True),
    "a schema that is kept": ("flowschemas", "global-default", {**CHANGED, **KEPT}, False),
    "a level that is kept": ("prioritylevelconfigurations", "system", {**LENT, **KEPT}, False),
    "changed by whom nobody told": ("flowschemas", "global-default", {**CHANGED, **UNSAID}, False),
    "a mandatory one's annotation": ("flowschemas", "catch-all", KEPT, True),
    "what exempt requests lend": (
        "prioritylevelconfigurations", "exempt", {"spec": {"exempt": {"lendablePercent": 50}}}, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("resource", "name", "change", "mended"), OWN.values(), ids=OWN)
def test_the_api_servers_own_are_made_good_within_a_minute(
    resource: str, name: str, change: JSON | None, mended: bool
) -> None:
    """Models pkg/registry/flowcontrol/ensurer."""
    cluster = Cluster(nodes=0, addons=False, freezing=True, strict=True)

    def now() -> JSON | None:
        found = cluster.get(f"{resource}.{FLOW}", name)
        return found and {"spec": found["spec"], "notes": found["metadata"].get("annotations")}

    before, path = now(), f"/apis/{FLOW}/v1/{resource}/{name}"
    assert before is not None
    if change is None:
        assert cluster.request(Request("DELETE", path, user=ADMIN)).status == 200
    else:
        headers = {"content-type": "application/merge-patch+json"}
        assert cluster.request(Request("PATCH", path, [], headers, orjson.dumps(change), ADMIN)).status == 200
    cluster.settle()
    changed = now()
    assert changed != before
    cluster.advance(61)
    assert (now() == before) == mended
    if not mended and changed is not None:
        assert now() == changed or name == "global-default"
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_what_whoever_changes_nothing_saves_of_them() -> None:
    cluster = Cluster(nodes=0, addons=False, freezing=True, strict=True)
    assert not [name for name in read(cluster.keyframe())["saved"]["store"]["objects"] if FLOW in name]
    assert len(Cluster.resume(cluster.keyframe()).list("flowschemas")) == len(SHOWN[SCHEMAS])


NODE = UserInfo("system:node:worker-1", groups=("system:nodes", "system:authenticated"))
ACCOUNT, SYSTEM = (
    UserInfo(
        f"system:serviceaccount:{namespace}:a", groups=("system:serviceaccounts", "system:authenticated")
    )
    for namespace in ("default", "kube-system")
)
JANE = UserInfo("jane", groups=("system:authenticated",))
NOBODY = UserInfo("system:anonymous", groups=("system:unauthenticated",))
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x"
FLOWS: dict[str, tuple[UserInfo, str, str, tuple[str, str] | None]] = {
    "an administrator": (ADMIN, "GET", "/api/v1/pods", ("exempt", "exempt")),
    "a user": (JANE, "GET", "/api/v1/pods", ("global-default", "global-default")),
    "a Pod": (ACCOUNT, "GET", "/api/v1/pods", ("service-accounts", "workload-low")),
    "a system Pod": (SYSTEM, "GET", "/api/v1/pods", ("kube-system-service-accounts", "workload-high")),
    "a system Pod that elects": (SYSTEM, "GET", LEASE, ("system-leader-election", "leader-election")),
    "a node's status": (NODE, "PUT", "/api/v1/nodes/worker-1/status", ("system-node-high", "node-high")),
    "a node's Pods": (NODE, "GET", "/api/v1/pods", ("system-nodes", "system")),
    "a probe": (NOBODY, "GET", "/healthz", ("probes", "exempt")),
    "nobody": (NOBODY, "GET", "/api/v1/pods", ("global-default", "global-default")),
    "a scheduler that elects": (
        UserInfo("system:kube-scheduler", groups=("system:authenticated",)), "PUT", LEASE,
        ("system-leader-election", "leader-election"),
    ),
    "endpoints of the controller manager": (
        UserInfo("system:kube-controller-manager", groups=("system:authenticated",)), "PUT",
        "/api/v1/namespaces/default/endpoints/x", ("endpoint-controller", "workload-high"),
    ),
    "a log": (ADMIN, "GET", "/api/v1/namespaces/default/pods/x/log", None),
}  # fmt: skip


@pytest.mark.parametrize(("user", "method", "path", "told"), FLOWS.values(), ids=FLOWS)
def test_to_which_flow_a_request_belongs(
    bench: Bench, user: UserInfo, method: str, path: str, told: tuple[str, str] | None
) -> None:
    reply = bench.server.handle(Request(method, path, user=user))
    names = {
        item["metadata"]["uid"]: item["metadata"]["name"]
        for each in (SCHEMAS, LEVELS)
        for item in bench.ok("GET", each)["items"]
    }
    headers = ("x-kubernetes-pf-flowschema-uid", "x-kubernetes-pf-prioritylevel-uid")
    found = tuple(names[reply.headers[name]] for name in headers if name in reply.headers)
    assert found == (told or ())


def test_a_schema_of_somebodys_own_counts_at_once(bench: Bench) -> None:
    path = "/apis/flowcontrol.apiserver.k8s.io/v1"
    jane = Request("GET", "/healthz", user=JANE)
    header = "x-kubernetes-pf-flowschema-uid"
    before = bench.server.handle(jane).headers[header]
    spec = {**NEW[SCHEMAS], "matchingPrecedence": 2}
    made = bench.ok("POST", f"{path}/flowschemas", {"metadata": {"name": "a-first"}, "spec": spec})
    assert bench.server.handle(jane).headers[header] == before  # its level is not there
    bench.ok(
        "POST", f"{path}/prioritylevelconfigurations", {"metadata": {"name": "mine"}, "spec": NEW[LEVELS]}
    )
    assert bench.server.handle(jane).headers[header] == made["metadata"]["uid"]
    bench.ok("DELETE", f"{path}/flowschemas/a-first")
    assert bench.server.handle(jane).headers[header] == before


def test_askers_are_forgotten(bench: Bench) -> None:
    flows = flow_control.FlowControl(bench.store)
    for number in range(flow_control.REMEMBERED + 5):
        assert flows.flow(UserInfo(f"u{number}", groups=JANE.groups), requests.parse(Request("GET", "/api")))
    assert len(flows._known) == 5


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
