# ruff: noqa: E501 (one image a line)
"""The images of Kubernetes' own tutorials, tasks and examples that no other file has."""

from __future__ import annotations

from dataclasses import replace

from cluster_engine.container_runtime.http import Reply, Request
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.images import busybox, httpd, nginx, redis
from cluster_engine.container_runtime.images._apps import TEXT, App, image_of, page
from cluster_engine.linux.program import State, Sys
from cluster_engine.sim import rfc3339

_BOOTCAMP = "Kubernetes Bootcamp App Started At: {now} | Running On:  {hostname}\n"
_SERVER_JS = """var http = require('http');
var requests = 0;

http.createServer(function (request, response) {
  requests += 1;
  response.end('Hello Kubernetes bootcamp! | Running on: ' + process.env.HOSTNAME + ' | v=1\\n');
}).listen(8080);
"""


def _bootcamp(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    state["asked"] = state.get("asked", 0) + 1
    state.setdefault("since", sys.now)
    uptime, host = (sys.now - state["since"]) / 1e6, sys.hostname
    sys.out(
        f"Running On: {host} | Total Requests: {state['asked']} | App Uptime: {uptime:.3f} seconds | "
        f"Log Time: {rfc3339(sys.now)}\n"
    )
    version = variant.version.removeprefix("v")
    return Reply(200, f"Hello Kubernetes bootcamp! | Running on: {host} | v={version}\n", TEXT)


def _hello(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    return Reply(200, '{"message":"Hello"}\n', {"Content-Type": "application/json"})


_BOOTCAMPS = ("gcr.io/google-samples/kubernetes-bootcamp", "jocatalin/kubernetes-bootcamp")
APPS: tuple[App, ...] = (
    *(App(name, 8080, _bootcamp, ("v1", "v2"), ready=_BOOTCAMP, also=("curl",), files={"/server.js": _SERVER_JS}) for name in _BOOTCAMPS),
    App("gcr.io/google-samples/node-hello", 8080, page("Hello Kubernetes!"), ("1.0",), files={"/server.js": _SERVER_JS}),
    App("gcr.io/google-samples/hello-go-gke", 80, _hello, ("1.0",), tools="none"),
    App("registry.k8s.io/goproxy", 8080, page(""), ("0.1",), tools="none"),
)  # fmt: skip

_BACKEND = """upstream Backend {
    server hello;
}

server {
    listen 80;

    location / {
        proxy_pass http://Backend;
    }
}
"""
_SSL = """server {
    listen 80 default_server;
    listen 443 ssl;

    root /usr/share/nginx/html;
    index index.html;

    server_name localhost;
    ssl_certificate /etc/nginx/ssl/tls.crt;
    ssl_certificate_key /etc/nginx/ssl/tls.key;

    location / {
        try_files $uri $uri/ =404;
    }
}
"""
_SLIM = {
    name: Variant(size, version)
    for size, version, names in (
        (21_000_000, "1.11.1", ("0.7", "0.8", "0.9")),
        (25_000_000, "1.25.3", ("0.20", "0.21", "0.22", "0.23")),
        (25_500_000, "1.27.1", ("0.24", "0.25", "0.26", "0.27", "latest")),
    )
    for name in names
}
_TEST_IMAGES = "registry.k8s.io/e2e-test-images"
_OLD_BUSYBOX = {
    **tags(1_113_000, "1.24.2", "1.24", "1.24.2"),
    **tags(1_219_790, "1.27.2", "1.27", "1.27.2", "latest"),
}

IMAGES: tuple[Image, ...] = (
    *map(image_of, APPS),
    replace(nginx.IMAGE, repository="registry.k8s.io/nginx-slim", variants=_SLIM, since=()),
    replace(
        nginx.IMAGE, repository="registry.k8s.io/nginx", since=(1, 7),
        variants={**tags(44_699_414, "1.7.9", "1.7.9", "1.7.5"), **tags(53_000_000, "1.15.12", "1.15", "latest")},
    ),
    replace(
        nginx.IMAGE, repository=f"{_TEST_IMAGES}/nginx", since=(),
        variants={**tags(7_000_000, "1.14.2", "1.14-4", "1.14-2"), **tags(7_100_000, "1.15.12", "1.15-4", "1.15-2")},
    ),
    replace(
        nginx.IMAGE, repository="gcr.io/google-samples/hello-frontend", since=(), steady=False,
        variants=tags(51_000_000, "1.14.2", "1.0"),
        files=lambda variant: {**nginx.IMAGE.files(variant), "/etc/nginx/conf.d/default.conf": _BACKEND},
    ),
    replace(
        nginx.IMAGE, repository="docker.io/bprashanth/nginxhttps", since=(), variants=tags(51_000_000, "1.9.0", "1.0"),
        files=lambda variant: {**nginx.IMAGE.files(variant), "/etc/nginx/conf.d/default.conf": _SSL},
    ),
    replace(
        httpd.IMAGE, repository=f"{_TEST_IMAGES}/httpd", since=(),
        variants={**tags(41_000_000, "2.4.38", "2.4.38-4", "2.4.38-2"), **tags(41_200_000, "2.4.39", "2.4.39-4", "2.4.39-2")},
    ),
    replace(busybox.IMAGE, repository="registry.k8s.io/busybox", variants=_OLD_BUSYBOX, since=(1, 24)),
    replace(
        busybox.IMAGE, repository=f"{_TEST_IMAGES}/busybox", since=(),
        variants={**tags(732_000, "1.29.3", "1.29", "1.29-1", "1.29-2", "1.29-4"), **tags(2_160_000, "1.36.1", "1.36.1-1", "1.37.0-1")},
    ),
    replace(redis.IMAGE, repository="registry.k8s.io/redis", variants=tags(160_000_000, "3.2.9", "e2e", "v1", "latest"), since=()),
    Image(
        repository="quay.io/crio/artifact",
        variants={**tags(240, "1", "v1"), **tags(242, "2", "v2", "latest")},
        files=lambda variant: {"/dir/file": f"{variant.version}\n", "/file": f"{variant.version}\n"},
    ),
    Image(
        repository="registry.k8s.io/e2e-test-images/nonewprivs",
        variants=tags(3 * MB, "1.3", "1.3", "1.4"),
        cmd=("/bin/sh", "-c", 'echo "Effective uid: $(id -u)"'),
        uid=1000,
        env={"PATH": PATH},
        tools="busybox",
    ),
    Image(
        repository="gcr.io/kubernetes-e2e-test-images/dnsutils",
        variants=tags(120 * MB, "1.3", "1.1", "1.2", "1.3"),
        cmd=("sleep", "infinity"),
        env={"PATH": PATH},
        tools="debian",
        also=("curl", "dig", "host", "nslookup"),
        files=debian_files,
    ),
)  # fmt: skip
