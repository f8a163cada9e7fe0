"""The Celery application: queue `labs` hosts engines, queue `grading` grades submissions.

`celery -A config worker -Q labs --pool threads -c 4` starts the engine host (a bootstep that only wakes up
in a worker consuming `labs`); `celery -A config worker -Q grading` is stateless and may run anywhere.
"""

import os

from celery import Celery
from celery.signals import worker_process_init

from cluster_engine.memory import relax_collector

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("drydock")
app.set_default()  # in every thread: tasks are asked for by name from worker threads too
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["runs", "grading"])


@worker_process_init.connect
def _relax_collector(**_: object) -> None:
    relax_collector()


@app.on_after_finalize.connect
def _install_steps(sender: Celery, **_: object) -> None:
    # Here and not above: the host's modules need Django's applications, which are not loaded yet when this one is.
    from grading.bootstep import TicketStep
    from runs.host.bootstep import EngineHostStep

    sender.steps["worker"].update((EngineHostStep, TicketStep))
