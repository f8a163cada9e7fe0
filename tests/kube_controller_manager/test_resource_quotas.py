"""Quotas and ranges at work: what is charged, what is refused in which words, what is given back."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import Request, UserInfo

JSON = dict[str, Any]


@pytest.fixture(scope="module")
def booted() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def quota(spec: JSON, name: str = "budget") -> JSON:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec}


def pod(name: str, resources: JSON | None = None, **spec: Any) -> JSON:
    container = {"name": "c", "image": "busybox", "command": ["sleep", "1d"], "resources": resources or {}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **spec},
    }


def service(name: str, **spec: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"port": 80}], **spec},
    }


def config(name: str) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {}}


def used(cluster: Cluster, name: str = "budget") -> dict[str, str]:
    assert cluster.settle()
    found = cluster.get("resourcequotas", name)
    assert found is not None
    assert found["status"]["hard"] == found["spec"]["hard"]
    amounts: dict[str, str] = found["status"]["used"]
    return amounts


def refusal(cluster: Cluster, obj: JSON) -> str:
    with pytest.raises(ApiError) as refused:
        cluster.apply(obj)
    assert refused.value.code == 403
    return refused.value.message


SMALL = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
# id: (the quota's spec, objects that fit, what is used then, one more object, why it is refused)
CHARGED: dict[str, tuple[JSON, list[JSON], dict[str, str], JSON, str]] = {
    "number of Pods": (
        {"hard": {"pods": "1"}}, [pod("a")], {"pods": "1"}, pod("b"),
        'pods "b" is forbidden: exceeded quota: budget, requested: pods=1, used: pods=1, limited: pods=1',
    ),
    "requests and limits": (
        {"hard": {"requests.cpu": "150m", "limits.memory": "128Mi"}}, [pod("a", SMALL)],
        {"requests.cpu": "100m", "limits.memory": "64Mi"}, pod("b", SMALL),
        'pods "b" is forbidden: exceeded quota: budget, requested: requests.cpu=100m, used: requests.cpu=100m, '
        "limited: requests.cpu=150m",
    ),
    "two at once": (
        {"hard": {"cpu": "100m", "memory": "100Mi"}}, [pod("a", SMALL)], {"cpu": "100m", "memory": "64Mi"},
        pod("b", SMALL),
        'pods "b" is forbidden: exceeded quota: budget, requested: cpu=100m,memory=64Mi, used: cpu=100m,memory=64Mi, '
        "limited: cpu=100m,memory=100Mi",
    ),
    "what must be said": (
        {"hard": {"limits.cpu": "1", "requests.memory": "1Gi"}}, [], {"limits.cpu": "0", "requests.memory": "0"},
        pod("b"),
        'pods "b" is forbidden: failed quota: budget: must specify limits.cpu for: c; requests.memory for: c',
    ),
    "objects of a kind": (
        {"hard": {"count/configmaps": "3", "configmaps": "2"}}, [config("a")],
        {"count/configmaps": "2", "configmaps": "2"}, config("b"),
        'configmaps "b" is forbidden: exceeded quota: budget, requested: configmaps=1, used: configmaps=2, '
        "limited: configmaps=2",
    ),
    "objects of a group": (
        {"hard": {"count/deployments.apps": "0"}}, [], {"count/deployments.apps": "0"},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
         "spec": {"selector": {"matchLabels": {"a": "b"}},
                  "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod("x")["spec"]}}},
        'deployments.apps "d" is forbidden: exceeded quota: budget, requested: count/deployments.apps=1, '
        "used: count/deployments.apps=0, limited: count/deployments.apps=0",
    ),
    "node ports": (
        {"hard": {"services": "5", "services.nodeports": "1"}},
        [service("a"), service("b", type="NodePort")], {"services": "3", "services.nodeports": "1"},
        service("c", type="LoadBalancer"),
        'services "c" is forbidden: exceeded quota: budget, requested: services.nodeports=1, '
        "used: services.nodeports=1, limited: services.nodeports=1",
    ),
    "scope": (
        {"hard": {"pods": "0"}, "scopes": ["BestEffort"]}, [pod("a", SMALL)], {"pods": "0"}, pod("b"),
        'pods "b" is forbidden: exceeded quota: budget, requested: pods=1, used: pods=0, limited: pods=0',
    ),
    "scope of Pods that end": (
        {"hard": {"pods": "0"}, "scopes": ["Terminating"]}, [pod("a")], {"pods": "0"},
        pod("b", activeDeadlineSeconds=60),
        'pods "b" is forbidden: exceeded quota: budget, requested: pods=1, used: pods=0, limited: pods=0',
    ),
    "selector": (
        {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [
            {"scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"]}]}},
        [pod("a")], {"pods": "0"}, pod("b", priorityClassName="system-node-critical"),
        'pods "b" is forbidden: exceeded quota: budget, requested: pods=1, used: pods=0, limited: pods=0',
    ),
    "affinity across namespaces": (
        {"hard": {"pods": "0"}, "scopes": ["CrossNamespacePodAffinity"]}, [pod("a")], {"pods": "0"},
        pod("b", affinity={"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": {"topologyKey": "a", "namespaces": ["x"]}}]}}),
        'pods "b" is forbidden: exceeded quota: budget, requested: pods=1, used: pods=0, limited: pods=0',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "fitting", "amounts", "extra", "why"), CHARGED.values(), ids=CHARGED.keys())
def test_a_quota_counts(
    cluster: Cluster, spec: JSON, fitting: list[JSON], amounts: dict[str, str], extra: JSON, why: str
) -> None:
    cluster.apply(quota(spec))
    assert cluster.settle()
    for obj in fitting:
        cluster.apply(obj)
    assert used(cluster) == amounts
    assert refusal(cluster, extra) == why
    assert used(cluster) == amounts


def test_what_goes_is_given_back(cluster: Cluster) -> None:
    cluster.apply(
        quota({"hard": {"pods": "2", "count/pods": "9", "configmaps": "9", "services.nodeports": "9"}})
    )
    assert cluster.settle()
    ended = pod("ended", restartPolicy="Never")
    ended["spec"]["containers"][0]["command"] = ["true"]
    for obj in (pod("a"), ended, config("a"), service("np", type="NodePort")):
        cluster.apply(obj)
    assert used(cluster) == {"pods": "1", "count/pods": "2", "configmaps": "2", "services.nodeports": "1"}
    cluster.apply(service("np", type="ClusterIP"))
    for resource in ("pods", "configmaps"):
        cluster.delete(resource, "a")
    assert used(cluster) == {"pods": "0", "count/pods": "1", "configmaps": "1", "services.nodeports": "0"}


def test_a_replica_set_makes_what_fits(cluster: Cluster) -> None:
    cluster.apply(quota({"hard": {"pods": "2"}}))
    assert cluster.settle()
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod("x")["spec"]}
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    cluster.apply({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": spec})
    cluster.advance(5)
    assert len(cluster.list("pods", "default")) == 2
    told = [event["message"] for event in cluster.list("events") if event["reason"] == "FailedCreate"]
    assert told
    assert told[0].endswith(
        "is forbidden: exceeded quota: budget, requested: pods=1, used: pods=2, limited: pods=2"
    )
    cluster.apply(quota({"hard": {"pods": "3"}}))
    assert cluster.wait(lambda now: len(now.list("pods", "default")) == 3)


def test_no_quota_is_charged_before_it_is_counted(cluster: Cluster) -> None:
    cluster.apply(quota({"hard": {"pods": "2"}}))
    cluster.apply(pod("early"))  # the quota's status is empty still: it concerns nothing yet
    assert used(cluster) == {"pods": "1"}


def test_an_update_is_charged_for_what_it_adds(cluster: Cluster) -> None:
    cluster.apply([service("a"), quota({"hard": {"services.nodeports": "0"}})])
    assert cluster.settle()
    assert refusal(cluster, service("a", type="NodePort")).endswith(
        "requested: services.nodeports=1, used: services.nodeports=0, limited: services.nodeports=0"
    )


def ranged(item: JSON) -> JSON:
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "r"}, "spec": {"limits": [item]}}


# id: (a range, a Pod's resources, why it is refused)
RANGED = {
    "no request": (
        {"type": "Container", "min": {"ephemeral-storage": "1Gi"}, "defaultRequest": {"cpu": "1m"}},
        {"requests": {"ephemeral-storage": "1Mi"}},
        "minimum ephemeral-storage usage per Container is 1Gi, but request is 1Mi",
    ),
    "several": (
        {"type": "Container", "max": {"cpu": "1", "memory": "1Gi"}},
        {"limits": {"cpu": "2", "memory": "2Gi"}},
        "[maximum cpu usage per Container is 1, but limit is 2, "
        "maximum memory usage per Container is 1Gi, but limit is 2Gi]",
    ),
    "Pods without limits": (
        {"type": "Pod", "max": {"cpu": "1"}}, {}, "maximum cpu usage per Pod is 1.  No limit is specified",
    ),
    "Pods without requests": (
        {"type": "Pod", "min": {"cpu": "1"}}, {}, "minimum cpu usage per Pod is 1.  No request is specified",
    ),
    "ratio without a limit": (
        {"type": "Pod", "maxLimitRequestRatio": {"cpu": "2"}}, {"requests": {"cpu": "1"}},
        "cpu max limit to request ratio per Pod is 2, but no limit is specified or limit is 0",
    ),
    "ratio without a request": (
        {"type": "Pod", "maxLimitRequestRatio": {"cpu": "2"}}, {},
        "cpu max limit to request ratio per Pod is 2, but no request is specified or request is 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("item", "resources", "why"), RANGED.values(), ids=RANGED.keys())
def test_out_of_range(cluster: Cluster, item: JSON, resources: JSON, why: str) -> None:
    cluster.apply(ranged(item))
    assert refusal(cluster, pod("p", resources)) == f'pods "p" is forbidden: {why}'


def test_ranges_fill_in_init_containers_too(cluster: Cluster) -> None:
    cluster.apply(ranged({"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "500m"}}))
    cluster.apply(pod("p", initContainers=[{"name": "i", "image": "busybox", "command": ["true"]}]))
    made = cluster.get("pods", "p")
    assert made is not None
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c; "
        "cpu request for init container i; cpu limit for init container i"
    )
    assert made["spec"]["initContainers"][0]["resources"] == {
        "limits": {"cpu": "1"},
        "requests": {"cpu": "500m"},
    }


def test_a_count_that_somebody_wrote_is_mended_within_five_minutes(cluster: Cluster) -> None:
    cluster.apply(quota({"hard": {"pods": "5"}}))
    assert used(cluster) == {"pods": "0"}
    path = "/api/v1/namespaces/default/resourcequotas/budget/status"
    body = b'{"status": {"used": {"pods": "4"}}}'
    headers = {"content-type": "application/merge-patch+json"}
    admin = UserInfo("kubernetes-admin", groups=("system:masters", "system:authenticated"))
    assert cluster.request(Request("PATCH", path, [], headers, body, admin)).status == 200
    assert used(cluster) == {"pods": "4"}
    cluster.advance(301)
    assert used(cluster) == {"pods": "0"}
