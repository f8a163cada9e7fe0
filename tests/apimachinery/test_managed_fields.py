"""Field ownership: updates, server-side apply, conflicts."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine.apimachinery import cow, managed_fields, server_side_apply
from cluster_engine.apimachinery.decode import decode
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.schema import Struct, custom_type, type_of

T0, T1, T2 = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"


def schema(api_version: str, kind: str) -> Struct:
    found = type_of(api_version, kind)
    assert found is not None
    return found


DEPLOYMENT = schema("apps/v1", "Deployment")


def deployment(replicas: int | None = 3, image: str = "nginx", **meta: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {"containers": [{"name": "n", "image": image}]},
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "default", "labels": {"app": "x"}, **meta},
        "spec": spec,
    }


def container_with(**fields: Any) -> dict[str, Any]:
    container = {"name": "n", "image": "nginx", **fields}
    return cow.put(deployment(), ("spec", "template", "spec", "containers"), [container])


def entries(obj: dict[str, Any]) -> list[dict[str, Any]]:
    return list(obj["metadata"].get("managedFields", []))


def update(old: Any, new: Any, manager: str, time: str = T0, **more: Any) -> dict[str, Any]:
    return managed_fields.update(old, cow.freeze(new), manager=manager, schema=DEPLOYMENT, time=time, **more)


def apply(live: Any, config: Any, manager: str, time: str = T0, force: bool = False) -> dict[str, Any]:
    return server_side_apply.apply(
        live, cow.freeze(config), manager=manager, force=force, schema=DEPLOYMENT, time=time
    )


def test_create_owns_what_upstream_says() -> None:
    """The set that a real cluster shows for ``kubectl create`` of this Deployment, before its defaults."""
    obj = decode("apps/v1", "Deployment", deployment()).obj
    created = update(None, obj, "kubectl-create")
    assert entries(created) == [
        {
            "manager": "kubectl-create",
            "operation": "Update",
            "apiVersion": "apps/v1",
            "time": T0,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:replicas": {},
                    "f:selector": {},
                    "f:template": {
                        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                        "f:spec": {
                            "f:containers": {
                                'k:{"name":"n"}': {".": {}, "f:image": {}, "f:name": {}, "f:resources": {}}
                            }
                        },
                    },
                },
            },
        }
    ]


def test_an_update_takes_fields_from_their_owner() -> None:
    first = update(None, deployment(), "one")
    second = update(first, cow.put(first, ("spec", "replicas"), 5), "two", T1)
    assert [(e["manager"], e["time"]) for e in entries(second)] == [("one", T0), ("two", T1)]
    assert "f:replicas" not in entries(second)[0]["fieldsV1"]["f:spec"]
    assert entries(second)[1]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}


def test_the_same_manager_keeps_one_entry() -> None:
    first = update(None, deployment(), "one")
    second = update(first, cow.put(first, ("spec", "paused"), True), "one", T1)
    assert [(e["manager"], e["time"]) for e in entries(second)] == [("one", T1)]
    assert {"f:paused", "f:replicas"} <= set(entries(second)[0]["fieldsV1"]["f:spec"])


def test_an_update_without_change_changes_nothing() -> None:
    first = update(None, deployment(), "one")
    assert update(first, first, "two", T1) == first


def test_removed_fields_lose_their_owner_and_empty_entries_go() -> None:
    first = update(None, deployment(), "one")
    second = update(first, cow.put(first, ("metadata", "annotations"), {"a": "b"}), "two", T1)
    third = update(second, cow.drop(second, ("metadata", "annotations")), "one", T2)
    assert [e["manager"] for e in entries(third)] == ["one"]


def test_status_belongs_to_its_subresource() -> None:
    first = update(None, {**deployment(), "status": {"replicas": 1}}, "one", reset=("status",))
    assert "f:status" not in entries(first)[0]["fieldsV1"]
    changed = cow.put(cow.put(first, ("status",), {"replicas": 2}), ("spec", "replicas"), 9)
    second = update(first, changed, "ctl", T1, subresource="status", reset=("spec",))
    assert [(e["manager"], e.get("subresource")) for e in entries(second)] == [
        ("one", None),
        ("ctl", "status"),
    ]
    assert entries(second)[1]["fieldsV1"] == {"f:status": {"f:replicas": {}}}


def test_old_updates_become_ancient_changes() -> None:
    obj = update(None, deployment(), "m0")
    for number in range(1, 14):
        labels = {**obj["metadata"]["labels"], f"l{number}": "x"}
        obj = update(obj, cow.with_meta(obj, labels=labels), f"m{number}", f"2026-01-01T00:00:{number:02d}Z")
    found = entries(obj)
    assert len(found) == 10
    assert found[0]["manager"] == "ancient-changes"
    assert {"f:l1", "f:l2", "f:l3", "f:l4"} <= set(found[0]["fieldsV1"]["f:metadata"]["f:labels"])
    assert found[-1]["manager"] == "m13"


def test_a_request_may_clear_managed_fields() -> None:
    first = update(None, deployment(), "one")
    cleared = update(first, cow.with_meta(first, managedFields=[{}]), "two", T1)
    assert entries(cleared) == []


def test_what_a_request_sends_is_put_in_order() -> None:
    """Whatever order a client sends a field set in, it is printed in upstream's."""
    first = update(None, deployment(), "one")
    (entry,) = entries(first)
    sent = {**entry, "fieldsV1": dict(reversed(entry["fieldsV1"].items()))}
    sent["fieldsV1"]["f:spec"] = dict(reversed(sent["fieldsV1"]["f:spec"].items()))
    kept = update(first, cow.with_meta({**deployment(5)}, managedFields=[sent]), "one", T1)
    (after,) = entries(kept)
    assert list(after["fieldsV1"]) == list(entry["fieldsV1"])
    assert list(after["fieldsV1"]["f:spec"]) == list(entry["fieldsV1"]["f:spec"])


def test_apply_creates() -> None:
    made = apply(None, deployment(), "kubectl")
    assert entries(made)[0]["operation"] == "Apply"
    assert entries(made)[0]["fieldsV1"] == {
        "f:metadata": {"f:labels": {"f:app": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {
                "f:metadata": {"f:labels": {"f:app": {}}},
                "f:spec": {"f:containers": {'k:{"name":"n"}': {".": {}, "f:image": {}, "f:name": {}}}},
            },
        },
    }


def test_apply_again_changes_nothing() -> None:
    made = apply(None, deployment(), "kubectl")
    assert apply(made, deployment(), "kubectl", T1) is made


@pytest.mark.parametrize(
    ("config", "said", "causes"),
    [
        pytest.param(
            deployment(replicas=3),
            'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas',
            [
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "scaler" using apps/v1',
                    "field": ".spec.replicas",
                }
            ],
            id="one",
        ),
        pytest.param(
            deployment(replicas=3, image="other"),
            'Apply failed with 2 conflicts: conflicts with "first":\n'
            '- .spec.template.spec.containers[name="n"].image\n'
            'conflicts with "scaler" using apps/v1:\n- .spec.replicas',
            [
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "first"',
                    "field": '.spec.template.spec.containers[name="n"].image',
                },
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "scaler" using apps/v1',
                    "field": ".spec.replicas",
                },
            ],
            id="two",
        ),
    ],
)
def test_conflicts(config: Any, said: str, causes: list[dict[str, str]]) -> None:
    made = apply(None, deployment(), "first")
    scaled = update(made, cow.put(made, ("spec", "replicas"), 5), "scaler", T1)
    with pytest.raises(ApiError) as caught:
        apply(scaled, config, "second", T2)
    assert (caught.value.code, caught.value.reason, caught.value.message) == (409, "Conflict", said)
    assert caught.value.status["details"]["causes"] == causes


def test_force_takes_over_and_sharing_is_no_conflict() -> None:
    made = apply(None, deployment(), "first")
    shared = apply(made, deployment(), "second", T1)
    assert [e["manager"] for e in entries(shared)] == ["first", "second"]
    forced = apply(shared, deployment(replicas=9), "second", T2, force=True)
    assert forced["spec"]["replicas"] == 9
    assert "f:replicas" not in entries(forced)[0]["fieldsV1"]["f:spec"]


def test_what_is_no_longer_applied_goes_unless_others_own_it() -> None:
    made = apply(None, deployment(annotations={"mine": "1", "shared": "1"}), "first")
    both = apply(
        made, {**deployment(None), "metadata": {"name": "d", "annotations": {"shared": "1"}}}, "second", T1
    )
    server = cow.put(both, ("spec", "paused"), True)
    config = deployment()
    less = apply(server, {**config, "metadata": {"name": "d", "namespace": "default"}}, "first", T2)
    assert less["metadata"]["annotations"] == {"shared": "1"}
    assert "labels" not in less["metadata"]
    assert less["spec"]["paused"] is True
    assert less["metadata"]["name"] == "d"


def test_list_items_are_removed_and_added() -> None:
    config = deployment()
    made = apply(None, config, "first")
    items = [{"name": "z", "image": "q"}]
    swapped = apply(made, cow.put(config, ("spec", "template", "spec", "containers"), items), "first", T1)
    assert swapped["spec"]["template"]["spec"]["containers"] == items


def test_first_apply_on_an_unmanaged_object() -> None:
    live = decode("apps/v1", "Deployment", deployment()).obj
    with pytest.raises(ApiError) as caught:
        apply(live, deployment(replicas=5), "kubectl", T1)
    assert caught.value.message == (
        'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas'
    )


def test_kubectl_takes_over_what_it_applied_on_the_client_side() -> None:
    config = deployment()
    annotated = cow.with_meta(
        config, annotations={server_side_apply.LAST_APPLIED: orjson.dumps(config).decode() + "\n"}
    )
    made = update(None, annotated, "kubectl-client-side-apply")
    applied = apply(made, deployment(replicas=7), "kubectl", T1)
    assert applied["spec"]["replicas"] == 7
    annotation = orjson.loads(applied["metadata"]["annotations"][server_side_apply.LAST_APPLIED])
    assert annotation["spec"]["replicas"] == 7


def test_last_applied_excuses_only_what_still_equals_it() -> None:
    config = deployment(replicas=1)
    text = orjson.dumps(config).decode() + "\n"
    annotated = cow.with_meta(config, annotations={server_side_apply.LAST_APPLIED: text})
    made = update(None, annotated, "kubectl-client-side-apply")
    scaled = update(made, cow.put(made, ("spec", "replicas"), 3), "kubectl", subresource="scale")
    with pytest.raises(ApiError) as caught:
        apply(scaled, config, "kubectl", T1)
    assert caught.value.message == (
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'
    )


@pytest.mark.parametrize(
    ("config", "said"),
    [
        pytest.param(
            cow.put(deployment(), ("spec", "foo"), 1),
            ".spec.foo: field not declared in schema",
            id="one",
        ),
        pytest.param(
            {**cow.put(deployment(), ("spec", "foo"), 1), "bar": 1},
            "errors:\n  .spec.foo: field not declared in schema\n  .bar: field not declared in schema",
            id="two",
        ),
        pytest.param(
            container_with(env=[{"name": "MODE", "value": "a"}, {"name": "MODE", "value": "b"}]),
            '.spec.template.spec.containers[name="n"].env: duplicate entries for key [name="MODE"]',
            id="a key twice",
        ),
        pytest.param(
            container_with(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]),
            '.spec.template.spec.containers[name="n"].ports: duplicate entries for key '
            '[containerPort=80,protocol="TCP"]',
            id="a key twice, by its default",
        ),
        pytest.param(
            cow.with_meta(deployment(), finalizers=["x/a", "x/b", "x/a"]),
            '.metadata.finalizers: duplicate entries for key [="x/a"]',
            id="an item of a set twice",
        ),
    ],
)
def test_what_does_not_fit_cannot_be_applied(config: Any, said: str) -> None:
    with pytest.raises(ApiError) as caught:
        apply(None, config, "kubectl")
    assert caught.value.message == (
        f"failed to create typed patch object (default/d; apps/v1, Kind=Deployment): {said}"
    )


def test_custom_resources_merge_by_key() -> None:
    made = server_side_apply.apply(
        None,
        {
            "apiVersion": "ex.com/v1",
            "kind": "Foo",
            "metadata": {"name": "a"},
            "spec": {"a": {"b": 1}, "l": [1]},
        },
        manager="m",
        force=False,
        schema=custom_type({"properties": {"spec": {"type": "object"}}}, "Foo"),
        time=T0,
    )
    assert entries(made)[0]["fieldsV1"] == {
        "f:spec": {"f:a": {".": {}, "f:b": {".": {}}}, "f:l": {".": {}}}
    } or entries(made)[0]["fieldsV1"] == {"f:spec": {"f:a": {".": {}, "f:b": {}}, "f:l": {}}}


@pytest.mark.parametrize(
    ("parameter", "agent", "name"),
    [
        ("mine", "kubectl/v1.37.0 (linux/amd64)", "mine"),
        (None, "kubectl/v1.37.0 (linux/amd64)", "kubectl"),
        (None, None, "unknown"),
        ("", "a" * 200, "a" * 128),
    ],
)
def test_manager_names(parameter: str | None, agent: str | None, name: str) -> None:
    assert managed_fields.manager_name(parameter, agent) == name
