"""`kubectl create`, `run`, `apply` and `delete`.

Models k8s.io/kubectl/pkg/cmd.
"""

from __future__ import annotations

import orjson

from cluster_engine.container_runtime.kubectl import making
from cluster_engine.container_runtime.kubectl.arguments import Arguments
from cluster_engine.container_runtime.kubectl.conversation import (
    Conversation,
    Failed,
    Refused,
    Resource,
)
from cluster_engine.container_runtime.kubectl.naming import (
    Files,
    body_of,
    manifests,
    named,
    namespace_of,
    place,
    source,
    told_of,
)

_APPLY = "application/apply-patch+yaml"
_FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely.\n"
)
_GONE_AFTER = 600 * 1_000_000
"""How long `delete` waits for an object to be gone."""


def create(given: Arguments, talk: Conversation, files: Files) -> int:
    if given.words:
        objects = [making.made(given, talk, files)]
    else:
        objects = manifests(given, files)
    status = 0
    for obj in objects:
        resource, namespace, _ = place(obj, given, talk)
        try:
            answer = talk.read(
                "POST", resource.path(namespace), [("fieldManager", "kubectl-create")], body=body_of(obj)
            )
        except Refused as refusal:
            talk.err(_not_created(refusal, resource, source(given, "creating")))
            status = 1
            continue
        told_of(talk, resource, answer["metadata"]["name"], "created", given)
    return status


def _not_created(refusal: Refused, resource: Resource, doing: str) -> str:
    """What `create` says, which wraps the server's sentence for most kinds that it makes of a command line."""
    kind, message = resource.kind.lower(), refusal.status.get("message")
    if doing or kind == "namespace":
        return f"{refusal.told(doing)}\n"
    return f"error: failed to create {kind}{'' if kind == 'secret' else ':'} {message}\n"


def run_pod(given: Arguments, talk: Conversation, files: Files) -> int:
    pod = making.pod(given)
    answer = talk.read(
        "POST",
        f"/api/v1/namespaces/{namespace_of(given, talk)}/pods",
        [("fieldManager", "kubectl-run")],
        body=body_of(pod),
    )
    talk.out(f"pod/{answer['metadata']['name']} created\n")
    return 0


def apply(given: Arguments, talk: Conversation, files: Files) -> int:
    """By server-side apply, whatever was asked for: the server knows what was applied before."""
    status = 0
    for obj in manifests(given, files):
        resource, namespace, name = place(obj, given, talk)
        if not name:
            raise Failed("resource name may not be empty")
        path = resource.path(namespace, name)
        before, text = talk.ask("GET", path)
        query = [("fieldManager", "kubectl"), ("force", "true")]
        try:
            answer = talk.read("PATCH", path, query, body=body_of(obj), content=_APPLY)
        except Refused as refusal:
            talk.err(f"{refusal.told()}\n")
            status = 1
            continue
        old = orjson.loads(text.encode("latin-1")) if before == 200 else None
        same = old is not None and old["metadata"].get("resourceVersion") == answer["metadata"].get(
            "resourceVersion"
        )
        done = (
            "serverside-applied"
            if given.yes("server-side")
            else "created"
            if old is None
            else "unchanged"
            if same
            else "configured"
        )
        told_of(talk, resource, name, done, given)
    return status


def delete(given: Arguments, talk: Conversation, files: Files) -> int:
    if given.every("filename"):
        places = [place(obj, given, talk) for obj in manifests(given, files)]
    else:
        namespace = namespace_of(given, talk)
        places = [(target.resource, namespace, target.name) for target in named(given, talk, given.words)]
    grace = "1" if given.yes("now") else given.value("grace-period", "0" if given.yes("force") else "")
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    body = orjson.dumps(
        {**options, "gracePeriodSeconds": int(grace)} if grace.isdecimal() else options
    ).decode()
    if given.yes("force"):
        talk.err(_FORCED)
    status, gone = 0, []
    for resource, namespace, name in places:
        path = resource.path(namespace, name)
        try:
            answer = talk.read("DELETE", path, body=body)
        except Refused as refusal:
            if refusal.code == 404 and given.yes("ignore-not-found"):
                continue
            talk.err(f"{refusal.told(source(given, 'deleting'))}\n")
            status = 1
            continue
        where = f" from {namespace} namespace" if resource.namespaced else ""
        deleted = "force deleted" if given.yes("force") else "deleted"
        short = given.value("output") == "name"
        talk.out(f"{resource.full}/{name}\n" if short else f'{resource.full} "{name}" {deleted}{where}\n')
        uid = (answer.get("details") or {}).get("uid") or (answer.get("metadata") or {}).get("uid", "")
        gone.append((path, uid))
    if given.value("wait", "true") == "true":
        for path, uid in gone:
            talk.until(path, ["delete", uid], talk.now + _GONE_AFTER)
    if not places:
        talk.out("No resources found\n")
    return status
