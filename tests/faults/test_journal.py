"""A journal entry that cannot be carried out is passed: by the cluster that lived it, and by every replay."""

import pytest
from faults import Planted, ready, same_again, web

from cluster_engine import Cluster
from cluster_engine.performers import PERFORMERS
from cluster_engine.sim import Entry


@pytest.mark.parametrize("kind", PERFORMERS)
def test_an_entry_that_cannot_be_carried_out(kind, monkeypatch):
    original = PERFORMERS[kind]

    def planted(cluster, entry):
        if "poison" in entry.payload:
            raise Planted(kind)
        return original(cluster, entry)

    monkeypatch.setitem(PERFORMERS, kind, planted)
    cluster = Cluster(nodes=2, seed=3, strict=False, addons=False)
    cluster.apply(web("first"))
    cluster.advance(1)
    entry = Entry(cluster.journal.next_seq, cluster.clock.now, kind, {"poison": True})
    assert cluster.perform(entry) is None
    cluster.apply(web("second"))
    cluster.advance(60)
    assert ready(cluster, "first")
    assert ready(cluster, "second")
    (failure,) = cluster.failures
    assert (failure.component, failure.key) == ("journal", f"{entry.seq} {kind}")
    same_again(cluster)


@pytest.mark.parametrize(
    "payload", [{}, {"session": 7}, {"session": "s1", "data": 3}, {"session": None}], ids=repr
)
@pytest.mark.parametrize("kind", sorted(set(PERFORMERS) - {"clock", "file"}))
def test_an_entry_of_another_shape(kind, payload):
    cluster = Cluster(nodes=1, seed=3, strict=False, addons=False)
    cluster.perform(Entry(cluster.journal.next_seq, cluster.clock.now, kind, payload))
    cluster.advance(1)
    assert len(cluster.failures) <= 1
    assert cluster.fork().state_hash() == cluster.state_hash()
