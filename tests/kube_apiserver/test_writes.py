"""Create, update, patch, delete: what is stored and what is refused, in Kubernetes' words."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from apiserver_bench import DEPLOYMENTS, MAPS, PODS, Bench, config_map, deployment, pod

from cluster_engine.kube_apiserver import ADMIN, RequestContext

MODIFIED = (
    'Operation cannot be fulfilled on configmaps "settings": the object has been modified; '
    "please apply your changes to the latest version and try again"
)


def test_create_fills_in_what_only_the_server_knows(bench: Bench) -> None:
    made = bench.ok("POST", MAPS, config_map(a="1"))
    meta = made["metadata"]
    assert meta["namespace"] == "default"
    assert meta["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert len(meta["uid"]) == 36
    assert meta["resourceVersion"] == str(bench.store.revision)
    assert meta["managedFields"][0]["manager"] == "test"
    assert meta["managedFields"][0]["operation"] == "Update"


def test_generated_names_end_in_five_letters(bench: Bench) -> None:
    body = {"metadata": {"generateName": "job-"}}
    names = [bench.ok("POST", MAPS, body)["metadata"]["name"] for _ in range(2)]
    assert names[0] != names[1]
    assert all(name.startswith("job-") and len(name) == 9 for name in names)


REFUSED_CREATES: dict[str, tuple[str, Any, tuple[int, str, str]]] = {
    "exists": (
        "/api/v1/namespaces",
        {"metadata": {"name": "default"}},
        (409, "AlreadyExists", 'namespaces "default" already exists'),
    ),
    "no-namespace": (
        "/api/v1/namespaces/nowhere/configmaps",
        config_map(),
        (404, "NotFound", 'namespaces "nowhere" not found'),
    ),
    "namespace-mismatch": (
        MAPS,
        {"metadata": {"name": "a", "namespace": "other"}},
        (
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ),
    "no-name": (
        MAPS,
        {"metadata": {}},
        (
            422,
            "Invalid",
            'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
        ),
    ),
    "resource-version": (
        MAPS,
        {"metadata": {"name": "a", "resourceVersion": "5"}},
        (400, "", "resourceVersion should not be set on objects to be created"),
    ),
    "other-version": (
        MAPS,
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}},
        (
            400,
            "BadRequest",
            "the API version in the data (apps/v1) does not match the expected API version (v1)",
        ),
    ),
    "wrong-type": (
        MAPS,
        {"metadata": {"name": "a"}, "data": {"a": 1}},
        (
            400,
            "BadRequest",
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into '
            "Go struct field ConfigMap.data of type string",
        ),
    ),
}


@pytest.mark.parametrize(("path", "body", "expected"), REFUSED_CREATES.values(), ids=REFUSED_CREATES.keys())
def test_refused_creates(bench: Bench, path: str, body: Any, expected: tuple[int, str, str]) -> None:
    assert bench.error("POST", path, body) == expected


def test_unknown_fields_warn_or_fail(bench: Bench) -> None:
    body = {**config_map("odd"), "dta": {}}
    response = bench.call("POST", MAPS, body)
    assert response.status == 201
    assert response.warnings == ('unknown field "dta"',)
    assert bench.error("POST", MAPS, body, fieldValidation="Strict") == (
        400,
        "BadRequest",
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "dta"',
    )


def test_update_needs_the_latest_version(bench: Bench) -> None:
    made = bench.ok("POST", MAPS, config_map(a="1"))
    done = bench.ok("PUT", f"{MAPS}/settings", {**made, "data": {"a": "2"}})
    assert done["data"] == {"a": "2"}
    assert bench.error("PUT", f"{MAPS}/settings", made) == (409, "Conflict", MODIFIED)


def test_update_that_changes_nothing_is_no_write(bench: Bench) -> None:
    made = bench.ok("POST", MAPS, config_map(a="1"))
    revision = bench.store.revision
    bench.clock.run_until(bench.clock.now + 5_000_000)
    assert bench.ok("PUT", f"{MAPS}/settings", made)["metadata"]["resourceVersion"] == str(revision)
    patch = {"data": {"a": "1"}}
    bench.ok("PATCH", f"{MAPS}/settings", patch, content_type="application/merge-patch+json")
    assert bench.store.revision == revision


def test_another_uid_is_a_conflict(bench: Bench) -> None:
    made = bench.ok("POST", MAPS, config_map())
    other = {**made, "metadata": {**made["metadata"], "uid": "1-2-3"}}
    code, reason, message = bench.error("PUT", f"{MAPS}/settings", other)
    assert (code, reason) == (409, "Conflict")
    assert f"UID in precondition: 1-2-3, UID in object meta: {made['metadata']['uid']}" in message


PATCHES = {
    "merge": ("application/merge-patch+json", {"metadata": {"uid": "1-2-3"}}),
    "json": ("application/json-patch+json", [{"op": "replace", "path": "/metadata/uid", "value": "1-2-3"}]),
    "strategic": ("application/strategic-merge-patch+json", {"metadata": {"uid": "1-2-3"}}),
    "apply": (
        "application/apply-patch+yaml",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "uid": "1-2-3"}},
    ),
}


@pytest.mark.parametrize("kind", PATCHES)
def test_a_patch_cannot_change_the_uid(bench: Bench, kind: str) -> None:
    made = bench.ok("POST", MAPS, config_map())
    content_type, patch = PATCHES[kind]
    query = {"fieldManager": "m"} if kind == "apply" else {}
    assert bench.error("PATCH", f"{MAPS}/settings", patch, content_type=content_type, **query) == (
        422,
        "Invalid",
        'ConfigMap "settings" is invalid: metadata.uid: Invalid value: "1-2-3": field is immutable',
    )
    assert bench.ok("GET", f"{MAPS}/settings")["metadata"]["uid"] == made["metadata"]["uid"]


STATUSES = [
    pytest.param("/api/v1/nothing", ["message", "reason", "details", "code"], {}, id="no such resource"),
    pytest.param(
        f"{MAPS}/none",
        ["message", "reason", "details", "code"],
        {"name": "none", "kind": "configmaps"},
        id="no such object",
    ),
]


@pytest.mark.parametrize(("path", "last", "details"), STATUSES)
def test_a_status_has_its_fields_in_order(bench: Bench, path: str, last: list[str], details: Any) -> None:
    status = orjson.loads(bench.call("GET", path).body)
    assert list(status) == ["kind", "apiVersion", "metadata", "status", *last]
    assert status.get("details") == details


def test_a_status_without_details(bench: Bench) -> None:
    status = orjson.loads(bench.call("GET", MAPS, labelSelector="a in").body)
    assert list(status)[4:] == ["message", "reason", "code"]


def test_names_cannot_change(bench: Bench) -> None:
    made = bench.ok("POST", MAPS, config_map())
    other = {**made, "metadata": {**made["metadata"], "name": "b"}}
    expected = "the name of the object (b) does not match the name on the URL (settings)"
    assert bench.error("PUT", f"{MAPS}/settings", other) == (400, "BadRequest", expected)


def test_generation_counts_spec_changes_alone(bench: Bench) -> None:
    bench.ok("POST", DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/web"
    merge = "application/merge-patch+json"
    labeled = bench.ok("PATCH", path, {"metadata": {"labels": {"x": "y"}}}, content_type=merge)
    assert labeled["metadata"]["generation"] == 1
    scaled = bench.ok("PATCH", path, {"spec": {"replicas": 5}}, content_type=merge)
    assert scaled["metadata"]["generation"] == 2
    status = bench.ok(
        "PATCH", f"{path}/status", {"status": {"replicas": 3}, "spec": {"replicas": 9}}, content_type=merge
    )
    assert status["status"]["replicas"] == 3
    assert status["spec"]["replicas"] == 5
    assert status["metadata"]["generation"] == 2


def test_scale(bench: Bench) -> None:
    bench.ok("POST", DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/web/scale"
    shown = bench.ok("GET", path)
    assert (shown["kind"], shown["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert shown["spec"] == {"replicas": 2}
    assert shown["status"] == {"replicas": 0, "selector": "app=web"}
    merge = "application/merge-patch+json"
    assert bench.ok("PATCH", path, {"spec": {"replicas": 4}}, content_type=merge)["spec"] == {"replicas": 4}
    assert bench.ok("GET", f"{DEPLOYMENTS}/web")["spec"]["replicas"] == 4
    assert bench.error("PATCH", path, {"spec": {"replicas": -1}}, content_type=merge) == (
        422,
        "Invalid",
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: '
        "must be greater than or equal to 0",
    )


def test_apply_creates_then_guards_other_managers(bench: Bench) -> None:
    apply = "application/apply-patch+yaml"
    path = f"{MAPS}/settings"
    first = bench.call("PATCH", path, config_map(a="1"), content_type=apply, fieldManager="one")
    assert first.status == 201
    code, reason, message = bench.error(
        "PATCH", path, config_map(a="2"), content_type=apply, fieldManager="two"
    )
    assert (code, reason) == (409, "Conflict")
    assert message == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    done = bench.ok("PATCH", path, config_map(a="2"), content_type=apply, fieldManager="two", force="true")
    assert done["data"] == {"a": "2"}
    assert bench.error("PATCH", path, config_map(), content_type=apply) == (
        422,
        "Invalid",
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )


def test_json_patch_whose_test_fails(bench: Bench) -> None:
    bench.ok("POST", MAPS, config_map(a="1"))
    operations = [{"op": "test", "path": "/data/a", "value": "2"}]
    assert bench.error(
        "PATCH", f"{MAPS}/settings", operations, content_type="application/json-patch+json"
    ) == (422, "Invalid", "the server rejected our request due to an error in our request")


# ---- deletes ---------------------------------------------------------------------------------------------


def _place(bench: Bench, name: str = "web") -> None:
    """The Pod on a node and running."""
    binding = {"target": {"kind": "Node", "name": "worker-1"}, "metadata": {"name": name}}
    bench.ok("POST", f"{PODS}/{name}/binding", binding)
    status = RequestContext(ADMIN, manager="kubelet", subresource="status", trusted=True)
    live = bench.registry.find("pods", "default", name)
    assert live is not None
    bench.registry.update(
        status, "pods", "default", name, {**live, "status": {**live["status"], "phase": "Running"}}
    )


def test_a_pod_without_a_node_goes_at_once(bench: Bench) -> None:
    bench.ok("POST", PODS, pod())
    gone = bench.ok("DELETE", f"{PODS}/web")
    assert gone["kind"] == "Pod"
    assert bench.error("GET", f"{PODS}/web") == (404, "NotFound", 'pods "web" not found')


def test_a_running_pod_gets_its_grace(bench: Bench) -> None:
    bench.ok("POST", PODS, pod())
    _place(bench)
    meta = bench.ok("DELETE", f"{PODS}/web")["metadata"]
    assert meta["deletionTimestamp"] == "2026-01-01T00:00:30Z"
    assert meta["deletionGracePeriodSeconds"] == 30
    # Only a shorter grace may follow.
    longer = bench.ok("DELETE", f"{PODS}/web", {"gracePeriodSeconds": 60})["metadata"]
    assert longer["deletionGracePeriodSeconds"] == 30
    shorter = bench.ok("DELETE", f"{PODS}/web", {"gracePeriodSeconds": 5})["metadata"]
    assert (shorter["deletionTimestamp"], shorter["deletionGracePeriodSeconds"]) == (
        "2026-01-01T00:00:05Z",
        5,
    )
    bench.ok("DELETE", f"{PODS}/web", gracePeriodSeconds="0")
    assert bench.registry.find("pods", "default", "web") is None


def test_finalizers_hold_an_object_until_they_are_gone(bench: Bench) -> None:
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/guard"]
    bench.ok("POST", MAPS, body)
    held = bench.ok("DELETE", f"{MAPS}/settings")
    assert held["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    patch = {"metadata": {"finalizers": None}}
    bench.ok("PATCH", f"{MAPS}/settings", patch, content_type="application/merge-patch+json")
    assert bench.registry.find("configmaps", "default", "settings") is None


@pytest.mark.parametrize(
    ("policy", "finalizers"),
    [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"]), ("Background", None)],
)
def test_propagation_policies(bench: Bench, policy: str, finalizers: list[str] | None) -> None:
    bench.ok("POST", DEPLOYMENTS, deployment())
    done = bench.ok("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": policy})
    if finalizers is None:
        assert done["status"] == "Success"
        assert done["details"]["name"] == "web"
        assert done["details"]["group"] == "apps"
        assert done["details"]["kind"] == "deployments"
    else:
        assert done["metadata"]["finalizers"] == finalizers
        assert done["metadata"]["deletionTimestamp"]


def test_preconditions_of_a_delete(bench: Bench) -> None:
    made = bench.ok("POST", MAPS, config_map())
    options = {"preconditions": {"uid": "other"}}
    assert bench.error("DELETE", f"{MAPS}/settings", options) == (
        409,
        "Conflict",
        'Operation cannot be fulfilled on ConfigMap "settings": the UID in the precondition '
        "(other) does not "
        f"match the UID in record ({made['metadata']['uid']}). The object might have been "
        "deleted and then recreated",
    )
    bench.ok("POST", DEPLOYMENTS, deployment())
    options = {"preconditions": {"resourceVersion": "1"}}
    status = orjson.loads(bench.call("DELETE", f"{DEPLOYMENTS}/web", options).body)
    assert status["message"].startswith(
        'Operation cannot be fulfilled on Deployment.apps "web": the ResourceVersion'
    )
    assert status["details"] == {"name": "web", "group": "apps", "kind": "Deployment"}


def test_delete_collection_with_a_selector(bench: Bench) -> None:
    for name in ("a", "b", "c"):
        body = config_map(name)
        body["metadata"]["labels"] = {"keep": str(name == "c").lower()}
        bench.ok("POST", MAPS, body)
    done = bench.ok("DELETE", MAPS, labelSelector="keep=false")
    assert [item["metadata"]["name"] for item in done["items"]] == ["a", "b"]
    assert [item["metadata"]["name"] for item in bench.ok("GET", MAPS)["items"]] == ["c"]


def test_a_terminating_namespace_takes_nothing_new(bench: Bench) -> None:
    bench.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "old"}})
    done = bench.ok("DELETE", "/api/v1/namespaces/old")
    assert done["status"]["phase"] == "Terminating"
    assert bench.error("POST", "/api/v1/namespaces/old/configmaps", config_map()) == (
        403,
        "Forbidden",
        'configmaps "settings" is forbidden: unable to create new content in namespace old because it is '
        "being terminated",
    )
    finalized = {**done, "spec": {"finalizers": []}}
    bench.ok("PUT", "/api/v1/namespaces/old/finalize", finalized)
    assert bench.registry.find("namespaces", None, "old") is None


def test_some_namespaces_stay(bench: Bench) -> None:
    assert bench.error("DELETE", "/api/v1/namespaces/default") == (
        403,
        "Forbidden",
        'namespaces "default" is forbidden: this namespace may not be deleted',
    )


# ---- dry runs and budgets --------------------------------------------------------------------------------


def test_a_dry_run_changes_nothing_at_all(bench: Bench) -> None:
    bench.ok("POST", PODS, pod("stays"))
    before = (bench.store.revision, orjson.dumps(bench.server.state()))
    made = bench.ok("POST", PODS, {**pod(), "metadata": {"generateName": "x-"}}, dryRun="All")
    assert made["metadata"]["name"].startswith("x-")
    bench.ok("DELETE", f"{PODS}/stays", dryRun="All")
    bench.ok("DELETE", PODS, {"dryRun": ["All"]})
    merge = "application/merge-patch+json"
    bench.ok("PATCH", f"{PODS}/stays", {"metadata": {"labels": {"a": "b"}}}, content_type=merge, dryRun="All")
    assert (bench.store.revision, orjson.dumps(bench.server.state())) == before


def test_the_ceiling_on_pods_is_named() -> None:
    bench = Bench(max_pods=1)
    bench.ok("POST", PODS, pod("one"))
    assert bench.error("POST", PODS, pod("two")) == (
        403,
        "Forbidden",
        'pods "two" is forbidden: exceeded quota: cluster-budget, requested: pods=1, used: '
        "pods=1, limited: pods=1",
    )


def test_the_ceiling_on_bytes() -> None:
    bench = Bench(max_object_bytes=2_000)
    code, _reason, message = bench.error("POST", MAPS, config_map(a="x" * 3_000))
    assert (code, message) == (413, "etcdserver: request is too large")


def test_bodies_past_the_limit(bench: Bench) -> None:
    code, reason, message = bench.error("POST", MAPS, b"x" * (3 * 1024 * 1024 + 1))
    assert (code, reason) == (413, "RequestEntityTooLarge")
    assert message == "Request entity too large: limit is 3145728"


def test_remembered_owners_are_the_computed_ones(bench: Bench) -> None:
    """What components create by the thousand is owned as if each object had been walked."""
    template = bench.ok("POST", DEPLOYMENTS, deployment())["spec"]["template"]
    controller = RequestContext(ADMIN, manager="controller", trusted=True)
    walked = RequestContext(ADMIN, manager="controller")
    for index, (labels, empty) in enumerate(
        [({"a": "b"}, ""), ({"a": "c"}, ""), ({"a": "b", "x": "y"}, "text")] * 2
    ):
        entries = []
        for context, name in ((controller, f"fast-{index}"), (walked, f"slow-{index}")):
            meta = {"name": name, "labels": labels, "annotations": {"note": empty}}
            made = bench.registry.create(
                context,
                "pods",
                "default",
                {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]},
            )
            entries.append(made["metadata"]["managedFields"])
        assert entries[0] == entries[1]
