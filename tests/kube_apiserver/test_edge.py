"""The ASGI edge: the journal before the write, streams, the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, RequestContext
from cluster_engine.serving import ClusterApp, Driver, JournalUnavailable
from cluster_engine.serving.signal import Signal
from cluster_engine.sim import Entry

MAPS = "/api/v1/namespaces/default/configmaps"


def small_cluster() -> Cluster:
    """No nodes, no boot: a namespace and nothing else."""
    cluster = Cluster(nodes=1, boot=False, freezing=True)
    context = RequestContext(ADMIN, manager="test", trusted=True)
    cluster.server.registry.create(context, "namespaces", None, {"metadata": {"name": "default"}})
    return cluster


class Client:
    """Speaks ASGI to an app."""

    def __init__(self, app: ClusterApp) -> None:
        self.app = app

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: str = "",
        until: Callable[[bytes], bool] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """The reply; with `until`, the client hangs up when the bytes so far satisfy it."""
        sent: list[bytes] = []
        reply: dict[str, Any] = {}
        done = asyncio.Event()
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"" if body is None else orjson.dumps(body)}
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                reply.update(message)
            else:
                sent.append(message.get("body", b""))
            if until is not None and until(b"".join(sent)):
                done.set()

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"content-type", b"application/json")],
        }
        await self.app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in reply["headers"]}
        return reply["status"], headers, b"".join(sent)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await main()

    asyncio.run(limited())


def test_the_entry_is_stored_before_the_write_happens() -> None:
    cluster = small_cluster()
    seen: list[tuple[Entry, bool]] = []

    async def sink(entry: Entry) -> None:
        await asyncio.sleep(0)
        seen.append((entry, cluster.get("configmaps", "a") is None))

    async def main() -> None:
        client = Client(ClusterApp(cluster, sink=sink, admin=True))
        status, _headers, _body = await client.call("POST", MAPS, {"metadata": {"name": "a"}})
        assert status == 201
        status, _headers, _body = await client.call("GET", f"{MAPS}/a")
        assert status == 200

    run(main)
    assert [(entry.kind, entry.payload["method"], absent) for entry, absent in seen] == [
        ("request", "POST", True)
    ]
    assert seen[0][0].payload["user"]["username"] == "kubernetes-admin"
    assert cluster.get("configmaps", "a") is not None


def test_a_write_that_cannot_be_made_durable_does_not_happen() -> None:
    cluster = small_cluster()

    async def sink(entry: Entry) -> None:
        raise JournalUnavailable("the run has moved to another host")

    async def main() -> None:
        client = Client(ClusterApp(cluster, sink=sink, admin=True))
        status, _headers, body = await client.call("POST", MAPS, {"metadata": {"name": "a"}})
        assert status == 503
        assert "the run has moved to another host" in orjson.loads(body)["message"]

    run(main)
    assert cluster.get("configmaps", "a") is None
    assert len(cluster.journal) == 0


def test_a_watch_is_told_at_once() -> None:
    cluster = small_cluster()

    async def main() -> None:
        client = Client(ClusterApp(cluster, admin=True))
        watch = asyncio.ensure_future(
            client.call("GET", MAPS, query="watch=1", until=lambda data: b"DELETED" in data)
        )
        await asyncio.sleep(0)
        await client.call("POST", MAPS, {"metadata": {"name": "a"}})
        await client.call("DELETE", f"{MAPS}/a")
        status, headers, body = await watch
        assert status == 200
        assert headers["content-type"] == "application/json"
        events = [orjson.loads(line) for line in body.splitlines()]
        assert [event["type"] for event in events] == ["ADDED", "DELETED"]

    run(main)


def test_a_watch_is_told_before_the_writer() -> None:
    cluster = small_cluster()
    order: list[str] = []

    async def main() -> None:
        client = Client(ClusterApp(cluster, admin=True))

        def heard(data: bytes) -> bool:
            if data and "watch" not in order:
                order.append("watch")
            return bool(data)

        watch = asyncio.ensure_future(client.call("GET", MAPS, query="watch=1", until=heard))
        await asyncio.sleep(0)
        await client.call("POST", MAPS, {"metadata": {"name": "a"}})
        order.append("answer")
        await watch

    run(main)
    assert order == ["watch", "answer"]


@pytest.mark.parametrize(("seconds", "ends"), [("-5", True), ("0", False), ("3600", False)])
def test_a_watch_of_negative_length_is_over_at_once(seconds: str, ends: bool) -> None:
    cluster = small_cluster()

    async def main() -> None:
        client = Client(ClusterApp(cluster, admin=True))
        watch = client.call("GET", MAPS, query=f"watch=1&timeoutSeconds={seconds}")
        try:
            status, _headers, body = await asyncio.wait_for(watch, 0.2)
        except TimeoutError:
            assert not ends
        else:
            assert (ends, status, body) == (True, 200, b"")

    run(main)


def test_a_signal_wakes_once() -> None:
    woken: list[str] = []

    async def main() -> None:
        signal = Signal()
        signal.set()
        await signal.wait(3_600)  # set before
        woken.append("before")
        waiting = asyncio.ensure_future(signal.wait(3_600))
        await asyncio.sleep(0)
        signal.set()
        signal.set()
        await waiting
        woken.append("while it waited")
        await signal.wait(0)  # nobody sets it
        woken.append("in vain")

    run(main)
    assert woken == ["before", "while it waited", "in vain"]


def test_a_body_past_the_limit_is_cut_off() -> None:
    cluster = small_cluster()

    async def main() -> None:
        client = Client(ClusterApp(cluster, admin=True))
        status, _headers, body = await client.call("POST", MAPS, {"metadata": {"name": "x" * (4 << 20)}})
        assert status == 413
        assert orjson.loads(body)["message"] == "Request entity too large: limit is 3145728"

    run(main)


def test_strangers_stay_outside() -> None:
    cluster = small_cluster()

    async def main() -> None:
        status, _headers, _body = await Client(ClusterApp(cluster)).call("GET", MAPS)
        assert status == 403

    run(main)


def test_max_speed_jumps_only_while_somebody_waits() -> None:
    cluster = small_cluster()
    fired: list[int] = []
    cluster.clock.register("test/fire", lambda: fired.append(cluster.clock.now))
    start = cluster.clock.now
    cluster.clock.call_later(3_600.0, "test/fire")

    async def main() -> None:
        driver = Driver(cluster, "max")
        driver.start()
        await asyncio.sleep(0.02)
        assert cluster.clock.now == start
        with driver.client():
            while not fired:
                await asyncio.sleep(0.001)
        driver.stop()

    run(main)
    assert fired == [start + 3_600_000_000]


def test_time_stands_still_while_the_journal_writes() -> None:
    cluster = small_cluster()
    cluster.clock.register("test/tick", lambda: None)
    cluster.clock.call_later(0.001, "test/tick")

    async def main() -> None:
        driver = Driver(cluster, 1_000.0)
        driver.start()
        with driver.hold():
            before = cluster.clock.now
            await asyncio.sleep(0.02)
            assert cluster.clock.now == before
        while cluster.clock.now == before:
            await asyncio.sleep(0.001)
        driver.stop()

    run(main)


BIG = "x" * 5_000
REFUSED = [
    ("taken", {"name": "taken"}, 409, True),
    ("invalid", {"name": "Not_A_Name"}, 422, True),
    ("in another namespace", {"name": "a", "namespace": "other"}, 400, True),
    ("refused after a name was drawn", {"generateName": "No_"}, 422, False),
]


@pytest.mark.parametrize(
    ("metadata", "status", "withdrawn"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_refused_write_costs_no_journal_of_its_body(
    metadata: dict[str, str], status: int, withdrawn: bool
) -> None:
    cluster, amended = Cluster(nodes=1, seed=1, addons=False), []
    app = ClusterApp(cluster, admin=True, amend=amended.append)

    async def main() -> None:
        client = Client(app)
        assert (await client.call("POST", MAPS, {"metadata": {"name": "taken"}}))[0] == 201
        body = {"metadata": metadata, "data": {"a": BIG}}
        assert (await client.call("POST", MAPS, body))[0] == status
        assert (await client.call("POST", MAPS, {"metadata": {"generateName": "no-"}, "data": {"a": BIG}}))[
            0
        ] == 201

    run(main)
    kinds = [entry.kind for entry in cluster.journal]
    assert kinds == ["request", "refused" if withdrawn else "request", "request"]
    assert [entry.kind for entry in amended] == ["refused"] * withdrawn
    assert (BIG in str(cluster.journal.entries[1].payload)) != withdrawn
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_what_one_cluster_has_under_way_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster_engine.serving.application.STREAMS_LIMIT", 2)
    monkeypatch.setattr("cluster_engine.serving.application.REQUESTS_LIMIT", 3)
    gate = asyncio.Event()

    async def sink(entry: Entry) -> None:
        await gate.wait()

    app = ClusterApp(small_cluster(), admin=True, sink=sink)

    async def main() -> None:
        watches = [
            asyncio.ensure_future(
                Client(app).call("GET", MAPS, query="watch=1", until=lambda data: b"b" in data)
            )
            for _ in range(2)
        ]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        status, headers, body = await Client(app).call("GET", MAPS, query="watch=1")
        assert (status, headers["retry-after"], body) == (
            429,
            "1",
            b"Too many requests, please try again later.\n",
        )
        assert (await Client(app).call("GET", MAPS))[0] == 200
        writes = [
            asyncio.ensure_future(Client(app).call("POST", MAPS, {"metadata": {"name": name}}))
            for name in "abc"
        ]
        await asyncio.sleep(0.01)
        assert (await Client(app).call("GET", MAPS))[0] == 429
        gate.set()
        assert [answer[0] for answer in await asyncio.gather(*writes)] == [201, 201, 201]
        await asyncio.gather(*watches)
        assert (await Client(app).call("GET", MAPS))[0] == 200

    run(main)
