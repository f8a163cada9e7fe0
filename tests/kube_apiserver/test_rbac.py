"""Roles and bindings: what they allow, what is wrong with them, and that nobody hands on what he lacks."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.api import KINDS
from cluster_engine.kube_apiserver import ADMIN, Request, Response
from cluster_engine.kube_apiserver.authorization import Access, RBACAuthorizer
from cluster_engine.kube_apiserver.types import UserInfo

JSON = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
V1 = f"{GROUP}/v1"
BY_KIND = {kind.kind: kind for kind in KINDS}
DEV = UserInfo("dev", groups=("builders", "system:authenticated"))
ROBOT = UserInfo("system:serviceaccount:lab:robot", groups=("system:serviceaccounts", "system:authenticated"))


def role(name: str, *rules: JSON, namespace: str = "lab", **meta: Any) -> JSON:
    kind = "Role" if namespace else "ClusterRole"
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": V1, "kind": kind, "metadata": {"name": name, **place, **meta}, "rules": list(rules)}


def rule(verbs: str, resources: str = "", groups: str = "", **more: Any) -> JSON:
    listed = {"apiGroups": groups.split(","), "resources": resources.split(",")} if resources else {}
    return {"verbs": verbs.split(","), **listed, **more}


def binding(name: str, kind: str, of: str, *subjects: JSON, namespace: str = "lab") -> JSON:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    ref = {"kind": kind, "name": of}
    made = "RoleBinding" if namespace else "ClusterRoleBinding"
    return {"apiVersion": V1, "kind": made, "metadata": meta, "roleRef": ref, "subjects": list(subjects)}


def who(kind: str, name: str, namespace: str = "") -> JSON:
    return {"kind": kind, "name": name, **({"namespace": namespace} if namespace else {})}


@pytest.fixture(scope="module")
def settled() -> Cluster:
    cluster = Cluster(nodes=0, addons=False, control_plane=False, freezing=True)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}})
    cluster.settle()
    cluster.apply(
        [
            role("pods", rule("get,list", "pods"), rule("get", "pods/log"), rule("*", "*", "apps")),
            role("one", rule("get,delete", "secrets", resourceNames=["mine"])),
            role("scaler", rule("update", "*/scale", "*")),
            role("paths", rule("get", nonResourceURLs=["/metrics", "/logs/*"]), namespace=""),
            role("nodes", rule("list", "nodes"), namespace=""),
            binding("pods", "Role", "pods", who("User", "dev")),
            binding("one", "Role", "one", who("Group", "builders")),
            binding("scaler", "Role", "scaler", who("ServiceAccount", "robot")),
            binding("local", "ClusterRole", "nodes", who("User", "dev")),
            binding("view", "ClusterRole", "view", who("ServiceAccount", "robot", "lab")),
            binding("gone", "Role", "missing", who("User", "lost")),
            binding("paths", "ClusterRole", "paths", who("User", "dev"), namespace=""),
            binding("nodes", "ClusterRole", "nodes", who("ServiceAccount", "robot", "lab"), namespace=""),
        ],
        "lab",
    )
    cluster.settle()
    return cluster


DECISIONS = [
    pytest.param(DEV, "get", "pods", "", "lab", "x", True, id="a verb of the role"),
    pytest.param(DEV, "delete", "pods", "", "lab", "x", False, id="another verb"),
    pytest.param(DEV, "get", "pods", "", "default", "x", False, id="another namespace"),
    pytest.param(DEV, "list", "pods", "", "", "", False, id="all namespaces"),
    pytest.param(DEV, "get", "pods/log", "", "lab", "x", True, id="a subresource"),
    pytest.param(DEV, "get", "pods/exec", "", "lab", "x", False, id="another subresource"),
    pytest.param(DEV, "create", "deployments", "apps", "lab", "", True, id="all of a group"),
    pytest.param(DEV, "create", "deployments/scale", "apps", "lab", "x", True, id="its subresources too"),
    pytest.param(DEV, "create", "jobs", "batch", "lab", "", False, id="another group"),
    pytest.param(DEV, "get", "secrets", "", "lab", "mine", True, id="a name, by a group"),
    pytest.param(DEV, "get", "secrets", "", "lab", "other", False, id="another name"),
    pytest.param(DEV, "list", "secrets", "", "lab", "", False, id="no name"),
    pytest.param(DEV, "list", "nodes", "", "", "", False, id="a cluster role bound in a namespace"),
    pytest.param(ROBOT, "list", "nodes", "", "", "", True, id="bound everywhere"),
    pytest.param(ROBOT, "update", "deployments/scale", "apps", "lab", "x", True, id="a subresource of all"),
    pytest.param(ROBOT, "update", "deployments", "apps", "lab", "x", False, id="not the resource"),
    pytest.param(ROBOT, "list", "configmaps", "", "lab", "", True, id="what view has gathered"),
    pytest.param(ROBOT, "list", "secrets", "", "lab", "", False, id="what view does not show"),
]


@pytest.mark.parametrize(("user", "verb", "resource", "group", "namespace", "name", "allowed"), DECISIONS)
def test_what_is_allowed(
    settled: Cluster,
    user: UserInfo,
    verb: str,
    resource: str,
    group: str,
    namespace: str,
    name: str,
    allowed: bool,
) -> None:
    plural, _, subresource = resource.partition("/")
    asked = Access(user, verb, group, plural, subresource, namespace, name)
    assert settled.server.authorizer.decide(asked).allowed is allowed


PATHS = [("/metrics", True), ("/logs/a/b", True), ("/logs", False), ("/debug", False)]


@pytest.mark.parametrize(("path", "allowed"), PATHS)
def test_paths(settled: Cluster, path: str, allowed: bool) -> None:
    assert settled.server.authorizer.decide(Access(DEV, "get", path=path)).allowed is allowed


REASONS = [
    pytest.param(
        Access(DEV, "get", "", "pods", "", "lab", "x"),
        'RBAC: allowed by RoleBinding "pods/lab" of Role "pods" to User "dev"',
        id="a role",
    ),
    pytest.param(
        Access(ROBOT, "update", "apps", "deployments", "scale", "lab", "x"),
        'RBAC: allowed by RoleBinding "scaler/lab" of Role "scaler" to ServiceAccount "robot/lab"',
        id="an account of the namespace",
    ),
    pytest.param(
        Access(ROBOT, "list", "", "nodes"),
        'RBAC: allowed by ClusterRoleBinding "nodes" of ClusterRole "nodes" to ServiceAccount "robot/lab"',
        id="a cluster role",
    ),
    pytest.param(
        Access(UserInfo("lost"), "get", "", "pods", "", "lab", "x"),
        'RBAC: role.rbac.authorization.k8s.io "missing" not found',
        id="a role that is not there",
    ),
]


@pytest.mark.parametrize(("asked", "reason"), REASONS)
def test_reasons(settled: Cluster, asked: Access, reason: str) -> None:
    assert RBACAuthorizer(settled.store).decide(asked).reason == reason


def send(cluster: Cluster, method: str, path: str, body: JSON | None, user: UserInfo) -> Response:
    headers = {"content-type": "application/json", "accept": "application/json"}
    if method == "PATCH":
        headers["content-type"] = "application/merge-patch+json"
    return cluster.request(Request(method, path, [], headers, orjson.dumps(body or {}), user))


def test_an_answer_changes_with_the_roles(settled: Cluster) -> None:
    cluster = settled.fork()
    path = "/api/v1/namespaces/lab/pods"
    assert send(cluster, "GET", path, None, DEV).status == 200
    cluster.delete("rolebindings", "pods", "lab")
    refused = send(cluster, "GET", path, None, DEV)
    assert (refused.status, orjson.loads(refused.body)["message"]) == (
        403,
        'pods is forbidden: User "dev" cannot list resource "pods" in API group "" in the namespace "lab"',
    )


def test_the_rules_of_a_user_are_listed(settled: Cluster) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": "lab"},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    status = orjson.loads(send(settled.fork(), "POST", path, review, DEV).body)["status"]
    named = {
        "verbs": ["get", "delete"],
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": ["mine"],
    }
    assert named in status["resourceRules"]
    assert {"verbs": ["get"], "nonResourceURLs": ["/metrics", "/logs/*"]} in status["nonResourceRules"]


def test_cluster_roles_gather(settled: Cluster) -> None:
    cluster = settled.fork()
    mine = rule("get", "widgets", "example.com")
    label = {f"{GROUP}/aggregate-to-view": "true"}
    cluster.apply(role("widgets", mine, namespace="", labels=label))
    cluster.settle()
    for name in ("view", "edit", "admin"):
        found = cluster.get("clusterroles", name)
        assert found is not None
        assert found["rules"].count(mine) == 1
    cluster.delete("clusterroles", "widgets")
    cluster.settle()
    found = cluster.get("clusterroles", "admin")
    assert found is not None
    assert mine not in found["rules"]


HANDED_ON = "is attempting to grant RBAC permissions not currently held:\n"
GRANTS = [
    pytest.param("roles", role("ok", rule("get", "pods")), "", id="what dev holds"),
    pytest.param(
        "roles",
        role("grab", rule("get,list,delete", "secrets,pods", "")),
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "delete"]}',
        id="what dev lacks, resource by resource",
    ),
    pytest.param(
        "roles",
        role("named", rule("get", "secrets", resourceNames=["mine", "other"])),
        '{APIGroups:[""], Resources:["secrets"], ResourceNames:["other"], Verbs:["get"]}',
        id="a name that dev lacks",
    ),
    pytest.param("rolebindings", binding("fine", "Role", "pods", who("User", "mary")), "", id="a role held"),
    pytest.param(
        "rolebindings",
        binding("boss", "ClusterRole", "cluster-admin", who("User", "dev")),
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
        id="a role above dev",
    ),
    pytest.param("rolebindings", binding("lookers", "ClusterRole", "nodes", who("User", "m")), "", id="bind"),
]


@pytest.mark.parametrize(("resource", "obj", "missing"), GRANTS)
def test_nobody_hands_on_what_he_lacks(settled: Cluster, resource: str, obj: JSON, missing: str) -> None:
    cluster = settled.fork()
    cluster.apply(
        [
            role(
                "maker",
                rule("create", "roles,rolebindings", GROUP),
                rule("bind", "clusterroles", GROUP, resourceNames=["nodes"]),
            ),
            binding("maker", "Role", "maker", who("User", "dev")),
        ],
        "lab",
    )
    answer = send(cluster, "POST", f"/apis/{V1}/namespaces/lab/{resource}", obj, DEV)
    if not missing:
        assert answer.status == 201, answer.body
        return
    assert (answer.status, orjson.loads(answer.body)["message"]) == (
        403,
        f'{resource}.{GROUP} "{obj["metadata"]["name"]}" is forbidden: user "dev" (groups=["builders" '
        f'"system:authenticated"]) {HANDED_ON}{missing}',
    )


SUBJECT = {"kind": "User", "name": "a", "apiGroup": GROUP}
REF = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "r"}
INVALID = [
    ("Role", {"rules": [{}]}, [
        "rules[0].verbs: Required value: verbs must contain at least one value",
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource",
    ]),
    ("Role", {"rules": [rule("get", nonResourceURLs=["/a"])]}, [
        'rules[0].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs',
    ]),
    ("ClusterRole", {"rules": [rule("get", "pods", nonResourceURLs=["/a"])]}, [
        'rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and '
        "non-resource URLs",
    ]),
    ("ClusterRole", {"rules": [rule("get", "pods,nodes", resourceNames=["a"])]}, [
        "rules[0].resourceNames: Required value: resource names cannot apply to multiple resources",
    ]),
    ("ClusterRole", {"aggregationRule": {}}, [
        "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
        "aggregationRule is non-nil",
    ]),
    ("RoleBinding", {"roleRef": {"apiGroup": "x", "kind": "User", "name": ""}}, [
        f'roleRef.apiGroup: Unsupported value: "x": supported values: "{GROUP}"',
        'roleRef.kind: Unsupported value: "User": supported values: "Role", "ClusterRole"',
        "roleRef.name: Required value",
    ]),
    ("RoleBinding", {"roleRef": {**REF, "name": "a/b"}}, ["roleRef.name: Invalid value: \"a/b\": may not contain '/'"]),
    ("ClusterRoleBinding", {"roleRef": {**REF, "kind": "Role"}}, [
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    ]),
    ("RoleBinding", {"roleRef": REF, "subjects": [{"kind": "Robot", "name": "a"}]}, [
        'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
    ]),
    ("RoleBinding", {"roleRef": REF, "subjects": [{**SUBJECT, "name": "", "apiGroup": "x"}]}, [
        "subjects[0].name: Required value",
        'subjects[0].name: Invalid value: "": user name cannot be empty',
        f'subjects[0].apiGroup: Unsupported value: "x": supported values: "{GROUP}"',
    ]),
    ("ClusterRoleBinding", {"roleRef": REF, "subjects": [{"kind": "ServiceAccount", "name": "a", "apiGroup": "x"}]}, [
        'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
        "subjects[0].namespace: Required value",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "fields", "problems"), INVALID)
def test_what_is_wrong(kind: str, fields: JSON, problems: list[str]) -> None:
    found = BY_KIND[kind]
    meta = {"name": "n", **({"namespace": "lab"} if found.namespaced else {})}
    obj = {"apiVersion": V1, "kind": kind, "metadata": meta, **fields}
    assert [str(problem) for problem in found.validate(found.default(obj))] == problems


def test_a_binding_keeps_its_role(settled: Cluster) -> None:
    path = f"/apis/{V1}/namespaces/lab/rolebindings/pods"
    answer = send(settled.fork(), "PATCH", path, {"roleRef": {"name": "one"}}, ADMIN)
    assert answer.status == 422
    assert orjson.loads(answer.body)["message"] == (
        f'RoleBinding.{GROUP} "pods" is invalid: roleRef: Invalid value: '
        f'{{"APIGroup":"{GROUP}","Kind":"Role","Name":"one"}}: cannot change roleRef'
    )


def test_bindings_are_printed_as_upstream_prints_them() -> None:
    kind = BY_KIND["RoleBinding"]
    subjects = [who("User", "a"), who("User", "b"), who("Group", "g"), who("ServiceAccount", "s", "lab")]
    obj = kind.default(binding("n", "Role", "r", *subjects))
    assert all(subject["apiGroup"] == GROUP for subject in obj["subjects"][:3])
    now = 1_767_225_600_000_000
    made = {**obj, "metadata": {**obj["metadata"], "creationTimestamp": "2025-12-31T23:59:00Z"}}
    assert kind.row(made, now) == ["n", "Role/r", "60s", "a, b", "g", "lab/s"]
    assert [column.name for column in kind.columns] == [
        "Name",
        "Role",
        "Age",
        "Users",
        "Groups",
        "ServiceAccounts",
    ]
