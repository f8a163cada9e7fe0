"""The request trail: what a request met on its way, as data."""

import json
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, ANONYMOUS, Request, Response, UserInfo, trail

HEADERS = {"content-type": "application/json", "accept": "application/json", "user-agent": "kubectl/v1.37.0"}
PODS = "/api/v1/namespaces/default/pods"
JANE = UserInfo("jane", groups=("system:authenticated",))
READER = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "reader", "namespace": "default"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "read", "namespace": "default"},
    "subjects": [{"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}],
    "roleRef": {"kind": "Role", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"},
}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    box = {"name": "c", "image": "nginx:1.27"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [box], **spec},
    }


def ask(
    cluster: Cluster,
    method: str,
    path: str,
    body: Any = None,
    user: UserInfo | None = ADMIN,
    query: list[tuple[str, str]] | None = None,
    **headers: str,
) -> Response:
    data = b"" if body is None else json.dumps(body).encode()
    return cluster.request(Request(method, path, query or [], {**HEADERS, **headers}, data, user))


def trail_of(cluster: Cluster, reply: Response) -> dict[str, Any]:
    return cluster.request_trail(reply.headers["audit-id"])


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True, addons=False)
    cluster.apply([READER, BINDING])
    cluster.settle()
    return cluster


def test_the_way_of_a_pod(cluster: Cluster) -> None:
    over = ask(cluster, "GET", PODS, query=[("watch", "1")]).stream
    assert over is not None
    over.cancel()
    open_watches = [
        ask(cluster, "GET", path, query=[("watch", "1"), *query])
        for path, query in (
            (PODS, []),
            (PODS, [("labelSelector", "app=other")]),
            ("/api/v1/pods", []),
            ("/api/v1/namespaces/kube-system/pods", []),
            ("/api/v1/services", []),
        )
    ]
    reply = ask(cluster, "POST", PODS, pod("web"))
    cluster.settle()
    found = trail_of(cluster, reply)
    assert {name: found[name] for name in ("method", "path", "agent", "verb", "resource", "namespace")} == {
        "method": "POST",
        "path": PODS,
        "agent": "kubectl/v1.37.0",
        "verb": "create",
        "resource": "pods",
        "namespace": "default",
    }
    assert found["user"] == ADMIN.as_dict()
    assert (found["decision"], found["reason"]) == ("allow", "")
    assert found["entry"] == cluster.journal.entries[-2].seq
    assert ".spec.dnsPolicy" in found["defaulted"]
    changed = {step["plugin"]: step["changed"] for step in found["admission"] if step["changed"]}
    assert changed == {
        "ServiceAccount": [
            '.spec.containers[name="c"].volumeMounts',
            ".spec.serviceAccount",
            ".spec.serviceAccountName",
            ".spec.volumes",
        ],
        "Priority": [".spec.preemptionPolicy", ".spec.priority"],
        "DefaultTolerationSeconds": [".spec.tolerations"],
    }
    phases = [step["phase"] for step in found["admission"]]
    assert phases == sorted(phases)
    assert "NamespaceLifecycle" in [s["plugin"] for s in found["admission"] if s["phase"] == "validating"]
    assert (found["validation"], found["problems"]) == ("passed", [])
    revision = int(json.loads(reply.body)["metadata"]["resourceVersion"])
    written = {"verb": "create", "resource": "pods", "key": "default/web", "revision": revision, "watches": 2}
    assert (found["writes"], found["revision"]) == ([written], revision)
    assert (found["code"], found["message"]) == (201, "")
    first = found["followed"][0]
    assert (first["component"], first["key"], first["causes"]) == (
        "kube-scheduler",
        "default/web",
        [revision],
    )
    assert "kubelet" in {step["component"] for step in found["followed"]}
    assert len(open_watches) == 5


REFUSALS: dict[str, tuple[Any, dict[str, Any]]] = {
    "by the authorizer": (
        lambda cluster: ask(cluster, "DELETE", f"{PODS}/web", user=JANE),
        {
            "code": 403, "decision": "forbid", "reason": "", "verb": "delete", "name": "web",
            "message": 'pods "web" is forbidden: User "jane" cannot delete resource "pods" in API group "" '
            'in the namespace "default"',
        },
    ),
    "by validation": (
        lambda cluster: ask(cluster, "POST", PODS, pod("web", restartPolicy="Sometimes")),
        {
            "code": 422, "validation": "failed", "writes": [],
            "problems": [
                'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'
            ],
        },
    ),
    "by a plugin": (
        lambda cluster: ask(cluster, "POST", PODS, pod("web", priorityClassName="none")),
        {"code": 403, "validation": "", "decision": "allow"},
    ),
    "by a bad token": (
        lambda cluster: ask(cluster, "GET", PODS, user=None, authorization="Bearer x"),
        {"code": 401, "user": {}, "decision": "", "verb": "", "entry": 0, "message": "Unauthorized"},
    ),
    "of what is not there": (
        lambda cluster: ask(cluster, "GET", f"{PODS}/web"),
        {"code": 404, "decision": "allow", "entry": 0, "message": 'pods "web" not found'},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(REFUSALS.values()), ids=list(REFUSALS))
def test_a_refusal_says_where_it_ended(cluster: Cluster, case: Any) -> None:
    act, expected = case
    found = trail_of(cluster, act(cluster))
    assert {name: found[name] for name in expected} == expected
    assert (found["revision"], found["followed"]) == (0, [])


def test_the_plugin_that_refused_comes_last(cluster: Cluster) -> None:
    found = trail_of(cluster, ask(cluster, "POST", PODS, pod("web", priorityClassName="none")))
    last = found["admission"][-1]
    assert (last["plugin"], last["phase"]) == ("Priority", "mutating")
    assert last["refused"] == found["message"]
    assert "no PriorityClass with name none was found" in last["refused"]


GRANTED = 'RBAC: allowed by ClusterRoleBinding "{0}" of ClusterRole "{0}" to Group "system:{1}"'
REASONS: dict[str, tuple[str, str, UserInfo, str]] = {
    "a role": ("GET", PODS, JANE, 'RBAC: allowed by RoleBinding "read/default" of Role "reader" to User "jane"'),
    "masters": ("GET", PODS, ADMIN, ""),
    "discovery": ("GET", "/apis", JANE, GRANTED.format("system:discovery", "authenticated")),
    "health": ("GET", "/healthz", ANONYMOUS, GRANTED.format("system:public-info-viewer", "unauthenticated")),
    "a controller": (
        "GET", "/apis/apps/v1/replicasets",
        UserInfo("system:serviceaccount:kube-system:deployment-controller", groups=("system:authenticated",)),
        'RBAC: allowed by ClusterRoleBinding "system:controller:deployment-controller" of ClusterRole '
        '"system:controller:deployment-controller" to ServiceAccount "deployment-controller/kube-system"',
    ),
    "the scheduler": (
        "GET", "/api/v1/nodes", UserInfo("system:kube-scheduler", groups=("system:authenticated",)),
        'RBAC: allowed by ClusterRoleBinding "system:kube-scheduler" of ClusterRole "system:kube-scheduler" '
        'to User "system:kube-scheduler"',
    ),
    "a node": ("GET", "/api/v1/services", UserInfo("system:node:n1", groups=("system:nodes",)), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", list(REASONS.values()), ids=list(REASONS))
def test_the_rule_that_allowed_it(cluster: Cluster, case: tuple[str, str, UserInfo, str]) -> None:
    method, path, user, reason = case
    reply = ask(cluster, method, path, user=user)
    assert reply.status == 200
    assert trail_of(cluster, reply)["reason"] == reason


def test_a_client_may_bring_its_audit_id(cluster: Cluster) -> None:
    for given, kept in (("mine", "mine"), ("x" * 70, "x" * trail.ID_KEPT)):
        for method, path, body in (("GET", PODS, None), ("POST", PODS, pod(given[:5]))):
            reply = ask(cluster, method, path, body, **{"audit-id": given})
            assert reply.headers["audit-id"] == kept
            assert cluster.request_trail(kept)["method"] == method


def test_it_is_no_state_and_a_replay_makes_it_again(cluster: Cluster) -> None:
    ask(cluster, "POST", PODS, pod("web"), **{"audit-id": "mine"})
    ask(cluster, "DELETE", f"{PODS}/nobody", user=JANE)
    cluster.settle()
    before = cluster.state_hash()
    told = cluster.requests()
    ask(cluster, "GET", PODS)
    assert cluster.state_hash() == before
    assert len(cluster.requests()) == len(told) + 1
    assert Cluster.replay(cluster.journal).requests() == told
    twin = cluster.fork()
    assert twin.requests() == cluster.requests()
    ask(twin, "GET", PODS)
    assert len(twin.requests()) == len(cluster.requests()) + 1
    assert Cluster.restore(cluster.snapshot()).requests() == []


def test_it_is_bounded(cluster: Cluster) -> None:
    for _ in range(trail.KEPT + 3):
        reply = ask(cluster, "GET", f"{PODS}/{'n' * 2_000}", **{"user-agent": "a" * 2_000})
    told = cluster.requests(limit=10_000)
    assert len(told) == trail.KEPT
    assert len({record["id"] for record in told}) == trail.KEPT
    assert {len(told[0][name]) for name in ("path", "agent", "message")} == {trail.TEXT_KEPT}
    boxes = [{"name": f"c{n}", "image": "nginx:1.27"} for n in range(40)]
    reply = ask(cluster, "POST", PODS, pod("many", containers=boxes))
    found = trail_of(cluster, reply)
    assert (len(found["defaulted"]), found["defaulted"][-1]) == (trail.PATHS_KEPT, "…")
    with pytest.raises(KeyError):
        cluster.request_trail("nobody's")


@pytest.mark.parametrize(
    ("length", "compared"), [(100, 0), (trail.LEFT_FOR_LATER, 1)], ids=["small", "large"]
)
def test_what_was_changed_is_compared_when_somebody_asks(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, length: int, compared: int
) -> None:
    found: list[list[str]] = []

    def counted(*of: Any) -> list[str]:
        found.append(compare(*of))
        return found[-1]

    compare = trail.changed_paths
    monkeypatch.setattr(trail, "changed_paths", counted)
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"a": "x" * length},
    }
    reply = ask(cluster, "POST", "/api/v1/namespaces/default/secrets", body)
    assert reply.status == 201
    assert len(found) == compared
    for _ in range(2):
        assert trail_of(cluster, reply)["defaulted"] == [".data", ".stringData", ".type"]
    assert found == [[".data", ".stringData", ".type"]]


def test_requests_are_chosen(cluster: Cluster) -> None:
    ask(cluster, "POST", PODS, pod("a"))
    ask(cluster, "GET", PODS, user=JANE)
    ask(cluster, "GET", f"{PODS}/a")
    assert [r["verb"] for r in cluster.requests(3)] == ["get", "list", "create"]
    assert [r["verb"] for r in cluster.requests(user="jane")] == ["list"]
    assert [r["verb"] for r in cluster.requests(resource="pods", writes=True)] == ["create"]
    assert [r["verb"] for r in cluster.requests(name="a", namespace="default")] == ["get"]


def test_an_open_stream_and_a_custom_object_without_a_schema(cluster: Cluster) -> None:
    ask(cluster, "POST", PODS, pod("web"))
    cluster.settle()
    cluster.execute("web", ["true"])
    found = cluster.requests(1)[0]
    assert (found["code"], found["subresource"], found["verb"]) == (101, "exec", "create")
    assert trail.changed_paths(None, {"a": 1}, {"a": 2}) == ["."]
    assert trail.changed_paths(None, {"a": 1}, {"a": 1}) == []
