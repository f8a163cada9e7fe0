"""Renewals that are worked out look as if each had been written at its moment."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_engine.etcd import Store
from cluster_engine.etcd.renewals import RENEWAL_PERIOD
from cluster_engine.sim import SECOND, Clock

PERIODS = {"n/a": RENEWAL_PERIOD, "n/b": RENEWAL_PERIOD, "n/c": 2 * SECOND, "n/d": 2 * SECOND}
KEYS = list(PERIODS)


def stamp(obj, at, by):
    return {**obj, "at": at, "by": by}


def obj(name, **more):
    return {"metadata": {"name": name, "namespace": "n"}, **more}


class Computed:
    """The store as it is, followed by a watcher that asks."""

    def __init__(self):
        self.clock = Clock(0)
        self.store = Store(self.clock, freezing=True, stamps={"leases": stamp})
        self.seen = []
        self.store.watch("leases", None, self.saw)

    def saw(self, event):
        if not self.seen or event.revision > self.seen[-1].revision:
            self.seen.append(event)

    def advance(self, us):
        self.clock.run_until(self.clock.now + us)

    def ask(self):
        for event in self.store.renewals_after("leases", self.seen[-1].revision if self.seen else 0):
            self.saw(event)

    def renew(self, key):
        self.store.put("leases", key, obj(key[2:], at=self.clock.now, by="me"))
        self.store.keep_renewed("leases", key, "me", PERIODS[key])

    def told(self):
        self.ask()
        return [(event.type, event.revision, event.object, event.previous) for event in self.seen]


class Stepped(Computed):
    """The same with an event for each renewal."""

    def __init__(self):
        super().__init__()
        self.due = {}

    def advance(self, us):
        goal = self.clock.now + us
        while self.due:
            due, key = min((due, key) for key, due in self.due.items())
            if due > goal:
                break
            self.clock.run_until(due)
            self.due[key] = due + PERIODS[key]
            self.store.put("leases", key, stamp(self.store.get("leases", key), due, "me"))
        self.clock.run_until(goal)

    def renew(self, key):
        self.store.put("leases", key, obj(key[2:], at=self.clock.now, by="me"))
        self.due[key] = self.clock.now + PERIODS[key]


def act(side, verb, key, amount):
    store = side.store
    if verb == "advance":
        side.advance(amount * SECOND // 10)
    elif verb == "renew":
        side.renew(key)
    elif verb == "other":
        store.put("pods", key, obj(key[2:]))
    elif verb == "foreign":
        store.put("leases", key, obj(key[2:], foreign=amount))
        getattr(side, "due", {}).pop(key, None)
    elif verb == "delete" and store.get("leases", key) is not None:
        store.delete("leases", key)
        getattr(side, "due", {}).pop(key, None)
    elif verb == "ask":
        side.ask()


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["advance", "advance", "renew", "other", "foreign", "delete", "ask"]),
        st.sampled_from(KEYS),
        st.sampled_from([0, 1, 7, 60, 99, 100, 101, 250, 1000]),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(OPERATIONS)
def test_computed_renewals_are_stepped_renewals(operations):
    one, other = Computed(), Stepped()
    for verb, key, amount in operations:
        for side in (one, other):
            act(side, verb, key, amount)
        assert one.store.revision == other.store.revision
        assert one.store.range("leases") == other.store.range("leases")
        for each in KEYS:
            assert one.store.get("leases", each) == other.store.get("leases", each)
    assert one.told() == other.told()
    saved = Store(Clock(0), stamps={"leases": stamp})
    saved.clock.run_until(one.clock.now)
    saved.load(json.loads(json.dumps(one.store.state())))
    shared = Store(one.clock.__class__(one.clock.now), stamps={"leases": stamp})
    shared.share(one.store)
    for store in (saved, shared):
        store.clock.run_until(one.clock.now + 123 * SECOND)
    for side in (one, other):
        side.advance(123 * SECOND)
    for store in (saved, shared, one.store):
        assert store.range("leases") == other.store.range("leases")
        assert store.revision == other.store.revision


def test_reading_changes_nothing():
    read, unread = Computed(), Computed()
    for side in (read, unread):
        side.renew("n/a")
        side.renew("n/b")
        for step in range(7):
            side.advance(17 * SECOND)
            if side is read:
                side.ask()
                side.store.range("leases")
            if step == 4:
                side.store.put("pods", "n/x", obj("x"))
    assert read.store.state() == unread.store.state()


def test_a_long_silence_costs_nothing_and_a_watcher_is_told_of_the_last_ones():
    side = Computed()
    side.renew("n/a")
    side.advance(365 * 24 * 3600 * SECOND)
    assert side.clock.events_run == 0
    assert side.store.get("leases", "n/a")["at"] == side.clock.now
    before = side.store.revision
    assert before == 2 + 365 * 24 * 360
    side.store.put("pods", "n/x", obj("x"))
    assert side.store.revision == before + 1
    assert side.seen[-1].revision == before
    assert len(side.seen) == 1 + 2_000


@pytest.mark.parametrize(
    ("resource", "key"), [("leases", "n/none"), ("pods", "n/x")], ids=["no key", "no stamp"]
)
def test_what_cannot_be_renewed(resource, key):
    store = Computed().store
    store.put("pods", "n/x", obj("x"))
    with pytest.raises(KeyError):
        store.keep_renewed(resource, key, "me")
