"""HTTP/1.1 with as little of a client as there can be, so that what is measured is the server."""

from __future__ import annotations

import socket
import time


def connected(port: int, patience: float) -> socket.socket:
    """A socket to a server that may be starting yet. Raises OSError when it does not within ``patience`` seconds."""
    end = time.monotonic() + patience
    while True:
        try:
            sock = socket.create_connection(("127.0.0.1", port), timeout=patience)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock


def _request(method: str, path: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Connection:
    """One connection that is kept; a request at a time."""

    def __init__(self, port: int, patience: float) -> None:
        self._sock = connected(port, patience)
        self._left = b""

    def ask(self, method: str, path: str, body: bytes, *codes: int) -> bytes:
        """The answer's body. Raises RuntimeError when its code is none of these."""
        self.send(method, path, body)
        return self.receive(*codes)

    def send(self, method: str, path: str, body: bytes) -> None:
        self._sock.sendall(_request(method, path, body))

    def receive(self, *codes: int) -> bytes:
        while b"\r\n\r\n" not in self._left:
            self._left += self._received()
        head, _, self._left = self._left.partition(b"\r\n\r\n")
        fields = head.lower().split(b"\r\n")
        code = int(fields[0].split()[1])
        length = next(int(field.split(b":")[1]) for field in fields if field.startswith(b"content-length"))
        # Gathered and joined once: added to each other, a long answer would be copied over and over.
        parts, size = [self._left], len(self._left)
        while size < length:
            parts.append(self._received())
            size += len(parts[-1])
        whole = b"".join(parts)
        body, self._left = whole[:length], whole[length:]
        if code not in codes:
            raise RuntimeError(f"answered {code}: {body[:500]!r}")
        return body

    def _received(self) -> bytes:
        data = self._sock.recv(1 << 18)
        if not data:
            raise RuntimeError("the server has hung up")
        return data


class Follower:
    """A watch: `heard` returns when one more event is there."""

    def __init__(self, port: int, path: str, patience: float, method: str = "GET", body: bytes = b"") -> None:
        self._sock = connected(port, patience)
        self._sock.sendall(_request(method, path, body))
        self._left = b""

    def heard(self) -> None:
        # An event ends with the only line feed within braces; those of the chunks around it follow a carriage return.
        # etcd's gateway gives a long one's line feed a chunk of its own.
        while (end := max(self._left.find(b"}\n"), self._left.find(b"\n\n"))) < 0:
            data = self._sock.recv(1 << 18)
            if not data:
                raise RuntimeError("the server has hung up")
            self._left += data
        self._left = self._left[end + 2 :]
