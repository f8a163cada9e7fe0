"""What mounted tokens say of who they are for, how long they are good, and when they are fetched anew."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from test_kubelet_service import same

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.sim import SECOND

YEAR = 365 * 86_400
DEFAULT = "/var/run/secrets/kubernetes.io/serviceaccount"


def pod(**token: Any) -> JSON:
    """With a token of its own beside the usual one."""
    container = {
        "name": "c",
        "image": "busybox:1.36",
        "command": ["sleep", "1d"],
        "volumeMounts": [{"name": "t", "mountPath": "/t"}],
    }
    source = {"serviceAccountToken": {"path": "token", **token}}
    spec = {
        "containers": [container],
        "volumes": [{"name": "t", "projected": {"sources": [source]}}],
        "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.advance(30)
    return cluster


def run(base: Cluster, **token: Any) -> Cluster:
    cluster = base.fork()
    cluster.apply(pod(**token))
    assert cluster.settle()
    return cluster


def text(cluster: Cluster, folder: str = "/t") -> str:
    return cluster.execute("p", ["cat", f"{folder}/token"]).stdout.decode()


def claims(cluster: Cluster, folder: str = "/t") -> JSON:
    body = text(cluster, folder).split(".")[1]
    found: JSON = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


LASTS: dict[str, tuple[dict[str, Any], int, bool]] = {
    "an hour": ({}, 3_600, False),
    "as it asks": ({"expirationSeconds": 600}, 600, False),
    "as the API's own": ({"expirationSeconds": 3607}, YEAR, True),
    "for somebody else": ({"expirationSeconds": 3607, "audience": "vault"}, 3607, False),
}


@pytest.mark.parametrize(("token", "seconds", "warns"), LASTS.values(), ids=LASTS)
def test_how_long_it_is_good(base: Cluster, token: dict[str, Any], seconds: int, warns: bool) -> None:
    found = claims(run(base, **token))
    assert found["exp"] - found["iat"] == seconds
    assert ("warnafter" in found["kubernetes.io"]) is warns


def test_whose_it_is(base: Cluster) -> None:
    """It names its Pod's node, and so does what a review tells of it (ServiceAccountTokenPodNodeInfo)."""
    cluster = run(base)
    node, own = cluster.get("nodes", "worker-1"), cluster.get("pods", "p")
    assert node is not None
    assert own is not None
    said = claims(cluster, DEFAULT)
    assert said["exp"] - said["iat"] == YEAR
    assert said["kubernetes.io"]["node"] == {"name": "worker-1", "uid": node["metadata"]["uid"]}
    assert said["kubernetes.io"]["pod"] == {"name": "p", "uid": own["metadata"]["uid"]}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": text(cluster)}}
    path, kind = "/apis/authentication.k8s.io/v1/tokenreviews", {"content-type": "application/json"}
    answer = cluster.request(Request("POST", path, [], kind, orjson.dumps(body), ADMIN))
    extra = orjson.loads(answer.body)["status"]["user"]["extra"]
    assert extra["authentication.kubernetes.io/node-name"] == ["worker-1"]
    assert extra["authentication.kubernetes.io/node-uid"] == [node["metadata"]["uid"]]


def test_a_token_that_is_asked_for_names_the_node_too(base: Cluster) -> None:
    cluster = run(base)
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "p"}
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"boundObjectRef": bound},
    }
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    kind = {"content-type": "application/json"}
    answer = cluster.request(Request("POST", path, [], kind, orjson.dumps(body), ADMIN))
    token = orjson.loads(answer.body)["status"]["token"].split(".")[1]
    said = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert said["kubernetes.io"]["node"]["name"] == "worker-1"


def test_one_that_runs_out_is_fetched_anew(base: Cluster) -> None:
    """At 80 percent of its time, while its kubelet runs and reaches the API; that of a year stays."""
    cluster = run(base, expirationSeconds=600)
    first, usual = claims(cluster), text(cluster, DEFAULT)
    cluster.advance(470)
    assert claims(cluster) == first
    cluster.advance(20)
    second = claims(cluster)
    assert second["iat"] - first["iat"] == 480
    assert text(cluster, DEFAULT) == usual
    cluster.fault("node/kubelet", node="worker-1", running=False)
    cluster.advance(900)
    cluster.fault("node/kubelet", node="worker-1", running=True)
    began = cluster.clock.now // SECOND
    cluster.advance(70)
    assert claims(cluster)["iat"] >= began
    same(cluster)


def test_after_a_reboot_it_is_fetched_once(base: Cluster) -> None:
    cluster = run(base, expirationSeconds=600)
    for up in (False, True):
        cluster.fault("node/power", node="worker-1", up=up)
        cluster.advance(60)
    first = claims(cluster)
    cluster.advance(450)
    second = claims(cluster)
    assert second["iat"] - first["iat"] == 480
    same(cluster)
