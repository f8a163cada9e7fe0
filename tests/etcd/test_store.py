"""etcd: revisions, compare-and-set, watches, compaction, leases, freezing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_engine.etcd import Compacted, CompareFailed, Store
from cluster_engine.etcd.store import COMPACTION_INTERVAL, HISTORY_LIMIT
from cluster_engine.sim import Clock


def pod(name, namespace="default", **more):
    return {"metadata": {"name": name, "namespace": namespace}, **more}


@pytest.fixture
def store():
    return Store(Clock(0), freezing=True)


def test_every_write_takes_the_next_revision(store):
    first = store.put("pods", "default/a", pod("a"), expect=0)
    second = store.put("configmaps", "default/a", pod("a"))
    assert (first["metadata"]["resourceVersion"], second["metadata"]["resourceVersion"]) == ("2", "3")
    assert store.revision == 3
    assert len(store) == 2


@pytest.mark.parametrize(
    ("expect", "holds"),
    [
        pytest.param(None, True, id="blind"),
        pytest.param(2, True, id="same"),
        pytest.param(0, False, id="must be new"),
        pytest.param(7, False, id="another"),
    ],
)
def test_compare_and_set(store, expect, holds):
    store.put("pods", "default/a", pod("a"))
    if holds:
        store.put("pods", "default/a", pod("a", spec=1), expect=expect)
        assert store.get("pods", "default/a")["spec"] == 1
    else:
        with pytest.raises(CompareFailed) as caught:
            store.put("pods", "default/a", pod("a", spec=1), expect=expect)
        assert caught.value.current is store.get("pods", "default/a")
        assert store.revision == 2


@pytest.mark.parametrize("write", ["put", "delete", "remember"])
def test_what_holds_nothing_is_shared_until_it_is_written(store, write):
    """A write to one table is seen in no other, of that store or of any."""
    other = Store(Clock(0))
    seen = []
    store.put("pods", "default/a", pod("a"))
    if write == "delete":
        store.delete("pods", "default/a")
    if write == "remember":
        other.remember({"pods": list(store.past()["pods"])})
    for place, resource in ((store, "secrets"), (other, "secrets"), (Store(Clock(0)), "pods")):
        place.watch(resource, 0, seen.append)
        assert (place.range(resource), place.count(resource), seen) == ([], 0, [])


def test_ranges_are_ordered_and_keep_to_their_namespace(store):
    for namespace, name in [("b", "z"), ("a", "y"), ("a-b", "x"), ("a", "b"), ("a0", "q")]:
        store.put("pods", f"{namespace}/{name}", pod(name, namespace))
    assert [obj["metadata"]["name"] for obj in store.range("pods", "a")] == ["b", "y"]
    assert [obj["metadata"]["name"] for obj in store.range("pods")] == ["x", "b", "y", "q", "z"]


def test_a_watch_sees_each_change_once_from_where_it_asked(store):
    store.put("pods", "default/a", pod("a"))
    since = store.revision
    store.put("pods", "default/a", pod("a", spec=1))
    store.put("configmaps", "default/a", pod("a"))
    seen = []
    watcher = store.watch("pods", since, seen.append)
    store.delete("pods", "default/a")
    watcher.cancel()
    watcher.cancel()
    store.put("pods", "default/a", pod("a"))
    assert [(event.type, event.revision) for event in seen] == [("MODIFIED", 3), ("DELETED", 5)]
    assert seen[1].object["metadata"]["resourceVersion"] == "5"
    assert seen[1].previous["metadata"]["resourceVersion"] == "3"


def test_history_is_bounded_and_old_watches_are_told(store):
    for _ in range(HISTORY_LIMIT + 5):
        store.put("pods", "default/a", pod("a"))
    with pytest.raises(Compacted, match=r"too old resource version: 1 \(6\)"):
        store.watch("pods", 1, print)
    seen = []
    store.watch("pods", 6, seen.append)
    assert len(seen) == HISTORY_LIMIT


def test_compaction(store):
    store.put("pods", "default/a", pod("a"))
    store.put("pods", "default/a", pod("a"))
    store.compact(2)
    with pytest.raises(Compacted):
        store.watch("pods", 1, print)
    store.watch("pods", 2, print)


def test_leases_take_keys_away_unless_they_were_written_again():
    clock = Clock(0)
    store = Store(clock)
    store.put("events", "default/a", pod("a"), ttl=10)
    store.put("events", "default/b", pod("b"), ttl=10)
    clock.run_until(5_000_000)
    store.put("events", "default/b", pod("b"), ttl=10)
    assert not clock.busy
    clock.run_until(12_000_000)
    assert [obj["metadata"]["name"] for obj in store.range("events")] == ["b"]


def test_stored_objects_cannot_be_changed(store):
    stored = store.put("pods", "default/a", pod("a", spec={"containers": [{"name": "x"}]}))
    with pytest.raises(TypeError, match="must not be mutated"):
        stored["spec"] = {}
    with pytest.raises(TypeError, match="must not be mutated"):
        stored["spec"]["containers"].append({})
    with pytest.raises(TypeError, match="must not be mutated"):
        stored["metadata"].update(name="b")


def test_a_loaded_store_goes_on(store):
    store.put("pods", "default/a", pod("a"))
    store.put("pods", "default/b", pod("b"))
    store.delete("pods", "default/a")
    other = Store(Clock(0))
    other.load(store.state())
    assert other.state() == store.state()
    assert len(other) == 1
    with pytest.raises(Compacted):
        other.watch("pods", store.revision - 1, print)


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "watch"]), st.integers(0, 4), st.integers(0, 60)), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(OPERATIONS)
def test_watches_have_no_gap_no_duplicate_and_end_in_the_same_state(operations):
    """A client that lists at some revision and then watches always arrives at what the store holds."""
    store = Store(Clock(0))
    followers = []
    for verb, number, _salt in operations:
        key = f"default/p{number}"
        if verb == "put":
            store.put("pods", key, pod(f"p{number}"))
        elif verb == "delete" and store.get("pods", key) is not None:
            store.delete("pods", key)
        elif verb == "watch":
            known = {obj["metadata"]["name"]: obj for obj in store.range("pods")}
            revisions = [store.revision]

            def follow(event, known=known, revisions=revisions):
                assert event.revision > revisions[-1]
                revisions.append(event.revision)
                name = event.object["metadata"]["name"]
                assert (event.type == "ADDED") == (name not in known)
                if event.type == "DELETED":
                    del known[name]
                else:
                    known[name] = event.object

            store.watch("pods", store.revision, follow)
            followers.append(known)
    current = {obj["metadata"]["name"]: obj for obj in store.range("pods")}
    assert all(known == current for known in followers)


@settings(max_examples=60, deadline=None)
@given(OPERATIONS)
def test_every_revision_can_be_read_until_it_is_compacted(operations):
    store = Store(Clock(0))
    was = {1: {}}
    for verb, number, _salt in operations:
        key = f"default/p{number}"
        if verb == "delete" and store.get("pods", key) is not None:
            store.delete("pods", key)
        elif verb != "delete":
            store.put("pods" if verb == "put" else "configmaps", key, pod(f"p{number}"))
        was[store.revision] = {obj["metadata"]["name"]: obj for obj in store.range("pods")}
    for revision, expected in was.items():
        assert [obj["metadata"]["name"] for obj in store.range_at("pods", revision)] == sorted(expected)
        assert store.range_at("pods", revision, "default") == store.range_at("pods", revision)
        assert store.range_at("pods", revision, "other") == []
        for number in range(5):
            assert store.get_at("pods", f"default/p{number}", revision) is expected.get(f"p{number}")


def test_the_compactor_forgets_what_is_older_than_its_last_time():
    clock = Clock(0)
    store = Store(clock)
    store.put("pods", "default/a", pod("a"))  # revision 2, in the first interval
    clock.run_until(COMPACTION_INTERVAL)
    store.put("pods", "default/a", pod("a", spec=3))
    assert store.get_at("pods", "default/a", 2)["metadata"]["resourceVersion"] == "2"
    clock.run_until(2 * COMPACTION_INTERVAL - 1)
    assert store.get_at("pods", "default/a", 1) is None
    clock.run_until(2 * COMPACTION_INTERVAL)
    with pytest.raises(Compacted):
        store.get_at("pods", "default/a", 1)
    assert store.get_at("pods", "default/a", 2)["metadata"]["resourceVersion"] == "2"
    clock.run_until(3 * COMPACTION_INTERVAL)
    with pytest.raises(Compacted):
        store.range_at("pods", 2)
    assert store.range_at("pods", 3)[0]["spec"] == 3
    store.watch("pods", 2, print)  # watches are served from what is kept, compacted or not


def test_older_revisions_of_what_has_no_namespace():
    store = Store(Clock(0))
    store.put("nodes", "a", {"metadata": {"name": "a"}, "spec": 1})
    store.put("nodes", "a", {"metadata": {"name": "a"}, "spec": 2})
    assert store.get_at("nodes", "a", 2)["spec"] == 1
    assert [obj["spec"] for obj in store.range_at("nodes", 2)] == [1]
    assert store.range_at("nodes", 1) == []


def test_neither_side_of_a_share_sees_the_writes_of_the_other():
    clock, other_clock = Clock(0), Clock(0)
    store, fork = Store(clock), Store(other_clock)
    store.put("pods", "default/a", pod("a"))
    store.put("pods", "default/b", pod("b"))
    fork.share(store)
    store.put("pods", "default/c", pod("c"))
    fork.delete("pods", "default/a")
    store.put("pods", "default/b", pod("b", spec=1))
    assert [obj["metadata"]["name"] for obj in store.range("pods")] == ["a", "b", "c"]
    assert [obj["metadata"]["name"] for obj in fork.range("pods")] == ["b"]
    assert [obj["metadata"]["name"] for obj in fork.range_at("pods", 2)] == ["a"]
    assert (len(store), len(fork)) == (3, 1)
    assert "spec" not in fork.get("pods", "default/b")
    again = Store(Clock(0))
    again.share(fork)
    again.compact(fork.revision)
    assert [obj["metadata"]["name"] for obj in fork.range_at("pods", 2)] == ["a"]


def test_an_unchanged_part_must_stay_the_same_object():
    store = Store(Clock(0), freezing=True)
    first = {"metadata": {"name": "a", "labels": {"x": "y"}}, "spec": {"a": [1]}, "status": {}}
    stored = store.put("pods", "a", first)
    for again in (
        {**stored, "spec": {"a": [1]}},
        {**stored, "metadata": {**stored["metadata"], "labels": {"x": "y"}}},
    ):
        revision = store.revision
        with pytest.raises(TypeError, match="an unchanged part must stay the same object"):
            store.put("pods", "a", again)
        assert (store.get("pods", "a"), store.revision) == (stored, revision)
    store.put("pods", "a", {**stored, "spec": {"a": [2]}})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["put", "delete", "list", "many", "fork"]), st.integers(0, 30))))
def test_keys_are_in_order_whenever_somebody_asks(steps):
    """Whatever was put and deleted between two lists, few or many, and in a store that was shared meanwhile."""
    store, model, others = Store(Clock(0)), {}, []
    for what, number in steps:
        if what == "delete":
            if model.pop(f"default/{number:02}", None) is not None:
                store.delete("pods", f"default/{number:02}")
        elif what == "fork":
            other = Store(Clock(0))
            other.share(store)
            others.append((other, sorted(model)))
        elif what != "list":
            for each in range(number, number + (25 if what == "many" else 1)):
                model[f"default/{each:02}"] = store.put("pods", f"default/{each:02}", pod(f"{each:02}"))
        if what == "list":
            assert store.range("pods") == [model[key] for key in sorted(model)]
        assert store.count("pods") == len(store) == len(model)
    others.append((store, sorted(model)))
    for other, keys in others:
        assert [f"default/{obj['metadata']['name']}" for obj in other.range("pods")] == keys


def test_what_is_fresh_is_stored_without_a_copy():
    store, given = Store(Clock(0)), pod("a")
    assert store.put("pods", "default/a", given, expect=0, fresh=True) is given
    assert given["metadata"]["resourceVersion"] == "2"
    with pytest.raises(CompareFailed):
        store.put("pods", "default/a", other := pod("a"), expect=0, fresh=True)
    assert "resourceVersion" not in other["metadata"]
