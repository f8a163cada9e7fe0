"""Asking the labs queue for a run, by the task's name: who asks does not import what a worker needs to answer."""

from __future__ import annotations

import uuid

from celery import current_app

TASK = "runs.tasks.boot_run"
EXPIRES_SECONDS = 60
"""An older request is dropped: whoever still waits for the run has asked again."""


def ask(run_id: uuid.UUID) -> None:
    """Queue one boot. Raises RedisError or KombuError when the queue cannot be reached."""
    current_app.send_task(TASK, args=(str(run_id),), expires=EXPIRES_SECONDS, retry=False)
