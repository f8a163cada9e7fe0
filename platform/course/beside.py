"""A lesson's blocks, and what it has its reader complete, run on a cluster of the reader's own beside the text; it is
started by the first of them.

What a block prints is told as it comes, in lines of JSON.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from accounts.services import TooManyGuestsError
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from runs import hosting, services
from runs.models import Run, TransitionError

from labs.kit import blocks, catalog, completions
from labs.kit.blocks import Block
from labs.kit.catalog import Lesson
from labs.kit.completions import Completion

logger = logging.getLogger(__name__)

#: That a block with those before it may take.
SECONDS = 90.0
BROKEN_OFF = gettext_lazy("The cluster cannot be reached at the moment. Try again in a few seconds.")
Happened = Callable[[list[dict[str, Any]]], int | None]
"""From what ran: the number of what was foreseen that it shows, None where it shows nothing of that."""


def _problem(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)


def _of_lesson(handler: Callable[..., Awaitable[HttpResponseBase]]) -> Any:
    """A view of (request, slug, …) from a handler of (request, lesson, …); what goes wrong is told in a sentence."""

    @never_cache
    @require_POST
    @functools.wraps(handler)
    async def view(request: HttpRequest, slug: str, **more: Any) -> HttpResponseBase:
        try:
            lesson = catalog.load().lesson(slug)
        except KeyError:
            return _problem(404, _("There is no such lesson."))
        try:
            return await handler(request, lesson, **more)
        except services.LimitError as refused:
            return _problem(409, str(refused))
        except TooManyGuestsError as refused:
            return _problem(429, str(refused))
        except (TransitionError, hosting.OverError):
            return _problem(409, _("The lesson's cluster was taken down just now. Run the block again."))
        except hosting.UnavailableError as error:
            logger.info("no cluster beside the lesson %s: %s", slug, error)
            return _problem(503, str(BROKEN_OFF))

    return view


@_of_lesson
async def block(request: HttpRequest, lesson: Lesson, number: int) -> HttpResponseBase:
    """Run one block, and those before it that have not run: what they printed, the time, the cluster's picture."""
    found = blocks.of(lesson)
    if number >= len(found) or not found[number].script:
        return _problem(404, _("The lesson has no such block that runs."))
    return await _answer(request, lesson, {"block": number}, partial(_happened, found[number]))


@_of_lesson
async def complete(request: HttpRequest, lesson: Lesson) -> HttpResponseBase:
    """Run what the lesson has its reader complete, with what was filled in: as `block`, and which outcome it was."""
    if lesson.completion is None:
        return _problem(404, _("The lesson has nothing to complete."))
    try:
        fill = json.loads(request.body)["fill"]
        blocks.completing(lesson.completion, fill if isinstance(fill, str) else "")
    except (ValueError, KeyError, TypeError, RecursionError):
        sentence = _("Fill in one line of at most %(most)d characters.")
        return _problem(400, sentence % {"most": completions.FILL_MAX})
    return await _answer(request, lesson, {"fill": fill}, partial(_came_of, lesson.completion))


async def _answer(
    request: HttpRequest, lesson: Lesson, asked: dict[str, Any], happened: Happened
) -> HttpResponseBase:
    """What the host of the reader's cluster, which may have to be started, says to this."""
    run: Run = await sync_to_async(services.start_lesson)(request, lesson, get_language() or "en")
    status, lines = await hosting.lines(run, "block", asked, SECONDS)
    if status != 200:
        return JsonResponse([line async for line in lines][-1], status=status, safe=False)
    # Who became a guest by this has another token than his page.
    token = await sync_to_async(get_token)(request)
    more = {"clock": reverse("runs:clock", args=[run.pk]), "token": token}
    answer = StreamingHttpResponse(_told(lines, happened, more), content_type="application/x-ndjson")
    answer["X-Accel-Buffering"] = "no"
    return answer


async def _told(lines: AsyncIterator[Any], happened: Happened, more: dict[str, Any]) -> AsyncIterator[bytes]:
    """The host's lines; to the last one comes what the page goes on with."""
    try:
        async for line in lines:
            if "ran" in line:
                line = {**line, **more, "happened": happened(line["ran"])}
            yield json.dumps(line).encode() + b"\n"
    except hosting.UnavailableError as error:
        logger.info("the answer of a block broke off: %s", error)
        yield json.dumps({"error": str(BROKEN_OFF)}).encode() + b"\n"


@_of_lesson
async def ready(request: HttpRequest, lesson: Lesson) -> HttpResponse:
    """The reader is about to run a block: have the cluster stand and its terminal warm by then."""
    run: Run = await sync_to_async(services.start_lesson)(request, lesson, get_language() or "en")
    reply = await hosting.call(run, "POST", "ready", {}, seconds=SECONDS)
    token = await sync_to_async(get_token)(request)
    return JsonResponse({"token": token}, status=reply.status)


def _happened(asked: Block, ran: list[dict[str, Any]]) -> int | None:
    """Which guess of the block's prediction came true; None where there is none, or it cannot be said."""
    output = next((each["output"] for each in ran if each["block"] == asked.number), None)
    if asked.prediction is None or output is None:
        return None
    shown = asked.prediction.matching(output)
    return shown[0] if len(shown) == 1 else None


def _came_of(completion: Completion, ran: list[dict[str, Any]]) -> int | None:
    """Which outcome it was."""
    return completion.happened(ran[-1]["output"]) if ran else None


@_of_lesson
async def start_over(request: HttpRequest, lesson: Lesson) -> HttpResponse:
    """A new cluster for the reader: as if no block had run."""
    await sync_to_async(_reset)(request, lesson)
    return JsonResponse({})


def _reset(request: HttpRequest, lesson: Lesson) -> None:
    slug = blocks.cluster_of(lesson).slug
    run = Run.objects.owned_by(request.user).live().filter(lab_slug=slug).first()
    if run is not None:
        services.reset(run)
