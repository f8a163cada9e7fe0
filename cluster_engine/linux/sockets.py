"""Sockets: connections inside the machine are its own, all others go to the host.

Records of the table ``io``:

- ``{"k": "sock", "refs", "state": "connecting" | "open" | "failed" | "closing", "ip", "port": of the peer, "peer": the
  other end's record or "", "in", "n", "eof", "error", "out", "m": unsent bytes, "flight": unacknowledged, "taken": read
  but not yet told, "shut", "watch": [process, fd], "asked", "more",
  "told": whether its process knows how the connection came out}``
- ``{"k": "listen", "refs", "ip", "port", "queue": [socks], "watch"}``
- ``{"k": "udp", "refs", "ip", "port", "queue": [[ip, port, data]], "watch"}``

A record that has news for its process puts the descriptor on the process's ``hot`` list and wakes it.
"""

from __future__ import annotations

from cluster_engine.linux.errors import BAD_DESCRIPTOR, FileError
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.limits import BACKLOG, SOCKET_BUFFER, SOCKET_WINDOW
from cluster_engine.linux.pipes import taken

IN_USE = "Address already in use"
DATAGRAMS = 512
"""Datagrams that wait for a process; more are dropped."""
TELL = 32_768
"""Read bytes after which the host is told."""
FIRST_EPHEMERAL = 32_768
LAST_EPHEMERAL = 60_999


def local(kernel: Kernel, ip: str) -> bool:
    """Is this one of the machine's own addresses?"""
    return ip.startswith("127.") or ip in ("::1", "0.0.0.0", "") or ip in kernel.top.get("addresses", [])


def _heat(kernel: Kernel, record: Record) -> None:
    """Tell the process that watches."""
    key, fd = record["watch"]
    if key not in kernel.procs:
        return
    process = kernel.process(key)
    hot = process["hot"]
    if fd not in hot:
        hot.append(fd)
    if process["state"] == "S" and not process["held"]:
        process["state"], process["woken"] = "R", "" if record.get("peer") else "outside"
        kernel.ready.append(key)


def _ephemeral(kernel: Kernel, protocol: str) -> int:
    ports = kernel.top["ports"]
    for _ in range(LAST_EPHEMERAL - FIRST_EPHEMERAL + 1):
        port: int = kernel.top.get("ephemeral", FIRST_EPHEMERAL)
        kernel.top["ephemeral"] = port + 1 if port < LAST_EPHEMERAL else FIRST_EPHEMERAL
        if f"{protocol}/{port}" not in ports:
            return port
    raise FileError("Cannot assign requested address")


def _bind(kernel: Kernel, protocol: str, ip: str, port: int, record: Record) -> str:
    ports = kernel.top["ports"]
    taken_by = ports.get(f"{protocol}/{port}", {})
    if taken_by and (ip in taken_by or "" in taken_by or ip == ""):
        raise FileError(IN_USE)
    key = kernel.add_stream(record)
    ports[f"{protocol}/{port}"] = {**taken_by, ip: key}
    return key


def listen(kernel: Kernel, ip: str, port: int) -> str:
    """A listening socket; any user may take any port, as containerd 2 sets it up. Raises FileError."""
    ip = "" if ip in ("0.0.0.0", "::", "*") else ip
    port = port or _ephemeral(kernel, "tcp")
    record = {"k": "listen", "refs": 0, "ip": ip, "port": port, "queue": [], "watch": ["", 0]}
    return _bind(kernel, "tcp", ip, port, record)


def bind(kernel: Kernel, ip: str, port: int) -> str:
    """A UDP socket. Raises FileError."""
    ip = "" if ip in ("0.0.0.0", "::", "*") else ip
    port = port or _ephemeral(kernel, "udp")
    record = {"k": "udp", "refs": 0, "ip": ip, "port": port, "queue": [], "watch": ["", 0]}
    return _bind(kernel, "udp", ip, port, record)


def bound(kernel: Kernel, protocol: str, ip: str, port: int) -> str | None:
    """The socket that listens at an address."""
    found: dict[str, str] = kernel.top["ports"].get(f"{protocol}/{port}", {})
    return found.get(ip) or found.get("")


_SOCK: Record = {
    "k": "sock", "refs": 0, "state": "", "ip": "", "port": 0, "peer": "", "in": [], "n": 0, "eof": False,
    "error": "", "out": [], "m": 0, "flight": 0, "taken": 0, "shut": False, "watch": ["", 0], "asked": False,
    "more": False, "told": False,
}  # fmt: skip


def _sock(kernel: Kernel, state: str, ip: str, port: int) -> str:
    record = _SOCK.copy()
    record["state"], record["ip"], record["port"] = state, ip, port
    record["in"], record["out"] = [], []
    return kernel.add_stream(record)


def connect(kernel: Kernel, ip: str, port: int) -> str:
    """A connection; whether it came about is told later."""
    key = _sock(kernel, "connecting", ip, port)
    if not local(kernel, ip):
        kernel.host.connect(key, ip, port)
        return key
    there = incoming(kernel, ip, port, ip if ip else "127.0.0.1", _ephemeral(kernel, "tcp"))
    if there is None:
        kernel.stream(key).update(state="failed", error="refused")
    else:
        kernel.stream(there)["peer"] = key
        kernel.stream(key).update(state="open", peer=there)
    return key


def incoming(kernel: Kernel, ip: str, port: int, peer_ip: str, peer_port: int) -> str | None:
    """A connection that arrives: its record, None when nobody takes it."""
    listener = bound(kernel, "tcp", ip, port)
    if listener is None or len(kernel.io[listener]["queue"]) >= BACKLOG:
        return None
    key = _sock(kernel, "open", peer_ip, peer_port)
    record = kernel.stream(listener)
    record["queue"].append(key)
    _heat(kernel, record)
    return key


def settled(kernel: Kernel, key: str, reason: str = "") -> None:
    """A connection came about, or failed, or broke."""
    if key not in kernel.io:
        return
    record = kernel.stream(key)
    if reason:
        record["state"], record["error"] = "failed", reason
        record["out"], record["m"] = [], 0
        if not record["refs"] and record["watch"][0]:
            kernel.drop_stream(key)
            return
    else:
        record["state"] = "open"
        _pump(kernel, key, record)
        if record["asked"]:
            record["told"] = True
            return
    _heat(kernel, record)


def arrived(kernel: Kernel, key: str, text: str) -> None:
    """Bytes from the peer."""
    if key not in kernel.io:
        return
    record = kernel.stream(key)
    record["in"].append(text)
    record["n"] += len(text)
    if record["asked"]:
        _heat(kernel, record)


def ended(kernel: Kernel, key: str) -> None:
    """The peer writes no more."""
    if key not in kernel.io:
        return
    record = kernel.stream(key)
    record["eof"] = True
    if record["asked"]:
        _heat(kernel, record)


def acked(kernel: Kernel, key: str, count: int) -> None:
    """The peer has taken that many bytes."""
    if key in kernel.io:
        record = kernel.stream(key)
        record["flight"] -= count
        _pump(kernel, key, record)


def write(kernel: Kernel, key: str, text: str) -> None:
    """Queue bytes. Raises FileError when the connection is gone or its buffer is full."""
    record = kernel.stream(key)
    if record["k"] != "sock":
        raise FileError("Transport endpoint is not connected")
    if record["error"] or record["shut"]:
        raise FileError("Broken pipe")
    count, waits, opened = len(text), record["m"], record["state"] == "open"
    if waits + count > SOCKET_BUFFER:
        raise FileError("No buffer space available")
    if not text:
        return
    if opened and not record["peer"] and count <= SOCKET_WINDOW - record["flight"] - waits:
        record["flight"] += count
        kernel.host.send(key, text)
        return
    record["out"].append(text)
    record["m"] = waits + count
    if opened:
        _pump(kernel, key, record)


def _pump(kernel: Kernel, key: str, record: Record) -> None:
    """Send what the window allows."""
    while record["out"] and record["flight"] < SOCKET_WINDOW:
        text = taken(record["out"], SOCKET_WINDOW - record["flight"])
        record["m"] -= len(text)
        if not record["peer"]:
            record["flight"] += len(text)
            kernel.host.send(key, text)
        elif record["peer"] in kernel.io:
            record["flight"] += len(text)
            arrived(kernel, record["peer"], text)
    if record["out"]:
        return
    if record["more"]:
        record["more"] = False
        _heat(kernel, record)
    if record["shut"] == "wanted":
        record["shut"] = True
        _finish(kernel, key, record)
    if record["state"] == "closing":
        _gone(kernel, key, record)


def _finish(kernel: Kernel, key: str, record: Record) -> None:
    if record["peer"]:
        ended(kernel, record["peer"])
    else:
        kernel.host.shutdown(key)


def shutdown(kernel: Kernel, key: str) -> None:
    """Nothing more will be written; what is queued still goes out."""
    record = kernel.stream(key)
    if record["k"] != "sock" or record["shut"] or record["error"]:
        return
    record["shut"] = "wanted"
    if record["state"] == "open":
        _pump(kernel, key, record)


def read(kernel: Kernel, key: str, count: int) -> str | None:
    """At most ``count`` bytes, "" at the end, None: nothing yet. Raises FileError (reset …)."""
    record = kernel.stream(key)
    if record["k"] != "sock":
        raise FileError(BAD_DESCRIPTOR)
    if record["n"]:
        text = taken(record["in"], count)
        size = len(text)
        record["n"] -= size
        if record["peer"]:
            acked(kernel, record["peer"], size)
        else:
            record["taken"] = read = record["taken"] + size
            if read >= TELL:
                kernel.host.took(key, read)
                record["taken"] = 0
        return text
    if record["error"]:
        raise FileError("Connection reset by peer" if record["error"] == "reset" else record["error"])
    return "" if record["eof"] else None


def datagram(kernel: Kernel, ip: str, port: int, peer_ip: str, peer_port: int, data: str) -> bool:
    """A datagram arrives; whether somebody is bound there."""
    key = bound(kernel, "udp", ip, port)
    if key is None:
        return False
    record = kernel.stream(key)
    if len(record["queue"]) < DATAGRAMS:
        record["queue"].append([peer_ip, peer_port, data])
        _heat(kernel, record)
    return True


def send_to(kernel: Kernel, key: str, ip: str, port: int, data: str) -> None:
    record = kernel.io[key]
    if record["k"] != "udp":
        raise FileError(BAD_DESCRIPTOR)
    if local(kernel, ip):
        datagram(kernel, ip, port, "127.0.0.1", record["port"], data)
    else:
        kernel.host.datagram(record["port"], ip, port, data)


def release(kernel: Kernel, key: str) -> None:
    """A descriptor is gone; with the last one the socket."""
    record = kernel.stream(key)
    record["refs"] -= 1
    if not record["refs"]:
        _close(kernel, key, record)


def _close(kernel: Kernel, key: str, record: Record) -> None:
    if record["k"] in ("listen", "udp"):
        name = f"{'tcp' if record['k'] == 'listen' else 'udp'}/{record['port']}"
        left = {ip: other for ip, other in kernel.top["ports"].get(name, {}).items() if other != key}
        if left:
            kernel.top["ports"][name] = left
        else:
            kernel.top["ports"].pop(name, None)
        for waiting in record["queue"] if record["k"] == "listen" else []:
            _close(kernel, waiting, kernel.stream(waiting))
        kernel.drop_stream(key)
        return
    if record["state"] == "open" and record["out"]:
        record["state"] = "closing"
    else:
        _gone(kernel, key, record)


def _gone(kernel: Kernel, key: str, record: Record) -> None:
    if not record["error"]:
        if not record["peer"]:
            kernel.host.close(key)
        elif record["shut"] is not True:
            ended(kernel, record["peer"])
    kernel.drop_stream(key)
