# ruff: noqa: E501 (one image a line)
"""The images of well-known courses and books; most are small web servers, each a line of ``APPS``."""

from __future__ import annotations

from dataclasses import replace

from cluster_engine.container_runtime.http import Reply, Request
from cluster_engine.container_runtime.image import PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.images import curl, nginx, redis
from cluster_engine.container_runtime.images._apps import HTML, TEXT, App, image_of, page, script, site
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import State, Sys

WELL = 5
"""Requests that an image answers which is made to fall ill."""
STORED = 65_536
"""Bytes that an image keeps of what is posted to it."""


def _counted(sys: Sys, state: State) -> int:
    state["count"] = state.get("count", 0) + 1
    return int(state["count"])


def _kubia(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    version = variant.version
    if not version.startswith("v"):
        return Reply(200, f"You've hit {sys.hostname}\n")
    if version == "v3" and _counted(sys, state) >= WELL:
        return Reply(500, f"Some internal error has occurred! This is pod {sys.hostname}\n")
    return Reply(200, f"This is {version} running in pod {sys.hostname}\n")


def _unhealthy(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    if _counted(sys, state) > WELL:
        return Reply(500, "I'm not well. Please restart me!\n")
    return Reply(200, f"You've hit {sys.hostname}\n")


def _pet(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    path = "/var/data/kubia.txt"
    try:
        if request.method == "POST":
            sys.fs.write(path, request.body[:STORED])
            return Reply(200, f"Data stored on pod {sys.hostname}\n")
        kept = sys.fs.read(path) if sys.fs.exists(path) else "No data posted yet"
    except FileError as error:
        return Reply(500, f"{path}: {error.reason}\n")
    return Reply(200, f"You've hit {sys.hostname}\nData stored on this pod: {kept}\n")


def _kuard(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    match request.path.partition("?")[0]:
        case "/healthy" | "/ready":
            return Reply(200, "ok", TEXT)
        case "/env/api":
            lines = ",".join(f'"{name}={value}"' for name, value in sorted(sys.env.items()))
            return Reply(200, f"[{lines}]", {"Content-Type": "application/json"})
    text = f"<!doctype html>\n<title>KUAR Demo</title>\n<h1>Demo application version <i>{variant.version}</i></h1>\n"
    return Reply(200, f"{text}<p>Serving on <code>{sys.hostname}</code></p>\n", HTML)


def _configured(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    try:
        text = sys.fs.read("/usr/shared/app/config.json")
    except FileError as error:
        return Reply(500, f"/usr/shared/app/config.json: {error.reason}\n", TEXT)
    return Reply(200, f"Database URL: {text.strip()}\n", TEXT)


def _elastic(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    if request.path.startswith("/_cluster/health"):
        text = '{"cluster_name":"docker-cluster","status":"green","timed_out":false,"number_of_nodes":1}\n'
    else:
        text = (
            f'{{\n  "name" : "{sys.hostname}",\n  "cluster_name" : "docker-cluster",\n  "version" : {{\n'
            f'    "number" : "{variant.version}"\n  }},\n  "tagline" : "You Know, for Search"\n}}\n'
        )
    return Reply(200, text, {"Content-Type": "application/json; charset=UTF-8"})


def _whoami(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    headers = "".join(
        f"{name.title()}: {value}\n" for name, value in sorted(request.headers.items()) if name != "host"
    )
    head = f"Hostname: {sys.hostname}\nIP: 127.0.0.1\nRemoteAddr: {request.peer}:{request.peer_port}\n"
    line = f"{request.method} {request.path} HTTP/1.1\nHost: {request.headers.get('host', '')}\n"
    return Reply(200, f"{head}{line}{headers}", TEXT)


def _podinfo(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    json = {"Content-Type": "application/json; charset=utf-8"}
    if request.path in ("/healthz", "/readyz"):
        return Reply(200, '{\n  "status": "OK"\n}', json)
    text = (
        f'{{\n  "hostname": "{sys.hostname}",\n  "version": "{variant.version}",\n  "color": "#34577c",\n'
        f'  "message": "greetings from podinfo v{variant.version}"\n}}'
    )
    return Reply(200, text, json)


def _colour(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
    colour = sys.env.get("APP_COLOR", "red")
    return Reply(
        200,
        f'<!doctype html>\n<title>Hello from Flask</title>\n<body style="background: {colour};"></body>\n'
        f"<h1>Hello from {sys.hostname}!</h1>\n",
        HTML,
    )


_RELEASES = ("release1", "release2", "release3")
_NODE = "Example app listening at http://:::3000"
APPS: tuple[App, ...] = (
    App("luksa/kubia", 8080, _kubia, ("v1", "v2", "v3", "v4", "1.0.0"), "Kubia server starting...", "Received request from ::ffff:{peer}"),
    App("luksa/kubia-unhealthy", 8080, _unhealthy, ready="Kubia server starting...", asked="Received request from ::ffff:{peer}"),
    App("luksa/kubia-pet", 8080, _pet, ready="Server listening on port 8080"),
    App("dgkanatsios/simpleapp", 8080, page("Hello world from {hostname} and version 2.0")),
    App("bmuschko/nodejs-hello-world", 3000, page("Hello World"), ready="Magic happens on port 3000"),
    App("bmuschko/nodejs-read-config", 8080, _configured, ready="Server running at http://0.0.0.0:8080/"),
    App("stacksimplify/kubenginx", 80, site("Welcome to Stack Simplify", "Kubernetes Fundamentals Demo, V{major}, "), ("1.0.0", "2.0.0", "3.0.0", "4.0.0")),
    App("stacksimplify/kube-helloworld", 8080, page("Hello World V{major} {hostname}"), ("1.0.0", "2.0.0")),
    App("nigelpoulton/k8sbook", 8080, site("K8s rocks!"), ("1.0", "2.0", "edge", "shield-ingress", "hydra-ingress")),
    App("wardviaene/k8s-demo", 3000, page("Hello World!"), ready=_NODE),
    App("richardchesterwood/k8s-fleetman-webapp-angular", 80, site("Fleet Management"), ("release0", "release0-5", *_RELEASES), tools="busybox"),
    App("richardchesterwood/k8s-fleetman-queue", 8161, site("Apache ActiveMQ"), _RELEASES),
    App("richardchesterwood/k8s-fleetman-position-tracker", 8080, page("[]\n"), _RELEASES, ready="Started PositionTrackerApplication"),
    App("richardchesterwood/k8s-fleetman-position-simulator", 8080, page("\n"), _RELEASES, ready="Started PositionsimulatorApplication"),
    App("richardchesterwood/k8s-fleetman-api-gateway", 8080, page("<p>Fleetman API Gateway at {hostname}</p>\n"), _RELEASES, ready="Started ApiGatewayApplication"),
    App("kodekloud/webapp-color", 8080, _colour, ("v1", "v2", "v3", "1.0.0"), ready=" * Running on http://0.0.0.0:8080/ (Press CTRL+C to quit)"),
    App("kodekloud/simple-webapp", 8080, _colour, ("green", "blue", "red", "1.0.0"), ready=" * Running on http://0.0.0.0:8080/"),
    App("kodekloud/examplevotingapp_vote", 80, site("Cats vs Dogs!", "Processed by container ID "), ("v1",)),
    App("kodekloud/examplevotingapp_result", 80, site("Cats vs Dogs -- Result"), ("v1",), ready="App running on port 80"),
    App("dockersamples/examplevotingapp_vote", 80, site("Cats vs Dogs!", "Processed by container ID "), ("before", "after", "1.0.0")),
    App("dockersamples/examplevotingapp_result", 80, site("Cats vs Dogs -- Result"), ("before", "after", "1.0.0"), ready="App running on port 80"),
    App("nginxdemos/hello", 80, page("Server name: {hostname}\nURI: {path}\n"), ("plain-text", "0.4"), tools="busybox"),
    App("traefik/whoami", 80, _whoami, ("v1.10", "v1.11"), ready="Starting up on port 80", tools="none"),
    App("containous/whoami", 80, _whoami, ("v1.5.0",), ready="Starting up on port 80", tools="none"),
    App("stefanprodan/podinfo", 9898, _podinfo, ("6.7.1", "6.9.2"), ready="Starting HTTP Server.", tools="busybox"),
    App("paulbouwer/hello-kubernetes", 8080, site("Hello Kubernetes!", "pod: "), ("1.5", "1.8", "1.10"), ready="Listening on: http://:::8080"),
    App("wordpress", 80, site("WordPress &rsaquo; Installation"), ("4.8", "5.9", "6.2.1", "6.8.3"), ready="AH00094: Command line: 'apache2 -D FOREGROUND'"),
    App("ghost", 2368, site("Ghost"), ("4.48.9", "5.130.5"), ready="Ghost is running in development..."),
    App("gcr.io/kuar-demo/kuard-amd64", 8080, _kuard, ("1", "2", "3", "blue", "green", "purple"), ready="Serving on HTTP on :8080", tools="busybox"),
    App("gcr.io/google-samples/gb-frontend", 80, site("Guestbook"), ("v3", "v4", "v5", "v6")),
    App("us-docker.pkg.dev/google-samples/containers/gke/gb-frontend", 80, site("Guestbook"), ("v5",)),
    App("corelab/gb-frontend", 80, site("Guestbook"), ("v5",)),
    App("registry.k8s.io/elasticsearch", 9200, _elastic, ("v6.2.5", "v7.4.3"), ready="started"),
    App("docker.elastic.co/elasticsearch/elasticsearch", 9200, _elastic, ("6.8.23", "7.17.9", "8.19.6"), ready="started"),
    App("elasticsearch", 9200, _elastic, ("6.8.23", "7.17.9", "8.19.6"), ready="started"),
    App("kibana", 5601, site("Kibana"), ("7.17.9", "8.19.6"), ready="Server running at http://0.0.0.0:5601"),
    App("docker.elastic.co/kibana/kibana", 5601, site("Kibana"), ("7.17.9", "8.19.6"), ready="Server running at http://0.0.0.0:5601"),
    App("docker.elastic.co/kibana/kibana-oss", 5601, site("Kibana"), ("6.2.4", "7.10.2"), ready="Server running at http://0.0.0.0:5601"),
)  # fmt: skip


_FORTUNES = (
    "You will be surprised by a loud noise.",
    "A day for firm decisions! Or is it?",
    "You have an ability to sense and know higher truth.",
    "Beware of low-flying butterflies.",
    "Your lucky number has been disconnected.",
)
_FORTUNE = (
    """trap exit INT
n=0
echo Configured to generate new fortune every ${1:-${INTERVAL:-10}} seconds
mkdir -p /var/htdocs
while :; do
  echo $(date) Writing fortune to /var/htdocs/index.html
  case $((n % 5)) in
"""
    + "".join(f"  {number}) t='{text}';;\n" for number, text in enumerate(_FORTUNES))
    + """  esac
  echo "$t" > /var/htdocs/index.html
  n=$((n+1))
  sleep ${1:-${INTERVAL:-10}}
done
"""
)

_WORKER = """until nc -z -w 1 redis 6379; do echo 'Waiting for redis'; sleep 1; done
until nc -z -w 1 db 5432; do echo 'Waiting for db'; sleep 1; done
echo 'Connected to db'
echo 'Connecting to redis'
while :; do sleep 100; done
"""
_FOLLOWER = "us-docker.pkg.dev/google-samples/containers/gke/gb-redis-follower"

_FRONT = """server {
    listen 80;
    location / {
        proxy_pass http://my-backend-service:8080;
    }
}
"""

IMAGES: tuple[Image, ...] = (
    *(image_of(app) for app in APPS),
    script("luksa/fortune", _FORTUNE, 80_000_000, "env", "args"),
    script(
        "luksa/batch-job",
        'echo "$(date) Batch job starting"\nsleep 120\necho "$(date) Finished succesfully"\n',
        1_900_000,
    ),
    script("kodekloud/examplevotingapp_worker", _WORKER, 80_000_000, "v1"),
    script("dockersamples/examplevotingapp_worker", _WORKER, 80_000_000),
    replace(
        redis.IMAGE, repository=_FOLLOWER, variants=tags(40_000_000, "6.0.5", "v1", "v2", "latest"), since=()
    ),
    replace(
        curl.IMAGE,
        repository="docker.io/tutum/curl",
        variants=tags(67_000_000, "7.35.0", "latest"),
        since=(),
        entrypoint=(),
        cmd=("/bin/bash",),
        uid=0,
        tools="debian",
    ),
    *(
        Image(
            repository=repository,
            variants=tags(73_000_000, "1.7", *names),
            cmd=("sleep", "infinity"),
            env={"PATH": PATH},
            tools="debian",
            also=("dig", "host", "nslookup"),
            files=debian_files,
        )
        for repository, names in (
            ("registry.k8s.io/e2e-test-images/jessie-dnsutils", ("1.3", "1.4", "1.7")),
            ("docker.io/tutum/dnsutils", ("latest",)),
        )
    ),
    replace(
        nginx.IMAGE,
        repository="docker.io/stacksimplify/kube-frontend-nginx",
        variants=tags(51_000_000, "1.28.0", "1.0.0", "latest"),
        since=(),
        steady=False,
        files=lambda variant: {**nginx.IMAGE.files(variant), "/etc/nginx/conf.d/default.conf": _FRONT},
    ),
    script("luksa/ssd-monitor", "while true; do echo 'SSD OK'; sleep 5; done\n", 1_900_000),
)
