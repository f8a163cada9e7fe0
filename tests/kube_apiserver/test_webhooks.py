"""Webhook configurations: which writes a webhook is asked about, and what becomes of those that it is not."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from apiserver_bench import DEPLOYMENTS, MAPS, Bench, config_map, deployment

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]
GROUP = "/apis/admissionregistration.k8s.io/v1"
KINDS = ("mutating", "validating")
MERGE = "application/merge-patch+json"


def hook(**more: Any) -> JSON:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
    return {
        "name": "fail.hooks.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"service": {"namespace": "default", "name": "hooks", "path": "/ask"}},
        "rules": [rule],
        **more,
    }


def configure(bench: Bench, kind: str, *hooks: JSON) -> None:
    bench.ok(
        "POST", f"{GROUP}/{kind}webhookconfigurations", {"metadata": {"name": "c"}, "webhooks": list(hooks)}
    )


def rules(**change: Any) -> JSON:
    return {"rules": [{**hook()["rules"][0], **change}]}


CALLED = 'failed calling webhook "fail.hooks.example.com": failed to call webhook: '
POST = 'Post "https://hooks.default.svc:443/ask?timeout=10s"'
MISSING = f'Internal error occurred: {CALLED}{POST}: service "hooks" not found'
# id: the webhook, the code (0: let through), what is said
ASKED: dict[str, tuple[JSON, int, str]] = {
    "a service that is not there": ({}, 500, MISSING),
    "an address outside": (
        {"clientConfig": {"url": "https://hooks.example.com/ask"}, "timeoutSeconds": 3}, 501,
        'not simulated by this cluster: a call of the webhook "fail.hooks.example.com" '
        '(Post "https://hooks.example.com/ask?timeout=3s"), which a real cluster makes',
    ),
    "fails open": ({"failurePolicy": "Ignore"}, 0, ""),
    "an address outside that fails open": (
        {"failurePolicy": "Ignore", "clientConfig": {"url": "https://hooks.example.com/ask"}}, 0,
        "not simulated by this cluster: the webhook 'fail.hooks.example.com' was not asked",
    ),
    "another resource": (rules(resources=["secrets"]), 0, ""),
    "another operation": (rules(operations=["DELETE"]), 0, ""),
    "another group": (rules(apiGroups=["apps"]), 0, ""),
    "of the cluster only": (rules(scope="Cluster"), 0, ""),
    "no rules": ({"rules": []}, 0, ""),
    "other namespaces": ({"namespaceSelector": {"matchLabels": {"hooked": "yes"}}}, 0, ""),
    "other objects": ({"objectSelector": {"matchLabels": {"hooked": "yes"}}}, 0, ""),
    "a condition that does not hold": (
        {"matchConditions": [{"name": "a", "expression": "object.metadata.name != 'settings'"}]}, 0, "",
    ),
    "a condition that holds": (
        {"matchConditions": [{"name": "a", "expression": "object.metadata.name == 'settings'"}]}, 500, MISSING,
    ),
    "a condition that fails": (
        {"matchConditions": [{"name": "a", "expression": "object.nope == 1"}]}, 403,
        'configmaps "settings" is forbidden: expression \'object.nope == 1\' resulted in error: no such key: nope',
    ),
    "a condition that fails open": (
        {"failurePolicy": "Ignore", "matchConditions": [{"name": "a", "expression": "object.nope == 1"}]}, 0, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("more", "code", "said"), ASKED.values(), ids=ASKED)
def test_a_write(bench: Bench, kind: str, more: JSON, code: int, said: str) -> None:
    configure(bench, kind, hook(**more))
    if code:
        assert bench.error("POST", MAPS, config_map())[::2] == (code, said)
        assert bench.error("GET", f"{MAPS}/settings")[0] == 404
        return
    reply = bench.call("POST", MAPS, config_map())
    assert reply.status == 201
    assert reply.warnings == ((said,) if said else ())


@pytest.mark.parametrize("kind", KINDS)
def test_updates_deletes_and_the_way_out(bench: Bench, kind: str) -> None:
    bench.ok("POST", MAPS, config_map())
    configure(bench, kind, hook())
    for method, body in (("PATCH", {"data": {"a": "b"}}), ("DELETE", None)):
        content_type = MERGE if body else "application/json"
        assert bench.error(method, f"{MAPS}/settings", body, content_type=content_type)[2] == MISSING
    bench.ok("POST", DEPLOYMENTS, deployment())
    everything = {"webhooks": [hook(**rules(apiGroups=["*"], apiVersions=["*"], resources=["*/*"]))]}
    bench.ok("PATCH", f"{GROUP}/{kind}webhookconfigurations/c", everything, content_type=MERGE)
    assert bench.error("DELETE", f"{DEPLOYMENTS}/web")[0] == 500
    bench.ok("DELETE", f"{GROUP}/{kind}webhookconfigurations/c")  # nobody locks himself out
    bench.ok("DELETE", f"{DEPLOYMENTS}/web")


def test_components_are_asked_about_too() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    pods = hook(**rules(operations=["CREATE"], resources=["pods"]))
    cluster.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "c"},
            "webhooks": [pods],
        }
    )
    cluster.apply(deployment())
    cluster.advance(20)
    [replicas] = cluster.list("replicasets")
    [failure] = replicas["status"]["conditions"]
    assert failure["reason"] == "FailedCreate"
    assert failure["message"] == MISSING
    cluster.delete("validatingwebhookconfigurations", "c")
    assert cluster.wait(lambda c: len(c.list("pods", "default")) == 2, 1200)


def test_the_trail_names_the_plugin() -> None:
    cluster = Cluster(nodes=0, addons=False)
    body = {"metadata": {"name": "c"}, "webhooks": [hook()]}
    headers = {"content-type": "application/json"}
    path = f"{GROUP}/mutatingwebhookconfigurations"
    cluster.request(Request("POST", path, [], headers, orjson.dumps(body), ADMIN))
    cluster.request(Request("POST", MAPS, [], headers, orjson.dumps(config_map()), ADMIN))
    last = cluster.requests(1)[0]["admission"][-1]
    assert (last["plugin"], last["refused"]) == ("MutatingAdmissionWebhook", MISSING)
