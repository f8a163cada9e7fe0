"""nginx by its configuration: what is wrong with a file is said as nginx says it, and what is right is done."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.container_runtime import nginx_conf
from cluster_engine.container_runtime.nginx_conf import ConfError
from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]
F = "/etc/nginx/nginx.conf"
EVENTS = "events {}\n"

# id: (the file, what is said)
MISTAKES: dict[str, tuple[str, str]] = {
    "an unknown directive": (EVENTS + "http { sever { } }", f'unknown directive "sever" in {F}:2'),
    "no semicolon at the end": (EVENTS + "http { server { listen 80 } }", f'unexpected "}}" in {F}:2'),
    "no semicolon before a word": (
        EVENTS + "http {\n server {\n listen 80\n server_name a;\n } }",
        f'invalid parameter "server_name" in {F}:5',
    ),
    "a root of two words": (
        EVENTS + "http { root /a\n index b; }", f'invalid number of arguments in "root" directive in {F}:3'),
    "not closed": (EVENTS + "http {\n server {\n", f'unexpected end of file, expecting "}}" in {F}:4'),
    "a word at the end": ("events {}\nuser", f'unexpected end of file, expecting ";" or "}}" in {F}:2'),
    "closed twice": (EVENTS + "http { } }", f'unexpected "}}" in {F}:2'),
    "an empty statement": (EVENTS + ";", f'unexpected ";" in {F}:2'),
    "in the wrong place": (EVENTS + "listen 80;", f'"listen" directive is not allowed here in {F}:2'),
    "a location in http": (EVENTS + "http { location / {} }", f'"location" directive is not allowed here in {F}:2'),
    "a block without one": (EVENTS + "http;", f'directive "http" has no opening "{{" in {F}:2'),
    "a block that is none": (EVENTS + "user {}", f'directive "user" is not terminated by ";" in {F}:2'),
    "no events": ("http {}", 'no "events" section in configuration'),
    "a port that is none": (
        EVENTS + "http { server { listen 99999; } }", f'invalid port in "99999" of the "listen" directive in {F}:2'),
    "a URL without its scheme": (
        EVENTS + "http { server { location / { proxy_pass web; } } }", f"invalid URL prefix in {F}:2"),
    "an include that is not there": (
        EVENTS + "include x.conf;", f'open() "/etc/nginx/x.conf" failed (2: No such file or directory) in {F}:2'),
    "an empty upstream": (EVENTS + "http { upstream a {} }", f"no servers are inside upstream in {F}:2"),
    "too many": (EVENTS + "user a;" * (nginx_conf.DIRECTIVES + 1), f"more than {nginx_conf.DIRECTIVES} directives"),
    "it includes itself": (EVENTS + f"include {F};", "too long or too deep"),
    "too long": ("#" * (nginx_conf.BYTES + 1), "too long or too deep"),
}  # fmt: skip


def parsed(text: str) -> JSON:
    files = {F: text}
    return nginx_conf.reduced(nginx_conf.parse(F, files.get, lambda pattern: []))


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake(case: str) -> None:
    text, said = MISTAKES[case]
    with pytest.raises(ConfError) as raised:
        parsed(text)
    assert said in str(raised.value)


BACKEND = """
upstream pool { server web:8080; }
server {
  listen 80; listen 8088;
  server_name localhost;
  add_header X-Front yes;
  location / { proxy_pass http://pool; }
  location /api/ { proxy_pass http://web:8080/; }
  location = /ping { return 200 "pong $remote_addr\\n"; }
  location /old { return 301 /new; }
  location /files/ { alias /srv/; }
  location ~* \\\\.(png|jpg)$ { return 204; }
  location /gone { proxy_pass http://10.244.9.9:81; }
  location /app { root /srv; try_files $uri /app/index.html; }
}
server { listen 80; server_name other.example.com; return 403; }
"""


def pod(name: str, image: str, app: str = "", **more: Any) -> JSON:
    meta = {"name": name, "namespace": "default", "labels": {"app": app}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [{"name": "c", "image": image, **more}]},
    }


def front(conf: str) -> list[JSON]:
    made = pod("front", "nginx:1.28", volumeMounts=[{"name": "conf", "mountPath": "/etc/nginx/conf.d"}])
    made["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "conf"}}]
    meta = {"name": "conf", "namespace": "default"}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"default.conf": conf}}, made]


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    args = ["netexec", "--http-port=8080", "--udp-port=-1"]
    cluster.apply(pod("web", "registry.k8s.io/e2e-test-images/agnhost:2.53", "web", args=args))
    spec = {"selector": {"app": "web"}, "ports": [{"port": 8080}]}
    meta = {"name": "web", "namespace": "default"}
    cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    cluster.apply(pod("client", "nicolaka/netshoot", command=["sleep", "100d"]))
    assert cluster.settle()
    for obj in front(BACKEND):
        cluster.apply(obj)
    assert cluster.settle()
    cluster.execute(
        "front", ["sh", "-c", "mkdir -p /srv/app; echo file > /srv/f.txt; echo app > /srv/app/index.html"]
    )
    return cluster


# id: (how curl asks, what it then prints)
ANSWERS = {
    "an upstream": ("front/hostname", "web"),
    "another port": ("front:8088/hostname", "web"),
    "a path that is cut": ("front/api/hostname", "web"),
    "what comes back": ("-o /dev/null -w '%{http_code}' 'front/echo?code=418&msg=x'", "418"),
    "an exact location": ("front/ping", "pong {client}\n"),
    "a redirect": ("-o /dev/null -w '%{http_code}' front/old", "301"),
    "an alias": ("front/files/f.txt", "file\n"),
    "an expression": ("-o /dev/null -w '%{http_code}' front/x.PNG", "204"),
    "another server by its name": (
        "-o /dev/null -w '%{http_code}' -H 'Host: other.example.com' front/",
        "403",
    ),
    "a server that is not there": ("-o /dev/null -w '%{http_code}' front/gone", "502"),
    "the next file": ("front/app/some/page", "app\n"),
    "what is posted": ("-X POST -d x -o /dev/null -w '%{http_code}' 'front/echo?code=201'", "201"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer(cluster: Cluster, case: str) -> None:
    how, wanted = ANSWERS[case]
    twin = cluster.fork()
    ips = {name: str((twin.get("pods", name) or {})["status"]["podIP"]) for name in ("front", "client")}
    said = twin.execute("client", ["sh", "-c", f"curl -s {how.replace('front', ips['front'])}"], limit=120)
    assert said.stdout.decode() == wanted.format(**ips)


def test_without_a_superuser() -> None:
    """nginx-unprivileged serves on 8080 as the user 101, and may be told so."""
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    security = {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    cluster.apply(pod("front", "nginxinc/nginx-unprivileged:1.27-alpine", securityContext=security))
    cluster.apply(pod("client", "nicolaka/netshoot", command=["sleep", "100d"]))
    assert cluster.settle()
    ip = (cluster.get("pods", "front") or {})["status"]["podIP"]
    said = cluster.execute("client", ["curl", "-s", f"{ip}:8080"]).stdout.decode()
    assert "Welcome to nginx!" in said
    assert cluster.execute("front", ["id", "-u"]).stdout == b"101\n"
    assert "nginx/1.27" in log(cluster)


def log(cluster: Cluster, previous: bool = False) -> str:
    query = [("previous", "true")] if previous else []
    path = "/api/v1/namespaces/default/pods/front/log"
    return cluster.request(Request("GET", path, query, user=ADMIN)).body.decode()


def test_its_log_tells_of_what_was_passed_on(cluster: Cluster) -> None:
    twin = cluster.fork()
    ip = (twin.get("pods", "front") or {})["status"]["podIP"]
    twin.execute("client", ["curl", "-s", f"{ip}/hostname"])
    assert '"GET /hostname HTTP/1.1" 200 3 ' in log(twin)
    twin.advance(10)
    assert Cluster.replay(twin.journal).state_hash() == twin.state_hash()


def test_it_waits_for_the_service_that_it_names() -> None:
    """nginx ends when a host of its configuration is not found, and is restarted until it is."""
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    for obj in front("server { listen 80; location / { proxy_pass http://late; } }"):
        cluster.apply(obj)
    cluster.advance(60)
    status = (cluster.get("pods", "front") or {})["status"]["containerStatuses"][0]
    assert status["restartCount"] >= 1
    assert '[emerg] host not found in upstream "late" in /etc/nginx/conf.d/default.conf:1' in log(
        cluster, True
    )
    meta = {"name": "late", "namespace": "default"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80}]}}
    )
    assert cluster.wait(lambda c: (c.get("pods", "front") or {})["status"]["containerStatuses"][0]["ready"])
    cluster.advance(30)
    assert (cluster.get("pods", "front") or {})["status"]["containerStatuses"][0]["ready"]


def test_a_broken_file_and_a_reload(cluster: Cluster) -> None:
    twin = cluster.fork()

    def run(line: str) -> str:
        done = twin.execute("front", ["sh", "-c", line])
        return (done.stdout + done.stderr).decode()

    assert run("nginx -t") == (
        f"nginx: the configuration file {F} syntax is ok\nnginx: configuration file {F} test is successful\n"
    )
    run(
        "echo 'events {} http { server { listen 80; location / { return 200 new; } } }' > /etc/nginx/nginx.conf"
    )
    run("nginx -s reload; sleep 1")
    ip = (twin.get("pods", "front") or {})["status"]["podIP"]
    assert twin.execute("client", ["curl", "-s", f"{ip}/"]).stdout == b"new"
    run("echo 'events {} http {' > /etc/nginx/nginx.conf")
    assert f'nginx: [emerg] unexpected end of file, expecting "}}" in {F}:2\n' in run("nginx -t")
    run("nginx -s reload; sleep 1")
    assert twin.execute("client", ["curl", "-s", f"{ip}/"]).stdout == b"new"
    assert "[emerg] 1#1: unexpected end of file" in log(twin)
