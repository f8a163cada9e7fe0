"""What a lab's ``check.py`` is written with.

    @check("three-replicas", points=2, title=t("Three replicas run", "运行三个副本"), hint=t("…", "…"))
    def three_replicas(cluster: Reader) -> None:
        deployment = cluster.need("deployments", "web")
        ready = deployment["status"].get("readyReplicas", 0)
        if ready != 3:
            raise Fail(expected=t("3 ready replicas", "3 个就绪副本"), found=str(ready), look="kubectl get deploy web")

A check returns, or raises ``Fail`` with what was expected, what was found and where to look. Any other
exception is the check's own error and never a wrong answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster

Text = dict[str, str]
JSON = dict[str, Any]
Lines = list[str]  # a name of its own: inside Reader ``list`` is a method


def t(en: str, zh: str) -> Text:
    """A sentence in both languages."""
    return {"en": en, "zh-hans": zh}


_FORMS = {
    "en": ("Expected {expected}, found {found}.", " Look at: `{look}`"),
    "zh-hans": ("期望{expected}，实际{found}。", "查看：`{look}`"),
}


class Fail(Exception):
    """A wrong answer: what was expected, what was found, and the command that shows it."""

    def __init__(self, expected: Text, found: Text | str, look: str = "") -> None:
        self.expected = expected
        self.found = found
        self.look = look
        super().__init__(self.message["en"])

    @property
    def message(self) -> Text:
        texts = {}
        for language, (sentence, pointer) in _FORMS.items():
            found = self.found if isinstance(self.found, str) else self.found[language]
            texts[language] = sentence.format(expected=self.expected[language], found=found)
            if self.look:
                texts[language] += pointer.format(look=self.look)
        return texts


NOTHING = t("none", "没有找到")


class Reader:
    """A cluster as a check sees it: reads, and forks to try things on."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def get(self, resource: str, name: str, namespace: str = "default") -> JSON | None:
        return self._cluster.get(resource, name, namespace)

    def need(self, resource: str, name: str, namespace: str = "default") -> JSON:
        """The object, or Fail: it should exist."""
        found = self._cluster.get(resource, name, namespace)
        if found is None:
            kind = self._cluster.kind_of(resource).kind
            where = f" -n {namespace}" if namespace != "default" else ""
            raise Fail(
                t(f"a {kind} named `{name}`", f"名为 `{name}` 的 {kind}"),
                NOTHING,
                f"kubectl get {resource}{where}",
            )
        return found

    def list(
        self, resource: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[JSON]:
        return self._cluster.list(resource, namespace, labels, fields)

    def logs(self, name: str, container: str, namespace: str = "default") -> Lines:
        """The lines that a container of a Pod has written; none when there is no such container or it has not run."""
        pod = self._cluster.get("pods", name, namespace)
        node = pod["spec"].get("nodeName") if pod is not None else None
        kubelet = self._cluster.server.node_proxy.find(node) if node else None
        if kubelet is None:
            return []
        try:
            return [text for _at, _stream, text in kubelet.logs(namespace, name, container, False)]
        except ApiError:
            return []

    def fork(self) -> Cluster:
        """A copy to act on: apply, delete, advance; the learner's cluster stays as it is."""
        return self._cluster.fork()


@dataclass(frozen=True)
class CheckSpec:
    """One check of a lab."""

    id: str
    title: Text
    points: int
    hint: Text
    run: Callable[[Reader], None]


def check(
    id: str, *, title: Text, hint: Text, points: int = 1
) -> Callable[[Callable[[Reader], None]], CheckSpec]:
    """Makes a function a check."""

    def wrap(run: Callable[[Reader], None]) -> CheckSpec:
        return CheckSpec(id, title, points, hint, run)

    return wrap


def checks_of(module: ModuleType) -> tuple[CheckSpec, ...]:
    """The module's checks in the order of definition. Raises ValueError when an id stands twice."""
    found = tuple(value for value in vars(module).values() if isinstance(value, CheckSpec))
    ids = [spec.id for spec in found]
    for name in ids:
        if ids.count(name) > 1:
            raise ValueError(f"{module.__file__}: the check id {name!r} is used twice")
    return found
