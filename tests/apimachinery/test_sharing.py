"""Copy-on-write: a part that a write leaves as it was stays the very same object."""

import copy

import pytest

from cluster_engine.apimachinery.cow import sharing, unshared

OLD = {
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"a": "b"}, "annotations": {"c": "d"}},
    "spec": {"containers": [{"name": "c"}]},
    "status": {},
}


def edited(*path, value):
    new = copy.deepcopy(OLD)
    *way, last = path
    place = new
    for step in way:
        place = place[step]
    place[last] = value
    return new


CASES = [
    (("spec",), {"containers": []}),
    (("status",), {"phase": "Running"}),
    (("metadata", "labels"), {"a": "c"}),
    (("metadata", "finalizers"), ["f"]),
    (("data",), {"x": "y"}),
    (("kind",), "Node"),
]


@pytest.mark.parametrize(("path", "value"), CASES, ids=[".".join(path) for path, _ in CASES])
def test_what_is_equal_is_shared_and_what_differs_is_kept(path, value):
    new = edited(*path, value=value)
    shared = sharing(new, OLD)
    assert shared == new
    assert unshared(shared, OLD) == []
    for name in OLD:
        assert (shared[name] is OLD[name]) == (name != path[0])
    for name in OLD["metadata"]:
        assert (shared["metadata"][name] is OLD["metadata"][name]) == (path[:2] != ("metadata", name))


def test_nothing_changed_is_the_old_object():
    assert sharing(copy.deepcopy(OLD), OLD) is OLD


@pytest.mark.parametrize("gone", ["spec", "status"])
def test_a_part_that_is_gone_is_a_change(gone):
    new = {name: value for name, value in OLD.items() if name != gone}
    assert sharing(copy.deepcopy(new), OLD) == new
    assert sharing(copy.deepcopy(OLD), new) == OLD


def test_null_is_not_absent():
    assert sharing({"metadata": {}, "a": None}, {"metadata": {}, "b": None}) == {"metadata": {}, "a": None}


def test_parts_that_were_not_shared_are_named():
    assert unshared(copy.deepcopy(OLD), OLD) == [
        "metadata",
        "spec",
        "status",
        "metadata.labels",
        "metadata.annotations",
    ]
