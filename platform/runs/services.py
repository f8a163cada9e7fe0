"""What can be done with runs: start, stop, reset, expire."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from accounts.models import User
from accounts.services import ensure_user
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from runs import booting, hosting, journal, registry, states
from runs.models import Run, TransitionError

logger = logging.getLogger(__name__)

#: A cluster's boot takes nearly two minutes of virtual time. It begins that much earlier, so that the learner meets
#: it at the wall's time: what clients reckon themselves (ages, say) comes out right.
BOOT_TIME = timedelta(seconds=150)


class LimitError(Exception):
    """The user has as many live runs as one may have."""


def limit_of(user: User) -> int:
    """How many live runs this user may have at once."""
    return int(settings.RUN_LIMIT_GUEST if user.is_guest else settings.RUN_LIMIT)


def virtual_start() -> str:
    """The virtual time at which a cluster requested now begins."""
    return (timezone.now() - BOOT_TIME).strftime("%Y-%m-%dT%H:%M:%SZ")


def start(request: HttpRequest, lab: Any, language: str) -> Run:
    """Start `lab` for the visitor, who becomes a guest where nobody is logged in."""
    return start_run(ensure_user(request, language), lab, language)


def start_run(user: User, lab: Any, language: str) -> Run:
    """The user's live run of the lab, made if there is none. Raises `LimitError`."""
    expire_overdue(user)
    with transaction.atomic():
        # The user's row is the lock: two clicks at once make one run.
        User.objects.select_for_update().get(pk=user.pk)
        present = Run.objects.owned_by(user).live().filter(lab_slug=lab.slug).first()
        if present is not None:
            return present
        limit = limit_of(user)
        if Run.objects.owned_by(user).live().count() >= limit:
            raise LimitError(
                _("You have %(limit)d labs running. Stop one before you start another.") % {"limit": limit}
            )
        now = timezone.now()
        run = Run.objects.create(
            user=user,
            lab_slug=lab.slug,
            language=language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE,
            # A lab that names no seed gets one of its own; it is stored, so a replay is the same run.
            seed=lab.seed if lab.seed is not None else secrets.randbelow(2**31),
            start=virtual_start(),
            expires=now + timedelta(seconds=settings.RUN_LIFETIME_SECONDS),
        )
        _after_commit(lambda: request_boot(run))
    return run


def _after_commit(fn: Callable[[], None]) -> None:
    transaction.on_commit(fn)


def request_boot(run: Run) -> None:
    """Ask the labs queue to bring this run up.

    Without Redis the run stays `requested`; its page asks again while it waits.
    """
    try:
        registry.note_boot(run.pk, registry.BOOT_CLAIM_SECONDS)
        booting.ask(run.pk)
    except (RedisError, KombuError) as error:
        logger.warning("the boot could not be asked for: %s", error, extra={"run": run.pk})


def _end(run: Run, state: str, message: str = "") -> Run:
    if run.is_live:
        run.move(state, message)
        release(run)
    return run


def stop(run: Run) -> Run:
    """The owner is done with it. Stopping twice is no error."""
    return _end(run, states.STOPPED)


def release(run: Run) -> None:
    """Tell the host that holds the run to let go; it would find out by itself at its next write."""
    hosting.dismiss(run.pk, run.epoch)


def _boot_anew(run: Run) -> None:
    release(run)
    request_boot(run)


def reset(run: Run) -> Run:
    """Back to the lab's beginning: a new history in the same run."""
    if run.state == states.REQUESTED:
        return run
    with transaction.atomic():
        run.move(states.REQUESTED, start=virtual_start(), builds=0, report="")
        journal.mark_reset(run)
        _after_commit(lambda: _boot_anew(run))
    return run


def expire_overdue(user: User | None = None) -> int:
    """End live runs whose time is over; returns how many."""
    runs = Run.objects.overdue() if user is None else Run.objects.owned_by(user).overdue()
    ended = 0
    for run in runs[:500]:
        try:
            _end(run, states.EXPIRED, _("The lab was open longer than a lab may be."))
            ended += 1
        except TransitionError:
            continue  # someone else moved it in the meantime
    return ended


def pass_run(run: Run) -> None:
    """Every check has passed. A run that has passed stays passed and stays open."""
    if run.state == states.READY:
        run.move(states.PASSED)


def fail(run: Run, message: str, report: str) -> None:
    """The run cannot go on. Its journal stays; `report` is for instructors."""
    if run.is_live:
        run.move(states.FAILED, message, report=report)


def built(run: Run) -> None:
    """Its cluster is up: what went wrong before is over."""
    Run.objects.filter(pk=run.pk, epoch=run.epoch).update(builds=0, report="")
