"""Run → host in a real Redis: a lower epoch never overwrites a higher one."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest
from runs import registry
from runs.registry import Location

RUN = uuid.UUID("11111111-1111-4111-8111-111111111111")


def at(epoch: int, host: str = "a") -> Location:
    return Location(f"http://127.0.0.1:{1000 + epoch}", epoch, host)


def find() -> Location | None:
    return asyncio.run(registry.find(RUN))


def test_register_and_find() -> None:
    assert find() is None
    assert registry.register(RUN, at(1), 10)
    assert find() == at(1)


def test_an_older_epoch_does_not_come_back() -> None:
    assert registry.register(RUN, at(2), 10)
    assert not registry.register(RUN, at(1), 10)
    assert registry.register(RUN, at(2), 10)
    assert registry.register(RUN, at(3), 10)
    assert find() == at(3)


@pytest.mark.parametrize("entry", ["forged", "of another run", "without a signature", "not JSON", "a list"])
def test_only_a_host_says_where_a_run_lives(entry: str) -> None:
    text = {
        "forged": at(9).dump(RUN).replace("1009", "1010"),
        "of another run": at(9).dump(uuid.uuid4()),
        "without a signature": '{"url": "http://127.0.0.1:1", "epoch": 9, "host": "a"}',
        "not JSON": "http://127.0.0.1:1",
        "a list": "[]",
    }[entry]
    registry.sync_redis().set(f"{registry.PREFIX}{RUN}", text)
    assert find() is None
    assert registry.register(RUN, at(1), 10), "and it does not stand in a host's way"
    assert find() == at(1)


def test_an_entry_is_worth_its_host_s_lease() -> None:
    registry.register(RUN, at(1, "a"), 10)
    assert registry.lives(RUN, elsewhere_than="b")
    assert not registry.lives(RUN, elsewhere_than="a")
    registry.end("a")
    assert find() is None
    assert not registry.lives(RUN, elsewhere_than="b")
    registry.beat("a", 10)
    assert find() == at(1, "a"), "it had only been late"
    registry.beat("a", 0.02)
    time.sleep(0.05)
    assert find() is None


def test_a_heartbeat_finds_out_that_redis_forgot() -> None:
    async def has_forgotten() -> bool:
        return await registry.has_forgotten()

    assert asyncio.run(has_forgotten())
    assert registry.beat("a", 0.1)
    assert asyncio.run(has_forgotten()), "the other hosts have not written theirs yet"
    assert not registry.beat("b", 10)
    time.sleep(0.15)
    assert not asyncio.run(has_forgotten())


def test_forget_spares_a_newer_owner() -> None:
    registry.register(RUN, at(2), 10)
    registry.forget(RUN, 1)
    assert find() == at(2)
    registry.forget(RUN, 2)
    assert find() is None


def test_one_asks_for_the_boot_the_others_wait() -> None:
    async def claims() -> list[bool]:
        return [await registry.claim_boot(RUN, 5) for _ in range(3)]

    assert asyncio.run(claims()) == [True, False, False]
    registry.release_boot(RUN)
    assert asyncio.run(registry.claim_boot(RUN, 5))


def test_wait_for_a_new_epoch() -> None:
    async def scene() -> Location | None:
        await asyncio.to_thread(registry.register, RUN, at(1), 10)

        async def later() -> None:
            await asyncio.sleep(0.02)
            await asyncio.to_thread(registry.register, RUN, at(2), 10)

        task = asyncio.ensure_future(later())
        found = await registry.wait_for(RUN, 5, epoch_above=1)
        await task
        return found

    assert asyncio.run(scene()) == at(2)
    assert asyncio.run(registry.wait_for(uuid.uuid4(), 0.0)) is None
