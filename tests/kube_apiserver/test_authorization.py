"""The chain of authorizers: masters, nodes, default roles; and what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest
from apiserver_bench import PODS, Bench, pod

from cluster_engine.kube_apiserver import Access, UserInfo
from cluster_engine.kube_apiserver.authorization import AuthorizerChain, Decision, Rules

NODE = UserInfo("system:node:n1", groups=("system:nodes", "system:authenticated"))
CORE = "/api/v1"
SECRETS = f"{CORE}/namespaces/default/secrets"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
NO_RELATION = "no relationship found between node 'n1' and this object"

# id: (method, path, query, allowed, the reason of a refusal)
NODE_REQUESTS: dict[str, tuple[str, str, dict[str, str], bool, str]] = {
    "secret of its Pod": ("GET", f"{SECRETS}/mounted", {}, True, ""),
    "secret in the environment": ("GET", f"{SECRETS}/variable", {}, True, ""),
    "secret to pull with": ("GET", f"{SECRETS}/pull", {}, True, ""),
    "watch of one secret": ("GET", SECRETS, {"fieldSelector": "metadata.name=mounted", "watch": "1"}, True, ""),
    "secret of another node's Pod": ("GET", f"{SECRETS}/other", {}, False, NO_RELATION),
    "all secrets": ("GET", SECRETS, {}, False, "No Object name found"),
    "secrets of all namespaces": (
        "GET", f"{CORE}/secrets", {}, False, "can only read namespaced object of this type",
    ),
    "writing a secret": ("DELETE", f"{SECRETS}/mounted", {}, False, "can only read resources of this type"),
    "its Pod": ("GET", f"{PODS}/mine", {}, True, ""),
    "another node's Pod": ("GET", f"{PODS}/theirs", {}, False, NO_RELATION),
    "its Pods": ("GET", f"{CORE}/pods", {"fieldSelector": "spec.nodeName=n1"}, True, ""),
    "another node's Pods": (
        "GET", f"{CORE}/pods", {"fieldSelector": "spec.nodeName=n2"}, False,
        "can only list/watch pods with spec.nodeName field selector",
    ),
    "itself": ("GET", f"{CORE}/nodes/n1", {}, True, ""),
    "another node": (
        "GET", f"{CORE}/nodes/n2", {}, False, "node 'n1' cannot read 'n2', only its own Node object",
    ),
    "all nodes": ("GET", f"{CORE}/nodes", {}, False, "node 'n1' cannot read all nodes, only its own Node object"),
    "a lease elsewhere": (
        "GET", LEASES.format("default") + "/n1", {}, False,
        'can only access leases in the "kube-node-lease" system namespace',
    ),
    "another node's lease": (
        "GET", LEASES.format("kube-node-lease") + "/n2", {}, False,
        "can only access node lease with the same name as the requesting node",
    ),
    "a token for its Pod's account": (
        "POST", f"{CORE}/namespaces/default/serviceaccounts/default/token", {}, True, "",
    ),
    "a token for another account": (
        "POST", f"{CORE}/namespaces/kube-system/serviceaccounts/default/token", {}, False, NO_RELATION,
    ),
    "Services": ("GET", f"{CORE}/services", {}, True, ""),
    "Deployments": ("GET", "/apis/apps/v1/deployments", {}, False, ""),
}  # fmt: skip


@pytest.fixture
def nodes(bench: Bench) -> Bench:
    """Two nodes with a Pod each."""
    for name in ("mounted", "variable", "pull", "other"):
        bench.ok("POST", SECRETS, {"metadata": {"name": name}})
    for name in ("n1", "n2"):
        bench.ok("POST", f"{CORE}/nodes", {"metadata": {"name": name}})
    mine = pod("mine", nodeName="n1", imagePullSecrets=[{"name": "pull"}])
    mine["spec"]["volumes"] = [{"name": "v", "secret": {"secretName": "mounted"}}]
    source = {"secretKeyRef": {"name": "variable", "key": "k"}}
    mine["spec"]["containers"][0]["env"] = [{"name": "A", "valueFrom": source}]
    theirs = pod("theirs", nodeName="n2")
    theirs["spec"]["volumes"] = [{"name": "v", "secret": {"secretName": "other"}}]
    bench.ok("POST", PODS, mine)
    bench.ok("POST", PODS, theirs)
    return bench


@pytest.mark.parametrize(
    ("method", "path", "query", "allowed", "reason"), NODE_REQUESTS.values(), ids=NODE_REQUESTS.keys()
)
def test_what_a_node_may(
    nodes: Bench, method: str, path: str, query: dict[str, str], allowed: bool, reason: str
) -> None:
    body = {} if method == "POST" else None
    if allowed:  # by the authorizers: what NodeRestriction says is another matter
        assert b" cannot " not in nodes.call(method, path, body, user=NODE, **query).body
        return
    code, _reason, message = nodes.error(method, path, body, user=NODE, **query)
    assert code == 403
    assert message.rpartition(f": {reason}")[2] == "" if reason else message.endswith("at the cluster scope")


def test_a_refusal_says_who_what_where_and_why(nodes: Bench) -> None:
    assert nodes.error("GET", f"{SECRETS}/other", user=NODE)[2] == (
        'secrets "other" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the '
        f'namespace "default": {NO_RELATION}'
    )
    nameless = UserInfo("system:node:", groups=("system:nodes",))
    assert nodes.error("GET", f"{CORE}/nodes", user=nameless)[2] == (
        'nodes is forbidden: User "system:node:" cannot list resource "nodes" in API group "" at the cluster scope: '
        'unknown node for user "system:node:"'
    )


def test_a_selector_of_one_name_names_the_object(bench: Bench) -> None:
    jane = UserInfo("jane", groups=("system:authenticated",))
    assert bench.error("GET", PODS, user=jane, fieldSelector="metadata.name=web", watch="true")[2] == (
        'pods "web" is forbidden: User "jane" cannot watch resource "pods" in API group "" in the namespace "default"'
    )


class Link:
    """An authorizer with one answer."""

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    def decide(self, asked: Access) -> Decision:
        return self._decision

    def rules(self, user: UserInfo, namespace: str) -> Rules:
        return Rules(problem=self._decision.reason)


ALLOW, DENY = Decision("allow"), Decision("deny", "because")
NOTHING, WONDERS = Decision("no opinion"), Decision("no opinion", "hm")
CHAINS: dict[str, tuple[list[Decision], Decision]] = {
    "the first opinion counts": ([NOTHING, ALLOW, DENY], ALLOW),
    "a denial ends it": ([WONDERS, DENY, ALLOW], DENY),
    "nobody's opinion": ([NOTHING, NOTHING], NOTHING),
    "nobody's opinion, with reasons": ([WONDERS, NOTHING, WONDERS], Decision("no opinion", "hm\nhm")),
}


@pytest.mark.parametrize(("links", "expected"), CHAINS.values(), ids=CHAINS.keys())
def test_a_chain(links: list[Decision], expected: Decision) -> None:
    asked = Access(NODE, "get", resource="pods")
    assert AuthorizerChain([Link(decision) for decision in links]).decide(asked) == expected


def review(bench: Bench, kind: str, asker: UserInfo, spec: dict[str, Any]) -> dict[str, Any]:
    path = f"/apis/authorization.k8s.io/v1/{kind.lower()}s"
    status: dict[str, Any] = bench.ok("POST", path, {"spec": spec}, user=asker)["status"]
    return status


def test_reviews_give_the_reason(nodes: Bench) -> None:
    wanted = {"verb": "get", "resource": "secrets", "namespace": "default", "name": "other"}
    admin = UserInfo("root", groups=("system:masters",))
    spec = {"user": NODE.username, "groups": list(NODE.groups), "resourceAttributes": wanted}
    assert review(nodes, "SubjectAccessReview", admin, spec) == {"allowed": False, "reason": NO_RELATION}
    wanted["name"] = "mounted"
    assert review(nodes, "SubjectAccessReview", admin, spec) == {"allowed": True}
    rules = review(nodes, "SelfSubjectRulesReview", admin, {"namespace": "default"})
    assert rules["resourceRules"][0] == {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    assert rules["incomplete"] is False
    # Who is no administrator may ask for itself alone.
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    status = nodes.ok("POST", path, {"spec": {"namespace": "default"}}, user=NODE)["status"]
    assert (status["incomplete"], status["evaluationError"]) == (
        True,
        "node authorizer does not support user rule resolution",
    )


ROOT = UserInfo("root", groups=("system:masters",))
JANE = UserInfo("jane", groups=("system:authenticated",))
# id: (headers, what jane may not)
IMPERSONATIONS = {
    "user": (
        {"impersonate-user": "root"},
        'users.authentication.k8s.io "root" is forbidden: User "jane" cannot impersonate:user-info resource "users" '
        'in API group "authentication.k8s.io" at the cluster scope',
    ),
    "service account": (
        {"impersonate-user": "system:serviceaccount:shop:till"},
        'serviceaccounts.authentication.k8s.io "till" is forbidden: User "jane" cannot impersonate:serviceaccount '
        'resource "serviceaccounts" in API group "authentication.k8s.io" in the namespace "shop"',
    ),
    "node": (
        {"impersonate-user": "system:node:worker"},
        'nodes.authentication.k8s.io "worker" is forbidden: User "jane" cannot impersonate:arbitrary-node resource '
        '"nodes" in API group "authentication.k8s.io" at the cluster scope',
    ),
}


@pytest.mark.parametrize(("headers", "expected"), IMPERSONATIONS.values(), ids=IMPERSONATIONS.keys())
def test_impersonation_is_authorized(bench: Bench, headers: dict[str, str], expected: str) -> None:
    assert bench.error("GET", PODS, user=JANE, headers=headers) == (403, "Forbidden", expected)


def test_whom_somebody_acts_as(bench: Bench) -> None:
    headers = {
        "impersonate-user": "system:serviceaccount:shop:till",
        "impersonate-uid": "7",
        "impersonate-extra-example.com%2Fscope": "a, b",
    }
    body = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    assert bench.ok("POST", path, body, user=ROOT, headers=headers)["status"]["userInfo"] == {
        "username": "system:serviceaccount:shop:till",
        "uid": "7",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
        "extra": {"example.com/scope": ["a", "b"]},
    }
