"""The roles that a cluster is born with: there at once, of no cost, and objects like any other."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kube_apiserver.authorization import Access
from cluster_engine.kube_apiserver.authorization.bootstrap_policy.controllers import CONTROLLERS
from cluster_engine.kube_apiserver.authorization.bootstrap_policy.roles import GATHERING
from cluster_engine.kube_apiserver.authorization.rbac import USERS_KEPT
from cluster_engine.kube_apiserver.standing import standing
from cluster_engine.kube_apiserver.types import UserInfo
from cluster_engine.kube_controller_manager.clusterrole_aggregation import gathered
from cluster_engine.sim import Journal
from cluster_engine.sim.keyframe import read

JSON = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
DEPLOYER = "system:controller:deployment-controller"
FORMS = {
    "fork": lambda cluster: cluster.fork(),
    "snapshot": lambda cluster: Cluster.restore(cluster.snapshot()),
    "keyframe": lambda cluster: Cluster.resume(cluster.keyframe()),
    "replay": lambda cluster: Cluster.replay(Journal.from_dict(cluster.journal.as_dict())),
}
# As `kubectl get clusterroles` of a kubeadm cluster lists them, beside the controllers' own.
NAMES = """
admin cluster-admin edit kubeadm:get-nodes system:aggregate-to-admin system:aggregate-to-edit system:aggregate-to-view
system:auth-delegator system:basic-user system:certificates.k8s.io:certificatesigningrequests:nodeclient
system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
system:certificates.k8s.io:kube-apiserver-client-approver
system:certificates.k8s.io:kube-apiserver-client-kubelet-approver system:certificates.k8s.io:kubelet-serving-approver
system:certificates.k8s.io:legacy-unknown-approver system:cluster-trust-bundle-discovery
system:coredns system:discovery system:heapster
system:kube-aggregator system:kube-controller-manager system:kube-dns system:kube-scheduler system:kubelet-api-admin
system:monitoring system:node system:node-bootstrapper system:node-problem-detector system:node-proxier
system:persistent-volume-provisioner system:public-info-viewer system:service-account-issuer-discovery
system:volume-scheduler view
"""


@pytest.fixture(scope="module")
def settled() -> Cluster:
    return Cluster(nodes=2, seed=3, freezing=True)


def web(name: str) -> JSON:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def ready(cluster: Cluster, name: str) -> int:
    found = cluster.get("deployments", name)
    assert found is not None
    count: int = (found.get("status") or {}).get("readyReplicas", 0)
    return count


def log(cluster: Cluster, component: str) -> str:
    path = f"/api/v1/namespaces/kube-system/pods/{component}-control-plane/log"
    return cluster.request(Request("GET", path, user=ADMIN)).body.decode()


def test_which_there_are(settled: Cluster) -> None:
    found = [role["metadata"]["name"] for role in settled.list("clusterroles")]
    assert found == sorted([*NAMES.split(), *(f"system:controller:{name}" for name in CONTROLLERS)])
    bindings = [binding["metadata"]["name"] for binding in settled.list("clusterrolebindings")]
    assert {f"system:controller:{name}" for name in CONTROLLERS} < set(bindings)
    roles = {role["metadata"]["name"] for role in settled.list("roles", "kube-system")}
    assert {"extension-apiserver-authentication-reader", "system::leader-locking-kube-scheduler"} < roles


@pytest.mark.parametrize("name", GATHERING)
def test_what_they_gather_is_what_their_controller_would_gather(settled: Cluster, name: str) -> None:
    role = settled.get("clusterroles", name)
    assert role is not None
    assert role["rules"] == gathered(role, settled.list("clusterroles"))
    managers = [entry["manager"] for entry in role["metadata"]["managedFields"]]
    assert managers == ["kube-apiserver", "kube-controller-manager"]


def test_whoever_does_not_change_them_does_not_save_them(settled: Cluster) -> None:
    assert not [name for name in read(settled.keyframe())["saved"]["store"]["objects"] if RBAC in name]
    cluster = settled.fork()
    cluster.delete("clusterroles", "view")
    meta = {"name": "edit", "labels": {"mine": "true"}}
    cluster.apply({"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta})
    saved = read(cluster.keyframe())["saved"]["store"]
    assert saved["gone"] == {f"clusterroles.{RBAC}": ["view"]}
    assert "edit" in saved["objects"][f"clusterroles.{RBAC}"]
    assert "system:node" not in saved["objects"][f"clusterroles.{RBAC}"]


def test_a_controller_without_its_role_does_nothing_until_it_is_given_back(settled: Cluster) -> None:
    cluster = settled.fork()
    cluster.apply(web("before"))
    cluster.settle()
    binding = cluster.get("clusterrolebindings", DEPLOYER)
    assert binding is not None
    cluster.delete("clusterrolebindings", DEPLOYER)
    cluster.apply(web("after"))
    cluster.advance(20)
    assert (ready(cluster, "before"), ready(cluster, "after")) == (2, 0)
    assert (
        'deployments.apps \\"after\\" is forbidden: User \\"system:serviceaccount:kube-system:deployment-controller\\" '
        'cannot update resource \\"deployments/status\\" in API group \\"apps\\" in the namespace \\"default\\"'
    ) in log(cluster, "kube-controller-manager")
    assert not cluster.failures
    meta = {"name": DEPLOYER}
    cluster.apply({**binding, "metadata": meta})
    cluster.advance(60)
    assert ready(cluster, "after") == 2
    made = cluster.get("clusterrolebindings", DEPLOYER)
    assert made is not None
    assert made["metadata"]["uid"] != binding["metadata"]["uid"]


@pytest.mark.parametrize("form", FORMS)
def test_what_was_taken_away_stays_away(settled: Cluster, form: str) -> None:
    cluster = Cluster(nodes=2, seed=3)
    cluster.delete("clusterrolebindings", DEPLOYER)
    cluster.apply({"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "system:coredns"}})
    cluster.apply(web("late"))
    cluster.advance(10)
    twin = FORMS[form](cluster)
    assert twin.state_hash() == cluster.state_hash()
    for one in (cluster, twin):
        assert one.get("clusterrolebindings", DEPLOYER) is None
        one.advance(30)
        assert ready(one, "late") == 0
    assert twin.state_hash() == cluster.state_hash()
    assert settled.get("clusterrolebindings", DEPLOYER), "it was taken from that cluster alone"
    assert Cluster(nodes=2, seed=3).get("clusterrolebindings", DEPLOYER)


def test_a_list_of_the_past_and_etcd_have_them(settled: Cluster) -> None:
    cluster = settled.fork()
    revision = cluster.store.revision
    cluster.delete("clusterroles", "view")
    resource = f"clusterroles.{RBAC}"
    assert cluster.store.get_at(resource, "view", revision)
    assert len(cluster.store.range_at(resource, revision)) == len(cluster.store.range(resource)) + 1
    assert cluster.store.count(resource) == len(cluster.list("clusterroles"))


NOBODY = UserInfo("system:anonymous", groups=("system:unauthenticated",))
SCHEDULER = UserInfo("system:kube-scheduler", groups=("system:authenticated",))
PROXY = UserInfo(
    "system:serviceaccount:kube-system:kube-proxy",
    groups=("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
)
# id: (who, verb, group, resource, namespace, name, the reason; "" is a refusal)
DECISIONS: dict[str, tuple[UserInfo, str, str, str, str, str, str]] = {
    "the scheduler binds": (
        SCHEDULER,
        "create",
        "",
        "bindings",
        "default",
        "",
        'ClusterRoleBinding "system:kube-scheduler" of ClusterRole "system:kube-scheduler" to User '
        '"system:kube-scheduler"',
    ),
    "the scheduler binds volumes": (
        SCHEDULER,
        "patch",
        "",
        "persistentvolumes",
        "",
        "v",
        'ClusterRoleBinding "system:volume-scheduler" of ClusterRole "system:volume-scheduler" to User '
        '"system:kube-scheduler"',
    ),
    "the scheduler's own lease": (
        SCHEDULER,
        "update",
        "coordination.k8s.io",
        "leases",
        "kube-system",
        "kube-scheduler",
        'ClusterRoleBinding "system:kube-scheduler" of ClusterRole "system:kube-scheduler" to User '
        '"system:kube-scheduler"',
    ),
    "another's lease": (SCHEDULER, "update", "coordination.k8s.io", "leases", "kube-system", "other", ""),
    "the proxy reads slices": (
        PROXY,
        "watch",
        "discovery.k8s.io",
        "endpointslices",
        "",
        "",
        'ClusterRoleBinding "kubeadm:node-proxier" of ClusterRole "system:node-proxier" to ServiceAccount '
        '"kube-proxy/kube-system"',
    ),
    "a joining node reads cluster-info": (
        NOBODY,
        "get",
        "",
        "configmaps",
        "kube-public",
        "cluster-info",
        'RoleBinding "kubeadm:bootstrap-signer-clusterinfo/kube-public" of Role '
        '"kubeadm:bootstrap-signer-clusterinfo" to User "system:anonymous"',
    ),
    "and nothing else there": (NOBODY, "get", "", "configmaps", "kube-public", "other", ""),
}


@pytest.mark.parametrize("case", DECISIONS)
def test_what_they_allow(settled: Cluster, case: str) -> None:
    user, verb, group, resource, namespace, name, reason = DECISIONS[case]
    asked = Access(user, verb, group, resource, namespace=namespace, name=name)
    decision = settled.server.authorizer.decide(asked)
    assert decision.allowed == bool(reason)
    assert decision.reason == (f"RBAC: allowed by {reason}" if reason else "")


def test_what_is_remembered_of_users_is_bounded(settled: Cluster) -> None:
    cluster = settled.fork()
    authorizer = cluster.server._rbac
    asked = Access(SCHEDULER, "create", resource="bindings", namespace="default")
    for number in range(USERS_KEPT + 10):
        somebody = UserInfo(f"user-{number}", groups=("system:authenticated",))
        assert not authorizer.decide(Access(somebody, "get", resource="pods", namespace="default")).allowed
        assert authorizer.decide(asked).allowed
    assert len(authorizer._known.grants) <= USERS_KEPT


def test_clusters_of_one_start_share_them() -> None:
    first, second = Cluster(nodes=1, seed=1), Cluster(nodes=3, seed=2)
    assert first.get("clusterroles", "system:node") is second.get("clusterroles", "system:node")
    born = standing(first.options.start, False, first.options.freezing)[f"clusterroles.{RBAC}"][0][
        "system:node"
    ]
    assert first.get("clusterroles", "system:node") is born
