"""Images of ten public course repositories and of kubernetes.io's own examples: which resolve, and that those which
are a line in a table live and die."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_engine import Cluster
from cluster_engine.container_runtime.images import courses, documentation, well_known
from cluster_engine.container_runtime.names import parse
from cluster_engine.container_runtime.registry import PullError, resolve
from cluster_engine.kube_apiserver import ADMIN, Request

ROWS = [
    tuple(line.split("\t")) for line in (Path(__file__).parent / "course_images.tsv").read_text().splitlines()
]
"""(repository, an image that its manifests name), of the files that were read."""
UNRESOLVED = {
    "nginx:1.91": "there is no such version: the exercise wants the pull to fail",
    "k8s.gcr.io/cuda-vector-add:v0.1": "it needs a GPU",
    "luksa/kubia-pet-peers": "it looks for its peers by SRV records and asks them",
    "luksa/kubectl-proxy:1.6.2": "kubectl in a Pod has no proxy here",
    "jess/amicontained:v0.4.9": "it looks at the kernel's confinement, which is not simulated",
    "monarene/parse-server": "an application of its own on MongoDB",
    "k8s.gcr.io/git-sync:v3.1.6": "it clones from the Internet",
    "gcr.io/google-samples/cassandra:v13": "no Cassandra is simulated",
    "gcr.io/google-samples/xtrabackup:1.0": "no MySQL replication is simulated",
}
"""Those that do not, and why."""


def test_ten_repositories() -> None:
    assert len({repository for repository, _ in ROWS}) == 10
    assert {*UNRESOLVED} <= {image for _, image in ROWS}
    assert len(ROWS) == len(set(ROWS))


@pytest.mark.parametrize("image", sorted({image for _, image in ROWS}))
def test_an_image_resolves(image: str) -> None:
    if image in UNRESOLVED:
        with pytest.raises(PullError):
            resolve(parse(image))
    else:
        resolve(parse(image))


DOCUMENTED = (Path(__file__).parent / "documented_images.txt").read_text().split()
"""Those that the pages of kubernetes.io and their examples name."""


@pytest.mark.parametrize("image", DOCUMENTED)
def test_a_documented_image_resolves(image: str) -> None:
    resolve(parse(image))


def test_the_rolling_updates_wrong_version_is_none() -> None:
    with pytest.raises(PullError, match="kubernetes-bootcamp:v10: not found"):
        resolve(parse("gcr.io/google-samples/kubernetes-bootcamp:v10"))


def test_the_first_tutorial() -> None:
    """A deployment is looked at, asked, and rolled on to a version that is there and to one that is not."""
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    container = {"name": "c", "image": "gcr.io/google-samples/kubernetes-bootcamp:v1"}
    meta = {"name": "bootcamp", "namespace": "default"}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
    assert cluster.settle()
    said = [cluster.execute("bootcamp", ["curl", "-s", "localhost:8080"]).stdout.decode() for _ in range(2)]
    assert said == ["Hello Kubernetes bootcamp! | Running on: bootcamp | v=1\n"] * 2
    log = cluster.request(Request("GET", "/api/v1/namespaces/default/pods/bootcamp/log", user=ADMIN)).body
    assert [line.split(" | ")[:2] for line in log.decode().splitlines() if line] == [
        [f"Kubernetes Bootcamp App Started At: {log.decode()[36:56]}", "Running On:  bootcamp"],
        ["Running On: bootcamp", "Total Requests: 1"],
        ["Running On: bootcamp", "Total Requests: 2"],
    ]


def test_a_frontend_asks_the_service_behind_it() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    for name, image in (("hello", "hello-go-gke:1.0"), ("front", "hello-frontend:1.0")):
        port, labels = {"name": "http", "containerPort": 80}, {"app": name}
        container = {"name": "c", "image": f"gcr.io/google-samples/{image}", "ports": [port]}
        meta = {"name": name, "namespace": "default", "labels": labels}
        ports = [{"port": 80, "targetPort": "http"}]
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": ports},
        }
        cluster.apply(service)
        cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
        )
        assert cluster.settle()
    assert cluster.execute("front", ["curl", "-s", "localhost"]).stdout == b'{"message":"Hello"}\n'


SERVERS = {app.repository: app for table in (courses, documentation, well_known) for app in table.APPS}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """One Pod of each, and one beside each whose port is taken."""
    cluster = Cluster(nodes=3, freezing=True, strict=True, addons=False)
    client = {"name": "c", "image": "busybox", "command": ["sleep", "100d"]}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": {"containers": [client]}}
    )
    for number, name in enumerate(SERVERS):
        container = {"name": "c", "image": name}
        spec = {"containers": [container], "restartPolicy": "Never"}
        meta = {"name": f"app-{number}", "namespace": "default"}
        cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
        twice = [container, {**container, "name": "d"}]
        meta = {"name": f"twice-{number}", "namespace": "default"}
        cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**spec, "containers": twice}}
        )
    assert cluster.settle()
    return cluster


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_lives_and_ends(cluster: Cluster, name: str) -> None:
    app, number = SERVERS[name], list(SERVERS).index(name)
    pod = cluster.get("pods", f"app-{number}", "default")
    assert pod is not None
    url = f"http://{pod['status']['podIP']}:{app.port}/"
    asked = cluster.execute("client", ["wget", "-q", "-O", "-", url])
    broken = "nodejs-read-config" in name  # its file is not there
    assert (asked.exit_code != 0) is broken
    assert broken or asked.stdout or "goproxy" in name
    path = f"/api/v1/namespaces/default/pods/app-{number}/log"
    log = cluster.request(Request("GET", path, user=ADMIN)).body.decode()
    assert log.startswith(app.ready.partition("{")[0])
    assert ("Received request" in log) is bool(app.asked)
    if app.tools != "none":
        assert cluster.execute(f"app-{number}", ["sh", "-c", "kill 1"]).exit_code in (0, 137)
        ended = cluster.wait(
            lambda c: (c.get("pods", f"app-{number}", "default") or {})["status"]["phase"] == "Failed"
        )
        assert ended
    twice = cluster.get("pods", f"twice-{number}", "default")
    assert twice is not None
    states = [each["state"] for each in twice["status"]["containerStatuses"]]
    assert sorted("running" in state for state in states) == [False, True]


def test_one_that_falls_ill_is_restarted() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 5}
    container = {"name": "c", "image": "luksa/kubia-unhealthy", "livenessProbe": probe}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    )
    cluster.advance(180)
    pod = cluster.get("pods", "p", "default")
    assert pod is not None
    assert pod["status"]["containerStatuses"][0]["restartCount"] >= 1


def test_what_is_posted_is_kept_in_the_volume() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    mount = [{"name": "v", "mountPath": "/var/data"}]
    pet = {"name": "c", "image": "luksa/kubia-pet", "volumeMounts": mount}
    client = {"name": "d", "image": "busybox", "command": ["sleep", "1d"], "volumeMounts": mount}
    volumes = [{"name": "v", "emptyDir": {}}]
    spec = {"containers": [pet, client], "volumes": volumes}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    assert cluster.settle()
    said = [
        cluster.execute("p", ["sh", "-c", f"wget -qO- {more} localhost:8080"], container="d").stdout.decode()
        for more in ("", "--post-data=Hey", "")
    ]
    assert said == [
        "You've hit p\nData stored on this pod: No data posted yet\n",
        "Data stored on pod p\n",
        "You've hit p\nData stored on this pod: Hey\n",
    ]


def test_fortunes_and_monitors_go_on() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    made, served = (
        [{"name": "html", "mountPath": path}] for path in ("/var/htdocs", "/usr/share/nginx/html")
    )
    containers = [
        {"name": "html-generator", "image": "luksa/fortune", "volumeMounts": made},
        {"name": "web", "image": "nginx:alpine", "volumeMounts": served},
        {"name": "ssd", "image": "luksa/ssd-monitor"},
    ]
    spec = {"containers": containers, "volumes": [{"name": "html", "emptyDir": {}}]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    cluster.advance(40)
    pages = set()
    for _ in range(3):
        pages.add(cluster.execute("p", ["sh", "-c", "wget -qO- localhost"], container="web").stdout)
        cluster.advance(10)
    assert len(pages) == 3
    request = Request("GET", "/api/v1/namespaces/default/pods/p/log", [("container", "ssd")], user=ADMIN)
    assert cluster.request(request).body.startswith(b"SSD OK\nSSD OK\n")


TAILS = {
    "fluent/fluentd": (
        "/fluentd/etc",
        "fluent.conf",
        "<source>\n  @type tail\n  path /logs/*.log\n</source>\n",
    ),
    "fluent/fluent-bit": (
        "/fluent-bit/etc",
        "fluent-bit.conf",
        "[INPUT]\n    Name tail\n    Path /logs/*.log\n",
    ),
}


@pytest.mark.parametrize("image", TAILS)
def test_what_tails_files(image: str) -> None:
    folder, name, text = TAILS[image]
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    meta = {"name": "conf", "namespace": "default"}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {name: text}})
    writes = "while :; do echo line >> /logs/app.log; sleep 5; done"
    logs = {"name": "logs", "mountPath": "/logs"}
    mounts = [logs, {"name": "conf", "mountPath": folder}]
    spec = {
        "containers": [
            {"name": "app", "image": "busybox", "command": ["sh", "-c", writes], "volumeMounts": [logs]},
            {"name": "agent", "image": image, "volumeMounts": mounts},
        ],
        "volumes": [{"name": "logs", "emptyDir": {}}, {"name": "conf", "configMap": {"name": "conf"}}],
    }
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    cluster.advance(60)
    request = Request("GET", "/api/v1/namespaces/default/pods/p/log", [("container", "agent")], user=ADMIN)
    said = cluster.request(request).body.decode()
    assert "/logs/app.log" in said
    assert said.count('"line"}') >= 3


def test_a_broken_configuration_ends_fluentd() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    meta = {"name": "conf", "namespace": "default"}
    data = {"fluent.conf": "<source>\n  @type tail\n"}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
    mounts = [{"name": "conf", "mountPath": "/fluentd/etc"}]
    container = {"name": "c", "image": "fluent/fluentd", "volumeMounts": mounts}
    volumes = [{"name": "conf", "configMap": {"name": "conf"}}]
    spec = {"containers": [container], "restartPolicy": "Never", "volumes": volumes}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    assert cluster.settle()
    pod = cluster.get("pods", "p", "default")
    assert pod is not None
    assert pod["status"]["phase"] == "Failed"
    log = cluster.request(Request("GET", "/api/v1/namespaces/default/pods/p/log", user=ADMIN)).body
    assert b"Fluent::ConfigParseError" in log


def test_what_is_posted_is_kept_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "STORED", 3)
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    for name, image in (("pet", "luksa/kubia-pet"), ("client", "busybox")):
        container = {"name": "c", "image": image, **({"args": ["sleep", "1d"]} if name == "client" else {})}
        meta = {"name": name, "namespace": "default"}
        cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
        )
    assert cluster.settle()
    pod = cluster.get("pods", "pet")
    assert pod is not None
    url = f"http://{pod['status']['podIP']}:8080/"
    cluster.execute("pet", ["mkdir", "-p", "/var/data"])
    cluster.execute("client", ["wget", "-q", "-O", "-", "--post-data=hello", url])
    assert cluster.execute("client", ["wget", "-q", "-O", "-", url]).stdout.endswith(b"pod: hel\n")
