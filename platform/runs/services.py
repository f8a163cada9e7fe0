"""What can be done with runs: start, stop, reset, purge."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from accounts.models import User
from accounts.services import ensure_user
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from labs.kit import blocks
from labs.kit.catalog import Lesson
from runs import booting, hosting, journal, registry, states
from runs.models import Run

logger = logging.getLogger(__name__)

#: A cluster's boot takes nearly two minutes of virtual time. It begins that much earlier, so that the learner meets
#: it at the wall's time: what clients reckon themselves (ages, say) comes out right.
BOOT_TIME = timedelta(seconds=150)
#: A cluster whose time goes slower than this is called busy.
SLOW_PERCENT = 90
#: Lessons of one user that have a cluster; with one more the cluster used least recently is taken down.
LESSONS_KEPT = 3
#: Guests, and runs, that one purge deletes at most.
PURGE_MOST = 500


class LimitError(Exception):
    """What the user's labs keep has reached its limit."""


def awake_limit(user: User) -> int:
    """How many runs of this user one host keeps awake; more of them sleep, the least recently used first."""
    return int(settings.RUN_LIMIT_GUEST if user.is_guest else settings.RUN_LIMIT)


def bytes_limit(user: User) -> int:
    """How many bytes this user's runs may keep in the database."""
    return int(settings.RUN_KEPT_MB_GUEST if user.is_guest else settings.RUN_KEPT_MB) * 1_000_000


def virtual_start() -> str:
    """The virtual time at which a cluster requested now begins: a full minute, so that a host installs the clusters of
    that minute once and copies the others."""
    return (timezone.now() - BOOT_TIME).replace(second=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def start(request: HttpRequest, lab: Any, language: str) -> Run:
    """Start `lab` for the visitor, who becomes a guest where nobody is logged in."""
    return start_run(ensure_user(request, language), lab, language)


def start_run(user: User, lab: Any, language: str) -> Run:
    """The user's live run of the lab, made if there is none. Raises `LimitError`."""
    with transaction.atomic():
        # The user's row is the lock: two clicks at once make one run.
        User.objects.select_for_update().get(pk=user.pk)
        present = Run.objects.owned_by(user).live().filter(lab_slug=lab.slug).first()
        if present is not None:
            return present
        _free_up(user)
        run = Run.objects.create(
            user=user,
            lab_slug=lab.slug,
            lab_version=lab.version,
            language=language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE,
            # A lab that names no seed gets one of its own; it is stored, so a replay is the same run.
            seed=lab.seed if lab.seed is not None else secrets.randbelow(2**31),
            start=virtual_start(),
            speed=0.0 if lab.hurries else 1.0,
        )
        _after_commit(lambda: request_boot(run))
    return run


def start_lesson(request: HttpRequest, lesson: Lesson, language: str) -> Run:
    """The visitor's cluster beside a lesson; of other lessons the last ones are kept. Raises `LimitError`."""
    run = start(request, blocks.cluster_of(lesson), language)
    theirs = Run.objects.owned_by(run.user).live().of_lessons().exclude(pk=run.pk)
    for old in theirs.order_by("-last_active")[LESSONS_KEPT - 1 :]:
        stop(old)
    return run


def _free_up(user: User) -> None:
    """See that the user's runs keep less than they may: what is over goes, the oldest first. Raises `LimitError`."""
    limit, runs = bytes_limit(user), Run.objects.owned_by(user)
    for run in runs.over().filter(kept_bytes__gt=0).order_by("finished"):
        if runs.kept_bytes() < limit:
            return
        journal.forget(run.pk)
    if (kept := runs.kept_bytes()) >= limit:
        raise LimitError(
            _("Your labs keep %(kept)d MB, as much as they may. Stop or reset one before you start another.")
            % {"kept": kept // 1_000_000}
        )


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


def renew_token(run: Run) -> None:
    """A new token for the owner's own tools. The old one opens nothing more (for `ALLOW_SECONDS` still, where it was
    just used)."""
    Run.objects.filter(pk=run.pk).update(token_serial=F("token_serial") + 1)
    run.refresh_from_db(fields=["token_serial"])


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
        run.move(states.REQUESTED, start=virtual_start(), builds=0, report="", reached_us=0)
        journal.begin_anew(run)
        _after_commit(lambda: _boot_anew(run))
    return run


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge deleted."""

    guests: int
    entries: int


def purge(days: int, most: int = PURGE_MOST) -> Purged:
    """Forget what nobody will come back to: guests not seen for so many days, with all they own, and the histories of
    runs that ended that long ago. Results are kept. `most` bounds one call; the next one goes on."""
    before = timezone.now() - timedelta(days=days)
    recent = Run.objects.filter(user=OuterRef("pk"), last_active__gte=before)
    guests = User.objects.filter(is_guest=True, date_joined__lt=before).exclude(Exists(recent))
    gone = list(guests.order_by("pk").values_list("pk", flat=True)[:most])
    for pk in gone:
        User.objects.filter(pk=pk).delete()
    ended = Run.objects.over().filter(finished__lt=before, kept_bytes__gt=0).order_by("finished")
    entries = sum(journal.forget(pk) for pk in list(ended.values_list("pk", flat=True)[:most]))
    return Purged(len(gone), entries)


def notice_of(run: Run) -> str:
    """What its owner should know of a live run, or nothing."""
    if not run.is_live or run.pace >= SLOW_PERCENT:
        return ""
    return _("Your cluster is busy: it runs at %(pace)s ×.") % {"pace": f"{run.pace / 100:.1f}"}


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
