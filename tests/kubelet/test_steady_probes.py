"""Steady probes are not run, and nobody can tell: statuses, Events and logs are those of probes that are."""

import json

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kubelet.runtime import Runtime

pytestmark = pytest.mark.slow

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 3}
        livenessProbe: {tcpSocket: {port: 80}}
---
apiVersion: v1
kind: Pod
metadata: {name: aging}
spec:
  containers:
  - name: c
    image: registry.k8s.io/e2e-test-images/agnhost:2.53
    args: [liveness]
    livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: both}
spec:
  containers:
  - name: hello
    image: us-docker.pkg.dev/google-samples/containers/gke/hello-app:1.0
    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 7}
  - name: looper
    image: busybox:1.36
    command: [sh, -c, "while true; do date; sleep 41; done"]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: one}
---
apiVersion: v1
kind: Pod
metadata: {name: mounted}
spec:
  containers:
  - name: nginx
    image: nginx:1.27
    readinessProbe: {httpGet: {path: /index.html, port: 80}, periodSeconds: 5}
    volumeMounts: [{name: page, mountPath: /usr/share/nginx/html}]
  volumes: [{name: page, configMap: {name: page}}]
"""

REMOVE = ["rm", "/usr/share/nginx/html/index.html"]


def first(cluster):
    return cluster.list("pods", "default", "app=web")[0]["metadata"]["name"]


def breaks(cluster):
    cluster.execute(first(cluster), REMOVE)


def kills(cluster):
    cluster.execute(first(cluster), ["sh", "-c", "kill -TERM 1"])


def asks(cluster):
    cluster.execute(
        "both",
        ["wget", "-qO-", "http://" + cluster.list("pods", "default")[-1]["status"]["podIP"]],
        container="looper",
    )


def empties(cluster):
    page = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": {"other": "x"}}
    cluster.apply(page)


def leaves(cluster):
    cluster.delete("pods", first(cluster))


STORIES = [
    pytest.param([], id="nothing happens"),
    pytest.param([breaks], id="a file goes"),
    pytest.param([kills, breaks], id="a server is killed"),
    pytest.param([asks, asks, leaves], id="others ask, one leaves"),
    pytest.param([empties, asks], id="a volume changes"),
]


def told(cluster, story):
    """All that can be seen on the way."""
    seen = []
    cluster.apply(WEB)
    cluster.advance(75)
    for act in story:
        act(cluster)
        cluster.advance(33.3)
        seen.append(look(cluster))
        cluster.advance(400.7)
        seen.append(look(cluster))
    cluster.advance(1000)
    return [*seen, look(cluster)]


def look(cluster):
    kubelets = cluster.components["kubelet"]
    logs = {
        f"{record.key}/{name}": kubelets.runtime.logs(record, container)
        for record in kubelets.core.records.all()
        for name, container in record.containers.items()
    }
    return {"objects": cluster.store.state()["objects"], "logs": logs, "revision": cluster.store.revision}


@pytest.mark.parametrize("story", STORIES)
def test_nobody_can_tell(monkeypatch, story):
    one = Cluster(nodes=3, seed=4)
    seen = told(one, story)
    monkeypatch.setattr(Runtime, "answers_alike", lambda self, record: False)
    other = Cluster(nodes=3, seed=4)
    stepped = told(other, story)
    assert other.clock.events_run > 3 * one.clock.events_run
    for mine, theirs in zip(seen, stepped, strict=True):
        for key in theirs["logs"]:
            assert mine["logs"][key] == theirs["logs"][key], key
        assert json.dumps(mine) == json.dumps(theirs)


def test_looking_changes_nothing_and_forks_rest_too():
    cluster = Cluster(nodes=3, seed=4)
    cluster.apply(WEB)
    cluster.advance(300)
    before = cluster.state_hash()
    look(cluster)
    assert cluster.state_hash() == before
    ways = [cluster.fork(), Cluster.restore(cluster.snapshot()), Cluster.resume(cluster.keyframe())]
    look(ways[0])
    for one in (cluster, *ways):
        one.advance(500)
        one.execute(first(one), REMOVE)
        one.advance(100)
    assert {one.state_hash() for one in ways} == {cluster.state_hash()}
    ready = next(
        c for c in cluster.get("pods", first(cluster))["status"]["conditions"] if c["type"] == "Ready"
    )
    assert ready["status"] == "False"


def test_a_quiet_hour_runs_no_probes():
    cluster = Cluster(nodes=3, seed=4)
    cluster.apply(WEB)
    for name in ("aging", "both"):  # these have something to do
        cluster.delete("pods", name)
    cluster.advance(300)
    waiting = {event[3] for event in cluster.clock.state()["heap"]}
    assert "kubelet/probe" not in waiting


def test_a_followed_log_shows_them_once_and_in_order():
    cluster = Cluster(nodes=3, seed=4)
    cluster.apply(WEB)
    cluster.advance(100)
    path, query = "/api/v1/namespaces/default/pods/mounted/log", [("timestamps", "true")]
    follow = Request("GET", path, [*query, ("follow", "true"), ("tailLines", "2")], {}, b"", ADMIN)
    stream = cluster.request(follow).stream
    told = stream.take()
    for step in range(30):
        cluster.advance(7)
        if step == 10:
            cluster.execute("mounted", ["ls", "/"])
        told += stream.take()
    lines = told.decode().splitlines()
    assert len(lines) == len(set(lines)) == 2 + 30 * 7 // 5
    assert lines == sorted(lines)
    whole = cluster.request(Request("GET", path, query, {}, b"", ADMIN)).body.decode().splitlines()
    assert whole[-len(lines) :] == lines
