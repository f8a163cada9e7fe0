"""kubectl exec over WebSocket (v5.channel.k8s.io, v4.channel.k8s.io): frames whose first byte is a channel.

A command runs to its end in one instant of virtual time, so its whole standard input is read first. With a
terminal (-it) and a shell as the command, a small line discipline stands in for the tty: it echoes, edits the
line and runs one command per line, keeping the working directory from line to line.

Models k8s.io/apimachinery/pkg/util/remotecommand and k8s.io/apiserver/pkg/util/proxy/websocket.go.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

import orjson

from cluster_engine.kube_apiserver import ExecResult, Request, Response
from cluster_engine.kube_apiserver.requests import first, flag
from cluster_engine.kube_apiserver.subresources.execute import exit_status

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
INPUT_LIMIT = 3 * 1024 * 1024
LINE_LIMIT = 4_096
LINES_LIMIT = 10_000
CHUNK = 1 << 15
_SHELLS = ("sh", "bash", "ash", "dash")
_MARK = "\x1e"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class App(Protocol):
    """What a session needs of the ClusterApp."""

    cluster: Any

    async def respond(self, request: Request) -> Response: ...


class _Gone(Exception):
    """The client hung up."""


class ExecSession:
    """One WebSocket."""

    def __init__(self, app: App, request: Request) -> None:
        self._app = app
        self._request = request
        self._tty = flag(request, "tty")
        self._typed = ""

    async def serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """From the handshake to the exit status."""
        self._send, self._receive = send, receive
        await receive()  # websocket.connect
        offered = scope.get("subprotocols") or []
        protocol = next((p for p in PROTOCOLS if p in offered), None)
        refusal = self._app.cluster.server.refused_stream(self._request)
        if refusal is not None:
            await self._refuse(scope, refusal)
            return
        if protocol is None:
            text = b"unable to upgrade: the client speaks none of v5.channel.k8s.io, v4.channel.k8s.io"
            await self._refuse(scope, Response(400, {"content-type": "text/plain"}, text))
            return
        await send({"type": "websocket.accept", "subprotocol": protocol})
        try:
            await self._session()
        except _Gone:
            return
        await send({"type": "websocket.close", "code": 1000})

    async def _refuse(self, scope: MutableMapping[str, Any], response: Response) -> None:
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await self._send({"type": "websocket.close", "code": 1008})
            return
        headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in response.headers.items()]
        await self._send(
            {"type": "websocket.http.response.start", "status": response.status, "headers": headers}
        )
        await self._send({"type": "websocket.http.response.body", "body": response.body})

    async def _session(self) -> None:
        argv = [value for name, value in self._request.query if name == "command"]
        wants_stdin = flag(self._request, "stdin")
        if self._tty and wants_stdin and _is_shell(argv):
            await self._terminal(argv)
            return
        stdin = b""
        if wants_stdin and not self._tty:
            stdin = await self._read_all()
        response = await self._run(argv, stdin)
        await self._finish(response)

    async def _run(self, argv: list[str], stdin: bytes) -> Response:
        query = [("command", word) for word in argv]
        container = first(self._request, "container")
        if container:
            query.append(("container", container))
        headers = {k: v for k, v in self._request.headers.items() if k in ("user-agent", "authorization")}
        headers["content-type"] = "application/octet-stream"
        user = self._request.user
        return await self._app.respond(Request("POST", self._request.path, query, headers, stdin, user))

    async def _finish(self, response: Response) -> None:
        if response.exec is None:
            await self._frame(ERROR, response.body)
            return
        await self._output(response.exec)
        await self._frame(ERROR, orjson.dumps(exit_status(response.exec)))

    async def _output(self, result: ExecResult) -> None:
        if self._tty:
            await self._frames(STDOUT, (result.stdout + result.stderr).replace(b"\n", b"\r\n"))
            return
        if flag(self._request, "stdout"):
            await self._frames(STDOUT, result.stdout)
        if flag(self._request, "stderr"):
            await self._frames(STDERR, result.stderr)

    async def _frames(self, channel: int, data: bytes) -> None:
        for start in range(0, len(data), CHUNK):
            await self._frame(channel, data[start : start + CHUNK])

    async def _frame(self, channel: int, data: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": bytes([channel]) + data})

    async def _next(self) -> tuple[int, bytes]:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise _Gone
        data = message.get("bytes") or (message.get("text") or "").encode()
        return (data[0], data[1:]) if data else (RESIZE, b"")

    async def _read_all(self) -> bytes:
        """Standard input up to the client's close signal."""
        parts: list[bytes] = []
        size = 0
        while size <= INPUT_LIMIT:
            channel, data = await self._next()
            if channel == CLOSE and data[:1] == b"\x00":
                break
            if channel == STDIN:
                parts.append(data)
                size += len(data)
        return b"".join(parts)[:INPUT_LIMIT]

    # ---- a terminal --------------------------------------------------------------------------------------

    async def _terminal(self, argv: list[str]) -> None:
        directory = ""
        result = ExecResult(0)
        for _ in range(LINES_LIMIT):
            prompt = f"{directory or '/'} # "
            await self._frame(STDOUT, prompt.encode())
            line = await self._line()
            if line is None:
                break
            words = line.split()
            if words[:1] == ["exit"]:
                code = int(words[1]) & 255 if words[1:] and words[1].isdecimal() else result.exit_code
                result = ExecResult(code)
                break
            if not words:
                continue
            script = f"{line}\n__code=$?\nprintf '{_MARK}%s' \"$PWD\"\nexit $__code\n"
            if directory:
                script = f"cd {shlex.quote(directory)}\n{script}"
            response = await self._run([argv[0], "-c", script], b"")
            if response.exec is None:
                await self._finish(response)
                return
            result, directory = _without_mark(response.exec, directory)
            await self._output(result)
        await self._frame(ERROR, orjson.dumps(exit_status(ExecResult(result.exit_code))))

    async def _line(self) -> str | None:
        """One edited line; None at the end of input."""
        buffer: list[str] = []
        while True:
            while self._typed:
                char, self._typed = self._typed[0], self._typed[1:]
                if char in "\r\n":
                    await self._frame(STDOUT, b"\r\n")
                    return "".join(buffer)
                if char == "\x04" and not buffer:
                    await self._frame(STDOUT, b"\r\n")
                    return None
                if char == "\x03":
                    await self._frame(STDOUT, b"^C\r\n")
                    return ""
                if char in "\x7f\b":
                    if buffer:
                        buffer.pop()
                        await self._frame(STDOUT, b"\b \b")
                elif char >= " " and len(buffer) < LINE_LIMIT:
                    buffer.append(char)
                    await self._frame(STDOUT, char.encode())
            channel, data = await self._next()
            if channel == CLOSE:
                return None
            if channel == STDIN:
                self._typed += data.decode("utf-8", "replace")


def _is_shell(argv: list[str]) -> bool:
    """A shell without a script: it would read commands from the terminal."""
    return argv[0].rpartition("/")[2] in _SHELLS and all(
        word in ("-i", "-l", "-il", "-li") for word in argv[1:]
    )


def _without_mark(result: ExecResult, directory: str) -> tuple[ExecResult, str]:
    """The output without the trailing working directory, and that directory."""
    text, mark, where = result.stdout.rpartition(_MARK.encode())
    if not mark:
        return result, directory
    return ExecResult(result.exit_code, text, result.stderr), where.decode("utf-8", "replace")
