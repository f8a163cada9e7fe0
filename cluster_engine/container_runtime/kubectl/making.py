"""Objects that `kubectl create` and `kubectl run` make of a command line."""

from __future__ import annotations

import base64
from collections.abc import Callable

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.kubectl.arguments import Arguments
from cluster_engine.container_runtime.kubectl.conversation import Conversation, Failed, not_here
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.text import characters, octets

FLAGS = "image replicas from from-literal from-file"
POD_FLAGS = "image restart env labels port command"


def pod(given: Arguments) -> JSON:
    """Of `kubectl run NAME --image=…`."""
    if not given.words:
        raise Failed("NAME is required for run")
    name, image = given.words[0], given.value("image")
    if not image:
        raise Failed('required flag(s) "image" not set')
    container: JSON = {"name": name, "image": image, "resources": {}}
    words = [*given.words[1:], *given.rest]
    if words:
        container["command" if given.yes("command") else "args"] = words
    if given.every("env"):
        container["env"] = [
            dict(zip(("name", "value"), each.split("=", 1), strict=False)) for each in given.every("env")
        ]
    if given.value("port").isdecimal():
        container["ports"] = [{"containerPort": int(given.value("port"))}]
    labels = dict(each.split("=", 1) for each in given.value("labels").split(",") if "=" in each) or {
        "run": name
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [container], "restartPolicy": given.value("restart", "Always")},
    }


def made(given: Arguments, talk: Conversation, files: Callable[[str], str]) -> JSON:
    """Of `kubectl create KIND NAME …`. Raises Failed, Refused and Missing."""
    kind, words = given.words[0], given.words[1:]
    if kind == "secret":
        if words[:1] != ["generic"]:
            not_here(f"kubectl create secret {' '.join(words[:1])}".rstrip())
        words = words[1:]
    maker = MAKERS.get(kind)
    if maker is None:
        not_here(f"kubectl create {kind}")
    if len(words) != 1:
        raise Failed(f"exactly one NAME is required, got {len(words)}")
    return maker(given, talk, files, words[0])


def _namespace(given: Arguments, talk: Conversation, files: Callable[[str], str], name: str) -> JSON:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _account(given: Arguments, talk: Conversation, files: Callable[[str], str], name: str) -> JSON:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def _data(given: Arguments, files: Callable[[str], str]) -> dict[str, str]:
    """Byte texts."""
    found: dict[str, str] = {}
    for each in given.every("from-literal"):
        key, equals, value = each.partition("=")
        if not equals:
            raise Failed(f"invalid literal source {each}, expected key=value")
        found[key] = octets(value)
    for each in given.every("from-file"):
        key, equals, path = each.rpartition("=")
        try:
            found[key if equals else path.rpartition("/")[2]] = files(path)
        except FileError as error:
            raise Failed(f"error reading {path}: {error.reason.lower()}") from None
    return found


def _config_map(given: Arguments, talk: Conversation, files: Callable[[str], str], name: str) -> JSON:
    data = {key: characters(value) for key, value in _data(given, files).items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _secret(given: Arguments, talk: Conversation, files: Callable[[str], str], name: str) -> JSON:
    data = {
        key: base64.b64encode(value.encode("latin-1")).decode() for key, value in _data(given, files).items()
    }
    return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": name}, "data": data}


def _deployment(given: Arguments, talk: Conversation, files: Callable[[str], str], name: str) -> JSON:
    image = given.value("image")
    if not image:
        raise Failed('required flag(s) "image" not set')
    replicas = given.value("replicas", "1")
    if not replicas.isdecimal():
        raise Failed(f'invalid argument "{replicas}" for "-r, --replicas" flag')
    container: JSON = {"name": image.rpartition("/")[2].partition("@")[0].partition(":")[0], "image": image}
    if given.rest:
        container["command"] = given.rest
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": int(replicas), "selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }


def _job(given: Arguments, talk: Conversation, files: Callable[[str], str], name: str) -> JSON:
    source = given.value("from")
    meta: JSON = {"name": name}
    if source:
        kind, _, origin = source.partition("/")
        if kind not in ("cronjob", "cronjobs", "cj", "cronjob.batch", "cronjobs.batch"):
            raise Failed(f"from must be an existing cronjob: {source}")
        namespace = given.value("namespace") or talk.namespace
        cron = talk.read("GET", f"/apis/batch/v1/namespaces/{namespace}/cronjobs/{origin}")
        template = cron["spec"]["jobTemplate"]
        owned = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "name": origin,
            "uid": cron["metadata"]["uid"],
            "controller": True,
        }
        meta |= {
            "annotations": {
                "cronjob.kubernetes.io/instantiate": "manual",
                **((template.get("metadata") or {}).get("annotations") or {}),
            },
            "labels": (template.get("metadata") or {}).get("labels") or {},
            "ownerReferences": [owned],
        }
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template["spec"]}
    image = given.value("image")
    if not image:
        raise Failed("either --image or --from must be specified")
    container: JSON = {"name": name, "image": image}
    if given.rest:
        container["command"] = given.rest
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template}}


MAKERS: dict[str, Callable[[Arguments, Conversation, Callable[[str], str], str], JSON]] = {
    "cm": _config_map,
    "configmap": _config_map,
    "deploy": _deployment,
    "deployment": _deployment,
    "job": _job,
    "namespace": _namespace,
    "ns": _namespace,
    "sa": _account,
    "secret": _secret,
    "serviceaccount": _account,
}
