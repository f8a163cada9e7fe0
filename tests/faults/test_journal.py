"""A journal entry that cannot be carried out is passed: by the cluster that lived it, and by every replay."""

import pytest
from faults import Planted, ready, same_again, web

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kube_apiserver.sessions import Sessions
from cluster_engine.kubelet.runtime import Runtime
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


class Client:
    """Who listens to a session."""

    def __init__(self):
        self.statuses = []

    def output(self, fd, data):
        """Nobody looks at it."""

    def ended(self, status):
        self.statuses.append(status)

    def failed(self, status):
        self.statuses.append(status["message"])


def test_a_login_that_meets_a_bug_is_over(monkeypatch):
    def planted(self, *args):
        raise Planted("log in")

    monkeypatch.setattr(Runtime, "log_in", planted)
    cluster = Cluster(nodes=2, seed=3, strict=False, addons=False)
    entry, client = cluster.prepare_login("worker-1", ["bash"], False), Client()
    cluster.server.sessions.listen(f"s{entry.seq}", client)
    cluster.perform(entry)
    assert client.statuses == [
        "Internal error occurred: this session met a bug of the cluster and was closed"
    ]
    assert cluster.server.sessions.open_names() == []
    assert len(cluster.failures) == 1
    cluster.advance(60)
    same_again(cluster)


def test_a_session_whose_input_meets_a_bug_is_over(monkeypatch):
    original = Sessions.input

    def planted(self, payload):
        if payload["data"] == {"text": "poison"}:
            raise Planted("input")
        original(self, payload)

    monkeypatch.setattr(Sessions, "input", planted)
    cluster = Cluster(nodes=2, seed=3, strict=False, addons=False)
    container = {"name": "c", "image": "busybox", "command": ["sleep", "1d"]}
    meta = {"name": "held", "namespace": "default"}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
    cluster.settle()
    query = [("command", "cat"), ("stdin", "true"), ("stdout", "true")]
    path = "/api/v1/namespaces/default/pods/held/exec"
    entry = cluster.prepare(Request("POST", path, query, user=ADMIN), "session/open")
    name, client = f"s{entry.seq}", Client()
    cluster.server.sessions.listen(name, client)
    assert cluster.perform(entry) is None
    poison = {"session": name, "data": {"text": "poison"}, "end": False}
    cluster.perform(Entry(cluster.journal.next_seq, cluster.clock.now, "session/input", poison))
    assert client.statuses == [
        "Internal error occurred: this session met a bug of the cluster and was closed"
    ]
    assert cluster.server.sessions.open_names() == []
    assert len(cluster.failures) == 1
    cluster.advance(60)
    same_again(cluster)
