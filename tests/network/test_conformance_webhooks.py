"""Upstream's conformance suite: what it shows of admission webhooks, with the webhook of its own image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from tests.network.webhooks import cluster_with_webhook, configuration, hook

JSON = dict[str, Any]
MAPS, PODS = "/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/pods"
HOOKS_API = "/apis/admissionregistration.k8s.io/v1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BAD = {"webhook-e2e-test": "webhook-disallow"}
START = {"mutation-start": "yes"}
ON_CREATE = {"operations": ["CREATE"]}
CUSTOM = {"apiGroups": ["stable.example.com"], "apiVersions": ["*"], "resources": ["tests"]}


class Api:
    """Requests of an administrator; a refusal is its code and message."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def __call__(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        path, _, query = path.partition("?")
        pairs = [tuple(part.split("=", 1)) for part in query.split("&") if part]
        sent = orjson.dumps(body) if body is not None else b""
        reply = self.cluster.request(Request(method, path, pairs, {"content-type": kind}, sent, ADMIN))  # type: ignore[arg-type]
        said = orjson.loads(reply.body)
        return (reply.status, said["message"]) if reply.status >= 400 else said

    def make(self, name: str, data: JSON, namespace: str = "default") -> Any:
        path = MAPS.replace("default", namespace)
        return self("POST", path, {"metadata": {"name": name}, "data": data})

    def configure(self, kind: str, *hooks: JSON, **more: Any) -> None:
        self.cluster.apply(configuration(kind, *hooks, **more))


def denied(why: str, name: str = "a.hooks.example.com") -> tuple[int, str]:
    return 400, f'admission webhook "{name}" denied the request: {why}'


UNWANTED = denied("the configmap contains unwanted key and value")


def listing(kind: str) -> Callable[[Api], None]:
    def told(api: Api) -> None:
        for number in range(10):
            path = "/configmaps" if kind == "Validating" else "/mutating-configmaps"
            api.configure(
                kind, hook(path, name=f"h{number}.example.com"), name=f"c{number}", labels={"suite": "x"}
            )
        path = f"{HOOKS_API}/{kind.lower()}webhookconfigurations?labelSelector=suite=x"
        assert len(api("GET", path)["items"]) == 10
        if kind == "Validating":
            assert api.make("one", BAD) == denied(
                "the configmap contains unwanted key and value", "h0.example.com"
            )
        else:
            assert api.make("one", START)["data"] == {
                **START,
                "mutation-stage-1": "yes",
                "mutation-stage-2": "yes",
            }
        api("DELETE", path)
        made = api.make("two", {**BAD, **START})
        assert made["data"] == {**BAD, **START}

    return told


def patching(kind: str) -> Callable[[Api], None]:
    def works(api: Api, name: str) -> bool:
        made = api.make(name, {**BAD, **START})
        return made == UNWANTED if kind == "Validating" else "mutation-stage-1" in made["data"]

    def told(api: Api) -> None:
        path = "/configmaps" if kind == "Validating" else "/mutating-configmaps"
        api.configure(kind, hook(path, ON_CREATE))
        assert works(api, "one")
        place = f"{HOOKS_API}/{kind.lower()}webhookconfigurations/c"
        live = api("GET", place)
        live["webhooks"][0]["rules"][0]["operations"] = ["UPDATE"]
        assert api("PUT", place, live)["metadata"]["generation"] == 2
        assert not works(api, "two")
        change = [{"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["CREATE"]}]
        api("PATCH", place, change, "application/json-patch+json")
        assert works(api, "three")

    return told


def attaching(api: Api) -> None:
    about = {"operations": ["CONNECT"], "resources": ["pods/attach"]}
    api.configure("Validating", hook("/pods/attach", about))
    container = {"name": "container1", "image": "busybox", "command": ["sleep", "1d"], "stdin": True}
    api("POST", PODS, {"metadata": {"name": "to-be-attached-pod"}, "spec": {"containers": [container]}})
    assert api.cluster.settle()
    for query, refused in (
        ([("container", "container1"), ("stdin", "true")], True),
        ([("container", "container1")], False),
    ):
        request = Request("POST", f"{PODS}/to-be-attached-pod/attach", query, {}, b"", ADMIN)
        reply = api.cluster.perform(api.cluster.prepare(request, "session/open"))
        assert (reply is not None) is refused
        if reply is not None:
            said = orjson.loads(reply.body)
            assert (reply.status, said["message"]) == denied(
                "attaching to pod 'to-be-attached-pod' is not allowed"
            )


def definition(*versions: str, stored: str = "v1", closed: bool = False) -> JSON:
    data: JSON = {"type": "object", "additionalProperties": {"type": "string"}}
    if closed:
        data = {
            "type": "object",
            "properties": {n: {"type": "string"} for n in ("mutation-start", "mutation-stage-1")},
        }
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"data": data}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "tests.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "tests", "singular": "test", "kind": "Test", "listKind": "TestList"},
            "versions": [
                {"name": name, "served": True, "storage": name == stored, "schema": schema}
                for name in versions
            ],
        },
    }


def custom(api: Api, name: str, data: JSON, version: str = "v1") -> Any:
    path = f"/apis/stable.example.com/{version}/namespaces/default/tests"
    meta = {"apiVersion": f"stable.example.com/{version}", "kind": "Test", "metadata": {"name": name}}
    return api("POST", path, {**meta, "data": data})


def guarded_custom(api: Api) -> None:
    api.cluster.apply(definition("v1"))
    assert api.cluster.settle()
    api.configure("Validating", hook("/custom-resource", CUSTOM))
    assert custom(api, "one", BAD) == denied("the custom resource contains unwanted data")
    custom(api, "two", {"webhook-e2e-test": "webhook-nondeletable"})
    place = "/apis/stable.example.com/v1/namespaces/default/tests/two"
    merge = "application/merge-patch+json"
    assert api("PATCH", place, {"data": BAD}, merge) == denied("the custom resource contains unwanted data")
    kept = denied("the custom resource cannot be deleted because it contains unwanted key and value")
    assert api("DELETE", place) == kept
    api("PATCH", place, {"data": {"webhook-e2e-test": "fine"}}, merge)
    assert api("DELETE", place)["status"] == "Success"


def pods_and_maps(api: Api) -> None:
    pods = {"operations": ["CREATE"], "resources": ["pods"]}
    exempt = {
        "namespaceSelector": {"matchExpressions": [{"key": "skip", "operator": "NotIn", "values": ["yes"]}]}
    }
    api.configure(
        "Validating",
        hook("/pods", pods, name="pods.example.com", **exempt),
        hook("/configmaps", name="maps.example.com", **exempt),
    )

    def pod(name: str, container: str, **labels: str) -> Any:
        spec = {"containers": [{"name": container, "image": "busybox"}]}
        return api("POST", PODS, {"metadata": {"name": name, "labels": labels}, "spec": spec})

    why = "the pod contains unwanted label; the pod contains unwanted container name;"
    assert pod("bad", "webhook-disallow", **BAD) == denied(why, "pods.example.com")
    hangs = pod("hangs", "c", **{"webhook-e2e-test": "wait-forever"})
    assert hangs[0] == 500
    assert hangs[1].endswith(
        'Post "https://hooks.default.svc:443/pods?timeout=10s": context deadline exceeded'
    )
    no = denied("the configmap contains unwanted key and value", "maps.example.com")
    assert api.make("bad", BAD) == no
    api.make("good", {"a": "b"})
    live = api("GET", f"{MAPS}/good")
    assert api("PUT", f"{MAPS}/good", {**live, "data": BAD}) == no
    assert api("PATCH", f"{MAPS}/good", {"data": BAD}, "application/merge-patch+json") == no
    api("POST", "/api/v1/namespaces", {"metadata": {"name": "exempt", "labels": {"skip": "yes"}}})
    assert api.make("bad", BAD, "exempt")["data"] == BAD


def crds(api: Api) -> None:
    about = {
        "apiGroups": ["apiextensions.k8s.io"],
        "apiVersions": ["*"],
        "resources": ["customresourcedefinitions"],
    }
    api.configure("Validating", hook("/crd", about))
    made = definition("v1")
    made["metadata"]["labels"] = BAD
    assert api("POST", CRDS, made) == denied("the crd contains unwanted label")


def timeouts(api: Api) -> None:
    for seconds, policy, passes in ((1, "Fail", False), (1, "Ignore", True), (10, "Fail", True)):
        slow = hook("/always-allow-delay-5s", timeoutSeconds=seconds, failurePolicy=policy)
        api.configure("Validating", slow)
        made = api.make(f"m-{seconds}-{policy.lower()}", {})
        if passes:
            assert made["kind"] == "ConfigMap"
        else:
            assert made == (
                500,
                'Internal error occurred: failed calling webhook "a.hooks.example.com": failed to call webhook: Post '
                '"https://hooks.default.svc:443/always-allow-delay-5s?timeout=1s": context deadline exceeded',
            )
    del slow["timeoutSeconds"]
    api.configure("Validating", slow)
    assert api.make("by-default", {})["kind"] == "ConfigMap"


def mutated_map(api: Api) -> None:
    stages = [hook("/mutating-configmaps", ON_CREATE, name=f"{n}.example.com") for n in ("one", "two")]
    api.configure("Mutating", *stages)
    assert api.make("m", START)["data"] == {**START, "mutation-stage-1": "yes", "mutation-stage-2": "yes"}
    assert api("GET", f"{MAPS}/m")["data"]["mutation-stage-2"] == "yes"


def stages(closed: bool) -> Callable[[Api], None]:
    def told(api: Api) -> None:
        api.cluster.apply(definition("v1", closed=closed))
        assert api.cluster.settle()
        both = [hook("/mutating-custom-resource", CUSTOM, name=f"{n}.example.com") for n in ("one", "two")]
        api.configure("Mutating", *both)
        first, second = {"mutation-stage-1": "yes"}, {"mutation-stage-2": "yes"}
        assert custom(api, "c", START)["data"] == (
            {**START, **first} if closed else {**START, **first, **second}
        )

    return told


def other_storage(api: Api) -> None:
    api.cluster.apply(definition("v1", "v2"))
    assert api.cluster.settle()
    api.configure(
        "Mutating", hook("/mutating-custom-resource", {**CUSTOM, "operations": ["CREATE", "UPDATE"]})
    )
    assert custom(api, "one", START)["data"]["mutation-stage-1"] == "yes"
    api.cluster.apply(definition("v1", "v2", stored="v2"))
    assert api.cluster.settle()
    place = "/apis/stable.example.com/v1/namespaces/default/tests/one"
    patched = api("PATCH", place, {"data": {"mutation-stage-1": "yes"}}, "application/merge-patch+json")
    assert patched["data"] == {**START, "mutation-stage-1": "yes", "mutation-stage-2": "yes"}
    assert custom(api, "two", START, "v2")["data"]["mutation-stage-1"] == "yes"


def all_but_one(api: Api) -> None:
    condition = {"name": "not-skip", "expression": "object.metadata.name != 'skip-me'"}
    api.configure("Mutating", hook("/mutating-configmaps", ON_CREATE, matchConditions=[condition]))
    assert api.make("skip-me", START)["data"] == START
    assert api.make("other", START)["data"] != START


def mutated_pod(api: Api) -> None:
    api.configure("Mutating", hook("/mutating-pods", {"operations": ["CREATE"], "resources": ["pods"]}))
    spec = {"containers": [{"name": "example", "image": "busybox"}]}
    made = api("POST", PODS, {"metadata": {"name": "webhook-to-be-mutated"}, "spec": spec})
    [added] = made["spec"]["initContainers"]
    assert added["name"] == "webhook-added-init-container"
    assert added["terminationMessagePolicy"] == "File"
    [token] = added["volumeMounts"]
    assert token["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"


def not_of_webhooks(api: Api) -> None:
    everything = {
        "apiGroups": ["admissionregistration.k8s.io"],
        "apiVersions": ["*"],
        "resources": ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
    }
    api.configure("Validating", hook("/always-deny", everything), name="denies")
    api.configure("Mutating", hook("/add-label", everything), name="labels")
    for kind in ("Validating", "Mutating"):
        api.configure(kind, hook("/configmaps"), name="dummy")
        place = f"{HOOKS_API}/{kind.lower()}webhookconfigurations/dummy"
        assert "added-label" not in api("GET", place)["metadata"].get("labels", {})
        assert api("DELETE", place)["status"] == "Success"


_ADMISSION = "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin]"
TOLD: dict[str, Callable[[Api], None]] = {
    f"{_ADMISSION} {name}": told
    for name, told in {
        "listing mutating webhooks should work": listing("Mutating"),
        "listing validating webhooks should work": listing("Validating"),
        "patching/updating a mutating webhook should work": patching("Mutating"),
        "patching/updating a validating webhook should work": patching("Validating"),
        "should be able to deny attaching pod": attaching,
        "should be able to deny custom resource creation, update and deletion": guarded_custom,
        "should be able to deny pod and configmap creation": pods_and_maps,
        "should deny crd creation": crds,
        "should honor timeout": timeouts,
        "should mutate configmap": mutated_map,
        "should mutate custom resource": stages(closed=False),
        "should mutate custom resource with different stored version": other_storage,
        "should mutate custom resource with pruning": stages(closed=True),
        "should mutate everything except 'skip-me' configmaps": all_but_one,
        "should mutate pod and apply defaults after mutation": mutated_pod,
        "should not be able to mutate or prevent deletion of webhook configuration objects": not_of_webhooks,
    }.items()
}


@pytest.fixture(scope="module")
def base() -> Cluster:
    return cluster_with_webhook()


@pytest.mark.parametrize("codename", TOLD)
def test_a_webhook(base: Cluster, codename: str) -> None:
    cluster = base.fork()
    TOLD[codename](Api(cluster))
    cluster.advance(10)
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
