"""The task that grades what is due, in a worker of the queue `grading`."""

from __future__ import annotations

from celery import Task, shared_task
from config.logs import request_id
from django.conf import settings

from grading import queue, services


@shared_task(
    bind=True,
    name=queue.TASK,
    max_retries=0,
    soft_time_limit=settings.GRADING_SOFT_SECONDS,
    time_limit=settings.GRADING_HARD_SECONDS,
)
def grade_next(self: Task[[], None]) -> None:
    """Grade the submission whose turn it is, if any is due; then see to it that the next one finds a worker."""
    request_id.set(f"task-{str(self.request.id)[:12]}")
    submission = queue.claim()
    if submission is not None:
        try:
            services.grade(submission)
        finally:
            queue.ask()
