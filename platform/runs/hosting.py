"""From the web tier to the host of a run: find it, wake it, call it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from asgiref.sync import sync_to_async
from config.logs import request_id
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import get_language
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from runs import booting, registry, signing, states
from runs.models import Run
from runs.registry import Location
from runs.upstream import Answer, Doubt, Headers, Upstream, UpstreamError

logger = logging.getLogger(__name__)

CALL_SECONDS = 60.0
#: How long the head of an answer may take.
HEAD_SECONDS = 30.0
#: When nothing has come for so long, it is looked up whether the host is still there.
DOUBT_SECONDS = 0.5
BELIEVE_SECONDS = 1.0
#: How long one wait for a boot lasts before its outcome is looked at.
WAKE_SLICE_SECONDS = 0.5
KNOWN_RUNS = 20_000
#: What a host answers when it does not hold the run.
MISDIRECTED = 421


class UnavailableError(Exception):
    """The run lives, but cannot be reached just now; trying again helps."""


class UnknownOutcomeError(UnavailableError):
    """A host was lost that may have seen, or even done, what was asked: trying again may do it twice."""


class OverError(Exception):
    """The run is over; `state` says how."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the run is {state}")
        self.state = state


_upstreams: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Upstream] = weakref.WeakKeyDictionary()


def upstream() -> Upstream:
    """The HTTP client of the running event loop."""
    loop = asyncio.get_running_loop()
    client = _upstreams.get(loop)
    if client is None:
        client = _upstreams[loop] = Upstream()
    return client


def host_headers(host: str, method: str, target: str, body: bytes = b"") -> list[tuple[bytes, bytes]]:
    """What the host of that name wants to see from us with this request."""
    signature = signing.sign(host, method, target, body)
    return [
        (signing.SIGNATURE_HEADER.encode("ascii"), signature.encode("ascii")),
        (b"x-request-id", request_id.get().encode("ascii", "replace")),
    ]


#: Run → where it was found, and until when that is believed.
_known: OrderedDict[uuid.UUID, tuple[Location, float]] = OrderedDict()


def _remember(run_id: uuid.UUID, location: Location) -> Location:
    _known[run_id] = (location, time.monotonic() + BELIEVE_SECONDS)
    _known.move_to_end(run_id)
    if len(_known) > KNOWN_RUNS:
        _known.popitem(last=False)
    return location


async def _require_live(run_id: uuid.UUID) -> None:
    """Raises `OverError` unless the run can still be worked in."""
    try:
        state = await sync_to_async(Run.objects.filter(pk=run_id).values_list("state", flat=True).first)()
    except DatabaseError as error:
        raise UnavailableError("the database cannot be reached") from error
    if state is None or state not in states.LIVE:
        raise OverError(state or states.STOPPED)


async def locate(run_id: uuid.UUID) -> Location:
    """Where the run lives; wakes it when it lives nowhere. Raises `UnavailableError` or `OverError`.

    What was true a second ago is believed, and so is what was true before Redis lost its memory: a host that does not
    hold the run any more says so, and a fenced one cannot write. But a host whose lease has run out is hung or gone.
    """
    known = _known.get(run_id)
    now = time.monotonic()
    if known is not None and known[1] > now:
        return known[0]
    try:
        location = await registry.find(run_id)
        if location is None and known is not None and await registry.has_forgotten():
            location = known[0]
        if location is None:
            location = await _wake(run_id)
    except (RedisError, KombuError, OSError) as error:
        logger.warning("the run registry cannot be reached: %s", error)
        if known is not None:
            return known[0]
        raise UnavailableError("the run registry cannot be reached") from error
    return _remember(run_id, location)


async def _wake(run_id: uuid.UUID) -> Location:
    """Ask for a boot and wait for it; a run that is over, or ends meanwhile, is not waited for."""
    deadline = time.monotonic() + settings.RUN_BOOT_WAIT_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        # Within the loop: a boot that failed (no database, say) gives its claim back, and is asked for again.
        if await registry.claim_boot(run_id, registry.BOOT_CLAIM_SECONDS):
            await asyncio.to_thread(booting.ask, run_id)
        location = await registry.wait_for(run_id, min(left, WAKE_SLICE_SECONDS))
        if location is not None:
            return location
        await _require_live(run_id)
    raise UnavailableError("the lab is still starting")


async def nudge(run_id: uuid.UUID) -> None:
    """Ask for a boot unless somebody just did; never waits."""
    try:
        if await registry.claim_boot(run_id, registry.BOOT_CLAIM_SECONDS):
            await asyncio.to_thread(booting.ask, run_id)
    except (RedisError, KombuError, OSError) as error:
        logger.warning("the run registry cannot be reached: %s", error)


async def forget(run_id: uuid.UUID, location: Location) -> None:
    """Its host does not answer or does not hold it: look again."""
    _known.pop(run_id, None)
    try:
        await asyncio.to_thread(registry.forget, run_id, location.epoch)
        await asyncio.to_thread(registry.release_boot, run_id)
    except (RedisError, OSError) as error:
        raise UnavailableError("the run registry cannot be reached") from error


async def _still_there(run_id: uuid.UUID, location: Location) -> bool:
    """Whether the host still has its lease of the run, as far as anybody can tell."""
    try:
        found = await registry.find(run_id)
        return found == location or (found is None and await registry.has_forgotten())
    except (RedisError, OSError):
        return True


async def send(
    run_id: uuid.UUID,
    method: str,
    path: str,
    headers: Headers = (),
    body: bytes = b"",
    head_seconds: float = HEAD_SECONDS,
) -> Answer:
    """Send one request to the run's host and return its streaming answer.

    A host that is gone, or that hangs until its lease has run out, is replaced and asked again, as long as it cannot
    have seen the request or the request changes nothing. Raises `UnavailableError`, `OverError`.
    """
    safe = method in ("GET", "HEAD")
    for last in (False, False, True):
        location = await locate(run_id)
        try:
            signed = host_headers(location.host, method, path, body)
            answer = await upstream().request(
                method,
                location.url + path,
                [*signed, *headers],
                body,
                head_seconds,
                Doubt(DOUBT_SECONDS, partial(_still_there, run_id, location)),
            )
        except UpstreamError as error:
            if not error.sent or not await _still_there(run_id, location):
                await forget(run_id, location)
            if error.sent and not safe:
                raise UnknownOutcomeError(str(error)) from error
            if last:
                raise UnavailableError(str(error)) from error
            continue
        if answer.status != MISDIRECTED:
            return answer
        await answer.aclose()
        await forget(run_id, location)
    raise UnavailableError("no host holds the run")


@dataclass(frozen=True, slots=True)
class Reply:
    """A host's JSON answer."""

    status: int
    data: Any


async def call(run: Run, method: str, verb: str, data: Any = None, seconds: float = CALL_SECONDS) -> Reply:
    """Call one of the host's own endpoints, `/<verb>/<run>`, with JSON both ways."""
    answer = await _asked(run, method, verb, data, seconds)
    try:
        async with asyncio.timeout(seconds):
            return Reply(answer.status, json.loads(await answer.read() or b"null"))
    except (UpstreamError, TimeoutError) as error:
        raise UnavailableError(str(error) or "the answer took too long") from error
    finally:
        await answer.aclose()


async def lines(run: Run, verb: str, data: Any, seconds: float) -> tuple[int, AsyncIterator[Any]]:
    """As `call` with POST, of what answers in JSON lines: its status, and each line as it comes.

    The lines raise `UnavailableError` when they break off.
    """
    answer = await _asked(run, "POST", verb, data, seconds)
    return answer.status, _lines(answer, seconds)


async def _lines(answer: Answer, seconds: float) -> AsyncIterator[Any]:
    rest = b""
    try:
        async with asyncio.timeout(seconds):
            async for part in answer:
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    yield json.loads(line)
            if rest:
                yield json.loads(rest)
    except (UpstreamError, TimeoutError) as error:
        raise UnavailableError(str(error) or "the answer took too long") from error
    finally:
        await answer.aclose()


async def _asked(run: Run, method: str, verb: str, data: Any, seconds: float) -> Answer:
    if not run.is_live:
        raise OverError(run.state)
    body = json.dumps(data).encode("utf-8") if data is not None else b""
    language = (get_language() or run.language).encode("ascii")
    headers = [(b"content-type", b"application/json"), (b"accept-language", language)]
    return await send(run.pk, method, f"/{verb}/{run.pk}", headers, body, seconds)


def dismiss(run_id: uuid.UUID, epoch: int) -> None:
    """Tell the present host to drop the run; best effort, since fencing is what guarantees it."""
    try:
        text = registry.sync_redis().get(f"{registry.PREFIX}{run_id}")
        if not text:
            return
        location = Location.load(run_id, text)
        registry.forget(run_id, max(epoch, location.epoch))
        path = f"/stop/{run_id}"
        signature = signing.sign(location.host, "POST", path)
        httpx.post(location.url + path, headers={signing.SIGNATURE_HEADER: signature}, timeout=2)
    except (RedisError, httpx.HTTPError, OSError, signing.ForgedError) as error:
        logger.info("the host of a run that ended was not told: %s", error, extra={"run": run_id})
