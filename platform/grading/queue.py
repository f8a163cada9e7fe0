"""Which submission is graded next. The database decides; Redis only carries tickets, and may lose them.

A ticket says "something may be due": whoever takes it looks into the database, claims what is fairest under a lease
and grades it. A submission is due while it is queued, and again when the lease of the worker that had it has run
out: that worker was killed, which says nothing about the manifests. Tickets are sent for each submission, by each
worker that has just graded one, and every few seconds by each grading worker; one too many does nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from celery import current_app
from django.db import DatabaseError, connection
from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from grading.models import QUEUED, RUNNING, Submission, SubmissionQuerySet

logger = logging.getLogger(__name__)

TASK = "grading.tasks.grade_next"
TICKET_SECONDS = 5.0
"""Between two tickets that a grading worker sends by itself; a ticket that waited longer than four is dropped."""
LEASE_SECONDS = 15.0
"""How long after its worker's last sign of life a submission is due again."""
RENEW_SECONDS = 5.0
MAX_TRIES = 3
"""A submission whose workers were lost that often is given up, and counts for nothing."""
CLAIMS = 20
"""How often one ticket tries for a submission that others take first."""


def ask() -> None:
    """Send a ticket. Without a broker nothing is lost: the next ticket of any worker finds what is due."""
    try:
        current_app.send_task(TASK, expires=4 * TICKET_SECONDS, retry=False)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("no grading ticket could be sent: %s", error)


def next_due(now: datetime) -> Submission | None:
    """The oldest due submission of the user whose turn it is.

    That is the user with the fewest submissions under way; among those, who has waited longest since one was begun:
    somebody's batch of a hundred holds nobody else up.
    """
    due = Submission.objects.due(now)
    waiting = {
        row["user"]: row["first"] for row in due.values("user").annotate(first=Min("created")).order_by()
    }
    if not waiting:
        return None
    turns = {
        row["user"]: (row["busy"], row["last"])
        for row in Submission.objects.filter(user__in=list(waiting))
        .values("user")
        .annotate(busy=Count("pk", filter=Q(state=RUNNING, leased_until__gte=now)), last=Max("started"))
        .order_by()
    }
    never = datetime.min.replace(tzinfo=now.tzinfo)

    def turn(user: int) -> tuple[int, datetime, datetime]:
        busy, last = turns.get(user, (0, None))
        return busy, last or never, waiting[user]

    return due.filter(user=min(waiting, key=turn)).order_by("created").first()


def claim() -> Submission | None:
    """What is due now, under a lease of this worker; None when nothing is. ``tries`` is the lease's fencing token."""
    for _ in range(CLAIMS):
        now = timezone.now()
        found = next_due(now)
        if found is None:
            return None
        taken = Submission.objects.filter(pk=found.pk, state=found.state, tries=found.tries).update(
            state=RUNNING,
            started=now,
            leased_until=now + timedelta(seconds=LEASE_SECONDS),
            tries=F("tries") + 1,
        )
        if taken:
            found.refresh_from_db()
            return found
    return None


def give_back(submission: Submission) -> None:
    """The lease was held in vain: due again, at once."""
    _held(submission).update(state=QUEUED, leased_until=None)


def _held(submission: Submission) -> SubmissionQuerySet:
    return Submission.objects.filter(pk=submission.pk, state=RUNNING, tries=submission.tries)


@contextmanager
def lease(submission: Submission) -> Iterator[None]:
    """Signs of life for as long as the block runs, from a thread of its own: a killed worker gives none."""
    ended = threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(RENEW_SECONDS):
                until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
                try:
                    _held(submission).update(leased_until=until)
                except DatabaseError as error:
                    logger.warning(
                        "a lease could not be renewed: %s", error, extra={"task": str(submission.pk)}
                    )
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="grading-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
