"""``exec``: a command in a Pod ends with status 0, and says what it should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from labs.kit.checking import Fail, Judge, Reader
from labs.kit.checks import asker
from labs.kit.checks.asker import Asker
from labs.kit.checks.kind import LOOK, CheckKind, Context, mapping
from labs.kit.words import say

OUTPUT_SHOWN = 120
"""Characters of a command's output in a message."""


@dataclass(frozen=True)
class ExecJudge:
    """Judges how a command in a Pod ends."""

    command: tuple[str, ...]
    asker: Asker
    contains: str = ""
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail. Acts on a fork."""
        trial = reader.on(reader.fork())
        pod = self.asker.ready(trial)
        done = self.asker.run(trial.cluster, pod, list(self.command))
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        if done.exit_code == 0 and self.contains in output:
            return
        command = " ".join(self.command)
        namespace = f" -n {self.asker.namespace}" if self.asker.namespace != "default" else ""
        container = f" -c {self.asker.container}" if self.asker.container else ""
        look = self.look or f"kubectl exec {pod}{namespace}{container} -- {command}"
        expected = say("ended", command=command, name=pod)
        if self.contains:
            expected = say("ended_saying", expected=expected, text=self.contains)
        shown = output.strip()[:OUTPUT_SHOWN] or "—"
        raise Fail(expected, say("ended_with", status=done.exit_code, output=shown), look)

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Whatever it says."""
        if self.contains:
            yield "without contains", replace(self, contains="")


def _build(data: Any, context: Context) -> Judge:
    return ExecJudge(
        tuple(data["command"]), Asker.of(data.get("from")), data.get("contains", ""), data.get("look", "")
    )


KIND = CheckKind(
    "exec",
    "A command in a Pod that ends with status 0, and says what it should. On a copy.",
    mapping(
        ("command",),
        command={
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "the command and its arguments, as a list",
        },
        contains={"type": "string", "description": "text that it prints"},
        look=LOOK,
        **{"from": asker.SCHEMA},
    ),
    _build,
)
