"""YAML, tables, the OpenAPI documents, and the type tables."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine.api import KINDS as ALL_KINDS
from cluster_engine.api.subresources import SCALE, STATUS
from cluster_engine.apimachinery import openapi, table, yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.enums import ENUMS
from cluster_engine.apimachinery.schema import List, Map, Node, Struct, struct_named
from cluster_engine.apimachinery.scheme import Column, Kind, Subresource


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a: yes\nb: 'yes'\nc: off", {"a": True, "b": "yes", "c": False}, id="YAML 1.1 truth"),
        pytest.param(
            "a: 0777\nb: 0x1F\nc: 1_000\nd: -5", {"a": 511, "b": 31, "c": 1000, "d": -5}, id="integers"
        ),
        pytest.param("a: 1e3\nb: .5\nc: 1.0", {"a": 1000.0, "b": 0.5, "c": 1.0}, id="floats"),
        pytest.param(
            "a: 1:30\nb: 2026-01-01\nc: 1.2.3", {"a": "1:30", "b": "2026-01-01", "c": "1.2.3"}, id="text"
        ),
        pytest.param("a: ~\nb:\nc: null", {"a": None, "b": None, "c": None}, id="null"),
        pytest.param("1: a\ntrue: b\n2.5: c", {"1": "a", "true": "b", "2.5": "c"}, id="keys are text"),
        pytest.param(
            "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2", {"a": {"b": 1}, "c": {"d": 2, "b": 1}}, id="merge"
        ),
        pytest.param('{"a": "\\u00e9", "b": [1]}', {"a": "é", "b": [1]}, id="JSON"),
        pytest.param("a: |\n  x\n  y\n", {"a": "x\ny\n"}, id="block"),
    ],
)
def test_yaml(text: str, value: Any) -> None:
    assert yaml.load(text) == value


def test_documents() -> None:
    assert yaml.load_all("---\n---\na: 1\n---\nb: 2\n...\n") == [{"a": 1}, {"b": 2}]


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "a:\n  b: c: d", "yaml: line 2: mapping values are not allowed in this context", id="mapping"
        ),
        pytest.param("a:\n\tb: 1", "yaml: line 2: found character that cannot start any token", id="tab"),
        pytest.param(
            "a: 1\na: 2", 'yaml: unmarshal errors:\n  line 2: key "a" already set in map', id="key twice"
        ),
        pytest.param("a: *z", "yaml: unknown anchor 'z' referenced", id="unknown anchor"),
        pytest.param("a: &a [*a]", "yaml: anchor 'a' value contains itself", id="recursion"),
        pytest.param(
            "a: !!python/object:os.system x",
            "yaml: line 1: cannot decode tag:yaml.org,2002:python/object:os.system",
            id="tag",
        ),
        pytest.param(
            BOMB, "yaml: line 6: document contains excessive aliasing or more than 100000 values", id="bomb"
        ),
        pytest.param("[" * 100_000, "yaml: line 1: exceeded max depth of 120", id="depth"),
        pytest.param("a: \x01", "yaml: control characters are not allowed", id="control character"),
        pytest.param("a: .nan", "json: unsupported value: .nan", id="no number"),
    ],
)
def test_yaml_errors(text: str, said: str) -> None:
    with pytest.raises(yaml.YamlError) as caught:
        yaml.load_all(text)
    assert str(caught.value) == "error converting YAML to JSON: " + said


def test_yaml_dump_reads_back() -> None:
    value = {"b": "yes", "a": [{"x": 1, "y": "a\nb\n"}], "c": {}, "d": None, "e": "1", "f": "*", "g": "1:30"}
    assert yaml.load(yaml.dump(value)) == value
    assert yaml.dump({"b": [{"x": 1}], "a": "1"}) == 'a: "1"\nb:\n- x: 1\n'


def row(obj: dict[str, Any], now: int) -> list[Any]:
    return [obj["metadata"]["name"], now]


KINDS = [
    Kind(
        "",
        "v1",
        "Pod",
        "pods",
        "pod",
        True,
        subresources={"status": Subresource(), "log": Subresource(("get",), answer="log")},
        columns=(Column("Name"),),
        row=row,
    ),
    Kind("apps", "v1", "Deployment", "deployments", "deployment", True, subresources=STATUS | SCALE),
]


def test_table() -> None:
    pod = {"metadata": {"name": "a", "resourceVersion": "7"}, "spec": {}}
    made = table.to_table(KINDS[0], [pod], 5)
    assert made == {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "7"},
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "", "description": "", "priority": 0}
        ],
        "rows": [
            {
                "cells": ["a", 5],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": pod["metadata"],
                },
            }
        ],
    }
    assert table.to_table(KINDS[0], [pod], 5, include_object="None")["rows"] == [{"cells": ["a", 5]}]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    return set()


def test_openapi_v3() -> None:
    index = orjson.loads(openapi.v3_index(KINDS))["paths"]
    assert sorted(index) == ["api/v1", "apis/apps/v1"]
    digest = openapi.v3_hash(KINDS, "apis/apps/v1")
    assert index["apis/apps/v1"] == {"serverRelativeURL": f"/openapi/v3/apis/apps/v1?hash={digest}"}
    body = openapi.v3_document(KINDS, "apis/apps/v1")
    assert body is not None
    document = orjson.loads(body)
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "apps",
        "kind": "Deployment",
        "version": "v1",
    }
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    schemas = document["components"]["schemas"]
    assert references(document) == {f"#/components/schemas/{name}" for name in schemas} & references(document)
    replicas = schemas["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["replicas"]
    assert (replicas["type"], replicas["format"]) == ("integer", "int32")
    assert openapi.v3_document(KINDS, "apis/nothing/v1") is None


def test_openapi_of_a_custom_resource() -> None:
    kinds = [Kind("ex.com", "v1", "Foo", "foos", "foo", True)]
    schema = {"type": "object", "properties": {"spec": {"type": "object"}}}
    body = openapi.v3_document(kinds, "apis/ex.com/v1", {"ex.com/v1/Foo": schema})
    assert body is not None
    made = orjson.loads(body)["components"]["schemas"]["com.ex.v1.Foo"]
    assert made["x-kubernetes-group-version-kind"] == [{"group": "ex.com", "kind": "Foo", "version": "v1"}]
    assert openapi.v3_hash(kinds, "apis/ex.com/v1") != openapi.v3_hash(
        kinds, "apis/ex.com/v1", {"ex.com/v1/Foo": schema}
    )


SHOWN = {
    "api/v1": {
        "core.v1.PodSpec": {"restartPolicy": ["Always", "Never", "OnFailure"]},
        "core.v1.Container": {"imagePullPolicy": ["Always", "IfNotPresent", "Never"], "name": None},
        "core.v1.ServicePort": {"protocol": ["SCTP", "TCP", "UDP"]},
    },
    "apis/apps/v1": {"apps.v1.DeploymentStrategy": {"type": ["Recreate", "RollingUpdate"]}},
}


@pytest.mark.parametrize("path", SHOWN)
def test_fields_that_have_certain_values_alone(path: str) -> None:
    kinds = [kind for kind in ALL_KINDS if openapi.path_of(kind) == path]
    schemas = orjson.loads(openapi.v3_document(kinds, path) or b"")["components"]["schemas"]
    found = {
        name: {field: schemas[f"io.k8s.api.{name}"]["properties"][field].get("enum") for field in fields}
        for name, fields in SHOWN[path].items()
    }
    assert found == SHOWN[path]


def test_each_enumeration_belongs_to_some_field() -> None:
    documents = (openapi.v3_document(ALL_KINDS, path) for path in openapi.paths(ALL_KINDS))
    schemas = [
        schema for made in documents for schema in orjson.loads(made or b"")["components"]["schemas"].values()
    ]
    used = {
        tuple(each["enum"])
        for schema in schemas
        for field in (schema.get("properties") or {}).values()
        for each in (field, field.get("items") or {}, field.get("additionalProperties") or {})
        if "enum" in each
    }
    assert set(ENUMS.values()) <= used
    assert all(list(values) == sorted(values) for values in ENUMS.values())


VALUES: dict[str, tuple[str, str, str, list[str], bool]] = {
    # id: definition, field, where the values stand, some of them, whether the description tells them
    "a field": ("core.v1.Container", "imagePullPolicy", "", ["Always", "IfNotPresent", "Never"], True),
    "a pointer": ("core.v1.GRPCAction", "mode", "", ["Plaintext", "TLS"], True),
    "a list": ("networking.v1.NetworkPolicySpec", "policyTypes", "items", ["Egress", "Ingress"], False),
    "a list with nothing": ("core.v1.ServiceSpec", "ipFamilies", "items", ["", "IPv4", "IPv6"], False),
    "a map": (
        "core.v1.PersistentVolumeClaimStatus",
        "allocatedResourceStatuses",
        "additionalProperties",
        ["ControllerResizeInProgress", "NodeResizePending"],
        False,
    ),
    "neither": ("core.v1.Container", "args", "items", [], False),
}


@pytest.mark.parametrize(("name", "field", "where", "some", "told"), VALUES.values(), ids=VALUES)
def test_where_values_are_published(name: str, field: str, where: str, some: list[str], told: bool) -> None:
    """As kube-openapi's generateProperty, generateSliceProperty and generateMapProperty have it."""
    path = "apis/networking.k8s.io/v1" if name.startswith("networking") else "api/v1"
    document = orjson.loads(openapi.v3_document(ALL_KINDS, path) or b"")
    found = document["components"]["schemas"][f"io.k8s.api.{name}"]["properties"][field]
    values = (found[where] if where else found).get("enum") or []
    assert set(some) <= set(values)
    assert bool(values) == bool(some)
    assert (not where) == ("enum" in found)
    listed = "\n\nPossible enum values:\n" + "\n".join(f' - `"{value}"`' for value in values)
    assert found["description"].endswith(listed) == told


NOTHING: dict[str, tuple[str, str, str, Any]] = {
    # id: definition, field, where it stands, what is there when nobody says anything (None: nothing is said)
    "an object": ("io.k8s.api.core.v1.Pod", "spec", "", {}),
    "one that may be absent": ("io.k8s.api.core.v1.Container", "livenessProbe", "", None),
    "text": ("io.k8s.api.core.v1.Container", "name", "", ""),
    "text that is left out": ("io.k8s.api.core.v1.Container", "image", "", None),
    "a number": ("io.k8s.api.core.v1.ContainerPort", "containerPort", "", 0),
    "a yes or no": ("io.k8s.api.core.v1.ContainerStatus", "ready", "", False),
    "what the source names": ("io.k8s.api.core.v1.ContainerPort", "protocol", "", "TCP"),
    "a name that may be left out": ("io.k8s.api.core.v1.LocalObjectReference", "name", "", ""),
    "a list": ("io.k8s.api.core.v1.Container", "args", "", None),
    "its texts": ("io.k8s.api.core.v1.Container", "args", "items", ""),
    "its objects": ("io.k8s.api.core.v1.PodSpec", "containers", "items", {}),
    "texts by names": ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "labels", "additionalProperties", ""),
    "amounts by names": ("io.k8s.api.core.v1.ResourceRequirements", "limits", "additionalProperties", None),
    "a time": ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "creationTimestamp", "", None),
    "a port's name or number": ("io.k8s.api.core.v1.ServicePort", "targetPort", "", None),
    "bytes": ("io.k8s.api.core.v1.Secret", "data", "additionalProperties", None),
}  # fmt: skip


@pytest.mark.parametrize(("name", "field", "where", "default"), NOTHING.values(), ids=NOTHING)
def test_defaults_are_published(name: str, field: str, where: str, default: Any) -> None:
    """As kube-openapi's generateDefault has them."""
    document = orjson.loads(openapi.v3_document(ALL_KINDS, "api/v1") or b"")
    found = document["components"]["schemas"][name]["properties"][field]
    told = found[where] if where else found
    assert told.get("default") == default
    assert ("default" in told) == (default is not None)
    assert "$ref" not in told or len(told) == 1  # a reference has no neighbours


def test_a_custom_kind_of_a_built_in_ones_name_has_its_own_schema() -> None:
    kind = Kind("batch.example.com", "v1", "CronJob", "cronjobs", "cronjob", True)
    schema: JSON = {"type": "object", "properties": {"spec": {"type": "object"}}}
    document = openapi.v3_document(
        [kind], "apis/batch.example.com/v1", {"batch.example.com/v1/CronJob": schema}
    )
    found = orjson.loads(document or b"")["components"]["schemas"]["com.example.batch.v1.CronJob"][
        "properties"
    ]
    assert found["spec"] == {"type": "object"}


def test_openapi_v2() -> None:
    document = orjson.loads(openapi.v2_document(KINDS))
    assert document["swagger"] == "2.0"
    assert "io.k8s.api.core.v1.Pod" in document["definitions"]
    assert all(name.startswith("#/definitions/") for name in references(document))


def walk(name: str, node: Node, found: dict[str, Struct]) -> None:
    if isinstance(node, Struct):
        if node.name not in found:
            found[node.name] = node
            for field in node.fields.values():
                walk(f"{node.name}.{field.name}", field.node, found)
    elif isinstance(node, Map) and node.values is not node:
        walk(name, node.values, found)
    elif isinstance(node, List):
        walk(name, node.items, found)


@pytest.mark.parametrize(
    "name", ["core.v1.Pod", "core.v1.Node", "apps.v1.Deployment", "batch.v1.CronJob", "meta.v1.DeleteOptions"]
)
def test_type_tables_agree_with_the_published_definitions(name: str) -> None:
    """A changed wheel without a rerun of tools/schema_tables.py is found here."""
    definitions = openapi.published_definitions()
    found: dict[str, Struct] = {}
    walk(name, struct_named(name), found)
    for short, node in found.items():
        long = f"io.k8s.apimachinery.pkg.apis.{short}" if short.startswith("meta.") else f"io.k8s.api.{short}"
        published = definitions[long]["properties"]
        assert set(node.fields) == set(published), short
        for field in node.fields.values():
            if isinstance(field.node, List):
                told = published[field.name].get("x-kubernetes-list-type", "atomic")
                assert field.node.type == told, (short, field.name)
