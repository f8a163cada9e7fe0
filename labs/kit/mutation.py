"""Which fields of a solution no check notices: each is left out, then changed, by machine, and judged again.

A solution is played once. What it wrote stands in the cluster's journal, so a mutant is that journal with one field
of one body changed, lived again from the lab's start; no kubectl runs. A mutant that leaves the same objects is no
mutant. One that passes every check *survives*: either a check is missing, or it is a correct answer, and lab.yaml
says under ``mutants:`` why.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import re2

from cluster_engine.apimachinery import protobuf, yaml
from cluster_engine.apimachinery.yaml import YamlError
from cluster_engine.cluster import Cluster
from cluster_engine.sim import Entry
from cluster_engine.sim.journal import pack_bytes, unpack_bytes
from labs.kit import runner
from labs.kit.lab import DEFAULT_SEED, Lab
from labs.kit.plays import Plays

MAX_MUTANTS = 400
"""Of one solution; further fields are not tried."""
LIVES_ON = 30.0
"""Virtual seconds that a mutant may need to settle after its last entry."""
EVERYWHERE = (
    (r" spec\..*(containers|initContainers)\[[^\]]*\]\.name ", "Containers may be called as one likes."),
    (r"terminationGracePeriodSeconds", "How long a Pod may take to end is free where no check asks."),
    (r"restartedAt|change-cause", "What an annotation remembers of a rollout is free."),
    (r'"-cx" in place of "-c"', "A shell that also says what it does does the same."),
    (r" metadata\.labels|matchLabels", "A label that no check and no selector asks for is free."),
)
"""What is a correct answer in any lab: an expression that ``Mutant.what`` matches, and why."""

_WRITES = ("POST", "PUT", "PATCH")
_OWN = ("uid", "resourceVersion", "managedFields", "creationTimestamp", "generation")
"""Of an object's metadata: what the API server writes."""
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NUMBER = re.compile(r"([0-9]{1,15})((?:[numkKMGTPE]i?)?)")

Path = tuple[str | int, ...]
JSON = dict[str, Any]


@dataclass(frozen=True)
class Mutant:
    """One field of what a solution wrote, otherwise than it was."""

    what: str
    """Method, path, field and change, as one line."""
    seq: int
    """Of the journal entry."""
    body: bytes
    reports: bool = False
    """Whether it writes a status, by which objects are not compared."""


@dataclass
class Mutations:
    """What became of a solution's mutants."""

    solution: str
    noticed: int = 0
    same: int = 0
    """Those that left the same objects."""
    explained: dict[str, str] = field(default_factory=dict)
    """Survivors that are correct answers: what, why."""
    survivors: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    """Sentences of ``mutants:`` that explain no survivor."""

    @property
    def line(self) -> str:
        """One line about it."""
        tried = self.noticed + len(self.explained) + len(self.survivors)
        share = f"{100 * self.noticed / tried:.0f} %" if tried else "none to try"
        return (
            f"{self.solution}: {tried} mutants, {self.noticed} noticed ({share}), "
            f"{len(self.explained)} correct answers, {len(self.survivors)} unexplained; {self.same} change nothing"
        )


def mutate(lab: Lab, every: bool = False) -> list[Mutations]:
    """The model solution's mutants; of every solution if asked. Raises ValueError for one that does not pass."""
    seed = lab.seed if lab.seed is not None else DEFAULT_SEED
    this, plays = lab.variant(seed), Plays()
    names = list(this.solutions) if every else list(this.solutions)[:1]
    done = []
    for name in names:
        play = asyncio.run(plays.play(this, seed, this.solutions[name]))
        if play.status != 0 or not runner.grade(this, play.cluster).passed:
            raise ValueError(f"{lab.slug}: {name} does not pass: prove the lab first")
        done.append(_judged(this, name, runner.boot(this, seed), play.cluster))
    used = {why for found in done for why in found.explained.values()}
    done[-1].stale += [why for _, why in lab.mutants if why not in used]
    return done


def _judged(lab: Lab, name: str, start: Cluster, solved: Cluster) -> Mutations:
    found = Mutations(name)
    tail = [entry for entry in solved.journal.entries if entry.seq >= start.journal.next_seq]
    kinds = _kinds(solved, tail)
    wanted = _objects(solved, kinds)
    for mutant in list(mutants(tail))[:MAX_MUTANTS]:
        cluster = _lived(start, tail, mutant, solved.clock.now)
        if not mutant.reports and _objects(cluster, kinds) == wanted:
            found.same += 1
        elif not runner.grade(lab, cluster).passed:
            found.noticed += 1
        else:
            why = _why(lab, mutant)
            if why:
                found.explained[mutant.what] = why
            else:
                found.survivors.append(mutant.what)
    return found


def _why(lab: Lab, mutant: Mutant) -> str:
    for pattern, why in (*lab.mutants, *EVERYWHERE):
        if re2.search(pattern, mutant.what) is not None:
            return why
    return ""


# ---- the mutants ------------------------------------------------------------------------------------------


def mutants(entries: list[Entry]) -> Iterator[Mutant]:
    """Each field of each body left out, then changed, in order."""
    for entry in entries:
        body, where = _body(entry), str(entry.payload.get("path"))
        about = f"{entry.payload.get('method')} {where}"
        reports = where.partition("?")[0].endswith("/status")
        for path in _fields(body, reports):
            said = f"{about} {_told(body, path)}"
            value = _at(body, path)
            yield Mutant(f"{said} left out", entry.seq, orjson.dumps(_without(body, path)), reports)
            other = _other(value)
            told = f"{said} {orjson.dumps(other).decode()} in place of {orjson.dumps(value).decode()}"
            yield Mutant(told, entry.seq, orjson.dumps(_with(body, path, other)), reports)


def _body(entry: Entry) -> Any:
    """What the entry wrote; None where it is no write or no text."""
    if entry.kind != "request" or entry.payload["method"] not in _WRITES:
        return None
    body = unpack_bytes(entry.payload["body"])
    try:
        if protobuf.is_protobuf(entry.payload["headers"].get("content-type")):
            return protobuf.decode(body)
        return yaml.load(body)
    except (protobuf.ProtobufError, YamlError):
        return None


def _fields(value: Any, reports: bool, path: Path = ()) -> Iterator[Path]:
    """The places of all numbers, words and truths that the author chose; of a status where they report one."""
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if not _given(path, key) or (reports and path == () and key == "status"):
                yield from _fields(item, reports, (*path, key))
    elif value not in (None, "") and path:
        yield path


def _given(path: Path, key: str | int) -> bool:
    """Whether that is not the author's: which kind it is, or what the API server or kubectl writes."""
    if not path:
        return key in ("apiVersion", "kind", "status", "op", "path")
    return (
        (path == ("metadata",) and key in _OWN)
        or key == _APPLIED
        or (len(path) == 1 and key in ("op", "path"))
    )


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    number = _NUMBER.fullmatch(value)
    return f"{int(number[1]) + 1}{number[2]}" if number else f"{value}x"


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _with(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


def _without(value: Any, path: Path) -> Any:
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = _without(value[path[0]], path[1:])
    return copy


def _told(body: Any, path: Path) -> str:
    """As a path of a check: ``spec.containers[name=web].image``."""
    told, value = "", body
    for key in path:
        value = value[key]
        if isinstance(key, int):
            name = value.get("name") if isinstance(value, dict) else None
            told += f"[name={name}]" if name else f"[{key}]"
        else:
            told += f"[{key}]" if "." in key else f".{key}"
    return told.removeprefix(".")


# ---- their lives ------------------------------------------------------------------------------------------


def _lived(start: Cluster, tail: list[Entry], mutant: Mutant, until: int) -> Cluster:
    """The cluster after the tail with the mutant's body."""
    cluster = start.fork()
    for entry in tail:
        if entry.seq == mutant.seq:
            headers = dict(entry.payload["headers"])
            if protobuf.is_protobuf(headers.get("content-type")):
                headers["content-type"] = "application/json"
            payload = {**entry.payload, "headers": headers, "body": pack_bytes(mutant.body)}
            cluster.perform(Entry(entry.seq, entry.at, entry.kind, payload))
        else:
            cluster.perform(entry)
    cluster.advance_to(until)
    cluster.settle(LIVES_ON)
    return cluster


def _kinds(cluster: Cluster, tail: list[Entry]) -> list[str]:
    """The resources that the tail wrote, and the Pods that come of them."""
    asked = {"pods"}
    for entry in tail:
        parts = str(entry.payload.get("path", "")).strip("/").split("/")
        asked |= {part for part in parts if part not in ("", "namespaces") and cluster.scheme.named(part)}
    return sorted(asked)


def _objects(cluster: Cluster, kinds: list[str]) -> list[JSON]:
    """What these kinds' objects are meant to be."""
    return [_meant(obj) for kind in kinds for obj in cluster.list(kind)]


def _meant(obj: JSON) -> JSON:
    meta = {key: value for key, value in obj["metadata"].items() if key not in _OWN}
    notes = {key: value for key, value in meta.get("annotations", {}).items() if key != _APPLIED}
    return {
        **{key: value for key, value in obj.items() if key != "status"},
        "metadata": {**meta, "annotations": notes},
    }
