"""The clock goes on whatever a look at it meets."""

import asyncio

import pytest
from faults import Planted, ready, web

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.sim import BudgetExceeded


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster_engine.serving.driver.RESTART", 1_000)


@pytest.mark.parametrize("error", [Planted("no"), BudgetExceeded("no"), MemoryError()], ids=repr)
def test_a_look_that_fails_is_noted_and_the_clock_goes_on(error, caplog):
    cluster = Cluster(nodes=2, seed=3, strict=False)
    driver = Driver(cluster, "max")
    original, left = driver._slice, [3]

    def planted(goal: int) -> bool:
        if left[0]:
            left[0] -= 1
            raise error
        return original(goal)

    driver._slice = planted

    async def live() -> None:
        driver.start()
        with driver.client():
            cluster.apply(web("first"))
            for _ in range(2_000):
                if ready(cluster, "first"):
                    break
                await asyncio.sleep(0.002)
        driver.stop()

    asyncio.run(live())
    assert ready(cluster, "first")
    assert cluster.clock.failures.counts() == {"clock-driver": 3}
    assert cluster.clock.failures.state()["counts"] == {}, "no replay meets the driver"
    assert "clock-driver failed" in caplog.text


class Broken:
    """A stream whose bytes cannot be had."""

    content_type, polled, timeout, closed = "application/json", False, None, False
    cancelled = False

    def take(self) -> bytes:
        raise Planted

    def tick(self) -> bytes:
        return b""

    def subscribe(self, notify: object) -> None:
        pass

    def cancel(self) -> None:
        self.cancelled = True


def test_a_stream_that_fails_ends_as_at_a_time_out():
    cluster = Cluster(nodes=1, seed=3, strict=False, addons=False)
    app, stream, sent = ClusterApp(cluster, admin=True), Broken(), []
    reply = cluster.request(Request("GET", "/api/v1/pods", [("watch", "1")], user=ADMIN))
    reply.stream.cancel()

    async def receive() -> dict[str, object]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app._stream({}, reply, stream, receive, send), 5))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert stream.cancelled
    assert cluster.clock.failures.counts() == {"kube-apiserver/stream": 1}
