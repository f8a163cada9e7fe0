"""The page that shows a cluster: what its service account may see, escaped, and nothing else."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.images import dashboard

OBJECTS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: viewer, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: viewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: viewer, namespace: default}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: till, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}}
    spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: asks, namespace: default}
spec: {containers: [{name: c, image: nicolaka/netshoot, command: [sleep, 100d]}]}
"""


def page_pod(name: str, image: str, account: str) -> JSON:
    spec = {"serviceAccountName": account, "containers": [{"name": "c", "image": image}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply(OBJECTS)
    cluster.apply(page_pod("sees", "ghcr.io/headlamp-k8s/headlamp:v0.38.0", "viewer"))
    cluster.apply(page_pod("blind", "kubernetesui/dashboard:v2.7.0", "default"))
    cluster.settle()
    return cluster


PORTS = {"sees": 4466, "blind": 9090}


def ask(cluster: Cluster, pod: str, path: str, *more: str) -> str:
    url = f"http://{cluster.get('pods', pod)['status']['podIP']}:{PORTS[pod]}{path}"
    return cluster.execute("asks", ["curl", "-s", *more, url]).stdout.decode()


class Tables(HTMLParser):
    """The cells of each section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sections: dict[str, list[str]] = {}
        self._title, self._within = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._within = tag if tag in ("h2", "td", "a", "p") else ""
        assert tag not in ("script", "style", "iframe", "img")

    def handle_data(self, data: str) -> None:
        if self._within == "h2":
            self._title, self._within = data, ""
            self.sections[data] = []
        elif self._within and self._title:
            self.sections[self._title].append(data)


def test_it_shows_what_its_account_may_see(cluster: Cluster) -> None:
    found = Tables(ask(cluster, "sees", "/")).sections
    assert list(found) == [title for title, _ in dashboard._SECTIONS]
    assert {"default", "kube-system", "shop"} <= set(found["Namespaces"])
    assert "till" in found["Deployments"]
    assert sum(cell.startswith("till-") for cell in found["Pods"]) == 2
    assert "None." in found["CronJobs"][0]


def test_one_namespace(cluster: Cluster) -> None:
    found = Tables(ask(cluster, "sees", "/?namespace=shop")).sections
    assert [cell for cell in found["Deployments"] if cell == "till"]
    assert "asks" not in found["Pods"]


def test_what_it_may_not_see_it_says(cluster: Cluster) -> None:
    found = Tables(ask(cluster, "blind", "/?namespace=shop")).sections
    refusal = (
        'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:default:default" cannot '
        'list resource "pods" in API group "" in the namespace "shop"'
    )
    assert found["Pods"][0] == refusal


def test_its_page_runs_nothing(cluster: Cluster) -> None:
    said = ask(cluster, "sees", "/", "-i")
    assert "Content-Security-Policy: default-src 'none'; style-src 'self'" in said
    assert "text/css" in ask(cluster, "sees", "/style.css", "-i")


def test_what_comes_from_the_cluster_is_escaped() -> None:
    text = "NAME   STATUS\n<b>&   <script>alert(1)</script>\n"
    said = dashboard._section("Pods", text, shown=True)
    assert "<td>&lt;b&gt;&amp;</td><td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in said
    assert "&lt;i&gt;" in dashboard._section("Pods", "<i>", shown=False)


REFUSED = {
    "no such page": ("/pods", [], "404 page not found\n"),
    "no namespace's name": ("/?namespace=%3Cscript%3E", [], "a namespace has another name\n"),
    "a write": ("/", ["-X", "POST"], "Method Not Allowed\n"),
}


@pytest.mark.parametrize(("path", "more", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(cluster: Cluster, path: str, more: list[str], said: str) -> None:
    assert ask(cluster, "sees", path, *more) == said


def test_limits(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "MAX_PAGES", 0)
    assert ask(cluster, "sees", "/") == "too many pages at a time\n"
    monkeypatch.setattr(dashboard, "MAX_PAGES", 1)
    monkeypatch.setattr(dashboard, "MAX_TABLE", 70)
    assert "till" not in ask(cluster, "sees", "/")
