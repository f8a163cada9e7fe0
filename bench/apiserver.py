"""The API server over HTTP, beside etcd (what a real one stores in) and kmock (a mock of one).

Each server is a process on one core, the client this process on another: one connection, the next request when the
last is answered. The cluster's time stands still, so that nothing but the API server works; admission is complete.

Why a put reaches its watchers no sooner is told in the same run: what client and kernel cost alone (`relay`), what a
server in Python costs that simulates nothing (`bench/minimal.py`: a bare protocol of uvloop, and an ASGI application
behind uvicorn, as ours is), and the stations within ours (`bench/stations.py`). The bar of a quarter of etcd's time
leaves an engine what lies between the bar and the bare protocol.

One run, in µs, on 2 shared cores (etcd 652, so the bar is 163): client and kernel 67, bare protocol 74, ASGI without an
engine 112, ours 353. Within ours 145 are spent before the watch is told, if the caches are warm: decoding and checking
the body 24, the application (locks, turns, the clock) 24, performing (the entry's request, user, path) 20, telling 16,
field ownership 16, validation 13, the update itself 12, who asks 7, reading the request 6, the store 6, and six more
under 5 each. None is large: each is 5 to 20 calls in Python. The same code takes a third longer when the core has done
something else since the last put, which makes up the rest. Under the bar an engine of 50 would fit behind ASGI.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import minimal
from bench.etcd import Etcd
from bench.peers import PeerMissing, etcd_binary, kmock_folder
from bench.requests import Connection, Follower

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
TEXT = "x" * 5_000
"""What is put: as long as a Pod is."""
CREATES, LISTED, LISTS, PUTS = 2_000, 1_000, 30, 500
KMOCK_CREATES = 200
"""It takes seconds for more: each costs more than the one before."""
START_SECONDS = 60.0
SERVER_CORE, CLIENT_CORE = 0, 1
Figures = dict[str, Any]


def _pod(number: int) -> bytes:
    container = {"name": "main", "image": "registry.k8s.io/pause:3.10.1"}
    metadata = {"name": f"pod-{number}", "labels": {"app": "bench"}}
    return json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
    ).encode()


def config_map(number: int) -> bytes:
    data = {"number": str(number), "text": TEXT}
    return json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bench"}, "data": data}
    ).encode()


# ---- servers ----------------------------------------------------------------------------------------------------


def serve(journal: str) -> None:
    """A cluster whose time stands still, on a free port, which is printed; ``journal``: a file, or nothing."""
    import uvicorn
    import uvloop

    from cluster_engine.cluster import Cluster
    from cluster_engine.memory import relax_collector
    from cluster_engine.serving import ClusterApp, Driver
    from cluster_engine.serving.tls import PeerHttp
    from cluster_engine.sim import Entry

    sink = None
    if journal:
        # As `make up` keeps journals: SQLite with a write-ahead log that is synced at every commit.
        database = sqlite3.connect(journal, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, at INTEGER, kind TEXT, payload TEXT)")

        async def sink(entry: Entry) -> None:
            row = (entry.seq, entry.at, entry.kind, json.dumps(entry.payload))
            await asyncio.to_thread(database.execute, "INSERT INTO entry VALUES (?, ?, ?, ?)", row)

    relax_collector()
    cluster = Cluster(nodes=3, seed=1)
    app = ClusterApp(cluster, driver=Driver(cluster, 0), admin=True, sink=sink)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, http=PeerHttp, log_level="warning", access_log=False, proxy_headers=False)
    uvloop.run(uvicorn.Server(config).serve(sockets=[listener]))


def relay() -> None:
    """A server that hands what is put to who watches and does nothing beside: what client and kernel cost alone."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    client, _ = listener.accept()
    follower, _ = listener.accept()
    for sock in (client, follower):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    follower.recv(1 << 16)
    while asked := client.recv(1 << 16):
        while not asked.endswith(b"}}"):
            asked += client.recv(1 << 16)
        body = asked.partition(b"\r\n\r\n")[2]
        follower.sendall(body + b"\n")
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def mock() -> None:
    """kmock's emulator of Kubernetes, on a free port, which is printed."""
    import kmock

    async def run() -> None:
        async with kmock.KubernetesEmulator() as handler, kmock.Server(handler) as server:
            handler.resources["v1/pods"].namespaced = True
            handler.resources["v1/pods"].verbs = {"create", "list", "get"}
            handler.resources["v1/pods"].kind = "Pod"
            print(server.port, flush=True)
            await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def _started(command: list[str], environment: dict[str, str] | None = None) -> Iterator[int]:
    """A process of this module on its core; gives the port that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.apiserver", *command], stdout=subprocess.PIPE, text=True,
        env={**os.environ, **(environment or {})}, preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()  # whoever still watches would hold a server that ends by itself
        process.wait()


@contextmanager
def _etcd() -> Iterator[int]:
    binary = etcd_binary()
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as folder:
        ports = []
        for _ in range(2):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                ports.append(int(probe.getsockname()[1]))
        client, peer = (f"http://127.0.0.1:{port}" for port in ports)
        process = subprocess.Popen(
            [
                binary, "--data-dir", folder, "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                f"default={peer}",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
        )  # fmt: skip
        try:
            yield ports[0]
        finally:
            process.terminate()
            process.wait()


# ---- measurements -----------------------------------------------------------------------------------------------


def _each(count: int, do: Callable[[int], object]) -> list[float]:
    """Seconds of each of so many calls."""
    took = []
    for number in range(count):
        began = time.perf_counter()
        do(number)
        took.append(time.perf_counter() - began)
    return took


def _rate(took: list[float]) -> float:
    return len(took) / sum(took)


def _middle(took: list[float]) -> float:
    """Milliseconds of the one in the middle: on a busy machine a few that had to wait say nothing of the rest."""
    return statistics.median(took) * 1e3


def _delivery(
    put: Callable[[int], object], heard: Callable[[], object], answered: Callable[[], object]
) -> float:
    """The median of the seconds from the put's first byte to the watch's event."""

    def once(number: int) -> None:
        put(number)
        heard()

    took = []
    for number in range(PUTS):
        began = time.perf_counter()
        once(number)
        took.append(time.perf_counter() - began)
        answered()
    return statistics.median(took)


def _put_to_watch(port: int, client: Connection) -> float:
    """Seconds from a ConfigMap's put to the watch's event."""
    client.ask("POST", MAPS, config_map(-1), 201)
    follower = Follower(port, f"{MAPS}?watch=1&fieldSelector=metadata.name%3Dbench", START_SECONDS)
    follower.heard()
    return _delivery(
        lambda number: client.send("PUT", f"{MAPS}/bench", config_map(number)),
        follower.heard,
        lambda: client.receive(200),
    )


def floor() -> float:
    """Seconds from a put to the watch's event where nothing is done in between."""
    with _started(["relay"]) as port:
        client, follower = Connection(port, START_SECONDS), Follower(port, MAPS, START_SECONDS)
        return _delivery(
            lambda number: client.send("PUT", f"{MAPS}/bench", config_map(number)),
            follower.heard,
            lambda: client.receive(200),
        )


def ours() -> Figures:
    """Creates, lists and put -> watch delivery without a journal; creates and delivery with one."""
    with _started(["serve", ""]) as port:
        client = Connection(port, START_SECONDS)
        creates = _each(CREATES, lambda number: client.ask("POST", PODS, _pod(number), 201))
        listed = f"{PODS}?limit={LISTED}"
        lists = _each(LISTS, lambda _: client.ask("GET", listed, b"", 200))
        delivery = _put_to_watch(port, client)
    with (
        tempfile.TemporaryDirectory(prefix="drydock-bench-") as folder,
        _started(["serve", str(Path(folder, "journal.sqlite3"))]) as port,
    ):
        client = Connection(port, START_SECONDS)
        journaled = _each(PUTS, lambda number: client.ask("POST", PODS, _pod(number), 201))
        journaled_delivery = _put_to_watch(port, client)
    return {
        "creates_per_second": _rate(creates),
        "create_ms": _middle(creates),
        f"list_{LISTED}_ms": _middle(lists),
        "put_to_watch_ms": delivery * 1e3,
        "journaled_creates_per_second": _rate(journaled),
        "journaled_create_ms": _middle(journaled),
        "journaled_put_to_watch_ms": journaled_delivery * 1e3,
    }


def account() -> Figures:
    """What a put -> watch delivery is made of: servers that do less, then the stations of ours."""
    stations = subprocess.run(
        [sys.executable, "-m", "bench.stations"], stdout=subprocess.PIPE, text=True, check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    )  # fmt: skip
    took = {}
    for name in ("protocol", "asgi"):
        with _started([name]) as port:
            took[name] = _put_to_watch(port, Connection(port, START_SECONDS)) * 1e3
    return {
        "client_and_kernel_put_to_watch_ms": floor() * 1e3,
        "bare_protocol_put_to_watch_ms": took["protocol"],
        "asgi_without_engine_put_to_watch_ms": took["asgi"],
        "stations": json.loads(stations.stdout),
    }


def _text(data: bytes) -> str:
    """Bytes in etcd's JSON."""
    return base64.b64encode(data).decode()


def _gateway_put_to_watch(port: int) -> float:
    """Seconds from a put to the watch's event over etcd's gateway: JSON over HTTP, as ours."""
    key = _text(b"/bench/gateway")
    client = Connection(port, START_SECONDS)
    watched = json.dumps({"create_request": {"key": key}}).encode()
    follower = Follower(port, "/v3/watch", START_SECONDS, "POST", watched)
    follower.heard()
    put = json.dumps({"key": key, "value": _text(TEXT.encode())}).encode()
    return _delivery(
        lambda number: client.send("POST", "/v3/kv/put", put), follower.heard, lambda: client.receive(200)
    )


def etcd() -> Figures:
    """Puts of as many bytes, and their delivery to a watch, over gRPC and over HTTP. Raises PeerMissing."""
    with _etcd() as port:
        client, watch = Etcd(port, START_SECONDS), Etcd(port, START_SECONDS)
        puts = _each(PUTS, lambda number: client.put(b"/bench/put", TEXT.encode()))
        watch.watch(b"/bench/watched")
        delivery = _delivery(
            lambda number: client.send_put(b"/bench/watched", TEXT.encode()), watch.heard, client.answered
        )
        gateway = _gateway_put_to_watch(port)
    return {
        "puts_per_second": _rate(puts),
        "put_ms": _middle(puts),
        "put_to_watch_ms": delivery * 1e3,
        "gateway_put_to_watch_ms": gateway * 1e3,
    }


def kmock() -> Figures:
    """Creates and a list of all of them. Raises PeerMissing."""
    with _started(["mock"], {"PYTHONPATH": str(kmock_folder())}) as port:
        client = Connection(port, START_SECONDS)
        creates = _each(KMOCK_CREATES, lambda number: client.ask("POST", PODS, _pod(number), 200, 201))
        lists = _each(5, lambda _: client.ask("GET", PODS, b"", 200))
    return {"creates_per_second": _rate(creates), f"list_{KMOCK_CREATES}_ms": _middle(lists)}


def compared() -> Iterator[Figures]:
    """Ours, then each peer with its ratios. Raises PeerMissing at the end, naming those that are not installed."""
    os.sched_setaffinity(0, {CLIENT_CORE % (os.cpu_count() or 1)})
    own = ours()
    yield {"server": "ours", **own}
    told = account()
    yield {"server": "without an engine", **told}
    missing = []
    try:
        peer = etcd()
        yield {
            "server": "etcd",
            **peer,
            "put_to_watch_ratio": own["put_to_watch_ms"] / peer["put_to_watch_ms"],
            "bare_protocol_put_to_watch_ratio": told["bare_protocol_put_to_watch_ms"]
            / peer["put_to_watch_ms"],
            "put_to_watch_ratio_over_http": own["put_to_watch_ms"] / peer["gateway_put_to_watch_ms"],
            "journaled_put_to_watch_ratio": own["journaled_put_to_watch_ms"] / peer["put_to_watch_ms"],
            "journaled_put_to_watch_ratio_over_http": own["journaled_put_to_watch_ms"]
            / peer["gateway_put_to_watch_ms"],
            "journaled_create_ratio": own["journaled_creates_per_second"] / peer["puts_per_second"],
            "journaled_create_ratio_in_the_middle": peer["put_ms"] / own["journaled_create_ms"],
        }
    except PeerMissing as error:
        missing.append(str(error))
    try:
        peer = kmock()
        yield {
            "server": "kmock",
            **peer,
            "create_ratio": own["creates_per_second"] / peer["creates_per_second"],
        }
    except PeerMissing as error:
        missing.append(str(error))
    if missing:
        raise PeerMissing("; ".join(missing))


SERVERS = {"serve": serve, "relay": relay, "mock": mock, "asgi": minimal.asgi, "protocol": minimal.protocol}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](*sys.argv[2:])
