"""A small operator for `kopf run`: a CronTab gets a ConfigMap with its schedule, and says how many it is ready for."""

from __future__ import annotations

from typing import Any

import kopf
from kubernetes import client, config


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.watching.server_timeout = 2
    settings.watching.reconnect_backoff = 0.1
    settings.posting.enabled = False
    config.load_kube_config()


@kopf.on.create("clients.example.com", "v1", "crontabs", backoff=1)
@kopf.on.update("clients.example.com", "v1", "crontabs", backoff=1)
def reconcile(spec: kopf.Spec, patch: kopf.Patch, name: str, namespace: str, **_: Any) -> None:
    """Level-driven: what there is to be follows from the spec alone."""
    body = {"metadata": {"name": name}, "data": {"schedule": spec["schedule"]}}
    kopf.adopt(body)
    core = client.CoreV1Api()
    try:
        core.create_namespaced_config_map(namespace, body)
    except client.ApiException as error:
        if error.status != 409:
            raise
        core.replace_namespaced_config_map(name, namespace, body)
    patch.status["ready"] = spec["replicas"]


@kopf.on.delete("clients.example.com", "v1", "crontabs", backoff=1)
def farewell(name: str, namespace: str, **_: Any) -> None:
    """What must be done before the object may go: kopf holds it by a finalizer until then."""
    body = {"metadata": {"name": f"farewell-{name}"}}
    client.CoreV1Api().create_namespaced_config_map(namespace, body)
