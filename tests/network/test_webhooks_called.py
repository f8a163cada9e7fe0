"""What becomes of a write when its webhook cannot be reached, is not trusted, or says something odd."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import ADMIN, Request, webhook_client
from cluster_engine.network import Instant
from cluster_engine.network.instant import DEPTH, SILENT
from tests.network.webhooks import AGNHOST, HOST, bundle, cluster_with_webhook, configuration, hook, objects

JSON = dict[str, Any]
POST = 'Post "https://hooks.default.svc:443/{}?timeout=10s"'
CALLED = (
    f'Internal error occurred: failed calling webhook "a.hooks.example.com": failed to call webhook: {POST}'
)
X509 = "tls: failed to verify certificate: x509: "
POLICY: JSON = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "none", "namespace": "default"},
    "spec": {"podSelector": {"matchLabels": {"app": "hooks"}}, "ingress": [{"from": [{"podSelector": {}}]}]},
}


def server(run: str) -> JSON:
    """A Pod in the webhook's place."""
    container = {"name": "c", "image": "busybox", "command": ["sh", "-c", run]}
    meta = {"name": "hooks", "namespace": "default", "labels": {"app": "hooks"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


def netexec(*args: str) -> JSON:
    made = server("")
    made["spec"]["containers"][0] = {
        "name": "c",
        "image": AGNHOST,
        "args": ["netexec", "--http-port=8444", *args],
    }
    return made


def service(**spec: Any) -> JSON:
    found = objects()[2]
    return {**found, "spec": {**found["spec"], **spec}}


def client(**change: Any) -> JSON:
    made = hook("/configmaps")
    made["clientConfig"] = {**made["clientConfig"], **change}
    return made


# id: (objects applied beside Secret and Service, the webhook, what is said)
CASES: dict[str, tuple[list[JSON], JSON, str]] = {
    "no Pod": ([], hook("/configmaps"), ": dial tcp {ip}:443: connect: connection refused"),
    "another port": (
        [objects()[1], service(ports=[{"port": 8080, "targetPort": 8444}])],
        hook("/configmaps"), ': no service port 443 found for service "hooks"',
    ),
    "headless": (
        [objects()[1], service(clusterIP="None")], hook("/configmaps"),
        ': cannot route to service with ClusterIP "None"',
    ),
    "another authority": (
        [objects()[1]], client(caBundle=bundle(2)), f": {X509}certificate signed by unknown authority",
    ),
    "no authority": ([objects()[1]], client(caBundle=None), f": {X509}certificate signed by unknown authority"),
    "another name": (
        objects("hooks.other.svc"), hook("/configmaps"),
        f": {X509}certificate is valid for hooks.other.svc, not {HOST}",
    ),
    "no TLS": ([netexec()], hook("/configmaps"), ": http: server gave HTTP response to HTTPS client"),
    "silent": ([server("sleep 1d | nc -l -p 8444")], hook("/configmaps"), ": context deadline exceeded"),
    "it hangs up": ([server("nc -l -p 8444 < /dev/null")], hook("/configmaps"), ": EOF"),
    "another path": ([objects()[1]], hook("/nothing"), " the server could not find the requested resource"),
    "not its business": (
        [objects()[1]], hook("/pods"), " the server rejected our request for an unknown reason",
    ),
    "a policy in between": ([objects()[1], POLICY], hook("/configmaps"), ": context deadline exceeded"),
}  # fmt: skip


@pytest.fixture(scope="module")
def bare() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    for obj in (objects()[0], objects()[2]):
        cluster.apply(obj)
    assert cluster.settle()
    return cluster


def apply(cluster: Cluster) -> str:
    """What is said to a ConfigMap; "" when it is let in."""
    try:
        cluster.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "default"}}
        )
    except ApiError as error:
        return error.message
    return ""


@pytest.mark.parametrize("case", CASES)
def test_a_call_that_fails(bare: Cluster, case: str) -> None:
    made, asked, said = CASES[case]
    cluster = bare.fork()
    for obj in made:
        if obj["kind"] == "Service":
            cluster.delete("services", "hooks", "default")
        cluster.apply(obj)
    assert cluster.settle()
    cluster.apply(configuration("Validating", asked))
    ip = cluster.get("services", "hooks", "default")["spec"]["clusterIP"]
    path = asked["clientConfig"]["service"]["path"].removeprefix("/")
    wanted = CALLED.format(path) + said.format(ip=ip)
    if said.startswith(" "):
        wanted = CALLED.partition(" Post")[0] + said
    assert apply(cluster).startswith(wanted)
    cluster.apply(configuration("Validating", {**asked, "failurePolicy": "Ignore"}))
    assert apply(cluster) == ""


ANSWERS: dict[str, tuple[JSON, str]] = {
    "nothing": ({}, "webhook response was absent"),
    "another uid": (
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": {"uid": "x", "allowed": True}},
        'got "x"',
    ),
    "another kind": (
        {"kind": "Pod", "apiVersion": "v1", "response": {"uid": "{uid}", "allowed": True}},
        "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /v1, Kind=Pod",
    ),
    "a patch without its type": (
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
         "response": {"uid": "{uid}", "allowed": True, "patch": "W10="}},
        "webhook returned response.patch but not response.patchType",
    ),
    "a type without a patch": (
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
         "response": {"uid": "{uid}", "allowed": True, "patchType": "JSONPatch"}},
        "webhook returned response.patchType but not response.patch",
    ),
    "denied without a word": (
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": {"uid": "{uid}"}},
        'admission webhook "a.hooks.example.com" denied the request without explanation',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_an_odd_answer(bare: Cluster, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    review, said = ANSWERS[case]

    def post(nodes: Any, store: Any, config: JSON, timeout: int, body: JSON) -> JSON:
        response = review.get("response")
        if response is None:
            return review
        uid = body["request"]["uid"] if response["uid"] == "{uid}" else response["uid"]
        return {**review, "response": {**response, "uid": uid}}

    monkeypatch.setattr(webhook_client, "post", post)
    cluster = bare.fork()
    cluster.apply(configuration("Mutating", hook("/x")))
    assert apply(cluster).endswith(said)


def test_calls_within_calls_are_bounded(bare: Cluster) -> None:
    depths: list[int] = []

    def run(enough: Any) -> None:
        depths.append(len(depths))
        assert instant.https("worker-1", "172.18.0.3", "10.244.9.9", 80, "", 0) == (SILENT, "")

    network = bare.fork().network
    instant = Instant(network, run, lambda *_: "", lambda *_: None)
    assert instant.https("worker-1", "172.18.0.3", "10.244.9.9", 80, "", 0) == (SILENT, "")
    assert len(depths) == DEPTH


def test_what_is_asked_again() -> None:
    """One that wishes so sees what a later one has changed; nobody is asked a third time."""
    cluster = cluster_with_webhook()
    first = hook("/mutating-configmaps", name="a.example.com", reinvocationPolicy="IfNeeded")
    cluster.apply(configuration("Mutating", first, hook("/add-label", name="b.example.com")))
    data = {"mutation-start": "yes"}
    meta = {"name": "m", "namespace": "default"}
    [made] = cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
    assert made["data"] == {**data, "mutation-stage-1": "yes", "mutation-stage-2": "yes"}
    assert made["metadata"]["labels"] == {"added-label": "yes"}


def test_a_dry_run_is_asked_about_and_told_again() -> None:
    cluster = cluster_with_webhook()
    cluster.apply(configuration("Validating", hook("/configmaps")))
    body = b'{"metadata":{"name":"m"},"data":{"webhook-e2e-test":"webhook-disallow"}}'
    path = "/api/v1/namespaces/default/configmaps"
    reply = cluster.request(Request("POST", path, [("dryRun", "All")], {}, body, ADMIN))
    assert reply.status == 400
    cluster.advance(10)
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
