"""The fault journey: learners work on three hosts and PostgreSQL while whatever can die or hang does so.

No write that was acknowledged is lost or there twice, nothing goes backwards, every lab comes back, and every
submission is graded for what it is worth. A slice by default; `DRYDOCK_SOAK=1` is 100 labs and 200 faults, drawn from
`DRYDOCK_SEED`. The figures are printed.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.postgresql import Server

from .clients import Api, Visitor, processes_of
from .conftest import Stack, running
from .machine import SmallDisk, WallClock, small_disk
from .pages import MENDED

pytestmark = [pytest.mark.stack, pytest.mark.soak]

FULL = bool(os.environ.get("DRYDOCK_SOAK"))
LABS, FAULTS, SUBMISSIONS = (100, 200, 60) if FULL else (6, 7, 4)
SEED = int(os.environ.get("DRYDOCK_SEED", "1"))
HOSTS = 3
#: Seconds from fault to fault, and from a learner's command to the next.
CALM, THINK = (3.0, 2.0) if FULL else (4.0, 0.7)
LEASE = 6.0
MAPS = "/api/v1/namespaces/default/configmaps"
#: What says "again": nothing is known of what was asked, or nothing was done.
AGAIN = frozenset({408, 421, 429, 500, 502, 503, 504})
PATIENCE = 120.0


@dataclass
class Blocked:
    """A command: from its first try to its acknowledgement."""

    began: float
    ended: float

    def meets(self, began: float, healed: float) -> bool:
        """Whether it was under way while something was broken."""
        return self.began <= healed and self.ended >= began


@dataclass
class Learner:
    """One scripted lab: what was acknowledged, and what nobody knows of."""

    number: int
    run: str
    token: str
    named: dict[str, str] = field(default_factory=dict)
    drawn: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    commands: list[Blocked] = field(default_factory=list)
    revision: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    async def ask(
        self, http: httpx.AsyncClient, method: str, path: str, data: Any = None
    ) -> httpx.Response | None:
        """None: nobody knows."""
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = await http.request(method, f"/clusters/{self.run}{path}", json=data, headers=headers)
        except httpx.HTTPError as error:
            self.errors[type(error).__name__] += 1
            return None
        if answer.status_code in AGAIN:
            self.errors[str(answer.status_code)] += 1
            return None
        revision = int(answer.json()["metadata"].get("resourceVersion") or 0)
        if method != "GET" and answer.status_code == 201:
            assert revision > self.revision, "a write that was acknowledged goes back in time"
        self.revision = max(self.revision, revision)
        return answer

    async def insist(
        self, http: httpx.AsyncClient, method: str, path: str, data: Any = None
    ) -> httpx.Response:
        """Until it is known."""
        began = time.monotonic()
        while (answer := await self.ask(http, method, path, data)) is None:
            assert time.monotonic() - began < PATIENCE, f"lab {self.number} does not come back: {self.errors}"
            await asyncio.sleep(0.15)
        self.commands.append(Blocked(began, time.monotonic()))
        return answer

    async def work(self, http: httpx.AsyncClient, over: asyncio.Event, chance: random.Random) -> None:
        count = 0
        while not over.is_set():
            count += 1
            mark = f"m{count}"
            if count % 3:
                value = f"{self.number}-{count}"
                body = {"metadata": {"name": mark}, "data": {"v": value}}
                answer = await self.insist(http, "POST", MAPS, body)
                # 409: it was done the first time, and the answer was lost.
                assert answer.status_code in (201, 409), answer.text
                self.named[mark] = value
            elif count % 2:
                body = {"metadata": {"generateName": "drawn-", "labels": {"mark": mark}}}
                answer = await self.ask(http, "POST", MAPS, body)
                (self.unknown if answer is None else self.drawn).add(mark)
            else:
                answer = await self.insist(http, "GET", MAPS)
                present = {item["metadata"]["name"] for item in answer.json()["items"]}
                assert set(self.named) <= present, f"lost: {set(self.named) - present}"
            await asyncio.sleep(THINK * (0.5 + chance.random()))

    async def account(self, http: httpx.AsyncClient) -> None:
        """At the end: everything is there, once."""
        items = (await self.insist(http, "GET", MAPS)).json()["items"]
        named = {i["metadata"]["name"]: (i.get("data") or {}).get("v") for i in items}
        assert self.named.items() <= named.items()
        drawn = Counter((item["metadata"].get("labels") or {}).get("mark", "") for item in items)
        del drawn[""]
        assert {mark: drawn[mark] for mark in self.drawn} == dict.fromkeys(self.drawn, 1)
        assert all(drawn[mark] <= 1 for mark in self.unknown)
        assert set(drawn) <= self.drawn | self.unknown


class World:
    """The stack, and what can go wrong with it. A fault returns when what it broke is whole again."""

    def __init__(
        self, stack: Stack, database: Server, clock: WallClock, disk: SmallDisk | None, chance: random.Random
    ) -> None:
        self.stack, self.database, self.clock, self.disk, self.chance = stack, database, clock, disk, chance

    def pids(self, pattern: str) -> list[int]:
        return [pid for pid, command in processes_of(self.stack).items() if re.search(pattern, command)]

    def _send(self, pids: list[int], number: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(holds):
                await asyncio.sleep(0.1)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.stack.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def host(self) -> tuple[str, list[int]]:
        pattern = rf"-n labs-{self.chance.randint(1, HOSTS)}@"
        return pattern, self.pids(pattern)

    async def kill_host(self) -> None:
        """Its labs go to another one at once, or wait for it; it is whole again when it has been started again."""
        pattern, pids = self.host()
        self._send(pids, signal.SIGKILL)
        await self._until(lambda: bool(set(self.pids(pattern)) - set(pids)))

    async def stop_host(self) -> None:
        """It hangs for longer than its lease, then goes on as if nothing had been."""
        _, pids = self.host()
        self._send(pids, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(2 * LEASE, self._send, pids, signal.SIGCONT)
        await asyncio.sleep(LEASE)

    async def kill_grading(self) -> None:
        self._send(self.pids("-Q grading"), signal.SIGKILL)

    async def stop_grading(self) -> None:
        pids = self.pids("-Q grading")
        self._send(pids, signal.SIGSTOP)
        await asyncio.sleep(4)
        self._send(pids, signal.SIGCONT)

    async def kill_web(self) -> None:
        self._send(self.pids("uvicorn"), signal.SIGKILL)
        await asyncio.sleep(0.5)
        await self._until(self.ready)

    async def stop_web(self) -> None:
        pids = self.pids("uvicorn")
        self._send(pids, signal.SIGSTOP)
        await asyncio.sleep(3)
        self._send(pids, signal.SIGCONT)

    async def kill_redis(self) -> None:
        """With all that it held: it keeps nothing on disk."""
        self._send(self.pids("redis-server|valkey-server"), signal.SIGKILL)
        await asyncio.sleep(0.5)
        await self._until(self.ready)

    async def restart_database(self) -> None:
        await asyncio.to_thread(self.database.stop)
        await asyncio.to_thread(self.database.start)

    async def disk_full(self) -> None:
        """The disk of the database, the logs and the scratch files. The database may die of it and is started again.

        Where no disk could be made, the database takes no writes for a while, and says so.
        """
        if self.disk is None:
            await asyncio.to_thread(self._read_only, "on")
            await asyncio.sleep(3)
            await asyncio.to_thread(self._read_only, "off")
            return
        await asyncio.to_thread(self.disk.fill)
        await asyncio.sleep(3)
        self.disk.free()
        if self.database.process is not None and self.database.process.poll() is not None:
            await asyncio.to_thread(self.database.start)
        await self._until(self.ready)

    def _read_only(self, value: str) -> None:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            connection.execute("SELECT pg_reload_conf()")

    async def clock_jump(self) -> None:
        """Two minutes, for the platform, Redis and the database: every lease that is written down has run out."""
        before = await asyncio.to_thread(self._times)
        self.clock.jump(120)
        after = await asyncio.to_thread(self._times)
        assert all(then - now > 115 for now, then in zip(before, after, strict=True)), (before, after)

    def _times(self) -> list[float]:
        """What Redis and the database say that it is; nothing of one that is just being started."""
        configuration = (self.stack.var / "redis" / "redis.conf").read_text()
        path = re.search(r'unixsocket "(.*)"', configuration)
        password = re.search(r"requirepass (\S+)", configuration)
        assert path is not None
        assert password is not None
        client = redis.Redis(
            unix_socket_path=path[1], password=password[1], retry=Retry(ConstantBackoff(0.5), 60),
            retry_on_error=[redis.ConnectionError],
        )  # fmt: skip
        with psycopg.connect(self.database.url) as connection:
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
        assert row is not None
        return [float(client.time()[0]), float(row[0])]


#: How often each is drawn, of 20.
KINDS: list[tuple[int, Callable[[World], Awaitable[None]]]] = [
    (6, World.kill_host), (3, World.stop_host), (2, World.kill_grading), (1, World.stop_grading),
    (2, World.kill_web), (1, World.stop_web), (1, World.kill_redis), (1, World.restart_database),
    (2, World.disk_full), (1, World.clock_jump),
]  # fmt: skip
SLICE = [
    World.kill_host, World.kill_redis, World.disk_full, World.stop_host, World.restart_database, World.kill_web,
    World.clock_jump,
]  # fmt: skip


def start_lab(stack: Stack, number: int) -> Learner:
    visitor = Visitor(stack)
    run = visitor.start("declare-a-deployment")
    found = re.search(r"ddr_[0-9a-f]+", visitor.http.get(f"/runs/{run.id}/kubeconfig/").text)
    assert found is not None
    visitor.close()
    return Learner(number, run.id, found[0])


def submit(api: Api) -> str | None:
    with suppress(httpx.HTTPError):
        answer = api.post("/labs/declare-a-deployment/submissions/", {"manifests": MENDED})
        if answer.status_code == 202:
            return str(answer.json()["id"])
    return None


def recovery(learners: list[Learner], faults: list[tuple[str, float, float]]) -> dict[str, list[float]]:
    """By fault, for each time and lab: how long after it was over a command that had met it was still not done.

    A command that met several counts for the one that was over last: before that, something it needs was dead.
    """
    found: dict[str, list[float]] = {name: [] for name, _, _ in faults}
    for learner in learners:
        last: dict[int, Blocked] = {}
        for command in learner.commands:
            met = [at for at, (_, began, healed) in enumerate(faults) if command.meets(began, healed)]
            if met:
                last[max(met, key=lambda at: faults[at][2])] = command
        for at, command in last.items():
            name, _, healed = faults[at]
            found[name].append(max(0.0, command.ended - max(command.began, healed)))
    return {name: sorted(seconds) for name, seconds in sorted(found.items())}


def spread(values: list[float]) -> tuple[float, float, float]:
    """The median, the 95th percentile and the greatest of sorted seconds."""
    if not values:
        return 0.0, 0.0, 0.0
    median, most = (round(values[int(len(values) * share)], 2) for share in (0.5, 0.95))
    return median, most, round(values[-1], 2)


async def journey(world: World, learners: list[Learner], api: Api) -> dict[str, Any]:
    chance, over = world.chance, asyncio.Event()
    faults: list[tuple[str, float, float]] = []
    sent: list[str] = []
    limits = httpx.Limits(max_connections=2 * LABS, max_keepalive_connections=LABS)
    async with httpx.AsyncClient(
        base_url=world.stack.url, timeout=20, trust_env=False, limits=limits
    ) as http:
        tasks = [asyncio.ensure_future(one.work(http, over, random.Random(one.number))) for one in learners]
        kinds = [kind for weight, kind in KINDS for _ in range(weight)]
        for number in range(FAULTS):
            if number % max(1, FAULTS // SUBMISSIONS) == 0 and (
                ident := await asyncio.to_thread(submit, api)
            ):
                sent.append(ident)
            await asyncio.sleep(CALM * (0.5 + chance.random()))
            kind = chance.choice(kinds) if FULL else SLICE[number % len(SLICE)]
            began = time.monotonic()
            await kind(world)
            faults.append((kind.__name__, began, time.monotonic()))
            for task in tasks:
                if task.done():
                    task.result()
        await asyncio.sleep(2 * LEASE if FULL else LEASE)
        over.set()
        await asyncio.gather(*tasks)
        for learner in learners:
            await learner.account(http)
    results = await asyncio.to_thread(graded, api, sent)
    commands = sorted(c.ended - c.began for one in learners for c in one.commands)
    back = recovery(learners, faults)
    return {
        "labs": len(learners),
        "faults": dict(Counter(name for name, _, _ in faults)),
        "commands": len(commands),
        "acknowledged": sum(len(one.named) + len(one.drawn) for one in learners),
        "unknown": sum(len(one.unknown) for one in learners),
        "command_p50_p95_max": spread(commands),
        "recovery_p50_p95_max": spread(sorted(chain.from_iterable(back.values()))),
        "recovery_by_fault": {name: spread(seconds) for name, seconds in back.items()},
        "submissions": dict(Counter(results)),
        "errors": dict(sum((one.errors for one in learners), Counter())),
    }


def graded(api: Api, sent: list[str]) -> list[tuple[str, Any]]:
    deadline = time.monotonic() + PATIENCE
    while True:
        found = [api.get(f"/submissions/{ident}/").json() for ident in sent]
        if all(one["state"] in ("graded", "failed") for one in found) or time.monotonic() > deadline:
            return [(one["state"], one["score"]) for one in found]
        time.sleep(0.5)


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that everybody may enter, as the database does; pytest closes its own again and again."""
    with tempfile.TemporaryDirectory(prefix="drydock-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_nothing_is_lost_and_nothing_sticks(outside: Path) -> None:
    print(f"seed {SEED}")
    clock = WallClock(outside / "clock")
    with small_disk(outside / "disk") as disk:
        folder = outside / "disk"
        database = Server(folder / "database", clock.environment)
        database.start()
        settings = {
            "DRYDOCK_DATABASE_URL": database.url,
            "DRYDOCK_HOSTS": str(HOSTS),
            "DRYDOCK_HOST_LEASE_SECONDS": str(int(LEASE)),
            **clock.environment,
        }
        (folder / "var").mkdir()
        try:
            with running(folder / "var", settings) as stack:
                learners = [start_lab(stack, number) for number in range(LABS)]
                api = Api(stack, Visitor(stack).sign_up().make_token())
                world = World(stack, database, clock, disk, random.Random(SEED))
                figures = asyncio.run(journey(world, learners, api))
                figures["disk"] = "filled" if disk is not None else "read-only database"
                print(figures)
                assert set(figures["submissions"]) == {("graded", 7)}, figures
        finally:
            database.stop()
