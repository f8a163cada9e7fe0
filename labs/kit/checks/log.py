"""``log``: a line that a container has written, or must not have written."""

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
    """Judges whether a line of the log matches."""

    matches: str
    pod: str = ""
    labels: str = ""
    namespace: str = "default"
    container: str = ""
    previous: bool = False
    every: bool = False
    seen: bool = True
    last: bool = False
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        pods = self._pods(reader)
        if not self.seen:
            self._none(reader, pods)
            return
        lacking, shown = "", ""
        for pod in pods:
            name = pod["metadata"]["name"]
            lines = self._lines(reader, pod)
            if not self._fitting(lines):
                lacking, shown = name, lines[-1][:LINE_SHOWN].rstrip() if lines else ""
            elif not self.every:
                return
        if pods and not lacking:
            return
        found = say("log_found", line=shown) if shown else say("nothing")
        whose = lacking or self.pod or self.labels
        told = "log_last" if self.last else "log"
        raise Fail(say(told, text=self.matches, name=whose), found, self._look())

    def _none(self, reader: Reader, pods: list[JSON]) -> None:
        for pod in pods:
            fitting = self._fitting(self._lines(reader, pod))
            if fitting:
                found = say("log_line", line=fitting[0][:LINE_SHOWN].rstrip())
                raise Fail(
                    say("no_log", text=self.matches, name=pod["metadata"]["name"]), found, self._look()
                )

    def _lines(self, reader: Reader, pod: JSON) -> list[str]:
        container = self.container or pod["spec"]["containers"][0]["name"]
        return reader.logs(pod["metadata"]["name"], container, self.namespace, self.previous)

    def _fitting(self, lines: list[str]) -> list[str]:
        asked = lines[-1:] if self.last else lines
        return [line for line in asked if re2.search(self.matches, line) is not None]

    def _look(self) -> str:
        whose = self.pod or f"-l {self.labels}"
        where = f" -n {self.namespace}" if self.namespace != "default" else ""
        options = (f" -c {self.container}" if self.container else "") + (
            " --previous" if self.previous else ""
        )
        return self.look or f"kubectl logs {whose}{where}{options}"

    def _pods(self, reader: Reader) -> list[JSON]:
        if self.pod:
            return [reader.need("pods", self.pod, self.namespace)]
        return reader.list("pods", self.namespace, self.labels)

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """One log in place of all; any line in place of the last; any line at all."""
        if self.every:
            yield "one is enough", replace(self, every=False)
        if self.last:
            yield "wherever it stands", replace(self, last=False)
        if self.seen:
            yield "any line", replace(self, matches="")


def _build(data: Any, context: Context) -> Judge:
    if data.get("every") and data.get("seen") is False:
        raise ValueError(
            "`every` or `seen: false`, found both: there must be no such line in any of the logs anyway"
        )
    return LogJudge(**data)


KIND = CheckKind(
    "log",
    "A line that a container has written, or must not have written.",
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
            seen={"type": "boolean", "description": "false: there must be no such line"},
            last={"type": "boolean", "description": "true: only the last line is looked at"},
            look=LOOK,
        ),
        "oneOf": [{"required": ["pod"]}, {"required": ["labels"]}],
    },
    _build,
)
