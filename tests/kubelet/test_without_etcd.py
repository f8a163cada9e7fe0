"""An API server without etcd: its health says so, its kubelet starts it again, and it gives up until etcd is back."""

from __future__ import annotations

import pytest
from test_kubelet_service import same

from cluster_engine import Cluster
from cluster_engine.container_runtime.container import Container
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kube_apiserver.health import CHECKS, OF_ETCD
from cluster_engine.kubelet import Kubelets


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.advance(60)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def ask(cluster: Cluster, path: str, *query: tuple[str, str]) -> tuple[int, str]:
    answer = cluster.request(Request("GET", path, list(query), user=ADMIN))
    return answer.status, answer.body.decode()


def turn(cluster: Cluster, stopped: bool) -> None:
    cluster.fault("component/stop", component="etcd", stopped=stopped)


def server(cluster: Cluster) -> Container:
    kubelets = cluster.components[Kubelets.name]
    assert isinstance(kubelets, Kubelets)
    found = [r.containers["kube-apiserver"] for r in kubelets.core.records.all() if "kube-apiserver" in r.key]
    return found[0]


def whole(path: str, without: str = "") -> str:
    """All the lines of a page; ``without``: what was asked to be left out."""
    failing = [each for each in OF_ETCD if each != without]
    lines = [
        f"[-]{each} failed: reason withheld\n" if each in failing else f"[+]{each} ok\n"
        for each in CHECKS[path]
    ]
    said = "".join(lines).replace(f"[+]{without} ok", f"[+]{without} excluded: ok")
    return f"{said}{path} check failed\n"


HEALTH: dict[str, tuple[str, tuple[int, str]]] = {
    "livez": ("/livez", (500, whole("livez"))),
    "readyz": ("/readyz", (500, whole("readyz"))),
    "of etcd": ("/livez/etcd", (500, "internal server error: etcd failed: reason withheld\n")),
    "of something else": ("/livez/ping", (200, "ok")),
    "of what only readiness has": ("/livez/etcd-readiness", (404, "404 page not found\n")),
}


@pytest.mark.parametrize(("path", "said"), HEALTH.values(), ids=HEALTH)
def test_what_its_health_says(cluster: Cluster, path: str, said: tuple[int, str]) -> None:
    turn(cluster, stopped=True)
    cluster.advance(5)
    assert ask(cluster, path) == said


def test_checks_can_be_left_out(cluster: Cluster) -> None:
    turn(cluster, stopped=True)
    cluster.advance(5)
    assert ask(cluster, "/livez", ("exclude", "etcd")) == (200, "ok")
    assert ask(cluster, "/readyz", ("exclude", "etcd")) == (500, whole("readyz", "etcd"))
    said = ask(cluster, "/livez", ("exclude", "etcd"), ("exclude", "x"), ("verbose", ""))[1].splitlines()
    warned = 'warn: some health checks cannot be excluded: no matches for "x"'
    assert (said[2], said[-2:]) == ("[+]etcd excluded: ok", [warned, "livez check passed"])


def test_it_is_started_again_and_gives_up_until_etcd_is_back(cluster: Cluster) -> None:
    """Eight failures of its liveness probe, ten seconds apart; then twenty seconds of each life, and back-offs."""
    turn(cluster, stopped=True)
    cluster.advance(75)
    assert (server(cluster).attempt, ask(cluster, "/api/v1/nodes", ("resourceVersion", "0"))[0]) == (0, 200)
    cluster.advance(20)
    assert ask(cluster, "/api/v1/nodes", ("resourceVersion", "0"))[0] == 503
    assert (server(cluster).attempt, server(cluster).state) == (1, "running")
    assert cluster.wait(lambda c: server(c).state == "exited", 30)
    assert server(cluster).exit_code == 1
    same(cluster)
    turn(cluster, stopped=False)
    cluster.advance(40)
    assert ask(cluster, "/livez") == (200, "ok")
    assert ask(cluster, "/api/v1/nodes")[0] == 200
    cluster.advance(120)
    mirror = cluster.get("pods", "kube-apiserver-control-plane", "kube-system")
    assert mirror is not None
    told = mirror["status"]["containerStatuses"][0]
    assert (told["restartCount"], told["ready"]) == (server(cluster).attempt, True)
    assert told["restartCount"] >= 2
    same(cluster)


def test_one_that_waits_for_etcd_begins_when_it_is_there(cluster: Cluster) -> None:
    turn(cluster, stopped=True)
    cluster.advance(95)
    assert server(cluster).attempt == 1
    turn(cluster, stopped=False)
    cluster.advance(8)
    assert (server(cluster).attempt, ask(cluster, "/livez")) == (1, (200, "ok"))


def test_a_short_absence_ends_nothing(cluster: Cluster) -> None:
    turn(cluster, stopped=True)
    cluster.advance(60)
    turn(cluster, stopped=False)
    cluster.advance(120)
    assert (server(cluster).attempt, ask(cluster, "/readyz")) == (0, (200, "ok"))
    same(cluster)
