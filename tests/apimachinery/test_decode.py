"""What Go's decoding says and does."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.apimachinery import cow, decode
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.schema import custom_type, type_of

HANDLED = 'Deployment in version "v1" cannot be handled as a Deployment: '


def deployment(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}


def with_container(**container: Any) -> dict[str, Any]:
    return deployment(template={"spec": {"containers": [container]}})


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        pytest.param(
            deployment(replicas="3"),
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            id="a string for a number",
        ),
        pytest.param(
            deployment(replicas=3.5),
            "json: cannot unmarshal number 3.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            id="a fraction",
        ),
        pytest.param(
            deployment(replicas=3_000_000_000),
            "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
            id="too large",
        ),
        pytest.param(
            with_container(name="a", env=[{"name": "A", "value": 1}]),
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type"
            " string",
            id="deep in lists",
        ),
        pytest.param(
            deployment(template={"spec": {"containers": {}}}),
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type"
            " []v1.Container",
            id="an object for a list",
        ),
        pytest.param(
            with_container(name="a", resources={"limits": {"cpu": "x"}}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            id="quantity",
        ),
        pytest.param(
            {**deployment(), "metadata": {"labels": {"a": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
            id="label value",
        ),
        pytest.param(
            {**deployment(), "metadata": {"deletionTimestamp": "x"}},
            'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
            id="time",
        ),
        pytest.param(
            deployment(foo=1, template={"spec": {"containers": [{"name": "a", "imagee": "b"}]}}),
            'strict decoding error: unknown field "spec.foo", unknown field'
            ' "spec.template.spec.containers[0].imagee"',
            id="unknown fields",
        ),
    ],
)
def test_refused_bodies(obj: dict[str, Any], said: str) -> None:
    with pytest.raises(ApiError) as caught:
        decode.handle_body("apps/v1", "Deployment", obj)
    assert (caught.value.code, caught.value.message) == (400, HANDLED + said)


def test_unknown_fields_may_be_warned_of_or_ignored() -> None:
    obj = cow.freeze(deployment(foo=1))
    warned, warnings = decode.handle_body("apps/v1", "Deployment", obj, "Warn", ("spec.replicas",))
    ignored, nothing = decode.handle_body("apps/v1", "Deployment", obj, "Ignore")
    assert warnings == ['duplicate field "spec.replicas"', 'unknown field "spec.foo"']
    assert nothing == []
    assert "foo" not in warned["spec"]
    assert ignored == warned


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        pytest.param(
            ("v1", "Pod"),
            {"spec": {"nodeName": ""}},
            {"spec": {}, "metadata": {}, "status": {}},
            id="empty text",
        ),
        pytest.param(
            ("v1", "Pod"),
            {
                "spec": {
                    "priority": 0,
                    "hostNetwork": False,
                    "volumes": [],
                    "terminationGracePeriodSeconds": 0,
                }
            },
            {"spec": {"priority": 0, "terminationGracePeriodSeconds": 0}, "metadata": {}, "status": {}},
            id="zeros stay behind pointers only",
        ),
        pytest.param(
            ("v1", "Pod"),
            {"spec": {"containers": [{"name": "a", "image": None}]}},
            {"spec": {"containers": [{"name": "a", "resources": {}}]}, "metadata": {}, "status": {}},
            id="nulls go, structs appear",
        ),
        pytest.param(
            ("v1", "Pod"),
            {"metadata": {"creationTimestamp": None, "deletionTimestamp": "2026-01-01T02:00:00.9+02:00"}},
            {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {}, "status": {}},
            id="times are UTC seconds",
        ),
        pytest.param(
            ("v1", "Pod"),
            {
                "spec": {
                    "containers": [{"name": "a", "resources": {"limits": {"cpu": "1000m", "memory": 0.5}}}]
                }
            },
            {
                "spec": {
                    "containers": [{"name": "a", "resources": {"limits": {"cpu": "1", "memory": "500m"}}}]
                },
                "metadata": {},
                "status": {},
            },
            id="resource lists are canonical",
        ),
        pytest.param(
            ("v1", "PersistentVolumeClaim"),
            {"spec": {"storageClassName": ""}},
            {"spec": {"storageClassName": "", "resources": {}}, "metadata": {}, "status": {}},
            id="an empty class name means something",
        ),
    ],
)
def test_go_round_trip(kind: tuple[str, str], sent: dict[str, Any], kept: dict[str, Any]) -> None:
    decoded = decode.decode(*kind, cow.freeze(sent)).obj
    assert decoded == kept
    assert decode.decode(*kind, decoded).obj is decoded


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b"xyz", "invalid character 'x' looking for beginning of value"),
        (b"[" * 260 + b"]" * 260, "exceeded max depth"),
    ],
    ids=["empty", "cut off", "no JSON", "too deep"],
)
def test_broken_json(body: bytes, said: str) -> None:
    with pytest.raises(decode.DecodeError) as caught:
        decode.load_json(body)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("body", "twice"),
    [
        (b'{"a":{"b":1,"b":2},"c":[{"d":1,"d":2}]}', ("a.b", "c[0].d")),
        (b'{"a":":","b":"\\u003a"}', ()),
        (b'{"a":1,"a":2,"b":"\\u003a"}', ("a",)),
    ],
    ids=["nested", "colons in text", "escaped colon"],
)
def test_keys_that_come_twice(body: bytes, twice: tuple[str, ...]) -> None:
    assert decode.load_json(body)[1] == twice


def test_custom_types_prune_and_keep() -> None:
    schema = custom_type(
        {
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "properties": {
                        "size": {"type": "integer"},
                        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    },
                }
            },
        },
        "Foo",
    )
    obj = {"metadata": {"name": "a"}, "spec": {"size": 0, "other": 1, "any": {"x": {"y": 1}}}}
    decoded, unknown = decode.decode("ex.com/v1", "Foo", obj, schema)
    assert decoded["spec"] == {"size": 0, "any": {"x": {"y": 1}}}
    assert unknown == ("spec.other",)


def test_every_published_kind_has_a_type() -> None:
    for api_version, kind in (
        ("v1", "Pod"),
        ("apps/v1", "ReplicaSet"),
        ("batch/v1", "CronJob"),
        ("v1", "PodList"),
    ):
        node = type_of(api_version, kind)
        assert node is not None
        assert "metadata" in node.fields
