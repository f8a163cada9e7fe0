"""The Celery application: queue `labs` hosts engines, queue `grading` grades submissions.

`celery -A config worker -Q labs --pool threads -c 4` starts the engine host (a bootstep that only wakes up
in a worker consuming `labs`); `celery -A config worker -Q grading` is stateless and may run anywhere.
"""

import os

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("drydock")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["runs", "grading"])


@worker_process_init.connect
def _relax_collector(**_: object) -> None:
    from cluster_engine.memory import relax_collector

    relax_collector()


def _engine_host_step() -> None:
    from runs.host.bootstep import EngineHostStep

    app.steps["worker"].add(EngineHostStep)


@app.on_after_finalize.connect
def _install_steps(sender: Celery, **_: object) -> None:
    _engine_host_step()
