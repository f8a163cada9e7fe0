"""``dns``: a name, looked up from a Pod."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import re2

from labs.kit.checking import Fail, Judge, Reader
from labs.kit.checks import asker
from labs.kit.checks.asker import Asker
from labs.kit.checks.kind import LOOK, NAME, NAMESPACE, CheckKind, Context, mapping
from labs.kit.words import say

_ADDRESS = re2.compile(r"(?m)^Address(?: \d+)?: ([0-9.]+)$")


@dataclass(frozen=True)
class DnsJudge:
    """Judges what a name resolves to."""

    name: str
    asker: Asker
    resolves: bool = True
    service: tuple[str, str] | None = None
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail. Acts on a fork."""
        trial = reader.on(reader.fork())
        pod = self.asker.ready(trial)
        done = self.asker.run(trial.cluster, pod, ["nslookup", self.name])
        text = done.stdout.decode("utf-8", "replace")
        found = _ADDRESS.findall(text) if done.exit_code == 0 else []
        look = self.look or f"kubectl exec {self.asker.pod or '<Pod>'} -- nslookup {self.name}"
        told = say("resolved", address=", ".join(found)) if found else say("nothing")
        if not self.resolves:
            if found:
                raise Fail(self.asker.told(say("unresolved", name=self.name)), told, look)
            return
        if self.service is not None:
            namespace, name = self.service
            address = reader.need("services", name, namespace)["spec"]["clusterIP"]
            if address not in found:
                expected = say("resolves_to", name=self.name, address=address)
                raise Fail(self.asker.told(expected), told, look)
        elif not found:
            raise Fail(self.asker.told(say("resolves", name=self.name)), told, look)

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Any address at all."""
        if self.service is not None:
            yield "without to", replace(self, service=None)


def _build(data: Any, context: Context) -> Judge:
    to = data.get("to")
    return DnsJudge(
        data["name"],
        Asker.of(data.get("from")),
        data.get("resolves", True),
        (to.get("namespace", "default"), to["service"]) if to else None,
        data.get("look", ""),
    )


KIND = CheckKind(
    "dns",
    "A name looked up from a Pod: whether it resolves, and whether to a Service's address. On a copy.",
    mapping(
        ("name",),
        name={"type": "string", "description": "a name as a program in the Pod would write it"},
        resolves={"type": "boolean", "description": "false: the name must not resolve"},
        to=mapping(("service",), service=NAME, namespace=NAMESPACE),
        look=LOOK,
        **{"from": asker.SCHEMA},
    ),
    _build,
)
