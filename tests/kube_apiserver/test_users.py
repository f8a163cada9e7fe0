"""Who asks, and may they."""

from __future__ import annotations

import orjson
from apiserver_bench import MAPS, PODS, Bench, pod

from cluster_engine.kube_apiserver import UserInfo

JANE = UserInfo("jane", groups=("system:authenticated",))
TOKENS = "/api/v1/namespaces/default/serviceaccounts/default/token"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_nobody_and_somebody(bench: Bench) -> None:
    assert bench.error("GET", PODS, user=None) == (
        403,
        "Forbidden",
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" '
        'in the namespace "default"',
    )
    assert bench.error("GET", "/api/v1/nodes/n1", user=JANE) == (
        403,
        "Forbidden",
        'nodes "n1" is forbidden: User "jane" cannot get resource "nodes" in API group "" at '
        "the cluster scope",
    )
    assert bench.error("GET", "/metrics", user=JANE) == (
        403,
        "Forbidden",
        'forbidden: User "jane" cannot get path "/metrics"',
    )
    assert bench.error("GET", PODS, user=None, headers=bearer("wrong")) == (
        401,
        "Unauthorized",
        "Unauthorized",
    )
    assert bench.call("GET", "/version", user=None).status == 200


def test_static_tokens() -> None:
    bench = Bench(tokens={"secret": JANE})
    review = bench.ok(
        "POST",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"},
        user=None,
        headers=bearer("secret"),
    )
    assert review["status"]["userInfo"] == {"username": "jane", "groups": ["system:authenticated"]}


def test_service_account_tokens_live_and_die(bench: Bench) -> None:
    issued = bench.ok("POST", TOKENS, {"spec": {"expirationSeconds": 600}})
    token = issued["status"]["token"]
    assert issued["status"]["expirationTimestamp"] == "2026-01-01T00:10:00Z"
    found = bench.server.authenticator.token_user(token)
    assert found is not None
    assert found.username == "system:serviceaccount:default:default"
    assert "system:serviceaccounts:default" in found.groups
    assert bench.server.authenticator.token_user(token[:-3] + "AAA") is None
    bench.clock.run_until(bench.clock.now + 600_000_000)
    assert bench.server.authenticator.token_user(token) is None


def test_the_same_seed_issues_the_same_tokens() -> None:
    first, second = (bench.ok("POST", TOKENS, {})["status"]["token"] for bench in (Bench(), Bench()))
    assert first == second


def test_may_i(bench: Bench) -> None:
    def ask(user: UserInfo | None, **attributes: str) -> bool:
        body = {"spec": {"resourceAttributes": attributes}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        headers = None
        review = bench.ok("POST", path, body, user=user, headers=headers)
        return bool(review["status"]["allowed"])

    admin = UserInfo("root", groups=("system:masters",))
    assert ask(admin, verb="delete", resource="nodes")
    assert not ask(JANE, verb="list", resource="pods")
    assert ask(JANE, verb="create", group="authorization.k8s.io", resource="selfsubjectaccessreviews")


def test_impersonation(bench: Bench) -> None:
    headers = {"impersonate-user": "system:serviceaccount:default:default"}
    assert bench.error("GET", PODS, headers=headers)[2].startswith(
        'pods is forbidden: User "system:serviceaccount:default:default" cannot list'
    )
    assert bench.error("GET", PODS, user=JANE, headers={"impersonate-user": "root"}) == (
        403,
        "Forbidden",
        'users.authentication.k8s.io "root" is forbidden: User "jane" cannot impersonate:user-info resource "users" '
        'in API group "authentication.k8s.io" at the cluster scope',
    )


RBAC = "/apis/rbac.authorization.k8s.io/v1"


def give(bench: Bench, name: str, user: str, *rules: tuple[str, str, str]) -> None:
    """Cluster-wide rights: (API group, resource, verb)."""
    group = "rbac.authorization.k8s.io"
    listed = [{"apiGroups": [g], "resources": [r], "verbs": [v]} for g, r, v in rules]
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": listed}
    bench.ok("POST", f"{RBAC}/clusterroles", role)
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "User", "apiGroup": group, "name": user}],
    }
    bench.ok("POST", f"{RBAC}/clusterrolebindings", binding)


def test_constrained_impersonation(bench: Bench) -> None:
    """A right on who one acts as, and one on what is done so; the older right is enough for everything."""
    as_kim = {"impersonate-user": "kim"}
    give(bench, "kim", "kim", ("", "pods", "list"), ("", "configmaps", "list"))
    give(
        bench,
        "jane",
        "jane",
        ("authentication.k8s.io", "users", "impersonate:user-info"),
        ("", "pods", "impersonate-on:user-info:list"),
    )
    assert bench.ok("GET", PODS, user=JANE, headers=as_kim)["items"] == []
    assert bench.error("GET", MAPS, user=JANE, headers=as_kim)[2] == (
        'configmaps is forbidden: User "jane" cannot impersonate-on:user-info:list resource "configmaps" '
        'in API group "" in the namespace "default"'
    )
    give(bench, "older", "jane", ("", "users", "impersonate"))
    assert bench.ok("GET", MAPS, user=JANE, headers=as_kim)["items"] == []


def test_what_belongs_in_the_journal(bench: Bench) -> None:
    from cluster_engine.kube_apiserver import Request

    def mutates(method: str, path: str, body: object = None, **query: str) -> bool:
        data = b"" if body is None else orjson.dumps(body)
        headers = {"content-type": "application/json"}
        return bench.server.mutates(Request(method, path, list(query.items()), headers, data))

    assert mutates("POST", PODS, pod())
    assert mutates("POST", f"{PODS}/web/exec", command="ls")
    assert mutates("DELETE", f"{PODS}/web")
    assert not mutates("POST", PODS, pod(), dryRun="All")
    assert not mutates("DELETE", f"{PODS}/web", {"dryRun": ["All"]})
    assert not mutates("GET", PODS)
    assert not mutates("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {})
