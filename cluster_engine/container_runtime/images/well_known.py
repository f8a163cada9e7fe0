# ruff: noqa: E501 (one image a line)
"""What tutorials take from Docker Hub beside what they teach: an application to look at, an echo, a shell, a language.

The applications have a first page, and a sentence in the place of every other: nothing of them is simulated. Those of
which courses use more have files of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from cluster_engine.container_runtime.http import Line, Reply, Request
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, alpine_files, debian_files, tags
from cluster_engine.container_runtime.images import busybox, curl, httpd, kubectl, nginx, redis
from cluster_engine.container_runtime.images._apps import HTML, TEXT, Answer, App, image_of
from cluster_engine.container_runtime.programs import entrypoint, once
from cluster_engine.linux.program import Program, State, Sys

_JSON = {"Content-Type": "application/json"}
_NO_INTERPRETER = "this program cannot be run: no interpreter is simulated here"


def _first_page(title: str, *also: str) -> Answer:
    """A page at ``/`` and at the paths that probes ask for."""

    def answer(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
        asked = request.path.partition("?")[0]
        if asked in also:
            return Reply(200, "OK", TEXT)
        if asked != "/":
            return Reply(
                404, f"Drydock simulates the first page of {title} alone; a real one has more.\n", TEXT
            )
        page = f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{sys.hostname}</p>\n"
        return Reply(200, page, HTML)

    return answer


def _registry(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    match request.path.partition("?")[0]:
        case "/" | "/v2/":
            return Reply(200, "{}", _JSON)
        case "/v2/_catalog":
            return Reply(200, '{"repositories":[]}\n', _JSON)
    return Reply(501, "Drydock's registry holds no images; a real one takes and gives them.\n", TEXT)


def _headers(request: Request) -> dict[str, str]:
    return {name.title(): value for name, value in sorted(request.headers.items())}


def _served_by(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    headers = "".join(f"{name}: {value}\n" for name, value in _headers(request).items())
    line = f"{request.method} {request.path} HTTP/1.1"
    return Reply(200, f"Request served by {sys.hostname}\n\n{line}\n\n{headers}", TEXT)


def _echoed(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    path, _, query = request.path.partition("?")
    told = {
        "path": path, "query": query, "method": request.method, "headers": _headers(request), "body": request.body,
        "ip": request.peer, "os": {"hostname": sys.hostname},
    }  # fmt: skip
    return Reply(200, json.dumps(told, indent=2) + "\n", _JSON)


def _httpbin(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    path = request.path.partition("?")[0]
    url = f"http://{request.headers.get('host', '')}{request.path}"
    code = path.removeprefix("/status/")
    if code != path and code.isdecimal() and len(code) == 3 and code[0] in "2345":
        return Reply(int(code), "", TEXT)
    match path:
        case "/":
            return Reply(200, "<!doctype html>\n<title>httpbin.org</title>\n<h1>httpbin.org</h1>\n", HTML)
        case "/get" | "/post" | "/put" | "/delete" | "/patch" | "/anything":
            told: object = {
                "headers": _headers(request),
                "origin": request.peer,
                "url": url,
                "data": request.body,
            }
        case "/headers":
            told = {"headers": _headers(request)}
        case "/ip":
            told = {"origin": request.peer}
        case "/hostname":
            told = {"hostname": sys.hostname}
        case _:
            return Reply(404, "Not Found\n", TEXT)
    return Reply(200, json.dumps(told, indent=2) + "\n", _JSON)


def _server_name(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    return Reply(200, f"Server name: {sys.hostname}\nURI: {request.path}\n", TEXT)


APPS: tuple[App, ...] = (
    App("tomcat", 8080, _first_page("Apache Tomcat"), ("8.5.100", "9.0.111", "10.1.48", "11.0.13"), ready="org.apache.catalina.startup.Catalina.start Server startup"),
    App("jenkins/jenkins", 8080, _first_page("Jenkins", "/login"), ("lts", "lts-jdk17", "lts-jdk21", "jdk21"), ready="Jenkins is fully up and running"),
    App("grafana/grafana", 3000, _first_page("Grafana", "/api/health", "/login"), ("9.5.21", "10.4.19", "11.6.7", "12.2.1"), ready="HTTP Server Listen", tools="busybox"),
    App("prom/prometheus", 9090, _first_page("Prometheus", "/-/ready", "/-/healthy"), ("v2.45.6", "v2.55.1", "v3.7.3"), ready="Server is ready to receive web requests.", tools="busybox"),
    App("nextcloud", 80, _first_page("Nextcloud", "/status.php"), ("28.0.14", "31.0.10", "32.0.1"), ready="AH00094: Command line: 'apache2 -D FOREGROUND'"),
    App("phpmyadmin", 80, _first_page("phpMyAdmin"), ("5.1.4", "5.2.3"), ready="AH00094: Command line: 'apache2 -D FOREGROUND'"),
    App("phpmyadmin/phpmyadmin", 80, _first_page("phpMyAdmin"), ("5.1.4", "5.2.3"), ready="AH00094: Command line: 'apache2 -D FOREGROUND'"),
    App("adminer", 8080, _first_page("Login - Adminer"), ("4.8.1", "5.4.1")),
    App("mongo-express", 8081, _first_page("Home - Mongo Express"), ("0.54.0", "1.0.2"), ready="Mongo Express server listening at http://0.0.0.0:8081"),
    App("gitea/gitea", 3000, _first_page("Gitea"), ("1.21.11", "1.25.1"), tools="busybox"),
    App("sonarqube", 9000, _first_page("SonarQube"), ("community", "lts-community"), ready="SonarQube is operational"),
    App("registry", 5000, _registry, ("2.8.3", "3.0.0"), ready='level=info msg="listening on [::]:5000"', tools="busybox"),
    App("kicbase/echo-server", 8080, _served_by, ("1.0",), ready="Echo server listening on port 8080.", tools="none"),
    App("jmalloc/echo-server", 8080, _served_by, ("0.3.7",), ready="Echo server listening on port 8080.", tools="none"),
    App("ealen/echo-server", 80, _echoed, ("0.9.2",), ready="Listening on port 80.", tools="busybox"),
    App("mendhak/http-https-echo", 8080, _echoed, ("31", "38"), ready="Listening on ports 8080 for http, and 8443 for https.", tools="busybox"),
    App("kennethreitz/httpbin", 80, _httpbin, ready="Listening at: http://0.0.0.0:80 (1)"),
    App("mccutchen/go-httpbin", 8080, _httpbin, ("v2.15.0", "v2.18.3"), ready="go-httpbin listening on http://0.0.0.0:8080", tools="none"),
    App("nginxdemos/nginx-hello", 8080, _server_name, ("plain-text", "0.4"), tools="busybox"),
)  # fmt: skip


def _release(name: str, ident: str) -> Mapping[str, str]:
    return {"/etc/os-release": f'NAME="{name}"\nID="{ident}"\nPRETTY_NAME="{name}"\n'}


def _distribution(repository: str, name: str, ident: str, *versions: str) -> Image:
    """A shell and the usual tools, the newest version last."""
    variants = {
        version: Variant(70_000_000 + 1_009 * number, version) for number, version in enumerate(versions)
    }
    return Image(
        repository=repository,
        variants={**variants, "latest": variants[versions[-1]]},
        cmd=("/bin/bash",),
        env={"PATH": PATH},
        tools="debian",
        also=("curl",),
        files=lambda variant: dict(_release(f"{name} {variant.version}", ident)),
    )


def _not_simulated(name: str, path: str) -> Mapping[str, Program]:
    def tell(sys: Sys, argv: list[str]) -> tuple[int, list[Line]]:
        return 1, [("stderr", f"{name}: Drydock does not simulate this program (a real image runs it)")]

    return {path: once(name, tell)}


def _language(
    repository: str, command: str, told: str, asks: tuple[str, ...], *versions: str, size: int
) -> Image:
    """A language's image: its shell and tools are there, its interpreter tells its version alone."""

    def programs(variant: Variant) -> dict[str, Program]:
        def tell(sys: Sys, argv: list[str]) -> tuple[int, list[Line]]:
            if argv[1:2] and argv[1] in asks:
                return 0, [("stdout", told.format(variant.version))]
            return (1, [("stderr", f"{command}: {_NO_INTERPRETER}")]) if argv[1:] else (0, [])

        return {f"/usr/local/bin/{command}": once(command, tell)}

    variants: dict[str, Variant] = {}
    for version in versions:
        variants |= tags(size, version, version, "latest")
        variants |= tags(size // 4, version, f"{version}-alpine", "alpine", flavor="alpine")
    return Image(
        repository=repository,
        since=(int(versions[0].partition(".")[0]),),
        variants=variants,
        cmd=(command,),
        env={"PATH": PATH},
        programs=programs,
        tools="debian",
        files=debian_files,
    )


def _bash_programs(variant: Variant) -> dict[str, Program]:
    return {"/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "bash")}


_BITNAMI = ("docker.io/bitnami", "docker.io/bitnamilegacy")

IMAGES: tuple[Image, ...] = (
    *map(image_of, APPS),
    *(replace(nginx.UNPRIVILEGED, repository=f"{hub}/nginx") for hub in _BITNAMI),
    *(replace(redis.IMAGE, repository=f"{hub}/redis", env={"PATH": PATH, "ALLOW_EMPTY_PASSWORD": "yes"}) for hub in _BITNAMI),
    _distribution("docker.io/library/centos", "CentOS Linux", "centos", "6", "8", "7"),
    _distribution("docker.io/library/rockylinux", "Rocky Linux", "rocky", "8", "9"),
    _distribution("docker.io/library/almalinux", "AlmaLinux", "almalinux", "8", "9", "10"),
    _distribution("docker.io/library/fedora", "Fedora Linux", "fedora", "40", "41", "42", "43"),
    _distribution("docker.io/library/amazonlinux", "Amazon Linux", "amzn", "2", "2023"),
    Image(
        repository="docker.io/library/bash", since=(3, 0), entrypoint=("docker-entrypoint.sh",), cmd=("bash",),
        variants={
            **tags(6_300_000, "5.3.3", "latest", "5", "5.3", "5.3.3", flavor="alpine"),
            **tags(6_200_000, "5.2.37", "5.2", "5.2.37", flavor="alpine"),
            **tags(6_000_000, "4.4.23", "4", "4.4", flavor="alpine"),
        },
        env={"PATH": PATH}, programs=_bash_programs, tools="busybox", also=("bash",), files=alpine_files,
    ),
    Image(
        repository="docker.io/radial/busyboxplus", variants=tags(4 * MB, "1.31", "latest", "curl", "base"),
        cmd=("/bin/sh",), env={"PATH": PATH}, tools="busybox", also=("curl",),
    ),
    *(
        replace(curl.IMAGE, repository=f"docker.io/{name}", entrypoint=("curl",), cmd=(), uid=0)
        for name in ("alpine/curl", "byrnedo/alpine-curl", "appropriate/curl")
    ),
    Image(
        repository="docker.io/alpine/socat", variants=tags(4 * MB, "1.8.0.3", "latest", "1.7.4.4", "1.8.0.0", "1.8.0.3"),
        entrypoint=("socat",), env={"PATH": PATH}, tools="busybox", files=alpine_files,
        programs=lambda variant: _not_simulated("socat", "/usr/bin/socat"),
    ),
    Image(
        repository="docker.io/alpine/git", variants=tags(32 * MB, "2.49.1", "latest", "2.49.1", "v2.49.1"),
        entrypoint=("git",), env={"PATH": PATH}, workdir="/git", tools="busybox", files=alpine_files,
        programs=lambda variant: _not_simulated("git", "/usr/bin/git"),
    ),
    replace(
        kubectl.IMAGES[-1], repository="docker.io/lachlanevenson/k8s-kubectl", entrypoint=("kubectl",), cmd=(),
        variants=tags(60_000_000, "v1.25.4", "v1.25.4", "latest", flavor="alpine"), since=(1, 10),
    ),
    replace(busybox.IMAGE, repository="quay.io/quay/busybox", since=()),
    replace(httpd.IMAGE, repository="quay.io/fedora/httpd-24", since=(), variants=tags(60 * MB, "2.4.65", "latest", "2.4")),
    _language("docker.io/library/golang", "go", "go version go{} linux/amd64", ("version",), "1.20.14", "1.22.12", "1.24.9", "1.25.3", size=300_000_000),
    _language("docker.io/library/ruby", "ruby", "ruby {} [x86_64-linux]", ("-v", "--version"), "2.7.8", "3.2.9", "3.4.7", size=350_000_000),
    _language("docker.io/library/php", "php", "PHP {} (cli)", ("-v", "--version"), "7.4.33", "8.2.29", "8.4.14", size=170_000_000),
    _language("docker.io/library/maven", "mvn", "Apache Maven {}", ("-v", "--version"), "3.8.8", "3.9.11", size=280_000_000),
    _language("docker.io/library/rust", "rustc", "rustc {}", ("-V", "--version"), "1.70.0", "1.91.0", size=500_000_000),
)  # fmt: skip
