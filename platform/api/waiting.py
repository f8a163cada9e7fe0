"""`?wait=30`: hold the answer until the submission is done, without holding a thread.

A waiting request costs one Redis read now and then. DRF's views are synchronous, so they are called twice:
once to do what was asked, once more to tell the result.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from grading.services import DONE_PREFIX
from redis.exceptions import RedisError
from runs.registry import async_redis

logger = logging.getLogger(__name__)

MAX_WAIT = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25


def seconds_of(request: HttpRequest) -> float:
    """How long the caller wants to wait; nonsense means not at all."""
    try:
        seconds = float(request.GET.get("wait", "0"))
    except ValueError:
        return 0.0
    return min(seconds, MAX_WAIT) if seconds > 0 else 0.0


async def until_done(submission_id: str, seconds: float) -> bool:
    """Whether the submission was done within that time."""
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + seconds, FIRST_PAUSE
    while loop.time() < deadline:
        try:
            if await async_redis().exists(f"{DONE_PREFIX}{submission_id}"):
                return True
        except (RedisError, OSError) as error:
            logger.warning("cannot wait for a submission: %s", error)
            return False
        await asyncio.sleep(min(pause, max(0.0, deadline - loop.time())))
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return False


def _rendered(view: Callable[..., HttpResponse], *args: Any, **kwargs: Any) -> HttpResponse:
    """The view's response with its content there: DRF leaves that to Django's handler, which comes later."""
    response = view(*args, **kwargs)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def waiting(view: Callable[..., HttpResponse], detail: Callable[..., HttpResponse]) -> Any:
    """`view`, but where it answers with an unfinished submission and `wait` is given, `detail` once it is done.

    `detail` takes the request (made a GET) and the submission's id.
    """

    @functools.wraps(view)
    async def entry(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = await sync_to_async(_rendered)(view, request, *args, **kwargs)
        seconds = seconds_of(request)
        if not seconds or response.status_code not in (200, 202):
            return response
        data = json.loads(response.content)
        if data.get("state") not in ("queued", "running") or not await until_done(data["id"], seconds):
            return response
        request.method = "GET"
        return await sync_to_async(detail)(request, submission_id=data["id"])

    return entry
