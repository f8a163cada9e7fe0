"""redis: listens on 6379, answers `redis_commands.py` and keeps what is written; `redis-cli` asks it."""

from __future__ import annotations

import json
from typing import Any

from cluster_engine.container_runtime import programs
from cluster_engine.container_runtime import redis_commands as commands
from cluster_engine.container_runtime.clients import Client, program
from cluster_engine.container_runtime.http import Line, log_time
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.programs import daemon, entrypoint
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Exit, Program, State, Sys
from cluster_engine.linux.sh.pattern import matches
from cluster_engine.linux.text import octets

_DEFAULTS = {
    "appendonly": "no", "bind": "* -::*", "dbfilename": "dump.rdb", "dir": "/data", "maxmemory": "0",
    "maxmemory-policy": "noeviction", "port": "6379", "protected-mode": "no", "requirepass": "",
    "save": "3600 1 300 100 60 10000", "timeout": "0",
}  # fmt: skip
_UNITS = {
    "kb": 1 << 10,
    "mb": 1 << 20,
    "gb": 1 << 30,
    "k": 1_000,
    "m": 1_000_000,
    "g": 1_000_000_000,
    "b": 1,
    "": 1,
}


def _line(sys: Sys, mark: str, text: str) -> Line:
    day, month, rest = log_time(sys.now).split("/")
    stamp = f"{day} {month} {rest[:4]} {rest[5:13]}.{sys.now // 1000 % 1000:03d}"
    return ("stdout", f"{sys.pid}:{mark} {stamp} {text}")


def _settings(sys: Sys) -> dict[str, str]:
    """Of its file and its arguments, which count more. Raises FileError."""
    words = list(sys.argv[1:])
    found = dict(_DEFAULTS)
    if words and not words[0].startswith("--"):
        for row in sys.fs.read(words.pop(0)).split("\n"):
            name, _, value = row.strip().partition(" ")
            if name and not name.startswith("#"):
                found[name.lower()] = value.strip().strip('"')
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word[2:].lower()
            found[name] = ""
        elif name:
            found[name] = f"{found[name]} {word}".strip()
    number = found["maxmemory"].rstrip("bkmgBKMG")
    if number.isascii() and number.isdecimal():
        found["maxmemory"] = str(int(number[:15]) * _UNITS.get(found["maxmemory"][len(number) :].lower(), 1))
    return found


def _check(sys: Sys) -> tuple[int, list[Line]]:
    try:
        found = _settings(sys)
    except FileError as error:
        return 1, [("stderr", f"Fatal error, can't open config file '{error.path}': {error.reason}")]
    if found["port"] != "6379":
        return 1, [
            ("stderr", "redis-server: another port than 6379 is not simulated here; a real Redis has it")
        ]
    for name in ("replicaof", "slaveof", "cluster-enabled"):
        if found.get(name, "no") != "no":
            return 1, [("stderr", f"redis-server: {name} is not simulated here; a real Redis has it")]
    return 0, []


def _ready(sys: Sys) -> list[Line]:
    return [
        _line(sys, "M", "* monotonic clock: POSIX clock_gettime"),
        _line(sys, "M", "* Running mode=standalone, port=6379."),
        _line(sys, "M", "* Server initialized"),
        _line(sys, "M", "* Ready to accept connections tcp"),
    ]


def _talk(sys: Sys, state: State, own: State, text: str) -> tuple[str, str, bool]:
    said = ""
    while text:
        try:
            found = _request(text)
        except ValueError:
            return f"{said}-ERR Protocol error\r\n", "", True
        if found is None:
            return said, text, len(text) > commands.MAX_REQUEST
        words, text = found
        if words[:1] and words[0].lower() == "quit":
            return f"{said}+OK\r\n", "", True
        if words:
            said += commands.encoded(_answer(sys, state, own, words))
            if len(said) > programs.MAX_SAID:
                return said, "", True
    return said, "", False


def _request(text: str) -> tuple[list[str], str] | None:
    """A command as clients send it, or a line that somebody typed. Raises ValueError."""
    if not text.startswith("*"):
        line, end, rest = text.partition("\n")
        return (line.split()[: commands.MAX_WORDS], rest) if end else None
    found = commands.parsed(text)
    if found is None:
        return None
    words, rest = found
    if len(words) > commands.MAX_WORDS or not all(isinstance(word, str) for word in words):
        raise ValueError
    return words, rest


def _answer(sys: Sys, state: State, own: State, words: list[str]) -> commands.Answer:
    if "settings" not in state:
        state["settings"] = _settings(sys)
        state["data"] = _found(sys, state["settings"])
    settings: dict[str, str] = state["settings"]
    name = words[0].lower()
    password = settings["requirepass"]
    if name == "auth":
        if not password:
            called = "ERR AUTH <password> called without any password configured for the default user. "
            return commands.Wrong(f"{called}Are you sure your configuration is correct?")
        own["in"] = words[-1] == password
        return (
            commands.OK
            if own["in"]
            else commands.Wrong("WRONGPASS invalid username-password pair or user is disabled.")
        )
    if password and not own.get("in"):
        return commands.Wrong("NOAUTH Authentication required.")
    if name == "config" and len(words) > 2:
        return _config(state, words)
    if name == "info":
        return _info(sys, state)
    before = commands.fresh(state["data"], sys.now)
    try:
        after, answer = commands.carried_out(before, sys.now, words)
        sys.tick(10)
        if after is not before or name == "save":
            _keep(sys, settings, after)
    except commands.Wrong as error:
        return error
    except FileError as error:
        return commands.Wrong(f"MISCONF Errors writing to disk: {error.reason}")
    state["data"] = after
    return answer


def _config(state: State, words: list[str]) -> commands.Answer:
    match words[1].lower(), words[2:]:
        case "get", patterns:
            names = [
                name
                for name in sorted(state["settings"])
                if any(matches(((p.lower(), False),), name) for p in patterns)
            ]
            return [text for name in names for text in (name, state["settings"][name])]
        case "set", [name, value] if name.lower() in state["settings"]:
            state["settings"] = {**state["settings"], name.lower(): value}
            return commands.OK
    return commands.Wrong("ERR Unknown option or number of arguments for CONFIG SET - '" + words[2] + "'")


def _info(sys: Sys, state: State) -> str:
    keys = f"db0:keys={len(state['data'])},expires={sum(1 for e in state['data'].values() if e[2])},avg_ttl=0\r\n"
    return (
        f"# Server\r\nredis_mode:standalone\r\ntcp_port:{state['settings']['port']}\r\n\r\n"
        f"# Clients\r\nconnected_clients:{len(state['talks'])}\r\n\r\n"
        "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n"
        f"# Keyspace\r\n{keys if state['data'] else ''}"
    )


def _file(settings: dict[str, str]) -> str:
    return f"{settings['dir'].rstrip('/')}/{settings['dbfilename']}"


def _keep(sys: Sys, settings: dict[str, str], data: commands.Database) -> None:
    if settings["save"] or settings["appendonly"] == "yes":
        sys.fs.write(_file(settings), octets(json.dumps(data)))


def _found(sys: Sys, settings: dict[str, str]) -> commands.Database:
    """What was kept; nothing where there is no such file, or it says nothing."""
    try:
        data = json.loads(sys.fs.read(_file(settings)))
        return {str(key): [kind, value, int(expires)] for key, (kind, value, expires) in data.items()}
    except (FileError, ValueError, TypeError, AttributeError):
        return {}


# ---- redis-cli ---------------------------------------------------------------------------------------------


def _start(sys: Sys, argv: list[str]) -> State:
    words, given = argv[1:], {"h": "127.0.0.1", "p": "6379", "a": sys.env.get("REDISCLI_AUTH", "")}
    quiet = raw = False
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in ("-h", "-p", "-a", "-n"):
            given[word[1]] = words.pop(0) if words else ""
            quiet = quiet or word != "-a"
        elif word == "--raw":
            raw = True
        elif word in ("--version", "-v"):
            sys.out("redis-cli 8.2.2\n")
            raise Exit(0)
        elif word != "--no-auth-warning":
            sys.err(f"Unrecognized option or bad number of args for: '{word}'\n")
            raise Exit(1)
    if "-a" in argv and "--no-auth-warning" not in argv:
        told = "Using a password with '-a' or '-u' option on the command line interface may not be safe."
        sys.err(f"Warning: {told}\n")
    if not (given["p"].isascii() and given["p"].isdecimal() and 0 < int(given["p"][:6]) < 65_536):
        sys.err("Invalid server port.\n")
        raise Exit(1)
    tty = sys.isatty(1) and not raw
    return {
        "host": given["h"], "port": int(given["p"]), "login": ["auth", given["a"]] if given["a"] else None,
        "queue": [words] if words else [], "stdin": not words, "interactive": not words and sys.isatty(0),
        "status": 0, "lost": 1, "raw": not tty, "logging": bool(given["a"]),
    }  # fmt: skip


_REASONS = {
    "refused": "Connection refused",
    "timeout": "Connection timed out",
    "name": "Name or service not known",
}


def _unreachable(sys: Sys, state: State, reason: str) -> None:
    told = _REASONS.get(reason, "Connection reset by peer")
    sys.err(f"Could not connect to Redis at {state['host']}:{state['port']}: {told}\n")


def _take(sys: Sys, state: State, line: Any) -> Any:
    words = line if isinstance(line, list) else line.split()
    words = [word.strip("\"'") for word in words] if isinstance(line, str) else words
    if not words:
        return None
    if words[0].lower() in ("quit", "exit"):
        sys.exit(0)
    return words


def _said(sys: Sys, state: State, answer: Any) -> None:
    if state.pop("logging", False):
        if isinstance(answer, commands.Wrong):
            sys.err(f"AUTH failed: {answer}\n")
        return
    sys.out((_plain(answer) if state["raw"] else _shown(answer, "")) + "\n")


def _plain(answer: Any) -> str:
    if isinstance(answer, list):
        return "\n".join(_plain(each) for each in answer)
    return "" if answer is None else str(answer)


def _shown(answer: Any, indent: str) -> str:
    match answer:
        case commands.Wrong():
            return f"(error) {answer}"
        case commands.Simple():
            return str(answer)
        case int():
            return f"(integer) {answer}"
        case None:
            return "(nil)"
        case str():
            escaped = (
                answer.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
            )
            return f'"{escaped}"'
        case []:
            return "(empty array)"
    broad = len(str(len(answer)))
    rows = [f"{at:>{broad}}) {_shown(each, indent + ' ' * (broad + 2))}" for at, each in enumerate(answer, 1)]
    return f"\n{indent}".join(rows)


CLI = program(
    "redis-cli",
    Client(
        _start, _unreachable, _take, _said,
        prompt=lambda state: f"{state['host']}:{state['port']}> ",
        greeting=lambda state: "",
        encode=commands.request,
        decode=commands.parsed,
    ),
)  # fmt: skip


def _programs(variant: Variant) -> dict[str, Program]:
    text = "bits=64, commit=00000000, modified=0, pid=1, just started"

    def start(sys: Sys) -> list[Line]:
        return [
            _line(sys, "C", "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"),
            _line(sys, "C", f"* Redis version={variant.version}, {text}"),
        ]

    def stopping(sys: Sys) -> list[Line]:
        return [("stdout", f"{sys.pid}:signal-handler Received SIGTERM scheduling shutdown...")]

    server = daemon(
        "redis-server", start, after=25_000, ports=(6379,), ready=_ready, stopping=stopping, stop_after=15_000,
        check=_check, talk=_talk,
    )  # fmt: skip
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "redis-server"),
        "/usr/local/bin/redis-server": server,
        "/usr/local/bin/redis-cli": CLI,
    }


IMAGE = Image(
    repository="docker.io/library/redis",
    since=(2, 8),
    variants={
        **tags(54_218_117, "8.2.2", "latest", "8", "8.2", "8.2.2"),
        **tags(45_007_722, "7.4.6", "7", "7.4", "7.4.6"),
        **tags(45_006_722, "7.2.11", "7.2", "7.2.11"),
        **tags(43_871_004, "6.2.20", "6", "6.2", "6.2.20"),
        **tags(27_871_004, "8.2.2", "alpine", "8-alpine", "8.2-alpine", flavor="alpine"),
        **tags(17_170_004, "7.4.6", "7-alpine", "7.4-alpine", flavor="alpine"),
        **tags(12_612_004, "6.2.20", "6-alpine", "6.2-alpine", flavor="alpine"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("redis-server",),
    env={"PATH": PATH},
    ports=(6379,),
    workdir="/data",
    programs=_programs,
    memory=9 * MB,
    tools="debian",
    files=debian_files,
)
