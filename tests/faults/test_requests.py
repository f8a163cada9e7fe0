"""A fault in any stage of a request is a Status 500 for that request, the same at every replay."""

import asyncio
import json
from typing import Any

import pytest
from faults import Planted, plant, same_again

from cluster_engine import Cluster
from cluster_engine.api import KINDS
from cluster_engine.etcd import Store
from cluster_engine.kube_apiserver import ADMIN, ANONYMOUS, Request, handlers, reviews, subrequests, verbs
from cluster_engine.kube_apiserver.admission import PLUGINS
from cluster_engine.kube_apiserver.admission.plugin import CREATE, DELETE, UPDATE
from cluster_engine.kube_apiserver.authentication import Authenticator
from cluster_engine.kube_apiserver.authorization import AuthorizerChain
from cluster_engine.kube_apiserver.authorization.privileged_groups import PrivilegedGroups
from cluster_engine.kube_apiserver.encoding import ObjectBytes
from cluster_engine.kube_apiserver.registry import Registry
from cluster_engine.kube_controller_manager.replicaset import ReplicaSetController
from cluster_engine.serving import ClusterApp
from tests.soak.random_objects import BASES

HOME = "hothouse"
JSON = {"content-type": "application/json", "accept": "application/json"}
POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}
EXAMPLES = {
    kind.group_resource: (
        f"{kind.forms[0].path}{f'/namespaces/{HOME}' if kind.namespaced else ''}/{kind.resource}",
        {"apiVersion": kind.forms[0].api_version, "kind": kind.kind, **BASES[kind.kind]},
    )
    for kind in KINDS
    if kind.kind in BASES and not kind.answer and kind.computed is None
}
"""An object of each kind, and where it is created."""


def create(resource: str, name: str) -> Request:
    path, obj = EXAMPLES[resource]
    body = json.dumps({**obj, "metadata": {"name": name}}).encode()
    return Request("POST", path, [], dict(JSON), body, ADMIN)


def named(
    method: str, resource: str, name: str, body: dict[str, Any] | None = None, subresource: str = ""
) -> Request:
    """A request for one object; of a whole object the name is set."""
    path, _ = EXAMPLES[resource]
    headers = {**JSON, "content-type": "application/merge-patch+json"} if method == "PATCH" else dict(JSON)
    if body and "kind" in body:
        body = {**body, "metadata": {"name": name}}
    data = b"" if body is None else json.dumps(body).encode()
    return Request(method, "/".join(filter(None, (path, name, subresource))), [], headers, data, ADMIN)


def metrics(cluster: Cluster) -> list[str]:
    reply = cluster.request(Request("GET", "/metrics", user=ADMIN))
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    return reply.body.decode().splitlines()


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster(nodes=1, seed=3, strict=False, addons=False, admission_plugins="AlwaysPullImages")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}})
    cluster.settle()
    return cluster


def concerns_poison(*args: Any) -> bool:
    """Whether the arguments of some stage are about the poisoned object, or the request that makes it."""
    return any(getattr(arg, "name", "") == "poison" or "poison" in repr(arg) for arg in args)


def about_secrets(*args: Any) -> bool:
    """For stages that do not see the object yet: nobody but these tests makes Secrets."""
    return any("secrets" in repr(arg) for arg in args)


# stage: what to break, for which calls, whether the journal knows of it, whether the write stands
STAGES = [
    ("authentication", Authenticator, "identify", concerns_poison, False, False),
    ("classification", handlers.Handlers, "mutates", concerns_poison, False, False),
    ("the verb", verbs.Verbs, "create", concerns_poison, True, False),
    ("ownership", Registry, "_own", concerns_poison, True, False),
    ("store", Store, "put", concerns_poison, True, False),
    ("encoding", ObjectBytes, "whole", concerns_poison, True, True),
]


def refused(cluster: Cluster, request: Request) -> dict[str, Any]:
    """The Status of a request that met a bug."""
    reply = cluster.request(request)
    status = json.loads(reply.body)
    assert reply.status == 500
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 500, "InternalError")
    assert status["message"].startswith(
        "Internal error occurred: This request caused apiserver to panic. Look in the logs for details."
    )
    assert reply.headers["audit-id"] in status["message"]
    assert status["details"]["causes"][0]["message"] in status["message"]
    return status


@pytest.mark.parametrize(
    ("owner", "method", "wanted", "journaled", "stands"),
    [stage[1:] for stage in STAGES],
    ids=[stage[0] for stage in STAGES],
)
def test_a_fault_in_a_stage(cluster, owner, method, wanted, journaled, stands, monkeypatch, caplog):
    hit = plant(monkeypatch, owner, method, wanted)
    before, seq = cluster.store.state(), cluster.journal.next_seq
    twin = cluster.fork()
    status = refused(cluster, create("secrets", "poison"))
    assert hit
    assert refused(twin, create("secrets", "poison")) == status, "the same at every replay"
    assert cluster.journal.next_seq - seq == int(journaled)
    assert (cluster.get("secrets", "poison", HOME) is not None) == stands
    if not stands:
        assert cluster.store.state() == before, "nothing is half written"
    assert cluster.request(create("secrets", "sound")).status == 201
    assert 'drydock_failures_total{component="kube-apiserver"} 1' in metrics(cluster)
    (failure,) = cluster.failures
    assert failure.key == "POST /api/v1/namespaces/hothouse/secrets"
    assert "POST /api/v1/namespaces/hothouse/secrets" in caplog.text
    assert f"planted in {owner.__name__}.{method}" in caplog.text
    if journaled:
        same_again(cluster)


@pytest.mark.parametrize("link", [PrivilegedGroups, AuthorizerChain], ids=lambda link: link.__name__)
def test_a_fault_in_authorization(cluster, link, monkeypatch):
    original = link.decide

    def planted(self: Any, asked: Any) -> Any:
        if about_secrets(asked):
            raise Planted
        return original(self, asked)

    monkeypatch.setattr(link, "decide", planted)
    refused(cluster, create("secrets", "poison"))
    refused(cluster, Request("GET", EXAMPLES["secrets"][0], user=ADMIN))
    assert cluster.request(create("pods", "sound")).status == 201
    same_again(cluster)
    assert cluster.clock.failures.counts() == {"kube-apiserver": 2}
    assert cluster.clock.failures.state()["counts"] == {"kube-apiserver": 1}, "a replay meets no reads"


@pytest.mark.parametrize("stage", ["default", "prepare_create", "validate"])
def test_a_fault_in_a_kinds_own_rules(cluster, stage, monkeypatch):
    kind = cluster.server.registry.scheme.find("secrets")
    original = getattr(kind, stage)

    def planted(obj: Any) -> Any:
        if obj["metadata"]["name"] == "poison":
            raise Planted
        return original(obj)

    object.__setattr__(kind, stage, planted)
    try:
        refused(cluster, create("secrets", "poison"))
        assert cluster.get("secrets", "poison", HOME) is None
        assert cluster.request(create("secrets", "sound")).status == 201
        same_again(cluster)
    finally:
        object.__setattr__(kind, stage, original)


SENDS = {
    CREATE: lambda resource, name, _: create(resource, name),
    UPDATE: lambda resource, name, sub: named(
        "PATCH", resource, name, {"metadata": {"labels": {"a": "b"}}}, sub
    ),
    DELETE: lambda resource, name, _: named("DELETE", resource, name, {}),
}
"""The request that each operation is asked for with."""


@pytest.mark.parametrize(
    ("plugin", "method", "operation"),
    [
        (plugin, method, operation)
        for plugin in PLUGINS
        for method, does in (("admit", plugin.mutates), ("validate", plugin.validates))
        for operation in plugin.operations
        if does
        and operation in SENDS
        and method in vars(plugin)
        and (method, operation) != ("admit", DELETE)  # nothing to be changed
    ],
    ids=lambda part: getattr(part, "name", part),
)
def test_a_fault_in_an_admission_plugin(cluster, plugin, method, operation, monkeypatch):
    mine = next(each for each in cluster.server.registry._chain._plugins if type(each) is plugin)
    kinds = [kind for kind in cluster.scheme.kinds if kind.group_resource in EXAMPLES]
    # Controllers write nodes too, and would meet the fault.
    kinds.sort(key=lambda kind: kind.group_resource == "nodes")
    places = [(kind.group_resource, sub) for kind in kinds for sub in ("", *kind.subresources)]
    resource, sub = next(place for place in places if mine.concerns(place[0], operation, place[1]))
    monkeypatch.setattr(plugin, "needs", "")
    cluster.server.registry._chain._cache.clear()
    cluster.server.registry._chain._populations = -1
    if operation != CREATE:
        assert [cluster.request(create(resource, name)).status for name in ("poison", "sound")] == [201, 201]
        cluster.settle()
    before = cluster.get(resource, "poison", HOME)
    hit = plant(
        monkeypatch,
        plugin,
        method,
        lambda attributes, *_: (
            (attributes.operation, attributes.name, attributes.subresource) == (operation, "poison", sub)
        ),
    )
    refused(cluster, SENDS[operation](resource, "poison", sub))
    assert hit
    assert cluster.get(resource, "poison", HOME) is before
    assert cluster.request(SENDS[operation](resource, "sound", sub)).status in (200, 201)
    cluster.settle()
    same_again(cluster)


def test_every_admission_plugin_is_tried():
    """What is not told of here would be a plugin that never acts."""
    for plugin in PLUGINS:
        acts = [method for method in ("admit", "validate") if method in vars(plugin)]
        assert acts, plugin.name
        assert set(plugin.operations) <= {*SENDS, "CONNECT"}, plugin.name  # to a container: no object is sent
        assert [plugin.mutates, plugin.validates] == ["admit" in acts, "validate" in acts], plugin.name


VERBS = {
    "get": lambda name: named("GET", "secrets", name),
    "list": lambda name: Request("GET", EXAMPLES["secrets"][0], [("fieldSelector", f"metadata.name={name}")]),
    "watch": lambda name: Request(
        "GET",
        EXAMPLES["secrets"][0],
        [("watch", "true"), ("timeoutSeconds", "1"), ("fieldSelector", f"metadata.name={name}")],
    ),
    "create": lambda name: create("secrets", f"new-{name}"),
    "update": lambda name: named("PUT", "secrets", name, {**EXAMPLES["secrets"][1], "data": {"a": "Yg=="}}),
    "patch": lambda name: named("PATCH", "secrets", name, {"metadata": {"labels": {"a": "b"}}}),
    "delete": lambda name: named("DELETE", "secrets", name, {}),
    "delete_collection": lambda name: Request(
        "DELETE", EXAMPLES["secrets"][0], [("fieldSelector", f"metadata.name={name}")], dict(JSON)
    ),
}
"""A request for each verb, of one of two Secrets."""


@pytest.mark.parametrize("verb", VERBS)
def test_a_fault_in_a_verb(cluster, verb, monkeypatch):
    for name in ("poison", "sound"):
        assert cluster.request(create("secrets", name)).status == 201
    marker = "new-poison" if verb == "create" else "poison"
    plant(monkeypatch, verbs.Verbs, verb, lambda *args: any(marker in repr(arg) for arg in args))

    def ask(name: str) -> Request:
        request = VERBS[verb](name)
        request.user = ADMIN
        return request

    refused(cluster, ask("poison"))
    assert cluster.get("secrets", "poison", HOME) is not None
    assert cluster.request(ask("sound")).status in (200, 201)
    assert cluster.clock.failures.counts() == {"kube-apiserver": 1}
    if ask("poison").method != "GET":
        same_again(cluster)


def test_every_verb_is_tried():
    assert set(VERBS) == {
        name for name, found in vars(verbs.Verbs).items() if callable(found) and name[0] != "_"
    }


@pytest.mark.parametrize(
    ("table", "answer"),
    [(table, answer) for table in (subrequests.ANSWERS, reviews.ANSWERS) for answer in table],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_fault_in_the_answer_of_a_kind_or_subresource(cluster, table, answer, monkeypatch):
    """Each that a kind's file names: of the one object the request fails, of another one it is answered."""
    path, word, verb = next(
        found for kind in cluster.scheme.kinds for found in answered(kind) if found[:2] == (table, answer)
    )[2:]
    original = table[answer]

    def planted(*given: Any) -> Any:
        if concerns_poison(*given):
            raise Planted(answer)
        return original(*given)

    monkeypatch.setitem(table, answer, planted)
    method = {"get": "GET", "create": "POST", "update": "PUT", "patch": "PATCH"}[verb]

    def ask(name: str) -> Request:
        body = json.dumps({"metadata": {"name": name}}).encode()
        return Request(method, f"{path}/{name}/{word}" if word else path, [], dict(JSON), body, ADMIN)

    refused(cluster, ask("poison"))
    assert cluster.request(ask("sound")).status != 500
    assert cluster.clock.failures.counts() == {"kube-apiserver": 1}


def answered(kind: Any) -> list[tuple[Any, ...]]:
    """(table, name in it, path of the kind, subresource, verb) of whatever answers for a kind."""
    path = f"{kind.path}{f'/namespaces/{HOME}' if kind.namespaced else ''}/{kind.resource}"
    found = [
        (subrequests.ANSWERS, each.answer, path, word, each.verbs[0])
        for word, each in kind.subresources.items()
    ]
    if kind.answer:
        table = reviews.ANSWERS if kind.answer in reviews.ANSWERS else subrequests.ANSWERS
        found.append((table, kind.answer, path, "", "create"))
    return found


def test_the_edge_answers_as_the_facade_does(cluster, monkeypatch):
    plant(monkeypatch, Store, "put", concerns_poison)
    twin = cluster.fork()
    entries = []

    async def sink(entry: Any) -> None:
        entries.append(entry)

    app = ClusterApp(twin, sink=sink, admin=True)
    reply = asyncio.run(app.respond(create("secrets", "poison")))
    assert json.loads(reply.body) == refused(cluster, create("secrets", "poison"))
    assert [entry.kind for entry in entries] == ["request"], "durable before it was carried out"
    assert twin.state_hash() == cluster.state_hash()


def test_strict_clusters_let_the_exception_through(monkeypatch):
    cluster = Cluster(nodes=1, addons=False)
    plant(monkeypatch, Store, "put", concerns_poison)
    request = create("secrets", "poison")
    request.path = request.path.replace(HOME, "default")
    with pytest.raises(Planted):
        cluster.request(request)


def test_metrics_count_retries_of_queues(cluster, monkeypatch):
    plant(monkeypatch, ReplicaSetController, "reconcile", times=3)
    cluster = cluster.fork()
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    cluster.apply({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r"}, "spec": spec})
    cluster.settle()
    lines = metrics(cluster)
    assert 'drydock_failures_total{component="replicaset-controller"} 3' in lines
    assert 'workqueue_retries_total{name="replicaset-controller"} 3' in lines
    assert "# TYPE workqueue_retries_total counter" in lines


def test_metrics_are_for_those_who_may_see_them(cluster):
    assert cluster.request(Request("GET", "/metrics", user=ANONYMOUS)).status == 403
