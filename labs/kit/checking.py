"""What a check is, what it may look at, and how it says that something is wrong.

Most checks are data (``labs.kit.checks``). What data cannot say is a function in the lab's ``check.py``, named from
lab.yaml as ``python: heals``; it gets a ``Reader`` and returns, or raises ``Fail``:

    def heals(cluster: Reader) -> None:
        ready = cluster.need("deployments", "web")["status"].get("readyReplicas", 0)
        if ready != 3:
            raise Fail(cluster.say("ready", count=3), f"`{ready}`", "kubectl get deploy web")

Any other exception is the check's own error and never a wrong answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.cluster import Cluster
from labs.kit.words import Text, fill, of, plain, say

JSON = dict[str, Any]
Lines = list[str]  # a name of its own: inside Reader ``list`` is a method


class Fail(Exception):
    """A wrong answer: what was expected, what was found, and the command that shows it."""

    def __init__(self, expected: Text, found: Text | str, look: str = "") -> None:
        self.expected = expected
        self.found = plain(found) if isinstance(found, str) else found
        self.look = look
        super().__init__(self.message["en"])

    @property
    def message(self) -> Text:
        """The whole sentence."""
        told = say("verdict", expected=self.expected, found=self.found)
        look = say("look", look=self.look) if self.look else plain("")
        return {language: text + of(look, language) for language, text in told.items()}


class View(Protocol):
    """Objects at one moment: a cluster's now, or one of its past."""

    def kind(self, resource: str) -> Kind:
        """The kind called so: ``Deployment``, ``deployments``, ``deploy``. Raises KeyError."""

    def get(self, resource: str, name: str, namespace: str = "default") -> JSON | None:
        """The object, or None."""

    def list(
        self, resource: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[JSON]:
        """Objects of one namespace or of all, in order of their names. Raises ApiError for a bad selector."""


def place(kind: Kind, namespace: str) -> str:
    """`` -n shop`` where kubectl needs to be told."""
    return f" -n {namespace}" if kind.namespaced and namespace != "default" else ""


def missing(kind: Kind, name: str, namespace: str) -> Fail:
    """The object should exist."""
    look = f"kubectl get {kind.resource}{place(kind, namespace)}"
    return Fail(say("object", kind=kind.kind, name=name), say("nothing"), look)


class Reader:
    """A cluster as a check sees it: reads, and forks to try things on."""

    def __init__(self, cluster: Cluster, says: Mapping[str, Text] | None = None, spent: bool = False) -> None:
        """``spent``: nobody looks at the cluster afterwards, so who acts once may act on it itself."""
        self._cluster = cluster
        self._says = says or {}
        self._spent = spent
        self.trials: dict[tuple[int, int], tuple[object, Reader]] | None = None
        """By the identity of when and what was done on a copy: that, and the copy; None: copies are not kept."""

    def say(self, key: str, **values: Any) -> Text:
        """The sentence under ``says:`` of the lab's language files. Raises KeyError."""
        return fill(self._says[key], values)

    @property
    def cluster(self) -> Cluster:
        """The cluster itself: its past, its clock. Never act on it; ``fork`` is for that."""
        return self._cluster

    def kind(self, resource: str) -> Kind:
        """The kind called so: ``Deployment``, ``deployments``, ``deploy``. Raises KeyError."""
        return self._cluster.kind_of(resource.lower())

    def get(self, resource: str, name: str, namespace: str = "default") -> JSON | None:
        """The object, or None."""
        return self._cluster.get(resource.lower(), name, namespace)

    def need(self, resource: str, name: str, namespace: str = "default") -> JSON:
        """The object, or Fail: it should exist."""
        found = self.get(resource, name, namespace)
        if found is None:
            raise missing(self.kind(resource), name, namespace)
        return found

    def list(
        self, resource: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[JSON]:
        """Objects of one namespace or of all, in order of their names. Raises ApiError for a bad selector."""
        return self._cluster.list(resource.lower(), namespace, labels, fields)

    def logs(self, name: str, container: str, namespace: str = "default", previous: bool = False) -> Lines:
        """The lines that a container of a Pod has written; none when there is no such container or it has not run."""
        pod = self._cluster.get("pods", name, namespace)
        node = pod["spec"].get("nodeName") if pod is not None else None
        kubelet = self._cluster.server.node_proxy.find(node) if node else None
        if kubelet is None:
            return []
        try:
            lines = kubelet.logs(namespace, name, container, previous)
            return [text.removesuffix("\n") for _at, _stream, text in lines]
        except ApiError:
            return []

    def fork(self) -> Cluster:
        """A copy to act on: apply, delete, advance; the learner's cluster stays as it is."""
        return self._cluster if self._spent else self._cluster.fork()

    def on(self, cluster: Cluster, spent: bool = False) -> Reader:
        """A reader of another cluster, with the same sentences."""
        return Reader(cluster, self._says, spent)


class Judge(Protocol):
    """What looks at a cluster and says whether it is as it should be."""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """(what was taken away, the same with that much less): a wrong answer must tell them apart."""


class Snapshot(Protocol):
    """A judge of one moment, which can be asked of the past, too."""

    def judge_view(self, view: View) -> None:
        """Raises Fail."""

    def kinds(self) -> tuple[str, ...]:
        """The kinds that it looks at."""


@dataclass(frozen=True)
class CheckSpec:
    """One check of a lab."""

    id: str
    title: Text
    judge: Judge
    points: int = 1
    hints: tuple[Text, ...] = ()
    step: str = ""
    guard: bool = False
    """Whether it forbids harm: it holds untouched, and counts once another check passes."""
    history: bool = False
    """Whether it asks for the cluster's past."""
    relives: bool = False
    """Whether it lives a moment of it again, by the journal."""
    never_alone: str = ""
    """Why no answer can fail it and pass all others; "" where a wrong answer does."""
    by_rule: bool = False
    """Whether it asks in CEL, which the derived text would only repeat."""
    texts: Mapping[str, Text] = field(default_factory=dict)
    """``expected`` and ``found`` that take the place of the derived ones."""

    @property
    def hint(self) -> Text:
        """The first hint; empty when there is none."""
        return self.hints[0] if self.hints else plain("")

    def run(self, reader: Reader) -> None:
        """Raises Fail, in the check's own words where it has any."""
        try:
            self.judge.judge(reader)
        except Fail as failure:
            if not self.texts:
                raise
            expected = self.texts.get("expected", failure.expected)
            found = fill(self.texts.get("found", failure.found), {"found": failure.found})
            raise Fail(expected, found, failure.look) from failure


@dataclass(frozen=True)
class Function:
    """A check written in Python: no part of it can be taken away by a machine."""

    run: Callable[[Reader], None]

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        self.run(reader)

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """None."""
        return iter(())
