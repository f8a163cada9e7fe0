"""Who may do what by the roles that people are given: each role, resource and verb against upstream's policy.

The table is written from plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go (ClusterRoles view, edit,
admin), and the questions go through the whole chain of authorizers.
"""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import Access, UserInfo

VERBS = {
    "g": "get", "l": "list", "w": "watch", "c": "create", "u": "update", "p": "patch", "d": "delete",
    "D": "deletecollection", "i": "impersonate",
}  # fmt: skip
READ, WRITE, NONE = "glw", "cupdD", ""
BOTH = READ + WRITE
ROLES = ("view", "edit", "admin")

# group/resource: what view, edit and admin allow
TABLE = {
    "configmaps": (READ, BOTH, BOTH),
    "endpoints": (READ, READ, READ),
    "persistentvolumeclaims": (READ, BOTH, BOTH),
    "persistentvolumeclaims/status": (READ, READ, READ),
    "pods": (READ, BOTH, BOTH),
    "pods/log": (READ, READ, READ),
    "pods/status": (READ, READ, READ),
    "pods/attach": (NONE, BOTH, BOTH),
    "pods/exec": (NONE, BOTH, BOTH),
    "pods/portforward": (NONE, BOTH, BOTH),
    "pods/proxy": (NONE, BOTH, BOTH),
    "pods/eviction": (NONE, "c", "c"),
    "replicationcontrollers": (READ, BOTH, BOTH),
    "replicationcontrollers/scale": (READ, BOTH, BOTH),
    "replicationcontrollers/status": (READ, READ, READ),
    "resourcequotas": (READ, READ, READ),
    "resourcequotas/status": (READ, READ, READ),
    "limitranges": (READ, READ, READ),
    "events": (READ, BOTH, BOTH),
    "bindings": (READ, READ, READ),
    "namespaces": (READ, READ, READ),
    "namespaces/status": (READ, READ, READ),
    "secrets": (NONE, BOTH, BOTH),
    "serviceaccounts": (READ, BOTH + "i", BOTH + "i"),
    "serviceaccounts/token": (NONE, "c", "c"),
    "services": (READ, BOTH, BOTH),
    "services/status": (READ, READ, READ),
    "services/proxy": (NONE, BOTH, BOTH),
    "nodes": (NONE, NONE, NONE),
    "persistentvolumes": (NONE, NONE, NONE),
    "apps/controllerrevisions": (READ, READ, READ),
    "apps/daemonsets": (READ, BOTH, BOTH),
    "apps/daemonsets/status": (READ, READ, READ),
    "apps/deployments": (READ, BOTH, BOTH),
    "apps/deployments/scale": (READ, BOTH, BOTH),
    "apps/deployments/rollback": (NONE, WRITE, WRITE),
    "apps/deployments/status": (READ, READ, READ),
    "apps/replicasets": (READ, BOTH, BOTH),
    "apps/replicasets/scale": (READ, BOTH, BOTH),
    "apps/replicasets/status": (READ, READ, READ),
    "apps/statefulsets": (READ, BOTH, BOTH),
    "apps/statefulsets/scale": (READ, BOTH, BOTH),
    "apps/statefulsets/status": (READ, READ, READ),
    "autoscaling/horizontalpodautoscalers": (READ, BOTH, BOTH),
    "autoscaling/horizontalpodautoscalers/status": (READ, READ, READ),
    "batch/cronjobs": (READ, BOTH, BOTH),
    "batch/cronjobs/status": (READ, READ, READ),
    "batch/jobs": (READ, BOTH, BOTH),
    "batch/jobs/status": (READ, READ, READ),
    "discovery.k8s.io/endpointslices": (READ, READ, READ),
    "networking.k8s.io/ingresses": (READ, BOTH, BOTH),
    "networking.k8s.io/ingresses/status": (READ, READ, READ),
    "networking.k8s.io/networkpolicies": (READ, BOTH, BOTH),
    "networking.k8s.io/ingressclasses": (NONE, NONE, NONE),
    "policy/poddisruptionbudgets": (READ, BOTH, BOTH),
    "policy/poddisruptionbudgets/status": (READ, READ, READ),
    "rbac.authorization.k8s.io/roles": (NONE, NONE, BOTH),
    "rbac.authorization.k8s.io/rolebindings": (NONE, NONE, BOTH),
    "rbac.authorization.k8s.io/clusterroles": (NONE, NONE, NONE),
    "rbac.authorization.k8s.io/clusterrolebindings": (NONE, NONE, NONE),
    "coordination.k8s.io/leases": (NONE, BOTH, BOTH),
    "authorization.k8s.io/localsubjectaccessreviews": (NONE, NONE, "c"),
    "authorization.k8s.io/subjectaccessreviews": (NONE, NONE, NONE),
    "storage.k8s.io/storageclasses": (NONE, NONE, NONE),
    "certificates.k8s.io/certificatesigningrequests": (NONE, NONE, NONE),
    "scheduling.k8s.io/priorityclasses": (NONE, NONE, NONE),
    "apiextensions.k8s.io/customresourcedefinitions": (NONE, NONE, NONE),
}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """A namespace in which each role is bound to a user of its name; outside of it they have nothing."""
    made = Cluster(nodes=1, seed=5)
    made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    for role in (*ROLES, "cluster-admin"):
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": role, "namespace": "team"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": role}],
        }
        made.apply(binding, namespace="team")
    made.settle()
    return made


def allowed(cluster: Cluster, role: str, path: str, namespace: str = "team") -> str:
    """The letters of what somebody of that role may do there."""
    parts = path.split("/")
    group = parts.pop(0) if "." in parts[0] or parts[0] in ("apps", "autoscaling", "batch", "policy") else ""
    resource, subresource = parts[0], parts[1] if len(parts) > 1 else ""
    user = UserInfo(role, groups=("system:authenticated",))
    found = ""
    for letter, verb in VERBS.items():
        asked = Access(user, verb, group, resource, subresource, namespace, "x")
        found += letter if cluster.server.authorizer.decide(asked).allowed else ""
    return found


ROWS = [(role, path, given[at]) for path, given in TABLE.items() for at, role in enumerate(ROLES)]


@pytest.mark.parametrize(("role", "path", "expected"), ROWS, ids=[f"{role} {path}" for role, path, _ in ROWS])
def test_in_the_namespace(cluster: Cluster, role: str, path: str, expected: str) -> None:
    assert sorted(allowed(cluster, role, path)) == sorted(expected)


def test_the_matrix_is_large_enough() -> None:
    """Its rows: each resource for each role in the namespace, elsewhere, for its administrator, and for nobody."""
    assert len(ROWS) + 3 * len(TABLE) >= 300


@pytest.mark.parametrize("path", TABLE)
def test_in_another_namespace_nobody_may_anything(cluster: Cluster, path: str) -> None:
    for role in (*ROLES, "cluster-admin"):
        assert allowed(cluster, role, path, "default") == ""


@pytest.mark.parametrize("path", TABLE)
def test_the_cluster_admin_of_a_namespace_may_everything_there(cluster: Cluster, path: str) -> None:
    assert sorted(allowed(cluster, "cluster-admin", path)) == sorted(VERBS)


@pytest.mark.parametrize("path", TABLE)
def test_who_has_no_role_may_nothing(cluster: Cluster, path: str) -> None:
    assert allowed(cluster, "nobody", path) == ""
