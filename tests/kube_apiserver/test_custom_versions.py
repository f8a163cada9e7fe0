"""Custom resources in several versions, of which only apiVersion is converted: each has its own rules."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from sea import BOATS, CRDS, NAME, Sea, boat, definition, schema, version

from cluster_engine.api.apiextensions.kinds import custom_kind
from cluster_engine.api.apiextensions.values import pruned
from cluster_engine.apimachinery.versions import version_rank
from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]
FIRST, SECOND = BOATS, BOATS.replace("v1", "v2")
MERGE = "application/merge-patch+json"

OLD = version(
    openapi=schema(sail={"type": "boolean"}, crew={"type": "integer", "default": 1}, only={"type": "string"}),
    additionalPrinterColumns=[{"name": "Crew", "type": "integer", "jsonPath": ".spec.crew"}],
)
NEW = version(
    "v2",
    schema(
        sail={"type": "boolean", "default": True},
        crew={"type": "integer", "maximum": 5},
        length={
            "type": "integer",
            "x-kubernetes-validations": [{"rule": "self > 3", "message": "too short a boat"}],
        },
    ),
    subresources={
        "status": {},
        "scale": {"specReplicasPath": ".spec.crew", "statusReplicasPath": ".status.n"},
    },
    selectableFields=[{"jsonPath": ".spec.sail"}],
    storage=False,
)
NEW["schema"]["openAPIV3Schema"]["properties"]["status"] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
}


@pytest.fixture(scope="module")
def base() -> Sea:
    sea = Sea()
    sea.ok("POST", CRDS, definition(OLD, NEW))
    return sea


@pytest.fixture
def sea(base: Sea) -> Sea:
    return Sea(base.cluster.fork())


def spec(obj: JSON) -> JSON:
    found: JSON = obj["spec"]
    return found


def move(sea: Sea, **change: Any) -> None:
    """The second version is the storage version from now on."""
    live = sea.ok("GET", f"{CRDS}/{NAME}")
    versions = [{**OLD, "storage": False, **change}, {**NEW, "storage": True}]
    sea.ok("PUT", f"{CRDS}/{NAME}", {**live, "spec": {**live["spec"], "versions": versions}})


def test_defaults_and_pruning_are_the_request_s(sea: Sea) -> None:
    made = sea.ok("POST", SECOND, boat("a", "v2", spec={"length": 4, "only": "x"}))
    # It is stored as v1, which knows no length and has a default of its own.
    assert spec(made) == {"sail": True, "crew": 1}
    assert spec(sea.ok("GET", f"{FIRST}/a")) == {"sail": True, "crew": 1}
    stored = sea.cluster.get(NAME, "a")
    assert stored is not None
    assert (stored["apiVersion"], spec(stored)) == ("shop.example.com/v1", {"sail": True})
    # A stored object has the defaults of its own version, not those of who reads it.
    sea.ok("POST", FIRST, boat("b", spec={"only": "x"}))
    assert spec(sea.ok("GET", f"{SECOND}/b")) == {"crew": 1}


def test_validation_and_rules_are_the_request_s(sea: Sea) -> None:
    said = sea.refused("POST", SECOND, boat("a", "v2", spec={"length": 2, "crew": 9}))
    assert "spec.crew: Invalid value: 9: spec.crew in body should be less than or equal to 5" in said
    assert "too short a boat" in said
    sea.ok("POST", FIRST, boat("a", spec={"crew": 9}))
    assert "less than or equal to 5" in sea.refused("PATCH", f"{SECOND}/a", {"spec": {"crew": 8}}, MERGE)
    assert spec(sea.ok("PATCH", f"{FIRST}/a", {"spec": {"crew": 8}}, MERGE))["crew"] == 8
    # What an update leaves as it was is not held against it, in any version.
    assert spec(sea.ok("PATCH", f"{SECOND}/a", {"spec": {"sail": False}}, MERGE))["crew"] == 8


def test_subresources_are_the_version_s(sea: Sea) -> None:
    sea.ok("POST", FIRST, boat("a", spec={"crew": 2}))
    assert sea.call("GET", f"{FIRST}/a/scale")[0] == 404
    assert sea.call("GET", f"{FIRST}/a/status")[0] == 404
    assert sea.ok("GET", f"{SECOND}/a/scale")["spec"] == {"replicas": 2}
    sea.ok("PATCH", f"{SECOND}/a/scale", {"spec": {"replicas": 3}}, MERGE)
    assert spec(sea.ok("GET", f"{FIRST}/a"))["crew"] == 3
    found = sea.ok("GET", "/apis/shop.example.com/v2")["resources"]
    assert [each["name"] for each in found] == ["boats", "boats/scale", "boats/status"]
    assert [each["name"] for each in sea.ok("GET", "/apis/shop.example.com/v1")["resources"]] == ["boats"]


def test_columns_and_selectable_fields_are_the_version_s(sea: Sea) -> None:
    sea.ok("POST", FIRST, boat("a", spec={"sail": True}))

    def cells(path: str) -> list[Any]:
        accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
        reply = sea.cluster.request(Request("GET", path, [], {"accept": accept}, b"", ADMIN))
        found: list[Any] = orjson.loads(reply.body)["rows"][0]["cells"]
        return found

    assert cells(FIRST) == ["a", 1]
    assert len(cells(SECOND)) == 2
    assert len(sea.ok("GET", f"{SECOND}?fieldSelector=spec.sail=true")["items"]) == 1
    said = sea.refused("GET", f"{FIRST}?fieldSelector=spec.sail=true")
    assert said.startswith('"spec.sail" is not a known field selector')


def test_storage_moves_object_by_object(sea: Sea) -> None:
    for name in ("a", "b"):
        sea.ok("POST", FIRST, boat(name, spec={"crew": 2, "only": "x"}))
    move(sea)
    sea.ok("POST", FIRST, boat("c", spec={"crew": 2}))
    sea.ok("PATCH", f"{FIRST}/b", {"metadata": {"labels": {"a": "b"}}}, MERGE)

    def versions() -> list[str]:
        return [obj["apiVersion"].rpartition("/")[2] for obj in sea.cluster.list(NAME)]

    assert versions() == ["v1", "v2", "v2"]
    assert [spec(obj) for obj in sea.ok("GET", FIRST)["items"]] == [
        {"crew": 2, "only": "x"},
        {"crew": 2, "sail": True},
        {"crew": 2, "sail": True},
    ]
    sea.ok("PATCH", f"{FIRST}/a", {}, MERGE)
    assert versions() == ["v2", "v2", "v2"]
    assert sea.ok("GET", f"{CRDS}/{NAME}")["status"]["storedVersions"] == ["v1", "v2"]


def test_what_is_stored_in_a_version_that_is_served_no_more_is_read(sea: Sea) -> None:
    sea.ok("POST", FIRST, boat("a", spec={"crew": 2}))
    move(sea, served=False)
    assert sea.call("GET", f"{FIRST}/a")[0] == 404
    assert spec(sea.ok("GET", f"{SECOND}/a")) == {"crew": 2}
    assert sea.ok("DELETE", f"{SECOND}/a")["status"] == "Success"


def test_what_the_schema_knows_no_more_is_not_shown(sea: Sea) -> None:
    sea.ok("POST", FIRST, boat("a", spec={"crew": 2, "only": "x"}))
    live = sea.ok("GET", f"{CRDS}/{NAME}")
    del live["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["only"]
    sea.ok("PUT", f"{CRDS}/{NAME}", live)
    assert spec(sea.ok("GET", f"{FIRST}/a")) == {"crew": 2}


def test_a_finalizer_that_was_there_is_not_warned_of_again(sea: Sea) -> None:
    def warned(method: str, path: str, body: JSON, kind: str) -> list[str]:
        reply = sea.cluster.request(
            Request(method, path, [], {"content-type": kind}, orjson.dumps(body), ADMIN)
        )
        assert reply.status < 300
        return [text.split('"')[1] for text in reply.warnings]

    made = boat("a") | {"metadata": {"name": "a", "finalizers": ["one"]}}
    assert warned("POST", FIRST, made, "application/json") == ["one"]
    assert warned("PATCH", f"{FIRST}/a", {"metadata": {"finalizers": ["one", "two"]}}, MERGE) == ["two"]
    assert warned("PATCH", f"{FIRST}/a", {"metadata": {"finalizers": ["two"]}}, MERGE) == []


def test_discovery_of_one_that_goes_names_no_verb_that_writes(sea: Sea) -> None:
    made = boat("a") | {"metadata": {"name": "a", "finalizers": ["example.com/stays"]}}
    sea.ok("POST", FIRST, made)
    sea.ok("DELETE", f"{CRDS}/{NAME}")
    [found] = sea.ok("GET", "/apis/shop.example.com/v1")["resources"]
    assert found["verbs"] == ["delete", "deletecollection", "get", "list", "watch"]
    said = sea.refused("POST", FIRST, boat("b"))
    assert "create not allowed while custom resource definition is terminating" in said


OPEN_OBJECT: JSON = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
KNOWN: JSON = {"type": "object", "properties": {"b": {"type": "string"}}}

# id: (the schema of a field, its value, what is left of it)
PRUNED: dict[str, tuple[JSON, Any, Any]] = {
    "an object of nothing": ({"type": "object"}, {"a": 1}, {}),
    "what is kept": (OPEN_OBJECT, {"a": {"b": 1}}, {"a": {"b": 1}}),
    "what is known of what is kept": (
        {**OPEN_OBJECT, "properties": {"a": KNOWN}}, {"a": {"b": "c", "d": 1}, "e": 1}, {"a": {"b": "c"}, "e": 1},
    ),
    "a map": ({"type": "object", "additionalProperties": KNOWN}, {"x": {"b": "c", "d": 1}}, {"x": {"b": "c"}}),
    "a map of anything": ({"type": "object", "additionalProperties": True}, {"x": 1, "y": {"z": 1}}, {"x": 1, "y": {}}),
    "a list": ({"type": "array", "items": KNOWN}, [{"b": "c", "d": 1}, {"b": "e"}], [{"b": "c"}, {"b": "e"}]),
    "a list that is kept": ({"x-kubernetes-preserve-unknown-fields": True}, [{"a": [{"b": 1}]}], [{"a": [{"b": 1}]}]),
    "an embedded resource": (
        {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": KNOWN}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"b": "c", "d": 1}, "e": 1},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"b": "c"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "left"), PRUNED.values(), ids=PRUNED)
def test_pruning(schema: JSON, value: Any, left: Any) -> None:
    obj = {"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "field": value, "more": 1}
    found = pruned(obj, {"type": "object", "properties": {"field": schema}})
    assert found == {"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "field": left}
    assert pruned(found, {"type": "object", "properties": {"field": schema}}) is found


def test_discovery_names_verbs_as_upstream_does(sea: Sea) -> None:
    [found] = sea.ok("GET", "/apis/shop.example.com/v1")["resources"]
    assert found["verbs"] == [
        "delete", "deletecollection", "get", "list", "patch", "create", "update", "watch",
    ]  # fmt: skip


def test_each_version_is_published(sea: Sea) -> None:
    described = {}
    for name in ("v1", "v2"):
        schemas = sea.ok("GET", f"/openapi/v3/apis/shop.example.com/{name}")["components"]["schemas"]
        described[name] = schemas[f"com.example.shop.{name}.Boat"]["properties"]
    assert set(described["v1"]["spec"]["properties"]) == {"sail", "crew", "only"}
    assert set(described["v2"]["spec"]["properties"]) == {"sail", "crew", "length"}
    assert described["v1"]["kind"]["description"].startswith("Kind is a string value representing")
    assert described["v1"]["metadata"]["description"].startswith("Standard object's metadata.")
    definitions = sea.ok("GET", "/openapi/v2")["definitions"]
    assert {"com.example.shop.v1.Boat", "com.example.shop.v2.Boat"} <= set(definitions)


# id: (versions that are served, the deprecated one, what is said)
DEPRECATED: dict[str, tuple[list[str], str, str]] = {
    "a newer one": (["v1", "v2"], "v1", "; use shop.example.com/v2 Boat"),
    "the newest": (["v1", "v2", "v10", "v3beta1"], "v1", "; use shop.example.com/v10 Boat"),
    "none that is newer": (["v1", "v2"], "v2", ""),
    "a beta": (["v1beta1", "v1"], "v1beta1", "; use shop.example.com/v1 Boat"),
}


@pytest.mark.parametrize(("names", "old", "said"), DEPRECATED.values(), ids=DEPRECATED)
def test_what_to_use_instead_of_a_deprecated_version(names: list[str], old: str, said: str) -> None:
    versions = [
        version(name, storage=name == "v1", **({"deprecated": True} if name == old else {})) for name in names
    ]
    kind = custom_kind(definition(*versions)).in_version(f"shop.example.com/{old}")
    assert kind is not None
    assert kind.deprecated == f"shop.example.com/{old} Boat is deprecated{said}"


def test_the_order_of_versions() -> None:
    """That of upstream's documentation."""
    order = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"]
    assert sorted(sorted(order), key=version_rank) == order
