"""gRPC probes: what servers answer, and those that speak something else; agnhost's servers."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kubelet.prober import verdict
from cluster_engine.kubelet.record import PodRecord

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"
PROBE = {"grpc": {"port": 5000}, "timeoutSeconds": 2}
LOST = 'timeout: failed to connect service "10.0.0.1:5000" within 2s: context deadline exceeded'
ANSWERS: dict[str, tuple[list[str], bool, str]] = {
    "well": (["said", "OK SERVING\n"], True, ""),
    "not well": (["said", "OK NOT_SERVING\n"], False, 'service unhealthy (responded with "NOT_SERVING")'),
    "no such service": (
        ["said", "NotFound unknown service\n"],
        False,
        "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
    ),
    "no health": (
        ["said", "Unimplemented unknown service grpc.health.v1.Health\n"],
        False,
        "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service "
        "grpc.health.v1.Health",
    ),
    "no gRPC": (["said", "HTTP/1.1 400 Bad Request\r\n\r\n"], False, LOST),
    "refused": (["failed", "connection refused"], False, LOST),
    "late": (["timeout"], False, LOST),
}


@pytest.mark.parametrize(("answer", "well", "output"), ANSWERS.values(), ids=ANSWERS.keys())
def test_verdict(answer: list[str], well: bool, output: str) -> None:
    record = PodRecord("u", "default/p", "n", ip="10.0.0.1")
    assert verdict(record, {"name": "c"}, PROBE, answer) == (well, output)


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(pod("warm", ["netexec"]))
    cluster.advance(10)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def pod(name: str, args: list[str], image: str = AGNHOST, **probes: JSON) -> JSON:
    container = {"name": "c", "image": image, **({"args": args} if args else {}), **probes}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container]},
    }


def status(cluster: Cluster, name: str = "p") -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    shown: JSON = found["status"]["containerStatuses"][0]
    return shown


def ask(cluster: Cluster, path: str, name: str, port: int = 8080) -> str:
    return cluster.execute(name, ["wget", "-q", "-O", "-", f"http://127.0.0.1:{port}{path}"]).stdout.decode()


def test_a_server_that_is_well_and_then_is_not(cluster: Cluster) -> None:
    probe = {"grpc": {"port": 5000}, "periodSeconds": 2, "failureThreshold": 1}
    cluster.apply(pod("p", ["grpc-health-checking"], readinessProbe=probe))
    cluster.advance(10)
    assert status(cluster)["ready"] is True
    ask(cluster, "/make-not-serving", "p")
    cluster.advance(5)
    assert status(cluster)["ready"] is False
    events = [
        event["message"] for event in cluster.list("events", "default") if event["reason"] == "Unhealthy"
    ]
    assert events == ['Readiness probe failed: service unhealthy (responded with "NOT_SERVING")']
    ask(cluster, "/make-serving", "p")
    cluster.advance(5)
    assert status(cluster)["ready"] is True
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_a_server_that_falls_ill(cluster: Cluster) -> None:
    probe = {"grpc": {"port": 6000}, "periodSeconds": 5, "failureThreshold": 1, "initialDelaySeconds": 1}
    args = ["grpc-health-checking", "--port=6000", "--delay-unhealthy-sec=12"]
    cluster.apply(pod("p", args, livenessProbe=probe))
    cluster.advance(10)
    assert status(cluster)["restartCount"] == 0
    cluster.advance(20)
    assert status(cluster)["restartCount"] == 1


@pytest.mark.parametrize(("image", "port"), [("nginx:1.28", 80), ("nginx:1.28", 81)], ids=["HTTP", "nobody"])
def test_servers_that_speak_no_grpc(cluster: Cluster, image: str, port: int) -> None:
    cluster.apply(pod("p", [], image, readinessProbe={"grpc": {"port": port}}))
    cluster.advance(20)
    assert status(cluster)["ready"] is False
    events = [
        event["message"] for event in cluster.list("events", "default") if event["reason"] == "Unhealthy"
    ]
    assert events[0].startswith("Readiness probe failed: timeout: failed to connect service ")


PAGES = {
    "/hostName": "warm",
    "/echo?msg=a%20b": "a b",
    "/header?key=Host": "127.0.0.1:8080",
    "/healthz": "",
}


@pytest.mark.parametrize(("path", "page"), PAGES.items(), ids=PAGES.keys())
def test_netexec(cluster: Cluster, path: str, page: str) -> None:
    assert ask(cluster, path, "warm") == page


def test_netexec_answers_whatever_is_asked(cluster: Cluster) -> None:
    assert ask(cluster, "/", "warm").startswith("NOW: 2026-")
    assert ask(cluster, "/any/thing", "warm").startswith("NOW: 2026-")
    failed = cluster.execute("warm", ["wget", "-q", "-O", "-", "http://127.0.0.1:8080/echo?msg=x&code=503"])
    assert b"503" in failed.stderr


def test_netexec_ends_when_it_is_told(cluster: Cluster) -> None:
    ask(cluster, "/exit?code=7", "warm")
    cluster.advance(5)
    ended = status(cluster, "warm")
    assert (ended["restartCount"], ended["lastState"]["terminated"]["exitCode"]) == (1, 7)
