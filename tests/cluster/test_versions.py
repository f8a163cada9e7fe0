"""A kind in two versions: each request speaks the version of its path, whatever is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import crontab
import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.api import KINDS
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import ADMIN, Request, Response

JSON = dict[str, Any]
V1 = "/apis/stable.example.com/v1/namespaces/default/crontabs"
BETA = "/apis/stable.example.com/v1beta1/namespaces/default/crontabs"
OLD_STYLE: JSON = {
    "apiVersion": "stable.example.com/v1beta1",
    "kind": "CronTab",
    "metadata": {"name": "a"},
    "spec": {"cronSpec": "5 4", "image": "x"},
}
NEW_STYLE: JSON = {
    "apiVersion": "stable.example.com/v1",
    "kind": "CronTab",
    "metadata": {"name": "a"},
    "spec": {"schedule": {"minute": "5", "hour": "4"}, "image": "x"},
}


@pytest.fixture
def cluster() -> Cluster:
    kinds = (*KINDS, crontab.KIND)  # the one line
    return Cluster(nodes=0, addons=False, control_plane=False, freezing=True, kinds=kinds)


def send(
    cluster: Cluster,
    method: str,
    path: str,
    body: JSON | None = None,
    content_type: str = "application/json",
    accept: str = "application/json",
    **query: str,
) -> Response:
    headers = {"content-type": content_type, "accept": accept, "user-agent": "test/1"}
    data = b"" if body is None else orjson.dumps(body)
    return cluster.request(Request(method, path, list(query.items()), headers, data, ADMIN))


def ok(cluster: Cluster, *args: Any, **more: Any) -> JSON:
    response = send(cluster, *args, **more)
    assert response.status < 300, response.body
    found: JSON = orjson.loads(response.body)
    return found


def spec_of(obj: JSON) -> tuple[str, JSON]:
    return obj["apiVersion"], obj["spec"]


AS_V1 = ("stable.example.com/v1", {"schedule": {"minute": "5", "hour": "4"}, "image": "x", "replicas": 1})
AS_BETA = ("stable.example.com/v1beta1", {"cronSpec": "5 4", "image": "x", "replicas": 1})


def test_what_is_created_in_one_version_is_read_in_both(cluster: Cluster) -> None:
    assert spec_of(ok(cluster, "POST", BETA, OLD_STYLE)) == AS_BETA
    assert spec_of(ok(cluster, "GET", f"{V1}/a")) == AS_V1
    assert spec_of(ok(cluster, "GET", f"{BETA}/a")) == AS_BETA
    stored = cluster.get("crontabs", "a")
    assert stored is not None
    assert spec_of(stored) == AS_V1


def test_lists_and_tables(cluster: Cluster) -> None:
    ok(cluster, "POST", V1, NEW_STYLE)
    listed = ok(cluster, "GET", BETA)
    assert (listed["kind"], listed["apiVersion"]) == ("CronTabList", "stable.example.com/v1beta1")
    assert [item["spec"] for item in listed["items"]] == [AS_BETA[1]]
    assert [item["spec"] for item in ok(cluster, "GET", V1)["items"]] == [AS_V1[1]]
    pretty = ok(cluster, "GET", BETA, pretty="true")
    assert [item["spec"] for item in pretty["items"]] == [AS_BETA[1]]
    assert ok(cluster, "GET", BETA, fieldSelector="spec.image=y")["items"] == []
    table = ok(
        cluster, "GET", BETA, accept="application/json;as=Table;v=v1;g=meta.k8s.io", includeObject="Object"
    )
    assert table["rows"][0]["cells"][:2] == ["a", 1]
    assert spec_of(table["rows"][0]["object"]) == AS_BETA


def test_watches(cluster: Cluster) -> None:
    streams = [send(cluster, "GET", path, watch="true").stream for path in (V1, BETA)]
    ok(cluster, "POST", V1, NEW_STYLE)
    seen = []
    for stream in streams:
        assert stream is not None
        event = orjson.loads(stream.take())
        seen.append((event["type"], *spec_of(event["object"])))
    assert seen == [("ADDED", *AS_V1), ("ADDED", *AS_BETA)]


PATCHES: dict[str, tuple[str, str, Any]] = {
    "merge in v1": (V1, "application/merge-patch+json", {"spec": {"schedule": {"hour": "9"}}}),
    "merge in v1beta1": (BETA, "application/merge-patch+json", {"spec": {"cronSpec": "5 9"}}),
    "json in v1beta1": (
        BETA,
        "application/json-patch+json",
        [{"op": "replace", "path": "/spec/cronSpec", "value": "5 9"}],
    ),
}


@pytest.mark.parametrize(("path", "content_type", "patch"), PATCHES.values(), ids=PATCHES.keys())
def test_patches_are_of_the_version_of_the_path(
    cluster: Cluster, path: str, content_type: str, patch: Any
) -> None:
    made = ok(cluster, "POST", V1, NEW_STYLE)
    changed = ok(cluster, "PATCH", f"{path}/a", patch, content_type)
    assert changed["apiVersion"] == path.removeprefix("/apis/").partition("/namespaces")[0]
    stored = cluster.get("crontabs", "a")
    assert stored is not None
    assert stored["spec"]["schedule"] == {"minute": "5", "hour": "9"}
    assert stored["metadata"]["generation"] == made["metadata"]["generation"] + 1


def test_a_patch_that_changes_nothing_writes_nothing(cluster: Cluster) -> None:
    made = ok(cluster, "POST", V1, NEW_STYLE)
    same = ok(cluster, "PATCH", f"{BETA}/a", {"spec": {"cronSpec": "5 4"}}, "application/merge-patch+json")
    assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_updates_status_and_delete(cluster: Cluster) -> None:
    made = ok(cluster, "POST", BETA, OLD_STYLE)
    ok(cluster, "PUT", f"{BETA}/a", {**made, "spec": {"cronSpec": "0 0", "image": "x"}})
    assert ok(cluster, "GET", f"{V1}/a")["spec"]["schedule"] == {"minute": "0", "hour": "0"}
    ok(cluster, "PUT", f"{BETA}/a/status", {**OLD_STYLE, "status": {"replicas": 2}})
    shown = ok(cluster, "GET", f"{V1}/a")
    assert (shown["status"], shown["spec"]["schedule"]["hour"]) == ({"replicas": 2}, "0")
    deleted = ok(cluster, "DELETE", BETA)
    assert [item["spec"]["cronSpec"] for item in deleted["items"]] == ["0 0"]


def test_the_body_must_be_of_the_version_of_the_path(cluster: Cluster) -> None:
    response = send(cluster, "POST", V1, OLD_STYLE)
    assert (response.status, orjson.loads(response.body)["message"]) == (
        400,
        "the API version in the data (stable.example.com/v1beta1) does not match the expected API version "
        "(stable.example.com/v1)",
    )
    strict = send(cluster, "POST", BETA, {**OLD_STYLE, "spec": {"schedule": {}}}, fieldValidation="Strict")
    assert orjson.loads(strict.body)["message"] == (
        'CronTab in version "v1beta1" cannot be handled as a CronTab: strict decoding error: '
        'unknown field "spec.schedule"'
    )
    invalid = send(cluster, "POST", BETA, {**OLD_STYLE, "spec": {"replicas": -1}})
    assert orjson.loads(invalid.body)["message"] == (
        'CronTab.stable.example.com "a" is invalid: spec.replicas: Invalid value: -1: '
        "must be greater than or equal to 0"
    )


def test_a_deprecated_version_warns(cluster: Cluster) -> None:
    warning = "stable.example.com/v1beta1 CronTab is deprecated; use stable.example.com/v1 CronTab"
    assert send(cluster, "GET", BETA).warnings == (warning,)
    assert send(cluster, "GET", V1).warnings == ()


def test_discovery_and_schemas(cluster: Cluster) -> None:
    group = ok(cluster, "GET", "/apis/stable.example.com")
    assert [version["version"] for version in group["versions"]] == ["v1", "v1beta1"]
    assert group["preferredVersion"]["version"] == "v1"
    both = [ok(cluster, "GET", f"/apis/stable.example.com/{v}")["resources"][0] for v in ("v1", "v1beta1")]
    assert both[0] == both[1], "the storage version's hash is one"
    assert [both[0]["name"], both[0]["shortNames"]] == ["crontabs", ["ct"]]
    for version, field in (("v1", "schedule"), ("v1beta1", "cronSpec")):
        document = ok(cluster, "GET", f"/openapi/v3/apis/stable.example.com/{version}")
        schema = document["components"]["schemas"][f"com.example.stable.{version}.CronTab"]
        assert field in schema["properties"]["spec"]["properties"]


def owners(obj: JSON) -> list[tuple[str, str, str, JSON]]:
    entries = obj["metadata"]["managedFields"]
    return [(e["manager"], e["operation"], e["apiVersion"], e["fieldsV1"].get("f:spec", {})) for e in entries]


def apply(cluster: Cluster, path: str, body: JSON, manager: str, force: str = "false") -> Response:
    return send(
        cluster, "PATCH", f"{path}/a", body, "application/apply-patch+yaml", fieldManager=manager, force=force
    )


def test_owners_keep_their_versions(cluster: Cluster) -> None:
    ok(cluster, "POST", BETA, OLD_STYLE, fieldManager="old")
    assert owners(ok(cluster, "GET", f"{V1}/a")) == [
        (
            "old",
            "Update",
            "stable.example.com/v1beta1",
            {".": {}, "f:cronSpec": {}, "f:image": {}, "f:replicas": {}},
        )
    ]
    hour = {"spec": {"schedule": {"hour": "9"}}}
    ok(cluster, "PATCH", f"{V1}/a", hour, "application/merge-patch+json", fieldManager="new")
    # What v1 knows as the hour is a part of what v1beta1 has in one field.
    assert sorted(owners(ok(cluster, "GET", f"{V1}/a"))) == [
        ("new", "Update", "stable.example.com/v1", {"f:schedule": {"f:hour": {}}}),
        ("old", "Update", "stable.example.com/v1beta1", {".": {}, "f:image": {}, "f:replicas": {}}),
    ]


def test_apply_meets_owners_of_another_version(cluster: Cluster) -> None:
    assert apply(cluster, BETA, OLD_STYLE, "first").status == 201
    other = {**NEW_STYLE, "spec": {"schedule": {"minute": "5", "hour": "7"}}}
    refused = apply(cluster, V1, other, "second")
    assert (refused.status, orjson.loads(refused.body)["message"]) == (
        409,
        'Apply failed with 1 conflict: conflict with "first": .spec.cronSpec',
    )
    assert apply(cluster, V1, other, "second", force="true").status == 200
    shown = ok(cluster, "GET", f"{V1}/a")
    assert shown["spec"]["schedule"] == {"minute": "5", "hour": "7"}
    assert {who: version for who, _op, version, _fields in owners(shown)} == {
        "first": "stable.example.com/v1beta1",
        "second": "stable.example.com/v1",
    }


def test_apply_prunes_across_versions(cluster: Cluster) -> None:
    assert apply(cluster, BETA, OLD_STYLE, "me").status == 201
    without = {**NEW_STYLE, "spec": {"image": "x"}}
    assert apply(cluster, V1, without, "me").status == 200
    shown = ok(cluster, "GET", f"{BETA}/a")
    assert "cronSpec" not in shown["spec"]
    assert [(who, version) for who, _op, version, _fields in owners(shown)] == [
        ("me", "stable.example.com/v1")
    ]


def test_nothing_is_lost_on_the_way(cluster: Cluster) -> None:
    """Each version, there and back, is what it was; and so is a cluster after a replay of its writes."""
    for form in crontab.KIND.forms:
        for obj in (OLD_STYLE, NEW_STYLE, {"apiVersion": "stable.example.com/v1", "metadata": {}}):
            shown = crontab.KIND.converted(obj, form.api_version)
            assert shown is not None
            assert crontab.KIND.converted(shown, obj["apiVersion"]) == obj
    ok(cluster, "POST", BETA, OLD_STYLE)
    again = Cluster.replay(cluster.journal, kinds=cluster.scheme.kinds)
    assert again.state_hash() == cluster.state_hash()


def test_a_version_that_is_stored_and_not_served() -> None:
    """As a CRD's version with ``served: false, storage: true``: other clients use the others, components the stored."""
    kind = replace(crontab.KIND, served=False)
    cluster = Cluster(nodes=0, addons=False, control_plane=False, freezing=True, kinds=(*KINDS, kind))
    ok(cluster, "POST", BETA, OLD_STYLE)
    assert send(cluster, "GET", f"{V1}/a").status == 404
    assert send(cluster, "POST", V1, NEW_STYLE).status == 404
    assert spec_of(ok(cluster, "GET", f"{BETA}/a"))[0] == "stable.example.com/v1beta1"
    stored = cluster.store.get("crontabs.stable.example.com", "default/a")
    assert stored is not None
    assert stored["apiVersion"] == "stable.example.com/v1"
    group = ok(cluster, "GET", "/apis/stable.example.com")
    assert [each["version"] for each in group["versions"]] == ["v1beta1"]
    assert group["preferredVersion"]["version"] == "v1beta1"
    assert send(cluster, "GET", "/apis/stable.example.com/v1").status == 404
    patch: JSON = {"spec": {"cronSpec": "1 2"}}
    ok(cluster, "PATCH", f"{BETA}/a", patch, "application/merge-patch+json")
    owners = ok(cluster, "GET", f"{BETA}/a")["metadata"]["managedFields"]
    assert {each["apiVersion"] for each in owners} == {"stable.example.com/v1beta1"}
    with pytest.raises(ApiError, match=r'no matches for kind "CronTab" in version "stable.example.com/v1"'):
        cluster.apply(NEW_STYLE)
    cluster.settle()
    cluster.delete("crontabs", "a")
    assert cluster.get("crontabs", "a") is None
