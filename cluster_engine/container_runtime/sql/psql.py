"""`psql` and `pg_isready`: statements and backslash commands, and answers as psql prints them."""

from __future__ import annotations

from typing import Any

from cluster_engine.container_runtime.clients import Client, program
from cluster_engine.container_runtime.sql.engine import Outcome
from cluster_engine.container_runtime.sql.tokens import statements
from cluster_engine.linux.dns import is_address
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Exit, Program, State, Sys
from cluster_engine.linux.programs._common import options
from cluster_engine.linux.text import octets
from cluster_engine.linux.width import text_width as width

SOCKET = "/var/run/postgresql/.s.PGSQL.{}"
_LONG = {
    "command": "c", "file": "f", "dbname": "d", "username": "U", "host": "h", "port": "p", "tuples-only": "t",
    "no-align": "A", "list": "l", "quiet": "q", "no-password": "w", "password": "W", "no-psqlrc": "X", "set": "v",
    "variable": "v", "expanded": "x", "version": "V", "echo-errors": "b", "single-transaction": "1",
}  # fmt: skip


def _start(sys: Sys, argv: list[str]) -> State:
    opts = options(sys, argv, "tAlqwWXxVab1n", "cfdUhpvPF", _LONG, status=1)
    env = sys.env
    user = opts.value("U") or env.get("PGUSER") or ""
    password, host, port = (
        env.get("PGPASSWORD", ""),
        opts.value("h") or env.get("PGHOST", ""),
        opts.value("p") or "",
    )
    database = opts.value("d") or ""
    words = list(opts.operands)
    if words and not database:
        database = words.pop(0)
    if database.startswith(("postgres://", "postgresql://")):
        given, _, rest = database.partition("://")[2].rpartition("@")
        user, _, password = given.partition(":") if given else (user, "", password)
        place, _, database = rest.partition("/")
        host, _, port = place.partition(":")
        database = database.partition("?")[0]
    user = user or (words[0] if words else "") or ("root" if sys.uid == 0 else "postgres")
    port = port or env.get("PGPORT", "") or "5432"
    if not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        sys.err(f'psql: error: invalid port number: "{port}"\n')
        raise Exit(2)
    queue = list(opts.given.get("c", ()))
    if opts.flag("l"):
        queue = ["\\l"]
    name = opts.value("f") or ""
    lines: list[str] = []
    if name and name != "-":
        try:
            lines = sys.fs.read(name).split("\n")
        except FileError as error:
            sys.err(f"psql: error: {name}: {error.reason}\n")
            raise Exit(1) from None
    tty = sys.isatty(0)
    login = {"user": user, "password": password, "database": database or env.get("PGDATABASE", "") or user}
    return {
        "host": "" if host.startswith("/") else host, "port": int(port), "login": {**login, "local": not host},
        "queue": queue or lines, "whole": bool(queue), "stdin": not queue and not lines, "status": 0, "lost": 2,
        "interactive": tty and not queue and not lines, "held": "", "line": 0, "begun": 1, "file": name, "asked": "",
        "bare": opts.flag("t"), "plain": opts.flag("A"), "quiet": opts.flag("q"), "wide": opts.flag("x"),
        "stop": "ON_ERROR_STOP=1" in opts.given.get("v", ()), "database": login["database"], "open": False,
    }  # fmt: skip


def _where(state: State) -> str:
    if not state["host"]:
        return f'connection to server on socket "{SOCKET.format(state["port"])}" failed'
    ip = "" if is_address(state["host"]) else f" ({state['ip']})"
    return f'connection to server at "{state["host"]}"{ip}, port {state["port"]} failed'


_REASONS = {
    "refused": "Connection refused",
    "timeout": "Connection timed out",
    "unreachable": "No route to host",
}


def _unreachable(sys: Sys, state: State, reason: str) -> None:
    if reason == "name":
        told = "Name or service not known"
        sys.err(f'psql: error: could not translate host name "{state["host"]}" to address: {told}\n')
    elif not state["host"]:
        hint = "Is the server running locally and accepting connections on that socket?"
        sys.err(f"psql: error: {_where(state)}: No such file or directory\n\t{hint}\n")
    else:
        hint = (
            "\n\tIs the server running on that host and accepting TCP/IP connections?"
            if reason != "reset"
            else ""
        )
        sys.err(f"psql: error: {_where(state)}: {_REASONS.get(reason, 'Connection reset by peer')}{hint}\n")


def _take(sys: Sys, state: State, line: str) -> Any:
    state["line"] += 1
    if not state["held"]:
        state["begun"] = state["line"]
        if line.lstrip().startswith("\\"):
            return _command(sys, state, line.strip().rstrip(";").split())
        if state["interactive"] and line.strip() in ("exit", "quit"):
            sys.exit(0)
    if state["whole"]:
        return {"script": line} if line.strip() else None
    state["held"] += line + "\n"
    found, rest = statements(state["held"])
    if not found or rest.strip():
        if not found and not rest.strip():
            state["held"] = ""
        return None
    text, state["held"] = state["held"].strip(), ""
    return {"script": text}


def _command(sys: Sys, state: State, words: list[str]) -> Any:
    """A backslash command: what the server is asked for it."""
    login = state["login"]
    match words:
        case ["\\q" | "\\quit"]:
            sys.exit(state["status"])
        case ["\\x"]:
            state["wide"] = not state["wide"]
            sys.out(f"Expanded display is {'on' if state['wide'] else 'off'}.\n")
        case ["\\conninfo"]:
            way = f'on host "{state["host"]}"' if state["host"] else 'via socket in "/var/run/postgresql"'
            who = f'database "{state["database"]}" as user "{login["user"]}"'
            sys.out(f'You are connected to {who} {way} at port "{state["port"]}".\n')
        case ["\\c" | "\\connect", name]:
            return {**login, "database": name}
        case ["\\d", name]:
            return {"list": ["d", name.strip('"')]}
        case ["\\l" | "\\list" | "\\dt" | "\\d" | "\\du" | "\\dn", *_]:
            return {"list": [words[0][1:]]}
        case _:
            sys.err(f"invalid command {words[0]}\n" + ("Try \\? for help.\n" if state["interactive"] else ""))
            state["status"] = 0 if state["interactive"] else 1
    return None


def _answer(sys: Sys, state: State, answer: Any) -> None:
    state["version"] = answer.get("version", state.get("version"))
    if "fatal" in answer:
        if not state["ready"]:
            sys.err(octets(f"psql: error: {_where(state)}: {answer['fatal']}\n"))
            sys.exit(2)
        sys.err(octets(f"{answer['fatal']}\nPrevious connection kept\n"))
        return
    if answer["database"] != state["database"] and "version" in answer:
        sys.out(
            f'You are now connected to database "{answer["database"]}" as user "{state["login"]["user"]}".\n'
        )
    state["database"], state["open"] = answer["database"], answer["open"]
    for outcome in answer["outcomes"]:
        _print(sys, state, outcome)


def _print(sys: Sys, state: State, outcome: Outcome) -> None:
    where = f"psql:{state['file']}:{state['line']}: " if state["file"] else ""
    if "notice" in outcome:
        sys.err(octets(f"{where}NOTICE:  {outcome['notice']}\n"))
    if "error" in outcome:
        sys.err(octets(f"{where}ERROR:  {outcome['error']}\n"))
        state["status"] = 1 if state["whole"] else state["status"]
        if state["stop"] or state["whole"]:
            sys.exit(1 if state["whole"] else 3)
    elif "missing" in outcome:
        sys.err(octets(outcome["missing"] + "\n"))
        state["status"] = 1 if state["whole"] else state["status"]
    elif "said" in outcome:
        sys.err(octets(outcome["said"] + "\n"))
    elif "tag" in outcome:
        sys.out("" if state["quiet"] else outcome["tag"] + "\n")
    else:
        right = outcome.get("right", [False] * len(outcome["columns"]))
        rows = [["" if cell is None else cell for cell in row] for row in outcome["rows"]]
        foot = outcome.get("foot")
        sys.out(octets(_laid_out(state, outcome["columns"], rows, right, outcome.get("title", ""), foot)))


def _laid_out(
    state: State,
    names: list[str],
    rows: list[list[str]],
    right: list[bool],
    title: str,
    foot: list[str] | None,
) -> str:
    """A table; ``foot``: lines below it, where how many rows it has is not told."""
    bare = state["bare"]
    count = f"({len(rows)} row{'' if len(rows) == 1 else 's'})\n"
    if foot is not None:
        count = "".join(f"{line}\n" for line in foot)
    if state["plain"]:
        lines = [*([] if bare else ["|".join(names)]), *("|".join(row) for row in rows)]
        return "".join(f"{line}\n" for line in lines) + ("" if bare else count)
    if state["wide"] and not title:
        broad = max((width(name) for name in names), default=0)
        parts = []
        for number, row in enumerate(rows, 1):
            parts.append(f"-[ RECORD {number} ]\n")
            parts += [
                f"{name}{' ' * (broad - width(name))} | {cell}\n"
                for name, cell in zip(names, row, strict=True)
            ]
        return "".join(parts) + "\n" if rows else "(0 rows)\n\n"
    widths = [max(width(cell) for cell in column) for column in zip(names, *rows, strict=True)]
    text = ""
    if not bare:
        heads = [_centred(name, size) for name, size in zip(names, widths, strict=True)]
        total = sum(widths) + 3 * len(widths) - 1
        text = f"{' ' * max(0, (total - width(title)) // 2)}{title}\n" if title else ""
        text += " " + " | ".join(heads) + " \n" + "+".join("-" * (size + 2) for size in widths) + "\n"
    for row in rows:
        cells = []
        for at, cell in enumerate(row):
            space = " " * (widths[at] - width(cell))
            last = at == len(row) - 1
            cells.append(f" {space}{cell}" if right[at] else f" {cell}{'' if last else space}")
        text += " |".join(cells) + "\n"
    return text + ("\n" if bare else f"{count}\n")


def _centred(name: str, size: int) -> str:
    left = (size - width(name)) // 2
    return " " * left + name + " " * (size - width(name) - left)


def _prompt(state: State) -> str:
    mark = "*" if state["open"] else ""
    return f"{state['database']}{'-' if state['held'] else '='}{mark}# "


_CLIENT = Client(
    _start, _unreachable, _take, _answer, _prompt,
    lambda state: f'psql ({state["version"]})\nType "help" for help.\n\n',
)  # fmt: skip


def client(version: str) -> Program:
    """psql of that version."""
    found = program("psql", _CLIENT)
    inner = found.on
    assert inner is not None

    def on(sys: Sys, state: State, event: Event) -> State:
        if event[0] == "start" and event[1][1:] in (["--version"], ["-V"]):
            sys.out(f"psql (PostgreSQL) {version}\n")
            sys.exit(0)
        return inner(sys, state, event)

    return Program("psql", on=on)


def _ready(sys: Sys, state: State, event: Event) -> State:
    """pg_isready: whether somebody listens."""
    match event:
        case ["start", argv]:
            opts = options(
                sys, argv, "q", "hpUdt", {"host": "h", "port": "p", "username": "U", "dbname": "d"}, status=3
            )
            host, port = opts.value("h") or "", opts.value("p") or "5432"
            state = {"host": host, "port": port, "quiet": opts.flag("q"), "fd": -1}
            if not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
                sys.exit(3)
            if host and not is_address(host):
                sys.resolve(host)
            else:
                state["fd"] = sys.connect(host or "127.0.0.1", int(port))
        case ["resolved", _, addresses]:
            state["fd"] = sys.connect(addresses[0], int(state["port"]))
        case ["connected", _]:
            _tell(sys, state, "accepting connections", 0)
        case ["unresolved" | "failed", *_]:
            _tell(sys, state, "no response", 2)
    return state


def _tell(sys: Sys, state: State, told: str, status: int) -> None:
    if not state["quiet"]:
        sys.out(f"{state['host'] or '/var/run/postgresql'}:{state['port']} - {told}\n")
    sys.exit(status)


READY = Program("pg_isready", on=_ready)
