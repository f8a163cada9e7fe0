"""Learners without a browser: HTTP with cookies or a token, the terminal's WebSocket, and a look at the workers."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

#: The version of the tab's socket.
SOCKET = "drydock.v1"
PASSWORD = "quay-side-lantern-42"
#: Generous: it says "hangs", not "slow".
LIMIT = 60.0
OVER = ("stopped", "failed")


def new_name(what: str = "learner") -> str:
    """A user name that nobody has."""
    return f"{what}{uuid.uuid4().hex[:8]}"


class Visitor:
    """A browser's cookies and nothing else of it: a stranger until `sign_up`, `sign_in` or `start`."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack
        self.username = ""
        self.http = httpx.Client(
            base_url=stack.url, timeout=LIMIT, trust_env=False, headers={"Accept": "application/json"}
        )

    def close(self) -> None:
        self.http.close()

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """As the site's own scripts send it: with the CSRF cookie's value in the header."""
        headers = {"X-CSRFToken": self.http.cookies.get("csrftoken", ""), "Origin": self.stack.url}
        return self.http.request(method, path, headers=headers | more.pop("headers", {}), **more)

    def _form(self, path: str, data: dict[str, str]) -> None:
        self.http.get(path, headers={"Accept": "text/html"})
        answer = self.send("POST", path, data=data, headers={"Accept": "text/html"})
        assert answer.status_code == 302, f"{path}: {answer.status_code}\n{answer.text[:2000]}"

    def sign_up(self) -> Visitor:
        self.username = new_name()
        data = {"username": self.username, "password1": PASSWORD, "password2": PASSWORD}
        self._form("/accounts/signup/", data)
        return self

    def sign_in(self, username: str, password: str) -> Visitor:
        self.username = username
        self._form("/accounts/login/", {"login": username, "password": password})
        return self

    def take_over(self, username: str, given: str, own: str) -> None:
        """Signs in with a password from somebody else, which opens one page: the one on which it is changed."""
        self.sign_in(username, given)
        held_up = self.http.get("/", headers={"Accept": "text/html"})
        assert held_up.headers["location"] == "/accounts/password/change/"
        self._form("/accounts/password/change/", {"oldpassword": given, "password1": own, "password2": own})

    def make_token(self) -> str:
        """A new API token of this user's."""
        self.http.get("/accounts/tokens/", headers={"Accept": "text/html"})
        answer = self.send("POST", "/accounts/tokens/", data={"name": "journey"})
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        return token

    def start(self, lab: str) -> LabRun:
        """Starts the lab (as a guest, where nobody is signed in) and waits for its cluster."""
        self.http.get(f"/labs/{lab}/", headers={"Accept": "text/html"})
        answer = self.send("POST", f"/labs/{lab}/")
        assert answer.status_code == 302, answer.text[:2000]
        found = re.fullmatch(r".*/runs/([0-9a-f-]{36})/", answer.headers["location"])
        assert found, answer.headers["location"]
        run = LabRun(self, found[1])
        run.wait_ready()
        return run

    @property
    def cookies(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())


class LabRun:
    """A lab that a visitor has open."""

    def __init__(self, visitor: Visitor, ident: str) -> None:
        self.visitor = visitor
        self.id = ident

    def wait_ready(self) -> None:
        deadline = time.monotonic() + LIMIT
        while True:
            state = self.visitor.http.get(f"/runs/{self.id}/state/").json()["state"]
            if state in ("ready", "passed"):
                return
            assert state not in OVER, state
            assert time.monotonic() < deadline, f"the lab is still {state}"
            time.sleep(0.05)

    def kube(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request to the run's Kubernetes API, as the site's own pages make it."""
        return self.visitor.send(method, f"/clusters/{self.id}{path}", **more)

    def apply(self, path: str, content: str) -> httpx.Response:
        """The editor's Apply button."""
        return self.visitor.send("POST", f"/runs/{self.id}/apply/", json={"path": path, "content": content})

    def stop(self) -> None:
        self.visitor.send("POST", f"/runs/{self.id}/stop/")

    def wait_for(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Polls an object of the run's API until `holds` does; the object."""
        deadline = time.monotonic() + LIMIT
        while not holds(found := self.kube("GET", path).json()):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found

    @contextmanager
    def terminal(self) -> Iterator[TerminalClient]:
        """The terminal, as the page opens it."""
        connection = open_socket(
            self.visitor.stack, f"/runs/{self.id}/socket/", cookies=self.visitor.cookies, subprotocol=SOCKET
        )
        assert isinstance(connection, ClientConnection), f"refused with {connection}"
        with connection:
            terminal = TerminalClient(connection)
            # What is typed before the terminal is there is lost.
            assert json.loads(connection.recv(timeout=LIMIT))["type"] == "state"
            terminal.send({"type": "open"})
            # How the cluster's clock stands may come first.
            frames = (json.loads(connection.recv(timeout=LIMIT)) for _ in range(10))
            frame = next(frame for frame in frames if frame["ch"] != "status")
            assert frame == {"ch": "terminal", "id": "1", "type": "opened"}
            terminal.send({"type": "resize", "cols": 120, "rows": 30})
            # Past what an earlier view has seen: a terminal shows its last lines again.
            terminal.run("true")
            yield terminal


def open_socket(
    stack: Any,
    path: str,
    *,
    cookies: str = "",
    token: str = "",
    origin: str | None = "own",
    subprotocol: str = "",
    base: str = "",
) -> ClientConnection | int:
    """An open WebSocket, or the HTTP status it was refused with. `origin`: "own" is the site's, None is none."""
    headers = {}
    if cookies:
        headers["Cookie"] = cookies
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if origin is not None:
        headers["Origin"] = stack.url if origin == "own" else origin
    url = (base or stack.url).replace("http", "ws", 1) + path
    try:
        return connect(
            url,
            additional_headers=headers,
            subprotocols=[subprotocol] if subprotocol else None,  # type: ignore[list-item]
            max_size=None,
            open_timeout=LIMIT,
            close_timeout=2,
            proxy=None,
        )
    except InvalidStatus as refused:
        return refused.response.status_code


class TerminalClient:
    """What xterm.js is in the browser: it types, and remembers all that was shown."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.shown = ""
        self.read = 0

    def send(self, frame: dict[str, Any]) -> None:
        self.connection.send(json.dumps({"ch": "terminal", "id": "1", **frame}))

    def line(self, text: str) -> None:
        """Types a line and presses Enter."""
        self.send({"type": "input", "data": text + "\r"})

    def expect(self, text: str, seconds: float = LIMIT) -> str:
        """Waits until `text` is shown after what was expected before; returns what stands between."""
        deadline = time.monotonic() + seconds
        while (place := self.shown.find(text, self.read)) < 0:
            left = deadline - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                message = self.connection.recv(timeout=left)
            except TimeoutError:
                raise AssertionError(
                    f"{text!r} did not appear within {seconds:.0f} s:\n{self.shown[self.read :][-3000:]}"
                ) from None
            if isinstance(message, bytes):
                self.shown += message.decode("utf-8", "replace")
        between = self.shown[self.read : place]
        self.read = place + len(text)
        return between

    def run(self, line: str, seconds: float = LIMIT) -> str:
        """Types a line that comes to its end; what it shows."""
        mark = uuid.uuid4().hex[:8]
        # The sum is done by the shell, so the echo of what is typed is not taken for its answer.
        self.line(f"{line}; echo {mark}-$((40+2))")
        return self.expect(f"{mark}-42", seconds)


class Api:
    """The REST API with a token."""

    def __init__(self, stack: Any, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=f"{stack.url}/api/v1", timeout=90, trust_env=False, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def post(self, path: str, body: Any, kind: str = "") -> httpx.Response:
        """`body`: JSON data, or with a content type the bytes themselves."""
        if kind:
            return self.http.post(path, content=body, headers={"Content-Type": kind})
        return self.http.post(path, json=body)


def host_address(stack: Any) -> str:
    """The internal address of the stack's engine host, from the worker's log."""
    found = re.findall(r"engine host is up.* (http://127\.0\.0\.1:\d+)", _log(stack, "labs-1"))
    assert found, "no engine host in the log"
    address: str = found[-1]
    assert urlsplit(address).port
    return address


def _log(stack: Any, name: str) -> str:
    return (Path(stack.var) / "log" / f"{name}.log").read_text(errors="replace")


def _names(stack: Any) -> list[str]:
    """The processes that have a log: there are as many engine hosts as cores."""
    return sorted(found.stem for found in (Path(stack.var) / "log").glob("*.log"))


def log_ends(stack: Any) -> dict[str, int]:
    """How long the logs are by now, for `tracebacks`."""
    return {name: len(_log(stack, name)) for name in _names(stack)}


def tracebacks(stack: Any, since: dict[str, int]) -> str:
    """What the processes have logged since then of exceptions that nobody expected."""
    return "\n".join(
        f"{name}: {text[at : at + 3000]}"
        for name in _names(stack)
        if (at := (text := _log(stack, name)).find("Traceback (most recent call last)", since.get(name, 0)))
        >= 0
    )


def descendants(pid: int) -> dict[int, str]:
    """All processes below that one: pid → a name that no later process has."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            with suppress(OSError):
                parents[int(entry)] = int(_stat(int(entry))[1])
    found: dict[int, str] = {}
    grown = True
    while grown:
        below = [child for child, parent in parents.items() if parent in (pid, *found) and child not in found]
        found |= {child: process_name(child) for child in below}
        grown = bool(below)
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the command's name."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def process_name(pid: int) -> str:
    """Pid and start time; nothing where there is no such process (or only its remains)."""
    try:
        fields = _stat(pid)
    except OSError:
        return ""
    return "" if fields[0] == "Z" else f"{pid} since {fields[19]}"


def processes_of(stack: Any) -> dict[int, str]:
    """The stack's Python processes, known by their environment: pid → command line."""
    wanted = f"DRYDOCK_VAR={stack.var}"
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                if wanted in _environment(int(entry)):
                    command = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(entry)] = command.decode(errors="replace").strip()
            except OSError:
                continue  # gone, or not ours
    return found


def _environment(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")


def labs_worker(stack: Any) -> int:
    """The process that hosts the engines."""
    (pid,) = [pid for pid, command in processes_of(stack).items() if " -Q labs " in command]
    return pid


def memory_of(pid: int) -> int:
    """Resident bytes of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found, text
    return int(found[1]) * 1024


def reset_peak(pid: int) -> None:
    """Begin to measure `peak_of` anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_of(pid: int) -> int:
    """The most resident bytes since `reset_peak`."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    assert found, text
    return int(found[1]) * 1024
