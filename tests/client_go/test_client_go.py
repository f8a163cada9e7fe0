"""Informers, work queues and the event recorder, against a bare store."""

import json

import pytest

from cluster_engine.apimachinery.errors import conflict
from cluster_engine.client_go import ORPHAN, Change, EventRecorder, SharedInformerFactory, WorkQueue
from cluster_engine.etcd import Store
from cluster_engine.sim import Clock


def pod(name, node=None, owner=None, namespace="default"):
    meta = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    if owner:
        meta["ownerReferences"] = [{"uid": owner, "controller": True}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"nodeName": node} if node else {}}


def names(objects):
    return [obj["metadata"]["name"] for obj in objects]


def test_indexes_follow_every_change_and_are_ordered_by_key():
    store = Store(Clock(0))
    pods = SharedInformerFactory(store).of("pods")
    for name in "cab":
        store.put("pods", f"default/{name}", pod(name, node="n1", owner="o"))
    assert names(pods.by_index("node", "n1")) == ["a", "b", "c"]
    store.put("pods", "default/b", pod("b", node="n2", owner="o"))
    store.delete("pods", "default/a")
    assert names(pods.by_index("node", "n1")) == ["c"]
    assert names(pods.by_index("node", "n2")) == ["b"]
    assert names(pods.by_index("owner", "o")) == ["b", "c"]
    assert pods.count_by_index("node", "n3") == 0


def test_an_index_begins_when_it_is_asked_and_a_fork_goes_on_with_it():
    store = Store(clock := Clock(0))
    factory = SharedInformerFactory(store)
    pods = factory.of("pods")
    pods.add_index("first letter", lambda obj: (obj["metadata"]["name"][0],), ())
    for name in ("ab", "ba", "aa"):
        store.put("pods", f"default/{name}", pod(name, node="n1"))
    with pytest.raises(KeyError):
        pods.by_index("last letter", "a")
    assert names(pods.by_index("first letter", "a")) == ["aa", "ab"]
    twin_store = Store(Clock(clock.now))
    twin_store.share(store)
    twin = SharedInformerFactory(twin_store)
    twin_pods = twin.of("pods")
    twin_pods.add_index("first letter", lambda obj: (obj["metadata"]["name"][0],), ())
    twin.share(factory)
    another_store = Store(Clock(clock.now))
    another_store.share(store)
    another = SharedInformerFactory(another_store)
    another.share(factory)
    # An index of its own, which nobody had asked for yet.
    assert names(another.of("pods").by_index("node", "n1")) == ["aa", "ab", "ba"]
    another_store.delete("pods", "default/ba")
    twin_store.delete("pods", "default/ab")
    store.put("pods", "default/ac", pod("ac", node="n2"))
    assert names(twin_pods.by_index("first letter", "a")) == ["aa"]
    assert names(twin_pods.by_index("node", "n1")) == ["aa", "ba"]
    assert names(pods.by_index("first letter", "a")) == ["aa", "ab", "ac"]
    assert names(pods.by_index("node", "n1")) == ["aa", "ab", "ba"]


def test_a_rebuilt_informer_equals_the_one_that_saw_it_all():
    store = Store(Clock(0))
    factory = SharedInformerFactory(store)
    pods = factory.of("pods")
    for name in "qwerty":
        store.put("pods", f"default/{name}", pod(name, node="n1"))
    store.put("pods", "default/q", pod("q", node="n2"))
    before = names(pods.by_index("node", "n1"))
    factory.load({})
    assert names(pods.by_index("node", "n1")) == before


def test_handlers_are_told_what_happened():
    store = Store(Clock(0))
    pods = SharedInformerFactory(store).of("pods")
    seen = []
    pods.on(
        add=lambda new: seen.append(("add", new["metadata"]["name"])),
        update=lambda change: seen.append(("update", change.old["spec"], change.new["spec"])),
        delete=lambda old: seen.append(("delete", old["metadata"]["name"])),
    )
    store.put("pods", "default/a", pod("a"))
    store.put("pods", "default/a", pod("a", node="n"))
    store.delete("pods", "default/a")
    assert seen == [("add", "a"), ("update", {}, {"nodeName": "n"}), ("delete", "a")]


PARTS = ("annotations", "deletion", "finalizers", "going", "labels", "owners", "readiness", "spec", "status")
BUSY = {
    "metadata": {"name": "a", "namespace": "default", "labels": {"a": "b"}},
    "spec": {"nodeName": "n"},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]},
}
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def with_metadata(**fields):
    return {**BUSY, "metadata": {**BUSY["metadata"], **fields}}


@pytest.mark.parametrize(
    ("new", "changed"),
    [
        (with_metadata(resourceVersion="9"), ()),
        (with_metadata(labels={"a": "c"}), ("labels",)),
        (with_metadata(annotations={"a": "c"}), ("annotations",)),
        (with_metadata(finalizers=["f"]), ("finalizers",)),
        (with_metadata(ownerReferences=[{"uid": "u"}]), ("owners",)),
        (with_metadata(deletionTimestamp="2026-01-01T00:00:00Z"), ("deletion", "going")),
        ({**BUSY, "spec": {"nodeName": "m"}}, ("spec",)),
        ({**BUSY, "status": READY}, ("readiness", "status")),
        ({**BUSY, "status": {**BUSY["status"], "phase": "Failed"}}, ("readiness", "status")),
        ({**BUSY, "status": {**BUSY["status"], "podIP": "10.0.0.1"}}, ("status",)),
    ],
    ids=lambda part: "+".join(part) if isinstance(part, tuple) else "",
)
def test_a_change_says_which_parts_a_write_changed(new, changed):
    change = Change("default/a", BUSY, new)
    assert tuple(part for part in PARTS if getattr(change, part)) == changed


def test_handlers_are_told_of_the_objects_of_their_kind_of_owner():
    store = Store(Clock(0))
    pods = SharedInformerFactory(store).of("pods")
    seen = []
    for owners in (None, ("ReplicaSet", ORPHAN), ("Job",)):
        pods.on(
            add=lambda new, who=owners: seen.append((who, "add", new["metadata"]["name"])),
            update=lambda change, who=owners: seen.append((who, "update", change.key)),
            delete=lambda old, who=owners: seen.append((who, "delete", old["metadata"]["name"])),
            owners=owners,
        )

    def owned(kind):
        found = pod("a", owner="o")
        found["metadata"]["ownerReferences"][0]["kind"] = kind
        return found

    def told(write):
        seen.clear()
        write()
        return [who for who, _what, _name in seen]

    everybody, sets, jobs = None, ("ReplicaSet", ORPHAN), ("Job",)
    assert told(lambda: store.put("pods", "default/a", pod("a"))) == [everybody, sets]
    assert told(lambda: store.put("pods", "default/a", owned("ReplicaSet"))) == [everybody, sets]
    assert told(lambda: store.put("pods", "default/a", owned("Job"))) == [everybody, sets, jobs]
    assert told(lambda: store.put("pods", "default/a", owned("Job"))) == [everybody, jobs]
    assert told(lambda: store.put("pods", "default/a", owned("Elsewhere"))) == [everybody, jobs]
    assert told(lambda: store.delete("pods", "default/a")) == [everybody]
    for number in range(100):
        store.put("pods", "default/b", {**owned(f"Kind{number}"), "spec": {}})
    assert len(pods._shared._routes) < 20, "a user's kinds of owner make no routes of their own"


def test_a_queue_reconciles_each_key_once_per_batch():
    clock, done = Clock(0), []
    queue = WorkQueue(clock, "q", done.append, latency=0.01)
    for key in ("a", "b", "a"):
        queue.add(key)
    clock.run_until(1_000_000)
    assert done == ["a", "b"]


def test_failures_back_off_and_success_forgets():
    clock, tries = Clock(0), []

    def reconcile(key):
        tries.append(clock.now)
        if len(tries) < 4:
            raise conflict("pods", key)

    queue = WorkQueue(clock, "q", reconcile, latency=0)
    queue.add("a")
    clock.run_until(10_000_000)
    assert tries == [0, 5_000, 15_000, 35_000]
    assert queue.failures("a") == 0
    assert not clock.busy


def test_other_errors_are_bugs_and_are_not_hidden():
    clock = Clock(0)

    def reconcile(key):
        raise KeyError(key)

    WorkQueue(clock, "q", reconcile).add("a")
    with pytest.raises(KeyError):
        clock.run_until(1_000_000)


def test_the_earliest_of_several_delays_counts():
    clock, done = Clock(0), []
    queue = WorkQueue(clock, "q", lambda key: done.append(clock.now), latency=0)
    queue.add_after("a", 5)
    queue.add_after("a", 2)
    queue.add_after("a", 9)
    clock.run_until(20_000_000)
    assert done == [2_000_000]


def test_a_loaded_queue_goes_on_as_the_saved_one():
    def build():
        clock, done = Clock(0), []
        return clock, done, WorkQueue(clock, "q", lambda key: done.append((clock.now, key)))

    clock, done, queue = build()
    queue.add("now")
    queue.add_after("later", 3)
    queue.add_rate_limited("failed")
    saved = json.loads(json.dumps([clock.state(), queue.state()]))
    clock.run_until(10_000_000)
    again, replayed, other = build()
    again.load(saved[0])
    other.load(saved[1])
    again.run_until(10_000_000)
    assert replayed == done
    assert other.state() == queue.state()


class FakeClient:
    """Takes events as the API server would."""

    def __init__(self):
        self.events = {}

    def create(self, resource, obj, shape=None):
        self.events[obj["metadata"]["name"]] = obj
        return obj

    def patch(self, resource, name, namespace, patch):
        self.events[name] = {**self.events[name], **patch}
        return self.events[name]


def recorder():
    clock, client = Clock(0), FakeClient()
    return clock, client, EventRecorder(client, clock, "kubelet", "node-1")


def test_repeats_are_counted():
    clock, client, events = recorder()
    for _ in range(3):
        events.event(pod("a"), "Normal", "Pulled", "it was there", "spec.containers{x}")
        clock.run_until(clock.now + 1_000_000)
    (event,) = client.events.values()
    assert event["count"] == 3
    assert (event["firstTimestamp"], event["lastTimestamp"]) == (
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:02Z",
    )
    assert event["involvedObject"]["fieldPath"] == "spec.containers{x}"
    assert event["source"] == {"component": "kubelet", "host": "node-1"}


def test_many_alike_are_combined():
    _clock, client, events = recorder()
    for number in range(14):
        events.event(pod("a"), "Warning", "Failed", f"try {number}")
    messages = [event["message"] for event in client.events.values()]
    assert len(messages) == 10
    assert messages[-1] == "(combined from similar events): try 13"


def test_one_object_cannot_flood():
    _clock, client, events = recorder()
    for number in range(40):
        events.event(pod("a"), "Normal", f"Reason{number}", "x")
    assert len(client.events) == 25
