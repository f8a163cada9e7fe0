"""Previews: the signed address, what the frame may do, and what the run answers."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import pytest
from django.test import Client
from runs import hosting
from runs.host import preview
from runs.host.cookies import COOKIES, PAGES, Jars
from runs.host.errors import HostError
from runs.host.forwarding import NotForwardedError, forwarded, namespace_of
from runs.hosting import Reply
from runs.models import Run
from workspace import previews

from cluster_engine import Cluster
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.terminal.forwarding import Forward
from tests.platform.test_from_outside import Lab

PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "nginx:1.27", ports: [{name: http, containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: front, port: 8080, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: lost}
spec: {nodeSelector: {no: where}, containers: [{name: c, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: redis}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, "while :; do echo hello | nc -l -p 6379; done"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: echo}
spec: {containers: [{name: c, image: "registry.k8s.io/echoserver:1.10"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: silent}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, "sleep 1d | nc -l -p 80"]}]}
"""


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=3)
    cluster.apply(PODS)
    cluster.settle()
    return cluster


def ask(
    base: Cluster,
    kind: str,
    name: str,
    port: int,
    path: str = "/",
    method: str = "GET",
    jars: Jars | None = None,
    **more: Any,
) -> dict[str, Any]:
    async def scene() -> dict[str, Any]:
        cluster = base.fork()
        driver = Driver(cluster, 1.0)
        driver.start()
        lab = Lab(cluster, ClusterApp(cluster, driver=driver, admin=True))
        try:
            wanted = preview.Wanted(kind, "default", name, port, method, path, **more)
            return await preview.fetch(lab, wanted, jars or Jars())
        finally:
            driver.stop()
            assert cluster.outside.open_names() == []

    return asyncio.run(scene())


def pod_of(cluster: Cluster) -> str:
    return next(
        str(pod["metadata"]["name"])
        for pod in cluster.list("pods", "default")
        if (pod["metadata"].get("labels") or {}).get("app") == "web"
    )


@pytest.mark.parametrize(
    ("kind", "name", "port", "path", "status", "body"),
    [
        ("pods", "", 80, "/", 200, "Welcome to nginx!"),
        ("services", "web", 8080, "/", 200, "Welcome to nginx!"),
        ("services", "web", 8080, "/nothing?a=b", 404, "404 Not Found"),
    ],
)
def test_a_page(base: Cluster, kind: str, name: str, port: int, path: str, status: int, body: str) -> None:
    answer = ask(base, kind, name or pod_of(base), port, path)
    assert answer["status"] == status
    assert answer["headers"]["content-type"].startswith("text/html")
    assert body in base64.b64decode(answer["body"]).decode()


@pytest.mark.parametrize(
    ("kind", "name", "port", "problem"),
    [
        ("pods", "nope", 80, "missing"),
        ("pods", "lost", 80, "not-started"),
        ("pods", "redis", 81, "refused"),
        ("pods", "redis", 6379, "no-http"),
        ("services", "nobody", 80, "nobody"),
        ("services", "web", 81, "nobody"),
        ("services", "headless", 80, "headless"),
    ],
)
def test_no_page(base: Cluster, kind: str, name: str, port: int, problem: str) -> None:
    assert ask(base, kind, name, port) == {"problem": problem}


def test_a_page_that_is_too_large_or_slow(base: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "PAGE_BYTES", 100)
    assert ask(base, "services", "web", 8080) == {"problem": "too-large"}
    assert ask(base, "services", "web", 8080, method="HEAD")["body"] == ""
    monkeypatch.setattr(preview, "SECONDS", 0.5)
    assert ask(base, "pods", "silent", 80) == {"problem": "timeout"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_is_sent_arrives(base: Cluster, method: str) -> None:
    jars = Jars()
    jars.take(("pods", "default", "echo"), "/", "seen=yes; Path=/")
    kind = "application/x-www-form-urlencoded"
    answer = ask(base, "pods", "echo", 8080, "/form", method, jars, body=b"a=b\xff", content_type=kind)
    said = base64.b64decode(answer["body"]).decode("latin-1")
    assert f"method={method}\n" in said
    assert "cookie=seen=yes" in said
    assert f"content-type={kind}" in said
    assert "a=b\xff" in said


@pytest.mark.parametrize(
    ("headers", "path", "sent"),
    [
        pytest.param(["a=b"], "/x", "a=b", id="kept"),
        pytest.param(["a=b", "a=c"], "/", "a=c", id="set-again"),
        pytest.param(["a=b; Path=/in", "c=d"], "/", "c=d", id="another-path"),
        pytest.param(["a=b; Path=/in", "c=d"], "/in/x?q", "a=b; c=d", id="longer-path-first"),
        pytest.param(["a=b; Path=/in"], "/inside", "", id="a-path-is-whole-names"),
        pytest.param(["a=b", "a=; Max-Age=0"], "/", "", id="forgotten"),
        pytest.param(["a=b", "a=; expires=Thu, 01 Jan 1970 00:00:00 GMT"], "/", "", id="expired"),
        pytest.param(["a=" + "x" * 5_000], "/", "", id="too-long"),
        pytest.param(['a="b c"; HttpOnly; Secure; SameSite=Lax'], "/", 'a="b c"', id="attributes"),
        pytest.param([f"n{number}=1" for number in range(COOKIES + 1)], "/", None, id="too-many"),
    ],
)
def test_cookies(headers: list[str], path: str, sent: str | None) -> None:
    jars, page = Jars(), ("pods", "default", "web")
    for header in headers:
        jars.take(page, "/", header)
    found = jars.header(page, path)
    assert found == sent if sent is not None else len(found.split("; ")) == COOKIES
    assert jars.header(("pods", "default", "other"), path) == ""


def test_the_cookies_of_pages_long_gone_are_forgotten() -> None:
    jars = Jars()
    for number in range(PAGES + 1):
        jars.take(("pods", "default", f"p{number}"), "/", "a=b")
    assert [jars.header(("pods", "default", f"p{number}"), "/") for number in (0, 1)] == ["", "a=b"]


@pytest.mark.parametrize(
    "data", [{}, {"kind": "nodes"}, {"method": "TRACE"}, {"body": "?"}, {"body": "A" * 1_400_000}]
)
def test_what_is_no_request(data: dict[str, Any]) -> None:
    whole = {"kind": "pods", "namespace": "default", "name": "x", "port": 80, "method": "GET", "path": "/"}
    with pytest.raises(HostError):
        preview.Wanted.of({**whole, **data} if data else data)


# --- the web tier ---------------------------------------------------------------------------------

PAGE = b'<style></style><a href="/a?b">x</a> <img src=/c.png> <a href="//elsewhere/">y</a> <a href="d">z</a>'


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the host answers, and under "asked" what it was asked."""
    told: dict[str, Any] = {
        "status": 200,
        "headers": {"content-type": "text/html"},
        "body": base64.b64encode(PAGE),
    }

    async def call(run: Run, method: str, verb: str, data: Any = None, seconds: float = 0) -> Reply:
        told["asked"] = data
        answer = {name: value for name, value in told.items() if name != "asked"}
        return Reply(200, {**answer, "body": answer["body"].decode()} if "body" in answer else answer)

    monkeypatch.setattr(hosting, "call", call)
    return told


@pytest.fixture
def url(run: Run) -> str:
    return previews.address_of(run, "services", "shop", "web", 8080)


def test_a_frame_of_its_own_origin(url: str, answers: dict[str, Any]) -> None:
    answer = Client().get(url + "sub/x%20y?q=1")
    assert answer.status_code == 200
    assert answers["asked"] == {
        "kind": "services", "namespace": "shop", "name": "web", "port": 8080, "method": "GET", "path": "/sub/x%20y?q=1",
    }  # fmt: skip
    assert answer.content.decode() == (
        f'<style></style><a href="{url}a?b">x</a> <img src={url}c.png> <a href="//elsewhere/">y</a> <a href="d">z</a>'
    )
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts allow-forms; ")
    assert "allow-same-origin" not in policy
    assert f"default-src http://testserver{url} data:" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "Set-Cookie" not in answer
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("location", "leads"),
    [
        ("/login?next=/", "{url}login?next=%2F"),
        ("http://web:8080/x", "{url}x"),
        ("next", "next"),
        ("//evil/y", "{url}y"),
    ],
)
def test_redirections_stay_inside(url: str, answers: dict[str, Any], location: str, leads: str) -> None:
    answers.update(status=302, headers={"location": location})
    answer = Client().get(url)
    assert (answer.status_code, answer["Location"]) == (302, leads.format(url=url))


def test_bad_headers_are_not_passed_on(url: str, answers: dict[str, Any]) -> None:
    answers["headers"] = {"content-type": "text/html\r\nSet-Cookie: a=b"}
    answer = Client().get(url)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "Set-Cookie" not in answer


@pytest.mark.parametrize("verb", ["post", "put", "delete", "patch"])
def test_bodies_pass(url: str, answers: dict[str, Any], verb: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert getattr(client, verb)(url, b"a=\xff", content_type="text/x-own").status_code == 200
    asked = answers["asked"]
    assert (asked["method"], base64.b64decode(asked["body"])) == (verb.upper(), b"a=\xff")
    assert asked["content_type"] == "text/x-own"


def test_what_is_not_sent(url: str, answers: dict[str, Any]) -> None:
    assert Client().generic("TRACE", url).status_code == 405
    assert Client().post(url, b"x" * (previews.SENT_BYTES + 1), content_type="text/plain").status_code == 413
    assert "asked" not in answers


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (
            b"<!DOCTYPE html><html><head><title>x</title>",
            "<!DOCTYPE html><html><head>{scheme}<title>x</title>",
        ),
        (b"<!doctype html><h1>x</h1>", "<!doctype html>{scheme}<h1>x</h1>"),
        (b"<h1>x</h1>", "{scheme}<h1>x</h1>"),
        (b"<body bgcolor=white>x", "<body bgcolor=white>x"),
        (b"<style>p {}</style>x", "<style>p {}</style>x"),
    ],
    ids=["head", "doctype", "bare", "coloured", "styled"],
)
def test_a_page_without_colours_follows_the_theme(
    url: str, answers: dict[str, Any], page: bytes, shown: str
) -> None:
    answers["body"] = base64.b64encode(page)
    scheme = '<meta name="color-scheme" content="light dark">'
    assert Client().get(url).content.decode() == shown.replace("{scheme}", scheme)


def test_an_address_that_is_over_or_forged(
    url: str, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    head, _, rest = url.partition("~")
    assert Client().get(f"{head}x~{rest}").status_code == 404
    monkeypatch.setattr(previews, "SECONDS", -1)
    over = Client().get(url)
    assert (over.status_code, "asked" in answers) == (404, False)
    assert "sandbox" in over["Content-Security-Policy"]


def test_why_there_is_no_page(url: str, answers: dict[str, Any]) -> None:
    answers.clear()
    answers["problem"] = "nobody"
    answer = Client().get(url)
    assert answer.status_code == 502
    assert "does not serve port 8080" in answer.content.decode()


def test_every_problem_has_a_sentence() -> None:
    known = set(re.findall(r'NoPageError\("([a-z-]+)"', open(preview.__file__).read()))  # noqa: SIM115
    known |= {"broken", "no-http", "timeout", "refused", "unreachable", "reset"}
    unknown = previews._why("?", 80)
    assert [name for name in sorted(known) if previews._why(name, 80) == unknown] == []


@pytest.mark.parametrize(
    "bad", [{"kind": "nodes"}, {"port": 0}, {"port": "80"}, {"name": ""}, {"namespace": "x" * 300}]
)
def test_what_has_no_page(bad: dict[str, Any]) -> None:
    whole = {"kind": "pods", "namespace": "default", "name": "web", "port": 80}
    assert previews.wanted_of(whole) == ("pods", "default", "web", 80)
    assert previews.wanted_of({**whole, **bad}) is None


# --- kubectl port-forward -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (("services", "", "web", "8080"), ("services", "web", 8080)),
        (("services", "default", "web", "front"), ("services", "web", 8080)),
        (("deployments.apps", "", "web", "http"), ("pods", "", 80)),
        (("pods", "", "redis", "6379"), ("pods", "redis", 6379)),
        (("pods", "", "nope", "80"), 'Error from server (NotFound): pods "nope" not found'),
        (("services", "", "web", "80"), "error: Service web does not have a service port 80"),
        (("services", "", "web", "x"), "error: Service 'web' does not have a named port 'x'"),
        (
            ("pods", "", "lost", "80"),
            "error: unable to forward port because pod is not running. Current status=Pending",
        ),
    ],
)
def test_forwarding(base: Cluster, wanted: tuple[str, ...], found: Any) -> None:
    if isinstance(found, str):
        with pytest.raises(NotForwardedError, match=re.escape(found)):
            forwarded(base, Forward(*wanted), "default")
        return
    kind, name, port = found
    page = {"kind": kind, "namespace": "default", "name": name or pod_of(base), "port": port}
    assert forwarded(base, Forward(*wanted), "default") == page


def test_the_namespace_of_the_kubeconfig() -> None:
    assert namespace_of("") == "default"
    context = "contexts: [{name: a, context: {namespace: shop}}]\ncurrent-context: a\n"
    assert namespace_of(context) == "shop"
