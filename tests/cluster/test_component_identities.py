"""Components act as upstream's identities and may do what upstream lets these do, no more."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.component import Context
from cluster_engine.kube_apiserver.authorization import Access, AuthorizerChain, Decision

STORY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "nginx:1.27"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: c, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: stray, labels: {app: lone}}
spec: {containers: [{name: c, image: "nginx:1.27"}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: lone}
spec:
  replicas: 1
  selector: {matchLabels: {app: lone}}
  template:
    metadata: {labels: {app: lone}}
    spec: {containers: [{name: c, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: away}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000
"""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What was asked of the authorizers since, allowed and refused."""
    asked: dict[str, list[str]] = {"allowed": [], "refused": []}
    check = AuthorizerChain.check

    def noting(self: AuthorizerChain, attributes: Access) -> Decision:
        text = f"{attributes.user.username} {attributes.verb} {attributes.whole_resource}.{attributes.group}"
        try:
            decision = check(self, attributes)
        except ApiError:
            asked["refused"].append(text)
            raise
        asked["allowed"].append(text)
        return decision

    monkeypatch.setattr(AuthorizerChain, "check", noting)
    return asked


def test_no_component_is_refused_anything(seen: dict[str, list[str]]) -> None:
    cluster = Cluster(nodes=3, seed=5, freezing=True)
    cluster.apply(STORY)
    cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {}}, namespace="away"
    )
    cluster.settle()
    lone = [p for p in cluster.list("pods", "default") if p["metadata"]["labels"]["app"] == "lone"]
    assert [p["metadata"]["name"] for p in lone] == ["stray"], "it was adopted"
    deployment = cluster.get("deployments", "web")
    assert deployment is not None
    template = {**deployment["spec"]["template"]}
    template["spec"] = {"containers": [{"name": "c", "image": "nginx:1.28"}]}
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"selector": deployment["spec"]["selector"], "template": template, "replicas": 2},
        }
    )
    cluster.settle()
    free = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stray", "labels": {"app": "free"}}}
    cluster.apply({**free, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}})
    vip: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "vip"}}
    vip["spec"] = {
        "priorityClassName": "high",
        "containers": [{"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": "3800m"}}}],
    }
    cluster.apply(vip)
    cluster.settle()
    cluster.delete("namespaces", "away")
    cluster.delete("deployments", "web")
    node = next(n["metadata"]["name"] for n in cluster.list("nodes") if "worker" in n["metadata"]["name"])
    taint = {"key": "out", "effect": "NoExecute"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}, "spec": {"taints": [taint]}}
    )
    cluster.settle()
    cluster.delete("nodes", node)
    cluster.advance(120)
    assert seen["refused"] == []
    did = set(seen["allowed"])
    assert {
        "system:kube-scheduler create pods/binding.",
        "system:node:worker-1 update pods/status.",
        "system:serviceaccount:kube-system:deployment-controller create replicasets.apps",
        "system:serviceaccount:kube-system:replicaset-controller patch pods.",
        "system:serviceaccount:kube-system:generic-garbage-collector delete replicasets.apps",
        "system:serviceaccount:kube-system:namespace-controller update namespaces/finalize.",
        "system:serviceaccount:kube-system:node-controller update nodes.",
        "system:serviceaccount:kube-system:node-controller patch pods/status.",
        "kubernetes-admin create deployments.apps",
    } <= did


def test_what_is_allowed_everywhere_is_asked_once(seen: dict[str, list[str]]) -> None:
    cluster = Cluster(nodes=1, control_plane=False, addons=False)
    cluster.apply(STORY)
    cluster.settle()
    counted = [text for text in seen["allowed"] if text.endswith("replicaset-controller create pods.")]
    assert len(counted) == 1
    cluster.server.authorizer.changed()
    cluster.delete("pods", cluster.list("pods", "default")[0]["metadata"]["name"])
    cluster.settle()
    counted = [text for text in seen["allowed"] if text.endswith("replicaset-controller create pods.")]
    assert len(counted) <= 2


def test_a_component_cannot_do_what_its_role_does_not_give() -> None:
    cluster = Cluster(nodes=1, control_plane=False, addons=False)
    context: Context = cluster.context
    client = context.client(
        "system:serviceaccount:kube-system:deployment-controller", "kube-controller-manager"
    )
    with pytest.raises(ApiError) as caught:
        client.create("configmaps", {"metadata": {"name": "x", "namespace": "default"}})
    assert (caught.value.code, caught.value.message) == (
        403,
        'configmaps "x" is forbidden: User "system:serviceaccount:kube-system:deployment-controller" cannot create '
        'resource "configmaps" in API group "" in the namespace "default"',
    )
