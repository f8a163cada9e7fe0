"""port-forward: SPDY in and out, streams that are refused, connections as journal entries."""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.container_runtime import forwards
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.serving import forwarding, spdy
from cluster_engine.sim import Entry
from cluster_engine.sim.journal import pack_bytes

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {terminationGracePeriodSeconds: 1, containers: [{name: c, image: "nginx:1.28"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: deaf}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, "nc -l -p 7000 -s 127.0.0.1 < /dev/zero | sleep 1d"]}]}
"""
GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Peer:
    """The client's end of SPDY."""

    def __init__(self) -> None:
        self._writer = zlib.compressobj(zdict=spdy.DICTIONARY)

    def open(self, stream: int, *, fin: bool = False, **headers: str) -> bytes:
        plain = struct.pack(">I", len(headers))
        for word in (text for pair in headers.items() for text in pair):
            plain += struct.pack(">I", len(word)) + word.encode()
        block = self._writer.compress(plain) + self._writer.flush(zlib.Z_SYNC_FLUSH)
        payload = struct.pack(">IIH", stream, 0, 0) + block
        return struct.pack(">II", 0x80030001, (fin << 24) | len(payload)) + payload


def test_the_dictionary_is_that_of_the_standard() -> None:
    assert (len(spdy.DICTIONARY), zlib.adler32(spdy.DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_frames_arrive_in_pieces() -> None:
    peer, ours = Peer(), spdy.Spdy()
    text = (
        peer.open(1, port="80")
        + b"".join(spdy.data_frames(1, b"abc", end=True))
        + peer.open(3, fin=True, a="b")
    )
    events = [event for at in range(len(text)) for event in ours.take(text[at : at + 1])]
    assert events == [
        spdy.Opened(1, {"port": "80"}),
        spdy.Data(1, b"abc"),
        spdy.Ended(1),
        spdy.Opened(3, {"a": "b"}),
        spdy.Ended(3),
    ]


def _bomb() -> bytes:
    block = zlib.compressobj(zdict=spdy.DICTIONARY)
    payload = bytes(10) + block.compress(struct.pack(">II", 1, 9_000_000) + bytes(9_000_000))
    payload += block.flush(zlib.Z_SYNC_FLUSH)
    return struct.pack(">II", 0x80030001, len(payload)) + payload


BROKEN: dict[str, tuple[bytes, str]] = {
    "a huge frame": (struct.pack(">II", 1, 0xFFFFFF), "a frame of 16777215 bytes"),
    "another version": (struct.pack(">II", 0x80020001, 0), "another version"),
    "no headers": (struct.pack(">II", 0x80030001, 12) + bytes(12), "headers that cannot be read"),
    "a bomb": (_bomb(), "headers that cannot be read"),
}


@pytest.mark.parametrize(("data", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_spdy(data: bytes, why: str) -> None:
    with pytest.raises(spdy.SpdyError, match=why):
        spdy.Spdy().take(data)


STREAMS: dict[str, tuple[dict[str, str], bool]] = {
    "data": ({"port": "80", "streamType": "data"}, True),
    "no port": ({"streamType": "data"}, False),
    "port 0": ({"port": "0", "streamType": "data"}, False),
    "port 70000": ({"port": "70000", "streamType": "data"}, False),
    "no number": ({"port": "http", "streamType": "data"}, False),
    "no type": ({"port": "80"}, False),
    "another type": ({"port": "80", "streamType": "resize"}, False),
}


@pytest.mark.parametrize(("headers", "taken"), STREAMS.values(), ids=STREAMS.keys())
def test_streams_that_are_refused(headers: dict[str, str], taken: bool) -> None:
    tunnel = forwarding.Tunnel()
    assert tunnel.take(Peer().open(1, **headers)) == []
    (answer,) = asyncio.run(tunnel.frames())
    assert struct.unpack_from(">I", answer)[0] == (0x80030002 if taken else 0x80030003)


def test_pairs_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "PAIRS", 2)
    tunnel, peer, found = forwarding.Tunnel(), Peer(), []
    for stream in range(1, 11, 2):
        kind = "error" if stream % 4 == 1 else "data"
        found += tunnel.take(peer.open(stream, port="80", streamType=kind))
    # Older clients send no request id: an error stream and the next one are a pair.
    assert found == [
        ("session/connect", {"stream": 3, "port": 80}),
        ("session/connect", {"stream": 7, "port": 80}),
    ]
    tunnel.closed(3, "")
    assert tunnel.take(peer.open(11, port="80", streamType="error")) == []
    assert tunnel.take(peer.open(13, port="80", streamType="data"))[0][1]["stream"] == 13


class Client:
    """A session of connections, in process."""

    def __init__(self, cluster: Cluster, pod: str) -> None:
        self.cluster = cluster
        self.seen: dict[int, bytes] = {}
        self.ends: dict[int, str] = {}
        request = Request("POST", f"/api/v1/namespaces/default/pods/{pod}/portforward", user=ADMIN)
        entry = cluster.prepare(request, "session/open")
        self.name = f"s{entry.seq}"
        cluster.server.sessions.listen(self.name, self)
        assert cluster.perform(entry) is None

    def output(self, fd: int, data: bytes) -> None:
        self.seen[fd] = self.seen.get(fd, b"") + data

    def closed(self, stream: int, why: str) -> None:
        assert stream not in self.ends
        self.ends[stream] = why

    def ended(self, status: int) -> None:
        raise AssertionError("the session ends with its client")

    def failed(self, status: dict[str, Any]) -> None:
        raise AssertionError(status)

    def do(self, kind: str, **payload: Any) -> None:
        cluster = self.cluster
        given = {"session": self.name, **payload}
        cluster.perform(Entry(cluster.journal.next_seq, cluster.clock.now, f"session/{kind}", given))
        cluster.advance(1)


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(PODS)
    cluster.advance(15)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def test_a_page(cluster: Cluster) -> None:
    client = Client(cluster, "web")
    for stream in (3, 7):
        client.do("connect", stream=stream, port=80)
        client.do("send", stream=stream, data=pack_bytes(GET[:9]))
        client.do("send", stream=stream, data=pack_bytes(GET[9:]), end=True)
    assert client.ends == {3: "", 7: ""}
    assert client.seen[3].startswith(b"HTTP/1.1 200 OK")
    assert client.seen[3].endswith(b"</html>\n")
    client.do("close")
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_a_session_goes_on_elsewhere(cluster: Cluster) -> None:
    client = Client(cluster, "web")
    client.do("connect", stream=3, port=80)
    client.do("send", stream=3, data=pack_bytes(GET[:9]))
    copy = Cluster.restore(cluster.snapshot())
    assert copy.state_hash() == cluster.state_hash()
    client.cluster = copy
    copy.server.sessions.listen(client.name, client)
    client.do("send", stream=3, data=pack_bytes(GET[9:]))
    assert client.seen[3].startswith(b"HTTP/1.1 200 OK")


def test_nobody_listens(cluster: Cluster) -> None:
    client = Client(cluster, "web")
    client.do("connect", stream=3, port=81)
    assert client.ends[3].startswith("error forwarding port 81 to pod ")
    assert "dial tcp4 127.0.0.1:81: connect: connection refused" in client.ends[3]
    client.do("send", stream=3, data=pack_bytes(b"x"), end=True)


def test_the_pod_goes(cluster: Cluster) -> None:
    client = Client(cluster, "web")
    client.do("connect", stream=3, port=80)
    cluster.request(Request("DELETE", "/api/v1/namespaces/default/pods/web", user=ADMIN))
    cluster.advance(10)
    assert client.ends == {3: ""}
    client.do("connect", stream=7, port=80)
    assert client.ends[7].endswith("is closed")
    client.do("close")
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_a_client_that_hangs_up(cluster: Cluster) -> None:
    client = Client(cluster, "web")
    client.do("connect", stream=3, port=80)
    client.do("close")
    assert client.ends == {}
    assert cluster.execute("web", ["echo", "still there"]).stdout == b"still there\n"


def test_who_takes_nothing_is_reset(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwards, "IN_FLIGHT", 300_000)
    client = Client(cluster, "deaf")
    client.do("connect", stream=3, port=7000)
    for _ in range(8):
        client.do("send", stream=3, data=pack_bytes(b"x" * 65_536))
    assert 3 in client.ends


def test_connections_have_a_limit(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwards, "FORWARDS", 2)
    client = Client(cluster, "web")
    for stream in (3, 7, 11):
        client.do("connect", stream=stream, port=80)
    assert list(client.ends) == [11]
