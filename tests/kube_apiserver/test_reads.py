"""Lists, Tables, watches, discovery: what clients read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from apiserver_bench import MAPS, PODS, Bench, config_map, pod

from cluster_engine.api import KINDS

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def frames(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """(type, object) of each watch frame."""
    return [(f["type"], f["object"]) for f in map(orjson.loads, data.splitlines())]


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


def test_items_of_a_list_carry_no_kind(bench: Bench) -> None:
    bench.ok("POST", MAPS, config_map("a"))
    listed = bench.ok("GET", MAPS)
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert listed["metadata"] == {"resourceVersion": str(bench.store.revision)}
    assert "kind" not in listed["items"][0]
    assert listed["items"][0]["metadata"]["name"] == "a"


def test_chunks_show_one_moment(bench: Bench) -> None:
    for name in "abcde":
        bench.ok("POST", MAPS, config_map(name))
    first = bench.ok("GET", MAPS, limit="2")
    assert names(first["items"]) == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 3
    bench.ok("DELETE", f"{MAPS}/d")
    second = bench.ok("GET", MAPS, limit="2", **{"continue": first["metadata"]["continue"]})
    assert names(second["items"]) == ["c", "d"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    last = bench.ok("GET", MAPS, limit="2", **{"continue": second["metadata"]["continue"]})
    assert names(last["items"]) == ["e"]
    assert "continue" not in last["metadata"]


def _versioned(bench: Bench) -> tuple[str, str]:
    """Two revisions: one with the maps a, b, c and one with a, c, d."""
    for name in "abc":
        bench.ok("POST", MAPS, config_map(name))
    first = str(bench.store.revision)
    bench.ok("DELETE", f"{MAPS}/b")
    bench.ok("POST", MAPS, config_map("d"))
    return first, str(bench.store.revision)


@pytest.mark.parametrize(
    ("query", "found", "version"),
    [
        pytest.param({"resourceVersionMatch": "Exact"}, "abc", 0, id="exact"),
        pytest.param({"limit": "5"}, "abc", 0, id="legacy exact"),
        pytest.param(
            {"resourceVersionMatch": "Exact", "fieldSelector": "metadata.name=b"}, "b", 0, id="name"
        ),
        pytest.param({"resourceVersionMatch": "NotOlderThan"}, "acd", 1, id="not older than"),
        pytest.param({"resourceVersionMatch": "NotOlderThan", "limit": "5"}, "acd", 1, id="not older, limit"),
        pytest.param({}, "acd", 1, id="unset"),
    ],
)
def test_lists_at_a_version(bench: Bench, query: dict[str, str], found: str, version: int) -> None:
    versions = _versioned(bench)
    listed = bench.ok("GET", MAPS, resourceVersion=versions[0], **query)
    assert names(listed["items"]) == list(found)
    assert listed["metadata"]["resourceVersion"] == versions[version]


def test_an_exact_list_goes_on_exactly(bench: Bench) -> None:
    old, _new = _versioned(bench)
    first = bench.ok("GET", MAPS, resourceVersion=old, resourceVersionMatch="Exact", limit="1")
    bench.ok("DELETE", f"{MAPS}/c")
    rest = bench.ok("GET", MAPS, **{"continue": first["metadata"]["continue"]})
    assert (names(first["items"]), names(rest["items"])) == (["a"], ["b", "c"])
    assert rest["metadata"]["resourceVersion"] == old


def test_what_is_compacted_is_gone(bench: Bench) -> None:
    old, new = _versioned(bench)
    token = bench.ok("GET", MAPS, limit="1")["metadata"]["continue"]
    bench.clock.run_until(bench.clock.now + 600_000_000)
    bench.ok("POST", MAPS, config_map("e"))
    assert bench.ok("GET", MAPS, resourceVersion=new, resourceVersionMatch="Exact")["items"]
    assert bench.error("GET", MAPS, resourceVersion=old, resourceVersionMatch="Exact") == (
        410,
        "Expired",
        "The resourceVersion for the provided list is too old.",
    )
    bench.clock.run_until(bench.clock.now + 600_000_000)
    response = bench.call("GET", MAPS, **{"continue": token})
    status = orjson.loads(response.body)
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"].startswith("The provided continue parameter is too old to display a consistent")
    # The token of the refusal goes on with what is there now.
    rest = bench.ok("GET", MAPS, **{"continue": status["metadata"]["continue"]})
    assert names(rest["items"]) == ["c", "d", "e"]


def test_selectors(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.ok("POST", PODS, pod(name))
    assert names(bench.ok("GET", PODS, labelSelector="app in (b,c)")["items"]) == ["b"]
    assert names(bench.ok("GET", PODS, fieldSelector="metadata.name=a")["items"]) == ["a"]
    assert names(bench.ok("GET", "/api/v1/pods", fieldSelector="spec.nodeName=")["items"]) == ["a", "b"]
    assert bench.error("GET", PODS, fieldSelector="spec.colour=red") == (
        400,
        "BadRequest",
        "field label not supported: spec.colour",
    )


def test_tables_and_metadata(bench: Bench) -> None:
    bench.ok("POST", PODS, pod())
    shown = bench.ok("GET", PODS, accept=TABLE)
    assert shown["kind"] == "Table"
    assert [column["name"] for column in shown["columnDefinitions"]][:5] == [
        "Name",
        "Ready",
        "Status",
        "Restarts",
        "Age",
    ]
    assert shown["rows"][0]["cells"][0] == "web"
    assert shown["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    assert bench.ok("GET", PODS, accept=partial)["items"][0]["kind"] == "PartialObjectMetadata"


WHERE = {
    "unknown-path": ("GET", "/nope", (404, b"404 page not found\n")),
    "unknown-group": ("GET", "/apis/nope.example.com/v1/things", (404, b"404 page not found\n")),
    "unknown-resource": ("GET", "/api/v1/things", (404, None)),
    "unknown-subresource": ("GET", "/api/v1/namespaces/default/configmaps/a/things", (404, None)),
    "wrong-method": ("POST", "/api/v1/namespaces/default/configmaps/a", (405, None)),
}


@pytest.mark.parametrize(("method", "path", "expected"), WHERE.values(), ids=WHERE.keys())
def test_places_that_are_not(
    bench: Bench, method: str, path: str, expected: tuple[int, bytes | None]
) -> None:
    response = bench.call(method, path)
    assert response.status == expected[0]
    if expected[1] is not None:
        assert response.body == expected[1]
    else:
        assert orjson.loads(response.body)["kind"] == "Status"


# ---- watches ---------------------------------------------------------------------------------------------


def test_a_watch_without_a_version_begins_with_what_is_there(bench: Bench) -> None:
    bench.ok("POST", MAPS, config_map("a"))
    stream = bench.call("GET", MAPS, watch="1").stream
    assert stream is not None
    assert [(kind, obj["metadata"]["name"]) for kind, obj in frames(stream.take())] == [("ADDED", "a")]
    woken: list[int] = []
    stream.subscribe(lambda: woken.append(1))
    bench.ok("POST", MAPS, config_map("b"))
    bench.ok("POST", "/api/v1/namespaces/kube-system/configmaps", config_map("elsewhere"))
    assert woken == [1]
    kind, obj = frames(stream.take())[0]
    assert (kind, obj["kind"], obj["metadata"]["name"]) == ("ADDED", "ConfigMap", "b")
    stream.cancel()
    bench.ok("DELETE", f"{MAPS}/b")
    assert stream.take() == b""


def test_a_watch_goes_on_from_a_version(bench: Bench) -> None:
    version = bench.ok("POST", MAPS, config_map("a"))["metadata"]["resourceVersion"]
    bench.ok("POST", MAPS, config_map("b"))
    stream = bench.call("GET", MAPS, watch="1", resourceVersion=version).stream
    assert stream is not None
    assert names([obj for _kind, obj in frames(stream.take())]) == ["b"]


def test_a_selector_turns_changes_into_comings_and_goings(bench: Bench) -> None:
    made = bench.ok("POST", PODS, pod())
    stream = bench.call("GET", PODS, watch="1", labelSelector="app=web").stream
    assert stream is not None
    stream.take()
    merge = "application/merge-patch+json"
    for value in ("other", "web"):
        patch = {"metadata": {"labels": {"app": value}}}
        last = bench.ok("PATCH", f"{PODS}/web", patch, content_type=merge)
    (gone, old), (back, new) = frames(stream.take())
    assert (gone, back) == ("DELETED", "ADDED")
    assert old["metadata"]["labels"] == made["metadata"]["labels"]
    assert int(old["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert new["metadata"]["resourceVersion"] == last["metadata"]["resourceVersion"]


def test_initial_events_end_with_a_bookmark(bench: Bench) -> None:
    bench.ok("POST", MAPS, config_map("a"))
    stream = bench.call(
        "GET",
        MAPS,
        watch="1",
        sendInitialEvents="true",
        resourceVersionMatch="NotOlderThan",
        allowWatchBookmarks="true",
    ).stream
    assert stream is not None
    (added, _obj), (bookmark, mark) = frames(stream.take())
    assert (added, bookmark) == ("ADDED", "BOOKMARK")
    assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark["metadata"]["resourceVersion"] == str(bench.store.revision)
    assert frames(stream.tick())[0][0] == "BOOKMARK"


def test_a_version_too_old_is_an_error_event(bench: Bench) -> None:
    bench.ok("POST", MAPS, config_map("a"))
    bench.store.compact(bench.store.revision)
    stream = bench.call("GET", MAPS, watch="1", resourceVersion="1").stream
    assert stream is not None
    kind, status = frames(stream.take())[0]
    assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")
    assert stream.closed


def test_watched_tables_name_their_columns_once(bench: Bench) -> None:
    stream = bench.call("GET", PODS, watch="1", accept=TABLE).stream
    assert stream is not None
    for name in ("a", "b"):
        bench.ok("POST", PODS, pod(name))
    (_added, first), (_also, second) = frames(stream.take())
    assert first["kind"] == second["kind"] == "Table"
    assert first["columnDefinitions"]
    assert not second["columnDefinitions"]
    assert second["rows"][0]["cells"][0] == "b"


# ---- discovery -------------------------------------------------------------------------------------------


def test_version_and_health(bench: Bench) -> None:
    assert bench.ok("GET", "/version")["gitVersion"].startswith("v1.37.")
    assert bench.call("GET", "/readyz").body == b"ok"
    assert bench.call("GET", "/livez", verbose="").body.endswith(b"livez check passed\n")
    ready = bench.call("GET", "/readyz", verbose="").body.decode().splitlines()
    assert ready[:5] == [
        f"[+]{check} ok" for check in ("ping", "log", "etcd", "etcd-readiness", "informer-sync")
    ]
    assert ready[-3:] == [
        "[+]poststarthook/apiservice-openapiv3-controller ok",
        "[+]shutdown ok",
        "readyz check passed",
    ]


def test_aggregated_discovery_with_an_etag(bench: Bench) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    response = bench.call("GET", "/api", accept=accept)
    assert response.headers["content-type"] == (
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    )
    resources = orjson.loads(response.body)["items"][0]["versions"][0]["resources"]
    pods = next(entry for entry in resources if entry["resource"] == "pods")
    assert pods["scope"] == "Namespaced"
    assert "po" in pods["shortNames"]
    assert {"status", "log", "exec", "binding"} <= {part["subresource"] for part in pods["subresources"]}
    again = bench.call("GET", "/api", accept=accept, headers={"if-none-match": response.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_every_answer_that_a_kind_names_is_there(bench: Bench) -> None:
    """A name without an answer is a KeyError, which a strict cluster lets through."""
    for kind in KINDS:
        scope = "/namespaces/default" if kind.namespaced else ""
        for name, subresource in kind.subresources.items():
            method = {"get": "GET", "create": "POST", "update": "PUT"}[subresource.verbs[0]]
            path = f"{kind.path}{scope}/{kind.resource}/x/{name}"
            assert bench.call(method, path, {}).status < 500
        if kind.answer:
            assert bench.call("POST", f"{kind.path}{scope}/{kind.resource}", {}).status < 500


def test_what_is_never_stored_is_created_and_nothing_else(bench: Bench) -> None:
    for kind in (kind for kind in KINDS if kind.answer):
        scope = "/namespaces/default" if kind.namespaced else ""
        assert bench.call("GET", f"{kind.path}{scope}/{kind.resource}").status == 405
        assert bench.call("GET", f"{kind.path}{scope}/{kind.resource}/x").status == 404
        listed = next(e for e in bench.ok("GET", kind.path)["resources"] if e["name"] == kind.resource)
        assert listed["verbs"] == ["create"]
        assert "storageVersionHash" not in listed


def test_older_discovery(bench: Bench) -> None:
    assert bench.ok("GET", "/api")["versions"] == ["v1"]
    groups = [group["name"] for group in bench.ok("GET", "/apis")["groups"]]
    assert groups.index("apps") < groups.index("authorization.k8s.io") < groups.index("coordination.k8s.io")
    listed = bench.ok("GET", "/apis/apps/v1")
    scale = next(entry for entry in listed["resources"] if entry["name"] == "deployments/scale")
    assert (scale["group"], scale["kind"]) == ("autoscaling", "Scale")
