"""``request``: an HTTP request through the cluster's network, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import re2

from labs.kit.checking import Fail, Judge, Reader
from labs.kit.checks import asker
from labs.kit.checks.asker import Asker
from labs.kit.checks.kind import LOOK, NAME, NAMESPACE, CheckKind, Context, mapping
from labs.kit.words import Text, say

MAX_TIMES = 50
"""Requests of one check."""
BODY_SHOWN = 120
"""Characters of an answer in a message."""
_STATUS = re2.compile(r"HTTP/1\.[01] (\d{3})")


@dataclass(frozen=True)
class RequestJudge:
    """Judges what a URL answers."""

    url: str
    asker: Asker
    status: int = 200
    contains: str = ""
    answers: bool = True
    times: int = 1
    timeout: int = 5
    service: tuple[str, str] | None = None
    """Namespace and name of a NodePort Service: its port on another node than the asker's is asked."""
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail. Acts on a fork."""
        trial = reader.on(reader.fork())
        pod = self.asker.ready(trial)
        url = self._url(trial, pod)
        for _ in range(self.times):
            argv = ["wget", "-S", "-q", "-O", "-", "-T", str(self.timeout), url]
            done = self.asker.run(trial.cluster, pod, argv)
            said = done.stderr.decode("utf-8", "replace")
            codes = _STATUS.findall(said)
            status = int(codes[-1]) if codes else 0
            self._judge(url, status, done.stdout.decode("utf-8", "replace"), said)

    def _judge(self, url: str, status: int, body: str, said: str) -> None:
        shown = body[:BODY_SHOWN].strip() or "—"
        look = self.look or f"kubectl exec {self.asker.pod or '<Pod>'} -- wget -qO- {url}"
        if not self.answers:
            if status:
                told = say("answered", status=status, body=shown)
                raise Fail(self.asker.told(say("no_answer", url=url)), told, look)
            return
        if status == self.status and self.contains in body:
            return
        why = (said.strip().splitlines() or ["—"])[-1]
        found = say("answered", status=status, body=shown) if status else say("unanswered", why=why)
        raise Fail(self.asker.told(self._expected(url)), found, look)

    def _expected(self, url: str) -> Text:
        if self.contains:
            return say("answer_with", url=url, status=self.status, text=self.contains)
        return say("answer", url=url, status=self.status)

    def _url(self, reader: Reader, asking: str) -> str:
        if self.service is None:
            return self.url
        namespace, name = self.service
        ports = reader.need("services", name, namespace)["spec"]["ports"]
        port = ports[0].get("nodePort")
        if port is None:
            look = f"kubectl get service {name} -n {namespace}"
            raise Fail(say("set", field="spec.ports[0].nodePort"), say("nothing"), look)
        here = reader.need("pods", asking, self.asker.namespace)["spec"].get("nodeName")
        nodes = reader.list("nodes")
        there = next((node for node in nodes if node["metadata"]["name"] != here), nodes[0])
        return f"http://{there['status']['addresses'][0]['address']}:{port}{self.url}"

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Any answer at all; one request in place of several."""
        if self.contains:
            yield "without contains", replace(self, contains="")
        if self.times > 1:
            yield "asked once", replace(self, times=1)


def _build(data: Any, context: Context) -> Judge:
    node_port = data.get("nodePortOf")
    return RequestJudge(
        url=data.get("url", "/"),
        asker=Asker.of(data.get("from")),
        status=data.get("status", 200),
        contains=data.get("contains", ""),
        answers=data.get("answers", True),
        times=data.get("times", 1),
        timeout=data.get("timeout", 5),
        service=(node_port.get("namespace", "default"), node_port["name"]) if node_port else None,
        look=data.get("look", ""),
    )


KIND = CheckKind(
    "request",
    "An HTTP request through the cluster's network, from a Pod or from a node, and what comes back. On a copy.",
    {
        **mapping(
            (),
            url={
                "type": "string",
                "description": "http://…, or the path alone with nodePortOf",
            },
            nodePortOf=mapping(("name",), name=NAME, namespace=NAMESPACE),
            status={"type": "integer", "minimum": 100, "maximum": 599},
            contains={"type": "string", "description": "text that the answer holds"},
            answers={"type": "boolean", "description": "false: there must be no answer at all"},
            times={"type": "integer", "minimum": 1, "maximum": MAX_TIMES},
            timeout={"type": "integer", "minimum": 1, "maximum": 30},
            look=LOOK,
            **{"from": asker.SCHEMA},
        ),
        "anyOf": [{"required": ["url"]}, {"required": ["nodePortOf"]}],
    },
    _build,
)
