"""The task that grades a submission, in a worker of the queue `grading`."""

from __future__ import annotations

import uuid

from celery import Task, shared_task
from config.logs import request_id
from django.conf import settings

from grading import services


@shared_task(
    bind=True,
    name=services.TASK,
    max_retries=0,
    soft_time_limit=settings.GRADING_SOFT_SECONDS,
    time_limit=settings.GRADING_HARD_SECONDS,
)
def grade_submission(self: Task[[str], None], submission_id: str) -> None:
    """Grade one submission. Idempotent: a finished one stays as it is."""
    request_id.set(f"task-{str(self.request.id)[:12]}")
    services.grade(uuid.UUID(submission_id))
