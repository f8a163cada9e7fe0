"""Run → host, in Redis: where a run lives at this moment.

An entry is believed for as long as its host keeps its own lease, one for all its runs. It carries the epoch, and a
lower epoch never overwrites a higher one, so a host that lost a run cannot draw traffic back to itself. Redis only
remembers what is true elsewhere: when it loses everything, the hosts write it again at their next heartbeat.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import uuid
import weakref
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import redis
import redis.asyncio
from django.conf import settings

from runs import signing

logger = logging.getLogger(__name__)

PREFIX = "drydock:run:"
HOST_PREFIX = "drydock:host:"
BOOT_PREFIX = "drydock:boot:"
BUILD_PREFIX = "drydock:build:"
PURGE_KEY = "drydock:purge"
#: Set by hosts while Redis remembers; and for as long as a lease after Redis had forgotten all.
KNOWN_KEY, YOUNG_KEY = "drydock:known", "drydock:young"
#: An entry is forgotten after so long; its run is asked for again then, and its host stays what it is.
ENTRY_SECONDS = 7 * 24 * 3600
#: A boot that was asked for and not done within this time may be asked for again.
BOOT_CLAIM_SECONDS = 1.0
#: While a host builds a run, nobody else is asked to or does it: so long after it said so last (`host/claims.py`).
BUILD_CLAIM_SECONDS = 3.0

#: KEYS[1] entry, KEYS[2] host · ARGV: JSON, epoch, seconds of the entry, milliseconds of the host's lease. Returns 1
#: when written, 0 when a newer epoch is there.
_REGISTER = """
local old = redis.call('GET', KEYS[1])
if old and cjson.decode(old).epoch > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[4])
return 1
"""
#: KEYS[1] entry · ARGV: epoch. Deletes the entry unless a newer epoch owns it.
_FORGET = """
local old = redis.call('GET', KEYS[1])
if old and cjson.decode(old).epoch <= tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
return 0
"""
#: KEYS[1] claim · ARGV: host, milliseconds. The claim lasts for as long again, where it is this host's or nobody's.
_RENEW = """
local now = redis.call('GET', KEYS[1])
if now and now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
#: KEYS[1] claim · ARGV: host. Gives the claim back, where it is this host's.
_END = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(frozen=True, slots=True)
class Location:
    """The host that holds a run."""

    url: str
    epoch: int
    host: str

    def _mac(self, run_id: uuid.UUID) -> str:
        return signing.mac("location", str(run_id), self.url, self.epoch, self.host)

    def dump(self, run_id: uuid.UUID) -> str:
        """As stored for this run: signed, for only a host may say where a run lives."""
        return json.dumps({**asdict(self), "mac": self._mac(run_id)})

    @classmethod
    def load(cls, run_id: uuid.UUID, text: str | bytes) -> Location:
        """From what is stored. Raises ForgedError where no host of ours wrote it."""
        try:
            data = json.loads(text)
            given = str(data.pop("mac"))
            location = cls(url=str(data["url"]), epoch=int(data["epoch"]), host=str(data["host"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise signing.ForgedError("an entry of the registry that is none") from None
        if not hmac.compare_digest(given.encode(), location._mac(run_id).encode()):
            raise signing.ForgedError("an entry of the registry with a wrong signature")
        return location


@lru_cache(maxsize=4)
def _sync_client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=30)


def sync_redis() -> redis.Redis:
    """The shared client for threads."""
    return _sync_client(settings.REDIS_URL)


_async_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = (
    weakref.WeakKeyDictionary()
)


def async_redis() -> redis.asyncio.Redis:
    """The client of the running event loop."""
    loop = asyncio.get_running_loop()
    client = _async_clients.get(loop)
    if client is None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2)
        _async_clients[loop] = client
    return client


async def find(run_id: uuid.UUID) -> Location | None:
    """Where the run lives, or None: no entry, none that a host of ours wrote, or one whose host has lost its lease."""
    text = await async_redis().get(f"{PREFIX}{run_id}")
    if not text:
        return None
    try:
        location = Location.load(run_id, text)
    except signing.ForgedError as error:
        logger.error("not believed: %s", error, extra={"run": run_id})
        await async_redis().delete(f"{PREFIX}{run_id}")
        return None
    return location if await async_redis().exists(f"{HOST_PREFIX}{location.host}") else None


async def has_forgotten() -> bool:
    """Whether Redis lost its memory a moment ago: that no entry is there says nothing of the host then."""
    known, young = await async_redis().mget(KNOWN_KEY, YOUNG_KEY)
    return not known or bool(young)


async def wait_for(run_id: uuid.UUID, seconds: float, epoch_above: int = -1) -> Location | None:
    """Poll until the run is registered with an epoch above `epoch_above`, at most for `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    pause = 0.01
    while True:
        location = await find(run_id)
        if location is not None and location.epoch > epoch_above:
            return location
        if asyncio.get_running_loop().time() > deadline:
            return None
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.1)


async def claim_boot(run_id: uuid.UUID, seconds: float) -> bool:
    """Whether the caller is the one who should ask for a boot; the others only wait, and all while a host builds it."""
    if await async_redis().exists(f"{BUILD_PREFIX}{run_id}"):
        return False
    return bool(await async_redis().set(f"{BOOT_PREFIX}{run_id}", "1", nx=True, px=int(seconds * 1000)))


def claim_purge(seconds: float) -> bool:
    """Whether the caller is the one who should purge now."""
    return bool(sync_redis().set(PURGE_KEY, "1", nx=True, px=int(seconds * 1000)))


def lives(run_id: uuid.UUID, elsewhere_than: str) -> bool:
    """Whether another host than this one holds the run under its lease."""
    text = sync_redis().get(f"{PREFIX}{run_id}")
    if text is None:
        return False
    try:
        host = Location.load(run_id, text).host
    except signing.ForgedError:
        return False
    return host != elsewhere_than and bool(sync_redis().exists(f"{HOST_PREFIX}{host}"))


def note_boot(run_id: uuid.UUID, seconds: float) -> None:
    """A boot has just been asked for: others need not for a while."""
    sync_redis().set(f"{BOOT_PREFIX}{run_id}", "1", px=int(seconds * 1000))


def release_boot(run_id: uuid.UUID) -> None:
    """Let the next request ask for a boot at once."""
    sync_redis().delete(f"{BOOT_PREFIX}{run_id}")


def begin_build(run_id: uuid.UUID, host: str, seconds: float) -> bool:
    """Claim the run's build for so long; False: another host builds it."""
    return bool(sync_redis().eval(_RENEW, 1, f"{BUILD_PREFIX}{run_id}", host, int(seconds * 1000)))


def renew_builds(run_ids: Iterable[uuid.UUID], host: str, seconds: float) -> None:
    """The host's claims last for so long again."""
    pipe = sync_redis().pipeline(transaction=False)
    for run_id in run_ids:
        pipe.eval(_RENEW, 1, f"{BUILD_PREFIX}{run_id}", host, int(seconds * 1000))
    pipe.execute()


def end_build(run_id: uuid.UUID, host: str) -> None:
    """The build is over: the next request may ask for another one at once."""
    pipe = sync_redis().pipeline(transaction=False)
    pipe.eval(_END, 1, f"{BUILD_PREFIX}{run_id}", host)
    pipe.delete(f"{BOOT_PREFIX}{run_id}")
    pipe.execute()


def register(run_id: uuid.UUID, location: Location, seconds: float) -> bool:
    """Write an entry, with a lease of its host for so many seconds; False when a newer epoch owns the run."""
    keys = [f"{PREFIX}{run_id}", f"{HOST_PREFIX}{location.host}"]
    arguments: list[Any] = [location.dump(run_id), location.epoch, ENTRY_SECONDS, int(seconds * 1000)]
    return bool(sync_redis().eval(_REGISTER, 2, *keys, *arguments))


def beat(host: str, seconds: float) -> bool:
    """Renew a host's lease. True: Redis had lost its memory, and the host's runs must be registered again."""
    pipe = sync_redis().pipeline(transaction=False)
    pipe.set(f"{HOST_PREFIX}{host}", "1", px=int(seconds * 1000))
    pipe.set(KNOWN_KEY, "1", nx=True)
    forgot = bool(pipe.execute()[1])
    if forgot:
        sync_redis().set(YOUNG_KEY, "1", px=int(seconds * 1000))
    return forgot


def end(host: str) -> None:
    """The host is gone, and says so."""
    sync_redis().delete(f"{HOST_PREFIX}{host}")


def forget(run_id: uuid.UUID, epoch: int) -> None:
    """Take a run's entry away, unless a newer owner wrote it."""
    sync_redis().eval(_FORGET, 1, f"{PREFIX}{run_id}", epoch)
