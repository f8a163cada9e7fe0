"""``on_fork``: tries something on a copy of the cluster, then checks the copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from labs.kit.checking import JSON, Fail, Judge, Reader, missing
from labs.kit.checks.asker import Asker
from labs.kit.checks.kind import KIND_NAME, LABELS, NAME, NAMESPACE, CheckKind, Context, mapping
from labs.kit.words import Text, join, plain, say

MAX_SECONDS = 3600
"""Virtual seconds of one ``advance``."""
MAX_STEPS = 20
"""Things that one check does."""


@dataclass(frozen=True)
class Step:
    """One thing that is done."""

    verb: str
    data: Any

    def act(self, reader: Reader) -> None:
        """Does it. Raises Fail when what it acts on is not there, ApiError when the cluster refuses."""
        _ACTS[self.verb](reader, self.data)

    @property
    def text(self) -> Text:
        """As a command, which is the same in every language."""
        if self.verb == "advance":
            return say("waited", seconds=self.data)
        if self.verb == "exec":
            return plain(f"`kubectl exec {self.data['pod']} -- {' '.join(self.data['command'])}`")
        if self.verb == "apply":
            return plain(f"`kubectl apply` {self.data['kind']}/{self.data['metadata']['name']}")
        target = self.data.get("name") or f"-l {self.data.get('labels', '')}"
        more = f" --replicas={self.data['to']}" if self.verb == "scale" else ""
        return plain(f"`kubectl {self.verb} {self.data['kind'].lower()} {target}{more}`")


def _targets(reader: Reader, data: JSON) -> list[JSON]:
    namespace = data.get("namespace", "default")
    if "name" in data:
        found = reader.get(data["kind"], data["name"], namespace)
        if found is None:
            raise missing(reader.kind(data["kind"]), data["name"], namespace)
        return [found]
    objects = reader.list(data["kind"], namespace, data.get("labels", ""))
    if not objects:
        kind = reader.kind(data["kind"])
        things = say(
            "things",
            ready="",
            kinds=kind.kind,
            where="",
            selector=say("things_selector", selector=data.get("labels", "")),
        )
        look = f"kubectl get {kind.resource} -n {namespace} -l '{data.get('labels', '')}'"
        raise Fail(say("count_at_least", count=1, things=things), say("nothing"), look)
    return objects[: data["first"]] if "first" in data else objects


def _apply(reader: Reader, data: JSON) -> None:
    reader.cluster.apply(data)


def _delete(reader: Reader, data: JSON) -> None:
    for obj in _targets(reader, data):
        meta = obj["metadata"]
        reader.cluster.delete(data["kind"].lower(), meta["name"], meta.get("namespace", "default"))


def _patch_each(reader: Reader, data: JSON, patch: JSON) -> None:
    for obj in _targets(reader, data):
        _merge(reader.cluster, obj, patch)


def _patch(reader: Reader, data: JSON) -> None:
    _patch_each(reader, data, data["patch"])


def _scale(reader: Reader, data: JSON) -> None:
    _patch_each(reader, data, {"spec": {"replicas": data["to"]}})


def _merge(cluster: Cluster, obj: JSON, patch: JSON) -> None:
    kind, meta = cluster.kind_of(obj["kind"].lower()), obj["metadata"]
    scope = f"/namespaces/{meta['namespace']}" if kind.namespaced else ""
    headers = {"content-type": "application/merge-patch+json", "accept": "application/json"}
    path = f"{kind.path}{scope}/{kind.resource}/{meta['name']}"
    response = cluster.request(Request("PATCH", path, [], headers, orjson.dumps(patch), ADMIN))
    if response.status >= 400:
        raise ApiError(orjson.loads(response.body))


def _advance(reader: Reader, seconds: float) -> None:
    reader.cluster.advance(seconds)


def _exec(reader: Reader, data: JSON) -> None:
    who = Asker(
        pod=data["pod"], namespace=data.get("namespace", "default"), container=data.get("container", "")
    )
    who.run(reader.cluster, who.ready(reader), data["command"])


_ACTS: dict[str, Callable[[Reader, Any], None]] = {
    "exec": _exec,
    "apply": _apply,
    "delete": _delete,
    "scale": _scale,
    "patch": _patch,
    "advance": _advance,
}


@dataclass(frozen=True)
class ForkJudge:
    """Does the steps on a fork, then judges it."""

    steps: tuple[Step, ...]
    then: tuple[Judge, ...]

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        trial = reader.on(reader.fork())
        for step in self.steps:
            try:
                step.act(trial)
            except ApiError as error:
                raise Fail(step.text, str(error.status.get("message", ""))) from error
        for judge in self.then:
            try:
                judge.judge(trial)
            except Fail as failure:
                steps = join([step.text for step in self.steps])
                expected = say("on_fork", expected=failure.expected, steps=steps)
                raise Fail(expected, failure.found, failure.look) from failure

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Without what is done; each check after it left out, and each weakened."""
        acts = tuple(step for step in self.steps if step.verb == "advance")
        if len(acts) < len(self.steps):
            yield "nothing done", replace(self, steps=acts)
        for index, judge in enumerate(self.then):
            before, after = self.then[:index], self.then[index + 1 :]
            if len(self.then) > 1:
                yield f"without then[{index}]", replace(self, then=before + after)
            for what, mutant in judge.mutants():
                yield f"then[{index}] {what}", replace(self, then=(*before, mutant, *after))


def _build(data: Any, context: Context) -> Judge:
    steps = tuple(Step(*next(iter(step.items()))) for step in data["do"])
    for step in steps:
        if step.verb == "apply":
            orjson.dumps(step.data)  # a date in YAML, say, is no JSON
    return ForkJudge(steps, tuple(context.build(each) for each in data["then"]))


_TARGET: JSON = {"kind": KIND_NAME, "name": NAME, "labels": LABELS, "namespace": NAMESPACE}
_FIRST: JSON = {"type": "integer", "minimum": 1, "description": "how many of those that are picked"}

KIND = CheckKind(
    "on_fork",
    "Tries something on a copy of the cluster, then checks the copy. The learner's cluster stays as it is.",
    mapping(
        ("do", "then"),
        do={
            "type": "array",
            "minItems": 1,
            "description": "what is done, in order",
            "items": {
                **mapping(
                    (),
                    apply={
                        "type": "object",
                        "required": ["apiVersion", "kind", "metadata"],
                        "description": "a manifest",
                    },
                    delete=mapping(("kind",), **_TARGET, first=_FIRST),
                    scale=mapping(("kind", "name", "to"), **_TARGET, to={"type": "integer", "minimum": 0}),
                    patch=mapping(("kind", "patch"), **_TARGET, first=_FIRST, patch={"type": "object"}),
                    exec=mapping(
                        ("pod", "command"),
                        pod=NAME,
                        namespace=NAMESPACE,
                        container=NAME,
                        command={"type": "array", "items": {"type": "string"}, "minItems": 1},
                    ),
                    advance={
                        "type": "number",
                        "minimum": 0,
                        "maximum": MAX_SECONDS,
                        "description": "virtual seconds",
                    },
                ),
                "minProperties": 1,
                "maxProperties": 1,
            },
        },
        then={
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/rule"},
            "description": "checks of the copy",
        },
    ),
    _build,
)
