"""The task that brings a run to life. It runs in a labs worker, next to that worker's engine host."""

from __future__ import annotations

import uuid

from celery import Task, shared_task
from config.logs import request_id

from runs import booting, registry
from runs.host.current import current_host


@shared_task(bind=True, name=booting.TASK, max_retries=0)
def boot_run(self: Task[[str], None], run_id: str) -> None:
    """Own the run: boot it anew, or rebuild it from its journal. Idempotent."""
    request_id.set(f"task-{str(self.request.id)[:12]}")
    run = uuid.UUID(run_id)
    # A task that came late, or twice: a host that shows signs of life keeps its run.
    if not registry.lives(run, elsewhere_than=current_host().name):
        current_host().acquire(run)
