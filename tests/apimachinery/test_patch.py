"""JSON, merge and strategic merge patches."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.apimachinery import cow
from cluster_engine.apimachinery.patch import (
    PatchError,
    api_error,
    json_patch,
    merge_patch,
    strategic_merge_patch,
)
from cluster_engine.apimachinery.schema import type_of

DOC = cow.freeze({"a": [1, 2, {"b": 3}], "m/n": {"~": 1}})


@pytest.mark.parametrize(
    ("operations", "patched"),
    [
        pytest.param([{"op": "add", "path": "/a/-", "value": 4}], {"a": [1, 2, {"b": 3}, 4]}, id="append"),
        pytest.param([{"op": "add", "path": "/a/1", "value": 9}], {"a": [1, 9, 2, {"b": 3}]}, id="insert"),
        pytest.param([{"op": "remove", "path": "/a/0"}], {"a": [2, {"b": 3}]}, id="remove"),
        pytest.param(
            [{"op": "replace", "path": "/a/2/b", "value": 0}], {"a": [1, 2, {"b": 0}]}, id="replace"
        ),
        pytest.param([{"op": "move", "from": "/a/2/b", "path": "/c"}], {"a": [1, 2, {}], "c": 3}, id="move"),
        pytest.param([{"op": "copy", "from": "/a/2", "path": "/c"}], {"c": {"b": 3}}, id="copy"),
        pytest.param([{"op": "remove", "path": "/m~1n/~0"}], {"m/n": {}}, id="escapes"),
        pytest.param([{"op": "test", "path": "/nothing", "value": None}], {}, id="test of nothing"),
    ],
)
def test_json_patch(operations: list[Any], patched: dict[str, Any]) -> None:
    assert json_patch(DOC, operations) == {**DOC, **patched}


@pytest.mark.parametrize(
    ("operations", "code", "said"),
    [
        pytest.param(
            [{"op": "test", "path": "/a/0", "value": 2}],
            422,
            "testing value /a/0 failed: test failed",
            id="test",
        ),
        pytest.param(
            [{"op": "test", "path": "/a/0", "value": True}],
            422,
            "testing value /a/0 failed: test failed",
            id="true is no 1",
        ),
        pytest.param(
            [{"op": "remove", "path": "/x"}],
            422,
            "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value",
            id="remove what is not there",
        ),
        pytest.param(
            [{"op": "replace", "path": "/x/y", "value": 1}],
            422,
            'replace operation does not apply: doc is missing path: "/x/y": missing value',
            id="replace below nothing",
        ),
        pytest.param(
            [{"op": "test", "path": "/a/0", "value": 1}] * 10_001,
            413,
            "The allowed maximum operations in a JSON patch is 10000, got 10001",
            id="too many",
        ),
        pytest.param(
            {}, 400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch", id="no list"
        ),
    ],
)
def test_json_patch_errors(operations: Any, code: int, said: str) -> None:
    with pytest.raises(PatchError) as caught:
        json_patch(DOC, operations)
    assert str(caught.value) == said
    assert api_error(caught.value).code == code


def test_copies_may_not_double_without_end() -> None:
    operations = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 100
    with pytest.raises(PatchError, match="accumulated size increase of copy"):
        json_patch({"a": ["x" * 1000]}, operations)


def test_moves_may_not_nest_without_end() -> None:
    operations: list[dict[str, Any]] = []
    for number in range(200):
        inner, outer = ("a", "b") if number % 2 == 0 else ("b", "a")
        operations.append({"op": "add", "path": f"/{outer}", "value": {}})
        operations.append({"op": "move", "from": f"/{inner}", "path": f"/{outer}/{inner}"})
    with pytest.raises(PatchError, match="exceeded max depth"):
        json_patch({"a": {}}, operations)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/~", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text("ab/~", max_size=2), JSON, max_size=4)


def diff(old: dict[str, Any], new: dict[str, Any], at: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in old.keys() | new.keys():
        path = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in new:
            found.append({"op": "remove", "path": path})
        elif isinstance(old.get(name), dict) and isinstance(new[name], dict):
            found += diff(old[name], new[name], path)
        elif name not in old or orjson.dumps(old[name]) != orjson.dumps(new[name]):
            found.append({"op": "add", "path": path, "value": new[name]})
    return found


@given(OBJECTS, OBJECTS)
def test_json_patch_round_trip(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert json_patch(cow.freeze(old), diff(old, new)) == new


@given(OBJECTS, OBJECTS)
def test_merge_patch_is_idempotent(old: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patch(cow.freeze(old), cow.freeze(patch))
    assert merge_patch(cow.freeze(once), patch) is not None
    assert merge_patch(once, patch) == once


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_as_the_rfc_says(target: Any, patch: Any, merged: Any) -> None:
    assert merge_patch(cow.freeze(target), patch) == merged


def test_a_patch_without_effect_returns_the_same_object() -> None:
    pod = type_of("v1", "Pod")
    assert pod is not None
    obj = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "x"}]}}
    assert merge_patch(obj, {"metadata": {"labels": {"a": "b", "c": None}}}) is obj
    assert strategic_merge_patch(obj, {"metadata": {"annotations": None}}, pod) is obj


A, B = {"name": "a", "image": "x", "env": [{"name": "A", "value": "1"}]}, {"name": "b", "image": "y"}
LIVE = cow.freeze(
    {
        "metadata": {"finalizers": ["a/b", "c/d"]},
        "spec": {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {}},
            "template": {"spec": {"containers": [A, B]}},
        },
    }
)


def containers(*items: Any, **more: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(items), **more}}}}


@pytest.mark.parametrize(
    ("patch", "at", "result"),
    [
        pytest.param(
            containers({"name": "b", "image": "z"}),
            ("spec", "template", "spec", "containers"),
            [A, {"name": "b", "image": "z"}],
            id="an item merges by name",
        ),
        pytest.param(
            containers({"name": "c"}),
            ("spec", "template", "spec", "containers"),
            [{"name": "c"}, A, B],
            id="a new item comes first",
        ),
        pytest.param(
            containers({"name": "a", "$patch": "delete"}),
            ("spec", "template", "spec", "containers"),
            [B],
            id="delete an item",
        ),
        pytest.param(
            containers({"$patch": "replace"}, {"name": "q"}),
            ("spec", "template", "spec", "containers"),
            [{"name": "q"}],
            id="replace the list",
        ),
        pytest.param(
            containers({"name": "a", "env": [{"name": "B", "value": "2"}]}),
            ("spec", "template", "spec", "containers", 0, "env"),
            [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
            id="lists in items merge too",
        ),
        pytest.param(
            containers(
                {"name": "a", "image": "n"}, **{"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}
            ),
            ("spec", "template", "spec", "containers"),
            [B, {**A, "image": "n"}],
            id="order",
        ),
        pytest.param(
            {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
            ("spec", "strategy"),
            {"type": "Recreate"},
            id="retain keys",
        ),
        pytest.param(
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"]}},
            ("metadata", "finalizers"),
            ["c/d"],
            id="delete from a list of texts",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["e/f"]}},
            ("metadata", "finalizers"),
            ["e/f", "a/b", "c/d"],
            id="add to a list of texts",
        ),
        pytest.param(
            {"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}},
            ("spec", "strategy"),
            {"type": "Recreate"},
            id="replace an object",
        ),
        pytest.param(
            {"spec": {"strategy": {"rollingUpdate": None}}},
            ("spec", "strategy"),
            {"type": "RollingUpdate"},
            id="null removes",
        ),
        pytest.param(
            {"metadata": {"annotations": {"a": None, "b": "c"}}},
            ("metadata", "annotations"),
            {"b": "c"},
            id="nulls do not arrive",
        ),
    ],
)
def test_strategic_merge(patch: dict[str, Any], at: tuple[Any, ...], result: Any) -> None:
    deployment = type_of("apps/v1", "Deployment")
    assert deployment is not None
    assert cow.get(strategic_merge_patch(LIVE, cow.freeze(patch), deployment), *at) == result


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        pytest.param(
            containers({"image": "b"}),
            "map: map[image:b] does not contain declared merge key: name",
            id="no key",
        ),
        pytest.param(
            {"metadata": {"$patch": "foo"}},
            "unknown patch type: foo in map: map[$patch:foo]",
            id="directive",
        ),
        pytest.param(
            {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}},
            "invalid patch format of retainKeys",
            id="retainKeys",
        ),
    ],
)
def test_strategic_merge_errors(patch: dict[str, Any], said: str) -> None:
    deployment = type_of("apps/v1", "Deployment")
    assert deployment is not None
    with pytest.raises(PatchError) as caught:
        strategic_merge_patch(LIVE, patch, deployment)
    assert str(caught.value) == said
