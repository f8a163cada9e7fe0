"""proxy: names, what leaves, what comes back, and the session in between."""

from __future__ import annotations

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, Response
from cluster_engine.kube_apiserver.subresources.proxy import split
from cluster_engine.network import client
from cluster_engine.serving.proxying import Answer, incoming, outgoing, redirect

OBJECTS = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: "nginx:1.28", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: mute}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, "sleep 1d | nc -l -p 7000"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: echo, labels: {app: echo}}
spec: {containers: [{name: c, image: "registry.k8s.io/echoserver:1.10"}]}
---
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{name: http, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 8080, targetPort: 80}]}
"""
NAMES = {
    "web": ("", "web", ""),
    "web:80": ("", "web", "80"),
    "https:web:80": ("https", "web", "80"),
    "https:web:": ("https", "web", ""),
    "ftp:web:80": None,
    ":80": None,
    "a:b:c:d": None,
    "": None,
}


@pytest.mark.parametrize(("name", "parts"), NAMES.items(), ids=NAMES.keys())
def test_names(name: str, parts: tuple[str, str, str] | None) -> None:
    assert split(name) == parts


def test_what_leaves() -> None:
    headers = {"host": "h", "accept": "*/*", "authorization": "Bearer x", "connection": "keep-alive"}
    path = "/api/v1/namespaces/default/pods/web/proxy/a%20b"
    sent = outgoing(Request("POST", path, [("q", "1 2")], headers, b"body", ADMIN))
    assert sent.headers == {}
    assert sent.body.decode() == (
        "POST /a%20b?q=1%202 HTTP/1.1\r\nHost: h\r\naccept: */*\r\n"
        f"X-Forwarded-Uri: {path}\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody"
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "web/proxy", 301),
        ("HEAD", "web/proxy", 301),
        ("POST", "web/proxy", 0),
        ("GET", "web/proxy/", 0),
    ],
)
def test_the_root_has_a_slash(method: str, path: str, status: int) -> None:
    answer = redirect(Request(method, f"/api/v1/namespaces/default/pods/{path}", [("a", "b")]))
    assert (answer.status if answer else 0) == status
    if answer is not None:
        assert answer.headers["location"].endswith("/proxy/?a=b")


def came(text: bytes) -> Response:
    answer = Answer()
    answer.output(1, text)
    return incoming(Request("GET", "/api/v1/namespaces/default/pods/web/proxy/x"), answer)


def test_what_comes_back() -> None:
    got = came(b"HTTP/1.1 302 Found\r\nLocation: /y?z\r\nX: a: b\r\nConnection: close\r\n\r\nbody")
    assert (got.status, got.body) == (302, b"body")
    assert got.headers == {"location": "/api/v1/namespaces/default/pods/web/proxy/y?z", "x": "a: b"}


@pytest.mark.parametrize(
    "text", [b"220 smtp ready\r\n", b"HTTP/1.1 abc x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"\xff"]
)
def test_what_is_no_http(text: bytes) -> None:
    got = came(text)
    assert got.status == 503
    assert b"malformed HTTP response" in got.body


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(OBJECTS)
    cluster.advance(15)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def ask(cluster: Cluster, what: str, seconds: float = 1.0, method: str = "GET") -> tuple[int, str]:
    body = b"said" if method in ("POST", "PUT", "PATCH") else b""
    request = Request(method, f"/api/v1/namespaces/default/{what}", [], {}, body, ADMIN)
    answer = Answer()
    entry = cluster.prepare(outgoing(request), "session/open")
    cluster.server.sessions.listen(f"s{entry.seq}", answer)
    refusal = cluster.perform(entry)
    if refusal is not None:
        return refusal.status, orjson.loads(refusal.body)["message"]
    cluster.advance(seconds)
    assert answer.over.is_set()
    got = incoming(request, answer)
    return got.status, got.body.decode()


def test_a_page(cluster: Cluster) -> None:
    for what in ("pods/web/proxy/", "services/web:http/proxy/", "services/web:8080/proxy/"):
        status, page = ask(cluster, what)
        assert (status, "Welcome to nginx!" in page) == (200, True)
    assert ask(cluster, "pods/web/proxy/nothing")[0] == 404
    assert cluster.server.sessions.open_names() == []
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


@pytest.mark.parametrize("method", ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
def test_every_method(cluster: Cluster, method: str) -> None:
    for what in ("pods/echo:8080/proxy/", "services/echo:http/proxy/", "services/echo:8080/proxy/some/path"):
        status, page = ask(cluster, what, method=method)
        path = "/" + what.partition("/proxy/")[2]
        assert status == 200
        if method == "HEAD":
            assert page == ""
            continue
        assert f"\tmethod={method}\n\treal path={path}\n" in page
        assert ("\n\tsaid\n" in page) is (method in ("PATCH", "POST", "PUT"))


def test_an_answer_may_be_too_long(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.execute("web", ["sh", "-c", "seq 60000 > /usr/share/nginx/html/n"])
    assert len(ask(cluster, "pods/web/proxy/n")[1]) == 348_894
    monkeypatch.setattr(client, "REPLY_LIMIT", 300_000)
    status, text = ask(cluster, "pods/web/proxy/n")
    assert (status, "more than this cluster passes on" in text) == (503, True)


def test_nobody_answers(cluster: Cluster) -> None:
    assert "connect: connection refused" in ask(cluster, "pods/web:81/proxy/")[1]
    status, text = ask(cluster, "pods/mute:7000/proxy/", 61)
    assert (status, "i/o timeout" in text) == (503, True)
