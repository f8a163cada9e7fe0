"""Why a Pod is not Ready: conditions, probes, hooks, pulls and volumes, in sentences."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation
from runs.host import unready
from runs.host.why import explain
from runs.readiness import sentence
from runs.reasons import typed

from cluster_engine.cluster import Cluster

JSON = dict[str, Any]
BUSY: JSON = {"name": "c", "image": "busybox:1.36", "command": ["sleep", "1d"]}
NGINX: JSON = {"name": "c", "image": "nginx:1.27"}


def probe(kind: str, port: int = 81, **more: Any) -> JSON:
    return {**NGINX, f"{kind}Probe": {"httpGet": {"port": port}, "periodSeconds": 5, **more}}


STORIES: list[tuple[str, JSON, float, list[tuple[str, str]]]] = [
    (
        "no node",
        {"nodeSelector": {"disk": "ssd"}},
        5,
        [
            (
                "no_node",
                "It has no node yet, so that no kubelet starts it.",
            )
        ],
    ),
    (
        "gated",
        {"schedulingGates": [{"name": "example/wait"}]},
        5,
        [("gated", "It is held back by")],
    ),
    (
        "no such image",
        {"containers": [{"name": "c", "image": "nginx:9.99"}]},
        5,
        [("pull", "The image nginx:9.99 of the container c cannot be pulled (")],
    ),
    (
        "a pull under way",
        {"containers": [NGINX]},
        0.6,
        [("pulling", "The image nginx:1.27 of the container c is being pulled.")],
    ),
    (
        "a crash",
        {"containers": [{**BUSY, "command": ["sh", "-c", "exit 3"]}]},
        40,
        [
            (
                "crash",
                "times, the last time with status 3 Error; the kubelet waits before it starts it again.",
            )
        ],
    ),
    (
        "no ConfigMap",
        {"containers": [{**BUSY, "envFrom": [{"configMapRef": {"name": "nowhere"}}]}]},
        8,
        [
            (
                "waits",
                'The container c cannot be started (CreateContainerConfigError). configmap "nowhere" not found',
            )
        ],
    ),
    (
        "no volume",
        {
            "containers": [{**BUSY, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
            "volumes": [{"name": "v", "configMap": {"name": "nowhere"}}],
        },
        8,
        [
            (
                "FailedMount",
                "no container starts before all are. MountVolume.SetUp failed",
            ),
            ("begins", "The container c is being started."),
        ],
    ),
    (
        "a readiness probe that fails",
        {"containers": [probe("readiness")]},
        20,
        [("readiness_failed", "readiness probe (httpGet :81/, every 5 s) fails. Readiness probe failed: ")],
    ),
    (
        "a readiness probe that has not asked",
        {"containers": [probe("readiness", 80, initialDelaySeconds=60)]},
        20,
        [
            (
                "readiness_waits",
                "(httpGet :80/, every 5 s, the first after 60 s) has not succeeded yet.",
            )
        ],
    ),
    (
        "a startup probe",
        {"containers": [probe("startup", failureThreshold=99)]},
        20,
        [("startup_failed", "and until it succeeds no other probe asks. Startup probe failed: ")],
    ),
    (
        "a hook",
        {"containers": [{**BUSY, "lifecycle": {"postStart": {"exec": {"command": ["sleep", "30"]}}}}]},
        8,
        [
            (
                "hook",
                "The container c runs, and its postStart hook has not ended: until then it has not started.",
            )
        ],
    ),
    (
        "one of two that has ended",
        {"containers": [BUSY, {**BUSY, "name": "d", "command": ["false"]}], "restartPolicy": "Never"},
        8,
        [("exited", "The container d has ended with status 1 Error.")],
    ),
    (
        "an init container that runs",
        {"initContainers": [{**BUSY, "name": "first"}], "containers": [BUSY]},
        8,
        [("init_runs", "Its init container first (1/1) still runs: those after it wait.")],
    ),
    (
        "an init container that fails",
        {"initContainers": [{**BUSY, "name": "first", "command": ["false"]}], "containers": [BUSY]},
        60,
        [
            ("init", "Its init container first (1/1) has not ended well yet: those after it wait."),
            ("crash", "The container first has ended "),
        ],
    ),
    (
        "a gate",
        {"containers": [BUSY], "readinessGates": [{"conditionType": "example.com/open"}]},
        8,
        [("gate", "Its readiness gate example.com/open is not True: whoever looks after it has not set it.")],
    ),
    (
        "an end",
        {"containers": [{**BUSY, "command": ["true"]}], "restartPolicy": "Never"},
        8,
        [("ended", "It has ended (Succeeded): its containers do not run any more.")],
    ),
    ("nothing", {"containers": [BUSY]}, 8, []),
]


def made(spec: JSON, seconds: float) -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [BUSY], **spec},
    }
    cluster.apply(pod)
    cluster.advance(seconds)
    return cluster


@pytest.mark.parametrize(
    ("spec", "seconds", "wanted"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES]
)
def test_what_stands_in_the_way(spec: JSON, seconds: float, wanted: list[tuple[str, str]]) -> None:
    cluster = made(spec, seconds)
    why = explain(cluster, {"resource": "pods", "name": "web"})
    assert [each["why"] for each in why["unready"]] == [key for key, _said in wanted]
    for finding, (_key, said) in zip(why["unready"], wanted, strict=True):
        assert said in sentence(finding)
        with translation.override("zh-hans"):
            assert said not in sentence(finding)
    assert ("It is not Ready:" in typed(why)) is bool(wanted)


def test_a_node_that_is_silent_and_a_pod_that_leaves() -> None:
    cluster = made({"terminationGracePeriodSeconds": 60}, 8)
    node = (cluster.get("pods", "web") or {})["spec"]["nodeName"]
    cluster.fault("node/power", node=node, up=False)
    cluster.advance(70)
    cluster.delete("pods", "web")
    cluster.advance(1)
    pod = cluster.get("pods", "web")
    assert pod is not None
    found = unready.unready(cluster, pod)
    assert [each["why"] for each in found][:2] == ["node", "leaving"]
    assert sentence(found[0]) == f"Its node {node} does not report any more, so that nobody knows how it is."
    assert sentence(found[1]) == "It is being deleted: its containers have 60 s to end."


def test_what_is_told_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unready, "FINDINGS_TOLD", 2)
    monkeypatch.setattr(unready, "MESSAGE_LIMIT", 10)
    cluster = made({"containers": [{"name": f"c{n}", "image": "nginx:9.99"} for n in range(4)]}, 5)
    found = explain(cluster, {"resource": "pods", "name": "web"})["unready"]
    assert len(found) == 2
    assert all(len(value) <= 10 for each in found for value in each["values"].values())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"httpGet": {"port": 80, "path": "/x"}}, "httpGet :80/x"),
        ({"tcpSocket": {"port": "web"}}, "tcpSocket :web"),
        ({"grpc": {"port": 9}}, "grpc :9"),
        ({"exec": {"command": ["cat", "/ok"]}}, "exec cat /ok"),
    ],
)
def test_what_a_probe_asks(asked: JSON, told: str) -> None:
    assert unready.asks(asked) == told
