"""Who asks an engine host things, in processes of their own: learners, and somebody who floods (`bench.hosting`)."""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections import Counter
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake

MAPS = "/api/v1/namespaces/default/configmaps"
THINK = 10.0
"""Seconds from a learner's command to the next."""
WARM = 15.0
"""Seconds that active labs have before they are measured."""
SPIN = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "spin"},
    "spec": {
        "replicas": 20, "selector": {"matchLabels": {"app": "spin"}},
        "template": {
            "metadata": {"labels": {"app": "spin"}},
            "spec": {"containers": [
                {"name": "c", "image": "busybox", "command": ["sh", "-c", "while true; do echo $((1+1)) > /f; done"]}
            ]},
        },
    },
}  # fmt: skip
CROWD = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "crowd"},
    "spec": {
        "replicas": 2000, "selector": {"matchLabels": {"app": "crowd"}},
        "template": {
            "metadata": {"labels": {"app": "crowd"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        },
    },
}  # fmt: skip


def ordered(values: list[float]) -> dict[str, float]:
    values = sorted(values)
    return {
        "p50_ms": statistics.median(values) * 1000,
        "p95_ms": values[int(len(values) * 0.95)] * 1000,
        "p99_ms": values[int(len(values) * 0.99)] * 1000,
        "max_ms": values[-1] * 1000,
    }


class Caller:
    """Asks a host, as the web tier does."""

    def __init__(self, url: str, name: str) -> None:
        from runs.upstream import Upstream

        self.url, self.name, self.upstream = url, name, Upstream()

    async def ask(self, run: str, method: str, path: str, data: Any = None) -> int:
        from runs.hosting import host_headers

        target, body = f"/clusters/{run}{path}", json.dumps(data).encode() if data is not None else b""
        headers = [*host_headers(self.name, method, target, body), (b"content-type", b"application/json")]
        answer = await self.upstream.request(method, self.url + target, headers, body)
        async for _ in answer:
            pass
        return answer.status


def client(url: str, name: str, seconds: float) -> None:
    """Learners, in a process of their own."""
    import django

    django.setup()
    runs = json.loads(sys.stdin.readline())
    asyncio.run(_learners(Caller(url, name), runs, seconds))


async def _learners(caller: Caller, runs: list[str], seconds: float) -> None:
    took, reads = list[float](), list[float]()
    refused = 0
    measuring = asyncio.Event()
    over = time.monotonic() + WARM + seconds

    async def learner(number: int, run: str) -> None:
        nonlocal refused
        await asyncio.sleep(THINK * random.random())
        count = 0
        while time.monotonic() < over:
            count += 1
            # What kubectl asks for one command: it reads, then it writes.
            began = time.monotonic()
            pods = await caller.ask(run, "GET", "/api/v1/namespaces/default/pods?limit=500")
            read = time.monotonic()
            body = {"metadata": {"name": f"m{count}"}, "data": {"a": "b"}}
            made = await caller.ask(run, "POST", MAPS, body)
            if measuring.is_set():
                took.append(time.monotonic() - began)
                reads.append(read - began)
                refused += (pods, made) != (200, 201)
            await asyncio.sleep(THINK * (0.8 + 0.4 * random.random()))

    tasks = [asyncio.ensure_future(learner(number, run)) for number, run in enumerate(runs)]
    await asyncio.sleep(WARM)
    measuring.set()
    print("warm", flush=True)
    await asyncio.gather(*tasks)
    told = {"commands": len(took), "refused": refused, **ordered(took)}
    writes = [whole - read for whole, read in zip(took, reads, strict=True)]
    parts = {f"read_{k}": v for k, v in ordered(reads).items()} | {
        f"write_{k}": v for k, v in ordered(writes).items()
    }
    print(json.dumps(told | parts), flush=True)


def flood(url: str, name: str, seconds: float) -> None:
    """Somebody who takes what he can get, in a process of his own: what it costs to read it all is his."""
    import django

    django.setup()
    _stand_back()
    (run,) = json.loads(sys.stdin.readline())
    asyncio.run(_flood(Caller(url, name), run, seconds))


def _stand_back() -> None:
    """This process comes after the host's: a learner's own machine takes nothing from it."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
    if priority > 1:
        os.sched_setscheduler(0, policy, os.sched_param(priority - 1))
    else:
        os.nice(5)


async def _flood(caller: Caller, run: str, seconds: float) -> None:
    over = time.monotonic() + WARM + seconds
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    await caller.ask(run, "POST", deployments, SPIN)
    large = {"data": {"a": "x" * 200_000}}

    async def maps(number: int) -> None:
        while time.monotonic() < over:
            name = {"metadata": {"name": f"f{number}-{random.randrange(10**9)}"}}
            await caller.ask(run, "POST", MAPS, {**large, **name})
            await caller.ask(run, "GET", "/api/v1/configmaps")

    async def crowd() -> None:
        while time.monotonic() < over:
            await caller.ask(run, "POST", deployments, CROWD)
            await asyncio.sleep(10)
            await caller.ask(run, "GET", "/api/v1/pods")
            await caller.ask(run, "DELETE", f"{deployments}/crowd")
            await asyncio.sleep(5)

    await asyncio.gather(crowd(), *(maps(number) for number in range(20)))


def browsers(url: str, name: str, _seconds: float) -> None:
    """Tabs, in a process of their own."""
    import django

    django.setup()
    runs = json.loads(sys.stdin.readline())
    asyncio.run(_browsers(url, name, runs))


async def _browsers(url: str, name: str, runs: list[str]) -> None:
    from runs.host.map_channel import RESOURCES
    from runs.proxy.sockets import open_socket
    from runs.registry import Location

    told: Counter[str] = Counter()

    async def tab(run: str, path: str, *says: dict[str, Any]) -> None:
        try:
            socket = await open_socket(Location(url, 1, name), f"/{path}/{run}", [])
            for each in says:
                await socket.send(json.dumps(each))
            opened.release()
            async for _frame in socket:
                told[path] += 1
        except (OSError, ConnectionClosed, InvalidHandshake):
            pass
        told["lost"] += 1

    opened, following = asyncio.Semaphore(0), {"type": "follow", "on": True, "language": "en"}
    tasks = []
    for run in runs:
        map_ = {"ch": "map", "type": "watch", "resources": dict.fromkeys(RESOURCES, "")}
        followed = [{"ch": ch, **following} for ch in ("checks", "ticker", "traffic")]
        tasks.append(asyncio.ensure_future(tab(run, "live", map_, *followed)))
        tasks.append(asyncio.ensure_future(tab(run, "terminal", {"type": "resize", "cols": 120, "rows": 30})))
        await opened.acquire()
        await opened.acquire()
    print("open", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps({f"tabs_{what}": told[what] for what in ("live", "terminal", "lost")}), flush=True)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    {"browsers": browsers, "client": client, "flood": flood}[sys.argv[1]](
        sys.argv[2], sys.argv[3], float(sys.argv[4])
    )
