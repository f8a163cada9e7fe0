"""The guestbook of upstream's conformance suite: a frontend, a primary, and replicas that it tells."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.images import _guestbook
from cluster_engine.kube_apiserver import ADMIN, Request

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.57"


def tier(name: str, replicas: int, port: int, *args: str) -> list[JSON]:
    labels = {"app": name}
    container = {
        "name": "c",
        "image": IMAGE,
        "args": ["guestbook", *args],
        "ports": [{"containerPort": port}],
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    meta = {"name": name, "namespace": "default"}
    service = {"selector": labels, "ports": [{"port": port}]}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
    ]


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    asks = {"name": "asks", "namespace": "default"}
    container = {"name": "c", "image": "nicolaka/netshoot", "command": ["sleep", "100d"]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": asks, "spec": {"containers": [container]}})
    for each in (
        *tier("agnhost-primary", 1, 6379, "--http-port", "6379"),
        *tier("agnhost-replica", 2, 6379, "--replicaof", "agnhost-primary", "--http-port", "6379"),
        *tier("frontend", 3, 80, "--backend-port", "6379"),
    ):
        cluster.apply(each)
    cluster.settle()
    cluster.advance(20)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def ask(cluster: Cluster, host: str, path: str) -> str:
    url = f"http://{host}{'' if host == 'frontend' else ':6379'}{path}"
    return cluster.execute("asks", ["curl", "-s", url]).stdout.decode()


def logs(cluster: Cluster, app: str) -> str:
    pods = [p["metadata"]["name"] for p in cluster.list("pods", "default", f"app={app}")]
    paths = [f"/api/v1/namespaces/default/pods/{name}/log" for name in pods]
    return "".join(cluster.request(Request("GET", path, user=ADMIN)).body.decode() for path in paths)


def test_what_is_written_is_read_from_every_replica(cluster: Cluster) -> None:
    assert ask(cluster, "frontend", "/guestbook?cmd=get&key=messages") == '{"data":""}'
    said = ask(cluster, "frontend", "/guestbook?cmd=set&key=messages&value=TestEntry")
    assert said == '{"message":"Updated"}'
    for _ in range(6):
        assert ask(cluster, "frontend", "/guestbook?cmd=get&key=messages") == '{"data":"TestEntry"}'
    assert logs(cluster, "agnhost-replica").count("GET /set?key=messages&value=TestEntry") == 2
    assert logs(cluster, "agnhost-primary").count("registered.") == 2


def test_a_replica_that_comes_later_has_it_all(cluster: Cluster) -> None:
    ask(cluster, "agnhost-primary", "/set?key=a&value=%3Cb%3E%20c")
    path = "/apis/apps/v1/namespaces/default/deployments/agnhost-replica"
    headers = {"content-type": "application/merge-patch+json"}
    cluster.request(Request("PATCH", path, [], headers, b'{"spec":{"replicas":3}}', user=ADMIN))
    cluster.settle()
    cluster.advance(3)
    found = {ask(cluster, "agnhost-replica", "/get") for _ in range(12)}
    assert found == {'{"data":{"a":"\\u003cb\\u003e c"}}'}


REFUSED = {
    "no command": ("frontend", "/guestbook?cmd=drop&key=a", "unsupported cmd: 'drop'\n"),
    "no key": ("frontend", "/guestbook?cmd=set&value=a", "cannot set with empty key.\n"),
    "no key for the primary": ("agnhost-primary", "/set?value=a", "cannot set with empty key.\n"),
    "no page": ("frontend", "/nothing", "404 page not found\n"),
}


@pytest.mark.parametrize(("host", "path", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(cluster: Cluster, host: str, path: str, said: str) -> None:
    assert ask(cluster, host, path) == said


def test_without_a_primary(cluster: Cluster) -> None:
    cluster.delete("services", "agnhost-primary", "default")
    cluster.settle()
    said = ask(cluster, "frontend", "/guestbook?cmd=set&key=a&value=b")
    assert said == "host and/or port param are invalid. lookup agnhost-primary: no such host\n"
    cluster.delete("pods", cluster.list("pods", "default", "app=agnhost-replica")[0]["metadata"]["name"])
    cluster.advance(40)
    assert "Timed out while registering to primary." in previous(cluster, "agnhost-replica")


def previous(cluster: Cluster, app: str) -> str:
    said = ""
    for pod in cluster.list("pods", "default", f"app={app}"):
        path = f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}/log"
        request = Request("GET", path, [("previous", "true")], user=ADMIN)
        said += cluster.request(request).body.decode()
    return said


def test_limits(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_guestbook, "MAX_STORE", 10)
    assert "a guestbook of more than 10 bytes" in ask(
        cluster, "agnhost-primary", "/set?key=a&value=0123456789"
    )
    monkeypatch.setattr(_guestbook, "MAX_REPLICAS", 2)
    assert "more than 2 replicas" in ask(cluster, "agnhost-primary", "/register?host=10.0.0.1")
    monkeypatch.setattr(_guestbook, "MAX_ANSWER", 60)
    assert ask(cluster, "frontend", "/guestbook?cmd=get&key=a").endswith(": EOF\n")


def test_where_it_is_cut_does_not_show(base: Cluster) -> None:
    def life(cut: bool) -> str:
        cluster = base.fork()
        ask(cluster, "frontend", "/guestbook?cmd=set&key=a&value=b")
        if cut:
            cluster = Cluster.resume(cluster.keyframe(), [])
        return ask(cluster, "frontend", "/guestbook?cmd=get&key=a") + logs(cluster, "agnhost-replica")

    assert life(True) == life(False)
