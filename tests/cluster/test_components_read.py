"""A component that may not write, or not even read any more: its log says so, and nobody else suffers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kube_apiserver.authorization import Access, Decision, Rules
from cluster_engine.kube_apiserver.authorization.interface import NO_OPINION
from cluster_engine.kube_apiserver.types import UserInfo

ACCOUNT = "system:serviceaccount:kube-system:"


class TakenAway:
    """A first link of the chain that refuses what ``what`` is true for."""

    def __init__(self, cluster: Cluster, what: Callable[[Access], bool]) -> None:
        self._what = what
        self._chain = cluster.server.authorizer
        self._before = self._chain._links
        self._chain._links = (self, *self._before)
        self._chain.changed()

    def decide(self, asked: Access) -> Decision:
        return Decision("deny", "taken away") if self._what(asked) else NO_OPINION

    def rules(self, user: UserInfo, namespace: str) -> Rules:
        return Rules()

    def given_back(self) -> None:
        self._chain._links = self._before
        self._chain.changed()


def workload(kind: str, name: str) -> dict[str, object]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10.1"}]},
    }
    replicas = {} if kind == "DaemonSet" else {"replicas": 2}
    spec = {**replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def log(cluster: Cluster, component: str) -> list[str]:
    path = f"/api/v1/namespaces/kube-system/pods/{component}-control-plane/log"
    return cluster.request(Request("GET", path, [], {}, b"", ADMIN)).body.decode().splitlines()


def count(cluster: Cluster, app: str) -> int:
    return len(cluster.list("pods", "default", f"app={app}"))


def test_a_controller_without_its_role_says_so_and_the_others_go_on() -> None:
    cluster = Cluster(nodes=3, freezing=True)
    away = TakenAway(cluster, lambda asked: asked.user.username == f"{ACCOUNT}deployment-controller")
    cluster.apply(
        [workload("Deployment", "web"), workload("ReplicaSet", "set"), workload("DaemonSet", "agent")]
    )
    cluster.advance(20)
    assert (count(cluster, "web"), count(cluster, "set"), count(cluster, "agent")) == (0, 2, 2)
    lines = [line for line in log(cluster, "kube-controller-manager") if "default/web" in line]
    assert lines
    assert lines[0].startswith("E0101 00:0")
    assert lines[0].endswith(
        'deployment-controller.go] "Unhandled Error" err="error syncing \'default/web\': deployments.apps \\"web\\" is '
        f'forbidden: User \\"{ACCOUNT}deployment-controller\\" cannot update resource \\"deployments/status\\" in '
        'API group \\"apps\\" in the namespace \\"default\\": taken away" logger="UnhandledError"'
    )
    assert not cluster.failures
    assert cluster.clock.failures.retries["deployment-controller"] >= 5
    away.given_back()
    cluster.advance(40)
    assert count(cluster, "web") == 2


def sees_nothing(asked: Access) -> bool:
    return (
        asked.user.username == "system:kube-scheduler"
        and asked.whole_resource == "pods"
        and asked.verb == "watch"
    )


def test_a_scheduler_that_may_not_watch_pods_misses_nothing_in_the_end() -> None:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(workload("ReplicaSet", "before"))
    cluster.settle()
    away = TakenAway(cluster, sees_nothing)
    cluster.apply(workload("ReplicaSet", "meanwhile"))
    cluster.apply(workload("DaemonSet", "agent"))  # its Pods are the scheduler's too
    cluster.delete("replicasets", "before")
    cluster.advance(45)
    assert (count(cluster, "before"), count(cluster, "meanwhile")) == (0, 2)
    assert not [pod for pod in cluster.list("pods", "default") if pod["spec"].get("nodeName")]
    refused = [line for line in log(cluster, "kube-scheduler") if "reflector.go" in line]
    assert 5 < len(refused) < 10, "it tries again after 0.8, 1.6, ... at most 30 seconds"
    assert refused[0].endswith(
        'reflector.go:205] "Failed to watch" err="failed to list pods: pods is forbidden: User '
        '\\"system:kube-scheduler\\" cannot watch resource \\"pods\\" in API group \\"\\" at the cluster scope: '
        'taken away" logger="UnhandledError"'
    )
    assert not any("reflector.go" in line for line in log(cluster, "kube-controller-manager"))
    away.given_back()
    cluster.advance(40)
    assert all(pod["spec"].get("nodeName") for pod in cluster.list("pods", "default"))


@pytest.mark.parametrize("again", ["fork", "keyframe"])
def test_what_was_missed_goes_with_forks_and_keyframes(again: str) -> None:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(workload("ReplicaSet", "before"))
    cluster.settle()
    away = TakenAway(cluster, sees_nothing)
    cluster.apply(workload("ReplicaSet", "meanwhile"))
    cluster.delete("pods", cluster.list("pods", "default", "app=before")[0]["metadata"]["name"])
    cluster.advance(3)
    other = cluster.fork() if again == "fork" else Cluster.resume(cluster.keyframe())
    theirs = TakenAway(other, sees_nothing)
    assert other.state_hash() == cluster.state_hash()
    for one, link in ((cluster, away), (other, theirs)):
        one.advance(10)
        link.given_back()
        one.advance(60)
        assert count(one, "meanwhile") == count(one, "before") == 2
    assert other.state_hash() == cluster.state_hash()


def test_what_stands_still_shows_what_was_there() -> None:
    cluster = Cluster(nodes=1, control_plane=False, addons=False)
    for name in ("a", "b"):
        cluster.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "old"}}
        )
    user = "system:kube-controller-manager"
    view = cluster.context.read_as(user, "kube-controller-manager").informers.of("configmaps")
    before = view.list("default")
    away = TakenAway(cluster, lambda asked: asked.user.username == user and asked.resource == "configmaps")
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "new"}})
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}})
    cluster.delete("configmaps", "b")
    assert view.list("default") == before == view.by_index("namespace", "default")
    assert view.count_by_index("namespace", "default") == len(before)
    assert view.get("default/new") is None
    old = view.get("default/a")
    assert old is not None
    assert old["data"] == {"k": "old"}
    away.given_back()
    cluster.advance(31)
    assert [each["metadata"]["name"] for each in view.list("default")] == ["a", "kube-root-ca.crt", "new"]


def test_the_controllers_accounts_are_there_and_come_back() -> None:
    cluster = Cluster(nodes=1)
    names = {account["metadata"]["name"] for account in cluster.list("serviceaccounts", "kube-system")}
    assert {"deployment-controller", "generic-garbage-collector", "node-controller", "default"} <= names
    before = cluster.get("serviceaccounts", "deployment-controller", "kube-system")
    cluster.delete("serviceaccounts", "deployment-controller", "kube-system")
    cluster.settle()
    after = cluster.get("serviceaccounts", "deployment-controller", "kube-system")
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] != after["metadata"]["uid"]
