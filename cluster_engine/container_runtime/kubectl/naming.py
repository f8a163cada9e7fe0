"""What the words of a command name: objects, manifests, times; and how is told what became of them.

Models k8s.io/kubectl/pkg/cmd.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.duration import parse_go_duration
from cluster_engine.container_runtime.kubectl.arguments import Arguments
from cluster_engine.container_runtime.kubectl.conversation import (
    Conversation,
    Failed,
    Resource,
)
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.text import characters

Files = Callable[[str], str]
"""A file's byte text; raises FileError."""


class Target(NamedTuple):
    resource: Resource
    name: str


def namespace_of(given: Arguments, talk: Conversation) -> str:
    return given.value("namespace") or talk.namespace


def named(given: Arguments, talk: Conversation, words: Sequence[str]) -> list[Target]:
    """Objects named as ``TYPE NAME…`` or ``TYPE/NAME…``, or chosen by ``-l`` or ``--all``."""
    if not words:
        raise Failed("You must provide one or more resources by argument or filename.")
    if "/" in words[0]:
        pairs = [word.partition("/") for word in words]
        bad = next(
            (word for word, (_, slash, name) in zip(words, pairs, strict=True) if not slash or not name), ""
        )
        if bad:
            raise Failed(
                "there is no need to specify a resource type as a separate argument when passing arguments in "
                "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of "
                "'kubectl get resource resource/<resource_name>'"
            )
        return [Target(talk.resource(kind), name) for kind, _, name in pairs]
    resource = talk.resource(words[0])
    if len(words) > 1:
        return [Target(resource, name) for name in words[1:]]
    selector = given.value("selector")
    if not selector and not given.yes("all"):
        raise Failed("resource(s) were provided, but no name was specified")
    query = [("labelSelector", selector)] if selector else []
    found = talk.read("GET", resource.path(namespace_of(given, talk)), query)
    return [Target(resource, each["metadata"]["name"]) for each in found.get("items") or ()]


def manifests(given: Arguments, files: Files) -> list[JSON]:
    """The objects of ``-f``."""
    found: list[JSON] = []
    for name in given.every("filename"):
        if "://" in name:
            raise Failed(f"unable to read URL {name!r}: there is no Internet here")
        try:
            documents = yaml.load_all(characters(files(name)))
        except FileError as error:
            said = (
                "does not exist"
                if error.reason == "No such file or directory"
                else f"cannot be read: {error.reason}"
            )
            raise Failed(f'the path "{name}" {said}') from None
        except yaml.YamlError as error:
            raise Failed(f"error parsing {name}: {error}") from None
        for document in documents:
            if isinstance(document, dict):
                items = document.get("items") if document.get("kind") == "List" else [document]
                found += [item for item in items or () if isinstance(item, dict)]
    if not found:
        raise Failed(
            "no objects passed to apply" if given.every("filename") else "must specify one of -f and -k"
        )
    for obj in found:
        if not (obj.get("kind") and obj.get("apiVersion") and isinstance(obj.get("metadata"), dict)):
            raise Failed("unable to decode: Object 'Kind', 'apiVersion' or 'metadata' is missing")
    return found


def place(obj: JSON, given: Arguments, talk: Conversation) -> tuple[Resource, str, str]:
    """(resource, namespace, name) of a manifest."""
    meta = obj["metadata"]
    own, asked = meta.get("namespace"), given.value("namespace")
    if own and asked and own != asked:
        raise Failed(
            f'the namespace from the provided object "{own}" does not match the namespace "{asked}". '
            f"You must pass '--namespace={own}' to perform this operation."
        )
    return (
        talk.of_object(obj["apiVersion"], obj["kind"]),
        own or asked or talk.namespace,
        meta.get("name", ""),
    )


def source(given: Arguments, doing: str) -> str:
    """How an error about a manifest begins; "" when none was given."""
    name = given.value("filename")
    return f'error when {doing} "{"STDIN" if name == "-" else name}": ' if name else ""


def body_of(obj: JSON) -> str:
    return orjson.dumps(obj).decode("latin-1")


def told_of(talk: Conversation, resource: Resource, name: str, what: str, given: Arguments) -> None:
    ending = "" if given.value("output") == "name" else f" {what}"
    talk.out(f"{resource.full}/{name}{ending}\n")


def seconds(text: str) -> int:
    """Of a duration such as 90s or 5m. Raises Failed."""
    try:
        return parse_go_duration(text) // 1_000_000_000
    except ValueError as error:
        raise Failed(f'invalid argument "{text}" for a duration: {error}') from None
