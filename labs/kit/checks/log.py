"""``log``: a line that a container has written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import re2

from labs.kit.checking import JSON, Fail, Judge, Reader
from labs.kit.checks.kind import LABELS, LOOK, NAME, NAMESPACE, CheckKind, Context, mapping
from labs.kit.words import say

LINE_SHOWN = 120
"""Characters of a log's line in a message."""


@dataclass(frozen=True)
class LogJudge:
    """Judges whether any line of the log matches."""

    matches: str
    pod: str = ""
    labels: str = ""
    namespace: str = "default"
    container: str = ""
    previous: bool = False
    every: bool = False
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        pods = self._pods(reader)
        options = (f" -c {self.container}" if self.container else "") + (
            " --previous" if self.previous else ""
        )
        where = f" -n {self.namespace}" if self.namespace != "default" else ""
        last = ""
        for pod in pods:
            name = pod["metadata"]["name"]
            container = self.container or pod["spec"]["containers"][0]["name"]
            lines = reader.logs(name, container, self.namespace, self.previous)
            said = any(re2.search(self.matches, line) is not None for line in lines)
            if said and not self.every:
                return
            if not said:
                last = name
                shown = lines[-1][:LINE_SHOWN] if lines else ""
        if pods and not last:
            return
        whose = last or self.pod or self.labels
        found = say("log_found", line=shown.rstrip()) if last and shown else say("nothing")
        look = self.look or f"kubectl logs {self.pod or '-l ' + self.labels}{where}{options}"
        raise Fail(say("log", text=self.matches, name=whose), found, look)

    def _pods(self, reader: Reader) -> list[JSON]:
        if self.pod:
            return [reader.need("pods", self.pod, self.namespace)]
        return reader.list("pods", self.namespace, self.labels)

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """One log in place of all; any line at all."""
        if self.every:
            yield "one is enough", replace(self, every=False)
        yield "any line", replace(self, matches="")


def _build(data: Any, context: Context) -> Judge:
    return LogJudge(**data)


KIND = CheckKind(
    "log",
    "A line that a container has written.",
    {
        **mapping(
            ("matches",),
            matches={
                "type": "string",
                "format": "regex",
                "description": "a regular expression (RE2) that the line matches",
            },
            pod=NAME,
            labels=LABELS,
            namespace=NAMESPACE,
            container=NAME,
            previous={"type": "boolean", "description": "true: the log of the container's life before"},
            every={"type": "boolean", "description": "true: each of the Pods has such a line"},
            look=LOOK,
        ),
        "oneOf": [{"required": ["pod"]}, {"required": ["labels"]}],
    },
    _build,
)
