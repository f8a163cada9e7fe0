"""`kubectl label`, `annotate`, `scale`, `rollout`, `set image`, `patch`, `wait`, `cordon`.

Models k8s.io/kubectl/pkg/cmd.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.kubectl import judging
from cluster_engine.container_runtime.kubectl.arguments import Arguments
from cluster_engine.container_runtime.kubectl.conversation import (
    Conversation,
    Failed,
    not_here,
)
from cluster_engine.container_runtime.kubectl.naming import (
    Files,
    Target,
    body_of,
    named,
    namespace_of,
    seconds,
    told_of,
)
from cluster_engine.sim import rfc3339

_MERGE = "application/merge-patch+json"
_TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": _MERGE,
    "json": "application/json-patch+json",
}


def _patched(
    given: Arguments, talk: Conversation, target: Target, patch: JSON, manager: str, kind: str = "merge"
) -> JSON:
    path = target.resource.path(namespace_of(given, talk), target.name)
    return talk.read("PATCH", path, [("fieldManager", manager)], body=body_of(patch), content=_TYPES[kind])


def _marks(given: Arguments) -> tuple[list[str], dict[str, str | None]]:
    """The words that name objects, and the labels or annotations that follow them (None: it goes)."""
    words = [word for word in given.words if "=" not in word and not word.endswith("-")]
    changes: dict[str, str | None] = {}
    for word in given.words:
        key, equals, value = word.partition("=")
        if equals:
            changes[key] = value
        elif word.endswith("-"):
            changes[word[:-1]] = None
    return words, changes


def mark(part: str, done: str) -> Callable[[Arguments, Conversation, Files], int]:
    def marked(given: Arguments, talk: Conversation, files: Files) -> int:
        words, changes = _marks(given)
        if not changes:
            raise Failed(f"at least one {part[:-1]} update is required")
        status = 0
        for target in named(given, talk, words):
            path = target.resource.path(namespace_of(given, talk), target.name)
            before = (talk.read("GET", path)["metadata"].get(part)) or {}
            clash = next((k for k, v in changes.items() if v is not None and before.get(k, v) != v), "")
            if clash and not given.yes("overwrite"):
                told = f"'{clash}' already has a value ({before[clash]})"
                found = "--overwrite is false but found the following declared annotation(s): "
                talk.err(
                    f"error: {told}, and --overwrite is false\n"
                    if part == "labels"
                    else f"error: {found}{told}\n"
                )
                status = 1
                continue
            for key in (key for key, value in changes.items() if value is None and key not in before):
                talk.out(f'{part[:-1]} "{key}" not found.\n')
            _patched(
                given,
                talk,
                target,
                {"metadata": {part: changes}},
                f"kubectl-{part[:-1].replace('annotation', 'annotate')}",
            )
            removed = all(value is None for value in changes.values())
            same = all(before.get(key) == value for key, value in changes.items())
            if part == "labels":
                told_of(
                    talk,
                    target.resource,
                    target.name,
                    f"not {done}" if same else f"un{done}" if removed else done,
                    given,
                )
            else:
                told_of(talk, target.resource, target.name, done, given)
        return status

    return marked


def scale(given: Arguments, talk: Conversation, files: Files) -> int:
    replicas = given.value("replicas")
    if not replicas.isdecimal():
        raise Failed("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    for target in named(given, talk, given.words):
        path = target.resource.path(namespace_of(given, talk), target.name, "scale")
        talk.read(
            "PATCH",
            path,
            [("fieldManager", "kubectl")],
            body=body_of({"spec": {"replicas": int(replicas)}}),
            content=_MERGE,
        )
        told_of(talk, target.resource, target.name, "scaled", given)
    return 0


def rollout(given: Arguments, talk: Conversation, files: Files) -> int:
    action, words = (given.words[0], given.words[1:]) if given.words else ("", [])
    if action not in ("restart", "status"):
        not_here(f"kubectl rollout {action}".rstrip())
    for target in named(given, talk, words):
        if target.resource.kind not in ("Deployment", "DaemonSet", "StatefulSet"):
            told = (
                "restarting is not supported"
                if action == "restart"
                else "no status viewer has been implemented"
            )
            raise Failed(f'{target.resource.plural_full} "{target.name}" {told}')
        if action == "restart":
            stamp = {"kubectl.kubernetes.io/restartedAt": rfc3339(talk.now)}
            patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
            _patched(given, talk, target, patch, "kubectl-rollout", "strategic")
            told_of(talk, target.resource, target.name, "restarted", given)
        elif not _watched(given, talk, target):
            return 1
    return 0


def _watched(given: Arguments, talk: Conversation, target: Target) -> bool:
    """`rollout status`: what it waits for is told once."""
    path = target.resource.path(namespace_of(given, talk), target.name)
    text, done = judging.rollout(talk.read("GET", path))
    talk.out(text)
    if done:
        return True
    limit = seconds(given.value("timeout", "0s")) or 10 * 365 * 86_400
    done, obj = talk.until(path, ["rolled"], talk.now + limit * 1_000_000)
    if not done or obj is None:
        talk.err("error: timed out waiting for the condition\n")
        return False
    talk.out(judging.rollout(obj)[0])
    return True


def set_image(given: Arguments, talk: Conversation, files: Files) -> int:
    if given.words[:1] != ["image"]:
        not_here(f"kubectl set {' '.join(given.words[:1])}".rstrip())
    words = [word for word in given.words[1:] if "=" not in word]
    images = dict(word.split("=", 1) for word in given.words[1:] if "=" in word)
    if not images:
        raise Failed("at least one image update is required")
    for target in named(given, talk, words):
        obj = talk.read("GET", target.resource.path(namespace_of(given, talk), target.name))
        spec = obj["spec"] if target.resource.kind == "Pod" else obj["spec"]["template"]["spec"]
        names = [container["name"] for container in spec["containers"]]
        missing = next((name for name in images if name not in (*names, "*")), "")
        if missing:
            raise Failed(f'unable to find container named "{missing}"')
        containers = [
            {"name": name, "image": images.get(name, images.get("*"))}
            for name in names
            if name in images or "*" in images
        ]
        patch: JSON = {"spec": {"containers": containers}}
        if target.resource.kind != "Pod":
            patch = {"spec": {"template": patch}}
        _patched(given, talk, target, patch, "kubectl-set", "strategic")
        told_of(talk, target.resource, target.name, "image updated", given)
    return 0


def patch(given: Arguments, talk: Conversation, files: Files) -> int:
    kind = given.value("type", "strategic")
    if kind not in _TYPES:
        raise Failed(f'--type must be one of [json merge strategic], not "{kind}"')
    try:
        patch = yaml.load(given.value("patch"))
    except yaml.YamlError as error:
        raise Failed(f"unable to parse {given.value('patch')!r}: {error}") from None
    if not patch:
        raise Failed("must specify --patch or --patch-file containing the contents of the patch")
    for target in named(given, talk, given.words):
        before = talk.read("GET", target.resource.path(namespace_of(given, talk), target.name))
        after = _patched(given, talk, target, patch, "kubectl-patch", kind)
        same = before["metadata"].get("resourceVersion") == after["metadata"].get("resourceVersion")
        told_of(talk, target.resource, target.name, "patched (no change)" if same else "patched", given)
    return 0


def wait(given: Arguments, talk: Conversation, files: Files) -> int:
    kind, _, rest = given.value("for").partition("=")
    if kind == "condition":
        name, _, value = rest.partition("=")
        wanted = ["condition", name, value or "True"]
    elif kind == "delete":
        wanted = ["delete"]
    elif kind == "jsonpath":
        path, _, value = rest.strip("'\"").partition("}=")
        wanted = ["jsonpath", path, value.strip("'\"")]
    else:
        raise Failed(f'unrecognized condition: "{given.value("for")}"')
    deadline = talk.now + seconds(given.value("timeout", "30s")) * 1_000_000
    status = 0
    targets = named(given, talk, given.words)
    if not targets:
        raise Failed("no matching resources found")
    for target in targets:
        path = target.resource.path(namespace_of(given, talk), target.name)
        if kind != "delete":
            talk.read("GET", path)
        done, _ = talk.until(path, wanted, deadline)
        if done:
            told_of(talk, target.resource, target.name, "condition met", given)
        else:
            talk.err(
                f"error: timed out waiting for the condition on {target.resource.plural}/{target.name}\n"
            )
            status = 1
    return status


def cordon(wanted: bool, done: str) -> Callable[[Arguments, Conversation, Files], int]:
    def cordoned(given: Arguments, talk: Conversation, files: Files) -> int:
        for target in named(given, talk, ["nodes", *(word.removeprefix("node/") for word in given.words)]):
            before = talk.read("GET", target.resource.path("", target.name))
            if bool(before["spec"].get("unschedulable")) == wanted:
                told_of(talk, target.resource, target.name, f"already {done}", given)
                continue
            patch = {"spec": {"unschedulable": True if wanted else None}}
            _patched(given, talk, target, patch, "kubectl-cordon", "strategic")
            told_of(talk, target.resource, target.name, done, given)
        return 0

    return cordoned
