"""Upstream's conformance suite, as far as it needs the API server alone: each behaviour by its codename.

`conformance.yaml` has all behaviours of that class, with what they show in our words. Here are those that a table can
hold; which tests elsewhere show the others, ELSEWHERE says. `docs/conformance.md` is made of both (`--update`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from apiserver_bench import Bench
from test_conformance_custom import BEHAVIOURS as CUSTOM

from cluster_engine import Cluster
from cluster_engine.api import KINDS
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.kube_apiserver import Response
from tests.kubelet import test_conformance_node as node
from tests.network import test_conformance_network as network
from tests.soak.random_objects import BASES

JSON = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "conformance.md"
BEHAVIOURS: dict[str, str] = yaml.safe_load((Path(__file__).parent / "conformance.yaml").read_text())
MERGE = "application/merge-patch+json"
_NAMED = {kind.kind: kind for kind in KINDS}
_CRD = "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin]"
_POLICY = "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin]"

# codename: the kind that answers every verb, in the version that is asked
EVERY_VERB = {
    "[sig-api-machinery] API priority and fairness should support FlowSchema API operations": "FlowSchema",
    "[sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations": (
        "PriorityLevelConfiguration"
    ),
    "[sig-apps] CronJob should support CronJob API operations": "CronJob",
    "[sig-apps] Job should manage the lifecycle of a job": "Job",
    "[sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a "
    "collection of PodDisruptionBudgets": "PodDisruptionBudget",
    "[sig-apps] DisruptionController should create a PodDisruptionBudget": "PodDisruptionBudget",
    "[sig-apps] DisruptionController should update/patch PodDisruptionBudget status": "PodDisruptionBudget",
    "[sig-apps] Daemon set [Serial] should verify changes to a daemon set status": "DaemonSet",
    "[sig-apps] Deployment should validate Deployment Status endpoints": "Deployment",
    "[sig-apps] ReplicaSet should validate Replicaset Status endpoints": "ReplicaSet",
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status "
    "endpoints": "StatefulSet",
    "[sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations": (
        "CertificateSigningRequest"
    ),
    "[sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount": "ServiceAccount",
    "[sig-auth] ServiceAccounts should update a ServiceAccount": "ServiceAccount",
    "[sig-instrumentation] Events should delete a collection of events": "Event",
    "[sig-instrumentation] Events should manage the lifecycle of an event": "Event",
    "[sig-network] EndpointSlice should support creating EndpointSlice API operations": "EndpointSlice",
    "[sig-network] Ingress API should support creating Ingress API operations": "Ingress",
    "[sig-network] IngressClass API should support creating IngressClass API operations": "IngressClass",
    "[sig-network] Services should complete a service status lifecycle": "Service",
    "[sig-network] Services should delete a collection of services": "Service",
    "[sig-network] Services should test the lifecycle of an Endpoint": "Endpoints",
    "[sig-node] ConfigMap should run through a ConfigMap lifecycle": "ConfigMap",
    "[sig-node] Lease lease API should be available": "Lease",
    "[sig-node] Node Lifecycle should run through the lifecycle of a node": "Node",
    "[sig-node] PodTemplates should delete a collection of pod templates": "PodTemplate",
    "[sig-node] PodTemplates should replace a pod template": "PodTemplate",
    "[sig-node] PodTemplates should run the lifecycle of PodTemplates": "PodTemplate",
    "[sig-node] RuntimeClass should support RuntimeClasses API operations": "RuntimeClass",
    "[sig-node] Secrets should patch a secret": "Secret",
    "[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection": "LimitRange",
    "[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver": "CSIDriver",
    "[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode": "CSINode",
    "[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations": "CSIStorageCapacity",
    "[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass": "StorageClass",
    "[sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status": (
        "VolumeAttachment"
    ),
    "[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment": (
        "VolumeAttachment"
    ),
    f"{_POLICY} should support ValidatingAdmissionPolicy API operations": "ValidatingAdmissionPolicy",
    f"{_POLICY} should support ValidatingAdmissionPolicyBinding API operations": (
        "ValidatingAdmissionPolicyBinding"
    ),
}


def place(kind: Kind) -> str:
    """Where its objects of the namespace default, or of the cluster, are."""
    return f"{kind.path}{'/namespaces/default' if kind.namespaced else ''}/{kind.resource}"


def example(kind: Kind, name: str, group: str = "mine") -> JSON:
    meta = {"name": name, "labels": {"group": group}}
    return {"apiVersion": kind.api_version, "kind": kind.kind, **BASES[kind.kind], "metadata": meta}


def frames(response: Response) -> list[tuple[str, str]]:
    """What a watch has told since the last time."""
    assert response.stream is not None
    lines = response.stream.take().splitlines()
    told = [orjson.loads(line) for line in lines]
    return [(each["type"], each["object"]["metadata"]["name"]) for each in told]


@pytest.mark.parametrize("codename", EVERY_VERB)
def test_every_verb(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    kind = _NAMED[EVERY_VERB[codename]]
    path = place(kind)
    served = {each["name"] for each in bench.ok("GET", kind.path)["resources"]}
    assert {kind.resource, *(f"{kind.resource}/{part}" for part in kind.subresources)} <= served
    watched = bench.call("GET", path, watch="1", labelSelector="group=mine")
    for name, group in (("a", "mine"), ("b", "mine"), ("c", "other")):
        bench.ok("POST", path, example(kind, name, group))
    assert frames(watched) == [("ADDED", "a"), ("ADDED", "b")]
    whole = f"{kind.path}/{kind.resource}"
    assert [each["metadata"]["name"] for each in bench.ok("GET", whole, labelSelector="group=mine")["items"]] == [
        "a", "b",
    ]  # fmt: skip
    patched = bench.ok("PATCH", f"{path}/a", {"metadata": {"annotations": {"x": "1"}}}, content_type=MERGE)
    read = bench.ok("GET", f"{path}/a")
    assert read == patched
    read["metadata"]["annotations"]["x"] = "2"
    assert bench.ok("PUT", f"{path}/a", read)["metadata"]["annotations"]["x"] == "2"
    assert frames(watched) == [("MODIFIED", "a"), ("MODIFIED", "a")]
    for part in ("status", "approval"):
        if part in kind.subresources:
            _whole_subresource(bench, f"{path}/a/{part}")
    frames(watched)
    bench.ok("DELETE", f"{path}/a", propagationPolicy="Background")  # a Job's dependents would be left behind
    assert bench.error("GET", f"{path}/a")[0] == 404
    bench.ok("DELETE", path, labelSelector="group=mine", propagationPolicy="Background")
    assert frames(watched) == [("DELETED", "a"), ("DELETED", "b")]
    assert [each["metadata"]["name"] for each in bench.ok("GET", path, labelSelector="group")["items"]] == [
        "c"
    ]


def _whole_subresource(bench: Bench, path: str) -> None:
    patch = {"metadata": {"annotations": {"y": "1"}}}
    bench.ok("PATCH", path, patch, content_type=MERGE)
    read = bench.ok("GET", path)
    assert read["metadata"]["annotations"]["y"] == "1"
    read["metadata"]["annotations"]["y"] = "2"
    assert bench.ok("PUT", path, read)["metadata"]["annotations"]["y"] == "2"


MAPS, SECRETS = "/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/secrets"
# codename: path, object, what the refusal holds
REFUSED = {
    "[sig-node] ConfigMap should fail to create ConfigMap with empty key": (
        MAPS, {"metadata": {"name": "m"}, "data": {"": "a"}}, "data[]: Invalid value",
    ),
    "[sig-node] Secrets should fail to create secret due to empty secret key": (
        SECRETS, {"metadata": {"name": "m"}, "data": {"": "YQ=="}}, "data[]: Invalid value",
    ),
    "[sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance]": (
        "/api/v1/namespaces/default/pods",
        {
            "metadata": {"name": "p"},
            "spec": {"runtimeClassName": "none", "containers": [{"name": "c", "image": "a"}]},
        },
        'pod rejected: RuntimeClass "none" not found',
    ),
    "[sig-node] Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls [MinimumKubeletVersion:1.21]": (
        "/api/v1/namespaces/default/pods",
        {
            "metadata": {"name": "p"},
            "spec": {
                "securityContext": {"sysctls": [{"name": "foo-", "value": "bar"}]},
                "containers": [{"name": "c", "image": "a"}],
            },
        },
        "spec.securityContext.sysctls[0].name: Invalid value",
    ),
}  # fmt: skip


@pytest.mark.parametrize("codename", REFUSED)
def test_refused(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    path, obj, told = REFUSED[codename]
    code, _, message = bench.error("POST", path, obj)
    assert code in (403, 422)
    assert told in message


# codename: where, the fixed object
IMMUTABLE = {
    "[sig-storage] ConfigMap should be immutable if `immutable` field is set": (
        MAPS, {"metadata": {"name": "m"}, "data": {"a": "b"}, "immutable": True},
    ),
    "[sig-storage] Secrets should be immutable if `immutable` field is set": (
        SECRETS, {"metadata": {"name": "m"}, "data": {"a": "Yg=="}, "immutable": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("codename", IMMUTABLE)
def test_immutable(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    path, obj = IMMUTABLE[codename]
    made = bench.ok("POST", path, obj)
    assert (
        "field is immutable when `immutable` is set"
        in bench.error("PUT", f"{path}/m", {**made, "data": {}})[2]
    )
    assert bench.error("PUT", f"{path}/m", {**made, "immutable": False})[0] == 422
    labelled = {**made, "metadata": {**made["metadata"], "labels": {"x": "y"}}}
    assert bench.ok("PUT", f"{path}/m", labelled)["metadata"]["labels"] == {"x": "y"}
    bench.ok("DELETE", f"{path}/m")


EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
NEW_EVENTS = (
    "[sig-instrumentation] Events API should delete a collection of events",
    "[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed",
)


@pytest.mark.parametrize("codename", NEW_EVENTS)
def test_events_of_the_newer_group(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    for name in ("a", "b", "c"):
        event = {
            "metadata": {"name": name, "labels": {"group": "other" if name == "c" else "mine"}},
            "eventTime": "2026-01-01T00:00:00.000000Z",
            "reportingController": "test-controller",
            "reportingInstance": "test-node",
            "action": "Do",
            "reason": "Test",
            "type": "Normal",
            "note": "a note",
            "regarding": {"namespace": "default"},
        }
        bench.ok("POST", EVENTS, event)
    series = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:02.000000Z"}}
    assert bench.ok("PATCH", f"{EVENTS}/a", series, content_type=MERGE)["series"]["count"] == 2
    assert len(bench.ok("GET", "/apis/events.k8s.io/v1/events", labelSelector="group=mine")["items"]) == 2
    bench.ok("DELETE", f"{EVENTS}/a")
    bench.ok("DELETE", EVENTS, labelSelector="group=mine")
    assert [each["metadata"]["name"] for each in bench.ok("GET", EVENTS)["items"]] == ["c"]


DISCOVERY = (
    "[sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup",
    "[sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup",
    "[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers",
    "[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface",
    "[sig-api-machinery] server version should find the server version",
)


@pytest.mark.parametrize("codename", DISCOVERY)
def test_discovery(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    groups = bench.ok("GET", "/apis")["groups"]
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    aggregated = {each["metadata"]["name"]: each for each in bench.ok("GET", "/apis", accept=accept)["items"]}
    assert (
        {group["name"] for group in groups}
        == set(aggregated)
        == {kind.group for kind in KINDS if kind.group} | {"events.k8s.io"}
    )
    for group in groups:
        assert group["preferredVersion"] in group["versions"]
        for version in group["versions"]:
            listed = bench.ok("GET", f"/apis/{version['groupVersion']}")["resources"]
            assert any(each["kind"] for each in listed)
    version = bench.ok("GET", "/version")
    assert version["major"].isdecimal()
    assert version["minor"].isdecimal()


OF_THE_CLUSTER = (
    "[sig-network] Services should provide secure master service",
    "[sig-network] Services should find a service from listing all namespaces",
    "[sig-network] EndpointSlice should have Endpoints and EndpointSlices pointing to API Server",
)


@pytest.mark.parametrize("codename", OF_THE_CLUSTER)
def test_the_service_of_the_api_server(codename: str) -> None:
    assert codename in BEHAVIOURS
    cluster = Cluster(nodes=1)
    assert cluster.get("services", "kubernetes") is not None
    found = cluster.list("services", None)
    assert ("default", "kubernetes") in [
        (each["metadata"]["namespace"], each["metadata"]["name"]) for each in found
    ]
    endpoints = cluster.get("endpoints", "kubernetes")
    [piece] = cluster.list("endpointslices", "default")
    assert endpoints is not None
    assert endpoints["subsets"][0]["addresses"][0]["ip"] == piece["endpoints"][0]["addresses"][0]


NAMESPACES = (
    "[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace",
    "[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace",
    "[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status",
    "[sig-api-machinery] Namespaces [Serial] should patch a Namespace",
)


@pytest.mark.parametrize("codename", NAMESPACES)
def test_namespaces(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    path = "/api/v1/namespaces/default"
    patch = {"metadata": {"labels": {"a": "b"}}}
    made = bench.ok("PATCH", path, patch, content_type=MERGE)
    assert made["metadata"]["labels"]["a"] == "b"
    assert made["status"]["phase"] == "Active"
    made["metadata"]["labels"]["a"] = "c"
    assert bench.ok("PUT", path, made)["metadata"]["labels"]["a"] == "c"
    condition = {"type": "Test", "status": "True", "reason": "E2E", "message": "set"}
    changed = bench.ok("PATCH", f"{path}/status", {"status": {"conditions": [condition]}}, content_type=MERGE)
    assert changed["status"]["conditions"][0]["message"] == "set"
    held = {**changed, "spec": {"finalizers": [*changed["spec"]["finalizers"], "example.com/mine"]}}
    held = bench.ok("PUT", f"{path}/finalize", held)
    assert held["spec"]["finalizers"] == ["kubernetes", "example.com/mine"]
    held["spec"]["finalizers"] = ["kubernetes"]
    assert bench.ok("PUT", f"{path}/finalize", held)["spec"]["finalizers"] == ["kubernetes"]


STATUS = ("[sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status",)


@pytest.mark.parametrize("codename", STATUS)
def test_status(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    for name in ("PersistentVolume", "PersistentVolumeClaim"):
        path = place(_NAMED[name])
        bench.ok("POST", path, example(_NAMED[name], "a"))
        _whole_subresource(bench, f"{path}/a/status")


WATCHES = (
    "[sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps",
    "[sig-api-machinery] Watchers should receive events on concurrent watches in same order",
)


@pytest.mark.parametrize("codename", WATCHES)
def test_watchers(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    started = [bench.call("GET", MAPS, watch="1", labelSelector="w in (a,b)")]
    only = {name: bench.call("GET", MAPS, watch="1", labelSelector=f"w={name}") for name in ("a", "b")}
    told: list[list[tuple[str, str]]] = [[]]
    for step in range(12):
        name = "ab"[step % 2]
        match step // 2 % 3:
            case 0:
                bench.ok("POST", MAPS, {"metadata": {"name": f"{name}{step // 6}", "labels": {"w": name}}})
            case 1:
                bench.ok("PATCH", f"{MAPS}/{name}{step // 6}", {"data": {"n": str(step)}}, content_type=MERGE)
            case 2:
                bench.ok("DELETE", f"{MAPS}/{name}{step // 6}")
        for seen, watch in zip(told, started, strict=True):
            seen += frames(watch)
        version = bench.ok("GET", MAPS)["metadata"]["resourceVersion"]
        started.append(
            bench.call("GET", MAPS, watch="1", labelSelector="w in (a,b)", resourceVersion=version)
        )
        told.append([])
    assert [len(seen) for seen in told] == list(range(12, -1, -1))
    assert all(seen == told[0][len(told[0]) - len(seen) :] for seen in told)
    for name, watch in only.items():
        assert frames(watch) == [(type_, each) for type_, each in told[0] if each[0] == name]


_FIELDS = "[sig-api-machinery] FieldValidation should detect unknown"
# codename: body, what is said of it
STRICT = {
    f"{_FIELDS} and duplicate fields of a typed object": (
        b'{"metadata":{"name":"m"},"data":{"a":"b"},"immutable":false,"immutable":true,"foo":"bar"}',
        ('unknown field "foo"', 'duplicate field "immutable"'),
    ),
    f"{_FIELDS} metadata fields of a typed object": (
        b'{"metadata":{"name":"m","unknownMeta":"a","labels":{}}}', ('unknown field "metadata.unknownMeta"',),
    ),
}  # fmt: skip


@pytest.mark.parametrize("codename", STRICT)
def test_strict_fields(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    body, told = STRICT[codename]
    code, reason, message = bench.error("POST", MAPS, body, fieldValidation="Strict")
    assert (code, reason) == (400, "BadRequest")
    assert "strict decoding error: " in message
    assert all(each in message for each in told)
    warned = bench.call("POST", MAPS, body, fieldValidation="Warn")
    assert all(any(each in warning for warning in warned.warnings) for each in told)


_HOOKS = "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should"
HOOKS = {
    f"{_HOOKS} include webhook resources in discovery documents": (),
    f"{_HOOKS} be able to create and update mutating webhook configurations with match conditions": (
        "mutating",
    ),
    f"{_HOOKS} be able to create and update validating webhook configurations with match conditions": (
        "validating",
    ),
    f"{_HOOKS} reject mutating webhook configurations with invalid match conditions": ("mutating",),
    f"{_HOOKS} reject validating webhook configurations with invalid match conditions": ("validating",),
}
"""The kinds of configurations that each is about."""


@pytest.mark.parametrize("codename", HOOKS)
def test_webhook_configurations(bench: Bench, codename: str) -> None:
    assert codename in BEHAVIOURS
    group = "/apis/admissionregistration.k8s.io"
    assert group.removeprefix("/apis/") in {each["name"] for each in bench.ok("GET", "/apis")["groups"]}
    assert "v1" in {each["version"] for each in bench.ok("GET", group)["versions"]}
    served = {each["name"] for each in bench.ok("GET", f"{group}/v1")["resources"]}
    assert {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"} <= served
    for kind in HOOKS[codename]:
        path = f"{group}/v1/{kind}webhookconfigurations"
        made = example(_NAMED[f"{kind.title()}WebhookConfiguration"], "c")
        condition = {"name": "expression-1", "expression": "object.metadata.namespace == 'production'"}
        made["webhooks"] = [{**made["webhooks"][0], "matchConditions": [condition]}]
        assert bench.ok("POST", path, made)["webhooks"][0]["matchConditions"] == [condition]
        read = bench.ok("GET", f"{path}/c")
        second = {"name": "expression-2", "expression": "object.metadata.namespace == 'staging'"}
        read["webhooks"][0]["matchConditions"].append(second)
        assert bench.ok("PUT", f"{path}/c", read)["webhooks"][0]["matchConditions"] == [condition, second]
        wrong = {"name": "invalid", "expression": "... [] bad expression"}
        made["metadata"]["name"] = "wrong"
        made["webhooks"][0]["matchConditions"] = [wrong]
        assert "compilation failed" in bench.error("POST", path, made)[2]


OTHERS = {
    "priority": "[sig-scheduling] SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints "
    "can be operated with different HTTP methods",
    "limits": "[sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults "
    "applied.",
    "reviews": "[sig-auth] SubjectReview should support SubjectReview API operations",
    "runtime": "[sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance]",
    "table": "[sig-api-machinery] Servers with support for Table transformation should return a 406 for a backend "
    "which does not implement metadata",
    "inline volumes": "[sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API",
    "dry run": "[sig-cli] Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods",
    "discovery": f"{_CRD} should include custom resource definition resources in discovery documents",
    "listing": f"{_CRD} Simple CustomResourceDefinition listing custom resource definition objects works",
    "status": f"{_CRD} Simple CustomResourceDefinition getting/updating/patching custom resource definition status "
    "sub-resource works",
}
"""Each with a test of its own below."""
PODS = "/api/v1/namespaces/default/pods"


def test_these_are_behaviours() -> None:
    assert {*OTHERS.values(), *CUSTOM} <= set(BEHAVIOURS)


def test_priority_classes(bench: Bench) -> None:
    path = place(_NAMED["PriorityClass"])
    made = bench.ok("POST", path, example(_NAMED["PriorityClass"], "p"))
    changed = {**made, "description": "other"}
    assert bench.ok("PUT", f"{path}/p", changed)["description"] == "other"
    assert bench.error("PATCH", f"{path}/p", {"value": 7}, content_type=MERGE)[0] == 422


def pod(name: str, **container: Any) -> JSON:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "a", **container}]}}


def test_limits(bench: Bench) -> None:
    path = place(_NAMED["LimitRange"])
    limits = {
        "type": "Container",
        "min": {"cpu": "50m"},
        "max": {"cpu": "500m"},
        "default": {"cpu": "500m"},
        "defaultRequest": {"cpu": "100m"},
    }
    made = bench.ok("POST", path, {"metadata": {"name": "l"}, "spec": {"limits": [limits]}})
    resources = bench.ok("POST", PODS, pod("a"))["spec"]["containers"][0]["resources"]
    assert resources == {"requests": {"cpu": "100m"}, "limits": {"cpu": "500m"}}
    for wrong in ("10m", "600m"):
        given = {"requests": {"cpu": wrong}, "limits": {"cpu": wrong}}
        assert bench.error("POST", PODS, pod("b", resources=given))[0] == 403
    made["spec"]["limits"][0]["min"] = {"cpu": "9m"}
    bench.ok("PUT", f"{path}/l", made)
    bench.ok("POST", PODS, pod("b", resources={"requests": {"cpu": "10m"}, "limits": {"cpu": "10m"}}))


def test_reviews(bench: Bench) -> None:
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}
    bench.ok("POST", f"{roles}/roles", {"metadata": {"name": "r"}, "rules": [rule]})
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    subject = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}
    bench.ok(
        "POST", f"{roles}/rolebindings", {"metadata": {"name": "b"}, "roleRef": ref, "subjects": [subject]}
    )
    reviews = "/apis/authorization.k8s.io/v1"
    for verb, allowed in (("list", True), ("delete", False)):
        asked = {
            "user": "jane",
            "resourceAttributes": {"namespace": "default", "verb": verb, "resource": "configmaps"},
        }
        whole = bench.ok("POST", f"{reviews}/subjectaccessreviews", {"spec": asked})
        local = f"{reviews}/namespaces/default/localsubjectaccessreviews"
        assert whole["status"]["allowed"] is allowed
        there = {"metadata": {"namespace": "default"}, "spec": asked}
        assert bench.ok("POST", local, there)["status"]["allowed"] is allowed
        method = "GET" if verb == "list" else "DELETE"
        tried = bench.call(method, MAPS if allowed else f"{MAPS}/x", headers={"impersonate-user": "jane"})
        assert (tried.status == 200) is allowed


def test_a_deleted_runtime_class(bench: Bench) -> None:
    path = place(_NAMED["RuntimeClass"])
    bench.ok("POST", path, example(_NAMED["RuntimeClass"], "gone"))
    bench.ok("DELETE", f"{path}/gone")
    wanting = pod("p")
    wanting["spec"]["runtimeClassName"] = "gone"
    assert bench.error("POST", PODS, wanting)[2] == (
        'pods "p" is forbidden: pod rejected: RuntimeClass "gone" not found'
    )


def test_a_dry_run(bench: Bench) -> None:
    bench.ok("POST", PODS, pod("p"))
    patch = {"spec": {"containers": [{"name": "c", "image": "b"}]}}
    strategic = "application/strategic-merge-patch+json"
    tried = bench.ok("PATCH", f"{PODS}/p", patch, content_type=strategic, dryRun="All")
    assert tried["spec"]["containers"][0]["image"] == "b"
    assert bench.ok("GET", f"{PODS}/p")["spec"]["containers"][0]["image"] == "a"


def test_what_has_no_table(bench: Bench) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    asked = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert bench.error("POST", path, asked, accept=accept)[:2] == (406, "NotAcceptable")


def test_inline_volumes(bench: Bench) -> None:
    volume = {"name": "v", "csi": {"driver": "e2e.example.com", "volumeAttributes": {"a": "b"}}}
    for name in ("a", "b"):
        made = pod(name)
        made["metadata"]["labels"] = {"group": "mine"}
        made["spec"]["volumes"] = [volume]
        found = bench.ok("POST", PODS, made)
        assert found["spec"]["volumes"][0] == volume
    patch = {"metadata": {"labels": {"csi": "patched"}}}
    assert bench.ok("PATCH", f"{PODS}/a", patch, content_type=MERGE)["metadata"]["labels"]["csi"] == "patched"
    assert len(bench.ok("GET", "/api/v1/pods", labelSelector="group=mine")["items"]) == 2
    bench.ok("DELETE", f"{PODS}/a", gracePeriodSeconds="0")
    bench.ok("DELETE", PODS, labelSelector="group=mine", gracePeriodSeconds="0")
    assert bench.ok("GET", PODS)["items"] == []


def definition(plural: str, group: str = "mine") -> JSON:
    made = {**BASES["CustomResourceDefinition"], "metadata": {"name": f"{plural}.example.com"}}
    names = {
        "plural": plural,
        "kind": plural.title(),
        "listKind": f"{plural.title()}List",
        "singular": plural,
    }
    meta = {"name": f"{plural}.example.com", "labels": {"group": group}}
    return {**made, "metadata": meta, "spec": {**made["spec"], "names": names}}


def test_definitions(bench: Bench) -> None:
    group = bench.ok("GET", "/apis/apiextensions.k8s.io")
    assert group["preferredVersion"] == {"groupVersion": "apiextensions.k8s.io/v1", "version": "v1"}
    path = place(_NAMED["CustomResourceDefinition"])
    assert "customresourcedefinitions" in {
        each["name"] for each in bench.ok("GET", "/apis/apiextensions.k8s.io/v1")["resources"]
    }
    for plural, label in (("as", "mine"), ("bs", "mine"), ("cs", "other")):
        bench.ok("POST", path, definition(plural, label))
    assert len(bench.ok("GET", path, labelSelector="group=mine")["items"]) == 2
    condition = {"type": "Test", "status": "True", "reason": "E2E", "message": "set"}
    patch = {"status": {"conditions": [condition], "acceptedNames": {"plural": "as", "kind": "As"}}}
    bench.ok("PATCH", f"{path}/as.example.com/status", patch, content_type=MERGE)
    read = bench.ok("GET", f"{path}/as.example.com/status")
    assert read["status"]["conditions"][0]["message"] == "set"
    read["status"]["conditions"][0]["message"] = "again"
    done = bench.ok("PUT", f"{path}/as.example.com/status", read)
    assert done["status"]["conditions"][0]["message"] == "again"


_READS, _KUBECTL = "tests/kube_apiserver/test_reads.py", "tests/kubectl/test_kubectl.py"
_PUBLISHED = "tests/kubectl/test_published_schemas.py"
_CUSTOM = "tests/kube_apiserver/test_custom_resources.py"
_CHUNKS = "[sig-api-machinery] Servers with support for API chunking should"
_WATCHERS = "[sig-api-machinery] Watchers should"
_CLIENT = "[sig-cli] Kubectl client"
ELSEWHERE = {
    f"{_CHUNKS} return chunks of results for list calls": (_READS, "test_chunks_show_one_moment"),
    f"{_CHUNKS} support continue listing from the last key if the original version has been compacted away, though "
    "the list is inconsistent [Slow]": (_READS, "test_what_is_compacted_is_gone"),
    f"{_WATCHERS} be able to restart watching from the last resource version observed by the previous watch": (
        _READS, "test_a_watch_goes_on_from_a_version",
    ),
    f"{_WATCHERS} be able to start watching from a specific resource version": (
        _READS, "test_a_watch_goes_on_from_a_version",
    ),
    f"{_WATCHERS} observe an object deletion if it stops meeting the requirements of the selector": (
        _READS, "test_a_selector_turns_changes_into_comings_and_goings",
    ),
    f"{_CRD} Simple CustomResourceDefinition creating/deleting custom resource definition objects works": (
        _CUSTOM, "test_a_definition_goes_with_its_objects",
    ),
    f"{_CRD} custom resource defaulting for requests and from storage works": (
        _CUSTOM, "test_defaults_and_pruning",
    ),
    f"{_CLIENT} Kubectl cluster-info should check if Kubernetes control plane services is included in "
    "cluster-info": (_KUBECTL, "test_the_cluster_presents_itself"),
    f"{_HOOKS} unconditionally reject operations on fail closed webhook": (
        "tests/kube_apiserver/test_webhooks.py", "test_a_write",
    ),
    f"{_CLIENT} Kubectl api-versions should check if v1 is in available api versions": (
        _PUBLISHED, "test_versions_of_the_api",
    ),
    f"{_CLIENT} Proxy server should support --unix-socket=/path": (_PUBLISHED, "test_a_proxy_on_a_socket"),
    **{
        "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD " + what: (
            _PUBLISHED, test,
        )
        for what, test in (
            ("with validation schema", "test_a_schema"),
            ("without validation schema", "test_no_schema"),
            ("preserving unknown fields at the schema root", "test_a_root_that_keeps_what_it_does_not_know"),
            ("preserving unknown fields in an embedded object", "test_an_embedded_object"),
        )
    },
    f"{_CLIENT} Kubectl version should check is all data is printed": (
        _KUBECTL, "test_the_cluster_presents_itself",
    ),
    f"{_CLIENT} Kubectl diff should check if kubectl diff finds a difference for Deployments": (
        _KUBECTL, "test_client_side_apply_and_diff",
    ),
    f"{_CLIENT} Proxy server should support proxy with --port 0": (
        "tests/kubectl/test_proxying.py", "test_kubectl_proxy",
    ),
}  # fmt: skip
"""Behaviours that tests of other files show."""


def shown() -> dict[str, str]:
    """Where each behaviour that is tested is."""
    here = "tests/kube_apiserver/test_conformance.py"
    tables = (EVERY_VERB, REFUSED, IMMUTABLE, NEW_EVENTS, DISCOVERY, OF_THE_CLUSTER, NAMESPACES, STATUS)
    tables = (*tables, WATCHES, STRICT, HOOKS, OTHERS.values())
    found = dict.fromkeys((name for table in tables for name in table), here)
    found |= dict.fromkeys(CUSTOM, "tests/kube_apiserver/test_conformance_custom.py")
    return {**found, **{name: f"{path}::{test}" for name, (path, test) in ELSEWHERE.items()}}


LOOPS: dict[str, dict[str, str]] = yaml.safe_load(
    (ROOT / "tests" / "scenarios" / "conformance_loops.yaml").read_text()
)


def shown_of_loops() -> dict[str, str]:
    """Where the behaviours of controllers and of the scheduler are: the rows of one table."""
    folder = str(ROOT / "tests" / "scenarios")
    if folder not in sys.path:
        sys.path.append(folder)
    rows = import_module("scenarios_of_conformance").CONFORMANCE
    return dict.fromkeys(rows, "tests/scenarios/scenarios_of_conformance.py")


def of_loops(needs: str) -> Callable[[], dict[str, str]]:
    return lambda: {name: path for name, path in shown_of_loops().items() if name in LOOPS[needs]}


CLASSES: tuple[tuple[str, dict[str, str], Callable[[], dict[str, str]], dict[str, str]], ...] = (
    ("the API server alone", BEHAVIOURS, shown, {}),
    ("controllers", LOOPS["controller"], of_loops("controller"), {}),
    ("the scheduler", LOOPS["scheduler"], of_loops("scheduler"), {}),
    ("nodes", node.BEHAVIOURS, node.shown, node.OPEN),
    ("the network", network.BEHAVIOURS, network.shown, network.OPEN),
)
"""What a class of behaviours needs, the behaviours, where they are shown, and why those fail that do."""


def page() -> str:
    """The document."""
    lines = [
        "# Conformance",
        "",
        "What upstream's conformance suite asks, by what it needs, and which test here shows it. What is open is",
        "not necessarily wrong: no test carries its name yet; what is refused stands in `deviations.md`.",
    ]
    for needs, behaviours, where, why in CLASSES:
        found = where()
        lines += [
            "",
            f"## What needs {needs}",
            "",
            f"{sum(name in found for name in behaviours)} of {len(behaviours)} are shown.",
            "",
            "| Behaviour | What it shows | Test |",
            "|---|---|---|",
        ]
        for name, summary in behaviours.items():
            told = f"`{found[name]}`" if name in found else f"fails: {why[name]}" if name in why else "open"
            lines.append(f"| {name} | {summary} | {told} |")
    return "\n".join(lines) + "\n"


def test_the_page_is_what_the_tests_show(update_goldens: bool) -> None:
    if update_goldens:
        PAGE.write_text(page())
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("codename", [*ELSEWHERE, *node.ELSEWHERE, *network.ELSEWHERE])
def test_what_is_shown_elsewhere_is_there(codename: str) -> None:
    assert any(codename in behaviours for _, behaviours, _, _ in CLASSES)
    path, test = {**ELSEWHERE, **node.ELSEWHERE, **network.ELSEWHERE}[codename]
    assert f"\ndef {test}(" in (ROOT / path).read_text()


def test_every_name_of_the_loops_is_one_of_upstreams() -> None:
    assert {*shown_of_loops()} == {*LOOPS["controller"], *LOOPS["scheduler"]}


@pytest.mark.parametrize("needs", ["nodes", "the network"])
def test_every_name_is_one_of_upstreams(needs: str) -> None:
    _, behaviours, where, why = next(row for row in CLASSES if row[0] == needs)
    assert {*where(), *why} <= {*behaviours}
    assert not {*where()} & {*why}
