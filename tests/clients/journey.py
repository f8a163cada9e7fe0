"""What a client library is asked to do with a cluster: one table of actions, a column for each client.

A `Column` fills the verbs in its library's own way and gives plain JSON back, so that what must come of an
action is written once, here. A verb that a library does not have stands in its column's `lacks`, with the reason;
the actions that need it are then not run for it, and each column says which.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
PATIENCE = 180.0
"""Wall seconds that anything may take on a busy machine."""


class Refused(Exception):
    """The cluster said no: the code and the Status as the client shows them."""

    def __init__(self, code: int, status: JSON) -> None:
        super().__init__(f"{code} {status.get('message')}")
        self.code = code
        self.status = status

    @property
    def reason(self) -> str:
        return str(self.status.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.status.get("message", ""))


class Column:
    """The verbs. Kinds go by their plural name; objects come and go as JSON; a refusal raises Refused."""

    lacks: dict[str, str] = {}
    """Verb → why this library has no such call."""

    def __init__(self, kubeconfig: Path) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of what the library holds."""

    def version(self) -> str:
        """What the server calls itself."""
        raise NotImplementedError

    def create(self, kind: str, namespace: str, body: JSON) -> JSON:
        raise NotImplementedError

    def dry_run(self, kind: str, namespace: str, body: JSON) -> JSON:
        """Creates, and nothing is stored."""
        raise NotImplementedError

    def create_strictly(self, kind: str, namespace: str, body: JSON) -> JSON:
        """Creates with `fieldValidation=Strict`."""
        raise NotImplementedError

    def read(self, kind: str, namespace: str, name: str) -> JSON:
        raise NotImplementedError

    def replace(self, kind: str, namespace: str, name: str, body: JSON) -> JSON:
        raise NotImplementedError

    def delete(self, kind: str, namespace: str, name: str, propagation: str = "Background") -> None:
        raise NotImplementedError

    def delete_all(self, kind: str, namespace: str, labels: str) -> None:
        raise NotImplementedError

    def select(self, kind: str, namespace: str, labels: str = "", fields: str = "") -> list[str]:
        """The names of those that are selected, sorted."""
        raise NotImplementedError

    def pages(self, kind: str, namespace: str, limit: int) -> list[list[str]]:
        """The names, a list for each page; a library that hides pages gives one."""
        raise NotImplementedError

    def watch(self, kind: str, namespace: str, since: str) -> Iterator[tuple[str, JSON]]:
        """(type, object) of what comes after that version, for as long as one likes."""
        raise NotImplementedError

    def watch_ended(self, kind: str, namespace: str, since: str, seconds: int) -> Iterator[tuple[str, JSON]]:
        """The same, where the server hangs up after `seconds`; a library may go on by itself."""
        raise NotImplementedError

    def patch(self, kind: str, namespace: str, name: str, how: str, body: Any) -> JSON:
        """`how`: json or merge."""
        raise NotImplementedError

    def patch_strategically(self, kind: str, namespace: str, name: str, body: JSON) -> JSON:
        raise NotImplementedError

    def apply(self, kind: str, namespace: str, body: JSON, manager: str, force: bool) -> JSON:
        raise NotImplementedError

    def set_status(self, kind: str, namespace: str, name: str, status: JSON) -> JSON:
        """A merge patch of the subresource."""
        raise NotImplementedError

    def scale(self, kind: str, namespace: str, name: str, replicas: int) -> int:
        """Sets the subresource, and gives back what it then says."""
        raise NotImplementedError

    def evict(self, namespace: str, pod: str) -> None:
        raise NotImplementedError

    def token(self, namespace: str, account: str) -> str:
        raise NotImplementedError

    def whoami(self, token: str) -> str:
        """Who a client with that bearer token alone is."""
        raise NotImplementedError

    def logs(self, namespace: str, pod: str) -> str:
        raise NotImplementedError

    def follow(self, namespace: str, pod: str) -> Iterator[str]:
        """The lines as they come, without their ends."""
        raise NotImplementedError

    def execute(self, namespace: str, pod: str, command: list[str]) -> tuple[str, str, int]:
        """(standard output, standard error, exit status)."""
        raise NotImplementedError

    def converse(self, namespace: str, pod: str, command: list[str], line: str) -> str:
        """Sends a line to a command that runs, and gives back what it answers."""
        raise NotImplementedError

    def attach(self, namespace: str, pod: str) -> Iterator[str]:
        """What the main process writes from now on, piece by piece."""
        raise NotImplementedError

    def forward(self, namespace: str, pod: str, port: int, request: bytes) -> bytes:
        """Sends a request through a forwarded port and reads to the end of the answer."""
        raise NotImplementedError


VERBS = tuple(name for name, value in vars(Column).items() if callable(value) and not name.startswith("_"))


@dataclass(frozen=True)
class Action:
    """A row of the table."""

    verbs: tuple[str, ...]
    run: Callable[[Column, str], None]

    @property
    def name(self) -> str:
        return self.run.__name__


ACTIONS: list[Action] = []


def needs(*verbs: str) -> Callable[[Callable[[Column, str], None]], Callable[[Column, str], None]]:
    """Puts an action into the table; `verbs` are those it cannot do without."""

    def put(run: Callable[[Column, str], None]) -> Callable[[Column, str], None]:
        ACTIONS.append(Action(verbs, run))
        return run

    return put


def able(column: type[Column]) -> list[Action]:
    """The actions that a client can do, by what its column says it lacks."""
    return [action for action in ACTIONS if not any(verb in column.lacks for verb in action.verbs)]


def eventually(ask: Callable[[], Any], what: str) -> Any:
    """The first true answer; fails with `what` was waited for."""
    end = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < end, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(0.02)
    return answer


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> Refused:
    """How the cluster says no; fails when it does not."""
    try:
        found = call(*arguments, **more)
    except Refused as refused:
        return refused
    raise AssertionError(f"was not refused: {found}")


# ---- what the actions are done with ---------------------------------------------------------------------------


def config_map(name: str, labels: JSON | None = None, **data: str) -> JSON:
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def pod(name: str, command: list[str], **spec: Any) -> JSON:
    container = {"name": "main", "image": "busybox:1.36", "command": command}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], **spec},
    }


def deployment(name: str, replicas: int) -> JSON:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27"}]},
            },
        },
    }


CRONTABS = "crontabs.clients.example.com"


def definition() -> JSON:
    integer = {"type": "integer", "minimum": 1}
    spec = {"type": "object", "properties": {"schedule": {"type": "string"}, "replicas": integer}}
    status = {"type": "object", "properties": {"ready": {"type": "integer"}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}},
        },
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.ready"},
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": CRONTABS},
        "spec": {
            "group": "clients.example.com",
            "scope": "Namespaced",
            "names": {
                "plural": "crontabs",
                "singular": "crontab",
                "kind": "CronTab",
                "listKind": "CronTabList",
            },
            "versions": [version],
        },
    }


def crontab(name: str, **spec: Any) -> JSON:
    return {
        "apiVersion": "clients.example.com/v1",
        "kind": "CronTab",
        "metadata": {"name": name},
        "spec": spec,
    }


def defined(client: Column) -> None:
    """Custom resources of the kind CronTab can be made."""

    def established() -> bool:
        found = client.read("customresourcedefinitions", "", CRONTABS)
        conditions = found.get("status", {}).get("conditions") or []
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    try:
        client.create("customresourcedefinitions", "", definition())
    except Refused as refused:
        if refused.reason != "AlreadyExists":
            raise
    eventually(established, "the definition to be established")


def running(client: Column, namespace: str, body: JSON) -> str:
    """Makes the Pod and waits until it runs."""
    name = str(body["metadata"]["name"])
    client.create("pods", namespace, body)
    wanted = ("Running", "Succeeded")
    eventually(lambda: client.read("pods", namespace, name)["status"].get("phase") in wanted, f"Pod {name}")
    return name


def version_of(client: Column, namespace: str) -> str:
    """A resourceVersion to watch ConfigMaps from: that of one that was made for it."""
    return str(client.create("configmaps", namespace, config_map("mark"))["metadata"]["resourceVersion"])


# ---- the actions ----------------------------------------------------------------------------------------------


@needs("version")
def the_server_says_its_version(client: Column, namespace: str) -> None:
    assert client.version().startswith("v1.37."), client.version()


@needs("create", "read", "replace", "delete")
def an_object_from_creation_to_deletion(client: Column, namespace: str) -> None:
    made = client.create("configmaps", namespace, config_map("settings", colour="red"))
    assert made["metadata"]["uid"]
    assert made["metadata"]["namespace"] == namespace
    assert client.read("configmaps", namespace, "settings")["data"] == {"colour": "red"}
    made["data"]["colour"] = "blue"
    replaced = client.replace("configmaps", namespace, "settings", made)
    assert replaced["data"] == {"colour": "blue"}
    assert replaced["metadata"]["uid"] == made["metadata"]["uid"]
    assert int(replaced["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    client.delete("configmaps", namespace, "settings")
    gone = refusal(client.read, "configmaps", namespace, "settings")
    assert (gone.code, gone.reason) == (404, "NotFound")
    assert gone.message == 'configmaps "settings" not found'


@needs("create", "replace")
def who_is_late_is_told(client: Column, namespace: str) -> None:
    """Optimistic concurrency: what was read before the last write cannot be written."""
    stale = client.create("configmaps", namespace, config_map("shared", turn="1"))
    client.replace("configmaps", namespace, "shared", {**stale, "data": {"turn": "2"}})
    refused = refusal(client.replace, "configmaps", namespace, "shared", {**stale, "data": {"turn": "3"}})
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert "the object has been modified; please apply your changes to the latest version" in refused.message
    assert client.read("configmaps", namespace, "shared")["data"] == {"turn": "2"}


@needs("create")
def what_exists_cannot_be_made_again(client: Column, namespace: str) -> None:
    client.create("configmaps", namespace, config_map("once"))
    refused = refusal(client.create, "configmaps", namespace, config_map("once"))
    assert (refused.code, refused.reason) == (409, "AlreadyExists")
    assert refused.message == 'configmaps "once" already exists'


@needs("create")
def an_invalid_object_is_refused_field_by_field(client: Column, namespace: str) -> None:
    wrong = deployment("wrong", -1)
    wrong["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    refused = refusal(client.create, "deployments", namespace, wrong)
    assert (refused.code, refused.reason) == (422, "Invalid")
    fields = {cause["field"] for cause in refused.status["details"]["causes"]}
    assert fields == {"spec.replicas", "spec.template.metadata.labels"}


@needs("dry_run", "read")
def a_dry_run_stores_nothing(client: Column, namespace: str) -> None:
    assert client.dry_run("configmaps", namespace, config_map("draft", a="b"))["metadata"]["uid"]
    assert refusal(client.read, "configmaps", namespace, "draft").code == 404


@needs("create_strictly")
def an_unknown_field_is_refused_when_asked(client: Column, namespace: str) -> None:
    wrong = {**config_map("typo"), "dta": {}}
    refused = refusal(client.create_strictly, "configmaps", namespace, wrong)
    assert (refused.code, refused.reason) == (400, "BadRequest")
    assert 'unknown field "dta"' in refused.message


@needs("create", "select")
def labels_and_fields_select(client: Column, namespace: str) -> None:
    for name, tier in (("one", "front"), ("two", "back"), ("three", "back")):
        client.create("configmaps", namespace, config_map(name, {"tier": tier}))
    assert client.select("configmaps", namespace, labels="tier=back") == ["three", "two"]
    assert client.select("configmaps", namespace, labels="tier in (front, back),tier!=back") == ["one"]
    assert client.select("configmaps", namespace, fields="metadata.name=two") == ["two"]


@needs("create", "pages")
def a_long_list_comes_in_pages(client: Column, namespace: str) -> None:
    names = sorted(f"page-{number}" for number in range(7))
    for name in names:
        client.create(
            "secrets", namespace, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
        )
    pages = client.pages("secrets", namespace, 3)
    assert [name for page in pages for name in page] == names
    if len(pages) > 1:
        assert [len(page) for page in pages] == [3, 3, 1]


@needs("create", "watch", "patch", "delete")
def a_watch_tells_what_happens(client: Column, namespace: str) -> None:
    since = version_of(client, namespace)
    client.create("configmaps", namespace, config_map("seen", n="1"))
    client.patch("configmaps", namespace, "seen", "merge", {"data": {"n": "2"}})
    client.delete("configmaps", namespace, "seen")
    told = []
    for kind, obj in client.watch("configmaps", namespace, since):
        told.append((kind, obj["metadata"]["name"], obj["data"]["n"]))
        if kind == "DELETED":
            break
    assert told == [("ADDED", "seen", "1"), ("MODIFIED", "seen", "2"), ("DELETED", "seen", "2")]


@needs("create", "watch")
def who_hung_up_goes_on_where_they_were(client: Column, namespace: str) -> None:
    """Nothing is lost or told twice."""
    since = version_of(client, namespace)
    for number in (1, 2, 3):
        client.create("configmaps", namespace, config_map(f"cut-{number}"))
    told: list[str] = []
    while len(told) < 4:
        for _kind, obj in client.watch("configmaps", namespace, since):
            told.append(obj["metadata"]["name"])
            since = obj["metadata"]["resourceVersion"]
            if len(told) != 2:
                break
        if len(told) == 1:
            client.create("configmaps", namespace, config_map("cut-4"))
    assert told == ["cut-1", "cut-2", "cut-3", "cut-4"]


@needs("create", "watch_ended")
def a_watch_that_the_server_ends_goes_on(client: Column, namespace: str) -> None:
    since = version_of(client, namespace)
    client.create("configmaps", namespace, config_map("before"))
    told: list[str] = []
    while "after" not in told:
        for _kind, obj in client.watch_ended("configmaps", namespace, since, 1):
            told.append(obj["metadata"]["name"])
            since = obj["metadata"]["resourceVersion"]
            if told == ["before"]:
                time.sleep(1.2)  # meanwhile the server has hung up
                client.create("configmaps", namespace, config_map("after"))
            else:
                break
    assert told == ["before", "after"]


@needs("create", "read", "delete", "select", "watch_ended")
def a_watch_from_a_past_that_is_gone_is_refused(client: Column, namespace: str) -> None:
    """Two thousand changes of a resource are kept: with more Pods come and gone, the first cannot be gone on from."""

    def refused() -> Refused | None:
        try:
            for _event in client.watch_ended("pods", namespace, "1", 1):
                return None
        except Refused as found:
            return found
        return None

    running(client, namespace, pod("witness", ["sleep", "1000000"]))
    crowd = deployment("crowd", 200)
    crowd["spec"]["template"]["spec"] = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10"}],
    }
    for _ in range(5):
        if found := refused():
            break
        client.create("deployments", namespace, crowd)
        eventually(
            lambda: client.read("deployments", namespace, "crowd")["status"].get("readyReplicas") == 200,
            "the crowd",
        )
        client.delete("deployments", namespace, "crowd", propagation="Foreground")
        eventually(lambda: not client.select("deployments", namespace), "the crowd to go")
    assert found is not None
    assert found.code == 410
    assert "too old resource version: 1 (" in found.message


IMAGES = "/spec/template/spec/containers"
SIDE = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "busybox"}]}}}}


def containers(deployment: JSON) -> list[tuple[str, str]]:
    return [(c["name"], c["image"]) for c in deployment["spec"]["template"]["spec"]["containers"]]


@needs("create", "patch")
def a_json_patch_is_a_list_of_steps(client: Column, namespace: str) -> None:
    client.create("deployments", namespace, deployment("steps", 0))
    step = {"op": "replace", "path": f"{IMAGES}/0/image", "value": "nginx:1.28"}
    found = client.patch("deployments", namespace, "steps", "json", [step])
    assert containers(found) == [("nginx", "nginx:1.28")]
    failing = [{"op": "test", "path": f"{IMAGES}/0/image", "value": "httpd"}, step]
    refused = refusal(client.patch, "deployments", namespace, "steps", "json", failing)
    assert (refused.code, refused.reason) == (422, "Invalid")


@needs("create", "patch")
def a_merge_patch_replaces_lists(client: Column, namespace: str) -> None:
    client.create("deployments", namespace, deployment("merged", 0))
    assert containers(client.patch("deployments", namespace, "merged", "merge", SIDE)) == [
        ("side", "busybox")
    ]


@needs("create", "patch_strategically")
def a_strategic_patch_merges_lists_by_key(client: Column, namespace: str) -> None:
    client.create("deployments", namespace, deployment("strategic", 0))
    found = client.patch_strategically("deployments", namespace, "strategic", SIDE)
    assert containers(found) == [("side", "busybox"), ("nginx", "nginx:1.27")]


@needs("apply", "read")
def two_appliers_of_one_field_conflict(client: Column, namespace: str) -> None:
    first = client.apply(
        "configmaps", namespace, config_map("owned", colour="red", size="1"), "painter", False
    )
    assert [(m["manager"], m["operation"]) for m in first["metadata"]["managedFields"]] == [
        ("painter", "Apply")
    ]
    rival = config_map("owned", colour="blue")
    refused = refusal(client.apply, "configmaps", namespace, rival, "rival", False)
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert refused.message == 'Apply failed with 1 conflict: conflict with "painter": .data.colour'
    assert [(c["reason"], c["field"]) for c in refused.status["details"]["causes"]] == [
        ("FieldManagerConflict", ".data.colour")
    ]
    forced = client.apply("configmaps", namespace, rival, "rival", True)
    assert forced["data"] == {"colour": "blue", "size": "1"}
    # What an applier does not name any more goes, unless somebody else holds it.
    left = client.apply("configmaps", namespace, config_map("owned"), "painter", False)
    assert left["data"] == {"colour": "blue"}


@needs("create", "set_status", "read")
def status_is_written_by_its_own_door(client: Column, namespace: str) -> None:
    client.create("deployments", namespace, deployment("reported", 0))
    eventually(
        lambda: client.read("deployments", namespace, "reported")["status"].get("observedGeneration") == 1,
        "the Deployment to be seen",
    )
    condition = {"type": "Looked", "status": "True", "reason": "Test", "message": "seen"}
    found = client.set_status("deployments", namespace, "reported", {"conditions": [condition]})
    assert [c["type"] for c in found["status"]["conditions"]] == ["Looked"]
    assert found["metadata"]["generation"] == 1


@needs("create", "scale", "read")
def a_deployment_is_scaled(client: Column, namespace: str) -> None:
    client.create("deployments", namespace, deployment("scaled", 1))
    assert client.scale("deployments", namespace, "scaled", 2) == 2
    eventually(
        lambda: client.read("deployments", namespace, "scaled")["status"].get("readyReplicas") == 2,
        "two replicas",
    )


@needs("create", "delete", "select", "read")
def dependents_go_first_when_asked(client: Column, namespace: str) -> None:
    client.create("deployments", namespace, deployment("family", 1))
    eventually(
        lambda: client.read("deployments", namespace, "family")["status"].get("readyReplicas") == 1,
        "a replica",
    )
    client.delete("deployments", namespace, "family", propagation="Foreground")
    eventually(lambda: not client.select("deployments", namespace), "the Deployment to go")
    assert client.select("replicasets", namespace) == []


@needs("create", "delete_all", "select")
def a_collection_is_deleted(client: Column, namespace: str) -> None:
    for name, tier in (("old-1", "old"), ("old-2", "old"), ("new-1", "new")):
        client.create("configmaps", namespace, config_map(name, {"tier": tier}))
    client.delete_all("configmaps", namespace, "tier=old")
    assert client.select("configmaps", namespace, labels="tier") == ["new-1"]


@needs("create", "read", "patch", "select", "delete")
def custom_objects_live_as_others_do(client: Column, namespace: str) -> None:
    defined(client)
    made = client.create(
        "crontabs", namespace, crontab("nightly", schedule="0 0 * * *", replicas=1, typo=True)
    )
    assert made["spec"] == {"schedule": "0 0 * * *", "replicas": 1}  # pruned to the schema
    assert made["metadata"]["generation"] == 1
    refused = refusal(client.create, "crontabs", namespace, crontab("wrong", replicas=0))
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.message.endswith("spec.replicas in body should be greater than or equal to 1")
    changed = client.patch("crontabs", namespace, "nightly", "merge", {"spec": {"replicas": 3}})
    assert (changed["spec"]["replicas"], changed["metadata"]["generation"]) == (3, 2)
    assert client.select("crontabs", namespace) == ["nightly"]
    client.delete("crontabs", namespace, "nightly")
    assert refusal(client.read, "crontabs", namespace, "nightly").code == 404


@needs("create", "set_status")
def a_custom_object_has_a_status(client: Column, namespace: str) -> None:
    defined(client)
    client.create("crontabs", namespace, crontab("reported", replicas=1))
    found = client.set_status("crontabs", namespace, "reported", {"ready": 1})
    assert (found["status"], found["metadata"]["generation"]) == ({"ready": 1}, 1)


@needs("create", "scale", "read")
def a_custom_object_is_scaled(client: Column, namespace: str) -> None:
    defined(client)
    client.create("crontabs", namespace, crontab("scaled", replicas=1))
    assert client.scale("crontabs", namespace, "scaled", 4) == 4
    assert client.read("crontabs", namespace, "scaled")["spec"]["replicas"] == 4


@needs("apply", "create")
def a_custom_object_is_applied(client: Column, namespace: str) -> None:
    defined(client)
    client.apply("crontabs", namespace, crontab("applied", schedule="@daily", replicas=1), "first", False)
    refused = refusal(client.apply, "crontabs", namespace, crontab("applied", replicas=2), "second", False)
    assert refused.message == 'Apply failed with 1 conflict: conflict with "first": .spec.replicas'


@needs("create", "evict", "read")
def an_eviction_asks_the_budget(client: Column, namespace: str) -> None:
    name = running(client, namespace, pod("guarded", ["sleep", "1000000"]))
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "guard"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}},
    }
    client.create("poddisruptionbudgets", namespace, budget)
    eventually(
        lambda: (
            client.read("poddisruptionbudgets", namespace, "guard")["status"].get("observedGeneration") == 1
        ),
        "the budget to be seen",
    )
    refused = refusal(client.evict, namespace, name)
    assert (refused.code, refused.reason) == (429, "TooManyRequests")
    assert refused.message == "Cannot evict pod as it would violate the pod's disruption budget."
    free = running(client, namespace, pod("free", ["sleep", "1000000"]))
    client.evict(namespace, free)
    eventually(lambda: free not in client.select("pods", namespace), "the evicted Pod to go")


@needs("token", "whoami")
def a_token_says_who_its_bearer_is(client: Column, namespace: str) -> None:
    token = client.token(namespace, "default")
    assert client.whoami(token) == f"system:serviceaccount:{namespace}:default"
    assert refusal(client.whoami, "no-such-token").code == 401


@needs("create", "logs")
def a_log_is_read(client: Column, namespace: str) -> None:
    name = running(client, namespace, pod("writer", ["sh", "-c", "echo one; echo two >&2; sleep 1000000"]))
    assert eventually(lambda: client.logs(namespace, name), "a log") == "one\ntwo\n"


@needs("create", "follow")
def a_log_is_followed_to_its_end(client: Column, namespace: str) -> None:
    script = "for i in 1 2 3 4; do echo line $i; sleep 15; done"
    name = running(client, namespace, pod("counter", ["sh", "-c", script], restartPolicy="Never"))
    assert list(client.follow(namespace, name)) == [f"line {number}" for number in (1, 2, 3, 4)]


@needs("create", "execute")
def a_command_is_executed(client: Column, namespace: str) -> None:
    name = running(client, namespace, pod("worker", ["sleep", "1000000"]))
    command = ["sh", "-c", "echo out; echo err >&2; exit 3"]
    assert client.execute(namespace, name, command) == ("out\n", "err\n", 3)
    assert client.execute(namespace, name, ["true"]) == ("", "", 0)


@needs("create", "converse")
def a_command_is_spoken_to(client: Column, namespace: str) -> None:
    name = running(client, namespace, pod("listener", ["sleep", "1000000"]))
    asked = client.converse(namespace, name, ["sh", "-c", "read line; echo you said $line"], "hello\n")
    assert asked == "you said hello\n"


@needs("create", "attach")
def a_main_process_is_attached_to(client: Column, namespace: str) -> None:
    script = "while true; do echo tick; sleep 5; done"
    name = running(client, namespace, pod("ticker", ["sh", "-c", script]))
    heard = ""
    for piece in client.attach(namespace, name):
        heard += piece
        if heard.count("tick\n") >= 2:
            break
    assert set(heard.split()) == {"tick"}


@needs("create", "forward")
def a_port_is_forwarded(client: Column, namespace: str) -> None:
    body = pod("web", [])
    body["spec"]["containers"] = [{"name": "main", "image": "nginx:1.27"}]
    name = running(client, namespace, body)
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = client.forward(namespace, name, 80, request)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer[:200]
    assert b"Welcome to nginx!" in answer
